//! The front door: the WeChat channel as a host sees it.

use std::sync::Arc;
use std::time::Duration;

use contract::{
    AccountId, AccountState, AccountStatus, Channel, ChannelError, ChannelId, Conversation, Host,
    LoggedOut, LoginDone, LoginFace, LoginRequest, OutboxAction, OutboxEntry, Outgoing, PeerStatus,
    Probe, Removed, Reply, SendReport, Signal, Target, TurnEnd, TurnId,
};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use ilink::client::Http;
use parking_lot::Mutex;

use crate::accounts::Accounts;
use crate::credentials::files::create_private_dir;
use crate::desk::Desk;
use crate::lock::Lock;
use crate::running::Running;
use crate::saying::Bell;
use crate::settings::{CHANNEL_ID, ChannelSettings, LiveSettings, Settings};
use crate::status::Snapshot;
use crate::store::{Counts, Store, Talk, storage};
use crate::targets::conversation;
use crate::{account, facing, metrics};

/// The WeChat channel. Clones share it.
#[derive(Clone)]
pub struct WeixinChannel {
    shared: Arc<Shared>,
}

struct Shared {
    live: LiveSettings,
    http: Http,
    /// Held while settings are applied: one after another.
    configuring: tokio::sync::Mutex<()>,
    // Held to look at or replace the running part, never across an await.
    running: Mutex<Option<Arc<Running>>>,
}

impl WeixinChannel {
    /// Makes the channel; nothing runs yet.
    #[must_use]
    pub fn new(settings: Settings, http: Http) -> Self {
        let live = LiveSettings::new(settings);
        let (configuring, running) = (tokio::sync::Mutex::default(), Mutex::default());
        Self { shared: Arc::new(Shared { live, http, configuring, running }) }
    }

    fn accounts(&self) -> Accounts {
        let settings = self.shared.live.now();
        Accounts::new(Settings::clone(&settings), self.shared.http.clone())
    }

    fn running(&self) -> Result<Arc<Running>, ChannelError> {
        self.shared.running.lock().clone().ok_or(ChannelError::Stopped)
    }

    /// Returns what can be asked whether the channel runs or not.
    fn desk(&self) -> Result<Desk, ChannelError> {
        if let Ok(running) = self.running() {
            return Ok(running.desk.clone());
        }
        let live = &self.shared.live;
        let settings = live.now();
        create_private_dir(&settings.files()).map_err(storage)?;
        let store = Store::open(&settings.store()).map_err(storage)?;
        Ok(Desk::new(live.clone(), store))
    }

    /// Makes sure that what was stored for a peer leaves. Says whether the
    /// channel runs, here or in another process.
    fn nudge(&self, talk: &Talk) -> Result<bool, ChannelError> {
        if let Ok(running) = self.running() {
            running.wake(talk);
            return Ok(true);
        }
        let dir = &self.shared.live.now().dir;
        Bell::of(dir).ring().map_err(storage)?;
        Ok(Lock::is_held(dir))
    }

    async fn start(&self, host: Arc<dyn Host>) -> Result<(), ChannelError> {
        // Settings that come meanwhile wait for what they concern.
        let _configuring = self.shared.configuring.lock().await;
        let Shared { live, http, .. } = &*self.shared;
        let running = Running::open(live.clone(), http, host).await?;
        // Known before the first message: its host answers through here.
        *self.shared.running.lock() = Some(Arc::clone(&running));
        running.start().await;
        Ok(())
    }

    async fn configure(&self, section: &serde_json::Value) -> Result<Vec<String>, ChannelError> {
        let (section, warnings) = ChannelSettings::parse(section)?;
        let mut warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        let Shared { live, configuring, .. } = &*self.shared;
        let _configuring = configuring.lock().await;
        let old = live.now();
        if old.section.credentials_key_file() != section.credentials_key_file() {
            warnings.push("credentialsKeyFile: holds from the next start on".to_owned());
        }
        live.configure(section);
        if let Ok(running) = self.running() {
            running.configured(&old).await?;
        }
        Ok(warnings)
    }

    async fn stop(&self, grace: Duration) {
        let Some(running) = self.shared.running.lock().take() else {
            return;
        };
        running.stop(grace).await;
    }

    /// Returns what is known without running: for processes that look from outside.
    async fn status_from_outside(&self) -> Result<Vec<AccountStatus>, ChannelError> {
        let settings = self.shared.live.now();
        let accounts = settings.registry().accounts().map_err(storage)?;
        let path = settings.store();
        if !path.exists() {
            let never = |account| {
                let health = Snapshot { state: AccountState::Stopped, last_poll_at_ms: None };
                account::status(account, health, Counts::default())
            };
            return Ok(accounts.into_iter().map(never).collect());
        }
        let is_running = Lock::is_held(&settings.dir);
        let store = Store::open(&path).map_err(storage)?;
        let mut statuses = Vec::new();
        for account in accounts {
            let stopped = Snapshot { state: AccountState::Stopped, last_poll_at_ms: None };
            let mut health = store.health(&account).await.map_err(storage)?.unwrap_or(stopped);
            if !is_running {
                health.state = AccountState::Stopped;
            }
            let counts = store.counts(&account).await.map_err(storage)?;
            let found = settings.registry().load(&account).ok().flatten();
            let name = settings.for_account(&account, found.as_ref()).name;
            statuses.push(AccountStatus { name, ..account::status(account, health, counts) });
        }
        Ok(statuses)
    }

    async fn probe_all(&self) -> Result<Vec<Probe>, ChannelError> {
        if let Ok(running) = self.running() {
            return Ok(running.probes().await);
        }
        let settings = self.shared.live.now();
        let registry = settings.registry();
        let mut known = Vec::new();
        for id in registry.accounts().map_err(storage)? {
            if let Some(found) = registry.load(&id).map_err(storage)? {
                let client = settings.account_client(self.shared.http.clone(), &id, &found);
                known.push((id, client));
            }
        }
        Ok(join_all(known.iter().map(|(id, client)| account::probe(id, client))).await)
    }
}

impl Channel for WeixinChannel {
    fn id(&self) -> ChannelId {
        ChannelId::from(CHANNEL_ID)
    }

    fn start(&self, host: Arc<dyn Host>) -> BoxFuture<'_, Result<(), ChannelError>> {
        self.start(host).boxed()
    }

    fn reply<'a>(
        &'a self,
        turn: &'a TurnId,
        reply: Reply,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        async move {
            let running = self.running()?;
            running.reply(turn, reply).await
        }
        .boxed()
    }

    fn signal<'a>(&'a self, turn: &'a TurnId, signal: Signal) -> BoxFuture<'a, ()> {
        async move {
            if let Ok(running) = self.running() {
                running.signal(turn, signal).await;
            }
        }
        .boxed()
    }

    fn finish<'a>(
        &'a self,
        turn: &'a TurnId,
        end: TurnEnd,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        async move {
            let running = self.running()?;
            running.finish(turn, end).await
        }
        .boxed()
    }

    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<SendReport, ChannelError>> {
        async move {
            let desk = self.desk()?;
            let (place, talk) = desk.say(outgoing).await?;
            let runs = self.nudge(&talk)?;
            desk.report(place, &talk, runs).await
        }
        .boxed()
    }

    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Conversation, ChannelError>> {
        async move { Ok(conversation(&self.desk()?.resolve(&target).await?)) }.boxed()
    }

    fn outbox(&self) -> BoxFuture<'_, Result<Vec<OutboxEntry>, ChannelError>> {
        async move { self.desk()?.outbox().await }.boxed()
    }

    fn act<'a>(
        &'a self,
        action: OutboxAction,
        ids: &'a [i64],
    ) -> BoxFuture<'a, Result<usize, ChannelError>> {
        async move {
            let n = self.desk()?.act(action, ids).await?;
            match self.running() {
                Ok(running) => running.wake_all().await,
                Err(_) => Bell::of(&self.shared.live.now().dir).ring().map_err(storage)?,
            }
            Ok(n)
        }
        .boxed()
    }

    fn peer<'a>(
        &'a self,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<Option<PeerStatus>, ChannelError>> {
        async move { self.desk()?.peer(conversation).await }.boxed()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerStatus>, ChannelError>> {
        async move { self.desk()?.peers().await }.boxed()
    }

    fn name_peer<'a>(
        &'a self,
        target: &'a Target,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Conversation, ChannelError>> {
        async move { self.desk()?.name_peer(target, name).await }.boxed()
    }

    fn configure(
        &self,
        section: serde_json::Value,
    ) -> BoxFuture<'_, Result<Vec<String>, ChannelError>> {
        async move { self.configure(&section).await }.boxed()
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, ChannelError>> {
        async move {
            let accounts = self.status().await?;
            let desk = self.desk()?;
            let mut text = metrics::text(&accounts, &desk.peers().await?, &desk.outbox().await?);
            // Counters live in the process that counts.
            if let Ok(running) = self.running() {
                metrics::polls(&mut text, &running.tallies());
            }
            Ok(text)
        }
        .boxed()
    }

    fn status(&self) -> BoxFuture<'_, Result<Vec<AccountStatus>, ChannelError>> {
        async move {
            match self.running() {
                Ok(running) => running.statuses().await,
                Err(_) => self.status_from_outside().await,
            }
        }
        .boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<Vec<Probe>, ChannelError>> {
        self.probe_all().boxed()
    }

    fn login<'a>(
        &'a self,
        request: LoginRequest,
        face: Arc<dyn LoginFace>,
    ) -> BoxFuture<'a, Result<LoginDone, ChannelError>> {
        async move {
            let settings = self.shared.live.now();
            facing::log_in(&settings, &self.shared.http, request, face).await
        }
        .boxed()
    }

    fn logout<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<LoggedOut, ChannelError>> {
        async move { self.accounts().called_off(account).await }.boxed()
    }

    fn set_enabled<'a>(
        &'a self,
        account: &'a str,
        enabled: bool,
    ) -> BoxFuture<'a, Result<AccountId, ChannelError>> {
        async move { self.accounts().switched(account, enabled) }.boxed()
    }

    fn remove<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Removed, ChannelError>> {
        async move { self.accounts().removed(account).await }.boxed()
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'_, ()> {
        self.stop(grace).boxed()
    }
}
