//! What the client says of itself.

use crate::{BotAgent, wire};

/// What the client says of itself in each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The channel's version, `major.minor.patch`.
    pub channel_version: String,
    /// The bot behind the channel.
    pub bot_agent: BotAgent,
    /// The route tag, when one is configured.
    pub route_tag: Option<String>,
}

impl Identity {
    /// Makes an identity for a channel version, with the default bot agent.
    pub fn new(channel_version: impl Into<String>) -> Self {
        Self {
            channel_version: channel_version.into(),
            bot_agent: BotAgent::default(),
            route_tag: None,
        }
    }

    /// Returns the version as the header carries it:
    /// `major<<16 | minor<<8 | patch`, each part cut to its byte.
    #[must_use]
    pub fn client_version(&self) -> u32 {
        let release = self.channel_version.split(['-', '+']).next().unwrap_or_default();
        let mut parts = release.split('.').map(|part| part.parse::<u32>().unwrap_or(0) & 0xff);
        let mut next = || parts.next().unwrap_or(0);
        next() << 16 | next() << 8 | next()
    }

    pub(super) fn base_info(&self) -> wire::BaseInfo {
        wire::BaseInfo {
            channel_version: Some(self.channel_version.clone()),
            bot_agent: Some(self.bot_agent.as_str().to_owned()),
            ..wire::BaseInfo::default()
        }
    }
}
