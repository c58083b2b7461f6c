// What the host tells people by itself after a fall: the answers of sessions that
// it resumes. The messages behind them are offered to it again, too.

/** How long after a start the host may still resume sessions. */
const WINDOW_MS = 10 * 60_000;
const LOOK_MS = 500;

const begun = Date.now();
const told = new Set<string>();

/** Notes that something was sent to a person outside of a turn. */
export function noteTold(peer: string): void {
  if (Date.now() - begun < WINDOW_MS) told.add(peer.toLowerCase());
}

/** Waits until the host has told a person something since it started; `false` when it does not come to that. */
export async function isTold(peer: string, patience: number): Promise<boolean> {
  const until = Date.now() + patience;
  while (!told.has(peer.toLowerCase()) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
  return told.has(peer.toLowerCase());
}
