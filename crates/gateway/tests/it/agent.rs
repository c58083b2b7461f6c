//! Agents that do what a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use gateway::{Agent, AgentError, Replies, Turn};
use tokio::sync::Semaphore;

/// Runs a function for each turn.
pub(crate) struct Does<F>(pub(crate) F);

impl<F, Fut> Agent for Does<F>
where
    F: Fn(Turn, Replies) -> Fut + Send + Sync,
    Fut: Future<Output = Result<(), AgentError>> + Send + 'static,
{
    fn answer(&self, turn: Turn, replies: Replies) -> BoxFuture<'_, Result<(), AgentError>> {
        Box::pin((self.0)(turn, replies))
    }
}

pub(crate) fn does<F, Fut>(what: F) -> Arc<Does<F>>
where
    F: Fn(Turn, Replies) -> Fut + Send + Sync,
    Fut: Future<Output = Result<(), AgentError>> + Send + 'static,
{
    Arc::new(Does(what))
}

/// Says "begun", waits until it is let through by the text of its message, and
/// says the text.
#[derive(Clone, Default)]
pub(crate) struct Gated {
    gates: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

impl Gated {
    /// Lets one turn with this text through, now or later.
    pub(crate) fn open(&self, text: &str) {
        self.gate(text).add_permits(1);
    }

    fn gate(&self, text: &str) -> Arc<Semaphore> {
        let mut gates = self.gates.lock().unwrap();
        let gate = gates.entry(text.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0)));
        Arc::clone(gate)
    }
}

impl Agent for Gated {
    fn answer(&self, turn: Turn, replies: Replies) -> BoxFuture<'_, Result<(), AgentError>> {
        Box::pin(async move {
            replies.text("begun").await?;
            let gate = self.gate(&turn.inbound.text);
            gate.acquire().await.unwrap().forget();
            replies.text(turn.inbound.text).await
        })
    }
}
