//! What one account has to tell: to its host, and to people when something of
//! theirs went wrong.

use std::collections::HashSet;
use std::sync::Arc;

use contract::{AccountId, AccountStatus, Alert, Host};
use ilink::UserId;
use parking_lot::Mutex;

use crate::codes::{self, Notice};
use crate::governor::Alarm;
use crate::saying::Sayings;
use crate::store::Talk;

/// Tells for one account. Clones share what has been told.
#[derive(Clone)]
pub(crate) struct News {
    account: AccountId,
    host: Arc<dyn Host>,
    sayings: Sayings,
    // Held for a look-up, never across an await.
    suppressed: Arc<Mutex<HashSet<UserId>>>,
}

impl News {
    pub(crate) fn new(account: AccountId, host: Arc<dyn Host>, sayings: Sayings) -> Self {
        Self { account, host, sayings, suppressed: Arc::default() }
    }

    /// Tells the host that the account stands elsewhere than before.
    pub(crate) fn changed(&self, status: AccountStatus) {
        self.host.changed(status);
    }

    /// Tells the host what the governor found out about a peer.
    pub(crate) fn alarm(&self, talk: &Talk, alarm: Alarm) {
        match alarm {
            Alarm::Suppressed { .. } => self.suppressed.lock().insert(talk.peer.clone()),
            Alarm::Recovered => self.suppressed.lock().remove(&talk.peer),
            Alarm::DailyCapNear { .. } => false,
        };
        self.alert(alarm.code(), Some(&talk.peer));
    }

    /// Returns what tells for another account of the same host.
    pub(crate) fn of(&self, account: AccountId) -> Self {
        Self { account, ..self.clone() }
    }

    /// Recalls who seemed to see nothing when an earlier run ended.
    pub(crate) fn recall(&self, suppressed: impl IntoIterator<Item = UserId>) {
        self.suppressed.lock().extend(suppressed);
    }

    /// Tells the host that messages were given up because they came too late.
    pub(crate) fn expired(&self, n: u64) {
        let code = codes::EXPIRED;
        let text = format!("{n} × {}", codes::meaning(code));
        self.host.alert(Alert { account: self.account.clone(), code: code.to_owned(), text });
    }

    /// Tells the host something by its code.
    pub(crate) fn alert(&self, code: &'static str, peer: Option<&UserId>) {
        let text = match peer {
            Some(peer) => format!("{peer}: {}", codes::meaning(code)),
            None => codes::meaning(code).to_owned(),
        };
        self.host.alert(Alert { account: self.account.clone(), code: code.to_owned(), text });
    }

    /// Tells a peer, once for each thing, that something of theirs went wrong.
    /// The words are on disk when it returns; who calls makes sure that they leave.
    pub(crate) async fn apologise(&self, talk: &Talk, about: &str, notice: &Notice) {
        if let Err(err) = self.sayings.apology(talk, about, notice).await {
            let code = notice.code();
            tracing::error!(account = %self.account, code, error = %err, "nobody could be told");
        }
    }

    /// Returns how many peers seem to see nothing.
    pub(crate) fn n_suppressed(&self) -> u64 {
        self.suppressed.lock().len() as u64
    }
}
