import assert from "node:assert/strict";
import { test } from "node:test";
import { bubblesOf } from "../src/bubbles.ts";
import { EMPTY_CHAT, withMessage } from "../src/chat.ts";
import type { Outgoing } from "../src/outbox.ts";
import { quotingOf } from "../src/quoting.ts";
import type { Message } from "../src/wire.ts";

const MINUTE = 60_000;
const NOON = new Date(2026, 2, 1, 12).getTime();

function message(id: string, at: number, change: Partial<Message> = {}): Message {
  return {
    id,
    bot: "b@im.bot",
    from: "bot",
    at,
    local_id: null,
    state: "sent",
    run_id: null,
    items: [{ type: "text", text: "hello there", html: "<p>hello there</p>" }],
    quote: null,
    ...change,
  };
}

function outgoing(localId: string, at: number): Outgoing {
  return {
    localId,
    bot: "b@im.bot",
    at,
    state: "pending",
    reason: null,
    progress: null,
    items: [],
    quote: null,
    quotePart: null,
    media: null,
  };
}

test("messages on their way come last, until the backend's own has come", () => {
  const chat = withMessage(EMPTY_CHAT, message("1", NOON, { from: "me", local_id: "a" }));
  const bubbles = bubblesOf(chat, [outgoing("a", NOON), outgoing("b", NOON)]);
  assert.deepEqual(bubbles.map(({ key, tick }) => [key, tick]), [["a", "sent"], ["b", "pending"]]);
});

test("the time is written after a pause and on a new day", () => {
  const times = [NOON, NOON + MINUTE, NOON + 20 * MINUTE, NOON + 12 * 60 * MINUTE];
  const chat = times.reduce((sum, at, i) => withMessage(sum, message(String(i + 1), at)), EMPTY_CHAT);
  assert.deepEqual(bubblesOf(chat, []).map(({ separated }) => separated), [true, false, true, true]);
});

test("only the first of several in a row leads", () => {
  const senders = ["bot", "bot", "me", "bot"] as const;
  const chat = senders.reduce((sum, from, i) => withMessage(sum, message(String(i + 1), NOON, { from })), EMPTY_CHAT);
  assert.deepEqual(bubblesOf(chat, []).map(({ leads }) => leads), [true, false, true, true]);
});

test("a selected part is quoted as such, the whole text is not a part", () => {
  const [bubble] = bubblesOf(withMessage(EMPTY_CHAT, message("1", NOON)), []);
  assert.ok(bubble);
  assert.equal(quotingOf(bubble, "there")?.part, "there");
  assert.equal(quotingOf(bubble, "there")?.quote.text, "there");
  assert.equal(quotingOf(bubble, "hello there")?.part, null);
});

test("a tool call is one row, from its beginning to its end", () => {
  const tool = (status: "running" | "completed" | "failed") => ({
    items: [{ type: "tool" as const, tool: "grep", call_id: "1", status }],
  });
  const messages = [
    message("1", NOON, tool("running")),
    message("2", NOON),
    message("3", NOON, tool("completed")),
    message("4", NOON, tool("failed")),
  ];
  const bubbles = bubblesOf(messages.reduce(withMessage, EMPTY_CHAT), []);
  assert.deepEqual(bubbles.map(({ id }) => id), ["1", "2", "4"]);
  assert.deepEqual(bubbles.map(({ items: [item] }) => item?.type === "tool" && item.status), ["completed", false, "failed"]);
  assert.equal(messages[0]?.items[0]?.type === "tool" && messages[0].items[0].status, "running");
});

test("what the backend does not know yet, and tool progress, can't be quoted", () => {
  const [pending] = bubblesOf(EMPTY_CHAT, [outgoing("a", NOON)]);
  const items: Message["items"] = [{ type: "tool", tool: "grep", call_id: "1", status: "running" }];
  const [tool] = bubblesOf(withMessage(EMPTY_CHAT, message("1", NOON, { items })), []);
  assert.ok(pending && tool);
  assert.equal(quotingOf(pending, null), null);
  assert.equal(quotingOf(tool, null), null);
});
