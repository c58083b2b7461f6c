//! What is given to an agent while it runs.

use std::sync::Arc;

use contract::Inbound;
use tokio::sync::Mutex;

use super::Visit;
use crate::lanes::joint::joined;
use crate::{Agent, Turn};

/// What is steered into one turn. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Steered {
    // Held while an agent says whether it takes something, so that the turn
    // does not end meanwhile.
    inner: Arc<Mutex<Option<Open>>>,
}

struct Open {
    agent: Arc<dyn Agent>,
    /// All that the agent has been told.
    message: Inbound,
    taken: Vec<Visit>,
}

impl Steered {
    /// Begins to offer what comes to the agent of a turn.
    pub(crate) async fn open(&self, visit: &Visit, agent: &Arc<dyn Agent>) {
        let (agent, message) = (Arc::clone(agent), visit.inbound.clone());
        *self.inner.lock().await = Some(Open { agent, message, taken: Vec::new() });
    }

    /// Offers a message. If it is taken, returns all that the agent has been
    /// told, as one message under the running turn.
    pub(crate) async fn offer(&self, visit: &Visit, turn: Turn) -> Option<Inbound> {
        let mut inner = self.inner.lock().await;
        let open = inner.as_mut()?;
        if !open.agent.steer(turn).await {
            return None;
        }
        open.message = joined(&[open.message.clone(), visit.inbound.clone()], 0)?;
        open.taken.push(visit.clone());
        Some(open.message.clone())
    }

    /// Ends it, and returns what was taken.
    pub(crate) async fn close(&self) -> Vec<Visit> {
        self.inner.lock().await.take().map(|open| open.taken).unwrap_or_default()
    }
}
