//! Which agent and which session a conversation gets.

use std::fmt;

use contract::Conversation;

/// The agent that answers when none is named.
const MAIN: &str = "main";

/// Decides who answers a conversation, and out of which memory.
///
/// Each account and peer has a session of its own. The key has the form that
/// OpenClaw gives it under `session.dmScope: per-account-channel-peer`, all in
/// lower case, so that a peer's id cannot be read back from it.
#[must_use]
pub fn route(conversation: &Conversation) -> Route {
    let Conversation { channel, account, peer } = conversation;
    let key = format!("agent:{MAIN}:{channel}:{account}:direct:{peer}");
    Route { agent: AgentId(MAIN.to_owned()), session: SessionKey(key.to_lowercase()) }
}

/// What a conversation gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Who answers.
    pub agent: AgentId,
    /// Out of which memory.
    pub session: SessionKey,
}

/// Names an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgentId(String);

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a session: one memory of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey(String);

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

#[cfg(test)]
mod tests {
    use super::*;

    fn key(channel: &str, account: &str, peer: &str) -> String {
        let conversation =
            Conversation { channel: channel.into(), account: account.into(), peer: peer.into() };
        route(&conversation).session.to_string()
    }

    #[test]
    fn a_session_is_named_after_agent_channel_account_and_peer_in_lower_case() {
        assert_eq!(
            key("post", "b0f5860fdecb-bot", "o9cq80xYz@post"),
            "agent:main:post:b0f5860fdecb-bot:direct:o9cq80xyz@post",
        );
    }

    #[test]
    fn peers_and_accounts_do_not_share_a_session() {
        assert_ne!(key("c", "a", "p"), key("c", "a", "q"));
        assert_ne!(key("c", "a", "p"), key("c", "b", "p"));
        assert_ne!(key("c", "a", "p"), key("d", "a", "p"));
    }
}
