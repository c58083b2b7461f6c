// Who is heard: the host's own rules and its pairing store, the one who logged
// the account in, and whom the official plugin had admitted.

import type { OpenClawConfig } from "openclaw/plugin-sdk/core";

import { account as resolveAccount, admittedBefore } from "./accounts.js";
import { CHANNEL, type Sender, type Verdict } from "./contract.js";
import { currentConfig, type HostRuntime } from "./host.js";
import { say } from "./log.js";
import { awaitApproval } from "./approvals.js";
import { accountSection } from "./settings.js";
import { bareId } from "./setup.js";

type Ingress = Awaited<ReturnType<HostRuntime["inbound"]["ingress"]["resolve"]>>;
type Params = Parameters<HostRuntime["inbound"]["ingress"]["resolve"]>[0];

/** An id is compared as it stands: WeChat's are case-sensitive. */
const identity: Params["identity"] = {
  primary: { key: "weixin-user-id", normalize: (value) => value.trim() || null, authentication: "verified", sensitivity: "pii" },
};

export function dmPolicy(cfg: OpenClawConfig, account: string): "pairing" | "allowlist" | "open" | "disabled" {
  return accountSection(cfg, account).dmPolicy ?? "pairing";
}

/** Whom the settings admit: those that are listed, and who logged the account in. Empty means nobody. */
export function allowFrom(cfg: OpenClawConfig, account: string): string[] {
  const listed = (accountSection(cfg, account).allowFrom ?? []).map((entry) => bareId(String(entry)));
  const { owner } = resolveAccount(cfg, account);
  return [...new Set([...listed, ...(owner === undefined ? [] : [owner])])];
}

/** The host's own, or the one of its SDK in hosts before 2026.9.6. */
async function resolver(runtime: HostRuntime): Promise<(params: Params) => Promise<Ingress>> {
  const { ingress } = runtime.inbound as Partial<HostRuntime["inbound"]>;
  if (ingress) return (params) => ingress.resolve(params);
  const { resolveChannelMessageIngress } = await import("openclaw/plugin-sdk/channel-ingress-runtime");
  return resolveChannelMessageIngress;
}

/** Asks the host's rules about a sender. */
export async function resolveIngress(
  runtime: HostRuntime,
  cfg: OpenClawConfig,
  at: { account: string; peer: string },
  more: Partial<Pick<Params, "command" | "contextBinding">>,
): Promise<Ingress> {
  const policy = dmPolicy(cfg, at.account);
  return await (await resolver(runtime))({
    channelId: CHANNEL as Params["channelId"],
    accountId: at.account,
    identity,
    subject: { stableId: at.peer },
    conversation: { kind: "direct", id: at.peer },
    event: { kind: "message", authMode: "inbound", mayPair: true },
    policy: { dmPolicy: policy, groupPolicy: "disabled" },
    allowFrom: allowFrom(cfg, at.account),
    ...(cfg.accessGroups === undefined ? {} : { accessGroups: cfg.accessGroups }),
    readStoreAllowFrom: async () =>
      policy === "pairing"
        ? [...(await runtime.pairing.readAllowFromStore({ channel: CHANNEL, accountId: at.account })), ...admittedBefore(at.account)]
        : [],
    ...more,
  });
}

/** Says whether a sender is heard; gives a stranger a pairing code. */
export async function admit(runtime: HostRuntime, sender: Sender): Promise<Verdict> {
  const { account, peer } = sender.conversation;
  const cfg = currentConfig() ?? {};
  const { ingress } = await resolveIngress(runtime, cfg, { account, peer }, {});
  if (ingress.admission === "dispatch") return "admit";
  if (ingress.admission !== "pairing-required") {
    say("info", `[${account}] a message of ${peer} is not heard: ${ingress.reasonCode}`);
    return "refuse";
  }
  const request = { channel: CHANNEL, id: peer, accountId: account };
  const { code, created } = await runtime.pairing.upsertPairingRequest(request);
  say("info", `[${account}] ${peer} is not admitted yet; pairing code ${created ? "given" : "given before"}`);
  awaitApproval(runtime, account, peer);
  if (!created) return "refuse";
  const text = runtime.pairing.buildPairingReply({ channel: CHANNEL, idLine: `Your WeChat id: ${peer}`, code });
  return { challenge: { text } };
}
