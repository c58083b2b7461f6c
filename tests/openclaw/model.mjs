// A model that does what it is told between «» in what the user said last:
//
//   «hello»            says `heard: hello`, for each of them
//   «slow 20000 hello» the same, after so many milliseconds
//   «long 9000»        a long answer of so many characters
//   «parts 5000»       a long paragraph, and after so many milliseconds a short one
//   «media /a /b»      sends files
//   «tool NAME {…}»    calls a tool, with ‹› in it turned into «», then says `tool done`
//   «prompt»           says what it was asked, with the host's words around it
//   «images»           says how many pictures it was given

import { createServer } from "node:http";

export async function startModel(port = 0) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.method !== "POST") return response.end(JSON.stringify({ data: [{ id: "toy" }] }));
    const asked = JSON.parse(body);
    requests.push(asked);
    try {
      await answer(asked, response);
    } catch {
      response.destroy();
    }
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const words = (content) => (typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n"));

async function answer({ messages, stream, tools = [] }, response) {
  const at = messages.findLastIndex((message) => message.role === "user" && /«/.test(words(message.content)));
  const user = words(messages[at]?.content);
  const orders = [...new Set([...user.matchAll(/«([^»]*)»/g)].map((match) => match[1]))];
  const order = orders.at(-1) ?? "nothing";
  const after = messages.slice(at + 1);
  const [word, ...rest] = order.split(" ");
  const argument = rest.join(" ");
  const reply = (content, wait, more) => send(response, stream, { content }, wait, more);
  switch (word) {
    case "long":
      return reply(long(Number(argument)));
    case "parts":
      return reply(long(1_500), Number(argument), "\n\nthe very end");
    case "media":
      return reply(["here it is", ...rest.map((file) => `MEDIA:${file}`)].join("\n"));
    case "images": {
      const parts = messages.flatMap((message) => (Array.isArray(message.content) ? message.content : []));
      return reply(`images: ${parts.filter((part) => part.type === "image_url").length}`);
    }
    case "prompt":
      return reply(`prompt: ${messages.slice(at).map((message) => words(message.content)).join(" ").replaceAll(/«prompt»|[<>[\]]|\s+/g, " ").slice(0, 3_000)}`);
    case "tool": {
      if (after.some((message) => message.role === "tool")) return reply(`tool done: ${words(after.findLast((message) => message.role === "tool").content).slice(0, 60)}`);
      const [name, ...json] = rest;
      if (!tools.some((tool) => tool.function?.name === name)) return reply(`no tool ${name}: ${tools.map((tool) => tool.function?.name).join(" ")}`);
      return send(response, stream, { tool_calls: [{ index: 0, id: `call_${Date.now()}`, type: "function", function: { name, arguments: json.join(" ").replaceAll("‹", "«").replaceAll("›", "»") } }] });
    }
    default: {
      const slow = orders.map((one) => /^slow (\d+) (.*)$/s.exec(one));
      const wait = Math.max(0, ...slow.map((found) => Number(found?.[1] ?? 0)));
      await new Promise((resolve) => setTimeout(resolve, wait));
      return reply(orders.map((one, n) => `heard: ${slow[n]?.[2] ?? one}`).join("\n"));
    }
  }
}

function long(length) {
  let text = "";
  for (let n = 1; text.length < length; n += 1) text += `## Part ${n}\n\nThis is paragraph number ${n} of a long answer. It says nothing, at some length.\n\n`;
  return `${text}the end`;
}

async function send(response, stream, message, wait, more) {
  const finish_reason = message.tool_calls ? "tool_calls" : "stop";
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  if (!stream) {
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify({ id: "1", object: "chat.completion", model: "toy", choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }], usage }));
  }
  response.setHeader("content-type", "text/event-stream");
  const chunk = (delta, finish) => response.write(`data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", model: "toy", choices: [{ index: 0, delta, finish_reason: finish }], usage })}\n\n`);
  // As models do: a few words at a time.
  const pieces = message.content?.match(/.{1,40}/gs) ?? [];
  chunk({ role: "assistant", ...message, ...(pieces.length > 0 ? { content: "" } : {}) }, null);
  for (const content of pieces) chunk({ content }, null);
  if (more !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    chunk({ content: more }, null);
  }
  chunk({}, finish_reason);
  return response.end("data: [DONE]\n\n");
}
