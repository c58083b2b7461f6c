//! Removing an account from this machine.

use std::io::ErrorKind;
use std::time::Duration;

use contract::{AccountId, AccountState};
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::{Accounts, AccountsError};
use crate::credentials::Credentials;
use crate::lock::Lock;
use crate::official;
use crate::store::{Store, Wiped};

/// How long the backend may take to hear that the bot leaves.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long a running channel may take to stop the account.
const STOPPING: Duration = Duration::from_secs(15);
/// How long it takes at most to notice that it should; until then a state that
/// says `stopped` may be an old one.
const NOTICING: Duration = Duration::from_millis(2_500);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The account.
    pub account: AccountId,
    /// Whether the backend has heard that the bot leaves.
    pub announced: bool,
    /// Rows that were deleted from the store.
    pub rows: usize,
    /// Media files that were deleted.
    pub files: usize,
}

/// An account that does not run any more.
pub(crate) struct Left {
    pub(crate) had_credentials: bool,
    /// Whether the backend has heard that the bot leaves.
    pub(crate) announced: bool,
}

impl Accounts {
    /// Removes everything that this machine keeps of an account: it is stopped,
    /// the backend is told, then messages, context tokens, names and media go,
    /// and the credentials last. WeChat keeps the chat's entry on the phone:
    /// only the person can delete it there.
    ///
    /// After a crash the account is still listed, stopped, and can be removed
    /// again.
    ///
    /// # Errors
    ///
    /// When a running channel does not stop the account, or something cannot be
    /// deleted.
    pub async fn remove(&self, account: &AccountId) -> Result<Removed, AccountsError> {
        let announced = self.leave(account).await?.announced;
        let (mut rows, mut files) = (0, 0);
        if let Some(store) = self.existing_store()? {
            let wiped = store.wipe_account(account).await?;
            store.close().await;
            rows = wiped.rows;
            files = self.remove_files(wiped).await?;
        }
        official::forget(&self.settings, account)?;
        self.registry().forget(account)?;
        Ok(Removed { account: account.clone(), announced, rows, files })
    }

    /// Stops an account, also in a channel that runs elsewhere, and tells the
    /// backend. Its files stay, switched off.
    pub(crate) async fn leave(&self, account: &AccountId) -> Result<Left, AccountsError> {
        let registry = self.registry();
        let credentials = registry.load(account).ok().flatten();
        let was_enabled = credentials.as_ref().is_none_or(|found| !found.disabled);
        if credentials.is_some() {
            registry.set_disabled(account, true)?;
        }
        if let Some(store) = self.existing_store()?.filter(|_| was_enabled) {
            let stopped = self.stopped(&store, account).await;
            store.close().await;
            stopped?;
        }
        let announced = match &credentials {
            Some(credentials) => self.says_farewell(account, credentials).await,
            None => false,
        };
        Ok(Left { had_credentials: credentials.is_some(), announced })
    }

    /// Waits until no running channel polls the account.
    async fn stopped(&self, store: &Store, account: &AccountId) -> Result<(), AccountsError> {
        let began = Instant::now();
        while Lock::is_held(&self.settings.dir) {
            let health = store.health(account).await?;
            let is_stopped = health.is_none_or(|health| health.state == AccountState::Stopped);
            if is_stopped && began.elapsed() >= NOTICING {
                break;
            }
            if began.elapsed() >= STOPPING {
                let secs = STOPPING.as_secs();
                return Err(AccountsError::StillRunning { account: account.clone(), secs });
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    async fn says_farewell(&self, account: &AccountId, credentials: &Credentials) -> bool {
        let client = self.settings.account_client(self.http.clone(), account, credentials);
        match timeout(FAREWELL, client.notify_stop()).await {
            Ok(Ok(())) => true,
            Ok(Err(err)) => {
                tracing::debug!(%account, error = %err, "farewell refused");
                false
            }
            Err(_) => false,
        }
    }

    async fn remove_files(&self, wiped: Wiped) -> Result<usize, AccountsError> {
        let mut n = 0;
        let copies = wiped.outbox_files.iter().map(|name| self.settings.files().join(name));
        let quoted = wiped.quoted_files.iter().map(|name| self.settings.quoted().join(name));
        for path in copies.chain(quoted) {
            match tokio::fs::remove_file(path).await {
                Ok(()) => n += 1,
                Err(err) if err.kind() == ErrorKind::NotFound => {}
                Err(err) => return Err(err.into()),
            }
        }
        let mut entries = match tokio::fs::read_dir(self.settings.received()).await {
            Ok(entries) => entries,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(n),
            Err(err) => return Err(err.into()),
        };
        let turns: std::collections::HashSet<i64> = wiped.turns.into_iter().collect();
        while let Some(entry) = entries.next_entry().await? {
            if turn_of(&entry.file_name().to_string_lossy()).is_some_and(|it| turns.contains(&it)) {
                tokio::fs::remove_file(entry.path()).await?;
                n += 1;
            }
        }
        Ok(n)
    }
}

/// Returns the inbox row in the name of a received file: `t<row>-<n>.jpg`.
fn turn_of(name: &str) -> Option<i64> {
    let (row, _) = name.strip_prefix('t')?.split_once('-')?;
    row.parse().ok()
}
