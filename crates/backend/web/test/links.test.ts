import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRoute, routePath, splitLinks } from "../src/links.ts";

test("the page's addresses", () => {
  assert.deepEqual(parseRoute("/phone/", ""), { user: null, bot: null, qrcode: null });
  assert.deepEqual(parseRoute("/q/a%2Db_9", ""), { user: null, bot: null, qrcode: "a-b_9" });
  const path = routePath("ab@im.wechat", "cd@im.bot");
  assert.equal(path, "/phone/?user=ab@im.wechat&bot=cd@im.bot");
  assert.deepEqual(parseRoute("/phone/", path.slice(path.indexOf("?"))), {
    user: "ab@im.wechat",
    bot: "cd@im.bot",
    qrcode: null,
  });
});

test("links in texts end before the sentence does", () => {
  assert.deepEqual(splitLinks("看 https://a.example/x?y=1。好"), [
    { text: "看 ", link: false },
    { text: "https://a.example/x?y=1", link: true },
    { text: "。好", link: false },
  ]);
  assert.deepEqual(splitLinks("(http://b.example/)."), [
    { text: "(", link: false },
    { text: "http://b.example/", link: true },
    { text: ").", link: false },
  ]);
  assert.deepEqual(splitLinks("none"), [{ text: "none", link: false }]);
});
