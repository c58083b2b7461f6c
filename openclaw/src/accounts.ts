// The accounts, as their files lie in the host's state folder: the same files
// that the official plugin keeps. Read here, written by the sidecar only.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { OpenClawConfig } from "openclaw/plugin-sdk/core";
import { resolveOAuthDir, resolveStateDir } from "openclaw/plugin-sdk/state-paths";

import { CHANNEL } from "./contract.js";
import { accountSection, isEnabled, section } from "./settings.js";

export type Account = {
  accountId: string;
  name?: string;
  enabled: boolean;
  /** Whether there is a credential. */
  configured: boolean;
  baseUrl?: string;
  /** Who logged it in. */
  owner?: string;
};

type Stored = { token?: unknown; baseUrl?: string; userId?: string; alias?: string };

/** The folder that the sidecar and the official plugin keep their state in. */
export const stateDir = (): string => resolveStateDir();

export function accountIds(): string[] {
  const ids = json(join(stateDir(), CHANNEL, "accounts.json"));
  return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
}

export function defaultAccountId(cfg: OpenClawConfig): string {
  const ids = accountIds();
  const named = section(cfg).defaultAccount;
  return named !== undefined && ids.includes(named) ? named : (ids[0] ?? "default");
}

export function account(cfg: OpenClawConfig, id?: string | null): Account {
  const accountId = id?.trim() || defaultAccountId(cfg);
  const stored = (json(join(stateDir(), CHANNEL, "accounts", `${fileName(accountId)}.json`)) ?? {}) as Stored;
  const name = stored.alias ?? accountSection(cfg, accountId).name;
  return {
    accountId,
    ...(name === undefined ? {} : { name }),
    enabled: isEnabled(cfg, accountId),
    configured: stored.token !== undefined && stored.token !== "",
    ...(stored.baseUrl === undefined ? {} : { baseUrl: stored.baseUrl }),
    ...(stored.userId === undefined ? {} : { owner: stored.userId }),
  };
}

/** Whom earlier versions admitted: the official plugin's own file. */
export function admittedBefore(id: string): string[] {
  const file = join(resolveOAuthDir(), `${CHANNEL}-${fileName(id)}-allowFrom.json`);
  const found = json(file) as { allowFrom?: unknown } | undefined;
  return Array.isArray(found?.allowFrom) ? found.allowFrom.map(String) : [];
}

function json(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** An id never leads out of its folder. */
const fileName = (id: string): string => id.replace(/[\\/:*?"<>|]|\.\./g, "_");
