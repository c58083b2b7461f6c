import assert from "node:assert/strict";
import { test } from "node:test";
import { initialOf } from "../src/avatar.ts";
import { daysBetween, extension, humanSize, longTime, minutes, seconds, shortTime, withoutMarks } from "../src/format.ts";

const at = (...parts: [number, number, number, number, number]) => new Date(...parts).getTime();
const now = at(2026, 10, 21, 15, 0);

test("sizes", () => {
  assert.equal(humanSize(0), "0 B");
  assert.equal(humanSize(1023), "1023 B");
  assert.equal(humanSize(1536), "1.5 KB");
  assert.equal(humanSize(200 * 1024 * 1024), "200 MB");
});

test("durations", () => {
  assert.equal(minutes(83_000), "1:23");
  assert.equal(minutes(-5), "0:00");
  assert.equal(seconds(200), "1″");
  assert.equal(seconds(3400), "3″");
});

test("days are those of the calendar", () => {
  assert.equal(daysBetween(at(2026, 10, 20, 23, 59), at(2026, 10, 21, 0, 1)), 1);
  assert.equal(daysBetween(at(2026, 10, 21, 0, 1), at(2026, 10, 21, 23, 59)), 0);
});

test("times in lists and between messages", () => {
  assert.equal(shortTime(at(2026, 10, 21, 9, 5), now, "en", "Yesterday"), "09:05");
  assert.equal(shortTime(at(2026, 10, 20, 9, 5), now, "en", "Yesterday"), "Yesterday");
  assert.equal(shortTime(at(2026, 10, 18, 9, 5), now, "zh", "昨天"), "星期三");
  assert.equal(shortTime(at(2026, 0, 2, 9, 5), now, "zh", "昨天"), "1月2日");
  assert.equal(longTime(at(2025, 0, 2, 9, 5), now, "zh", "昨天"), "2025年1月2日 09:05");
  assert.equal(longTime(at(2026, 10, 20, 9, 5), now, "zh", "昨天"), "昨天 09:05");
});

test("file name endings", () => {
  assert.equal(extension("report.pdf"), "PDF");
  assert.equal(extension(".bashrc"), "");
  assert.equal(extension("Makefile"), "");
  assert.equal(extension("a.verylongending"), "");
});

test("an initial is what people count as one character", () => {
  assert.equal(initialOf("ada"), "A");
  assert.equal(initialOf("👩‍🚀 Sally"), "👩‍🚀");
  assert.equal(initialOf("  "), "?");
});

test("markdown becomes one line of bare words", () => {
  const markdown = "## Title\n\n- **bold** and `code`\n> quoted\n1. first";
  assert.equal(withoutMarks(markdown), "Title bold and code quoted first");
  assert.equal(withoutMarks("2 * 3 - 1 = 5"), "2 * 3 - 1 = 5");
});
