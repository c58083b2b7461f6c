// `hongyan openclaw …` in a fresh OpenClaw: the installation, the first login
// without any settings, the official plugin in between, and the way out.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { accessSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { CHANNEL, Process, World } from "./world.mjs";

const { HONGYAN, HOST, TARBALL } = process.env;

let world;
let openclaw;
let alice;

before(async () => {
  world = await World.make({ tarball: null });
  openclaw = world.openclaw;
  // What is installed asks Tencent's as long as nothing else is said.
  Object.assign(openclaw.env, { HONGYAN_BINARY: join(import.meta.dirname, "elsewhere.mjs"), BACKEND: world.phones.url });
  alice = await world.phones.person("alice");
});

after(async () => await world?.end());

async function hongyan(command, ...options) {
  const run = new Process(HONGYAN, ["--lang", "en", "openclaw", command, "--openclaw", join(HOST, "node_modules/.bin/openclaw"), ...options], { env: openclaw.env });
  assert.equal(await run.exited, 0, run.output);
  return run.output;
}

const login = () => readFileSync(join(openclaw.state, CHANNEL, "accounts.json"), "utf8");

test("the package holds the program, ready to run, and needs nothing else", () => {
  const listed = execFileSync("tar", ["-tvzf", TARBALL], { encoding: "utf8" });
  assert.match(listed, /^-rwxr-xr-x.* package\/bin\/hongyan$/m);
  assert.match(listed, /package\/dist\/index\.js$/m);
  const manifest = JSON.parse(execFileSync("tar", ["-xzOf", TARBALL, "package/package.json"], { encoding: "utf8" }));
  const { dependencies, optionalDependencies, devDependencies, scripts } = manifest;
  assert.deepEqual({ dependencies, optionalDependencies, devDependencies, scripts }, { dependencies: undefined, optionalDependencies: undefined, devDependencies: undefined, scripts: undefined });
});

test("it is installed by one command, into an OpenClaw that knows nothing of it", async () => {
  const said = await hongyan("install", "--package", TARBALL);
  assert.match(said, /Installed plugin: openclaw-weixin/);
  accessSync(join(openclaw.state, "extensions", CHANNEL, "bin/hongyan"), 1);
  const { channels } = JSON.parse(readFileSync(join(openclaw.state, "openclaw.json"), "utf8"));
  assert.deepEqual(channels ?? {}, {}, "the channel has no settings");
});

test("the first login needs no settings, and the account works", async () => {
  await openclaw.logIn(alice);
  assert.match(await openclaw.does("channels", "list"), /-im-bot: installed, configured/);
  await openclaw.start();
  await alice.says("«hello»");
  await alice.waitsFor("heard: hello");
  assert.match(await openclaw.does("channels", "status", "--probe"), /running, connected.*works/);
});

test("the official plugin goes on with that login, and this one after it", async () => {
  const before = login();
  await openclaw.stop();
  const official = execFileSync(join(import.meta.dirname, "official.sh"), [world.phones.url], { encoding: "utf8" }).trim();
  await hongyan("switch-back", "--package", official);
  await openclaw.start();
  await alice.says("«to the official one»");
  await alice.waitsFor("heard: to the official one");
  await openclaw.stop();
  await alice.says("«to nobody»");
  await hongyan("install", "--package", TARBALL);
  await openclaw.start();
  await alice.waitsFor("heard: to nobody");
  assert.equal((await alice.hears()).filter((text) => text === "heard: to the official one").length, 1, "what the official one had read is not read again");
  assert.equal(login(), before);
  await openclaw.stop();
});

test("uninstalled, the login stays", async () => {
  const before = login();
  const said = await hongyan("uninstall");
  assert.match(said, /Uninstalled plugin/);
  assert.equal(login(), before);
  assert.notEqual((await openclaw.run("plugins", "inspect", CHANNEL)).code, 0);
});
