//! Which conversations share a memory, and what it is called.

use std::collections::BTreeMap;
use std::fmt;

use contract::Conversation;
use serde::{Deserialize, Serialize};

use super::{AgentId, account_name};

/// Names a session: one memory of an agent. All in lower case, so that a
/// peer's id cannot be read back from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionKey(String);

/// The section `session` of a configuration, as far as it names sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeSettings {
    /// Which conversations with people share a memory.
    pub dm_scope: DmScope,
    /// Peers who are one person: a name, and `<channel>:<peer>` or `<peer>` of
    /// each. Compared in any case; a peer that stands there twice is the first
    /// name's, in the order of the alphabet.
    pub identity_links: BTreeMap<String, Vec<String>>,
    /// What the shared memory of an agent is called; `main` when left out.
    pub main_key: Option<String>,
    /// Whether there is more than one memory at all.
    pub scope: SessionScope,
}

/// Which conversations with people share a memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DmScope {
    /// All. What one person says, all others can be told.
    Main,
    /// Those with one peer, on whatever channel.
    PerPeer,
    /// Those with one peer on one channel.
    PerChannelPeer,
    /// None. OpenClaw's default is `main`.
    #[default]
    PerAccountChannelPeer,
}

/// Whether there is more than one memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionScope {
    /// There is, as the scope of conversations says.
    #[default]
    PerSender,
    /// There is one for everything, called `global`.
    Global,
}

impl SessionKey {
    /// Returns the key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ScopeSettings {
    /// Names the memory of a conversation. Different conversations have
    /// different names as far as the scope keeps them apart: a peer's id ends
    /// the key, and no part before it can have a colon of its own.
    pub(super) fn key(
        &self,
        scope: DmScope,
        agent: &AgentId,
        conversation: &Conversation,
    ) -> SessionKey {
        let channel = conversation.channel.as_str().trim();
        let account = account_name(conversation.account.as_str());
        let peer = self.person(channel, conversation.peer.as_str().trim());
        if self.scope == SessionScope::Global || peer.is_empty() {
            return self.main(agent);
        }
        let key = match scope {
            DmScope::Main => return self.main(agent),
            DmScope::PerPeer => format!("agent:{agent}:direct:{peer}"),
            DmScope::PerChannelPeer => format!("agent:{agent}:{channel}:direct:{peer}"),
            DmScope::PerAccountChannelPeer => {
                format!("agent:{agent}:{channel}:{account}:direct:{peer}")
            }
        };
        SessionKey(key.to_lowercase())
    }

    /// Names the memory that an agent has for all who have none of their own.
    pub(super) fn main(&self, agent: &AgentId) -> SessionKey {
        if self.scope == SessionScope::Global {
            return SessionKey("global".to_owned());
        }
        let main = self.main_key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        SessionKey(format!("agent:{agent}:{}", main.unwrap_or("main")).to_lowercase())
    }

    /// Returns the name under which a peer is linked with others, or its id.
    fn person<'a>(&'a self, channel: &str, peer: &'a str) -> &'a str {
        if peer.is_empty() {
            return peer;
        }
        let folded = peer.to_lowercase();
        let on_channel = format!("{}:{folded}", channel.to_lowercase());
        let is_meant = |id: &String| {
            let id = id.trim().to_lowercase();
            id == folded || id == on_channel
        };
        let linked = self
            .identity_links
            .iter()
            .find(|(name, ids)| !name.trim().is_empty() && ids.iter().any(is_meant));
        linked.map_or(peer, |(name, _)| name.trim())
    }
}
