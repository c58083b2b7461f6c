// A world for one test file: our backend, a model, and an OpenClaw of its own,
// all on loopback, all in one folder that is gone afterwards.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startModel } from "./model.mjs";

const { HONGYAN, HOST, TARBALL } = process.env;
export const CHANNEL = "openclaw-weixin";
/** A busy machine is slow; a test that passes never waits so long. */
const PATIENCE = 120_000;

/** Waits until something holds, and returns it. */
export async function until(what, look, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) assert.fail(`not within ${patience} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const accountId = (botId) => botId.toLowerCase().replace(/[^a-z0-9_-]+/g, "-");

/** The admin API of our backend: the phones of this world. */
export class Phones {
  constructor(url) {
    this.url = url;
    this.api = `${url}/admin/api`;
  }

  async post(path, body) {
    const raw = Buffer.isBuffer(body);
    const answer = await fetch(`${this.api}/${path}`, { method: "POST", body: raw ? body : JSON.stringify(body ?? {}) });
    const text = await answer.text();
    assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  async get(path) {
    return await (await fetch(`${this.api}/${path}`)).json();
  }

  /** Sets the rules of the backend; what is not named is as it is by default. */
  async setPolicy(policy) {
    const answer = await fetch(`${this.api}/policy`, { method: "PUT", body: JSON.stringify(policy) });
    assert.ok(answer.ok, `policy: ${answer.status} ${await answer.text()}`);
  }

  async person(name) {
    const { id } = await this.post("users", { name });
    return new Person(this, name, id);
  }
}

/** One person with a phone. */
export class Person {
  constructor(phones, name, id) {
    this.phones = phones;
    this.name = name;
    this.id = id;
    this.bot = undefined;
  }

  async says(text, more = {}) {
    return await this.phones.post(`users/${this.name}/say`, { text, ...(this.bot ? { bot: this.bot } : {}), ...more });
  }

  async sends(kind, name, bytes, more = {}) {
    const query = new URLSearchParams({ kind, name, ...(this.bot ? { bot: this.bot } : {}), ...more });
    return await this.phones.post(`users/${this.name}/media?${query}`, bytes);
  }

  async sees() {
    return await this.phones.get(`users/${this.name}/messages`);
  }

  /** Everything that bots, or this one, have said to this person, as texts. */
  async hears(bot) {
    const seen = (await this.sees()).filter((message) => message.from === "bot" && (bot === undefined || message.bot === bot));
    return seen.flatMap((message) => message.items.filter((item) => item.type === "text").map((item) => item.text));
  }

  /** Whether the phone shows that the bot types. */
  async seesTyping() {
    const page = `${this.phones.url}/phone/api/u/${encodeURIComponent(this.id)}`;
    const entered = await fetch(`${page}/enter`, { method: "POST", headers: { "x-phone": "1" } });
    const [cookie] = entered.headers.get("set-cookie").split(";");
    const contacts = await (await fetch(`${page}/contacts`, { headers: { cookie } })).json();
    return contacts.some(({ bot, typing }) => bot === this.bot && typing);
  }

  async waitsFor(text, patience) {
    return await until(`${this.name} hears ${text}`, async () => (await this.hears()).find((heard) => (text instanceof RegExp ? text.test(heard) : heard.includes(text))), patience);
  }
}

/** A program of ours that runs until it is told to stop. */
export class Process {
  constructor(command, args, { env, log } = {}) {
    this.output = "";
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const note = (chunk) => {
      this.output += chunk;
      if (log) writeFileSync(log, chunk, { flag: "a" });
    };
    this.child.stdout.on("data", note);
    this.child.stderr.on("data", note);
    this.exited = new Promise((resolve) => this.child.once("exit", (code, signal) => resolve(signal ?? code)));
  }

  get pid() {
    return this.child.pid;
  }

  async end(signal = "SIGTERM") {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return await this.exited;
  }
}

/** The processes that have this one as their parent. */
export function childrenOf(pid) {
  const parent = (of) => {
    try {
      return Number(readFileSync(`/proc/${of}/stat`, "utf8").replace(/.*\) /s, "").split(" ")[1]);
    } catch {
      return undefined;
    }
  };
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((of) => parent(of) === pid);
}

const cmdline = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
};

/** What the host would start beside its channels, at the cost of many seconds. */
const SKIPPED = { OPENCLAW_SKIP_CRON: "1", OPENCLAW_SKIP_GMAIL_WATCHER: "1", OPENCLAW_SKIP_BROWSER_CONTROL_SERVER: "1", OPENCLAW_SKIP_STARTUP_MODEL_PREWARM: "1" };

/** An OpenClaw with a state folder of its own. */
export class OpenClaw {
  constructor(home, port, env = {}) {
    this.home = home;
    this.state = join(home, ".openclaw");
    this.port = port;
    this.log = join(home, "gateway.log");
    this.program = join(HOST, "node_modules/openclaw/openclaw.mjs");
    this.env = { HOME: home, OPENCLAW_STATE_DIR: this.state, NO_COLOR: "1", NO_PROXY: "127.0.0.1", ...SKIPPED, ...env };
    mkdirSync(this.state, { recursive: true, mode: 0o700 });
  }

  configure(config) {
    this.config = config;
    writeFileSync(join(this.state, "openclaw.json"), JSON.stringify(config, null, 2));
  }

  /** Changes settings as somebody does who edits the file. */
  change(over) {
    const file = join(this.state, "openclaw.json");
    writeFileSync(file, JSON.stringify(merge(JSON.parse(readFileSync(file, "utf8")), over), null, 2));
  }

  /** Runs one command; returns its exit code and what it prints. */
  async run(...args) {
    const options = { env: { ...process.env, ...this.env }, maxBuffer: 64 * 1024 * 1024, timeout: PATIENCE };
    return await new Promise((resolve) => {
      execFile(process.execPath, [this.program, ...args], options, (error, stdout, stderr) => {
        resolve({ code: error ? (error.code ?? -1) : 0, stdout, stderr, all: stdout + stderr });
      }).stdin?.end();
    });
  }

  async does(...args) {
    const done = await this.run(...args);
    assert.equal(done.code, 0, `openclaw ${args.join(" ")}\n${done.all}`);
    return done.all;
  }

  /** Logs an account in from the command line; the person scans and agrees. */
  async logIn(person, ...options) {
    const login = new Process(process.execPath, [this.program, "channels", "login", "--channel", CHANNEL, ...options], { env: this.env });
    const link = await until("a code is shown", () => {
      if (login.child.exitCode !== null) assert.fail(`the login has ended:\n${login.output}`);
      return /https?:\S+\/q\/\S+/.exec(login.output)?.[0];
    });
    await person.phones.post(`users/${person.name}/scan`, { link });
    await person.phones.post(`users/${person.name}/confirm`, { link });
    assert.equal(await login.exited, 0, login.output);
    assert.match(login.output, /Connected: .*-im-bot/i);
    return login.output;
  }

  async start() {
    this.gateway = new Process(process.execPath, [this.program, "gateway"], { env: this.env, log: this.log });
    await until("the gateway is ready", async () => {
      if (this.gateway.child.exitCode !== null) assert.fail(`the gateway has ended:\n${this.gateway.output}`);
      return await fetch(`http://127.0.0.1:${this.port}/startupz`).then((answer) => answer.ok, () => false);
    }, 2 * PATIENCE);
  }

  async stop(signal) {
    const code = await this.gateway?.end(signal);
    this.gateway = undefined;
    return code;
  }

  /** The sidecar, if it runs. */
  sidecar() {
    return childrenOf(this.gateway.pid).find((pid) => cmdline(pid).includes("sidecar"));
  }
}

export class World {
  static async make({ config = {}, env = {}, tarball = TARBALL } = {}) {
    const world = new World();
    world.folder = mkdtempSync(join(tmpdir(), "hongyan-openclaw-"));
    world.model = await startModel();
    const port = await freePort();
    world.backend = new Process(HONGYAN, ["--lang", "en", "--state", join(world.folder, "backend"), "backend", "--listen", `127.0.0.1:${port}`]);
    world.phones = new Phones(`http://127.0.0.1:${port}`);
    await until("the backend answers", () => fetch(`${world.phones.api}/stats`).then((answer) => answer.ok, () => false));
    world.openclaw = new OpenClaw(join(world.folder, "home"), await freePort(), env);
    world.openclaw.configure(merge(base(world.openclaw.port, world.model.url, world.phones.url), config));
    if (tarball) await world.openclaw.does("plugins", "install", tarball, "--force", "--accept-capabilities");
    return world;
  }

  /** The items of a message as they travel: what this person's bot is told, which runs nowhere. */
  async itemsTo(person, bot) {
    const headers = { "content-type": "application/json", authorizationtype: "ilink_bot_token", authorization: `Bearer ${bot.bot_token}`, "x-wechat-uin": "MTIzNDU2Nzg5MA==" };
    const body = JSON.stringify({ get_updates_buf: "", base_info: { channel_version: "1.0.0" } });
    const { msgs } = await (await fetch(`${this.phones.url}/ilink/bot/getupdates`, { method: "POST", headers, body })).json();
    return msgs.filter((message) => message.from_user_id === person.id).flatMap((message) => message.item_list);
  }

  /** Gives a person a bot and puts its credential where a login puts it. */
  async bind(person) {
    const bot = await this.phones.post("bots", { user: person.name });
    person.bot = bot.ilink_bot_id;
    const dir = join(this.openclaw.state, CHANNEL);
    const id = accountId(person.bot);
    mkdirSync(join(dir, "accounts"), { recursive: true });
    const index = join(dir, "accounts.json");
    const ids = (() => {
      try {
        return JSON.parse(readFileSync(index, "utf8"));
      } catch {
        return [];
      }
    })();
    const credential = { token: bot.bot_token, savedAt: new Date().toISOString(), baseUrl: this.phones.url, userId: bot.ilink_user_id };
    writeFileSync(join(dir, "accounts", `${id}.json`), JSON.stringify(credential, null, 2), { mode: 0o600 });
    writeFileSync(index, JSON.stringify([...new Set([...ids, id])], null, 2));
    return id;
  }

  async end() {
    await this.openclaw.stop().catch(() => {});
    await this.backend.end();
    this.model.close();
    if (process.env.KEEP) console.error(`# kept: ${this.folder}`);
    else rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function base(port, model, backend) {
  return {
    gateway: { mode: "local", port, bind: "loopback", auth: { mode: "token", token: "of-this-test" } },
    agents: { defaults: { model: "toy/toy", skipBootstrap: true, heartbeat: { every: "0m" } } },
    models: {
      providers: {
        toy: {
          baseUrl: model,
          apiKey: "none",
          api: "openai-completions",
          models: [{ id: "toy", name: "toy", reasoning: false, input: ["text", "image"], contextWindow: 128_000, maxTokens: 8_000, cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } }],
        },
      },
    },
    plugins: { allow: [CHANNEL], slots: { memory: "none" } },
    session: { dmScope: "per-account-channel-peer" },
    update: { checkOnStart: false },
    channels: {},
    env: { vars: { HONGYAN_TEST_BACKEND: backend } },
  };
}

function merge(under, over) {
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const merged = { ...under };
  for (const [key, value] of Object.entries(over)) merged[key] = isObject(value) && isObject(under[key]) ? merge(under[key], value) : value;
  return merged;
}
