//! One process runs the channel on one folder, and one polls a token.
//!
//! The folder's lock does not see a copy of the folder, and two that poll one
//! token take each other's messages. So each token has a lock of its own, in a
//! place that all programs of one person on a machine share.

use std::path::{Path, PathBuf};

use contract::{AccountId, ChannelError};
use ilink::BotToken;
pub(crate) use lockfile::machine_locks;
use lockfile::{LockError, Owner, is_held};
use sha2::{Digest as _, Sha256};

use crate::credentials::CredentialsError;
use crate::settings::Settings;
use crate::store::storage;

const NAME: &str = "channel.lock";
const PROGRAM: &str = concat!("hongyan ", env!("CARGO_PKG_VERSION"));

/// The right to run the channel on a folder.
pub(crate) struct Lock {
    _lock: lockfile::Lock,
}

impl Lock {
    /// Takes the lock and writes down who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, ChannelError> {
        match lockfile::Lock::take(&dir.join(NAME), PROGRAM, None) {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err(held @ LockError::Held { .. }) => Err(ChannelError::Locked(held.to_string())),
            Err(LockError::Unusable { source, .. }) => Err(storage(source)),
        }
    }

    /// Says whether some process runs the channel on this folder.
    pub(crate) fn is_held(dir: &Path) -> bool {
        is_held(&dir.join(NAME))
    }
}

/// The right to poll with a token. Its file is removed when it is given back.
#[derive(Debug)]
pub(crate) struct TokenLock {
    lock: lockfile::Lock,
}

/// Why a token's lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("held elsewhere: {0}")]
    Held(String),
    #[error("the lock {} cannot be used", path.display())]
    Unusable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl TokenLock {
    /// Takes a token's lock for the channel on `folder` and writes down who
    /// has it. `locks` is private to the person, or is made so.
    pub(crate) fn take(locks: &Path, token: &BotToken, folder: &Path) -> Result<Self, NotTaken> {
        let path = token_lock(locks, token);
        lockfile::make_private(locks)
            .map_err(|source| NotTaken::Unusable { path: path.clone(), source })?;
        let lock = lockfile::Lock::take_brief(&path, PROGRAM, Some(folder))?;
        Ok(Self { lock })
    }

    /// Keeps cleaners of old temporary files away.
    pub(crate) fn refresh(&self) {
        self.lock.refresh();
    }
}

impl Settings {
    /// Returns which process polls each account's token now, on whatever folder
    /// of this machine. Two that poll one token take each other's messages.
    ///
    /// # Errors
    ///
    /// When the credentials cannot be listed. Accounts without readable ones are
    /// left out, and so are locks whose holder has not signed.
    pub fn pollers(&self) -> Result<Vec<(AccountId, Owner)>, CredentialsError> {
        let registry = self.registry();
        let Some(locks) = self.locks.clone().or_else(machine_locks) else { return Ok(Vec::new()) };
        let mut pollers = Vec::new();
        for account in registry.accounts()? {
            let Ok(Some(found)) = registry.load(&account) else { continue };
            let held = lockfile::holder(&token_lock(&locks, &found.token));
            pollers.extend(held.ok().flatten().map(|owner| (account, owner)));
        }
        Ok(pollers)
    }
}

fn token_lock(locks: &Path, token: &BotToken) -> PathBuf {
    locks.join(format!("{}.lock", hex(&Sha256::digest(token.expose()))))
}

impl From<LockError> for NotTaken {
    fn from(err: LockError) -> Self {
        match err {
            LockError::Held { .. } => Self::Held(err.to_string()),
            LockError::Unusable { path, source } => Self::Unusable { path, source },
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demand 12: a copy of a folder does not poll, and says who does.
    #[test]
    fn a_token_is_polled_by_one_and_the_other_learns_by_whom() {
        let dir = tempfile::tempdir().unwrap();
        let locks = dir.path().join("locks");
        let (token, other) = (BotToken::new("bot:1"), BotToken::new("bot:2"));
        let held = TokenLock::take(&locks, &token, Path::new("/one")).unwrap();
        held.refresh();

        let refused = TokenLock::take(&locks, &token, Path::new("/two")).unwrap_err().to_string();
        let begin = format!("held elsewhere: process {} since ", std::process::id());
        assert!(refused.starts_with(&begin) && refused.ends_with(" in /one"), "{refused}");
        TokenLock::take(&locks, &other, Path::new("/two")).unwrap();

        drop(held);
        TokenLock::take(&locks, &token, Path::new("/two")).unwrap();
        let left: Vec<_> = std::fs::read_dir(&locks).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
