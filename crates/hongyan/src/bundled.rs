//! The plugins that are part of this program.

use plugins::{Bundled, Version};

/// The WeChat channel, under the id of the plugin whose work it does.
const WEIXIN: Bundled = Bundled {
    id: weixin::CHANNEL_ID,
    name: "WeChat",
    version: env!("CARGO_PKG_VERSION"),
    aliases: &["weixin", "wechat"],
    also_known_as: &["@tencent-weixin/openclaw-weixin"],
    channels: &[weixin::CHANNEL_ID],
};

pub(crate) fn all() -> Vec<Bundled> {
    vec![WEIXIN]
}

/// Returns the version of this program.
pub(crate) fn version() -> Version {
    // Cargo accepts nothing else.
    Version::parse(env!("CARGO_PKG_VERSION")).unwrap_or(Version::new(0, 0, 0))
}
