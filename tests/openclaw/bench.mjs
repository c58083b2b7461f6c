// The official plugin and ours side by side: two hosts that are alike, each with
// a backend and a model of its own, which take turns at everything, so that what
// else the machine does falls on both. Prints a table for docs/benchmarks.md.
//
//   tests/openclaw/run.sh bench.mjs        with ECHOES, TURNS, BURST, ROUNDS to change the counts

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { accountId, CHANNEL, childrenOf, until, World } from "./world.mjs";

const ECHOES = Number(process.env.ECHOES ?? 40);
const TURNS = Number(process.env.TURNS ?? 20);
const BURST = Number(process.env.BURST ?? 200);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const ACCOUNTS = 20;
/** How long a host is left alone before its memory is read, in ms. */
const REST = 10_000;

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
const rest = () => new Promise((resolve) => setTimeout(resolve, REST));
const texts = (message) => message.items.map((item) => item.text ?? "").join("\n");

/** Says something and returns how long it took until the phone had the answer, by the backend's clock. */
async function roundTrip(person, text, answer) {
  await person.says(text);
  await person.waitsFor(answer);
  const seen = await person.sees();
  const asked = seen.findLast((message) => message.from === "me").at;
  const told = seen.find((message) => message.from === "bot" && texts(message).includes(answer)).at;
  return told - asked;
}

/** Messages per second, from the first that is said to the last that is answered, by the backend's clock. */
async function burst(people, name) {
  const each = Math.ceil(BURST / people.length);
  const word = (n) => `${name}-${n}.`;
  await Promise.all(people.flatMap((person) => Array.from({ length: each }, (_, n) => person.says(`/echo ${word(n)}`))));
  const times = await Promise.all(people.map(async (person) => {
    const seen = await until("all answers", async () => {
      const all = (await person.sees()).filter((message) => texts(message).includes(`${name}-`));
      return all.filter(({ from }) => from === "bot").length >= each && all;
    }, 600_000);
    return seen.map(({ at }) => at);
  }));
  const all = times.flat();
  return (each * people.length * 1_000) / (Math.max(...all) - Math.min(...all));
}

/** A host with one of the two plugins, and twenty accounts. */
class Side {
  static async make(name) {
    const side = new Side();
    const world = await World.make(name === "ours" ? {} : { tarball: null });
    const { openclaw, phones } = world;
    Object.assign(side, { world, echoes: [], turns: [], one: [], many: [] });
    if (name !== "ours") {
      const tarball = execFileSync(join(import.meta.dirname, "official.sh"), [phones.url], { encoding: "utf8" }).trim();
      await openclaw.does("plugins", "install", tarball, "--force", "--accept-capabilities");
    }
    await openclaw.start();
    await rest();
    side.empty = rss(openclaw.gateway.pid);
    await openclaw.stop();
    side.people = [];
    for (let n = 0; n < ACCOUNTS; n += 1) {
      const person = await phones.person(`p${n}`);
      await world.bind(person);
      side.people.push(person);
    }
    // Both find the CDN of a backend of one's own only if it is named.
    openclaw.change({ channels: { [CHANNEL]: { accounts: Object.fromEntries(side.people.map((person) => [accountId(person.bot), { cdnBaseUrl: `${phones.url}/c2c` }])) } } });
    await openclaw.start();
    for (const person of side.people) await roundTrip(person, "/echo warm.", "warm.");
    await roundTrip(side.people[0], "«warm»", "heard: warm");
    return side;
  }

  async echo(n) {
    this.echoes.push(await roundTrip(this.people[0], `/echo e${n}.`, `e${n}.`));
  }

  async turn(n) {
    this.turns.push(await roundTrip(this.people[0], `«t${n}.»`, `heard: t${n}.`));
  }

  async burst(n) {
    this.one.push(await burst(this.people.slice(1, 2), `one${n}`));
    this.many.push(await burst(this.people, `many${n}`));
  }

  /** Reads the memory and the time to stop. */
  async end() {
    const { gateway } = this.world.openclaw;
    const children = childrenOf(gateway.pid).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("sidecar"));
    this.sidecar = children.map(rss).reduce((sum, mb) => sum + mb, 0);
    this.memory = rss(gateway.pid) + this.sidecar - this.empty;
    const begun = Date.now();
    await this.world.openclaw.stop();
    this.stop = Date.now() - begun;
  }
}

const sides = [];
try {
  for (const name of ["official", "ours"]) sides.push(await Side.make(name));
  for (let n = 0; n < ECHOES; n += 1) for (const side of sides) await side.echo(n);
  for (let n = 0; n < TURNS; n += 1) for (const side of sides) await side.turn(n);
  for (let n = 0; n < ROUNDS; n += 1) for (const side of sides) await side.burst(n);
  await rest();
  for (const side of sides) await side.end();
} finally {
  for (const { world } of sides) await world.end();
}

const ms = (value) => `${Math.round(value)} ms`;
const both = (values) => `${ms(quantile(values, 0.5))} / ${ms(quantile(values, 0.95))}`;
const rows = [
  ["`/echo`, p50 / p95", ({ echoes }) => both(echoes)],
  ["a turn of the model, p50 / p95", ({ turns }) => both(turns)],
  ["messages per second, 1 account", ({ one }) => quantile(one, 0.5).toFixed(0)],
  [`messages per second, ${ACCOUNTS} accounts`, ({ many }) => quantile(many, 0.5).toFixed(0)],
  ["memory added (of it the sidecar)", ({ memory, sidecar }) => `${memory.toFixed(0)} MB (${sidecar.toFixed(0)} MB)`],
  ["time to stop the gateway", ({ stop }) => ms(stop)],
];
console.log("| | official 2.4.9 | ours |\n|---|---|---|");
for (const [name, value] of rows) console.log(`| ${name} | ${sides.map(value).join(" | ")} |`);
