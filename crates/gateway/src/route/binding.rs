//! Which agent answers where.

use contract::Conversation;
use serde::{Deserialize, Serialize};

use super::{AgentId, DmScope, account_name};

/// One binding of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// What it binds; a route when left out.
    #[serde(rename = "type", default)]
    pub kind: BindingKind,
    /// Who answers.
    pub agent_id: AgentId,
    /// Where.
    #[serde(rename = "match")]
    pub place: BindingMatch,
    /// What of `session` is otherwise here.
    #[serde(default, skip_serializing_if = "BindingSession::is_empty")]
    pub session: BindingSession,
}

/// What a binding binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BindingKind {
    /// Conversations, to an agent.
    #[default]
    Route,
    /// A session of an agent elsewhere; decides nothing here.
    Acp,
}

/// Where a binding holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BindingMatch {
    /// On which channel.
    pub channel: String,
    /// On which account. As in OpenClaw, leaving it out means the account that
    /// is called `default` and no other; `*` means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// With whom; anyone when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<BindingPeer>,
    /// In which guild. There are none here, so that such a binding never holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guild_id: Option<String>,
    /// In which team; likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// In which roles; likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// With whom a binding holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingPeer {
    /// `direct` for a person; all other kinds are of groups.
    pub kind: String,
    /// The peer's id, whose case counts; `*` means all of the kind.
    pub id: String,
}

/// What of `session` is otherwise for a binding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BindingSession {
    /// Which conversations share a memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dm_scope: Option<DmScope>,
}

impl BindingSession {
    fn is_empty(&self) -> bool {
        self.dm_scope.is_none()
    }
}

/// What decided who answers; what comes first here outranks what comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MatchedBy {
    /// A binding that names the peer.
    #[serde(rename = "binding.peer")]
    Peer,
    /// A binding for any person.
    #[serde(rename = "binding.peer.wildcard")]
    PeerWildcard,
    /// A binding of the account.
    #[serde(rename = "binding.account")]
    Account,
    /// A binding of all accounts of the channel.
    #[serde(rename = "binding.channel")]
    Channel,
    /// No binding.
    #[serde(rename = "default")]
    Default,
}

impl MatchedBy {
    /// Returns OpenClaw's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "binding.peer",
            Self::PeerWildcard => "binding.peer.wildcard",
            Self::Account => "binding.account",
            Self::Channel => "binding.channel",
            Self::Default => "default",
        }
    }
}

/// Why a binding does not hold for a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// It is not about conversations.
    NotARoute,
    /// It is for another channel.
    OtherChannel,
    /// It names no account, which means the one called `default`.
    OnlyDefaultAccount,
    /// It is for another account.
    OtherAccount,
    /// It is for groups, guilds, teams or roles.
    OnlyGroups,
    /// It is for another peer.
    OtherPeer,
}

impl Binding {
    /// Says by what it holds for a conversation, or why it does not.
    pub(super) fn matching(&self, conversation: &Conversation) -> Result<MatchedBy, Mismatch> {
        let BindingMatch { channel, peer, guild_id, team_id, roles, .. } = &self.place;
        if self.kind == BindingKind::Acp {
            return Err(Mismatch::NotARoute);
        }
        if !channel.trim().eq_ignore_ascii_case(conversation.channel.as_str()) {
            return Err(Mismatch::OtherChannel);
        }
        let on_all_accounts = self.on_account(conversation.account.as_str())?;
        if guild_id.is_some() || team_id.is_some() || !roles.is_empty() {
            return Err(Mismatch::OnlyGroups);
        }
        match peer {
            Some(peer) => peer.matching(conversation.peer.as_str()),
            None if on_all_accounts => Ok(MatchedBy::Channel),
            None => Ok(MatchedBy::Account),
        }
    }

    /// Says whether it holds on all accounts, or on this one.
    fn on_account(&self, account: &str) -> Result<bool, Mismatch> {
        let account = account_name(account);
        match self.place.account_id.as_deref().map(str::trim).unwrap_or_default() {
            "*" => Ok(true),
            "" if account == account_name("") => Ok(false),
            "" => Err(Mismatch::OnlyDefaultAccount),
            named if account_name(named) == account => Ok(false),
            _ => Err(Mismatch::OtherAccount),
        }
    }
}

impl BindingPeer {
    fn matching(&self, peer: &str) -> Result<MatchedBy, Mismatch> {
        // The second is what OpenClaw called it once.
        if !matches!(self.kind.trim(), "direct" | "dm") {
            return Err(Mismatch::OnlyGroups);
        }
        match self.id.trim() {
            "*" => Ok(MatchedBy::PeerWildcard),
            id if !id.is_empty() && id == peer.trim() => Ok(MatchedBy::Peer),
            _ => Err(Mismatch::OtherPeer),
        }
    }
}
