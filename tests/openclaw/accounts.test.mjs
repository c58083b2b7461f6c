// Strangers, a second account, settings that change while it runs, a login that
// is refused and comes back, and people who do not wait for each other.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { accountId, CHANNEL, until, World } from "./world.mjs";

let world;
let openclaw;
let alice;
let bob;
let eve;

before(async () => {
  world = await World.make();
  openclaw = world.openclaw;
  [alice, bob, eve] = await Promise.all(["alice", "bob", "eve"].map((name) => world.phones.person(name)));
  await world.bind(alice);
  await world.bind(bob);
  await openclaw.start();
});

after(async () => await world?.end());

test("two accounts answer their own people", async () => {
  await Promise.all([alice.says("«from alice»"), bob.says("«from bob»")]);
  await Promise.all([alice.waitsFor("heard: from alice"), bob.waitsFor("heard: from bob")]);
  assert.ok(!(await alice.hears()).includes("heard: from bob"));
});

test("a long turn of one person delays nobody else", async () => {
  await alice.says("«slow 20000 patience»");
  const begun = Date.now();
  await bob.says("«quick»");
  await bob.waitsFor("heard: quick");
  assert.ok(Date.now() - begun < 15_000);
  assert.ok(!(await alice.hears()).includes("heard: patience"));
  await alice.waitsFor("heard: patience");
});

test("a stranger gets a code, is approved, is told so, and is answered", async () => {
  eve.bot = alice.bot;
  await world.phones.post("users/eve/meet", { bot: alice.bot });
  await eve.says("«let me in»");
  const challenge = await eve.waitsFor("openclaw pairing approve");
  const code = /approve openclaw-weixin (\w+)/.exec(challenge)[1];
  assert.match(await openclaw.does("pairing", "list", CHANNEL), new RegExp(code));
  const asked = world.model.requests.length;
  assert.match(await openclaw.does("pairing", "approve", CHANNEL, code), /Approved openclaw-weixin sender/);
  await eve.waitsFor("access approved");
  assert.equal(world.model.requests.length, asked, "nothing ran before the admission");
  await eve.says("«now»");
  await eve.waitsFor("heard: now");
  assert.ok(!openclaw.gateway.output.includes("restarting openclaw-weixin"), "an approval restarts nothing");
});

test("whom the official plugin had admitted is heard", async () => {
  const carol = await world.phones.person("carol");
  const folder = join(openclaw.state, "credentials");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${CHANNEL}-${accountId(bob.bot)}-allowFrom.json`), JSON.stringify({ version: 1, allowFrom: [carol.id] }));
  carol.bot = bob.bot;
  await world.phones.post("users/carol/meet", { bot: bob.bot });
  await carol.says("«as ever»");
  await carol.waitsFor("heard: as ever");
});

test("an account that is disabled rests, the other one does not notice, and it comes back", async () => {
  const id = accountId(bob.bot);
  await openclaw.does("config", "set", `channels.${CHANNEL}.accounts.${id}.enabled`, "false");
  await until("bob's account has stopped", async () => (await openclaw.does("channels", "status")).match(new RegExp(`${id}.*disabled`)));
  await bob.says("«while disabled»");
  await alice.says("«still here»");
  await alice.waitsFor("heard: still here");
  assert.ok(!(await bob.hears()).includes("heard: while disabled"));
  const sidecar = openclaw.sidecar();
  await openclaw.does("config", "set", `channels.${CHANNEL}.accounts.${id}.enabled`, "true");
  await bob.waitsFor("heard: while disabled");
  assert.equal(openclaw.sidecar(), sidecar, "the sidecar was never restarted");
});

test("a login that the backend refuses is seen in the status, and a new one heals it", async () => {
  await world.phones.post(`bots/${encodeURIComponent(alice.bot)}/stale`);
  const id = accountId(alice.bot);
  const status = await until("the status says so", async () => {
    const text = await openclaw.does("channels", "status");
    return /refuses the login/.test(text) && text;
  });
  assert.match(status, new RegExp(`${id}.*(disconnected|blocked)`));
  const snapshot = JSON.parse((await openclaw.run("channels", "status", "--json")).stdout).channelAccounts[CHANNEL].find((account) => account.accountId === id);
  assert.deepEqual([snapshot.lifecycle, snapshot.terminalDisconnect], ["blocked", true]);
  if (!process.env.HOST.endsWith("2026.9.1")) assert.match(status, /openclaw channels login --channel openclaw-weixin/, "what to do");
  await bob.says("«bob goes on»");
  await bob.waitsFor("heard: bob goes on");
  await openclaw.does("config", "set", `channels.${CHANNEL}.baseUrl`, world.phones.url);
  await openclaw.logIn(alice);
  const bots = await world.phones.get("bots");
  alice.bot = bots.find((bound) => bound.user === alice.id && !bound.stale).bot;
  await alice.says("«back again»");
  await alice.waitsFor("heard: back again");
});

test("a logout forgets the credential and stops the account", async () => {
  const id = accountId(bob.bot);
  assert.match(await openclaw.does("channels", "logout", "--channel", CHANNEL, "--account", id), /Cleared/);
  await until("bob is logged out", async () => /bots?|not configured|disabled/.test(await openclaw.does("channels", "status")) && true);
});
