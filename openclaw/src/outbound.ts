// What is said outside a turn: scheduled messages, the message tool, the command
// line. It is on the sidecar's disk when a send returns.

import type { ChannelPlugin } from "openclaw/plugin-sdk/core";

import { bareId } from "./setup.js";
import { CHANNEL, type Content, type SendReport, WireError } from "./contract.js";
import { sidecar } from "./gateway.js";
import { say } from "./log.js";
import { noteTold } from "./resumed.js";
import { contents, mediaContent } from "./turns.js";

type Outbound = NonNullable<ChannelPlugin["outbound"]>;
type Context = Parameters<NonNullable<Outbound["sendText"]>>[0];
type Result = Awaited<ReturnType<NonNullable<Outbound["sendText"]>>>;

export const outbound: Outbound = {
  // The gateway has the sidecar; the command line goes through it.
  deliveryMode: "gateway",
  textChunkLimit: 4_000,
  chunkerMode: "markdown",
  // The sidecar lays texts out itself; what it cannot send in one message it parts or sends as a file.
  chunker: (text) => [text],
  deliveryCapabilities: { durableFinal: { text: true, media: true, messageSendingHooks: true } },
  resolveTarget({ to }) {
    const id = bareId(to ?? "");
    if (id !== "") return { ok: true, to: id };
    return { ok: false, error: new Error(`${CHANNEL} needs a target: a WeChat id such as x@im.wechat, or a name given with hongyan peers name`) };
  },
  sendText: (ctx) => send(ctx, contents({ text: ctx.text })),
  sendMedia: (ctx) =>
    send(ctx, ctx.mediaUrl ? [mediaContent(ctx.mediaUrl, ctx.text || undefined, ctx.forceDocument)] : contents({ text: ctx.text })),
};

async function send(ctx: Context, said: Content[]): Promise<Result> {
  const target = { to: bareId(ctx.to), account: ctx.accountId ?? null };
  let last: SendReport | undefined;
  for (const [n, content] of said.entries()) {
    ctx.signal?.throwIfAborted();
    const key = ctx.deliveryQueueId === undefined ? null : `${ctx.deliveryQueueId}/${ctx.deliveryPartIndex ?? 0}/${n}`;
    last = await store({ target, class: "reminder", content, key });
  }
  noteTold(bareId(ctx.to));
  return { channel: CHANNEL as Result["channel"], messageId: last ? String(last.id) : "" };
}

const APPROVED = "✅ OpenClaw access approved. Send a message to start chatting.";

/** Tells somebody that they are admitted now; once, whoever notices it first. */
export async function tellApproved(id: string, account: string | undefined): Promise<void> {
  const day = new Date().toISOString().slice(0, 10);
  await store({ target: { to: id, account: account ?? null }, class: "notice", content: { text: APPROVED }, key: `approved/${day}` });
}

async function store(outgoing: { target: { to: string; account: string | null }; class: "notice" | "reminder"; content: Content; key: string | null }): Promise<SendReport> {
  let report: SendReport;
  try {
    report = await sidecar.call("send", { outgoing });
  } catch (error) {
    throw await refusal(error);
  }
  if (report.state === "failed") throw await refusal(new Error(`${report.reason} (${report.code})`));
  if (report.state === "parked") say("info", `message ${report.id} waits until ${report.until} (${report.code})`);
  return report;
}

/** Nothing has left: the host may say so, and need not try again what can never be sent. */
async function refusal(error: unknown): Promise<Error> {
  const { PlatformMessageNotDispatchedError } = await import("openclaw/plugin-sdk/error-runtime");
  const message = error instanceof Error ? error.message : String(error);
  const retryable = !(error instanceof WireError) || error.kind === "storage" || error.kind === "stopped";
  return new PlatformMessageNotDispatchedError(message, { cause: error, retryable });
}
