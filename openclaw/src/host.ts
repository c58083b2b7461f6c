// The host: which one it is, and what of it is used.

import { statSync } from "node:fs";

import type { OpenClawConfig, PluginRuntime } from "openclaw/plugin-sdk/core";
import * as paths from "openclaw/plugin-sdk/state-paths";

/** The host's helpers for channels, as an account gets them at its start. */
export type HostRuntime = PluginRuntime["channel"];

/** The oldest host that is tested; package.json says the same. */
export const OLDEST = "2026.9.1";

let runtime: PluginRuntime | undefined;

export function useHost(host: PluginRuntime): void {
  runtime = host;
}

/** The settings as they hold now; `undefined` outside of a host that runs. */
export function currentConfig(): OpenClawConfig | undefined {
  try {
    return runtime?.config.current() as OpenClawConfig | undefined;
  } catch {
    return undefined;
  }
}

/** When the settings were written last, in ms since 1970; 0 when that cannot be told. */
export function configWrittenAt(): number {
  try {
    // Older hosts do not say where it is; there every stop is a stop.
    const { resolveConfigPath } = paths as Partial<typeof paths>;
    return resolveConfigPath ? statSync(resolveConfigPath()).mtimeMs : 0;
  } catch {
    return 0;
  }
}

/** The settings as they stand in their file. */
export async function configOnDisk(): Promise<OpenClawConfig> {
  const { readConfigFileSnapshotForWrite } = await import("openclaw/plugin-sdk/config-mutation");
  return (await readConfigFileSnapshotForWrite()).snapshot.config;
}

/** Writes the time of a login into the section, so that a gateway that runs starts the new account. */
export async function announceLogin(channel: string): Promise<void> {
  await runtime?.config.mutateConfigFile({
    afterWrite: { mode: "auto" },
    mutate(draft) {
      const channels = (draft.channels ??= {}) as Record<string, Record<string, unknown>>;
      channels[channel] = { ...channels[channel], channelConfigUpdatedAt: new Date().toISOString() };
    },
  });
}

/** Refuses a host that is too old. One whose version cannot be told is let through. */
export function checkHost(version: string | undefined): void {
  const found = parts(version);
  const wanted = parts(OLDEST);
  if (!found || !wanted) return;
  const at = wanted.findIndex((part, n) => part !== found[n]);
  if (at < 0 || (found[at] ?? 0) > (wanted[at] ?? 0)) return;
  throw new Error(
    `Hongyan's WeChat channel needs OpenClaw ${OLDEST} or newer; this is ${version}. ` +
      "Upgrade with `npm install -g openclaw@latest`, then restart the gateway.",
  );
}

function parts(version: string | undefined): number[] | undefined {
  const found = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version?.trim() ?? "");
  return found?.slice(1).map(Number);
}
