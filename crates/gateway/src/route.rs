//! Which agent and which session a conversation gets.
//!
//! The words, the order of the bindings and the form of the keys are those of
//! OpenClaw's configuration, so that one file does for both.

use contract::Conversation;
use serde::{Deserialize, Serialize};

mod binding;
mod explanation;
mod key;
mod names;
mod roster;

pub use self::binding::{
    Binding, BindingKind, BindingMatch, BindingPeer, BindingSession, MatchedBy, Mismatch,
};
pub use self::explanation::{Considered, RouteExplanation};
pub use self::key::{DmScope, ScopeSettings, SessionKey, SessionScope};
pub use self::names::AgentId;
pub(crate) use self::names::account_name;
pub use self::roster::{Roster, RosterEntry};

/// Who answers whom, and out of which memory: `session`, `bindings` and
/// `agents` of a configuration. Other keys are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RouteSettings {
    /// Which conversations share a memory.
    pub session: ScopeSettings,
    /// Which agent answers where, in the order of the file.
    pub bindings: Vec<Binding>,
    /// Which agents there are.
    pub agents: Roster,
}

/// What a conversation gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Who answers.
    #[serde(rename = "agentId")]
    pub agent: AgentId,
    /// Out of which memory.
    #[serde(rename = "sessionKey")]
    pub session: SessionKey,
    /// The memory that the agent has for all who have none of their own.
    #[serde(rename = "mainSessionKey")]
    pub main_session: SessionKey,
    /// What decided who answers.
    pub matched_by: MatchedBy,
    /// What decided out of which memory.
    pub dm_scope: DmScope,
}

/// Why nobody answers a conversation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// There is a choice, and nothing chooses.
    #[error(
        "Multiple agents are configured, but {} account {} routing has no explicit owner. \
         Add a channel-wide binding for {} (accountId \"*\"), one for that account, \
         or make one agent the default",
        .0.channel, .0.account, .0.channel
    )]
    NoOwner(Conversation),
    /// A binding names an agent that there is not.
    #[error("bindings[{index}].agentId: no agent is called {agent:?}; there are: {known}")]
    UnknownAgent {
        /// Which binding, from 0.
        index: usize,
        /// Whom it names.
        agent: String,
        /// Who there is, in words.
        known: String,
    },
}

impl RouteSettings {
    /// Decides who answers a conversation, and out of which memory.
    ///
    /// # Errors
    ///
    /// When there are several agents and neither a binding nor a default
    /// chooses one, or when the binding that wins names an unknown one.
    pub fn route(&self, conversation: &Conversation) -> Result<Route, RouteError> {
        let Some((index, matched_by)) = self.winner(conversation) else {
            let agent = self.agents.fallback();
            let agent = agent.ok_or_else(|| RouteError::NoOwner(conversation.clone()))?;
            return Ok(self.route_to(agent, MatchedBy::Default, None, conversation));
        };
        self.check_binding(index)?;
        let binding = &self.bindings[index];
        let (agent, scope) = (binding.agent_id.clone(), binding.session.dm_scope);
        Ok(self.route_to(agent, matched_by, scope, conversation))
    }

    /// Decides the same for a given agent, whoever is bound to the conversation.
    pub(crate) fn route_by_default(&self, agent: AgentId, conversation: &Conversation) -> Route {
        self.route_to(agent, MatchedBy::Default, None, conversation)
    }

    /// Checks that each binding names an agent that there is.
    ///
    /// # Errors
    ///
    /// When one does not; the error names its place.
    pub fn check(&self) -> Result<(), RouteError> {
        (0..self.bindings.len()).try_for_each(|index| self.check_binding(index))
    }

    /// Returns the bindings that route, each with its place and its agent.
    pub(crate) fn routing_bindings(&self) -> impl Iterator<Item = (usize, &AgentId)> {
        let routing = self.bindings.iter().enumerate();
        let routing = routing.filter(|(_, binding)| binding.kind == BindingKind::Route);
        routing.map(|(index, binding)| (index, &binding.agent_id))
    }

    /// Finds the binding that wins: the first one of the highest tier.
    fn winner(&self, conversation: &Conversation) -> Option<(usize, MatchedBy)> {
        let matching = self.bindings.iter().enumerate().filter_map(|(index, binding)| {
            let matched_by = binding.matching(conversation).ok()?;
            Some((index, matched_by))
        });
        matching.min_by_key(|(_, matched_by)| *matched_by)
    }

    /// `main` is there, whoever else is.
    fn check_binding(&self, index: usize) -> Result<(), RouteError> {
        let Binding { kind, agent_id, .. } = &self.bindings[index];
        let is_known = agent_id.is_main() || self.agents.has(agent_id);
        if *kind == BindingKind::Acp || is_known {
            return Ok(());
        }
        let (agent, known) = (agent_id.to_string(), self.agents.in_words());
        Err(RouteError::UnknownAgent { index, agent, known })
    }

    fn route_to(
        &self,
        agent: AgentId,
        matched_by: MatchedBy,
        scope: Option<DmScope>,
        conversation: &Conversation,
    ) -> Route {
        let dm_scope = scope.unwrap_or(self.session.dm_scope);
        Route {
            session: self.session.key(dm_scope, &agent, conversation),
            main_session: self.session.main(&agent),
            agent,
            matched_by,
            dm_scope,
        }
    }
}
