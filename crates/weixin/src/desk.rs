//! What can be asked of the channel whether it runs or not: sends outside a
//! turn, the outbox, the people.

use std::path::PathBuf;
use std::time::Duration;

use contract::{
    AccountId, ChannelError, Conversation, Delivery, OutboxAction, OutboxEntry, Outgoing,
    PeerStatus, SendReport, Target,
};
use ilink::UserId;
use ledger::LedgerError;
use tokio::time::Instant;

use crate::budget::{Budget, Budgets};
use crate::clock::Clock;
use crate::credentials::Registry;
use crate::saying::Sayings;
use crate::settings::LiveSettings;
use crate::store::{KnownPeer, Store, Stored, Talk, storage};
use crate::targets::{Targets, conversation, talk};

/// How long a send is watched before it is reported.
const MOMENT: Duration = Duration::from_secs(3);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// Answers questions about the store of one channel. Clones share it.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) clock: Clock,
    live: LiveSettings,
    files: PathBuf,
}

impl Desk {
    /// Opens the desk of a channel's folder.
    pub(crate) fn new(live: LiveSettings, store: Store) -> Self {
        let channel = live.now();
        let (files, clock) = (channel.files(), channel.clock.clone());
        Self { store, registry: channel.registry(), clock, live, files }
    }

    /// Returns what puts an account's sayings into the outbox.
    pub(crate) fn sayings(&self, account: &AccountId) -> Sayings {
        Sayings {
            store: self.store.clone(),
            files: self.files.clone(),
            clock: self.clock.clone(),
            settings: self.live.of(account).sending,
        }
    }

    /// Finds whom a target means.
    pub(crate) async fn resolve(&self, target: &Target) -> Result<Talk, ChannelError> {
        Targets { store: &self.store, registry: &self.registry }.find(target).await
    }

    /// Stores something to say outside a turn. Returns its place and where it goes.
    pub(crate) async fn say(&self, outgoing: Outgoing) -> Result<(i64, Talk), ChannelError> {
        let talk = self.resolve(&outgoing.target).await?;
        let stored = self.sayings(&talk.account).send(&talk, outgoing).await?;
        let (Stored::New(place) | Stored::Before(place)) = stored;
        Ok((place, talk))
    }

    /// Tells what became of it; with `watch`, after it has had a moment to leave.
    pub(crate) async fn report(
        &self,
        place: i64,
        talk: &Talk,
        watch: bool,
    ) -> Result<SendReport, ChannelError> {
        let deadline = Instant::now() + MOMENT;
        loop {
            let entry = self.store.entry(place).await.map_err(storage)?;
            // Nothing but white space leaves no entry.
            let delivery = entry.map_or(Delivery::Sent, |entry| entry.delivery);
            if !watch || delivery != Delivery::Queued || Instant::now() >= deadline {
                return Ok(SendReport { id: place, conversation: conversation(talk), delivery });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Returns what waits, is parked or was given up.
    pub(crate) async fn outbox(&self) -> Result<Vec<OutboxEntry>, ChannelError> {
        self.store.entries().await.map_err(storage)
    }

    /// Drops or retries entries.
    pub(crate) async fn act(
        &self,
        action: OutboxAction,
        ids: &[i64],
    ) -> Result<usize, ChannelError> {
        let now_ms = self.clock.now_ms();
        match action {
            OutboxAction::Drop => self.store.drop_entries(ids).await,
            OutboxAction::Retry => self.store.retry_entries(ids, now_ms).await,
        }
        .map_err(storage)
    }

    /// Returns what is known of one peer.
    pub(crate) async fn peer(
        &self,
        conversation: &Conversation,
    ) -> Result<Option<PeerStatus>, ChannelError> {
        let known = self.store.known_peers(Some(&talk(conversation))).await.map_err(storage)?;
        Ok(self.told(known).pop())
    }

    /// Returns what is known of each peer.
    pub(crate) async fn peers(&self) -> Result<Vec<PeerStatus>, ChannelError> {
        let known = self.store.known_peers(None).await.map_err(storage)?;
        Ok(self.told(known))
    }

    fn told(&self, known: Vec<KnownPeer>) -> Vec<PeerStatus> {
        let now_ms = self.clock.now_ms();
        let told = known.into_iter().map(|peer| {
            let mut budget = Budget::read(peer.budget.as_deref());
            budget.heard(peer.last_inbound_at_ms, now_ms);
            let settings = self.live.of(&peer.talk.account).sending.now();
            let numbers = Budgets::new(None).numbers(&budget, &settings.limits, now_ms);
            PeerStatus {
                conversation: conversation(&peer.talk),
                name: peer.name,
                last_inbound_at_ms: peer.last_inbound_at_ms,
                window_left_ms: numbers.window_left_ms,
                sends_left: numbers.sends_left,
                unconfirmed: numbers.unconfirmed,
                suppressed: numbers.suppressed,
                waiting: peer.waiting,
                parked: peer.parked,
            }
        });
        told.collect()
    }

    /// Returns the peers of an account that seem to see nothing.
    pub(crate) async fn suppressed(&self, account: &AccountId) -> Result<Vec<UserId>, LedgerError> {
        let mut known = self.store.known_peers(None).await?;
        known.retain(|peer| peer.talk.account == *account);
        let (settings, now_ms) = (self.live.of(account).sending.now(), self.clock.now_ms());
        let is_suppressed = |budget: Option<&str>| {
            Budgets::new(None).numbers(&Budget::read(budget), &settings.limits, now_ms).suppressed
        };
        known.retain(|peer| is_suppressed(peer.budget.as_deref()));
        Ok(known.into_iter().map(|peer| peer.talk.peer).collect())
    }

    /// Gives a peer a name, or takes it away.
    pub(crate) async fn name_peer(
        &self,
        target: &Target,
        name: Option<&str>,
    ) -> Result<Conversation, ChannelError> {
        let talk = self.resolve(target).await?;
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        if let Some(name) = name {
            let others = self.store.peers_called(name).await.map_err(storage)?;
            if others.iter().any(|other| other.peer != talk.peer) {
                let among = others.iter().map(|other| other.peer.to_string()).collect();
                return Err(ChannelError::AmbiguousTarget { to: name.to_owned(), among });
            }
        }
        self.store.name_peer(&talk, name).await.map_err(storage)?;
        Ok(conversation(&talk))
    }
}
