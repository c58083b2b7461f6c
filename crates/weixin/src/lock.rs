//! One process runs the channel on one folder, and one polls a token.
//!
//! The folder's lock does not see a copy of the folder, and two that poll one
//! token take each other's messages. So each token has a lock of its own, in a
//! place that all programs of one person on a machine share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::{AccountId, ChannelError};
use ilink::BotToken;
use lockfile::{Claim, Claims, LockError, Owner, is_held, machine_locks};
use sha2::{Digest as _, Sha256};
use tasks::Tasks;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::interval;

use crate::credentials::CredentialsError;
use crate::settings::Settings;
use crate::store::storage;

const NAME: &str = "channel.lock";
/// How many tokens are locked in one go.
const MOST_AT_ONCE: usize = 1_000;
/// How often cleaners of old temporary files are kept away; they wait for days.
const REFRESH: Duration = Duration::from_secs(60 * 60);
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

/// Hands out the right to poll with a token. Clones share it.
///
/// Rights are taken by one task, as many at a time as are wanted: the start of
/// thousands of accounts neither waits for the disk one by one nor stalls what
/// else runs. They cost one open file together.
#[derive(Clone)]
pub(crate) struct TokenLocks {
    wanted: mpsc::Sender<Wanted>,
}

/// The right to poll with a token, until it is dropped.
#[derive(Debug)]
pub(crate) struct TokenLock {
    _claim: Claim,
}

/// Why a token's lock could not be taken.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("held elsewhere: {0}")]
    Held(String),
    #[error("{0}")]
    Unusable(String),
}

struct Wanted {
    name: String,
    answer: oneshot::Sender<Result<TokenLock, NotTaken>>,
}

impl TokenLocks {
    /// Starts the task, for the channel on `folder`. `locks` is private to the
    /// person, or is made so.
    pub(crate) fn start(tasks: &Tasks, locks: PathBuf, folder: PathBuf) -> Self {
        let (wanted, asked) = mpsc::channel(MOST_AT_ONCE);
        let (cancel, desk) = (tasks.cancellation(), TokenDesk { locks, folder, claims: None });
        tasks.spawn("token locks", async move {
            cancel.run_until_cancelled(desk.serve(asked)).await;
        });
        Self { wanted }
    }

    /// Takes a token's lock and writes down who has it. Never returns when the
    /// channel has stopped. Can be dropped at any time.
    pub(crate) async fn take(&self, token: &BotToken) -> Result<TokenLock, NotTaken> {
        let (answer, taken) = oneshot::channel();
        let wanted = Wanted { name: token_name(token), answer };
        if self.wanted.send(wanted).await.is_ok()
            && let Ok(taken) = taken.await
        {
            return taken;
        }
        std::future::pending().await
    }
}

/// Takes the locks that are wanted.
struct TokenDesk {
    locks: PathBuf,
    folder: PathBuf,
    /// None before the first is wanted.
    claims: Option<Claims>,
}

impl TokenDesk {
    async fn serve(mut self, mut asked: mpsc::Receiver<Wanted>) {
        let mut refresh = interval(REFRESH);
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                n = asked.recv_many(&mut batch, MOST_AT_ONCE) => if n == 0 { return },
                _ = refresh.tick() => {}
            }
            let working = spawn_blocking(move || {
                self.work(batch);
                self
            });
            match working.await {
                Ok(desk) => self = desk,
                Err(err) => return tracing::error!(error = %err, "tokens are no longer locked"),
            }
        }
    }

    /// Answers a batch; without one, keeps cleaners of old temporary files away.
    /// Blocks.
    fn work(&mut self, batch: Vec<Wanted>) {
        if batch.is_empty() {
            self.claims.iter().for_each(Claims::refresh);
            return;
        }
        match self.take(&batch) {
            Ok(taken) => {
                for (wanted, taken) in batch.into_iter().zip(taken) {
                    let taken = taken.map(|claim| TokenLock { _claim: claim });
                    wanted.answer(taken.map_err(|err| NotTaken::from(&err)));
                }
            }
            Err(err) => {
                let reason = NotTaken::from(&err);
                batch.into_iter().for_each(|wanted| wanted.answer(Err(reason.clone())));
            }
        }
    }

    fn take(&mut self, batch: &[Wanted]) -> Result<Vec<Result<Claim, LockError>>, LockError> {
        let claims = match &mut self.claims {
            Some(claims) => claims,
            None => {
                let claims = Claims::open(&self.locks, PROGRAM, Some(&self.folder))?;
                self.claims.insert(claims)
            }
        };
        claims.take(batch.iter().map(|wanted| &*wanted.name))
    }
}

impl Wanted {
    fn answer(self, taken: Result<TokenLock, NotTaken>) {
        if self.answer.send(taken).is_err() {
            tracing::debug!("a token's lock is no longer wanted");
        }
    }
}

impl Settings {
    /// Returns which process polls each account's token now, on whatever folder
    /// of this machine. Two that poll one token take each other's messages.
    ///
    /// # Errors
    ///
    /// When the credentials cannot be listed. Accounts without readable ones are
    /// left out.
    pub fn pollers(&self) -> Result<Vec<(AccountId, Owner)>, CredentialsError> {
        let registry = self.registry();
        let Some(locks) = self.token_locks() else { return Ok(Vec::new()) };
        let claimants = lockfile::claimants(&locks);
        let mut pollers = Vec::new();
        for account in registry.accounts()? {
            let Ok(Some(found)) = registry.load(&account) else { continue };
            let owner = claimants.get(&token_name(&found.token));
            pollers.extend(owner.map(|owner| (account, owner.clone())));
        }
        Ok(pollers)
    }

    /// Returns where the locks of tokens lie, if there is such a place.
    pub(crate) fn token_locks(&self) -> Option<PathBuf> {
        self.locks.clone().or_else(machine_locks)
    }
}

/// How a token is called where it is locked: it must not be read there.
fn token_name(token: &BotToken) -> String {
    hex(&Sha256::digest(token.expose()))
}

impl From<&LockError> for NotTaken {
    fn from(err: &LockError) -> Self {
        match err {
            LockError::Held { .. } => Self::Held(err.to_string()),
            LockError::Unusable { source, .. } => Self::Unusable(format!("{err}: {source}")),
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
    #[tokio::test]
    async fn a_token_is_polled_by_one_and_the_other_learns_by_whom() {
        let dir = tempfile::tempdir().unwrap();
        let (locks, tasks) = (dir.path().join("locks"), Tasks::default());
        let start = |folder| TokenLocks::start(&tasks, locks.clone(), PathBuf::from(folder));
        let (one, two) = (start("/one"), start("/two"));
        let (token, other) = (BotToken::new("bot:1"), BotToken::new("bot:2"));
        let held = one.take(&token).await.unwrap();

        let refused = two.take(&token).await.unwrap_err().to_string();
        let begin = format!("held elsewhere: process {} since ", std::process::id());
        assert!(refused.starts_with(&begin) && refused.ends_with(" in /one"), "{refused}");
        two.take(&other).await.unwrap();

        drop(held);
        two.take(&token).await.unwrap();
    }

    #[tokio::test]
    async fn without_a_private_place_nothing_is_locked_and_it_is_said_why() {
        let dir = tempfile::tempdir().unwrap();
        let (locks, tasks) = (dir.path().join("locks"), Tasks::default());
        std::fs::write(&locks, "a file").unwrap();
        let refused = TokenLocks::start(&tasks, locks.clone(), PathBuf::from("/one"))
            .take(&BotToken::new("bot:1"))
            .await
            .unwrap_err();
        let begin = format!("the lock {} cannot be used: ", locks.display());
        assert!(refused.to_string().starts_with(&begin), "{refused}");
    }
}
