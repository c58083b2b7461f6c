// kill -9 of the gateway and of the sidecar while a turn runs and others wait
// behind it: the phone sees one answer to each message.
//
// POINTS says at how many moments the gateway is killed; each takes a start of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { CHANNEL, until, World } from "./world.mjs";

/** Moments after the first word, in ms: before it is stored, while it is handed over, while the model works, while the answer leaves. */
const MOMENTS = [0, 40, 100, 200, 400, 700, 1_000, 1_300, 1_600, 2_200];
const POINTS = Number(process.env.POINTS ?? 3);

let world;
let openclaw;
let alice;

before(async () => {
  world = await World.make();
  openclaw = world.openclaw;
  alice = await world.phones.person("alice");
  await world.bind(alice);
  await openclaw.start();
  await alice.says("«warm»");
  await alice.waitsFor("heard: warm");
});

after(async () => await world?.end());

/** How often each of these was answered. */
async function answers(words) {
  const heard = (await alice.hears()).join("\n");
  return Object.fromEntries(words.map((word) => [word, heard.split("\n").filter((line) => line === `heard: ${word}`).length]));
}

async function answeredOnce(words) {
  await until(`answers to ${words}`, async () => Object.values(await answers(words)).every((times) => times > 0));
  // What was said twice would be on its way now.
  await alice.says(`«after ${words[0]}»`);
  await alice.waitsFor(`heard: after ${words[0]}`);
  assert.deepEqual(await answers(words), Object.fromEntries(words.map((word) => [word, 1])));
}

async function crash(name, at, kill) {
  const words = ["first", "second", "third"].map((word) => `${word}-${name}-${at}`);
  await alice.says(`«slow 1200 ${words[0]}»`);
  await alice.says(`«${words[1]}»`);
  const killed = new Promise((resolve) => setTimeout(resolve, at)).then(kill);
  await alice.says(`«${words[2]}»`);
  await killed;
  await answeredOnce(words);
}

const step = Math.max(1, Math.floor(MOMENTS.length / POINTS));
const gateways = MOMENTS.filter((_, n) => n % step === Math.floor(step / 2)).slice(0, POINTS);

// In turns: a sidecar that falls again and again is started later and later, in a new gateway at once.
for (const at of MOMENTS) {
  test(`the sidecar is killed ${at} ms into a turn`, async () => {
    await until("there is a sidecar", () => openclaw.sidecar());
    await crash("sidecar", at, () => process.kill(openclaw.sidecar(), "SIGKILL"));
  });
  if (gateways.includes(at)) {
    test(`the gateway is killed ${at} ms into a turn`, async () => await crash("gateway", at, restart));
  }
}

async function restart() {
  await openclaw.stop("SIGKILL");
  await openclaw.start();
  // After a few crashes the host starts channels only by hand.
  await until("the channel is started, or not", () => /account started|autostart suppressed/.test(openclaw.gateway.output));
  if (/autostart suppressed/.test(openclaw.gateway.output)) {
    await openclaw.does("gateway", "call", "channels.start", "--params", JSON.stringify({ channel: CHANNEL }));
  }
}
