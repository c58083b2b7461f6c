//! How a stranger becomes somebody who is heard: they get a code, and say it to
//! somebody who approves of it.
//!
//! ```text
//!  stranger ──admit──▶ no approval ──▶ a code, once      ──▶ Challenge
//!                                      the code they have ──▶ nothing
//!                                      three others wait  ──▶ nothing
//!  hongyan pairing approve CODE ──▶ an approval ──admit──▶ heard
//! ```
//!
//! All of it lies in the gateway's store and is looked up each time, so that an
//! approval by another process holds from the next message on.

use std::path::Path;

use contract::{AccountId, ChannelId, Conversation, PeerId, Sender};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::store::{Store, elsewhere, now_ms};

mod code;
mod words;

pub(crate) use self::code::Code;
pub use self::words::APPROVED;
pub(crate) use self::words::challenge;

/// How long a code can be approved of, in milliseconds.
pub(crate) const CODE_LIFE_MS: i64 = 3_600_000;
/// How many strangers of one account have a code at once.
pub(crate) const MOST_PENDING: usize = 3;

/// Strangers who wait, and those who were approved. Clones share it; it works
/// beside a gateway that runs in another process.
#[derive(Clone)]
pub struct Pairing {
    store: Store,
}

/// A stranger who has a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PairingRequest {
    /// Who.
    pub id: PeerId,
    /// The code.
    pub code: String,
    /// Since when, in ISO 8601.
    pub created_at: String,
    /// When they wrote last.
    pub last_seen_at: String,
    /// What else is known.
    pub meta: PairingMeta,
}

/// What else is known of a stranger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PairingMeta {
    /// To which account they wrote.
    pub account_id: AccountId,
}

/// Somebody who was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// On which account.
    pub account_id: String,
    /// Who.
    pub id: PeerId,
    /// When, in milliseconds since 1970.
    pub approved_at_ms: i64,
}

/// What a store of another program says of approvals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The version that the store gives itself.
    pub version: i64,
    /// Who was approved there; `None` when it has no table of approvals that
    /// could be understood.
    pub approvals: Option<Vec<Conversation>>,
}

impl Elsewhere {
    /// Reads a store that another program may be writing. Nothing is changed
    /// there. Blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read(store: &Path) -> Result<Self, StoreError> {
        elsewhere::read(store)
    }
}

/// What is done with a stranger's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// They were approved: it is heard.
    Approved,
    /// It is answered with a code.
    Challenge(String),
    /// They have had their code.
    Waits,
    /// Enough others have one.
    TooManyWait,
}

impl Pairing {
    /// Opens the store of a gateway, which may be running; creates it if need be.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub async fn open(store: &Path) -> Result<Self, StoreError> {
        Store::open(store).await.map(Self::of)
    }

    pub(crate) fn of(store: Store) -> Self {
        Self { store }
    }

    /// Returns who waits on a channel, or on one account of it, the longest first.
    ///
    /// # Errors
    ///
    /// When the store fails; so for all others here.
    pub async fn requests(
        &self,
        channel: &ChannelId,
        account: Option<&AccountId>,
    ) -> Result<Vec<PairingRequest>, StoreError> {
        self.store.pairing_requests(channel, account, now_ms()).await
    }

    /// Approves of whoever has a code, in any case; when it returns, they are
    /// heard. Returns who it was, and `None` when nobody has the code, or no longer.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn approve(
        &self,
        channel: &ChannelId,
        account: Option<&AccountId>,
        code: &str,
    ) -> Result<Option<PairingRequest>, StoreError> {
        self.store.settle_request(channel, account, code, true, now_ms()).await
    }

    /// Takes a code back. Whoever had it gets another one with their next
    /// message. Returns who it was.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn reject(
        &self,
        channel: &ChannelId,
        account: Option<&AccountId>,
        code: &str,
    ) -> Result<Option<PairingRequest>, StoreError> {
        self.store.settle_request(channel, account, code, false, now_ms()).await
    }

    /// Returns who was approved on a channel, or on one account of it.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn approvals(
        &self,
        channel: &ChannelId,
        account: Option<&AccountId>,
    ) -> Result<Vec<Approval>, StoreError> {
        self.store.approvals(channel, account).await
    }

    /// Approves of a peer who never asked, such as one that another program
    /// has admitted. `*` approves of nobody.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn approve_peer(&self, conversation: &Conversation) -> Result<(), StoreError> {
        self.approve_peers(vec![conversation.clone()]).await.map(drop)
    }

    /// Approves of peers, of all or of none, and returns how many were not
    /// approved before. `*` approves of nobody.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn approve_peers(
        &self,
        conversations: Vec<Conversation>,
    ) -> Result<usize, StoreError> {
        self.store.add_approvals(conversations, now_ms()).await
    }

    /// Takes an approval back and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store fails; then nothing has changed.
    pub async fn remove_approval(&self, conversation: &Conversation) -> Result<bool, StoreError> {
        self.store.remove_approval(conversation).await
    }

    /// Says whether a peer was approved.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn is_approved(&self, conversation: &Conversation) -> Result<bool, StoreError> {
        self.store.is_approved(conversation)
    }

    /// Decides about a message of somebody whom the settings do not name. Asked
    /// again about the same turn, it decides the same.
    pub(crate) async fn meet(&self, sender: &Sender) -> Result<Meeting, StoreError> {
        if self.store.is_approved(&sender.conversation)? {
            return Ok(Meeting::Approved);
        }
        self.store.meet_stranger(sender, now_ms()).await
    }

    /// Closes the store. Only for one that was opened here.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
