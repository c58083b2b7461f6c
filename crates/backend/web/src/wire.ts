// What travels between the page and the backend. Times are Unix milliseconds; 64-bit ids travel as strings.

export interface About {
  name: string;
  version: string;
  policy: "open" | "tencent";
  /** Existing users may be entered without a secret. */
  open_door: boolean;
  now: number;
}

export interface User {
  id: string;
  name: string;
  created_at: number;
}

export type Sender = "me" | "bot";

export interface LastLine {
  text: string;
  at: number;
  from: Sender;
}

export interface Contact {
  bot: string;
  name: string;
  online: boolean;
  unread: number;
  typing: boolean;
  /** The bot's login is no longer valid; it has to be connected again. */
  stale: boolean;
  last: LastLine | null;
}

export type MediaKind = "image" | "voice" | "file" | "video";

export interface TextItem {
  type: "text";
  text: string;
  /** Safe HTML of the text's markdown; only bots' texts have it. */
  html: string | null;
}

export interface ImageItem {
  type: "image";
  url: string;
  thumb_url: string | null;
  width: number | null;
  height: number | null;
  size: number;
}

export interface VoiceItem {
  type: "voice";
  url: string;
  duration_ms: number;
  /** What was said, if somebody transcribed it. */
  text: string | null;
  format: string;
}

export interface FileItem {
  type: "file";
  url: string;
  name: string;
  size: number;
}

export interface VideoItem {
  type: "video";
  url: string;
  thumb_url: string | null;
  duration_ms: number | null;
  width: number | null;
  height: number | null;
  size: number;
}

export interface ToolItem {
  type: "tool";
  tool: string;
  call_id: string;
  status: "running" | "completed" | "failed" | "blocked" | "unknown";
}

export interface UnsupportedItem {
  type: "unsupported";
  wire_type: number;
}

export type Item = TextItem | ImageItem | VoiceItem | FileItem | VideoItem | ToolItem | UnsupportedItem;

export interface Quote {
  message_id: string | null;
  from: Sender | null;
  text: string;
  kind: "text" | MediaKind;
}

export interface Message {
  id: string;
  bot: string;
  from: Sender;
  at: number;
  /** The id the page gave it before the backend knew it. */
  local_id: string | null;
  /** Only meaningful for messages from me: on the backend's disk, or acknowledged by the bot's client. */
  state: "sent" | "delivered";
  run_id: string | null;
  items: Item[];
  quote: Quote | null;
}

export interface MessagePage {
  /** Oldest first. */
  messages: Message[];
  more: boolean;
}

export interface Login {
  qrcode: string;
  status: "scanned" | "confirmed" | "expired" | "cancelled" | "verify";
  /** The digits to show, to be typed where the login was started. */
  verify_code: string | null;
  /** How many times wrong digits were typed there. */
  verify_wrong: number;
  bot: string | null;
  already_bound: boolean;
}

export interface Delivered {
  bot: string;
  up_to: string;
}

export interface Typing {
  bot: string;
  on: boolean;
}

export interface ErrorBody {
  error: { kind: string; message: string; hint?: string | null };
}
