//! What is done with accounts besides running them: listed, removed, carried
//! to another machine.
//!
//! All of it works while a channel runs on the same folder, in this process or
//! another, and while none does. What only concerns the files of credentials
//! (names, on and off) is a method of [`Registry`].

use contract::{AccountId, AccountState};
use ilink::UserId;
use ilink::client::Http;
use ledger::LedgerError;
use serde::Serialize;
use url::Url;

use crate::credentials::{CredentialsError, Entry, Registry};
use crate::lock::Lock;
use crate::settings::Settings;
use crate::store::Store;

mod archive;
mod carrying;
mod removal;
mod takeover;

pub use self::archive::{ArchiveError, LEAST_PASSPHRASE};
pub use self::carrying::{Import, Imported};
pub use self::removal::Removed;
pub use self::takeover::{TakenAccount, TakenOver, Takeover};

/// The accounts in one channel's folder.
#[derive(Clone, Debug)]
pub struct Accounts {
    settings: Settings,
    http: Http,
}

/// One account, as far as anyone may know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KnownAccount {
    /// The account.
    pub account: AccountId,
    /// The name given to it here.
    pub name: Option<String>,
    /// Whether it may run.
    pub enabled: bool,
    /// Where it stood last; stopped when no channel runs.
    #[serde(flatten)]
    pub state: AccountState,
    /// Where its backend is.
    pub base_url: Option<Url>,
    /// Who logged in.
    pub user_id: Option<UserId>,
    /// When its credentials were saved, as ISO 8601 text.
    pub saved_at: Option<String>,
    /// What is wrong with its files, in words.
    pub problem: Option<String>,
}

/// Something could not be done with accounts.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The credentials cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The store cannot be used.
    #[error("the channel's store cannot be used")]
    Store(#[from] LedgerError),
    /// A file of the account cannot be removed.
    #[error("a file of the account cannot be removed")]
    File(#[from] std::io::Error),
    /// The channel that runs does not let go of the account.
    #[error("the running channel has not stopped the account {account} within {secs} s")]
    StillRunning {
        /// The account.
        account: AccountId,
        /// How long was waited.
        secs: u64,
    },
    /// A channel runs on the folder.
    #[error("a channel is running on this folder")]
    Running,
    /// An archive cannot be made or read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl Accounts {
    /// Makes the handle; nothing is read yet.
    #[must_use]
    pub fn new(settings: Settings, http: Http) -> Self {
        Self { settings, http }
    }

    /// Returns the folder of credentials.
    #[must_use]
    pub fn registry(&self) -> Registry {
        self.settings.registry()
    }

    /// Returns all accounts in the order of their logins. One whose file is
    /// broken is listed with its problem.
    ///
    /// # Errors
    ///
    /// When the list or the store cannot be read.
    pub async fn list(&self) -> Result<Vec<KnownAccount>, AccountsError> {
        let store = self.existing_store()?;
        let is_running = Lock::is_held(&self.settings.dir);
        let mut infos = Vec::new();
        for entry in self.registry().entries()? {
            let health = match &store {
                Some(store) if is_running => store.health(&entry.account).await?,
                Some(_) | None => None,
            };
            let state = health.map_or(AccountState::Stopped, |health| health.state);
            infos.push(self.info(entry, state));
        }
        if let Some(store) = store {
            store.close().await;
        }
        Ok(infos)
    }

    fn info(&self, entry: Entry, state: AccountState) -> KnownAccount {
        let Entry { account, credentials, from_copy } = entry;
        let (found, problem) = match credentials {
            Ok(Some(found)) if from_copy => {
                let problem = "its file is missing or damaged; the copy beside it is used";
                (Some(found), Some(problem.to_owned()))
            }
            Ok(Some(found)) => (Some(found), None),
            Ok(None) => (None, Some("it has no credentials; log it in again".to_owned())),
            Err(err) => (None, Some(err.to_string())),
        };
        let own = self.settings.for_account(&account, found.as_ref());
        KnownAccount {
            account,
            name: own.name,
            enabled: own.enabled && found.as_ref().is_some_and(|found| !found.disabled),
            state,
            base_url: found.as_ref().and_then(|found| found.base_url.clone()),
            saved_at: found.as_ref().map(|found| found.saved_at.clone()),
            user_id: found.and_then(|found| found.user_id),
            problem,
        }
    }

    /// Opens the store if there is one: looking must not make any.
    fn existing_store(&self) -> Result<Option<Store>, LedgerError> {
        let path = self.settings.store();
        path.exists().then(|| Store::open(&path)).transpose()
    }
}
