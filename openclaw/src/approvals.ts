// Strangers who have a pairing code: they are told when somebody approves them,
// also by a command that does not know this channel.

import { CHANNEL } from "./contract.js";
import type { HostRuntime } from "./host.js";
import { say } from "./log.js";
import { tellApproved } from "./outbound.js";

/** How often the host's store is looked at while somebody waits. */
const LOOK_MS = 2_000;
/** As long as a code lives. */
const CODE_MS = 60 * 60_000;

type Stranger = { runtime: HostRuntime; account: string; peer: string; until: number };

const strangers = new Map<string, Stranger>();
let looking: NodeJS.Timeout | undefined;

/** Tells a peer as soon as somebody approves them. */
export function awaitApproval(runtime: HostRuntime, account: string, peer: string): void {
  strangers.set(`${account}/${peer}`, { runtime, account, peer, until: Date.now() + CODE_MS });
  looking ??= setInterval(() => void look(), LOOK_MS).unref();
}

async function look(): Promise<void> {
  for (const [key, stranger] of strangers) {
    const { runtime, account, peer, until } = stranger;
    try {
      const admitted = await runtime.pairing.readAllowFromStore({ channel: CHANNEL, accountId: account });
      if (admitted.includes(peer)) {
        strangers.delete(key);
        await tellApproved(peer, account);
      }
    } catch (error) {
      say("warn", `[${account}] whether ${peer} is approved cannot be told: ${String(error)}`);
      strangers.delete(key);
    }
    if (Date.now() > until) strangers.delete(key);
  }
  if (strangers.size === 0) {
    clearInterval(looking);
    looking = undefined;
  }
}
