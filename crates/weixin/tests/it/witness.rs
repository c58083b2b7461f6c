//! A host that notes all that it is told, in order, and does nothing by itself.

use std::sync::Arc;

use contract::{
    AccountState, AccountStatus, Alert, Channel as _, Host, HostError, Inbound, Sender, Verdict,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use weixin::{Settings, WeixinChannel};

use crate::host::PATIENCE;

/// A channel, and what its host was told.
pub(crate) struct Witness {
    pub(crate) channel: WeixinChannel,
    told: Arc<watch::Sender<Told>>,
}

/// All that a host was told so far.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) messages: Vec<Inbound>,
    pub(crate) changes: Vec<AccountStatus>,
    pub(crate) alerts: Vec<Alert>,
    /// Whether each who asked was admitted.
    pub(crate) verdicts: Vec<(Sender, Verdict)>,
}

/// The half that the channel holds. Admits the owners of accounts.
struct Notes(Arc<watch::Sender<Told>>);

impl Host for Notes {
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        let verdict = if sender.is_owner { Verdict::Admit } else { Verdict::Refuse };
        self.0.send_modify(|told| told.verdicts.push((sender, verdict.clone())));
        async move { Ok(verdict) }.boxed()
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        self.0.send_modify(|told| told.messages.push(inbound));
        async { Ok(()) }.boxed()
    }

    fn changed(&self, status: AccountStatus) {
        self.0.send_modify(|told| told.changes.push(status));
    }

    fn alert(&self, alert: Alert) {
        self.0.send_modify(|told| told.alerts.push(alert));
    }
}

impl Witness {
    /// Starts a channel.
    pub(crate) async fn start(settings: Settings) -> Self {
        let channel = WeixinChannel::new(settings, crate::accounts::http());
        let told = Arc::new(watch::Sender::new(Told::default()));
        channel.start(Arc::new(Notes(Arc::clone(&told)))).await.unwrap();
        Self { channel, told }
    }

    /// Looks at what was told so far.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Told) -> T) -> T {
        at(&self.told.borrow())
    }

    /// Waits until what was told fits.
    pub(crate) async fn told(&self, what: &str, fits: impl FnMut(&Told) -> bool) {
        let mut told = self.told.subscribe();
        let waited = tokio::time::timeout(PATIENCE, told.wait_for(fits)).await;
        assert!(waited.is_ok(), "the host was never told: {what}");
    }

    /// Waits until the account that changed last stands there.
    pub(crate) async fn stands(&self, what: &str, fits: impl Fn(&AccountState) -> bool) {
        self.told(what, |told| told.changes.last().is_some_and(|last| fits(&last.state))).await;
    }
}
