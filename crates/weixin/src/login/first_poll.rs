//! Whether an account works: a poll of it was taken.
//!
//! Where a channel runs, it is the one that polls, and notes so in the store.
//! Where none does, one poll is made here. It acknowledges nothing: the cursor
//! that it carries is the stored one, and what comes is not stored but thrown
//! away, so the backend delivers it again to the channel's own first poll.

use std::time::Duration;

use contract::{AccountId, AccountState};
use ilink::client::Http;
use ilink::{Client, ClientError, Cursor, Recovery};
use tokio::time::{Instant, sleep, timeout};

use super::event::{Failure, Poller, Reason};
use crate::credentials::Credentials;
use crate::lock::Lock;
use crate::settings::Settings;
use crate::store::Store;

/// How long a backend may hold a poll before that counts as having taken it: a
/// token that it does not know is refused at once.
const HELD: Duration = Duration::from_secs(2);
/// How often a poll that failed in passing is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a token may be refused before that is believed: it passes at times.
const REFUSALS: u32 = 2;
/// How often the store is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// An account that is to be checked.
pub(super) struct Candidate {
    pub(super) account: AccountId,
    pub(super) credentials: Credentials,
    /// A state that was noted before this time is that of an earlier token.
    pub(super) since_ms: i64,
}

/// Returns who will poll.
pub(super) fn poller(settings: &Settings) -> Poller {
    if Lock::is_held(&settings.dir) { Poller::Channel } else { Poller::Login }
}

/// Returns when a poll was taken, or says why none was within `patience`.
pub(super) async fn first_poll(
    settings: &Settings,
    http: &Http,
    candidate: &Candidate,
    by: Poller,
    patience: Duration,
) -> Result<(), Failure> {
    let polled = async {
        match by {
            Poller::Channel => by_channel(settings, candidate).await,
            Poller::Login => by_login(settings, http, candidate).await,
        }
    };
    let late = |_| Failure::saying(Reason::NotPolling, format!("waited {} s", patience.as_secs()));
    timeout(patience, polled).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
}

/// Waits until the channel that runs has noted a poll that was answered.
async fn by_channel(settings: &Settings, candidate: &Candidate) -> Result<(), Failure> {
    let unreadable = |err| Failure::saying(Reason::NotPolling, err);
    let store = Store::open(&settings.store()).map_err(unreadable)?;
    loop {
        let health = store.health(&candidate.account).await.map_err(unreadable)?;
        let state = health.map(|health| (health.last_poll_at_ms.unwrap_or_default(), health.state));
        match state {
            Some((at_ms, AccountState::Polling)) if at_ms >= candidate.since_ms => return Ok(()),
            Some((_, AccountState::NeedsLogin { reason, since_ms }))
                if since_ms >= candidate.since_ms =>
            {
                return Err(Failure::saying(Reason::Refused, reason));
            }
            Some(_) | None => sleep(LOOK).await,
        }
    }
}

async fn by_login(settings: &Settings, http: &Http, candidate: &Candidate) -> Result<(), Failure> {
    let Candidate { account, credentials, .. } = candidate;
    let client = settings.account_client(http.clone(), account, credentials);
    let cursor = stored_cursor(settings, account).await;
    let mut refusals = 0;
    loop {
        let Err(err) = poll(&client, &cursor).await else { return Ok(()) };
        match err.recovery() {
            Recovery::Retry { after } => sleep(after.unwrap_or(AGAIN).min(AGAIN * 10)).await,
            Recovery::Relogin if refusals < REFUSALS => {
                refusals += 1;
                sleep(AGAIN).await;
            }
            Recovery::Relogin | Recovery::GiveUp => {
                return Err(Failure::saying(Reason::Refused, err));
            }
        }
    }
}

/// One poll. Held for a while counts as taken once the backend has also taken
/// the token in an exchange that it answers at once.
async fn poll(client: &Client, cursor: &Cursor) -> Result<(), ClientError> {
    let began = Instant::now();
    let mut polling = std::pin::pin!(client.get_updates(cursor, ilink::client::DEFAULT_HOLD));
    if let Ok(polled) = timeout(HELD, &mut polling).await {
        return polled.map(drop);
    }
    match client.notify_start().await {
        Ok(()) => {
            tracing::debug!(held = ?began.elapsed(), "the poll is held: it was taken");
            Ok(())
        }
        // Only a courtesy; the poll itself decides.
        Err(_) => polling.await.map(drop),
    }
}

async fn stored_cursor(settings: &Settings, account: &AccountId) -> Cursor {
    let path = settings.store();
    if !path.exists() {
        return Cursor::default();
    }
    let Ok(store) = Store::open(&path) else { return Cursor::default() };
    let cursor = store.cursor(account).await.unwrap_or_default();
    store.close().await;
    cursor
}
