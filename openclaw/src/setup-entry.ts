// The entry that the host takes while the channel has no settings: for lists, for
// status, and for the first login. Nothing here runs anything by itself.

import type { ChannelPlugin } from "openclaw/plugin-sdk/core";

import type { Account } from "./accounts.js";
import { useHost } from "./host.js";
import { setup } from "./setup.js";

const auth: NonNullable<ChannelPlugin<Account>["auth"]> = {
  login: async (params) => await (await import("./login.js")).terminalLogin(params),
};

export default { plugin: { ...setup, auth }, setChannelRuntime: useHost };
