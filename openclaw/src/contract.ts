// The contract of docs/contract.md, as far as this side speaks it.

export const CHANNEL = "openclaw-weixin";

export type Conversation = { channel: string; account: string; peer: string };

export type Sender = { conversation: Conversation; turn: string; is_owner: boolean };

export type Verdict = "admit" | "refuse" | { challenge: { text: string } };

export type MediaKind = "image" | "voice" | "video" | "file";

export type Attachment = {
  kind: MediaKind;
  name: string;
  mime: string | null;
  path: string | null;
  problem: string | null;
  transcript: string | null;
};

export type Quote = {
  message_id: string | null;
  author: "peer" | "us" | null;
  text: string;
  attachments: Attachment[];
};

export type Inbound = {
  turn: string;
  conversation: Conversation;
  message_id: string;
  sent_at_ms: number;
  text: string;
  attachments: Attachment[];
  quote: Quote | null;
  lane: "conversation" | "aside";
  offers: number;
};

export type Source = { file: string } | { named: string };

export type Content =
  | { text: string }
  | {
      media: {
        source: Source;
        kind: MediaKind | null;
        name: string | null;
        caption: string | null;
        as_file: boolean;
      };
    };

export type ReplyClass = "answer" | "question" | "notice";

export type Reply = { number: number; class: ReplyClass; content: Content };

export type Signal =
  | "working"
  | { tool_started: { tool: string; call_id: string } }
  | { tool_ended: { tool: string; call_id: string; outcome: "completed" | "failed" | "blocked" } };

export type TurnEnd = "answered" | "stopped" | { failed: { reason: string } };

export type Outgoing = {
  target: { to: string; account: string | null };
  class: "notice" | "reminder" | "report";
  content: Content;
  key: string | null;
};

export type SendReport = { id: number; conversation: Conversation } & (
  | { state: "queued" | "sent" | "unconfirmed" }
  | { state: "parked"; code: string; until: string }
  | { state: "failed"; code: string; reason: string }
);

export type AccountStatus = {
  account: string;
  name: string | null;
  last_poll_at_ms: number | null;
  last_inbound_at_ms: number | null;
  last_outbound_at_ms: number | null;
  inbox: number;
  outbox: number;
  parked: number;
} & (
  | { state: "stopped" | "starting" | "polling" }
  | { state: "degraded" | "needs_login"; reason: string; since_ms: number }
);

export type Probe = { account: string; ok: boolean; detail: string; took_ms: number };

export type Alert = { account: string; code: string; text: string };

export type LoginRequest = {
  name?: string;
  base_url?: string;
  fresh?: boolean;
  language?: string;
};

export type LoginFailure = { code: string; sentence: string; hint: string; detail?: string };

export type LoginEvent =
  | { event: "qr"; text: string; url: string | null; expires_in_secs: number }
  | { event: "qr_ended"; blocked: boolean }
  | { event: "advice"; text: string }
  | { event: "scanned" }
  | { event: "redirected"; host: string }
  | { event: "confirmed"; account: string }
  | { event: "saved"; account: string; name: string | null }
  | { event: "already_connected" }
  | { event: "checking"; account: string; at_most_secs: number }
  | { event: "polling"; account: string; name: string | null }
  | ({ event: "failed" } & LoginFailure);

export type LoginDone = {
  account: string;
  name: string | null;
  already_connected: boolean;
  is_running: boolean;
};

export type LoggedOut = { account: string; cleared: boolean; announced: boolean };

/** What the host asks of the sidecar: parameters and result, by method. */
export type ChannelCalls = {
  hello: [{ contract: number[]; program: string; version: string; channel: string }, Hello];
  start: [Record<string, never>, null];
  reply: [{ turn: string; reply: Reply }, null];
  signal: [{ turn: string; signal: Signal }, null];
  finish: [{ turn: string; end: TurnEnd }, null];
  send: [{ outgoing: Outgoing }, SendReport];
  configure: [{ section: unknown }, string[]];
  status: [Record<string, never>, AccountStatus[]];
  probe: [Record<string, never>, Probe[]];
  login: [{ request: LoginRequest }, LoginDone];
  logout: [{ account: string }, LoggedOut];
  remove: [{ account: string }, { account: string }];
  stop: [{ grace_ms: number }, null];
};

export type Hello = { contract: number[]; program: string; version: string; channel: string };

/** What the sidecar asks of the host, or tells it. */
export type HostDesk = {
  admit(params: { sender: Sender }): Promise<Verdict>;
  receive(params: { inbound: Inbound }): Promise<null>;
  login_code(params: { login: number; wrong: boolean }): Promise<{ digits: string | null }>;
  changed(params: { status: AccountStatus }): void;
  alert(params: { alert: Alert }): void;
  login_event(params: { login: number; event: LoginEvent }): void;
};

/** An error as it travels; `kind` says which one it is. */
export class WireError extends Error {
  readonly code: number;
  readonly data: ({ kind: string } & Record<string, unknown>) | undefined;

  constructor(code: number, message: string, data?: { kind: string } & Record<string, unknown>) {
    super(message);
    this.name = "WireError";
    this.code = code;
    this.data = data;
  }

  get kind(): string | undefined {
    return this.data?.kind;
  }
}

/** The sidecar is not there, or went away with this unanswered. */
export class Gone extends Error {
  override readonly name = "Gone";
}

/** Says that the message stays with the sidecar, to be offered again. */
export const stopping = (): WireError =>
  new WireError(-32000, "the host is stopping", { kind: "stopping" });
