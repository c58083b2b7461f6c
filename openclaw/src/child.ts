// The one file that starts a program: `hongyan sidecar`, with pipes and without
// a shell. It opens no port; the end of its stdin ends it.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts the sidecar on a host's state folder. */
export function startChild(stateDir: string, env: Record<string, string>): Child {
  return spawn(binary(), ["--state", stateDir, "sidecar"], {
    env: { ...process.env, HONGYAN_LOG: process.env["HONGYAN_LOG"] ?? "info", ...env },
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
}

/** The program: the one that is named, the one in this package, or the one of this platform's package. */
function binary(): string {
  const named = process.env["HONGYAN_BINARY"];
  if (named) return named;
  const name = process.platform === "win32" ? "hongyan.exe" : "hongyan";
  const inside = fileURLToPath(new URL(`../bin/${name}`, import.meta.url));
  if (isProgram(inside)) return inside;
  const platform = `hongyan-${process.platform}-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${platform}/bin/${name}`);
  } catch {
    throw new Error(`Hongyan has no program for this machine: neither ${inside} nor the package ${platform} is there`);
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
