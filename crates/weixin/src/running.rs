//! What exists between start and stop: the accounts, and what hosts say to them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use contract::{
    AccountId, AccountStatus, ChannelError, ChannelId, Content, Host, Probe, Reply, Signal, Source,
    ToolOutcome, TurnEnd, TurnId,
};
use futures_util::future::join_all;
use ilink::ClientId;
use ilink::client::Http;
use parking_lot::Mutex;

use crate::account::{Account, Parts};
use crate::credentials::{Credentials, create_private_dir};
use crate::files::{adopt, sweep_outbox, sweep_received};
use crate::intake::{OpenTurn, Turns};
use crate::lock::Lock;
use crate::settings::{CHANNEL_ID, Settings};
use crate::store::{Payload, ReplySlot, Store, storage};
use crate::tasks::Tasks;
use crate::time::now_ms;

/// How often the folder of credentials is looked at for logins.
const WATCH: Duration = Duration::from_secs(1);
/// How often what is done and old is forgotten.
const PRUNE: Duration = Duration::from_secs(60 * 60);

/// The running part of the channel.
pub(crate) struct Running {
    settings: Settings,
    http: Http,
    store: Store,
    host: Arc<dyn Host>,
    turns: Turns,
    // Held for a map look-up, never across an await.
    accounts: Mutex<HashMap<AccountId, Arc<Account>>>,
    watching: Tasks,
    _lock: Lock,
}

impl Running {
    /// Takes the lock and opens the store; no account runs yet.
    pub(crate) async fn open(
        settings: &Settings,
        http: &Http,
        host: Arc<dyn Host>,
    ) -> Result<Arc<Self>, ChannelError> {
        create_private_dir(&settings.files()).map_err(storage)?;
        create_private_dir(&settings.received()).map_err(storage)?;
        let lock = Lock::take(&settings.dir)?;
        let store = Store::open(&settings.store()).map_err(storage)?;
        store.recover().await.map_err(storage)?;
        // Nobody writes yet, so a file without a row is left from a crash.
        sweep_outbox(&settings.files(), &store, Duration::ZERO).await;
        Ok(Arc::new(Self {
            settings: settings.clone(),
            http: http.clone(),
            store,
            host,
            turns: Turns::default(),
            accounts: Mutex::default(),
            watching: Tasks::new(),
            _lock: lock,
        }))
    }

    /// Starts the accounts that there are, and from then on those that come.
    pub(crate) async fn start(self: &Arc<Self>) {
        self.reconcile().await;
        let (running, cancel) = (Arc::clone(self), self.watching.cancellation());
        self.watching.spawn("credentials", async move {
            cancel.run_until_cancelled(running.watch()).await;
        });
    }

    /// Returns where each account stands, in the order of their ids.
    pub(crate) async fn statuses(&self) -> Result<Vec<AccountStatus>, ChannelError> {
        let mut statuses = Vec::new();
        for account in self.all() {
            statuses.push(account.status().await.map_err(storage)?);
        }
        statuses.sort_by(|a, b| a.account.cmp(&b.account));
        Ok(statuses)
    }

    /// Asks the backend about all accounts side by side.
    pub(crate) async fn probes(&self) -> Vec<Probe> {
        let accounts = self.all();
        join_all(accounts.iter().map(|account| account.probe())).await
    }

    fn all(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().values().cloned().collect()
    }

    /// Starts accounts that appear, stops those that vanish, restarts those
    /// whose credentials changed, and leaves all others alone.
    async fn reconcile(&self) {
        let wanted = self.wanted();
        let gone: Vec<_> = {
            let mut running = self.accounts.lock();
            let keep = |id: &AccountId, account: &Arc<Account>| {
                wanted.get(id).is_some_and(|found| same_login(found, &account.credentials))
            };
            let gone = running.extract_if(|id, account| !keep(id, account));
            gone.map(|(_, account)| account).collect()
        };
        join_all(gone.iter().map(|account| account.stop(Duration::ZERO))).await;
        for (id, credentials) in wanted {
            if self.accounts.lock().contains_key(&id) {
                continue;
            }
            match self.start_account(id.clone(), credentials).await {
                Ok(account) => {
                    tracing::info!(account = %id, "account started");
                    self.accounts.lock().insert(id, Arc::new(account));
                }
                Err(err) => tracing::error!(account = %id, error = %err, "account not started"),
            }
        }
    }

    fn wanted(&self) -> HashMap<AccountId, Credentials> {
        let registry = self.settings.registry();
        let ids = registry.accounts().unwrap_or_else(|err| {
            tracing::error!(error = %err, "the list of accounts cannot be read");
            self.accounts.lock().keys().cloned().collect()
        });
        let load = |id: AccountId| match registry.load(&id) {
            Ok(found) => found.map(|credentials| (id, credentials)),
            Err(err) => {
                tracing::error!(account = %id, error = %err, "account left out");
                None
            }
        };
        ids.into_iter().filter_map(load).collect()
    }

    async fn start_account(
        &self,
        id: AccountId,
        credentials: Credentials,
    ) -> Result<Account, ledger::LedgerError> {
        let client = self.settings.client(self.http.clone(), credentials.base_url.clone());
        Account::start(Parts {
            channel: ChannelId::from(CHANNEL_ID),
            id,
            client: client.with_token(credentials.token.clone()),
            credentials,
            store: self.store.clone(),
            host: Arc::clone(&self.host),
            turns: self.turns.clone(),
            files: self.settings.files(),
            received: self.settings.received(),
            hold: self.settings.hold,
        })
        .await
    }

    /// Looks for logins that other processes make, and keeps the store small.
    async fn watch(&self) {
        let list = self.settings.dir.join("accounts.json");
        let mut seen = modified(&list).await;
        let mut pruned_at = None;
        loop {
            if pruned_at.is_none_or(|at: Instant| at.elapsed() > PRUNE) {
                pruned_at = Some(Instant::now());
                if let Err(err) = self.store.prune(now_ms()).await {
                    tracing::warn!(error = %err, "old rows not forgotten");
                }
                sweep_outbox(&self.settings.files(), &self.store, PRUNE).await;
                sweep_received(&self.settings.received()).await;
            }
            tokio::time::sleep(WATCH).await;
            let now = modified(&list).await;
            if now != seen {
                seen = now;
                self.reconcile().await;
            }
        }
    }

    pub(crate) async fn reply(&self, id: &TurnId, reply: Reply) -> Result<(), ChannelError> {
        let turn = self.turns.get(id).ok_or_else(|| ChannelError::NoSuchTurn(id.clone()))?;
        let payload = match reply.content {
            Content::Text(text) => Payload::Text(text),
            Content::Media(media) => {
                let file = uuid::Uuid::new_v4().to_string();
                let Source::File(path) = media.source else {
                    return Err(ChannelError::Stopped);
                };
                adopt(&path, &self.settings.files(), &file).await.map_err(|err| {
                    let path = path.display().to_string();
                    ChannelError::Media { path, reason: err.to_string() }
                })?;
                let kind = media.kind.unwrap_or(contract::MediaKind::File);
                Payload::Media { kind, name: media.name.unwrap_or_default(), file }
            }
        };
        let is_new = self.enqueue(&turn, Some(reply.number), &payload).await?;
        if let Payload::Media { file, .. } = payload
            && !is_new
        {
            // An earlier run of the turn has stored this reply with its own copy.
            let copy = self.settings.files().join(file);
            tokio::fs::remove_file(copy).await.map_err(storage)?;
        }
        Ok(())
    }

    pub(crate) async fn signal(&self, id: &TurnId, signal: Signal) {
        let Some(turn) = self.turns.get(id) else {
            return;
        };
        let payload = match signal {
            Signal::Working => {
                if let Some(account) = self.account(&turn) {
                    account.typing.begin(&turn.talk, turn.row);
                }
                return;
            }
            Signal::ToolStarted { tool, call_id } => Payload::ToolStarted { tool, call_id },
            Signal::ToolEnded { tool, call_id, outcome } => {
                let status = match outcome {
                    ToolOutcome::Completed => "completed",
                    ToolOutcome::Failed => "failed",
                    ToolOutcome::Blocked => "blocked",
                };
                Payload::ToolEnded { tool, call_id, status: status.to_owned() }
            }
        };
        if let Err(err) = self.enqueue(&turn, None, &payload).await {
            tracing::warn!(turn = %id, error = %err, "progress not told");
        }
    }

    pub(crate) async fn finish(&self, id: &TurnId, end: TurnEnd) -> Result<(), ChannelError> {
        let turn = self.turns.get(id).ok_or_else(|| ChannelError::NoSuchTurn(id.clone()))?;
        self.store.finish(turn.row).await.map_err(storage)?;
        self.turns.close(id);
        if let Some(account) = self.account(&turn) {
            account.typing.done(&turn.talk.peer, turn.row);
        }
        if let TurnEnd::Failed { reason } = end {
            tracing::warn!(turn = %id, account = %turn.talk.account, reason, "turn failed");
        }
        Ok(())
    }

    async fn enqueue(
        &self,
        turn: &OpenTurn,
        number: Option<u32>,
        payload: &Payload,
    ) -> Result<bool, ChannelError> {
        let now = now_ms();
        let slot = ReplySlot {
            talk: turn.talk.clone(),
            turn: turn.row,
            number,
            run_id: turn.run_id.clone(),
            client_id: ClientId::generate(CHANNEL_ID, now.unsigned_abs()),
        };
        let is_new = self.store.enqueue(slot, payload, now).await.map_err(storage)?;
        if let Some(account) = self.account(turn) {
            account.wake_delivery(turn.talk.peer.clone());
        }
        Ok(is_new)
    }

    fn account(&self, turn: &OpenTurn) -> Option<Arc<Account>> {
        self.accounts.lock().get(&turn.talk.account).cloned()
    }

    pub(crate) async fn stop(&self, grace: Duration) {
        self.watching.cancel();
        self.watching.ended().await;
        let accounts: Vec<_> = self.accounts.lock().drain().map(|(_, account)| account).collect();
        join_all(accounts.iter().map(|account| account.stop(grace))).await;
        self.store.close().await;
    }
}

fn same_login(a: &Credentials, b: &Credentials) -> bool {
    a.token == b.token && a.base_url == b.base_url && a.user_id == b.user_id
}

async fn modified(path: &Path) -> Option<SystemTime> {
    tokio::fs::metadata(path).await.and_then(|meta| meta.modified()).ok()
}
