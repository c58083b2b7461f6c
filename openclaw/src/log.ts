// What the sidecar and this package have to say, in the host's log.

export type Level = "debug" | "info" | "warn" | "error";
type Logger = { [L in Level]?: (message: string) => void };

let logger: Logger = {};

/** Takes the host's logger. */
export function logTo(host: Logger): void {
  logger = host;
}

export function say(level: Level, message: string): void {
  logger[level]?.(message);
}

const LEVELS: Record<string, Level> = { TRACE: "debug", DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" };
/** Said already by what stands around it in the host's log. */
const PLAIN = new Set(["timestamp", "level", "message", "target", "account"]);

/** Takes one line of the sidecar's log: a JSON object, or what a panic prints. */
export function logLine(line: string): void {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    say("error", line);
    return;
  }
  const rest = Object.entries(entry).filter(([key]) => !PLAIN.has(key));
  const fields = rest.map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const account = entry["account"];
  const prefix = typeof account === "string" ? `[${account}] ` : "";
  say(LEVELS[String(entry["level"])] ?? "info", `${prefix}${[entry["message"], ...fields].join(" ")}`);
}
