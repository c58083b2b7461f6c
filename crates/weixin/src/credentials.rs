//! Credentials in the official plugin's files.
//!
//! ```text
//! accounts.json              ["b0f5860fdecb-im-bot"]
//! accounts/<account>.json    {"token", "savedAt", "baseUrl", "userId"}, ours: "alias", "disabled"
//! accounts/replaced/…        credentials that a newer login of the same person replaced
//! ….json.bak                 a copy of each, used when the file is missing or broken
//! ```
//!
//! So one can change between the official plugin and this one, in either
//! direction; unknown fields are kept on both sides of a read and a write. With
//! a [`StoreKey`] the files of accounts hold a sealed box instead, which the
//! official plugin takes for an account without a token.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use contract::AccountId;
use ilink::{BotToken, UserId};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::seal::{SealedBox, StoreKey};

pub(crate) mod files;
mod names;

pub use self::names::NameError;

use self::files::{Changing, Held};

/// What one login yielded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The account's credential.
    pub token: BotToken,
    /// When it was saved, as ISO 8601 text.
    #[serde(default)]
    pub saved_at: String,
    /// The base of the account's API calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<Url>,
    /// Who logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The name given to the account here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Whether the account is to stay stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// What other versions keep here.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// The folder of credentials.
#[derive(Clone, Debug)]
pub struct Registry {
    dir: PathBuf,
    key: Option<StoreKey>,
    /// Whether what is written is sealed, when there is a key.
    seals: bool,
}

/// One account as its file shows it.
#[derive(Debug)]
pub struct Entry {
    /// The account.
    pub account: AccountId,
    /// Its credentials, if there are any, or why they cannot be read.
    pub credentials: Result<Option<Credentials>, CredentialsError>,
    /// Whether they come from the copy, because the file is missing or broken.
    pub from_copy: bool,
}

/// Credentials cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file or folder cannot be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file does not hold what it should, and neither does its copy.
    #[error("{} is damaged; log the account in again to replace it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A file is encrypted and no key is known.
    #[error("{} is encrypted and no key is configured", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
    },
    /// A file is encrypted under another key.
    #[error("{} is encrypted under another key, or was changed", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// Another process does not stop changing the credentials.
    #[error("another process is changing the accounts and does not end: {}", path.display())]
    Busy {
        /// The lock that it holds.
        path: PathBuf,
    },
}

/// What stands in the file of an account.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Sealed { sealed: SealedBox },
    Plain(Box<Credentials>),
}

impl Registry {
    /// Uses a folder, which is created at the first save.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), key: None, seals: true }
    }

    /// Reads what is sealed under a key, and seals what it writes. Files that
    /// are not sealed are read as well.
    #[must_use]
    pub fn with_key(mut self, key: Option<StoreKey>) -> Self {
        self.key = key;
        self
    }

    /// Returns whether what is written is sealed.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.seals && self.key.is_some()
    }

    /// Returns the ids of all registered accounts, in the order of their logins.
    ///
    /// # Errors
    ///
    /// When the list exists and neither it nor its copy can be read.
    pub fn accounts(&self) -> Result<Vec<AccountId>, CredentialsError> {
        let path = self.list_path();
        let read = files::read(&path, |bytes| {
            serde_json::from_slice(bytes)
                .map_err(|source| CredentialsError::Damaged { path: path.clone(), source })
        });
        Ok(read?.map(|held| held.value).unwrap_or_default())
    }

    /// Returns one account's credentials, if there are any.
    ///
    /// # Errors
    ///
    /// When the file exists and neither it nor its copy can be read.
    pub fn load(&self, account: &AccountId) -> Result<Option<Credentials>, CredentialsError> {
        Ok(self.held(account)?.map(|held| held.value))
    }

    /// Returns all registered accounts; one that cannot be read hides no other.
    ///
    /// # Errors
    ///
    /// When the list cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, CredentialsError> {
        let entry = |account: AccountId| {
            let held = self.held(&account);
            let from_copy = matches!(&held, Ok(Some(Held { from_copy: true, .. })));
            let credentials = held.map(|held| held.map(|held| held.value));
            Entry { account, credentials, from_copy }
        };
        Ok(self.accounts()?.into_iter().map(entry).collect())
    }

    /// Saves the credentials of a login and registers the account. Older
    /// accounts of the same person are unregistered and their files moved to
    /// `accounts/replaced`, because the backend has made their tokens stale; an
    /// account without an alias takes over that of the one it replaces.
    ///
    /// # Errors
    ///
    /// When a file cannot be written; the account is registered last, so a
    /// crash leaves an unused file at worst.
    pub fn save(
        &self,
        account: &AccountId,
        credentials: &Credentials,
    ) -> Result<Vec<AccountId>, CredentialsError> {
        let _changing = Changing::begin(&self.dir)?;
        let (replaced, mut kept): (Vec<_>, Vec<_>) = self
            .accounts()?
            .into_iter()
            .filter(|known| known != account)
            .partition(|known| self.is_of(known, credentials.user_id.as_ref()));
        let mut credentials = credentials.clone();
        if credentials.alias.is_none() {
            let alias_of = |old| self.load(old).ok().flatten().and_then(|old| old.alias);
            let same = std::iter::once(account);
            credentials.alias = same.chain(replaced.iter().rev()).find_map(alias_of);
        }
        self.write(account, &credentials)?;
        kept.push(account.clone());
        self.write_list(&kept)?;
        for old in &replaced {
            self.quarantine(old)?;
        }
        Ok(replaced)
    }

    /// Lets an account run or keeps it stopped. A running channel notices within
    /// a second or two.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written.
    pub fn set_disabled(
        &self,
        account: &AccountId,
        disabled: bool,
    ) -> Result<(), CredentialsError> {
        let _changing = Changing::begin(&self.dir)?;
        let Some(mut credentials) = self.load(account)? else { return Ok(()) };
        credentials.disabled = disabled;
        self.write(account, &credentials)?;
        // What runs watches the list.
        self.write_list(&self.accounts()?)
    }

    /// Deletes an account's credentials, those of its person that it had
    /// replaced, and its entry, in this order: what is cut by a crash is still
    /// listed and can be removed again.
    ///
    /// # Errors
    ///
    /// When a file cannot be removed or written.
    pub fn forget(&self, account: &AccountId) -> Result<(), CredentialsError> {
        let _changing = Changing::begin(&self.dir)?;
        let user = self.load(account).ok().flatten().and_then(|found| found.user_id);
        for path in self.quarantined() {
            let of_same = |found: Held<Credentials>| found.value.user_id == user && user.is_some();
            let is_own = path.file_name() == self.account_path(account).file_name();
            if is_own || self.held_at(&path).ok().flatten().is_some_and(of_same) {
                files::remove(&path)?;
            }
        }
        files::remove(&self.account_path(account))?;
        let mut kept = self.accounts()?;
        kept.retain(|known| known != account);
        self.write_list(&kept)
    }

    /// Returns the bot tokens of all accounts, the newest first, for a login to
    /// tell the backend what this machine already has.
    ///
    /// # Errors
    ///
    /// When the list cannot be read; damaged credentials are passed over.
    pub fn tokens(&self) -> Result<Vec<BotToken>, CredentialsError> {
        let newest_first = self.accounts()?.into_iter().rev();
        let tokens = newest_first.filter_map(|account| self.load(&account).ok().flatten());
        Ok(tokens.map(|credentials| credentials.token).collect())
    }

    /// Writes every file of credentials anew: sealed, or open for the official
    /// plugin. Returns how many there are.
    ///
    /// # Errors
    ///
    /// When one cannot be read or written; those before it are done.
    pub fn rewrite(&self, sealed: bool) -> Result<usize, CredentialsError> {
        let _changing = Changing::begin(&self.dir)?;
        let to = Self { seals: sealed, ..self.clone() };
        let registered = self.accounts()?.into_iter().map(|account| self.account_path(&account));
        let mut n = 0;
        for path in registered.chain(self.quarantined()) {
            if let Some(held) = self.held_at(&path)? {
                to.write_at(&path, &held.value)?;
                n += 1;
            }
        }
        Ok(n)
    }

    /// Returns the files of credentials that newer logins have replaced.
    pub(crate) fn quarantined(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.dir.join("accounts").join("replaced"));
        let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
        let mut paths: Vec<_> =
            paths.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
        paths.sort();
        paths
    }

    /// Reads credentials from a file of the registry.
    pub(crate) fn credentials_at(
        &self,
        path: &Path,
    ) -> Result<Option<Credentials>, CredentialsError> {
        Ok(self.held_at(path)?.map(|held| held.value))
    }

    /// Puts credentials beside those that newer logins have replaced, unless this
    /// account has some there.
    pub(crate) fn keep_replaced(
        &self,
        account: &AccountId,
        credentials: &Credentials,
    ) -> Result<(), CredentialsError> {
        let _changing = Changing::begin(&self.dir)?;
        let path = self.replaced_path(account);
        if path.exists() { Ok(()) } else { self.write_at(&path, credentials) }
    }

    /// Keeps other processes from changing what lies beside the credentials.
    pub(crate) fn change(&self) -> Result<Changing, CredentialsError> {
        Changing::begin(&self.dir)
    }

    fn held(&self, account: &AccountId) -> Result<Option<Held<Credentials>>, CredentialsError> {
        self.held_at(&self.account_path(account))
    }

    fn held_at(&self, path: &Path) -> Result<Option<Held<Credentials>>, CredentialsError> {
        files::read(path, |bytes| self.parse(path, bytes))
    }

    fn parse(&self, path: &Path, bytes: &[u8]) -> Result<Credentials, CredentialsError> {
        let damaged = |source| CredentialsError::Damaged { path: path.to_owned(), source };
        let sealed = match serde_json::from_slice(bytes).map_err(damaged)? {
            Stored::Plain(credentials) => return Ok(*credentials),
            Stored::Sealed { sealed } => sealed,
        };
        let key = self.key.as_ref();
        let key = key.ok_or_else(|| CredentialsError::Sealed { path: path.to_owned() })?;
        let opened = key.key().open(&label(path), &sealed);
        let opened = opened.ok_or_else(|| CredentialsError::WrongKey { path: path.to_owned() })?;
        serde_json::from_slice(&opened).map_err(damaged)
    }

    fn write(
        &self,
        account: &AccountId,
        credentials: &Credentials,
    ) -> Result<(), CredentialsError> {
        self.write_at(&self.account_path(account), credentials)
    }

    fn write_at(&self, path: &Path, credentials: &Credentials) -> Result<(), CredentialsError> {
        let damaged = |source| CredentialsError::Damaged { path: path.to_owned(), source };
        let Some(key) = self.key.as_ref().filter(|_| self.seals) else {
            let json = serde_json::to_vec_pretty(credentials).map_err(damaged)?;
            return files::write(path, &json);
        };
        let content = serde_json::to_vec(credentials).map_err(damaged)?;
        let sealed = Stored::Sealed { sealed: key.key().seal(&label(path), content) };
        files::write(path, &serde_json::to_vec_pretty(&sealed).map_err(damaged)?)
    }

    fn write_list(&self, accounts: &[AccountId]) -> Result<(), CredentialsError> {
        let path = self.list_path();
        let json = serde_json::to_vec_pretty(accounts)
            .map_err(|source| CredentialsError::Damaged { path: path.clone(), source })?;
        files::write(&path, &json)
    }

    fn is_of(&self, account: &AccountId, user: Option<&UserId>) -> bool {
        let credentials = self.load(account).ok().flatten();
        user.is_some() && credentials.and_then(|c| c.user_id).as_ref() == user
    }

    fn quarantine(&self, account: &AccountId) -> Result<(), CredentialsError> {
        let from = self.account_path(account);
        if let Some(held) = self.held_at(&from)? {
            self.write_at(&self.replaced_path(account), &held.value)?;
        }
        files::remove(&from)
    }

    fn list_path(&self) -> PathBuf {
        self.dir.join("accounts.json")
    }

    fn account_path(&self, account: &AccountId) -> PathBuf {
        self.dir.join("accounts").join(file_name(account))
    }

    fn replaced_path(&self, account: &AccountId) -> PathBuf {
        self.dir.join("accounts").join("replaced").join(file_name(account))
    }
}

/// Account ids are normalised, so they are safe file names; one that came
/// from a damaged list is normalised again.
fn file_name(account: &AccountId) -> String {
    format!("{}.json", safe(account))
}

pub(crate) fn safe(account: &AccountId) -> AccountId {
    crate::account_id::account_id(&ilink::BotId::from(account.as_str()))
}

/// A sealed box belongs to its file name, so that two cannot be exchanged.
fn label(path: &Path) -> Vec<u8> {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned().into_bytes()
}
