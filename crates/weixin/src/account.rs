//! One account that runs: its monitor, its lanes and its typing indicators.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contract::{AccountId, AccountState, AccountStatus, ChannelId, Host, Probe};
use futures_util::FutureExt as _;
use ilink::{Client, UserId};
use ledger::LedgerError;
use mediafile::remote::Fetcher;
use parking_lot::Mutex;
use tasks::Tasks;
use tokio::time::{Instant, timeout};

use crate::account_id::bot_id;
use crate::budget::Budgets;
use crate::codes;
use crate::commands::DebugMode;
use crate::credentials::Credentials;
use crate::delivery::{Delivery, Parked};
use crate::desk::Desk;
use crate::intake::{Intake, LaneKey, Turns};
use crate::lanes::Lanes;
use crate::monitor::{Monitor, announce};
use crate::news::News;
use crate::notes::Notes;
use crate::packing::Packing;
use crate::pulse::Pulse;
use crate::quotes::Quotes;
use crate::received_files::ReceivedFiles;
use crate::settings::{AccountSettings, Told};
use crate::speaker::Speaker;
use crate::status::{Health, Snapshot, Tally};
use crate::store::Counts;
use crate::switch::Switch;
use crate::typing::{Caller, Typing};

/// How long the farewell may take on top of the grace.
const FAREWELL: Duration = Duration::from_millis(500);
/// How often the drain looks whether all has left.
const LOOK: Duration = Duration::from_millis(20);

/// A running account.
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) credentials: Credentials,
    pub(crate) typing: Typing,
    /// What it is told, which may change while it runs.
    // Held to read or replace it, never across an await.
    settings: Mutex<AccountSettings>,
    client: Client,
    desk: Desk,
    news: News,
    health: Health,
    notes: Notes,
    delivery: Lanes<UserId>,
    intake: Lanes<LaneKey>,
    turns: Turns,
    receiving: Tasks,
    sending: Tasks,
}

/// What an account is built from.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) channel: ChannelId,
    pub(crate) id: AccountId,
    pub(crate) credentials: Credentials,
    pub(crate) client: Client,
    pub(crate) desk: Desk,
    pub(crate) fetcher: Switch<Fetcher>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) turns: Turns,
    pub(crate) files: PathBuf,
    pub(crate) received: PathBuf,
    pub(crate) hold: Duration,
    pub(crate) pulse: Pulse,
    pub(crate) settings: AccountSettings,
    pub(crate) told: Told,
    pub(crate) quotes: Quotes,
    pub(crate) debug: DebugMode,
}

impl Account {
    /// Starts to poll, and takes up what an earlier run left.
    pub(crate) async fn start(parts: Parts) -> Result<Self, LedgerError> {
        let (receiving, sending) = (Tasks::default(), Tasks::default());
        let store = parts.desk.store.clone();
        let news =
            News::new(parts.id.clone(), Arc::clone(&parts.host), parts.desk.sayings(&parts.id));
        let budgets = Budgets::new(store.line(&parts.id).await?.as_deref());
        store.retry_now(&parts.id).await?;

        let parked = Parked::default();
        let delivery = parts.delivery(&sending, &news, &budgets, &parked);
        let intake = parts.intake(&receiving, &news, &delivery);
        let health = parts.observed(&news);
        let monitor = Monitor {
            account: parts.id.clone(),
            bot: bot_id(&parts.id),
            client: parts.client.clone(),
            store: store.clone(),
            health: health.clone(),
            intake: intake.clone(),
            delivery: delivery.clone(),
            parked: parked.clone(),
            clock: parts.desk.clock.clone(),
            token: parts.credentials.token.clone(),
            settings: parts.told.receiving.clone(),
            hold: parts.hold,
            pulse: parts.pulse.clone(),
        };
        news.recall(parts.desk.suppressed(&parts.id).await?);
        for talk in store.waiting_outbound(&parts.id).await? {
            parked.insert(&talk.peer);
            delivery.wake(talk.peer);
        }
        for lane in store.waiting_inbound(&parts.id).await? {
            intake.wake(lane);
        }
        receiving.spawn("monitor", monitor.run(receiving.cancellation()));
        // Beside the first poll, which must not wait for it.
        let cancel = receiving.cancellation();
        let (id, client) = (parts.id.clone(), parts.client.clone());
        receiving.spawn("announce", async move {
            cancel.run_until_cancelled(announce(&id, &client)).await;
        });
        let clock = parts.desk.clock.clone();
        let typing = Typing::new(Caller {
            client: parts.client.clone(),
            store,
            settings: parts.told.sending.clone(),
            budgets,
            clock,
            tasks: sending.clone(),
        });
        Ok(Self {
            id: parts.id,
            settings: Mutex::new(parts.settings),
            credentials: parts.credentials,
            typing,
            client: parts.client,
            desk: parts.desk,
            news,
            health,
            notes: parts.pulse.notes,
            delivery,
            intake,
            turns: parts.turns,
            receiving,
            sending,
        })
    }

    /// Returns what it was told last.
    pub(crate) fn settings(&self) -> AccountSettings {
        self.settings.lock().clone()
    }

    /// Notes what it is told from now on; its tasks look it up by themselves.
    pub(crate) fn tell(&self, settings: AccountSettings) {
        *self.settings.lock() = settings;
    }

    /// Makes sure that a peer's replies leave.
    pub(crate) fn wake_delivery(&self, peer: UserId) {
        self.delivery.wake(peer);
    }

    /// Makes sure that what a peer said while a turn ran is handed over.
    pub(crate) fn wake_intake(&self, peer: UserId) {
        self.intake.wake(LaneKey { peer, aside: false });
    }

    /// Stops receiving at once, lets replies leave for at most `grace`, and
    /// says farewell to the backend.
    pub(crate) async fn stop(&self, grace: Duration) {
        self.receiving.cancel();
        self.receiving.ended().await;
        let open = self.turns.rows(&self.id);
        if let Err(err) = self.desk.store.release(&self.id, open).await {
            tracing::warn!(account = %self.id, error = %err, "messages not put back; the next start does it");
        }
        if !self.drained(grace).await {
            tracing::warn!(account = %self.id, ?grace, "drain timed out; unsent replies stay queued");
        }
        self.sending.cancel();
        let farewell = async {
            self.sending.ended().await;
            if let Err(err) = self.client.notify_stop().await {
                tracing::debug!(account = %self.id, error = %err, "stop not announced");
            }
        };
        if timeout(FAREWELL, farewell).await.is_err() {
            tracing::debug!(account = %self.id, "stop not announced in time");
        }
        self.notes.forget(&self.id);
        self.health.update(|_| AccountState::Stopped);
        if let Err(err) =
            self.desk.store.note(vec![(self.id.clone(), self.health.snapshot())]).await
        {
            tracing::warn!(account = %self.id, error = %err, "stop not noted");
        }
    }

    async fn drained(&self, grace: Duration) -> bool {
        let deadline = Instant::now() + grace;
        loop {
            match self.desk.store.counts(&self.id).await {
                Ok(Counts { outbox: 0, .. }) => return true,
                Ok(_) if Instant::now() < deadline => tokio::time::sleep(LOOK).await,
                Ok(_) | Err(_) => return false,
            }
        }
    }

    /// Returns where the account stands.
    pub(crate) async fn status(&self) -> Result<AccountStatus, LedgerError> {
        let counts = self.desk.store.counts(&self.id).await?;
        let suppressed = self.news.n_suppressed();
        let name = self.settings.lock().name.clone();
        let status = status(self.id.clone(), self.health.snapshot(), counts);
        Ok(AccountStatus { name, suppressed, ..status })
    }

    /// Returns how its polls have ended.
    pub(crate) fn tally(&self) -> Tally {
        self.health.tally()
    }

    /// Asks the backend whether the account can be used now.
    pub(crate) async fn probe(&self) -> Probe {
        probe(&self.id, &self.client).await
    }
}

impl Parts {
    fn delivery(
        &self,
        tasks: &Tasks,
        news: &News,
        budgets: &Budgets,
        parked: &Parked,
    ) -> Lanes<UserId> {
        let (client, files) = (self.client.clone(), self.files.clone());
        let delivery = Arc::new(Delivery {
            account: self.id.clone(),
            client: client.clone(),
            store: self.desk.store.clone(),
            clock: self.desk.clock.clone(),
            settings: self.told.sending.clone(),
            budgets: budgets.clone(),
            packing: Packing { client, files: files.clone(), fetcher: self.fetcher.clone() },
            files,
            turns: self.turns.clone(),
            news: news.clone(),
            quotes: self.quotes.clone(),
            parked: parked.clone(),
        });
        Lanes::new(tasks.clone(), self.desk.clock.clone(), move |peer| {
            let delivery = Arc::clone(&delivery);
            async move { delivery.drain(peer).await }.boxed()
        })
    }

    fn intake(&self, tasks: &Tasks, news: &News, delivery: &Lanes<UserId>) -> Lanes<LaneKey> {
        let (client, dir) = (self.client.clone(), self.received.clone());
        let settings = self.told.receiving.clone();
        let received = ReceivedFiles { client, dir, settings: settings.clone() };
        let speaker = Speaker {
            news: news.clone(),
            sayings: self.desk.sayings(&self.id),
            delivery: delivery.clone(),
        };
        let intake = Arc::new(Intake {
            channel: self.channel.clone(),
            account: self.id.clone(),
            owner: self.credentials.user_id.clone(),
            settings,
            store: self.desk.store.clone(),
            host: Arc::clone(&self.host),
            turns: self.turns.clone(),
            received,
            quotes: self.quotes.clone(),
            debug: self.debug.clone(),
            speaker,
            clock: self.desk.clock.clone(),
        });
        Lanes::new(tasks.clone(), self.desk.clock.clone(), move |lane| {
            let intake = Arc::clone(&intake);
            async move { intake.drain(lane).await }.boxed()
        })
    }

    /// Makes the health of the account, of which every change is logged, noted
    /// and told to the host; that a person must log in is an alert.
    fn observed(&self, news: &News) -> Health {
        let (id, notes, news) = (self.id.clone(), self.pulse.notes.clone(), news.clone());
        let health = Health::new(move |before, after| {
            tracing::info!(account = %id, ?before, ?after, "state changed");
            notes.changed();
            let snapshot = Snapshot { state: after.clone(), last_poll_at_ms: None };
            news.changed(status(id.clone(), snapshot, Counts::default()));
            let needed = |state: &AccountState| matches!(state, AccountState::NeedsLogin { .. });
            if needed(after) && !needed(before) {
                news.alert(codes::NEEDS_LOGIN, None);
            }
        });
        self.pulse.notes.watch(self.id.clone(), health.clone());
        health
    }
}

/// Puts a status together.
pub(crate) fn status(account: AccountId, health: Snapshot, counts: Counts) -> AccountStatus {
    AccountStatus {
        account,
        name: None,
        state: health.state,
        last_poll_at_ms: health.last_poll_at_ms,
        last_inbound_at_ms: counts.last_inbound_at_ms,
        last_outbound_at_ms: counts.last_outbound_at_ms,
        inbox: counts.inbox,
        outbox: counts.outbox,
        parked: counts.parked,
        failed: counts.failed,
        suppressed: 0,
    }
}

/// Asks the backend with the one call that checks the token and changes nothing
/// but the bot's presence.
pub(crate) async fn probe(account: &AccountId, client: &Client) -> Probe {
    let started = Instant::now();
    let outcome = client.notify_start().await;
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (ok, detail) = match outcome {
        Ok(()) => (true, "the backend accepts the bot token".to_owned()),
        Err(err) => (false, err.to_string()),
    };
    Probe { account: account.clone(), ok, detail, took_ms }
}
