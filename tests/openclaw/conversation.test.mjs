// One conversation through the real OpenClaw, from the installation on.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { accountId, CHANNEL, until, World } from "./world.mjs";

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const VOICE = readFileSync(join(import.meta.dirname, "../../crates/silk/tests/golden/en_16k.silk"));

let world;
let openclaw;
let alice;
let account;

before(async () => {
  world = await World.make();
  openclaw = world.openclaw;
  alice = await world.phones.person("alice");
});

after(async () => await world?.end());

test("the package is installed, and the settings that it declares are checked", async () => {
  assert.match(await openclaw.does("plugins", "inspect", CHANNEL), /Status: (enabled|loaded)/);
  await openclaw.does("config", "set", `channels.${CHANNEL}.baseUrl`, world.phones.url);
  const bad = await openclaw.run("config", "set", `channels.${CHANNEL}.sending.numberParts`, "maybe");
  assert.equal(bad.code, 1, bad.all);
  assert.match(bad.all, /numberParts/);
});

test("a login by QR code brings an account, which the running gateway starts", async () => {
  await openclaw.start();
  await openclaw.logIn(alice);
  const ids = JSON.parse(readFileSync(join(openclaw.state, CHANNEL, "accounts.json"), "utf8"));
  assert.equal(ids.length, 1);
  [account] = ids;
  const [bound] = await world.phones.get("bots");
  assert.equal(accountId(bound.bot), account);
  alice.bot = bound.bot;
  alice.id = bound.user;
});

test("what is said on the phone is answered by the model", async () => {
  await alice.says("«hello»");
  await alice.waitsFor("heard: hello");
  const asked = JSON.stringify(world.model.requests.at(-1));
  assert.ok(asked.includes(`WeChat direct chat; account ${account}`), "where it is said");
  assert.ok(asked.includes("A MEDIA: directive must stand"), "how to send files");
  assert.ok(!openclaw.gateway.output.includes("health-monitor: restarting"), "the login itself started the account");
});

test("the status says that it works, by asking the backend", async () => {
  const status = await openclaw.does("channels", "status", "--probe");
  assert.match(status, new RegExp(`${account}.*running, connected.*works`));
  const snapshot = await until("all times are told", async () => {
    const [found] = JSON.parse((await openclaw.run("channels", "status", "--probe", "--json")).stdout).channelAccounts[CHANNEL];
    return found.lastTransportActivityAt && found.lastInboundAt && found.lastOutboundAt && found;
  });
  const { connected, lifecycle, lastError, probe } = snapshot;
  assert.deepEqual({ connected, lifecycle, lastError, works: probe.ok }, { connected: true, lifecycle: "ready", lastError: null, works: true });
  const list = await openclaw.does("channels", "list");
  assert.match(list, new RegExp(`${account}: installed, configured`));
});

/** How many pictures the phone shows. */
const pictures = async () => (await alice.sees()).filter((message) => message.from === "bot").flatMap((message) => message.items).filter((item) => item.type === "image").length;

test("a picture is seen by the model, and what it sends back comes whole", async () => {
  await alice.sends("image", "dot.png", PNG);
  await alice.says("«images»");
  assert.match(await alice.waitsFor("images: "), /images: [1-9]/);
  const files = ["one.png", "two.png"].map((name) => join(openclaw.state, "workspace", name));
  for (const file of files) writeFileSync(file, PNG);
  await alice.says(`«media ${files.join(" ")}»`);
  await until("both pictures come", async () => (await pictures()) === 2);
  await alice.waitsFor("here it is");
});

test("all pictures of one message reach the agent", async () => {
  const dora = await world.phones.person("dora");
  const bot = await world.phones.post("bots", { user: "dora" });
  for (const name of ["a.png", "b.png"]) await dora.sends("image", name, PNG);
  const items = await world.itemsTo(dora, bot);
  assert.equal(items.length, 2);
  await world.phones.post("users/alice/message", { item_list: [...items, { type: 1, text_item: { text: "«both of them»" } }] });
  await alice.waitsFor("heard: both of them");
  const isIt = ({ content }) => JSON.stringify(content).includes("both of them");
  const { content } = world.model.requests.findLast(({ messages }) => messages.some(isIt)).messages.findLast(isIt);
  assert.equal(content.filter((part) => part.type === "image_url").length, 2, JSON.stringify(content).slice(0, 2_000));
});

test("a file and a voice message reach the agent", async () => {
  await alice.sends("file", "note.txt", Buffer.from("the word is gooseberry"));
  await alice.says("«prompt»");
  assert.match(await alice.waitsFor("prompt: "), /note|gooseberry/);
  await alice.sends("voice", "voice.silk", VOICE, { text: "the other word is «rhubarb»" });
  await alice.waitsFor("heard: rhubarb");
  await alice.sends("voice", "voice.silk", VOICE);
  await until("the agent is told of the sound", () => world.model.requests.some(({ messages }) => messages.some(({ role, content }) => role === "user" && /\.wav/.test(JSON.stringify(content)))));
});

test("a quote tells what it quotes", async () => {
  const seen = await alice.sees();
  const quoted = seen.find((message) => message.from === "bot" && message.items.some((item) => item.text === "heard: hello"));
  await alice.says("what was that? «prompt»", { quote: { message_id: quoted.id } });
  await until("the quote is in the prompt", async () => (await alice.hears()).filter((text) => text.startsWith("prompt: ")).at(-1)?.includes("heard: hello"));
});

test("a long answer comes whole", async () => {
  await alice.says("«long 9000»");
  await alice.waitsFor("the end");
  const parts = (await alice.hears()).join("\n");
  for (let n = 1; n <= 90; n += 1) assert.match(parts, new RegExp(`number ${n} of`));
});

test("tools are shown while they run", async () => {
  writeFileSync(join(openclaw.state, "workspace", "tool.txt"), "from a tool");
  await alice.says('«tool read {"path":"tool.txt"}»');
  assert.match(await alice.waitsFor(/^(no tool|tool done)/), /from a tool/);
  const shown = (await alice.sees()).flatMap((message) => message.items).filter((item) => /tool/i.test(item.type));
  assert.ok(shown.length >= 2, JSON.stringify(shown));
});

test("a command overtakes a turn, and /stop ends it", async () => {
  await alice.says("«slow 60000 never»");
  await until("the model is asked", async () => world.model.requests.some((request) => JSON.stringify(request.messages).includes("slow 60000 never")));
  await until("the phone shows that it types", () => alice.seesTyping());
  await alice.says("/stop");
  await alice.waitsFor(/abort|stop/i, 30_000);
  await alice.says("«after the stop»");
  await alice.waitsFor("heard: after the stop");
  assert.ok(!(await alice.hears()).includes("heard: never"));
});

test("something is sent from the command line, and to somebody unknown it is not", async () => {
  await openclaw.does("message", "send", "--channel", CHANNEL, "--target", alice.id, "--message", "from the outside");
  await alice.waitsFor("from the outside");
  const unknown = await openclaw.run("message", "send", "--channel", CHANNEL, "--target", "nobody@im.wechat", "--message", "x");
  assert.notEqual(unknown.code, 0, unknown.all);
  assert.match(unknown.all, /nobody is known/);
});

test("a file is sent from the command line", async () => {
  const before = await pictures();
  await openclaw.does("message", "send", "--channel", CHANNEL, "--target", alice.id, "--media", join(openclaw.state, "workspace", "one.png"), "--message", "a picture of nothing");
  await alice.waitsFor("a picture of nothing");
  assert.equal(await pictures(), before + 1);
});

test("a gateway that restarts in place goes on, with one sidecar", async () => {
  const before = openclaw.sidecar();
  // Node's inspector has the first one, so newer hosts took the other.
  process.kill(openclaw.gateway.pid, process.env.HOST.endsWith("2026.9.1") ? "SIGUSR1" : "SIGUSR2");
  await until("the sidecar is another one", () => openclaw.sidecar() !== undefined && openclaw.sidecar() !== before);
  await alice.says("«in the same place»");
  await alice.waitsFor("heard: in the same place");
  assert.throws(() => process.kill(before, 0));
});

test("a gateway that is asked to stop leaves nothing behind, and goes on where it was", async () => {
  const sidecar = openclaw.sidecar();
  assert.ok(sidecar);
  await openclaw.stop();
  assert.throws(() => process.kill(sidecar, 0));
  await alice.says("«while it was away»");
  await openclaw.start();
  await alice.waitsFor("heard: while it was away");
});

test("uninstalled, it takes its settings along and leaves the login", async () => {
  await openclaw.stop();
  await openclaw.does("plugins", "uninstall", CHANNEL, "--force");
  assert.ok(readFileSync(join(openclaw.state, CHANNEL, "accounts", `${account}.json`), "utf8").includes("token"));
});
