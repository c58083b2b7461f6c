//! What exists between start and stop: the accounts, and what hosts say to them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use contract::{
    AccountId, AccountStatus, ChannelError, ChannelId, Host, Probe, Reply, ReplyClass, Signal,
    TurnEnd, TurnId,
};
use futures_util::future::join_all;
use ilink::Backoff;
use ilink::client::Http;
use mediafile::remote::Fetcher;
use parking_lot::Mutex;
use tasks::Tasks;

use crate::account::{Account, Parts};
use crate::codes;
use crate::commands::DebugMode;
use crate::credentials::Credentials;
use crate::credentials::files::create_private_dir;
use crate::desk::Desk;
use crate::files::{sweep_outbox, sweep_received};
use crate::intake::Turns;
use crate::lock::Lock;
use crate::news::News;
use crate::official;
use crate::pulse::Pulse;
use crate::quotes::{Imported, Quotes};
use crate::saying::Bell;
use crate::settings::{AccountSettings, CHANNEL_ID, Change, LiveSettings, Settings};
use crate::status::Tally;
use crate::store::{Store, Talk, storage};
use crate::switch::Switch;
use crate::time::pause;

/// How often, and after which pauses, the store is asked again to keep something.
const TRIES: u32 = 5;
const AGAIN: Backoff = Backoff { min: Duration::from_millis(100), max: Duration::from_secs(2) };
/// How often the folder of credentials is looked at for logins.
const WATCH: Duration = Duration::from_secs(1);
/// How often what is done and old is forgotten.
const PRUNE: Duration = Duration::from_secs(60 * 60);

/// The running part of the channel.
pub(crate) struct Running {
    /// Where things lie, which never changes.
    settings: Arc<Settings>,
    live: LiveSettings,
    http: Http,
    pub(crate) desk: Desk,
    fetcher: Switch<Fetcher>,
    host: Arc<dyn Host>,
    turns: Turns,
    quotes: Quotes,
    debug: DebugMode,
    // Held for a map look-up, never across an await.
    accounts: Mutex<HashMap<AccountId, Arc<Account>>>,
    /// Held while accounts are started and stopped.
    reconciling: tokio::sync::Mutex<()>,
    pulse: Pulse,
    watching: Tasks,
    _lock: Lock,
}

impl Running {
    /// Takes the lock and opens the store; no account runs yet.
    pub(crate) async fn open(
        live: LiveSettings,
        http: &Http,
        host: Arc<dyn Host>,
    ) -> Result<Arc<Self>, ChannelError> {
        let settings = live.now();
        create_private_dir(&settings.files()).map_err(storage)?;
        create_private_dir(&settings.received()).map_err(storage)?;
        let lock = Lock::take(&settings.dir)?;
        let store = Store::open(&settings.store()).map_err(storage)?;
        store.recover().await.map_err(storage)?;
        let fetcher = Fetcher::new(settings.fetch_limits()).map_err(storage)?;
        let desk = Desk::new(live.clone(), store.clone());
        // Nobody writes yet, so a file without a row is left from a crash.
        sweep_outbox(&settings.files(), &store, Duration::ZERO).await;
        let watching = Tasks::default();
        let quotes = Quotes::open(store.clone(), live.clone()).map_err(storage)?;
        match quotes.import(&settings.dir.join("ref-messages.sqlite")).await {
            Ok(Imported { n: 0 }) => {}
            Ok(Imported { n }) => tracing::info!(n, "quotes of the official plugin taken over"),
            Err(err) => {
                tracing::warn!(error = %err, "quotes of the official plugin not taken over");
            }
        }
        Ok(Arc::new(Self {
            pulse: Pulse::start(&watching, &settings, http, &store),
            debug: DebugMode::load(&settings.dir),
            settings,
            live,
            http: http.clone(),
            desk,
            fetcher: Switch::new(fetcher),
            host,
            turns: Turns::default(),
            quotes,
            accounts: Mutex::default(),
            reconciling: tokio::sync::Mutex::default(),
            watching,
            _lock: lock,
        }))
    }

    /// Starts the accounts that there are, and from then on those that come.
    pub(crate) async fn start(self: &Arc<Self>) {
        let accounts = self.settings.registry().accounts().unwrap_or_default();
        official::take_over(&self.settings, &self.desk.store, &accounts).await;
        // Before it is read: what changes while it is read counts as news.
        let seen = modified(&self.list()).await;
        self.reconcile().await;
        let (running, cancel) = (Arc::clone(self), self.watching.cancellation());
        self.watching.spawn("credentials", async move {
            cancel.run_until_cancelled(running.watch(seen)).await;
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

    /// Returns how the polls of each account ended, in the order of their ids.
    pub(crate) fn tallies(&self) -> Vec<(AccountId, Tally)> {
        let mut tallies: Vec<_> =
            self.all().iter().map(|account| (account.id.clone(), account.tally())).collect();
        tallies.sort_by(|a, b| a.0.cmp(&b.0));
        tallies
    }

    /// Asks the backend about all accounts side by side.
    pub(crate) async fn probes(&self) -> Vec<Probe> {
        let accounts = self.all();
        join_all(accounts.iter().map(|account| account.probe())).await
    }

    fn all(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().values().cloned().collect()
    }

    /// Takes the settings that have just been replaced: what cannot change under
    /// a poll restarts its account, everything else holds at once.
    pub(crate) async fn configured(&self, old: &Settings) -> Result<(), ChannelError> {
        let new = self.live.now();
        if old.networks() != new.networks() {
            self.fetcher.set(Fetcher::new(new.fetch_limits()).map_err(storage)?);
        }
        self.reconcile().await;
        Ok(())
    }

    /// Starts accounts that appear, stops those that vanish, restarts those
    /// whose credentials or clients changed, tells others what changed for
    /// them, and leaves all the rest alone.
    async fn reconcile(&self) {
        let _one_at_a_time = self.reconciling.lock().await;
        if self.watching.cancellation().is_cancelled() {
            return;
        }
        let wanted = self.wanted();
        let gone: Vec<_> = {
            let mut running = self.accounts.lock();
            let keep = |id: &AccountId, account: &Arc<Account>| {
                wanted.get(id).is_some_and(|(found, settings)| {
                    same_login(found, &account.credentials)
                        && Change::between(&account.settings(), settings) != Change::Restart
                })
            };
            let gone = running.extract_if(|id, account| !keep(id, account));
            gone.map(|(_, account)| account).collect()
        };
        join_all(gone.iter().map(|account| account.stop(Duration::ZERO))).await;
        for account in gone {
            self.live.forget(&account.id);
        }
        for (id, (credentials, settings)) in wanted {
            match self.account(&id) {
                Some(account) => self.tell(&account, settings).await,
                None => self.start_account(id, credentials, settings).await,
            }
        }
    }

    /// Tells an account that runs what it is told now.
    async fn tell(&self, account: &Account, settings: AccountSettings) {
        if account.settings() == settings {
            return;
        }
        tracing::info!(account = %account.id, "settings applied");
        self.live.tell(&account.id, settings.clone());
        account.tell(settings);
        // What waited by the old limits is looked at by the new ones.
        self.wake_deliveries(account).await;
    }

    /// Returns the accounts that are to run, and what they are told.
    fn wanted(&self) -> HashMap<AccountId, (Credentials, AccountSettings)> {
        let (registry, settings) = (self.settings.registry(), self.live.now());
        let ids = registry.accounts().unwrap_or_else(|err| {
            tracing::error!(error = %err, "the list of accounts cannot be read");
            self.accounts.lock().keys().cloned().collect()
        });
        let load = |id: &AccountId| match registry.load(id) {
            Ok(found) => found,
            Err(err) => {
                tracing::error!(account = %id, error = %err, "credentials cannot be read");
                // What runs goes on with what it has.
                Some(self.account(id)?.credentials.clone())
            }
        };
        let wanted = |id: AccountId| {
            let found = load(&id)?;
            let own = settings.for_account(&id, Some(&found));
            (own.enabled && !found.disabled).then_some((id, (found, own)))
        };
        ids.into_iter().filter_map(wanted).collect()
    }

    async fn start_account(
        &self,
        id: AccountId,
        credentials: Credentials,
        settings: AccountSettings,
    ) {
        // Before anything of it looks them up.
        self.live.tell(&id, settings.clone());
        let parts = self.parts(id.clone(), credentials, settings);
        match Account::start(parts).await {
            Ok(account) => {
                tracing::info!(account = %id, "account started");
                self.accounts.lock().insert(id, Arc::new(account));
            }
            Err(err) => {
                tracing::error!(account = %id, error = %err, "account not started");
                self.live.forget(&id);
            }
        }
    }

    fn parts(&self, id: AccountId, credentials: Credentials, settings: AccountSettings) -> Parts {
        Parts {
            channel: ChannelId::from(CHANNEL_ID),
            client: settings.client(self.http.clone()).with_token(credentials.token.clone()),
            told: self.live.of(&id),
            id,
            credentials,
            settings,
            desk: self.desk.clone(),
            fetcher: self.fetcher.clone(),
            host: Arc::clone(&self.host),
            turns: self.turns.clone(),
            files: self.settings.files(),
            received: self.settings.received(),
            hold: self.settings.hold,
            pulse: self.pulse.clone(),
            quotes: self.quotes.clone(),
            debug: self.debug.clone(),
        }
    }

    /// Gives up what is no longer worth sending, and says so once.
    async fn expire(&self) {
        let expired = self.desk.store.expire(codes::EXPIRED, self.desk.clock.now_ms()).await;
        let expired = expired.unwrap_or_else(|err| {
            tracing::warn!(error = %err, "late messages not given up");
            Vec::new()
        });
        for (account, n) in expired {
            let sayings = self.desk.sayings(&account);
            News::new(account, Arc::clone(&self.host), sayings).expired(n);
        }
    }

    /// Every change of the accounts touches this file.
    fn list(&self) -> PathBuf {
        self.settings.dir.join("accounts.json")
    }

    /// Looks for logins that other processes make, and keeps the store small.
    async fn watch(&self, mut seen: Option<SystemTime>) {
        let bell = Bell::of(&self.settings.dir);
        let mut rung = bell.rung().await;
        let mut pruned_at = None;
        loop {
            if pruned_at.is_none_or(|at: Instant| at.elapsed() > PRUNE) {
                pruned_at = Some(Instant::now());
                self.expire().await;
                if let Err(err) = self.desk.store.prune(self.desk.clock.now_ms()).await {
                    tracing::warn!(error = %err, "old rows not forgotten");
                }
                sweep_outbox(&self.settings.files(), &self.desk.store, PRUNE).await;
                sweep_received(&self.settings.received()).await;
                self.quotes.prune(self.desk.clock.now_ms(), PRUNE).await;
            }
            tokio::time::sleep(WATCH).await;
            let now = modified(&self.list()).await;
            if now != seen {
                seen = now;
                self.reconcile().await;
            }
            let now = bell.rung().await;
            if now != rung {
                rung = now;
                self.wake_all().await;
            }
        }
    }

    pub(crate) async fn reply(&self, id: &TurnId, reply: Reply) -> Result<(), ChannelError> {
        let turn = self.turns.get(id).ok_or_else(|| ChannelError::NoSuchTurn(id.clone()))?;
        let (sayings, in_turn) = (self.desk.sayings(&turn.talk.account), turn.in_turn());
        insist(|| sayings.reply(&in_turn, reply.clone())).await?;
        self.wake(&turn.talk);
        if reply.class == ReplyClass::Question {
            self.turns.ask(id);
            if let Some(account) = self.account(&turn.talk.account) {
                account.wake_intake(turn.talk.peer.clone());
            }
        }
        Ok(())
    }

    pub(crate) async fn signal(&self, id: &TurnId, signal: Signal) {
        let Some(turn) = self.turns.get(id) else {
            return;
        };
        if signal == Signal::Working {
            if let Some(account) = self.account(&turn.talk.account) {
                account.typing.begin(&turn.talk, turn.row);
            }
            return;
        }
        let sayings = self.desk.sayings(&turn.talk.account);
        if !sayings.settings.now().reply_progress_messages {
            return;
        }
        match sayings.progress(&turn.in_turn(), signal).await {
            Ok(()) => self.wake(&turn.talk),
            Err(err) => tracing::warn!(turn = %id, error = %err, "progress not told"),
        }
    }

    pub(crate) async fn finish(&self, id: &TurnId, end: TurnEnd) -> Result<(), ChannelError> {
        let turn = self.turns.get(id).ok_or_else(|| ChannelError::NoSuchTurn(id.clone()))?;
        insist(|| async { self.desk.store.finish(turn.row).await.map_err(storage) }).await?;
        self.turns.close(id);
        if let Some(trace) = &turn.trace {
            let report = trace.report(self.desk.clock.now_ms());
            match self.desk.sayings(&turn.talk.account).debug_report(&turn.in_turn(), report).await
            {
                Ok(()) => self.wake(&turn.talk),
                Err(err) => tracing::warn!(turn = %id, error = %err, "debug report not given"),
            }
        }
        if let Some(account) = self.account(&turn.talk.account) {
            account.typing.done(&turn.talk.peer, turn.row);
            account.wake_intake(turn.talk.peer.clone());
        }
        if let TurnEnd::Failed { reason } = end {
            tracing::warn!(turn = %id, account = %turn.talk.account, reason, "turn failed");
        }
        Ok(())
    }

    /// Makes sure that what waits for a peer leaves.
    pub(crate) fn wake(&self, talk: &Talk) {
        if let Some(account) = self.account(&talk.account) {
            account.wake_delivery(talk.peer.clone());
        }
    }

    /// Makes sure that all that waits leaves: another process may have brought it.
    pub(crate) async fn wake_all(&self) {
        for account in self.all() {
            self.wake_deliveries(&account).await;
        }
    }

    async fn wake_deliveries(&self, account: &Account) {
        match self.desk.store.waiting_outbound(&account.id).await {
            Ok(talks) => talks.into_iter().for_each(|talk| account.wake_delivery(talk.peer)),
            Err(err) => tracing::warn!(error = %err, "the outbox was not looked at"),
        }
    }

    fn account(&self, id: &AccountId) -> Option<Arc<Account>> {
        self.accounts.lock().get(id).cloned()
    }

    pub(crate) async fn stop(&self, grace: Duration) {
        self.watching.cancel();
        self.watching.ended().await;
        let _no_more_starts = self.reconciling.lock().await;
        self.turns.close_all();
        let accounts: Vec<_> = self.accounts.lock().drain().map(|(_, account)| account).collect();
        join_all(accounts.iter().map(|account| account.stop(grace))).await;
        let ids: Vec<_> = accounts.iter().map(|account| account.id.clone()).collect();
        official::write_back(&self.settings, &self.desk.store, &ids).await;
        self.desk.store.close().await;
    }
}

fn same_login(a: &Credentials, b: &Credentials) -> bool {
    a.token == b.token && a.base_url == b.base_url && a.user_id == b.user_id
}

/// Repeats what the store refuses for a moment: a turn whose reply or end is not
/// kept stays open until the next start.
async fn insist<T, F>(job: impl Fn() -> F) -> Result<T, ChannelError>
where
    F: Future<Output = Result<T, ChannelError>>,
{
    let mut failures = 0;
    loop {
        match job().await {
            Err(ChannelError::Storage(err)) if failures < TRIES => {
                failures += 1;
                tracing::warn!(failures, error = %err, "the store refused; trying again");
                pause(AGAIN.delay(failures, None)).await;
            }
            done => return done,
        }
    }
}

async fn modified(path: &Path) -> Option<SystemTime> {
    tokio::fs::metadata(path).await.and_then(|meta| meta.modified()).ok()
}
