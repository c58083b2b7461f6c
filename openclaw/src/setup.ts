// What can be told of the channel without running anything: for lists, status
// and settings on the command line.

import type { ChannelPlugin, OpenClawConfig } from "openclaw/plugin-sdk/core";

import { type Account, account, accountIds, defaultAccountId } from "./accounts.js";
import { CHANNEL } from "./contract.js";
import { section, type Section } from "./settings.js";

type SetupPlugin = Pick<ChannelPlugin<Account>, "id" | "meta" | "capabilities" | "config" | "pairing">;

/** Takes the prefix off that a person may write before an id. */
export const bareId = (entry: string): string => entry.trim().replace(/^(openclaw-weixin|weixin|wechat):/i, "");

/** Returns the settings with one account's part changed; `undefined` removes it. */
function withAccount(cfg: OpenClawConfig, id: string, change: (own: Section) => Section | undefined): OpenClawConfig {
  const own = section(cfg);
  const { [id]: before = {}, ...others } = own.accounts ?? {};
  const after = change(before);
  const accounts = after === undefined ? others : { ...others, [id]: after };
  return { ...cfg, channels: { ...cfg.channels, [CHANNEL]: { ...own, accounts } } } as OpenClawConfig;
}

export const setup: SetupPlugin = {
  id: CHANNEL as SetupPlugin["id"],
  meta: {
    id: CHANNEL as SetupPlugin["id"],
    label: "WeChat",
    selectionLabel: "WeChat 微信 (Hongyan)",
    docsPath: "/channels/wechat",
    docsLabel: "wechat",
    blurb: "WeChat through its bot API, with a store of its own: nothing is lost, nobody waits for anybody.",
    order: 75,
    markdownCapable: true,
  },
  capabilities: { chatTypes: ["direct"], media: true, blockStreaming: true },
  pairing: {
    idLabel: "weixinUserId",
    normalizeAllowEntry: bareId,
    async notifyApproval({ id, accountId }) {
      const { tellApproved } = await import("./outbound.js");
      await tellApproved(id, accountId);
    },
  },
  config: {
    listAccountIds: () => accountIds(),
    defaultAccountId,
    resolveAccount: account,
    inspectAccount: account,
    isEnabled: ({ enabled }) => enabled,
    disabledReason: () => "disabled in the settings",
    isConfigured: ({ configured }) => configured,
    unconfiguredReason: () => `not logged in; run openclaw channels login --channel ${CHANNEL}`,
    describeAccount: ({ accountId, name, enabled, configured }) => ({
      accountId,
      ...(name === undefined ? {} : { name }),
      enabled,
      configured,
      linked: configured,
    }),
    hasConfiguredState: () => accountIds().length > 0,
    hasPersistedAuthState: () => accountIds().length > 0,
    resolveAllowFrom: ({ cfg }) => section(cfg).allowFrom,
    setAccountEnabled: ({ cfg, accountId, enabled }) => withAccount(cfg, accountId, (own) => ({ ...own, enabled })),
    deleteAccount: ({ cfg, accountId }) => withAccount(cfg, accountId, () => undefined),
  },
};
