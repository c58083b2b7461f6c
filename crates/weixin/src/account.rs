//! One account that runs: its monitor, its lanes and its typing indicators.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contract::{AccountId, AccountState, AccountStatus, ChannelId, Host, Probe};
use futures_util::FutureExt as _;
use ilink::{Client, UserId};
use ledger::LedgerError;
use mediafile::remote::Fetcher;
use tokio::time::{Instant, timeout};

use crate::account_id::bot_id;
use crate::credentials::Credentials;
use crate::budget::Budgets;
use crate::delivery::Delivery;
use crate::desk::Desk;
use crate::intake::{Intake, Turns};
use crate::lanes::Lanes;
use crate::monitor::{Monitor, announce};
use crate::news::News;
use crate::packing::Packing;
use crate::notes::Notes;
use crate::pulse::Pulse;
use crate::received_files::ReceivedFiles;
use crate::status::{Health, Snapshot};
use crate::store::Counts;
use crate::tasks::Tasks;
use crate::typing::Typing;

/// How long the farewell may take on top of the grace.
const FAREWELL: Duration = Duration::from_millis(500);
/// How often the drain looks whether all has left.
const LOOK: Duration = Duration::from_millis(20);

/// A running account.
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) credentials: Credentials,
    pub(crate) typing: Typing,
    client: Client,
    desk: Desk,
    news: News,
    budgets: Budgets,
    health: Health,
    notes: Notes,
    delivery: Lanes<UserId>,
    receiving: Tasks,
    sending: Tasks,
}

/// What an account is built from.
pub(crate) struct Parts {
    pub(crate) channel: ChannelId,
    pub(crate) id: AccountId,
    pub(crate) credentials: Credentials,
    pub(crate) client: Client,
    pub(crate) desk: Desk,
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) turns: Turns,
    pub(crate) files: PathBuf,
    pub(crate) received: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) hold: Duration,
    pub(crate) pulse: Pulse,
}

impl Account {
    /// Starts to poll, and takes up what an earlier run left.
    pub(crate) async fn start(parts: Parts) -> Result<Self, LedgerError> {
        let Parts { channel, id, credentials, client, desk, fetcher, host, turns, .. } = parts;
        let Parts { files, received, hold, .. } = parts;
        let Desk { store, clock, settings, .. } = desk.clone();
        let news = News::new(id.clone(), Arc::clone(&host), desk.sayings.clone());
        let budgets = Budgets::new(store.line(&id).await?.as_deref());
        store.release(&id).await?;
        let Parts { dir, pulse, .. } = parts;
        let (receiving, sending) = (Tasks::new(), Tasks::new());
        let health = observed(&id, &pulse.notes);

        let owner = credentials.user_id.clone();
        let intake = Arc::new(Intake {
            channel,
            account: id.clone(),
            owner,
            store: store.clone(),
            host,
            turns: turns.clone(),
            received: ReceivedFiles { client: client.clone(), dir: received },
        });
        let intake = Lanes::new(receiving.clone(), clock.clone(), move |peer| {
            let intake = Arc::clone(&intake);
            async move {
                intake.drain(peer).await;
                None
            }
            .boxed()
        });
        let delivery = Arc::new(Delivery {
            account: id.clone(),
            client: client.clone(),
            store: store.clone(),
            clock: clock.clone(),
            settings,
            budgets: budgets.clone(),
            packing: Packing { client: client.clone(), files: files.clone(), fetcher },
            files,
            turns,
            news: news.clone(),
        });
        let delivery = Lanes::new(sending.clone(), clock, move |peer| {
            let delivery = Arc::clone(&delivery);
            async move { delivery.drain(peer).await }.boxed()
        });

        let monitor = Monitor {
            account: id.clone(),
            bot: bot_id(&id),
            client: client.clone(),
            store: store.clone(),
            health: health.clone(),
            intake: intake.clone(),
            token: credentials.token.clone(),
            dir,
            hold,
            pulse: pulse.clone(),
        };
        receiving.spawn("monitor", monitor.run(receiving.cancellation()));
        // Beside the first poll, which must not wait for it.
        let (cancel, announced) = (receiving.cancellation(), (id.clone(), client.clone()));
        receiving.spawn("announce", async move {
            cancel.run_until_cancelled(announce(&announced.0, &announced.1)).await;
        });
        for talk in store.waiting_outbound(&id).await? {
            delivery.wake(talk.peer);
        }
        for talk in store.waiting_inbound(&id).await? {
            intake.wake(talk.peer);
        }
        let typing = Typing::new(client.clone(), store, sending.clone());
        let notes = pulse.notes;
        Ok(Self {
            id,
            credentials,
            typing,
            client,
            desk,
            news,
            budgets,
            health,
            notes,
            delivery,
            receiving,
            sending,
        })
    }

    /// Makes sure that a peer's replies leave.
    pub(crate) fn wake_delivery(&self, peer: UserId) {
        self.delivery.wake(peer);
    }

    /// Stops receiving at once, lets replies leave for at most `grace`, and
    /// says farewell to the backend.
    pub(crate) async fn stop(&self, grace: Duration) {
        self.receiving.cancel();
        self.receiving.ended().await;
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
        if let Err(err) = self.desk.store.note(vec![(self.id.clone(), self.health.snapshot())]).await {
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
        Ok(status(self.id.clone(), self.health.snapshot(), counts))
    }

    /// Asks the backend whether the account can be used now.
    pub(crate) async fn probe(&self) -> Probe {
        probe(&self.id, &self.client).await
    }
}

/// Makes the health of an account, of which every change is logged and noted.
fn observed(account: &AccountId, notes: &Notes) -> Health {
    let (id, changed) = (account.clone(), notes.clone());
    let health = Health::new(move |before, after| {
        tracing::info!(account = %id, ?before, ?after, "state changed");
        changed.changed();
    });
    notes.watch(account.clone(), health.clone());
    health
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
        failed: 0,
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
