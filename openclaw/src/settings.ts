// The channel's section of the host's configuration, and what the sidecar is
// told of it.

import type { OpenClawConfig } from "openclaw/plugin-sdk/core";

import { CHANNEL } from "./contract.js";

/** What the host itself reads of the section; the rest is the sidecar's. */
export type Section = {
  enabled?: boolean;
  name?: string;
  baseUrl?: string;
  dmPolicy?: "pairing" | "allowlist" | "open" | "disabled";
  allowFrom?: (string | number)[];
  defaultAccount?: string;
  credentialsKeyFile?: string;
  replyProgressMessages?: boolean;
  streaming?: { block?: { enabled?: boolean } };
  sending?: Record<string, unknown>;
  accounts?: Record<string, Section>;
  channelConfigUpdatedAt?: string;
  [key: string]: unknown;
};

/** The section, `{}` when there is none. */
export function section(cfg: OpenClawConfig): Section {
  return ((cfg.channels as Record<string, unknown> | undefined)?.[CHANNEL] ?? {}) as Section;
}

/** What is said of one account, over what is said of all. */
export function accountSection(cfg: OpenClawConfig, account: string): Section {
  const all = section(cfg);
  return { ...all, ...all.accounts?.[account] };
}

/** Whether the host may run an account. As the official plugin has it: what is said of the account, else of all. */
export function isEnabled(cfg: OpenClawConfig, account: string): boolean {
  return accountSection(cfg, account).enabled !== false;
}

/** The section as the sidecar gets it: only the accounts that the host has started run. */
export function sidecarSection(cfg: OpenClawConfig, running: Iterable<string>, mediaRoots: string[]): Section {
  const own = section(cfg);
  const accounts: Record<string, Section> = {};
  for (const [id, said] of Object.entries(own.accounts ?? {})) accounts[id] = { ...said, enabled: false };
  for (const id of running) accounts[id] = { ...accounts[id], enabled: true };
  const sending = { mediaRoots, ...own.sending };
  return { ...own, enabled: false, accounts, sending };
}
