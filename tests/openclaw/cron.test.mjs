// Scheduled messages, with two accounts online: each reaches its person through
// the account that the person talks to, also after a restart.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accountId, CHANNEL, World } from "./world.mjs";

let world;
let openclaw;
let alice;
let bob;
let carol;

before(async () => {
  world = await World.make({ env: { OPENCLAW_SKIP_CRON: "0" }, config: { tools: { toolSearch: false } } });
  openclaw = world.openclaw;
  [alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((name) => world.phones.person(name)));
  // Only owners may schedule.
  openclaw.change({ commands: { ownerAllowFrom: [`${CHANNEL}:${alice.id}`] }, channels: { [CHANNEL]: { dmPolicy: "open", allowFrom: ["*"] } } });
  // The first account is the one that the host means where none is named.
  await world.bind(alice);
  await world.bind(bob);
  await openclaw.start();
  // Carol talks to both, to Bob's last but one.
  for (const bot of [alice.bot, bob.bot, alice.bot]) {
    carol.bot = bot;
    await world.phones.post("users/carol/meet", { bot });
    await carol.says(`«hello ${bot}»`);
    await carol.waitsFor(`heard: hello ${bot}`);
  }
});

after(async () => await world?.end());

/** The session of a person with a bot. */
const session = (person, bot) => `agent:main:${CHANNEL}:${accountId(bot)}:direct:${person.id.toLowerCase()}`;

async function schedule(name, ...options) {
  const added = await openclaw.run("cron", "add", "--json", "--name", name, "--session", "isolated", "--announce", "--message", `«${name}»`, ...options);
  assert.equal(added.code, 0, added.all);
  return JSON.parse(added.stdout).id;
}

/** Waits for words, and says that this bot alone has said them, once. */
async function saidBy(bot, person, words) {
  await person.waitsFor(words);
  const heard = async (by) => (await person.hears(by)).filter((text) => text === words).length;
  assert.deepEqual([await heard(bot), await heard()], [1, 1]);
}

test("a job of a conversation speaks through the account of that conversation", async () => {
  await schedule("tea time", "--at", "1s", "--session-key", session(carol, bob.bot));
  await saidBy(bob.bot, carol, "heard: tea time");
});

test("a person whom one account knows is reached through it, though another one is the default", async () => {
  await schedule("for bob", "--at", "1s", "--channel", CHANNEL, "--to", bob.id);
  await saidBy(bob.bot, bob, "heard: for bob");
});

test("what an agent schedules in a conversation comes back to it", async () => {
  const job = { name: "later", schedule: { kind: "at", at: new Date(Date.now() + 3_000).toISOString() }, sessionTarget: "isolated", payload: { kind: "agentTurn", message: "‹the kettle›" }, delivery: { mode: "announce" } };
  await alice.says(`«tool automations ${JSON.stringify({ action: "add", job })}»`);
  assert.match(await alice.waitsFor(/^(no tool|tool done)/), /tool done/);
  await saidBy(alice.bot, alice, "heard: the kettle");
});

test("after a restart of the gateway, too", async () => {
  const id = await schedule("after the restart", "--every", "1h", "--session-key", session(carol, bob.bot));
  await openclaw.stop();
  await openclaw.start();
  await openclaw.does("cron", "run", id);
  await saidBy(bob.bot, carol, "heard: after the restart");
});
