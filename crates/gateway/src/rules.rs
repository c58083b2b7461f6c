//! All that a configuration decides about conversations, as one value.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{Conversation, Inbound, Sender};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::access::{AccessSettings, Authority, Decision, DmPolicy};
use crate::route::{AgentId, Route, RouteError, RouteExplanation, RouteSettings};
use crate::{Agent, AgentError, QueueSettings, Replies, SessionKey, SessionSettings, Turn};

/// Who is heard, who answers, and out of which memory. Replaced as a whole, so
/// that no message sees half of a change.
#[derive(Clone)]
pub struct Rules {
    /// Who is heard.
    pub access: AccessSettings,
    /// Who answers, and out of which memory.
    pub route: RouteSettings,
    /// What answers.
    pub agents: Agents,
    /// What happens to messages of a session that is busy.
    pub queue: QueueSettings,
    /// When sessions begin anew and how long old windows are kept.
    pub sessions: SessionSettings,
}

/// Who answers a conversation, and out of which memory.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) session: SessionKey,
    pub(crate) id: AgentId,
    pub(crate) agent: Arc<dyn Agent>,
}

/// What answers, by the names that the rules use. Clones share the agents.
#[derive(Clone, Default)]
pub struct Agents {
    by_id: BTreeMap<AgentId, Arc<dyn Agent>>,
}

/// Rules that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// A binding names an agent that there is not.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// An agent is named that nothing was built for.
    #[error("{place}: nothing answers for the agent {agent:?}")]
    NoSuchAgent {
        /// Where it is named.
        place: String,
        /// Whom.
        agent: String,
    },
}

/// Who would answer a conversation, whether it would be heard, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Who answers.
    #[serde(flatten)]
    pub route: RouteExplanation,
    /// Who is heard.
    pub access: AccessExplanation,
}

/// Whether a sender would be heard, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessExplanation {
    /// The policy there.
    pub dm_policy: DmPolicy,
    /// What the settings say.
    pub decision: Decision,
    /// Whether somebody has approved of the sender, which counts where the
    /// settings ask for it.
    pub approved: bool,
    /// Whether the sender would be heard.
    pub admitted: bool,
    /// Which commands they may use then.
    pub commands: Authority,
}

impl Rules {
    /// Returns the rules of an empty configuration: one agent, called `main`,
    /// for all, and everybody but owners needs a code.
    #[must_use]
    pub fn new(agent: Arc<dyn Agent>) -> Self {
        Self {
            access: AccessSettings::default(),
            route: RouteSettings::default(),
            agents: Agents::only(agent),
            queue: QueueSettings::default(),
            sessions: SessionSettings::default(),
        }
    }

    /// Checks that everybody who is named is there.
    ///
    /// # Errors
    ///
    /// When an agent is not; the error names the place in the configuration.
    pub fn check(&self) -> Result<(), RulesError> {
        self.route.check()?;
        let roster = self.route.agents.entries().iter();
        let named = roster.map(|entry| (format!("agents.entries.{}", entry.id), &entry.id));
        let bindings = self.route.routing_bindings();
        let bound = bindings.map(|(index, id)| (format!("bindings[{index}].agentId"), id));
        let fallback = self.route.agents.fallback();
        let fallback = fallback.as_ref().map(|id| ("agents".to_owned(), id));
        for (place, id) in named.chain(bound).chain(fallback) {
            if self.agents.get(id).is_none() {
                return Err(RulesError::NoSuchAgent { place, agent: id.to_string() });
            }
        }
        Ok(())
    }

    /// Returns who answers a conversation. Where the rules choose nobody, that
    /// is one who says so.
    pub(crate) fn seat(&self, conversation: &Conversation) -> Seat {
        let route = self.route.route(conversation);
        let nobody = match route {
            Ok(Route { agent: id, session, .. }) => match self.agents.get(&id) {
                Some(agent) => return Seat { session, id, agent },
                None => Nobody(format!("nothing answers for the agent {id}")),
            },
            Err(err) => Nobody(err.to_string()),
        };
        let route = self.route.route_by_default(AgentId::main(), conversation);
        Seat { session: route.session, id: route.agent, agent: Arc::new(nobody) }
    }

    /// Says whether a peer may choose agents and models, which cost money.
    pub(crate) fn may_choose(&self, inbound: &Inbound) -> bool {
        let Inbound { conversation, turn, from_owner, .. } = inbound;
        let sender = Sender {
            conversation: conversation.clone(),
            turn: turn.clone(),
            is_owner: *from_owner,
        };
        self.access.authority(&sender) == Authority::All
    }
}

impl Agents {
    /// Returns one agent, called `main`.
    #[must_use]
    pub fn only(agent: Arc<dyn Agent>) -> Self {
        Self { by_id: BTreeMap::from([(AgentId::main(), agent)]) }
    }

    /// Returns an agent, if it is there.
    #[must_use]
    pub fn get(&self, id: &AgentId) -> Option<Arc<dyn Agent>> {
        self.by_id.get(id).cloned()
    }

    /// Returns the names of all of them.
    pub fn ids(&self) -> impl Iterator<Item = &AgentId> {
        self.by_id.keys()
    }
}

impl FromIterator<(AgentId, Arc<dyn Agent>)> for Agents {
    fn from_iter<T: IntoIterator<Item = (AgentId, Arc<dyn Agent>)>>(agents: T) -> Self {
        Self { by_id: agents.into_iter().collect() }
    }
}

impl AccessExplanation {
    /// Says whether a sender would be heard, and why.
    #[must_use]
    pub fn new(settings: &AccessSettings, sender: &Sender, approved: bool) -> Self {
        let decision = settings.decide(sender);
        let admitted = match decision {
            Decision::Admit(_) => true,
            Decision::Refuse(_) => false,
            Decision::AskApproval => approved,
        };
        let commands = settings.authority(sender);
        Self { dm_policy: settings.policy(sender), decision, approved, admitted, commands }
    }
}

/// Answers where nobody is to answer, so that the peer is not left waiting and
/// the reason is told like that of any other agent.
struct Nobody(String);

impl Agent for Nobody {
    fn answer(&self, _: Turn, _: Replies) -> BoxFuture<'_, Result<(), AgentError>> {
        std::future::ready(Err(AgentError::Setup(self.0.clone()))).boxed()
    }
}
