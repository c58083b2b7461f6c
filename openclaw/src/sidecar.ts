// One sidecar for all accounts of this process: started when the first one is
// wanted, started again when it falls, stopped when nobody wants it any more.

import { createInterface } from "node:readline";

import { stateDir } from "./accounts.js";
import { type Child, startChild } from "./child.js";
import { CHANNEL, type ChannelCalls, Gone, type HostDesk, WireError } from "./contract.js";
import { logLine, say } from "./log.js";
import { Pipe } from "./pipe.js";
import type { Section } from "./settings.js";

/** Pauses before a sidecar that has fallen is started again, in ms; after the last one the accounts are given up. */
const LADDER = [100, 300, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 30_000, 30_000];
/** A sidecar that has run so long begins the ladder anew. */
const STEADY_MS = 60_000;
/** How long replies may take to leave at a stop; the host allows 5 s in all. */
const GRACE_MS = 2_000;
/** How long a sidecar may take to go, from the order to stop on. */
const GONE_MS = 3_800;
/** How long a sidecar that nobody wants is kept for what may come. */
const IDLE_MS = 1_000;

export type Watcher = {
  /** Whether any account is to run. */
  isWanted(): boolean;
  /** The settings, as the sidecar is to have them now. */
  section(): Section;
  /** The accounts run, or the sidecar has fallen and comes back. */
  up(): void;
  down(reason: string): void;
  /** It does not come back. */
  lost(reason: string): void;
};

type Running = { child: Child; pipe: Pipe; isStarted: boolean; isMeantToGo: boolean };

export class Sidecar {
  #desk: HostDesk;
  #watcher: Watcher;
  #running: Running | undefined;
  #falls = 0;
  #calls = 0;
  #logins = 0;
  #syncing: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #going: Promise<void> = Promise.resolve();

  constructor(desk: HostDesk, watcher: Watcher) {
    this.#desk = desk;
    this.#watcher = watcher;
  }

  /** Whether messages come in. */
  get isUp(): boolean {
    return this.#running?.isStarted === true;
  }

  /** Asks the sidecar, which is started for it if need be. */
  async call<M extends keyof ChannelCalls>(
    method: M,
    params: ChannelCalls[M][0],
    started?: (id: number) => void,
    signal?: AbortSignal,
  ): Promise<ChannelCalls[M][1]> {
    this.#calls += 1;
    if (method === "login") this.#logins += 1;
    try {
      const { pipe } = this.#running ?? (await this.#open());
      return await pipe.call(method, params, started, signal);
    } finally {
      this.#calls -= 1;
      if (method === "login") this.#logins -= 1;
      this.#restWhenIdle();
    }
  }

  /** Brings the sidecar to what is wanted now: up with these settings, or gone. */
  sync(): Promise<void> {
    this.#syncing = this.#syncing.then(() => this.#sync()).catch((error) => this.#fell(error));
    return this.#syncing;
  }

  async #sync(): Promise<void> {
    if (!this.#watcher.isWanted()) {
      clearTimeout(this.#retry);
      this.#retry = undefined;
      // The host stops its accounts for a login that it shows to somebody.
      if (this.#running && this.#logins > 0) await this.#configure(this.#running.pipe);
      else await this.#stop();
      return;
    }
    // A pause of the ladder is not cut short.
    if (this.#retry !== undefined && !this.#running) return;
    const running = this.#running;
    // A new one is told the settings when it is opened.
    const { pipe } = running ?? (await this.#open());
    if (running) await this.#configure(pipe);
    if (running?.isStarted || !this.#running) return;
    const opened = this.#running;
    await pipe.call("start", {});
    opened.isStarted = true;
    this.#watcher.up();
  }

  async #configure(pipe: Pipe): Promise<void> {
    const warnings = await pipe.call("configure", { section: this.#watcher.section() });
    for (const warning of warnings) say("warn", `channels.${CHANNEL}.${warning}`);
  }

  async #open(): Promise<Running> {
    await this.#going;
    if (this.#running) return this.#running;
    const key = this.#watcher.section().credentialsKeyFile;
    const child = startChild(stateDir(), key === undefined ? {} : { HONGYAN_CREDENTIALS_KEY_FILE: key });
    const pipe = new Pipe(child.stdout, child.stdin, this.#desk);
    const running: Running = { child, pipe, isStarted: false, isMeantToGo: false };
    this.#running = running;
    const begun = Date.now();
    createInterface({ input: child.stderr, crlfDelay: Infinity }).on("line", logLine);
    child.once("error", (error) => pipe.end(`it cannot be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      const reason = `the sidecar has ended (${signal ?? `exit code ${code}`})`;
      pipe.end(reason);
      if (this.#running === running) this.#running = undefined;
      if (running.isMeantToGo) return;
      if (Date.now() - begun > STEADY_MS) this.#falls = 0;
      this.#fell(new Gone(reason));
    });
    await pipe.call("hello", { contract: [1], program: "openclaw", version: "1", channel: CHANNEL });
    await this.#configure(pipe);
    return running;
  }

  /** Goes up the ladder by one rung. */
  #fell(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    // Settings that cannot be used leave the earlier ones.
    if (error instanceof WireError && error.kind === "settings" && this.isUp) {
      say("error", reason);
      return;
    }
    if (this.#running) void this.#stop();
    if (this.#retry !== undefined || !this.#watcher.isWanted()) return;
    const pause = LADDER[this.#falls++];
    if (pause === undefined) {
      this.#falls = 0;
      this.#watcher.lost(reason);
      return;
    }
    say("warn", `${reason}; started again in ${pause} ms`);
    this.#watcher.down(reason);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.sync();
    }, pause);
  }

  #stop(): Promise<void> {
    const running = this.#running;
    if (!running) return this.#going;
    this.#running = undefined;
    running.isMeantToGo = true;
    const { child, pipe } = running;
    const exited = new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) resolve();
      else child.once("exit", () => resolve());
    });
    const late = setTimeout(() => child.kill("SIGKILL"), GONE_MS);
    const asked = pipe.call("stop", { grace_ms: GRACE_MS }).catch(() => {});
    void asked.then(() => pipe.end("it was stopped"));
    this.#going = exited.then(() => clearTimeout(late));
    return this.#going;
  }

  /** A sidecar that was started for a question goes when nothing more is asked. */
  #restWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#calls === 0 && !this.#watcher.isWanted()) void this.#stop();
    }, IDLE_MS);
    this.#idle.unref();
  }
}
