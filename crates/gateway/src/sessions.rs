//! Sessions as whoever runs the gateway sees them: listed, shown, reset and
//! exported, also beside a gateway that runs, on the same file.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use crate::session_policy::SessionSettings;
use crate::store::{Line, Store, Window, now_ms};
use crate::{ResetReason, Role, SessionEntry, StoreError};

/// How long it is kept which turns belonged together and what was asked. A
/// channel hands over what is not finished long before.
const KEEP_TURNS_MS: i64 = 30 * DAY_MS;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The sessions in a gateway's store. Several programs may use one at a time.
pub struct Sessions {
    store: Store,
}

/// What was said in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transcript {
    /// The session.
    pub session: SessionEntry,
    /// Its windows, the oldest first; the last is open.
    pub windows: Vec<Window>,
    /// What was said, in order: in one window, or in all.
    pub lines: Vec<Line>,
}

/// Why something could not be done with a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// No session is named so.
    #[error("there is no session {0:?}")]
    Unknown(String),
    /// Several could be meant.
    #[error("{name:?} could be any of {}", among.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Their keys.
        among: Vec<String>,
    },
    /// The session has no such window.
    #[error("the session has no window {0}")]
    NoWindow(u32),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// Opens the store of a gateway; creates it if need be.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or a newer program has written it.
    pub async fn open(store: &Path) -> Result<Self, StoreError> {
        Store::open(store).await.map(Self::of)
    }

    pub(crate) fn of(store: Store) -> Self {
        Self { store }
    }

    /// Returns all sessions, those that were spoken in last first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list(&self) -> Result<Vec<SessionEntry>, StoreError> {
        self.store.entries().await
    }

    /// Returns what was said in a session: in the window that is open, in
    /// another, or in all of them. It is named by its key, its id, or a part of
    /// its key that no other has.
    ///
    /// # Errors
    ///
    /// When there is no such session or window, or the store cannot be read.
    pub async fn show(&self, name: &str, which: Which) -> Result<Transcript, SessionsError> {
        let session = self.find(name).await?;
        let open =
            Window { number: session.window, started_at_ms: session.started_at_ms, closed: None };
        let mut windows = self.store.closed_windows(&session.key).await?;
        windows.push(open);
        let number = match which {
            Which::Open => Some(session.window),
            Which::Number(number) if windows.iter().all(|window| window.number != number) => {
                return Err(SessionsError::NoWindow(number));
            }
            Which::Number(number) => Some(number),
            Which::All => None,
        };
        let lines = self.store.lines(&session.key, number).await?;
        Ok(Transcript { session, windows, lines })
    }

    /// Begins a session anew; what was said stays readable. A gateway that runs
    /// heeds it from the next turn on. Returns the session as it was.
    ///
    /// # Errors
    ///
    /// When there is no such session, or the store cannot be written.
    pub async fn reset(&self, name: &str) -> Result<SessionEntry, SessionsError> {
        let session = self.find(name).await?;
        // Once per window, however often it is asked for at one time.
        let by = format!("operator:{}:{}", session.window, now_ms());
        self.store.renew(&session.key, &by, ResetReason::Operator).await?;
        Ok(session)
    }

    async fn find(&self, name: &str) -> Result<SessionEntry, SessionsError> {
        let mut all = self.store.entries().await?;
        let lower = name.to_lowercase();
        let is_named = |entry: &SessionEntry| {
            entry.key == lower || entry.session_id == name || entry.label.as_deref() == Some(name)
        };
        if let Some(at) = all.iter().position(is_named) {
            return Ok(all.swap_remove(at));
        }
        all.retain(|entry| !lower.is_empty() && entry.key.contains(&lower));
        match all.len() {
            0 => Err(SessionsError::Unknown(name.to_owned())),
            1 => Ok(all.swap_remove(0)),
            2.. => {
                let among = all.into_iter().map(|entry| entry.key).collect();
                Err(SessionsError::Ambiguous { name: name.to_owned(), among })
            }
        }
    }
}

/// Which windows of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that is open.
    Open,
    /// One, by its number.
    Number(u32),
    /// All that are kept.
    All,
}

impl Transcript {
    /// Writes it as lines of JSON: the session, its windows, and what was said,
    /// each with a `type`.
    #[must_use]
    pub fn to_jsonl(&self) -> String {
        #[derive(Serialize)]
        #[serde(tag = "type", rename_all = "lowercase")]
        enum Row<'a> {
            Session(&'a SessionEntry),
            Window(&'a Window),
            Message(&'a Line),
        }
        let windows = self.windows.iter().map(Row::Window);
        let rows = std::iter::once(Row::Session(&self.session)).chain(windows);
        let mut text = String::new();
        for row in rows.chain(self.lines.iter().map(Row::Message)) {
            // Strings and numbers always have a JSON.
            text.push_str(&serde_json::to_string(&row).unwrap_or_default());
            text.push('\n');
        }
        text
    }

    /// Writes it for people to read.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n", self.session.key);
        let mut window = None;
        for line in &self.lines {
            if window != Some(line.window) {
                window = Some(line.window);
                text.push_str(&format!("\n## {}\n", line.window));
            }
            let who = match line.role {
                Role::User => self.session.to.as_deref().unwrap_or("peer"),
                Role::Assistant => self.session.agent.as_deref().unwrap_or("agent"),
            };
            let at = instant(line.at_ms);
            text.push_str(&format!("\n**{who}** · {at}\n\n{}\n", line.text));
        }
        text
    }
}

/// Forgets what the settings do not keep.
pub(crate) async fn forget_old(
    store: &Store,
    settings: &SessionSettings,
) -> Result<(), StoreError> {
    store.forget_turns_before(now_ms() - KEEP_TURNS_MS).await?;
    if let Some(keeping) = settings.keeping() {
        let keeping_ms = i64::try_from(keeping.as_millis()).unwrap_or(i64::MAX);
        let n_windows = store.forget_before(now_ms().saturating_sub(keeping_ms)).await?;
        if n_windows > 0 {
            tracing::info!(n_windows, "old windows of sessions forgotten");
        }
    }
    Ok(())
}

fn instant(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}
