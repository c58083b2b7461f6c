// A turn: one message through the host's agent, and its replies back. It is done
// only when all replies are on the sidecar's disk.

import type { OpenClawConfig } from "openclaw/plugin-sdk/core";

import { resolveIngress } from "./access.js";
import { CHANNEL, type Content, type Inbound, type Reply, type ReplyClass, type Signal, type TurnEnd, WireError } from "./contract.js";
import { currentConfig, type HostRuntime } from "./host.js";
import { say } from "./log.js";
import { facts, type MediaFact, problems, words } from "./media.js";
import { isTold } from "./resumed.js";
import { accountSection } from "./settings.js";

/** Where replies go. Each call returns when its effect is on disk. */
export type Mouth = {
  reply(turn: string, reply: Reply): Promise<unknown>;
  signal(turn: string, signal: Signal): void;
  finish(turn: string, end: TurnEnd): Promise<unknown>;
};

type Plan = Parameters<HostRuntime["inbound"]["dispatch"]>[0];
type Payload = Parameters<Plan["delivery"]["deliver"]>[0];
type Lifecycle = NonNullable<Plan["turnAdoptionLifecycle"]>;
type ItemEvent = Parameters<NonNullable<NonNullable<Plan["replyOptions"]>["onItemEvent"]>>[0];

/** How long a turn waits for a sidecar that has fallen to offer it again. */
const PATIENCE_MS = 10 * 60_000;
const LAST_MS = 60_000;
/** Pauses before the host is asked again after it could not take a turn, in ms: it starts, or recovers a session of its own. */
const AGAIN = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, LAST_MS, LAST_MS];
/** How long the host may take to resume a session after a fall. */
const RESUME_MS = 30_000;
const SORRY = "⚠️ 抱歉，处理这条消息时出错了，请稍后再试。";

/** One turn that runs here. */
class Run {
  readonly inbound: Inbound;
  #mouth: Mouth;
  #replies = 0;
  #offered: (() => void)[] = [];

  constructor(inbound: Inbound, mouth: Mouth) {
    this.inbound = inbound;
    this.#mouth = mouth;
  }

  /** Whether anything has been said. */
  get hasSpoken(): boolean {
    return this.#replies > 0;
  }

  /** The sidecar has offered the turn again: it is a new one, and can be told what the old one was not. */
  offered(): void {
    for (const go of this.#offered.splice(0)) go();
  }

  signal(signal: Signal): void {
    this.#mouth.signal(this.inbound.turn, signal);
  }

  async say(kind: ReplyClass, contents: Content[]): Promise<void> {
    for (const content of contents) {
      const reply: Reply = { number: this.#replies++, class: kind, content };
      await this.#onDisk(() => this.#mouth.reply(this.inbound.turn, reply));
    }
  }

  async finish(end: TurnEnd): Promise<void> {
    await this.#onDisk(() => this.#mouth.finish(this.inbound.turn, end));
  }

  /** Does it, again after each fall of the sidecar: replies are numbered, so nothing is said twice. */
  async #onDisk(act: () => Promise<unknown>): Promise<void> {
    for (;;) {
      const again = this.#again();
      try {
        await act();
        return;
      } catch (error) {
        if (error instanceof WireError && error.kind !== "no_such_turn" && error.kind !== "stopped") throw error;
        if (!(await again.wait())) throw error;
      } finally {
        again.forget();
      }
    }
  }

  #again(): { wait(): Promise<boolean>; forget(): void } {
    let late: NodeJS.Timeout | undefined;
    let go!: (came: boolean) => void;
    const came = new Promise<boolean>((resolve) => {
      go = resolve;
    });
    this.#offered.push(() => go(true));
    return {
      wait: () => {
        late = setTimeout(() => go(false), PATIENCE_MS).unref();
        return came;
      },
      forget: () => clearTimeout(late),
    };
  }
}

export class Turns {
  #runs = new Map<string, Run>();
  #mouth: Mouth;

  constructor(mouth: Mouth) {
    this.#mouth = mouth;
  }

  /** How many turns run. */
  get size(): number {
    return this.#runs.size;
  }

  /** Takes a turn. One that runs already goes on: its replies were only waiting for somebody to take them. */
  take(inbound: Inbound, runtime: HostRuntime, cfg: OpenClawConfig): void {
    const known = this.#runs.get(inbound.turn);
    if (known) {
      known.offered();
      return;
    }
    const run = new Run(inbound, this.#mouth);
    this.#runs.set(inbound.turn, run);
    void this.#work(run, runtime, currentConfig() ?? cfg).finally(() => this.#runs.delete(inbound.turn));
  }

  async #work(run: Run, runtime: HostRuntime, cfg: OpenClawConfig): Promise<void> {
    const { conversation, turn } = run.inbound;
    const at = `[${conversation.account}] turn ${turn}`;
    try {
      await run.finish(await this.#answered(run, runtime, cfg, at));
    } catch (error) {
      say("error", `${at}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      await run.say("notice", [{ text: SORRY }]).catch(() => {});
      await run.finish({ failed: { reason: String(error) } }).catch(() => {});
    }
  }

  /** Asks the host until it takes the turn. What it has begun to answer is not begun again. */
  async #answered(run: Run, runtime: HostRuntime, cfg: OpenClawConfig, at: string): Promise<TurnEnd> {
    const route = routeOf(run.inbound, runtime, cfg);
    const { message_id, offers, conversation } = run.inbound;
    let id = message_id;
    for (let n = 0; ; n += 1) {
      try {
        const end = await answer(run, runtime, currentConfig() ?? cfg, route, id);
        if (end !== undefined) return end;
        // The host knows it from before it fell: it resumes the session and tells the answer itself,
        // or it had the answer and fell before that was taken down here.
        if (offers < 2 || id !== message_id || (await isTold(conversation.peer, RESUME_MS))) return "answered";
        say("info", `${at} was answered by a gateway that fell, and nobody has heard it: once more`);
        id = `${message_id}/${offers}`;
      } catch (error) {
        // A host that drains restarts, however long that takes, and the turn is offered to the next one.
        const pause = AGAIN[n] ?? (isDraining(error) ? LAST_MS : undefined);
        if (run.hasSpoken || pause === undefined) throw error;
        say("warn", `${at} is not taken, again in ${pause} ms: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
    }
  }
}

const isDraining = (error: unknown): boolean => error instanceof Error && error.name === "GatewayDrainingError";

type Route = ReturnType<HostRuntime["routing"]["resolveAgentRoute"]>;

function routeOf({ conversation: { account, peer } }: Inbound, runtime: HostRuntime, cfg: OpenClawConfig): Route {
  return runtime.routing.resolveAgentRoute({ cfg, channel: CHANNEL, accountId: account, peer: { kind: "direct", id: peer } });
}

/**
 * Lets the host's agent answer. Returns when all of its replies are on disk;
 * `undefined` when the host has done nothing, since it knows the id.
 */
async function answer(run: Run, runtime: HostRuntime, cfg: OpenClawConfig, route: Route, id: string): Promise<TurnEnd | undefined> {
  const { inbound } = run;
  const { account, peer } = inbound.conversation;
  const text = words(inbound);
  const isCommand = runtime.commands.isControlCommandMessage(text, cfg);
  const ingress = await resolveIngress(runtime, cfg, { account, peer }, {
    contextBinding: { agentId: route.agentId, sessionKey: route.sessionKey, messageId: id, inboundEventKind: "user_request" },
    ...(isCommand ? { command: { allowTextCommands: true, hasControlCommand: true } } : {}),
  });
  // The rules may have changed since the message was admitted.
  if (ingress.ingress.admission !== "dispatch" && !ingress.senderAccess.allowed) {
    return { failed: { reason: `not admitted any more: ${ingress.ingress.reasonCode}` } };
  }
  const ctxPayload = runtime.inbound.buildContext({
    ...(await context(inbound, text, id)),
    route: { agentId: route.agentId, accountId: account, dmScope: route.dmScope, routeSessionKey: route.sessionKey, mainSessionKey: route.mainSessionKey },
    ...(isCommand ? { access: { commands: { authorized: ingress.commandAccess.authorized } } } : {}),
    channelIngress: ingress,
  });
  const settled = new Adoption();
  let hasBegun = false;
  const own = accountSection(cfg, account);
  const block = own.streaming?.block?.enabled;
  const showsTools = own.replyProgressMessages !== false;
  await runtime.inbound.dispatch({
    cfg,
    channel: CHANNEL,
    accountId: account,
    route: { agentId: route.agentId, dmScope: route.dmScope, sessionKey: route.sessionKey },
    ctxPayload,
    messageId: id,
    turnAdoptionLifecycle: settled.lifecycle,
    delivery: {
      observeMessageSent: true,
      deliver: async (payload) => {
        await run.say(replyClass(payload), contents(payload));
        return { visibleReplySent: true, messageIds: [`${inbound.turn}`] };
      },
      onError: (error, { kind }) => say("error", `[${account}] ${kind} reply: ${String(error)}`),
    },
    dispatcherOptions: { onReplyStart: () => run.signal("working") },
    replyOptions: {
      onAgentRunStart: () => {
        hasBegun = true;
      },
      onItemEvent: (event) => progress(run, event),
      // The use of tools is shown by this channel, whether the session is verbose or not.
      suppressDefaultToolProgressMessages: showsTools,
      ...(block === undefined ? {} : { disableBlockStreaming: !block }),
    },
    record: {
      updateLastRoute: {
        sessionKey: route.lastRoutePolicy === "main" ? route.mainSessionKey : route.sessionKey,
        channel: CHANNEL,
        to: peer,
        accountId: account,
      },
      onRecordError: (error) => say("warn", `[${account}] the session was not noted: ${String(error)}`),
    },
  });
  const wasDeferred = await settled.done();
  return hasBegun || wasDeferred || run.hasSpoken ? "answered" : undefined;
}

type ContextParams = Parameters<HostRuntime["inbound"]["buildContext"]>[0];

/** The message as the host wants it told. */
async function context(inbound: Inbound, text: string, id: string): Promise<Omit<ContextParams, "route">> {
  const { account, peer } = inbound.conversation;
  const { quote } = inbound;
  const media: MediaFact[] = await facts(inbound.attachments, inbound.message_id);
  const quoted = quote ? await facts(quote.attachments, quote.message_id ?? undefined) : [];
  const lost = [...problems(inbound.attachments), ...problems(quote?.attachments ?? [])];
  return {
    channel: CHANNEL,
    accountId: account,
    provider: CHANNEL,
    surface: CHANNEL,
    messageId: id,
    messageIdFull: id,
    timestamp: inbound.sent_at_ms,
    from: peer,
    sender: { id: peer },
    conversation: { kind: "direct", id: peer, routePeer: { kind: "direct", id: peer } },
    reply: { to: peer, originatingTo: peer, ...(quote?.message_id ? { replyToId: quote.message_id } : {}) },
    message: {
      inboundEventKind: "user_request",
      rawBody: text,
      body: text,
      bodyForAgent: [text, ...lost].filter((line) => line !== "").join("\n"),
      commandBody: text,
    },
    media: [...media, ...quoted],
    ...(quote
      ? {
          supplemental: {
            quote: {
              ...(quote.message_id === null ? {} : { id: quote.message_id }),
              ...(quote.text === "" ? {} : { body: quote.text }),
              ...(quote.author === null ? {} : { sender: quote.author === "us" ? "assistant" : peer }),
              senderAllowed: true,
              isQuote: true,
            },
          },
        }
      : {}),
    extra: { ChannelPromptContext: [`WeChat direct chat; account ${account}; the sender's id is ${peer}.`] },
  };
}

/** Follows a turn that the host has put behind another one of the same session. */
class Adoption {
  #isDeferred = false;
  #settle!: () => void;
  #settled = new Promise<void>((resolve) => {
    this.#settle = resolve;
  });

  readonly lifecycle: Lifecycle = {
    onAdopted: () => {},
    onDeferred: () => {
      this.#isDeferred = true;
      return true;
    },
    onAbandoned: () => this.#settle(),
    onSettled: () => this.#settle(),
  };

  /** Waits for its end; says whether it was put behind another one. */
  async done(): Promise<boolean> {
    if (this.#isDeferred) await this.#settled;
    return this.#isDeferred;
  }
}

function replyClass(payload: Payload): ReplyClass {
  return payload.isError ? "notice" : "answer";
}

/** What a payload says: its words, and each of its media. */
export function contents(payload: Pick<Payload, "text" | "mediaUrl" | "mediaUrls">): Content[] {
  const text = payload.text?.trim() ? payload.text : undefined;
  const media = payload.mediaUrls?.length ? payload.mediaUrls : payload.mediaUrl ? [payload.mediaUrl] : [];
  if (media.length === 0) return text === undefined ? [] : [{ text }];
  return media.map((named, n) => mediaContent(named, n === 0 ? text : undefined));
}

export function mediaContent(named: string, caption: string | undefined, asFile = false): Content {
  return { media: { source: { named }, kind: null, name: null, caption: caption ?? null, as_file: asFile } };
}

/** Tells of the begin and the end of tools. */
function progress(run: Run, { kind, phase, itemId, toolCallId, name, title, status }: ItemEvent): void {
  const call_id = toolCallId ?? itemId;
  if (kind !== "tool" || call_id === undefined) return;
  const tool = name ?? title ?? "tool";
  if (phase === "start") run.signal({ tool_started: { tool, call_id } });
  const outcome = status === "failed" || status === "blocked" ? status : "completed";
  if (phase === "end") run.signal({ tool_ended: { tool, call_id, outcome } });
}
