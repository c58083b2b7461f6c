//! Turns stored messages into what a host understands, and hands them over.
//!
//! One conversation at a time in order, conversations side by side. Nothing is
//! done for a sender before the host has admitted them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{
    AccountId, ChannelId, Conversation, Host, HostError, Inbound, Lane, PeerId, Quote, Sender,
    TurnId, Verdict,
};
use ilink::wire::{self, Item};
use ilink::{Backoff, RunId, UserId};
use ledger::LedgerError;
use parking_lot::Mutex;

use crate::inbound::text_of;
use crate::received_files::ReceivedFiles;
use crate::saying::InTurn;
use crate::store::{InboxRow, Store, Talk};
use crate::time::pause;

const AGAIN: Backoff = Backoff { min: Duration::from_millis(100), max: Duration::from_secs(10) };

/// Hands the messages of one account over.
pub(crate) struct Intake {
    pub(crate) channel: ChannelId,
    pub(crate) account: AccountId,
    /// Who logged the account in.
    pub(crate) owner: Option<UserId>,
    pub(crate) store: Store,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) turns: Turns,
    pub(crate) received: ReceivedFiles,
}

/// The turns that hosts work on. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Turns {
    // Held for a map look-up, never across an await.
    open: Arc<Mutex<HashMap<TurnId, OpenTurn>>>,
}

/// A turn that a host works on.
#[derive(Clone, Debug)]
pub(crate) struct OpenTurn {
    /// Its inbox row.
    pub(crate) row: i64,
    pub(crate) talk: Talk,
    pub(crate) run_id: RunId,
}

impl OpenTurn {
    /// Names the turn for what is said in it.
    pub(crate) fn in_turn(&self) -> InTurn {
        InTurn { row: self.row, talk: self.talk.clone(), run_id: self.run_id.clone() }
    }
}

/// Why a message could not be handed over.
#[derive(Debug, thiserror::Error)]
enum NotHanded {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Store(#[from] LedgerError),
}

impl Intake {
    /// Hands over what waits in a conversation, in order.
    pub(crate) async fn drain(&self, peer: UserId) {
        let talk = Talk { account: self.account.clone(), peer };
        let mut failures = 0;
        loop {
            match self.hand_over_next(&talk).await {
                Ok(true) => failures = 0,
                Ok(false) => return,
                // The rest waits in the store for the next start.
                Err(NotHanded::Host(HostError::Stopping)) => return,
                Err(err) => {
                    failures += 1;
                    tracing::warn!(account = %self.account, failures, error = %err, "message not handed over; trying again");
                    pause(AGAIN.delay(failures, None)).await;
                }
            }
        }
    }

    /// Returns false when nothing waits.
    async fn hand_over_next(&self, talk: &Talk) -> Result<bool, NotHanded> {
        let Some(row) = self.store.claim(talk).await? else {
            return Ok(false);
        };
        let outcome = self.hand_over(talk, &row).await;
        if outcome.is_err() {
            self.turns.close(&turn_id(row.id));
            self.store.unclaim(row.id).await?;
        }
        outcome.map(|()| true)
    }

    async fn hand_over(&self, talk: &Talk, row: &InboxRow) -> Result<(), NotHanded> {
        let conversation = Conversation {
            channel: self.channel.clone(),
            account: self.account.clone(),
            peer: PeerId::new(talk.peer.as_str()),
        };
        let is_owner = self.owner.as_ref() == Some(&talk.peer);
        let sender = Sender { conversation: conversation.clone(), is_owner };
        match self.host.admit(sender).await? {
            Verdict::Admit => {}
            Verdict::Refuse => return Ok(self.store.finish(row.id).await?),
        }
        let turn =
            OpenTurn { row: row.id, talk: talk.clone(), run_id: RunId::new(row.run_id.as_str()) };
        let inbound = self.inbound(row, conversation).await;
        self.turns.open(inbound.turn.clone(), turn);
        Ok(self.host.receive(inbound).await?)
    }

    /// Fetches what belongs to a message.
    async fn inbound(&self, row: &InboxRow, conversation: Conversation) -> Inbound {
        let msg = message(row);
        let mut attachments = Vec::new();
        for (n, item) in items(&msg).enumerate() {
            attachments.extend(self.received.fetch(row.id, n, item).await);
        }
        Inbound {
            turn: turn_id(row.id),
            conversation,
            message_id: msg.message_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            sent_at_ms: row.sent_at_ms,
            text: text_of(&msg),
            attachments,
            quote: items(&msg).find_map(|item| quote(item.ref_msg.as_deref()?)),
            lane: Lane::Conversation,
            offers: row.offers,
        }
    }
}

impl Turns {
    fn open(&self, id: TurnId, turn: OpenTurn) {
        self.open.lock().insert(id, turn);
    }

    /// Says whether a turn of a conversation is open.
    pub(crate) fn is_busy(&self, talk: &Talk) -> bool {
        self.open.lock().values().any(|turn| turn.talk == *talk)
    }

    pub(crate) fn get(&self, id: &TurnId) -> Option<OpenTurn> {
        self.open.lock().get(id).cloned()
    }

    pub(crate) fn close(&self, id: &TurnId) -> Option<OpenTurn> {
        self.open.lock().remove(id)
    }
}

fn turn_id(row: i64) -> TurnId {
    TurnId::new(format!("t{row}"))
}

fn message(row: &InboxRow) -> wire::Message {
    // The row was written from a message, so it reads as one.
    wire::Message::from_slice(row.body.as_bytes()).unwrap_or_default()
}

fn items(msg: &wire::Message) -> impl Iterator<Item = &Item> {
    msg.item_list.iter().flat_map(|items| items.iter())
}

fn quote(quoted: &wire::RefMsg) -> Option<Quote> {
    let item = quoted.message_item.as_deref();
    let text = item.and_then(|item| item.text_item.as_ref()?.text.clone());
    let text = text.or_else(|| quoted.title.clone()).unwrap_or_default();
    let message_id = quoted.svr_id.as_ref().map(ToString::to_string);
    (message_id.is_some() || !text.is_empty()).then_some(Quote {
        message_id,
        author: None,
        text,
        attachments: Vec::new(),
    })
}
