//! Credentials in the official plugin's files.
//!
//! ```text
//! accounts.json              ["b0f5860fdecb-im-bot"]
//! accounts/<account>.json    {"token", "savedAt", "baseUrl", "userId"}
//! accounts/replaced/…        credentials that a newer login of the same person replaced
//! ```
//!
//! So one can change between the official plugin and this one, in either
//! direction. Unknown fields are kept. Files are 0600 from the first byte and
//! replaced as a whole: a crash leaves the old one or the new one.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use contract::AccountId;
use ilink::{BotToken, UserId};
use serde::{Deserialize, Serialize};
use url::Url;

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
    /// What other versions keep here.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// The folder of credentials.
#[derive(Clone, Debug)]
pub struct Registry {
    dir: PathBuf,
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
    /// A file does not hold what it should.
    #[error("{} is damaged; log the account in again to replace it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Registry {
    /// Uses a folder, which is created at the first save.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Returns the ids of all registered accounts, in the order of their logins.
    ///
    /// # Errors
    ///
    /// When the list exists and cannot be read.
    pub fn accounts(&self) -> Result<Vec<AccountId>, CredentialsError> {
        Ok(read_json(&self.list_path())?.unwrap_or_default())
    }

    /// Returns one account's credentials, if there are any.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub fn load(&self, account: &AccountId) -> Result<Option<Credentials>, CredentialsError> {
        read_json(&self.account_path(account))
    }

    /// Saves the credentials of a login and registers the account. Older
    /// accounts of the same person are unregistered and their files moved to
    /// `accounts/replaced`, because the backend has made their tokens stale.
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
        write_json(&self.account_path(account), credentials)?;
        let (replaced, mut kept): (Vec<_>, Vec<_>) = self
            .accounts()?
            .into_iter()
            .filter(|known| known != account)
            .partition(|known| self.is_of(known, credentials.user_id.as_ref()));
        kept.push(account.clone());
        write_json(&self.list_path(), &kept)?;
        for old in &replaced {
            self.quarantine(old)?;
        }
        Ok(replaced)
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

    fn is_of(&self, account: &AccountId, user: Option<&UserId>) -> bool {
        let credentials = self.load(account).ok().flatten();
        user.is_some() && credentials.and_then(|c| c.user_id).as_ref() == user
    }

    fn quarantine(&self, account: &AccountId) -> Result<(), CredentialsError> {
        let from = self.account_path(account);
        let to = self.dir.join("accounts").join("replaced").join(format!("{account}.json"));
        let moved = create_private_dir(to.parent().unwrap_or(&self.dir))
            .and_then(|()| std::fs::rename(&from, &to));
        match moved {
            Err(err) if err.kind() != ErrorKind::NotFound => {
                Err(CredentialsError::Io { path: from, source: err })
            }
            _ => Ok(()),
        }
    }

    fn list_path(&self) -> PathBuf {
        self.dir.join("accounts.json")
    }

    /// Account ids are normalised, so they are safe file names; one that came
    /// from a damaged list is normalised again.
    fn account_path(&self, account: &AccountId) -> PathBuf {
        let safe = crate::account_id::account_id(&ilink::BotId::from(account.as_str()));
        self.dir.join("accounts").join(format!("{safe}.json"))
    }
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, CredentialsError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(CredentialsError::Io { path: path.to_owned(), source });
        }
    };
    let read = serde_json::from_slice(&text);
    read.map(Some).map_err(|source| CredentialsError::Damaged { path: path.to_owned(), source })
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), CredentialsError> {
    let json = serde_json::to_vec_pretty(value)
        .map_err(|source| CredentialsError::Damaged { path: path.to_owned(), source })?;
    replace_file(path, &json)
        .map_err(|source| CredentialsError::Io { path: path.to_owned(), source })
}

/// Puts a file in place as a whole, on disk when it returns.
fn replace_file(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    // Temporary files are 0600 from the start.
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    std::fs::File::open(dir)?.sync_all()
}

/// Creates a folder that only its owner can enter.
pub(crate) fn create_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
