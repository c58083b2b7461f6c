// The calls of the phone API. Every failure is an ApiError, whatever went wrong.

import type { About, Contact, ErrorBody, Login, MediaKind, Message, MessagePage, User } from "./wire.ts";

const BASE = "/phone/api";

/** State-changing calls carry it, so that a foreign page can't make them in the person's name. */
const PHONE_HEADER = { "X-Phone": "1" } as const;

export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The HTTP status, or 0 if there was no answer at all. */
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly hint: string | null = null,
  ) {
    super(message);
  }
}

/** The person isn't let in as this user (any more). */
export function isDenied(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}

export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/**
 * One path segment. "@" stays as it is: it is allowed there, and the session cookie's path, which is compared
 * byte by byte, has it unescaped.
 */
function segment(value: string): string {
  return encodeURIComponent(value).replaceAll("%40", "@");
}

function userPath(user: string): string {
  return `${BASE}/u/${segment(user)}`;
}

function chatPath(user: string, bot: string): string {
  return `${userPath(user)}/chats/${segment(bot)}`;
}

function loginPath(user: string, qrcode: string): string {
  return `${userPath(user)}/logins/${segment(qrcode)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== "object" || body === null || !("error" in body)) return false;
  const { error } = body;
  return typeof error === "object" && error !== null && "message" in error && typeof error.message === "string";
}

function errorFrom(status: number, text: string): ApiError {
  const body = parseJson(text);
  if (isErrorBody(body)) return new ApiError(status, body.error.kind, body.error.message, body.error.hint ?? null);
  return new ApiError(status, "http", `HTTP ${status}`);
}

async function call<Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
  const headers: Record<string, string> = method === "POST" ? { ...PHONE_HEADER } : {};
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch (cause) {
    throw new ApiError(0, "network", cause instanceof Error ? cause.message : String(cause));
  }
  if (!response.ok) throw errorFrom(response.status, text);
  return parseJson(text) as Answer;
}

export const getAbout = () => call<About>("GET", `${BASE}/about`);
export const listUsers = () => call<User[]>("GET", `${BASE}/users`);
export const createUser = (name: string) => call<User>("POST", `${BASE}/users`, { name });
export const enterUser = (user: string) => call<User>("POST", `${userPath(user)}/enter`);
export const getMe = (user: string) => call<User>("GET", `${userPath(user)}/me`);
export const listContacts = (user: string) => call<Contact[]>("GET", `${userPath(user)}/contacts`);

export function listMessages(user: string, bot: string, before: string | null, limit: number): Promise<MessagePage> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (before !== null) query.set("before", before);
  return call("GET", `${chatPath(user, bot)}/messages?${query}`);
}

export interface TextToSend {
  text: string;
  local_id: string;
  /** `text` = only that part of the quoted text was selected. */
  quote?: { message_id: string; text?: string };
}

export const sendText = (user: string, bot: string, message: TextToSend) =>
  call<Message>("POST", `${chatPath(user, bot)}/messages`, message);

export const markRead = (user: string, bot: string) => call<null>("POST", `${chatPath(user, bot)}/read`);

export const scan = (user: string, link: string) => call<Login>("POST", `${userPath(user)}/scan`, { link });
export const getLogin = (user: string, qrcode: string) => call<Login>("GET", loginPath(user, qrcode));
export const confirmLogin = (user: string, qrcode: string) =>
  call<Login>("POST", `${loginPath(user, qrcode)}/confirm`);
export const cancelLogin = (user: string, qrcode: string) => call<Login>("POST", `${loginPath(user, qrcode)}/cancel`);

export const eventsUrl = (user: string) => `${userPath(user)}/events`;

/** The same media, as a download. */
export function downloadUrl(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}download=1`;
}

export interface MediaToSend {
  kind: MediaKind;
  body: Blob;
  name: string;
  local_id: string;
  quote: string | null;
  width: number | null;
  height: number | null;
  duration_ms: number | null;
}

/** Uploads with XMLHttpRequest, because fetch does not tell how far an upload is. */
export function sendMedia(
  user: string,
  bot: string,
  media: MediaToSend,
  onProgress: (fraction: number) => void,
): Promise<Message> {
  const query = new URLSearchParams({ kind: media.kind, name: media.name, local_id: media.local_id });
  for (const key of ["quote", "width", "height", "duration_ms"] as const) {
    const value = media[key];
    if (value !== null) query.set(key, String(value));
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${chatPath(user, bot)}/media?${query}`);
    for (const [name, value] of Object.entries(PHONE_HEADER)) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", media.body.type || "application/octet-stream");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(parseJson(request.responseText) as Message);
      else reject(errorFrom(request.status, request.responseText));
    };
    request.onerror = () => reject(new ApiError(0, "network", "the upload broke off"));
    request.send(media.body);
  });
}
