// How an account comes here and goes: in a terminal, and through the host's
// gateway for whoever shows the code there.

import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline/promises";

import type { ChannelPlugin } from "openclaw/plugin-sdk/core";

import type { Account } from "./accounts.js";
import { CHANNEL, type LoginDone, type LoginEvent, WireError } from "./contract.js";
import { sidecar } from "./gateway.js";
import { announceLogin } from "./host.js";
import { say } from "./log.js";

type Gateway = NonNullable<ChannelPlugin<Account>["gateway"]>;
type Auth = NonNullable<ChannelPlugin<Account>["auth"]>;
type Start = Parameters<NonNullable<Gateway["loginWithQrStart"]>>[0];
type Wait = Parameters<NonNullable<Gateway["loginWithQrWait"]>>[0];
type Waited = { connected: boolean; message: string; qrDataUrl?: string; accountId?: string };

/** Who shows a login to a person. */
type Face = { tell(event: LoginEvent): void; digits(wrong: boolean): Promise<string | null> };

/** The host takes no longer picture. */
const MAX_DATA_URL = 16_384;
const START_MS = 20_000;
const WAIT_MS = 60_000;

/** By the id of the request that runs. */
const faces = new Map<number, Face>();

// Functions by declaration: the gateway's file takes them while this one is still being loaded.
export function loginEvent({ login, event }: { login: number; event: LoginEvent }): void {
  faces.get(login)?.tell(event);
}

export async function loginCode({ login, wrong }: { login: number; wrong: boolean }): Promise<{ digits: string | null }> {
  return { digits: (await faces.get(login)?.digits(wrong)) ?? null };
}

async function logIn(face: Face, fresh: boolean, signal?: AbortSignal): Promise<LoginDone> {
  let id = 0;
  let announced = Promise.resolve();
  const told: Face = {
    ...face,
    tell(event) {
      // A gateway in another process starts the account by the settings, and the login waits for its first poll.
      if (event.event === "saved") announced = announceLogin(CHANNEL).catch((error: unknown) => say("warn", `the gateway was not told of the login: ${String(error)}`));
      face.tell(event);
    },
  };
  const language = Intl.DateTimeFormat().resolvedOptions().locale;
  try {
    return await sidecar.call("login", { request: { fresh, language } }, (started) => {
      id = started;
      faces.set(id, told);
    }, signal);
  } finally {
    faces.delete(id);
    // A command ends after this, and would take the settings back that are half written.
    await announced;
  }
}

/** What a failure says, with what to do about it. */
function explained(error: unknown): string {
  const hint = error instanceof WireError ? error.data?.["hint"] : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return typeof hint === "string" ? `${message} ${hint}` : message;
}

/** Logs in from a terminal. */
export const terminalLogin: NonNullable<Auth["login"]> = async ({ runtime }) => {
  const { renderQrTerminal } = await import("openclaw/plugin-sdk/media-runtime");
  const show = (text: string) => runtime.log(text);
  let shown = Promise.resolve();
  const face: Face = {
    tell(event) {
      shown = shown.then(() => tellTerminal(event, show, renderQrTerminal)).catch(() => {});
    },
    async digits(wrong) {
      if (!process.stdin.isTTY) return process.env["HONGYAN_VERIFY_CODE"] ?? null;
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      const question = wrong ? "那些数字不对，请再输入手机上显示的数字 / Wrong digits, again: " : "请输入手机上显示的数字 / Digits shown on the phone: ";
      return await lines.question(question).finally(() => lines.close());
    },
  };
  try {
    const done = await logIn(face, false);
    await shown;
    show(done.already_connected ? `已连接过 / Already connected: ${done.account}` : `已连接到微信 / Connected: ${done.account}`);
  } catch (error) {
    await shown;
    throw new Error(explained(error), { cause: error });
  }
};

async function tellTerminal(event: LoginEvent, show: (text: string) => void, draw: (text: string, opts: { small: boolean }) => Promise<string>): Promise<void> {
  switch (event.event) {
    case "qr":
      show("\n用手机微信扫描二维码 / Scan with WeChat:\n");
      show(await draw(event.text, { small: true }));
      show(event.url ?? event.text);
      return;
    case "qr_ended":
      show(event.blocked ? "输错次数太多，换一个二维码 / Too many wrong digits; here is another code." : "二维码已过期，换一个 / The code has expired; here is another.");
      return;
    case "scanned":
      show("已扫描，请在手机上确认 / Scanned; confirm on the phone.");
      return;
    case "advice":
      show(event.text);
      return;
    case "checking":
    case "redirected":
    case "confirmed":
    case "saved":
    case "already_connected":
    case "polling":
    case "failed":
      return;
  }
}

/** A login that the gateway runs for somebody who asks for it by steps. */
class Session {
  readonly key = randomUUID();
  readonly #stop = new AbortController();
  #before = false;
  code: { text: string; url: string | null } | undefined;
  over: Waited | undefined;
  /** What takes the digits that the phone shows, while they are asked for. */
  asked: { wrong: boolean; take: (digits: string | null) => void } | undefined;
  #changed!: () => void;
  change = new Promise<void>((resolve) => {
    this.#changed = resolve;
  });

  constructor(fresh: boolean) {
    const face: Face = {
      tell: (event) => {
        if (event.event === "qr") this.#news(() => (this.code = { text: event.text, url: event.url }));
        if (event.event === "qr" || event.event === "qr_ended") this.asked = undefined;
        if (event.event === "already_connected") this.#before = true;
        // The host starts accounts again only when it hears that this is over: nobody polls yet.
        if (event.event === "checking") this.#end(connected(event.account, this.#before));
      },
      digits: (wrong) => new Promise((take) => this.#news(() => (this.asked = { wrong, take }))),
    };
    logIn(face, fresh, this.#stop.signal).then(
      (done) => this.#end(connected(done.account, done.already_connected)),
      (error: unknown) => this.#end({ connected: false, message: explained(error) }),
    );
  }

  answer(digits: string): void {
    this.asked?.take(digits);
    this.asked = undefined;
  }

  giveUp(): void {
    this.asked?.take(null);
    this.#stop.abort();
  }

  #end(over: Waited): void {
    if (!this.over) this.#news(() => (this.over = over));
  }

  #news(note: () => void): void {
    note();
    const changed = this.#changed;
    this.change = new Promise<void>((resolve) => {
      this.#changed = resolve;
    });
    changed();
  }
}

const connected = (accountId: string, before: boolean): Waited => ({
  connected: true,
  message: before ? `已连接过 / already connected: ${accountId}` : `已连接 / connected: ${accountId}`,
  accountId,
});

let session: Session | undefined;

export async function loginWithQrStart({ force, timeoutMs }: Start): Promise<{ qrDataUrl?: string; message: string; connected?: boolean; sessionKey?: string }> {
  session?.giveUp();
  const mine = new Session(force === true);
  session = mine;
  const until = Date.now() + (timeoutMs ?? START_MS);
  while (!mine.code && !mine.over && Date.now() < until) await soon(mine.change, until);
  if (mine.over) return mine.over;
  if (!mine.code) return { message: "还没有拿到二维码 / no code yet; try again" };
  const qrDataUrl = await picture(mine.code.text);
  const message = `用手机微信扫描，或在手机上打开 / Scan with WeChat, or open on the phone: ${mine.code.url ?? mine.code.text}`;
  return { message, sessionKey: mine.key, ...(qrDataUrl === undefined ? {} : { qrDataUrl }) };
}

/** Waits for what happens next. The digits that a phone shows come in the session's key, as `KEY:DIGITS`: the host takes no other word. */
export async function loginWithQrWait({ timeoutMs, sessionKey, currentQrDataUrl }: Wait): Promise<Waited> {
  const mine = session;
  if (!mine) return { connected: false, message: "没有进行中的登录 / no login runs; start one" };
  const [key, digits] = (sessionKey ?? "").split(":");
  if (key === mine.key && digits) mine.answer(digits);
  const until = Date.now() + (timeoutMs ?? WAIT_MS);
  for (;;) {
    if (mine.over) {
      if (session === mine) session = undefined;
      return mine.over;
    }
    if (mine.asked) {
      const again = mine.asked.wrong ? "数字不对 / wrong digits. " : "";
      return { connected: false, message: `${again}手机上显示了数字，请带着它们再等一次 / The phone shows digits; wait again with sessionKey ${mine.key}:DIGITS` };
    }
    const now = mine.code && (await picture(mine.code.text));
    if (now !== undefined && currentQrDataUrl !== undefined && now !== currentQrDataUrl) {
      return { connected: false, message: "二维码已更新 / here is a new code", qrDataUrl: now };
    }
    if (Date.now() >= until) return { connected: false, message: "还在等待扫描 / still waiting for the scan" };
    await soon(mine.change, until);
  }
}

/** Forgets a credential. What was said stays, and a later login goes on with it. */
export const logoutAccount: NonNullable<Gateway["logoutAccount"]> = async ({ accountId }) => {
  const { cleared } = await sidecar.call("logout", { account: accountId });
  return { cleared, loggedOut: true };
};

async function picture(text: string): Promise<string | undefined> {
  const { renderQrPngDataUrl } = await import("openclaw/plugin-sdk/media-runtime");
  const url = await renderQrPngDataUrl(text);
  return url.startsWith("data:image/png;base64,") && url.length <= MAX_DATA_URL ? url : undefined;
}

async function soon(change: Promise<void>, until: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, until - Date.now()));
  });
  await Promise.race([change, late]).finally(() => clearTimeout(timer));
}
