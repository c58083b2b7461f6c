//! The official plugin's state beside its credentials: read at a start, written
//! back at a clean stop, so that one can change in either direction.
//!
//! ```text
//! accounts/<account>.sync.json            {"get_updates_buf": "<cursor>"}
//! accounts/<account>.context-tokens.json  {"<peer>": "<context token>"}
//! debug-mode.json                         {"accounts": {"<account>": true}}
//! ../credentials/openclaw-weixin-<account>-allowFrom.json  {"version": 1, "allowFrom": [...]}
//! ```
//!
//! Who wins when both sides know something: the official cursor counts when its
//! file is younger than our last answered poll, a token when its file is younger
//! than the message that brought ours; otherwise our store does. So after a
//! crash, which writes nothing back, our store goes on where it was; and after
//! the official plugin has run, its cursor is taken. A cursor that is too old
//! only brings messages again, which are recognised.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use contract::AccountId;
use futures_util::{StreamExt as _, stream};
use ilink::{ContextToken, Cursor, UserId};
use serde::{Deserialize, Serialize};

use crate::accounts::AccountsError;
use crate::credentials::files::replace;
use crate::credentials::safe;
use crate::settings::{CHANNEL_ID, Settings};
use crate::store::{Foreign, Store};

/// How many accounts are written back side by side.
const AT_ONCE: usize = 16;

/// What the official plugin keeps besides credentials, cursors and tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfficialState {
    /// Accounts whose debug mode is on.
    pub debugging: BTreeSet<AccountId>,
    /// Peers that it admits, by account; an account without a file has no entry.
    pub allowed: BTreeMap<AccountId, Vec<UserId>>,
}

/// A cursor, as it lies in its file.
#[derive(Default, Serialize, Deserialize)]
struct Sync {
    get_updates_buf: Cursor,
}

#[derive(Default, Deserialize)]
struct DebugMode {
    #[serde(default)]
    accounts: BTreeMap<AccountId, bool>,
}

#[derive(Default, Deserialize)]
struct AllowFrom {
    #[serde(default, rename = "allowFrom")]
    allow_from: Vec<UserId>,
}

/// Reads who debugs and who is admitted. What cannot be read is passed over
/// with a word in the log.
#[must_use]
pub fn read(settings: &Settings, accounts: &[AccountId]) -> OfficialState {
    let mode: Option<(DebugMode, i64)> = json_at(&settings.dir.join("debug-mode.json"));
    let debugging = mode.map(|(mode, _)| mode.accounts).unwrap_or_default();
    let debugging = debugging.into_iter().filter(|(_, on)| *on).map(|(account, _)| account);
    let allowed = accounts.iter().filter_map(|account| {
        let file = allow_from_file(&settings.dir, account)?;
        let (found, _): (AllowFrom, i64) = json_at(&file)?;
        Some((account.clone(), found.allow_from))
    });
    OfficialState { allowed: allowed.collect(), debugging: debugging.collect() }
}

/// Takes cursors and context tokens into the store. Before any account runs.
pub(crate) async fn take_over(settings: &Settings, store: &Store, accounts: &[AccountId]) {
    for account in accounts {
        let foreign = foreign(settings, account);
        match store.adopt(account, foreign).await {
            Ok(adopted) if adopted.cursor || adopted.tokens > 0 => {
                tracing::info!(
                    %account, cursor = adopted.cursor, tokens = adopted.tokens,
                    "taken over from the official plugin"
                );
            }
            Ok(_) => {}
            Err(err) => tracing::warn!(%account, error = %err, "the official state was not taken"),
        }
    }
}

/// Writes cursors and context tokens back. After all accounts have stopped.
/// Nothing is written where credentials are sealed: the official plugin could
/// not use it, and context tokens would lie open.
pub(crate) async fn write_back(settings: &Settings, store: &Store, accounts: &[AccountId]) {
    let registry = settings.registry();
    if registry.seals() {
        return;
    }
    let changing = registry.change();
    // A host waits for this, and each file waits for the disk.
    let writing = accounts.iter().map(async |account| {
        if let Err(err) = write_back_one(settings, store, account).await {
            tracing::warn!(%account, error = %err, "the official state was not written");
        }
    });
    stream::iter(writing).for_each_concurrent(AT_ONCE, |writing| writing).await;
    drop(changing);
}

/// Writes what the store knows of an account over what lies here; where
/// credentials are sealed, nothing is left here.
pub(crate) async fn renew(
    settings: &Settings,
    store: &Store,
    account: &AccountId,
) -> Result<(), AccountsError> {
    let registry = settings.registry();
    let _changing = registry.change()?;
    if registry.seals() {
        return Ok(forget(settings, account)?);
    }
    write_back_one(settings, store, account).await.map_err(|err| match err {
        NotWritten::Store(err) => err.into(),
        NotWritten::Io(err) => err.into(),
        NotWritten::Json(err) => std::io::Error::from(err).into(),
    })
}

/// Removes what belongs to one account.
pub(crate) fn forget(settings: &Settings, account: &AccountId) -> std::io::Result<()> {
    for path in [sync_file(settings, account), tokens_file(settings, account)] {
        match std::fs::remove_file(path) {
            Err(err) if err.kind() != ErrorKind::NotFound => return Err(err),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Why the state of an account was not written.
#[derive(Debug, thiserror::Error)]
enum NotWritten {
    #[error("the store cannot be read")]
    Store(#[from] ledger::LedgerError),
    #[error("a file cannot be written")]
    Io(#[from] std::io::Error),
    #[error("a value is not JSON")]
    Json(#[from] serde_json::Error),
}

async fn write_back_one(
    settings: &Settings,
    store: &Store,
    account: &AccountId,
) -> Result<(), NotWritten> {
    let cursor = store.cursor(account).await?;
    if !cursor.is_empty() {
        let sync = serde_json::to_vec(&Sync { get_updates_buf: cursor })?;
        put(sync_file(settings, account), sync).await?;
    }
    let ours = store.context_tokens(account).await?;
    if ours.is_empty() {
        return Ok(());
    }
    let path = tokens_file(settings, account);
    // Peers that only the official plugin knows stay.
    let known: Option<(BTreeMap<UserId, ContextToken>, i64)> = json_at(&path);
    let mut tokens = known.map(|(tokens, _)| tokens).unwrap_or_default();
    tokens.extend(ours);
    put(path, serde_json::to_vec(&tokens)?).await?;
    Ok(())
}

/// Writes a file, unless that is what stands in it.
async fn put(path: PathBuf, content: Vec<u8>) -> std::io::Result<()> {
    let writing = tokio::task::spawn_blocking(move || {
        let is_there = std::fs::read(&path).is_ok_and(|there| there == content);
        if is_there { Ok(()) } else { replace(&path, &content) }
    });
    writing.await.map_err(std::io::Error::other)?
}

pub(crate) fn foreign(settings: &Settings, account: &AccountId) -> Foreign {
    let cursor: Option<(Sync, i64)> = json_at(&sync_file(settings, account));
    let cursor = cursor.map(|(sync, at_ms)| (sync.get_updates_buf, at_ms));
    let tokens = json_at(&tokens_file(settings, account)).unwrap_or_default();
    Foreign { cursor: cursor.filter(|(cursor, _)| !cursor.is_empty()), tokens }
}

fn sync_file(settings: &Settings, account: &AccountId) -> PathBuf {
    settings.dir.join("accounts").join(format!("{}.sync.json", safe(account)))
}

fn tokens_file(settings: &Settings, account: &AccountId) -> PathBuf {
    settings.dir.join("accounts").join(format!("{}.context-tokens.json", safe(account)))
}

fn allow_from_file(dir: &Path, account: &AccountId) -> Option<PathBuf> {
    let name = format!("{CHANNEL_ID}-{}-allowFrom.json", safe(account));
    Some(dir.parent()?.join("credentials").join(name))
}

/// Reads a file and when it was written, in milliseconds since 1970.
fn json_at<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<(T, i64)> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(err) if err.kind() == ErrorKind::NotFound => return None,
        Err(err) => {
            tracing::warn!(file = %path.display(), error = %err, "not readable, and passed over");
            return None;
        }
    };
    let written = std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    match serde_json::from_slice(&text) {
        Ok(value) => Some((value, i64::try_from(written.as_millis()).unwrap_or(i64::MAX))),
        Err(_) => {
            // The reason could quote a token.
            tracing::warn!(file = %path.display(), "damaged, and passed over");
            None
        }
    }
}
