// The entry of the plugin. It registers and starts nothing: the first account
// that the host starts brings the sidecar up.

import type { ChannelPlugin, OpenClawPluginApi } from "openclaw/plugin-sdk/core";

import { channel } from "./channel.js";
import { CHANNEL } from "./contract.js";
import { checkHost, useHost } from "./host.js";
import { logTo } from "./log.js";

export default {
  id: CHANNEL,
  name: "WeChat (Hongyan)",
  description: "WeChat for OpenClaw, done by the Hongyan sidecar",
  register(api: OpenClawPluginApi): void {
    if (api.registrationMode === "cli-metadata" || api.registrationMode === "tool-discovery") return;
    checkHost(api.runtime?.version);
    useHost(api.runtime);
    logTo(api.logger);
    api.registerChannel({ plugin: channel as ChannelPlugin });
  },
};
