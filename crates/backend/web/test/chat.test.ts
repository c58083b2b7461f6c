import assert from "node:assert/strict";
import { test } from "node:test";
import { compareIds, EMPTY_CHAT, withDelivered, withMessage, withNewestPage, withOlderPage, type Chat } from "../src/chat.ts";
import type { Message } from "../src/wire.ts";

function message(id: string, change: Partial<Message> = {}): Message {
  return {
    id,
    bot: "b@im.bot",
    from: "me",
    at: 0,
    local_id: null,
    state: "sent",
    run_id: null,
    items: [{ type: "text", text: id, html: null }],
    quote: null,
    ...change,
  };
}

const ids = (chat: Chat) => chat.messages.map(({ id }) => id);
const states = (chat: Chat) => chat.messages.map(({ state }) => state);
const page = (more: boolean, ...pageIds: string[]) => ({ messages: pageIds.map((id) => message(id)), more });

test("ids are compared as numbers, beyond what a number holds", () => {
  assert.ok(compareIds("9", "10") < 0);
  assert.ok(compareIds("18446744073709551615", "18446744073709551614") > 0);
  assert.equal(compareIds("7", "7"), 0);
});

test("a message with a known id replaces the known one", () => {
  const chat = withMessage(withMessage(EMPTY_CHAT, message("10")), message("9"));
  const changed = withMessage(chat, message("9", { items: [] }));
  assert.deepEqual(ids(changed), ["9", "10"]);
  assert.deepEqual(changed.messages[0]?.items, []);
});

test("an answer that an event has overtaken does not take a tick away", () => {
  const delivered = withMessage(EMPTY_CHAT, message("1", { state: "delivered" }));
  assert.deepEqual(states(withMessage(delivered, message("1"))), ["delivered"]);
});

test("what is delivered stays so for messages that come later but have smaller ids", () => {
  const chat = withDelivered(withMessage(EMPTY_CHAT, message("1")), "2");
  assert.deepEqual(states(withMessage(withMessage(chat, message("2")), message("3"))), ["delivered", "delivered", "sent"]);
});

test("delivery says nothing about the bot's messages", () => {
  const chat = withDelivered(withMessage(EMPTY_CHAT, message("1", { from: "bot" })), "1");
  assert.deepEqual(states(chat), ["sent"]);
});

test("the first page keeps messages that came while it was fetched", () => {
  const chat = withNewestPage(withMessage(EMPTY_CHAT, message("9")), page(true, "7", "8"));
  assert.deepEqual(ids(chat), ["7", "8", "9"]);
  assert.equal(chat.more, true);
  assert.equal(chat.loaded, true);
});

test("after a gap, only the newest page is kept", () => {
  const old = withNewestPage(EMPTY_CHAT, page(false, "1", "2"));
  const chat = withNewestPage(old, page(true, "8", "9"));
  assert.deepEqual(ids(chat), ["8", "9"]);
  assert.equal(chat.more, true);
});

test("without a gap, what was read further up is kept", () => {
  const old = withOlderPage(withNewestPage(EMPTY_CHAT, page(true, "5", "6")), page(false, "3", "4"));
  const chat = withNewestPage(old, page(true, "6", "7"));
  assert.deepEqual(ids(chat), ["3", "4", "5", "6", "7"]);
  assert.equal(chat.more, false);
});
