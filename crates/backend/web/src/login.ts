// Connecting a bot: a QR code was scanned, the person confirms, and perhaps digits have to be typed elsewhere.

import { signal } from "@preact/signals";
import * as api from "./api.ts";
import { reasonOf } from "./sending.ts";
import { requireMe } from "./store.ts";
import type { Login } from "./wire.ts";

export interface LoginSheet {
  /** null until the backend has answered the scan. */
  login: Login | null;
  /** A call is under way. */
  busy: boolean;
  problem: string | null;
}

/** The sheet on the screen, or null. */
export const loginSheet = signal<LoginSheet | null>(null);

/** `link` is what the QR code holds, or the bare code: the backend knows how to read it. */
export function startLogin(link: string): void {
  loginSheet.value = { login: null, busy: true, problem: null };
  void run(() => api.scan(requireMe().id, link));
}

export function confirm(): void {
  const qrcode = loginSheet.value?.login?.qrcode;
  if (qrcode !== undefined) void run(() => api.confirmLogin(requireMe().id, qrcode));
}

/** Closes the sheet; a login that was still open is called off. */
export function closeLogin(): void {
  const login = loginSheet.value?.login;
  loginSheet.value = null;
  if (login?.status === "scanned" || login?.status === "verify") {
    // The code runs out by itself if this call gets lost.
    api.cancelLogin(requireMe().id, login.qrcode).catch(() => undefined);
  }
}

export function onLoginEvent(login: Login): void {
  const sheet = loginSheet.value;
  if (sheet?.login?.qrcode === login.qrcode) loginSheet.value = { ...sheet, login, problem: null };
}

/** After missed events. */
export async function refreshLogin(): Promise<void> {
  const qrcode = loginSheet.value?.login?.qrcode;
  if (qrcode !== undefined) onLoginEvent(await api.getLogin(requireMe().id, qrcode));
}

async function run(call: () => Promise<Login>): Promise<void> {
  const before = loginSheet.value?.login ?? null;
  loginSheet.value = { login: before, busy: true, problem: null };
  try {
    finish(await call(), null);
  } catch (error) {
    finish(loginSheet.value?.login ?? null, reasonOf(error));
  }
}

/** Does nothing if the person has closed the sheet meanwhile. */
function finish(login: Login | null, problem: string | null): void {
  const sheet = loginSheet.value;
  if (sheet === null) return;
  // An event may have overtaken the answer of the call.
  const decided = sheet.login !== null && sheet.login.status !== "scanned" && login?.status === "scanned";
  loginSheet.value = { login: decided ? sheet.login : login, busy: false, problem };
}
