// Logins that the gateway shows to somebody, by the host's `web.login.*`: a
// picture, a fresh one, digits, the first account, and one more beside it.
// Then accounts that are removed.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { accountId, CHANNEL, until, World } from "./world.mjs";

let world;
let openclaw;
let alice;
let bob;

before(async () => {
  world = await World.make();
  openclaw = world.openclaw;
  openclaw.change({ channels: { [CHANNEL]: { baseUrl: world.phones.url } } });
  [alice, bob] = await Promise.all(["alice", "bob"].map((name) => world.phones.person(name)));
  await openclaw.start();
});

after(async () => await world?.end());

async function ask(method, params) {
  const answer = await openclaw.run("gateway", "call", method, "--json", "--timeout", "60000", "--params", JSON.stringify({ channel: CHANNEL, ...params }));
  assert.equal(answer.code, 0, answer.all);
  return JSON.parse(answer.stdout);
}

/** The link in a message, as a person opens it. */
const linkIn = (message) => /https?:\S+\/q\/\S+/.exec(message)[0];

/** Scans the code and agrees to it; returns the digits that the phone shows, if any. */
async function agree(person, message) {
  const link = linkIn(message);
  await world.phones.post(`users/${person.name}/scan`, { link });
  return (await world.phones.post(`users/${person.name}/confirm`, { link })).verify_code;
}

const botOf = async (person) => (await world.phones.get("bots")).find((bound) => bound.user === person.id).bot;

test("the gateway shows a code as a picture and its link in words, a new one when it expires, and the first account works", async () => {
  await world.phones.setPolicy({ qr_life_ms: 15_000 });
  const { qrDataUrl, sessionKey, message } = await ask("web.login.start", {});
  assert.match(qrDataUrl, /^data:image\/png;base64,iVBOR/);
  linkIn(message);
  const refreshed = await ask("web.login.wait", { sessionKey, currentQrDataUrl: qrDataUrl, timeoutMs: 50_000 });
  assert.match(refreshed.qrDataUrl, /^data:image\/png;base64,iVBOR/);
  assert.notEqual(refreshed.qrDataUrl, qrDataUrl);

  await world.phones.setPolicy({});
  const again = await ask("web.login.start", { force: true });
  await agree(alice, again.message);
  const done = await ask("web.login.wait", { sessionKey: again.sessionKey, timeoutMs: 30_000 });
  assert.equal(done.connected, true, JSON.stringify(done));
  alice.bot = await botOf(alice);
  await alice.says("«hello»");
  await alice.waitsFor("heard: hello");
});

test("the digits on the phone are asked for, and an account more runs beside the first", async () => {
  await world.phones.setPolicy({ verify_tries: 3 });
  const { sessionKey, message } = await ask("web.login.start", {});
  const digits = await agree(bob, message);
  const asked = await ask("web.login.wait", { sessionKey, timeoutMs: 30_000 });
  assert.equal(asked.connected, false);
  assert.match(asked.message, /digits/);
  const wrong = await ask("web.login.wait", { sessionKey: `${sessionKey}:000000`, timeoutMs: 30_000 });
  assert.match(wrong.message, /wrong digits/);
  const done = await ask("web.login.wait", { sessionKey: `${sessionKey}:${digits}`, timeoutMs: 30_000 });
  assert.equal(done.connected, true, JSON.stringify(done));
  bob.bot = await botOf(bob);
  await Promise.all([alice.says("«still me»"), bob.says("«and me»")]);
  await Promise.all([alice.waitsFor("heard: still me"), bob.waitsFor("heard: and me")]);
});

test("who is connected already is told so", async () => {
  await world.phones.setPolicy({});
  const { sessionKey, message } = await ask("web.login.start", {});
  await agree(bob, message);
  const done = await ask("web.login.wait", { sessionKey, timeoutMs: 30_000 });
  assert.match(done.message, /already connected/);
  await bob.says("«as before»");
  await bob.waitsFor("heard: as before");
});

test("an account that is removed leaves no credential, and the other one runs on", async () => {
  const id = accountId(bob.bot);
  const kept = join(openclaw.state, CHANNEL, "accounts", `${id}.json`);
  assert.ok(existsSync(kept));
  await openclaw.does("channels", "remove", "--channel", CHANNEL, "--account", id, "--delete");
  await until("the credential is gone", () => !existsSync(kept));
  assert.deepEqual(JSON.parse(readFileSync(join(openclaw.state, CHANNEL, "accounts.json"), "utf8")), [accountId(alice.bot)]);
  await alice.says("«alone»");
  await alice.waitsFor("heard: alone");
});
