// Writes the settings' schema into openclaw.plugin.json: what the channel's
// program says it has (`hongyan sidecar --schema`), and what the host reads.
//
//   hongyan sidecar --schema | node openclaw/manifest.mjs

import { readFileSync, writeFileSync } from "node:fs";

const FILE = new URL("openclaw.plugin.json", import.meta.url);
const { $schema: _, ...schema } = JSON.parse(readFileSync(0, "utf8"));
const texts = { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } };

/** What may stand for the channel and for single accounts. */
const both = {
  dmPolicy: {
    type: "string",
    enum: ["pairing", "allowlist", "open", "disabled"],
    default: "pairing",
    description: "Who may write: whoever was approved, those in allowFrom only, everybody (allowFrom must contain *), or nobody. Who logged the account in always may, except with disabled.",
  },
  allowFrom: { ...texts, description: "WeChat ids that may write, such as x@im.wechat." },
  streaming: { type: "object", description: "Block streaming: streaming.block.enabled and streaming.block.coalesce." },
  textChunkLimit: { type: "integer", minimum: 1, description: "Read by the host for what it parts itself." },
  healthMonitor: { type: "object", description: "The host's health monitor: healthMonitor.enabled." },
};
/** What stands for the channel only. */
const channel = {
  defaultAccount: { type: "string", description: "The account that is meant when none is named." },
  configWrites: { type: "boolean", description: "Whether commands may change settings." },
  channelConfigUpdatedAt: { type: "string", description: "When the last login was; written by a login." },
};

const account = schema.properties.accounts.additionalProperties;
account.properties = { ...account.properties, ...both };
schema.properties = { ...schema.properties, ...both, ...channel };
const manifest = JSON.parse(readFileSync(FILE, "utf8"));
manifest.channelConfigs["openclaw-weixin"].schema = { ...schema, additionalProperties: true };
writeFileSync(FILE, `${JSON.stringify(manifest, null, 2)}\n`);
