// The official plugin in the same OpenClaw, against our backend: what it is
// pinned to is our address, nothing else is changed.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { CHANNEL, Process, until, World } from "./world.mjs";

let world;
let openclaw;
let alice;
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

before(async () => {
  world = await World.make({ tarball: null });
  openclaw = world.openclaw;
  alice = await world.phones.person("alice");
  const tarball = execFileSync(join(import.meta.dirname, "official.sh"), [world.phones.url], { encoding: "utf8" }).trim();
  await openclaw.does("plugins", "install", tarball, "--force", "--accept-capabilities");
});

after(async () => await world?.end());

test("it logs in by QR code", async () => {
  const login = new Process(process.execPath, [openclaw.program, "channels", "login", "--channel", CHANNEL], { env: openclaw.env });
  const link = await until("a code is shown", () => /https?:\S+\/q\/[\w-]+/.exec(login.output)?.[0]);
  await world.phones.post("users/alice/scan", { link });
  await world.phones.post("users/alice/confirm", { link });
  assert.equal(await login.exited, 0, login.output);
  const [bound] = await world.phones.get("bots");
  alice.bot = bound.bot;
  const id = bound.bot.replace(/[^a-z0-9_-]+/g, "-");
  await openclaw.does("config", "set", `channels.${CHANNEL}.accounts.${id}.cdnBaseUrl`, `${world.phones.url}/c2c`);
  await openclaw.start();
});

test("it holds the conversation", async () => {
  await alice.says("«hello»");
  await alice.waitsFor("heard: hello");
  await alice.says("/echo marco");
  await alice.waitsFor("marco");
  await alice.sends("image", "dot.png", PNG);
  await alice.says("«images»");
  await alice.waitsFor("images: ");
  const file = join(openclaw.state, "workspace", "answer.png");
  writeFileSync(file, PNG);
  await alice.says(`«media ${file}»`);
  await until("a picture comes", async () => (await alice.sees()).some((message) => message.from === "bot" && message.items.some((item) => item.type === "image")));
  const quoted = (await alice.sees()).find((message) => message.from === "bot" && message.items.some((item) => item.text === "heard: hello"));
  await alice.says("what was that? «prompt»", { quote: { message_id: quoted.id } });
  await alice.waitsFor(/prompt:.*heard: hello/s);
  await alice.says("«long 3500»");
  await alice.waitsFor("the end");
});
