// The shim with a real sidecar and a host that is only pretended: what is hard to
// bring about in a real one.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { after, before, test } from "node:test";

import { checkHost } from "../../openclaw/dist/host.js";
import { setup } from "../../openclaw/dist/setup.js";
import { accountId, childrenOf, until, World } from "./world.mjs";

let world;
let alice;
let gateway;

before(async () => {
  world = await World.make({ tarball: null });
  alice = await world.phones.person("alice");
  await world.bind(alice);
  // Read when the first account starts.
  Object.assign(process.env, { HONGYAN_BINARY: process.env.HONGYAN, OPENCLAW_STATE_DIR: world.openclaw.state });
  gateway = await import("../../openclaw/dist/gateway.js");
});

after(async () => await world?.end());

const request = new AsyncLocalStorage();

/** The host's helpers, with this in the place of its agent. */
const hostWith = (dispatch) => ({
  commands: { isControlCommandMessage: () => false },
  inbound: {
    ingress: { resolve: async () => ({ ingress: { admission: "dispatch" }, senderAccess: { allowed: true } }) },
    buildContext: (context) => context,
    dispatch,
  },
  routing: { resolveAgentRoute: () => ({ agentId: "main", sessionKey: "agent:main:main" }) },
});

/** One start of the account, as the host makes it. Says which start answers. */
class Start {
  took = [];
  #stop = new AbortController();

  constructor(name) {
    const channelRuntime = hostWith(async ({ delivery, replyOptions }) => {
      replyOptions.onAgentRunStart("run");
      this.took.push(request.getStore() ?? "no request");
      await delivery.deliver({ text: `${name} ${this.took.length}` });
    });
    this.ended = gateway.startAccount({ cfg: {}, accountId: accountId(alice.bot), abortSignal: this.#stop.signal, channelRuntime, setStatus: () => {} });
  }

  abort() {
    this.#stop.abort();
  }
}

test("a host that is too old is refused with what to do", () => {
  assert.throws(() => checkHost("2026.8.31"), /needs OpenClaw 2026\.9\.1 or newer; this is 2026\.8\.31\. Upgrade with `npm install -g openclaw@latest`/);
  assert.throws(() => checkHost("2025.12.1-beta.1"), /needs OpenClaw/);
  for (const version of ["2026.9.1", "2026.9.6", "v2026.10.1-beta.2", "2027.1.1", undefined]) checkHost(version);
});

test("an account is switched off and taken out of the settings, and nothing else changes", () => {
  const cfg = { channels: { "openclaw-weixin": { botAgent: "Mine/1", accounts: { a: { name: "work" }, b: { enabled: true } } } } };
  const { setAccountEnabled, deleteAccount } = setup.config;
  const off = setAccountEnabled({ cfg, accountId: "a", enabled: false }).channels["openclaw-weixin"];
  assert.deepEqual(off, { botAgent: "Mine/1", accounts: { a: { name: "work", enabled: false }, b: { enabled: true } } });
  assert.deepEqual(deleteAccount({ cfg, accountId: "b" }).channels["openclaw-weixin"], { botAgent: "Mine/1", accounts: { a: { name: "work" } } });
});

test("turns are not part of the request that happened to open the sidecar, and an abandoned start makes room for the next", async () => {
  await request.run("a request that is over", () => gateway.sidecar.call("probe", {}));
  const first = new Start("first");
  await alice.says("hello");
  await alice.waitsFor("first 1");
  assert.deepEqual(first.took, ["no request"]);

  // The host has given the first one up without a word.
  const second = new Start("second");
  await first.ended;
  await alice.says("hello again");
  await alice.waitsFor("second 1");
  // And comes back to it too late.
  first.abort();
  await alice.says("and again");
  await alice.waitsFor("second 2");
  assert.deepEqual(await alice.hears(), ["first 1", "second 1", "second 2"]);

  const [sidecar, ...others] = childrenOf(process.pid).filter((pid) => pid !== world.backend.pid);
  assert.deepEqual(others, []);
  const begun = Date.now();
  second.abort();
  await second.ended;
  assert.throws(() => process.kill(sidecar, 0), "it is gone when the stop is over");
  assert.ok(Date.now() - begun < 4_000);
});

/** A turn that is offered once more, to a host that knows its message from before it fell. */
async function again(peer) {
  const { Turns } = await import("../../openclaw/dist/turns.js");
  const asked = [];
  const said = [];
  const host = hostWith(async ({ messageId, delivery, replyOptions }) => {
    asked.push(messageId);
    if (messageId === "7") return;
    replyOptions.onAgentRunStart("run");
    await delivery.deliver({ text: "good day" });
  });
  await new Promise((finish) => {
    const turns = new Turns({ reply: async (_, { content }) => said.push(content.text), signal: () => {}, finish: async (_, end) => finish(said.push(end)) });
    const inbound = { turn: "t1", conversation: { account: "a", peer }, message_id: "7", sent_at_ms: 0, text: "hello", attachments: [], quote: null, lane: "conversation", offers: 2 };
    turns.take(inbound, host, {});
  });
  return { asked, said };
}

test("what the host has answered before it fell is answered again, unless it tells the answer by itself", async () => {
  const { noteTold } = await import("../../openclaw/dist/resumed.js");
  const lost = again("Carol@im.wechat");
  const resumed = again("Dora@im.wechat");
  noteTold("dora@im.wechat");
  assert.deepEqual(await resumed, { asked: ["7"], said: ["answered"] });
  assert.deepEqual(await lost, { asked: ["7", "7/2"], said: ["good day", "answered"] });
});
