// The channel as the host knows it: what it can do, and who does it.

import type { ChannelPlugin } from "openclaw/plugin-sdk/core";

import { allowFrom, dmPolicy } from "./access.js";
import type { Account } from "./accounts.js";
import { CHANNEL, type Probe } from "./contract.js";
import { sidecar, startAccount, stopAccount } from "./gateway.js";
import { loginWithQrStart, loginWithQrWait, logoutAccount, terminalLogin } from "./login.js";
import { outbound } from "./outbound.js";
import { bareId, setup } from "./setup.js";
import { statusAdapter } from "./status.js";

const HERE = `channels.${CHANNEL}`;

export const channel: ChannelPlugin<Account, Probe> = {
  ...setup,
  configSchema: { schema: { type: "object", additionalProperties: true } },
  streaming: { blockStreamingCoalesceDefaults: { minChars: 200, idleMs: 3_000 } },
  reload: {
    configPrefixes: [HERE],
    accountScopedRestart: true,
    // Read anew for each message: their change restarts nothing.
    noopPrefixes: [
      "commands", "messages.inbound", "messages.ackReactionScope", "channels.defaults", "channels.modelByChannel",
      "accessGroups", "tts", "surfaces", "acp.stream", "agents.defaults.mediaMaxMb", "diagnostics.flags",
      `${HERE}.allowFrom`, `${HERE}.dmPolicy`, `${HERE}.streaming`, `${HERE}.textChunkLimit`, `${HERE}.healthMonitor`,
    ],
  },
  messaging: {
    targetPrefixes: [CHANNEL, "weixin", "wechat"],
    targetIdComparison: "case-sensitive",
    normalizeTarget: (raw) => bareId(raw) || undefined,
    inferTargetChatType: () => "direct",
    targetResolver: { looksLikeId: (raw) => bareId(raw).endsWith("@im.wechat"), hint: "<x@im.wechat>" },
  },
  agentPrompt: {
    messageToolHints: () => [
      "WeChat shows markdown. Long answers may be sent as they are; they are parted where it reads well.",
      "To send a picture, video or file to the current user, use the message tool with action='send' and 'media' set to an absolute path or an https URL; leave 'to' out.",
      "A MEDIA: directive must stand on a line of its own.",
      "A scheduled message (cron) for the current user needs delivery.channel='openclaw-weixin' and delivery.to set to the sender's id (…@im.wechat); the account is found by itself unless several bots know the user, then set delivery.accountId, too.",
    ],
  },
  outbound,
  security: {
    resolveDmPolicy: ({ cfg, account: { accountId } }) => ({
      policy: dmPolicy(cfg, accountId),
      allowFrom: allowFrom(cfg, accountId),
      policyPath: `${HERE}.dmPolicy`,
      allowFromPath: `${HERE}.allowFrom`,
      approveHint: `openclaw pairing approve ${CHANNEL} <code>`,
      normalizeEntry: bareId,
    }),
  },
  status: statusAdapter,
  auth: { login: terminalLogin },
  gateway: { startAccount, stopAccount, loginWithQrStart, loginWithQrWait, logoutAccount },
  lifecycle: {
    // The settings are gone by now; so goes what was kept of the account.
    onAccountRemoved: async ({ accountId }) => {
      await sidecar.call("remove", { account: accountId }).catch(() => {});
    },
  },
};
