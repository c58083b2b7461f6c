//! What the channel says on its own behalf while it receives.

use contract::ChannelError;
use ilink::UserId;

use crate::codes::Notice;
use crate::lanes::Lanes;
use crate::news::News;
use crate::saying::{InTurn, Sayings};
use crate::store::Talk;

/// Says it, and makes sure that it leaves.
pub(crate) struct Speaker {
    pub(crate) news: News,
    pub(crate) sayings: Sayings,
    pub(crate) delivery: Lanes<UserId>,
}

impl Speaker {
    /// Answers a command, a message each. Said twice for the same turn, nothing
    /// leaves twice.
    pub(crate) async fn answer(
        &self,
        turn: &InTurn,
        texts: Vec<String>,
    ) -> Result<(), ChannelError> {
        self.sayings.command(turn, texts).await?;
        self.delivery.wake(turn.talk.peer.clone());
        Ok(())
    }

    /// Tells a peer, once for each thing, that something of theirs went wrong.
    pub(crate) async fn apologise(&self, talk: &Talk, about: i64, notice: &Notice) {
        self.news.apologise(talk, &about.to_string(), notice).await;
        self.delivery.wake(talk.peer.clone());
    }
}
