// The official plugin and ours side by side: the same host, backend and model,
// one after the other. Prints a table for docs/benchmarks.md.
//
//   tests/openclaw/run.sh bench.mjs        with ECHOES, TURNS, BURST to change the counts

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { accountId, CHANNEL, childrenOf, until, World } from "./world.mjs";

const ECHOES = Number(process.env.ECHOES ?? 40);
const TURNS = Number(process.env.TURNS ?? 15);
const BURST = Number(process.env.BURST ?? 200);
const ACCOUNTS = 20;

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

/** Says something and returns how long it took until the phone had the answer, by the backend's clock. */
async function roundTrip(person, text, answer) {
  await person.says(text);
  await person.waitsFor(answer);
  const seen = await person.sees();
  const asked = seen.findLast((message) => message.from === "me").at;
  const told = seen.find((message) => message.from === "bot" && message.items.some((item) => item.text?.includes(answer))).at;
  return told - asked;
}

async function series(person, count, text, answer) {
  const took = [];
  for (let n = 0; n < count; n += 1) took.push(await roundTrip(person, text(n), answer(n)));
  return { p50: quantile(took, 0.5), p95: quantile(took, 0.95) };
}

/** Messages per second when all of them are said at once. */
async function burst(people, name) {
  const each = Math.ceil(BURST / people.length);
  const from = Date.now();
  await Promise.all(people.map(async (person) => {
    for (let n = 0; n < each; n += 1) await person.says(`/echo ${name}-${n}.`);
  }));
  await Promise.all(people.map((person) => until("all answers", async () => {
    const heard = (await person.hears()).join("\n");
    return Array.from({ length: each }, (_, n) => heard.includes(`${name}-${n}.`)).every(Boolean);
  }, 600_000)));
  return (each * people.length * 1_000) / (Date.now() - from);
}

async function measure(which) {
  const world = await World.make(which === "ours" ? {} : { tarball: null });
  const { openclaw, phones } = world;
  if (which !== "ours") {
    const tarball = execFileSync(join(import.meta.dirname, "official.sh"), [phones.url], { encoding: "utf8" }).trim();
    await openclaw.does("plugins", "install", tarball, "--force", "--accept-capabilities");
  }
  try {
    await openclaw.start();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const empty = rss(openclaw.gateway.pid);
    await openclaw.stop();
    const people = [];
    for (let n = 0; n < ACCOUNTS; n += 1) {
      const person = await phones.person(`p${n}`);
      await world.bind(person);
      people.push(person);
    }
    // Both find the CDN of a backend of one's own only if it is named.
    openclaw.change({ channels: { [CHANNEL]: { accounts: Object.fromEntries(people.map((person) => [accountId(person.bot), { cdnBaseUrl: `${phones.url}/c2c` }])) } } });
    await openclaw.start();
    const [first] = people;
    await roundTrip(first, "«warm»", "heard: warm");
    const echo = await series(first, ECHOES, (n) => `/echo e${n}.`, (n) => `e${n}.`);
    const turn = await series(first, TURNS, (n) => `«t${n}.»`, (n) => `heard: t${n}.`);
    const one = await burst([first], "one");
    const many = await burst(people, "many");
    const gateway = rss(openclaw.gateway.pid);
    const children = childrenOf(openclaw.gateway.pid).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("sidecar"));
    const sidecar = children.map(rss).reduce((sum, mb) => sum + mb, 0);
    const begun = Date.now();
    await openclaw.stop();
    return { echo, turn, one, many, empty, memory: gateway + sidecar - empty, sidecar, stop: Date.now() - begun };
  } finally {
    await world.end();
  }
}

const official = await measure("official");
const ours = await measure("ours");
const ms = (value) => `${Math.round(value)} ms`;
const rows = [
  ["`/echo`, p50 / p95", ({ echo }) => `${ms(echo.p50)} / ${ms(echo.p95)}`],
  ["a turn of the model, p50 / p95", ({ turn }) => `${ms(turn.p50)} / ${ms(turn.p95)}`],
  ["messages per second, 1 account", ({ one }) => one.toFixed(1)],
  [`messages per second, ${ACCOUNTS} accounts`, ({ many }) => many.toFixed(1)],
  ["memory added (of it the sidecar)", ({ memory, sidecar }) => `${memory.toFixed(0)} MB (${sidecar.toFixed(0)} MB)`],
  ["time to stop the gateway", ({ stop }) => ms(stop)],
];
console.log("| | official 2.4.9 | ours |\n|---|---|---|");
for (const [name, value] of rows) console.log(`| ${name} | ${value(official)} | ${value(ours)} |`);
