// Where accounts stand, as the host shows it.

import type { ChannelPlugin } from "openclaw/plugin-sdk/core";

import type { Account } from "./accounts.js";
import { type AccountStatus, CHANNEL, type Probe } from "./contract.js";
import { sidecar } from "./gateway.js";
import { section } from "./settings.js";

type Status = NonNullable<ChannelPlugin<Account, Probe>["status"]>;
type Snapshot = NonNullable<Status["defaultRuntime"]>;
export type Patch = Omit<Partial<Snapshot>, "accountId">;

const LOGIN = `openclaw channels login --channel ${CHANNEL}`;

/** What the host is to note of a status. */
export function patch(status: AccountStatus): Patch {
  const times: Patch = {
    ...(status.last_poll_at_ms === null ? {} : { lastTransportActivityAt: status.last_poll_at_ms }),
    ...(status.last_inbound_at_ms === null ? {} : { lastInboundAt: status.last_inbound_at_ms }),
    ...(status.last_outbound_at_ms === null ? {} : { lastOutboundAt: status.last_outbound_at_ms }),
  };
  switch (status.state) {
    case "polling":
      return { ...times, connected: true, lifecycle: "ready", terminalDisconnect: undefined, lastError: null };
    case "degraded":
      return {
        ...times,
        connected: false,
        lifecycle: "recovering",
        lastError: status.reason,
        lastDisconnect: { at: status.since_ms, error: status.reason },
      };
    case "needs_login":
      return {
        ...times,
        connected: false,
        lifecycle: "blocked",
        terminalDisconnect: true,
        lastError: status.reason,
        lastDisconnect: { at: status.since_ms, error: status.reason, loggedOut: true },
      };
    case "starting":
    case "stopped":
      return times;
  }
}

let probing: Promise<Probe[]> | undefined;

/** Asks the backend for all accounts at once, however many ask at the same time. */
function probes(): Promise<Probe[]> {
  probing ??= sidecar.call("probe", {}).finally(() => {
    probing = undefined;
  });
  return probing;
}

export const statusAdapter: Status = {
  defaultRuntime: { accountId: "", lastError: null, lastInboundAt: null, lastOutboundAt: null },
  async probeAccount({ account, timeoutMs }) {
    const late = new Promise<Probe>((resolve) => {
      const detail = `no answer within ${timeoutMs} ms`;
      setTimeout(resolve, timeoutMs, { account: account.accountId, ok: false, detail, took_ms: timeoutMs }).unref();
    });
    const found = probes().then(
      (all) => all.find((probe) => probe.account === account.accountId) ?? none(account, "not logged in"),
      (error: unknown) => none(account, String(error)),
    );
    return await Promise.race([found, late]);
  },
  formatCapabilitiesProbe: ({ probe }) => [{ text: `${probe.detail} (${probe.took_ms} ms)`, tone: probe.ok ? "success" : "error" }],
  buildAccountSnapshot: ({ account, cfg, runtime, probe }) => ({
    ...runtime,
    accountId: account.accountId,
    ...(account.name === undefined ? {} : { name: account.name }),
    enabled: account.enabled,
    configured: account.configured,
    linked: account.configured,
    dmPolicy: section(cfg).dmPolicy ?? "pairing",
    ...(account.baseUrl === undefined ? {} : { baseUrl: account.baseUrl }),
    ...(probe === undefined ? {} : { probe }),
  }),
  buildChannelSummary: ({ snapshot }) => ({
    configured: snapshot.configured ?? false,
    running: snapshot.running ?? false,
    connected: snapshot.connected ?? false,
    lastError: snapshot.lastError ?? null,
    lastInboundAt: snapshot.lastInboundAt ?? null,
    lastOutboundAt: snapshot.lastOutboundAt ?? null,
  }),
  collectStatusIssues: (accounts) => accounts.flatMap(issues),
};

function issues(account: Snapshot): ReturnType<NonNullable<Status["collectStatusIssues"]>> {
  const at = { channel: CHANNEL, accountId: account.accountId };
  if (account.enabled === false) return [];
  if (account.configured === false) {
    return [{ ...at, kind: "auth", message: "Not logged in.", fix: LOGIN }];
  }
  if (account.terminalDisconnect) {
    return [{ ...at, kind: "auth", message: `${account.lastError ?? "The login has expired"}.`, fix: LOGIN }];
  }
  if (account.connected === false && account.lastError) {
    return [{ ...at, kind: "runtime", message: `Messages do not come in: ${account.lastError}.`, fix: "It heals by itself when the backend answers; see openclaw channels logs" }];
  }
  return [];
}

const none = (account: Account, detail: string): Probe => ({ account: account.accountId, ok: false, detail, took_ms: 0 });
