// The demo as a person uses it: in a real browser, over real sockets.
//
// HONGYAN   the program (default: the release build)
// SHOTS     where screenshots go (default: a temporary folder)

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const hongyan = process.env.HONGYAN ?? join(root, "target/release/hongyan");
const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };
const chromiumArgs = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

let dir;
let demo;
let url;
let browser;
let shots;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "hongyan-browser-"));
  shots = process.env.SHOTS ?? dir;
  demo = spawn(hongyan, ["demo", "--no-open", "--lang", "en", "--state", join(dir, "state")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  url = await firstLink(demo.stdout);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: chromiumArgs,
  });
});

after(async () => {
  await browser?.close();
  if (demo && demo.exitCode === null) {
    const began = Date.now();
    demo.kill("SIGINT");
    const [code] = await once(demo, "exit");
    console.log(`the demo stopped with ${code} after ${Date.now() - began} ms`);
    assert.equal(code, 0);
  }
  await rm(dir, { recursive: true, force: true });
});

test("a newcomer writes to the bot and sees words, a picture and a file", async () => {
  const { page, errors } = await open(PHONE, { locale: "en" });
  await say(page, "hello");
  await page.locator('[data-testid="message"][data-from="bot"] [data-testid="bubble-text"]').first().waitFor();

  await say(page, "picture");
  const picture = page.locator('[data-testid="bubble-image"] img').first();
  await picture.waitFor();
  await page.waitForFunction((img) => img.complete && img.naturalWidth > 0, await picture.elementHandle());

  await say(page, "file");
  await page.locator('[data-from="bot"] [data-testid="bubble-file"]').first().waitFor();
  // Everything that was said has been delivered: two ticks each.
  await page.waitForFunction(() => {
    const ticks = [...document.querySelectorAll('[data-testid="tick"]')];
    return ticks.length >= 3 && ticks.every((tick) => tick.dataset.state === "delivered");
  });
  await page.screenshot({ path: join(shots, "phone-chat.png") });
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("markdown is shown as WeChat shows it and tools are told", async () => {
  const { page, errors } = await open(PHONE, { locale: "en", colorScheme: "dark" });
  await say(page, "markdown");
  await page.locator('[data-from="bot"] [data-testid="bubble-text"] strong').first().waitFor();
  await say(page, "tools");
  await page.locator('[data-testid="bubble-tool"]').first().waitFor();
  await page.screenshot({ path: join(shots, "phone-dark.png") });
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("a slow answer shows that somebody types", async () => {
  const { page } = await open(PHONE, { locale: "en" });
  await say(page, "slow");
  await page.locator('[data-testid="typing"]').waitFor();
  await page.locator('[data-testid="typing"]').waitFor({ state: "hidden", timeout: 30_000 });
  await page.context().close();
});

test("a picture and a file go the other way", async () => {
  const { page, errors } = await open(DESKTOP, { locale: "zh-CN" });
  const picture = join(dir, "点.png");
  const file = join(dir, "报告 1.txt");
  await writeFile(picture, Buffer.from(PIXEL, "base64"));
  await writeFile(file, "鸿雁传书\n");
  await page.locator('[data-testid="attach-image-input"]').setInputFiles(picture);
  await page.locator('[data-from="me"] [data-testid="bubble-image"]').first().waitFor();
  await page.locator('[data-testid="attach-file-input"]').setInputFiles(file);
  await page.locator('[data-from="me"] [data-testid="bubble-file"]').filter({ hasText: "报告 1.txt" }).waitFor();
  await say(page, "你好");
  await page.locator('[data-from="bot"] [data-testid="bubble-text"]').filter({ hasText: "鸿雁" }).first().waitFor();
  await page.screenshot({ path: join(shots, "desktop.png") });
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("what was said is still there after a reload", async () => {
  const { page } = await open(PHONE, { locale: "en" });
  const words = `remember ${Date.now()}`;
  await say(page, words);
  await page.locator('[data-from="bot"]').filter({ hasText: words }).waitFor();
  await page.reload();
  await page.locator('[data-from="me"]').filter({ hasText: words }).waitFor();
  await page.locator('[data-from="bot"]').filter({ hasText: words }).waitFor();
  await page.context().close();
});

test("a login is scanned by somebody new, who then has a bot", async () => {
  const args = ["channels", "login", "--json", "--base-url", new URL(url).origin];
  const login = spawn(hongyan, [...args, "--state", join(dir, "second")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const events = createInterface({ input: login.stdout })[Symbol.asyncIterator]();
  const event = async () => JSON.parse((await events.next()).value);
  const { url: link } = await event();

  const context = await browser.newContext({ viewport: PHONE, locale: "zh-CN" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(link);
  await page.locator('[data-testid="user-create-name"]').fill("小红");
  await page.locator('[data-testid="user-create-submit"]').click();
  await page.locator('[data-testid="login-confirm"]').waitFor();
  await page.screenshot({ path: join(shots, "login.png") });
  await page.locator('[data-testid="login-confirm"]').click();
  await page.locator('[data-testid="login-done"]').waitFor();

  let last;
  do last = await event();
  while (last.event !== "polling");
  const [code] = await once(login, "exit");
  assert.equal(code, 0);
  await context.close();
});

/** Opens the demo's chat as a browser of this size; collects what goes wrong in the page. */
async function open(viewport, options) {
  const context = await browser.newContext({ viewport, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors = [];
  page.on("pageerror", (err) => errors.push(String(err)));
  page.on("console", (line) => line.type() === "error" && errors.push(line.text()));
  await page.goto(url);
  await page.locator('[data-testid="composer"]').waitFor();
  return { page, errors };
}

async function say(page, text) {
  await page.locator('[data-testid="composer"]').fill(text);
  await page.locator('[data-testid="send"]').click();
  await page.locator('[data-from="me"]').filter({ hasText: text }).last().waitFor();
}

/** The first address that the program prints. */
async function firstLink(stream) {
  for await (const line of createInterface({ input: stream })) {
    const link = line.match(/https?:\/\/\S+/);
    if (link) return link[0];
  }
  throw new Error("the demo printed no address");
}

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGNk+M+ADzDhlWUYqdIAHmQBE1PYEUYAAAAASUVORK5CYII=";
