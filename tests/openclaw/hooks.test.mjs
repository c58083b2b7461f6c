// The host's hooks around what is said: each once, for replies and for what is
// sent from the command line. And answers in blocks, as the settings say.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { CHANNEL, until, World } from "./world.mjs";

let world;
let openclaw;
let alice;
let notes;

const listener = (file) => `
import { appendFileSync } from "node:fs";
const note = (hook) => (event) => { appendFileSync(${JSON.stringify(file)}, JSON.stringify({ hook, content: event.content, success: event.success }) + "\\n"); };
export default {
  id: "listener", name: "listener", description: "notes what is said", configSchema: { type: "object" },
  register(api) {
    api.on("message_sending", note("message_sending"));
    api.on("message_sent", note("message_sent"));
  },
};
`;

before(async () => {
  world = await World.make({ config: { plugins: { allow: [CHANNEL, "listener"] } } });
  openclaw = world.openclaw;
  notes = join(world.folder, "notes");
  writeFileSync(notes, "");
  const plugin = join(world.folder, "listener");
  mkdirSync(plugin);
  writeFileSync(join(plugin, "index.js"), listener(notes));
  writeFileSync(join(plugin, "package.json"), JSON.stringify({ name: "listener", version: "1.0.0", type: "module", openclaw: { extensions: ["./index.js"] } }));
  writeFileSync(join(plugin, "openclaw.plugin.json"), JSON.stringify({ id: "listener", configSchema: { type: "object", properties: {} }, activation: { onStartup: true } }));
  await openclaw.does("plugins", "install", plugin, "--force", "--accept-capabilities");
  openclaw.change({ channels: { [CHANNEL]: { streaming: { block: { enabled: true } } } } });
  alice = await world.phones.person("alice");
  await world.bind(alice);
  await openclaw.start();
});

after(async () => await world?.end());

const noted = (content) => readFileSync(notes, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((note) => note.content === content).map(({ hook, success }) => [hook, success]);
const ONCE = [["message_sending", undefined], ["message_sent", true]];

test("a reply passes each hook once", async () => {
  await alice.says("«hook»");
  await alice.waitsFor("heard: hook");
  await until("both hooks", () => noted("heard: hook").length >= 2);
  assert.deepEqual(noted("heard: hook"), ONCE);
});

test("what is sent from outside passes each hook once", async () => {
  await openclaw.does("message", "send", "--channel", CHANNEL, "--target", alice.id, "--message", "from outside");
  await alice.waitsFor("from outside");
  await until("both hooks", () => noted("from outside").length >= 2);
  assert.deepEqual(noted("from outside"), ONCE);
});

test("an answer comes in blocks", async () => {
  const before = (await alice.hears()).length;
  await alice.says("«parts 10000»");
  await alice.waitsFor("number 1 of");
  // Newer hosts keep the blocks until the answer is complete.
  if (process.env.HOST.endsWith("2026.9.1")) assert.ok(!(await alice.hears()).join("\n").includes("the very end"));
  await alice.waitsFor("the very end");
  assert.ok((await alice.hears()).length - before >= 2);
});
