// The accounts that the host has started, and the sidecar that runs them.

import { AsyncLocalStorage } from "node:async_hooks";

import type { ChannelPlugin, OpenClawConfig } from "openclaw/plugin-sdk/core";
import { getAgentScopedMediaLocalRoots } from "openclaw/plugin-sdk/media-local-roots";

import { admit } from "./access.js";
import type { Account } from "./accounts.js";
import { type AccountStatus, CHANNEL, stopping } from "./contract.js";
import { configOnDisk, configWrittenAt, currentConfig, type HostRuntime } from "./host.js";
import { logTo, say } from "./log.js";
import { loginCode, loginEvent } from "./login.js";
import { isEnabled, type Section, sidecarSection } from "./settings.js";
import { Sidecar } from "./sidecar.js";
import { patch } from "./status.js";
import { Turns } from "./turns.js";

type Gateway = NonNullable<ChannelPlugin<Account>["gateway"]>;
export type StartContext = Parameters<NonNullable<Gateway["startAccount"]>>[0];

/** How long the poll of an account goes on for the successor that a reload of settings brings. */
const HANDOVER_MS = 3_000;
/** How soon after its settings were written the host has taken them on. */
const RELOAD_MS = 15_000;
/** How often the host hears when the backend was last reached. */
const PULSE_MS = 15_000;

/** One start of an account by the host. A later one of the same account takes its place. */
class Lease {
  readonly ctx: StartContext;
  readonly runtime: HostRuntime;
  readonly since = Date.now();
  readonly ended: Promise<void>;
  /** Does something as this start's, whatever has opened the sidecar: the host refuses work below a request that is over. */
  readonly within = AsyncLocalStorage.snapshot();
  #end!: { resolve: () => void; reject: (error: Error) => void };

  constructor(ctx: StartContext) {
    if (!ctx.channelRuntime) throw new Error("this OpenClaw gives channels no runtime; upgrade OpenClaw");
    this.ctx = ctx;
    this.runtime = ctx.channelRuntime as unknown as HostRuntime;
    this.ended = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
  }

  tell(status: ReturnType<typeof patch>): void {
    if (!this.ctx.abortSignal.aborted) this.ctx.setStatus({ accountId: this.ctx.accountId, ...status });
  }

  end(): void {
    this.#end.resolve();
  }

  fail(reason: string): void {
    this.#end.reject(new Error(reason));
  }
}

const leases = new Map<string, Lease>();
let pulse: NodeJS.Timeout | undefined;

const turns = new Turns({
  reply: (turn, reply) => sidecar.call("reply", { turn, reply }),
  signal: (turn, signal) => void sidecar.call("signal", { turn, signal }).catch(() => {}),
  finish: (turn, end) => sidecar.call("finish", { turn, end }),
});

export const sidecar = new Sidecar(
  {
    async admit({ sender }) {
      const { runtime, within } = leaseOf(sender.conversation.account);
      return await within(() => admit(runtime, sender));
    },
    async receive({ inbound }) {
      const { runtime, ctx, within } = leaseOf(inbound.conversation.account);
      within(() => turns.take(inbound, runtime, ctx.cfg));
      return null;
    },
    changed: ({ status }) => leases.get(status.account)?.tell(patch(status)),
    alert({ alert }) {
      say("warn", `[${alert.account}] ${alert.text} (${alert.code})`);
      leases.get(alert.account)?.tell({ stateReason: alert.text });
    },
    login_event: loginEvent,
    login_code: loginCode,
  },
  {
    isWanted: () => leases.size > 0,
    section: () => wanted(newestConfig()),
    up: () => void tellAll(),
    down: (reason) => each({ connected: false, lifecycle: "recovering", lastError: reason }),
    lost(reason) {
      for (const lease of leases.values()) {
        drop(lease);
        lease.fail(reason);
      }
    },
  },
);

/** Runs an account until the host stops it. Rejects when it cannot be run; the host tries again then. */
export async function startAccount(ctx: StartContext): Promise<void> {
  if (ctx.log) logTo(ctx.log);
  const lease = new Lease(ctx);
  const before = leases.get(ctx.accountId);
  leases.set(ctx.accountId, lease);
  // Whoever was let go of too late learns that somebody else runs it now.
  before?.end();
  ctx.abortSignal.addEventListener("abort", () => void letGo(lease), { once: true });
  if (ctx.abortSignal.aborted) void letGo(lease);
  void sidecar.sync();
  pulse ??= setInterval(() => void tellAll(), PULSE_MS).unref();
  await lease.ended;
}

/** Called beside the abort: nothing is left to do but to wait for its effect. */
export async function stopAccount(ctx: StartContext): Promise<void> {
  const lease = leases.get(ctx.accountId);
  if (lease?.ctx.abortSignal.aborted) await lease.ended;
}

/** Stops an account at once; where new settings are about to start it again, its poll goes on for the successor. */
async function letGo(lease: Lease): Promise<void> {
  if (await isReload(lease)) {
    // The successor comes only when this one is over.
    lease.end();
    await new Promise<void>((resolve) => setTimeout(resolve, HANDOVER_MS).unref());
  }
  if (drop(lease)) await sidecar.sync();
  lease.end();
}

/** Takes a lease away, unless a later one has taken its place. */
function drop(lease: Lease): boolean {
  if (leases.get(lease.ctx.accountId) !== lease) return false;
  leases.delete(lease.ctx.accountId);
  if (leases.size === 0) {
    clearInterval(pulse);
    pulse = undefined;
  }
  return true;
}

/**
 * Whether the host stops the account only to start it with other settings. It
 * stops before it takes them on, so they are read from their file.
 */
async function isReload({ ctx: { accountId }, since }: Lease): Promise<boolean> {
  const written = configWrittenAt();
  if (written < since || Date.now() - written > RELOAD_MS) return false;
  const cfg = await configOnDisk().catch(() => undefined);
  return cfg !== undefined && isEnabled(cfg, accountId);
}

/** What the sidecar is told: the settings, who runs, and the folders whose files agents may send. */
function wanted(cfg: OpenClawConfig): Section {
  const now = currentConfig() ?? cfg;
  const agents = [undefined, ...Object.keys(now.agents?.entries ?? {})];
  const roots = new Set(agents.flatMap((agent) => getAgentScopedMediaLocalRoots(now, agent)));
  return sidecarSection(cfg, leases.keys(), [...roots]);
}

/** The settings that the last start came with: the host takes them on only after that. */
function newestConfig(): OpenClawConfig {
  const newest = [...leases.values()].toSorted((one, other) => one.since - other.since).at(-1);
  return newest?.ctx.cfg ?? currentConfig() ?? {};
}

async function tellAll(): Promise<void> {
  if (!sidecar.isUp) return;
  try {
    const statuses: AccountStatus[] = await sidecar.call("status", {});
    for (const status of statuses) leases.get(status.account)?.tell(patch(status));
  } catch (error) {
    say("debug", `${CHANNEL}: no status: ${String(error)}`);
  }
}

function each(status: ReturnType<typeof patch>): void {
  for (const lease of leases.values()) lease.tell(status);
}

function leaseOf(account: string): Lease {
  const lease = leases.get(account);
  if (!lease || lease.ctx.abortSignal.aborted) throw stopping();
  return lease;
}
