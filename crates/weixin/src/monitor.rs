//! Polls one account and stores what comes. Nothing else.
//!
//! ```text
//! cursor ─▶ getupdates ─▶ one transaction: messages, tokens, cursor ─▶ wake the lanes ─┐
//!    ▲                                                                                 │
//!    └─────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! It never waits for an agent, a download or a host, so a slow answer to one
//! peer delays nobody. Safe to stop anywhere: the cursor that acknowledges a
//! batch is sent only after the batch is on disk.

use std::time::Duration;

use contract::{AccountId, AccountState};
use ilink::wire::Updates;
use ilink::{BotId, Client, ClientError, Cursor, UserId};
use ledger::LedgerError;
use tokio_util::sync::CancellationToken;

use crate::inbound::{Kept, classify};
use crate::lanes::Lanes;
use crate::pacer::{Next, Pacer};
use crate::status::Health;
use crate::store::{Accepted, Store};
use crate::time::{now_ms, pause};

/// The shortest and the longest hold that the backend may ask for.
const HOLDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));
/// How often an unchanged state is noted for processes that look from outside.
const NOTED_EVERY_MS: i64 = 30_000;

/// The task that polls one account.
pub(crate) struct Monitor {
    pub(crate) account: AccountId,
    pub(crate) bot: Option<BotId>,
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) health: Health,
    pub(crate) intake: Lanes<UserId>,
    /// How long the backend holds a poll until it says otherwise.
    pub(crate) hold: Duration,
}

/// Why a round did not bring the cursor forward.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Backend(#[from] ClientError),
    #[error("what came cannot be stored")]
    Store(#[from] LedgerError),
}

impl Monitor {
    /// Polls until cancelled.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        cancel.run_until_cancelled(self.poll_forever()).await;
    }

    async fn poll_forever(&mut self) {
        let mut pacer = Pacer::default();
        let mut noted = Noted::default();
        loop {
            let next = match self.round().await {
                Ok(()) => pacer.answered(),
                Err(Trouble::Backend(err)) => {
                    tracing::warn!(account = %self.account, error = %err, "poll failed");
                    let next = pacer.failed(err.recovery());
                    self.health.update(|before| pacer.state(&err, before, now_ms()));
                    next
                }
                Err(err @ Trouble::Store(_)) => {
                    tracing::error!(account = %self.account, error = %err, "batch not acknowledged");
                    let (reason, since_ms) = (err.to_string(), now_ms());
                    self.health.update(|_| AccountState::Degraded { reason, since_ms });
                    pacer.failed(ilink::Recovery::Retry { after: None })
                }
            };
            self.note(&mut noted).await;
            match next {
                Next::Poll => {}
                Next::Wait(wait) => pause(wait).await,
                Next::Announce(wait) => {
                    announce(&self.account, &self.client).await;
                    pause(wait).await;
                }
            }
        }
    }

    /// One poll, and what it brought on disk.
    async fn round(&mut self) -> Result<(), Trouble> {
        let cursor = self.store.cursor(&self.account).await?;
        let updates = self.client.get_updates(&cursor, self.hold).await?;
        self.health.polled(now_ms());
        self.hold = hold_of(&updates).unwrap_or(self.hold);
        let accepted = self.accept(cursor, updates).await?;
        for talk in accepted.talks {
            self.intake.wake(talk.peer);
        }
        Ok(())
    }

    async fn accept(&self, old: Cursor, updates: Updates) -> Result<Accepted, LedgerError> {
        let n_unreadable = updates.msgs.as_ref().map_or(0, |msgs| msgs.unreadable.len());
        if n_unreadable > 0 {
            tracing::warn!(account = %self.account, n_unreadable, "entries of a batch are no messages");
        }
        let cursor = updates.get_updates_buf.filter(|new| !new.is_empty() && *new != old);
        let batch = kept(updates.msgs.into_iter().flatten(), self.bot.as_ref());
        if batch.is_empty() && cursor.is_none() {
            return Ok(Accepted::default());
        }
        self.store.accept(&self.account, batch, cursor, now_ms()).await
    }

    async fn note(&self, noted: &mut Noted) {
        let health = self.health.snapshot();
        let now = now_ms();
        if noted.state.as_ref() == Some(&health.state) && now - noted.at_ms < NOTED_EVERY_MS {
            return;
        }
        if let Err(err) = self.store.set_health(&self.account, &health).await {
            tracing::warn!(account = %self.account, error = %err, "state not noted");
        }
        *noted = Noted { state: Some(health.state), at_ms: now };
    }
}

/// Says that the bot is there. Only a courtesy: polls work without it.
pub(crate) async fn announce(account: &AccountId, client: &Client) {
    if let Err(err) = client.notify_start().await {
        tracing::debug!(%account, error = %err, "start not announced");
    }
}

/// What was last written of the account's state.
#[derive(Default)]
struct Noted {
    state: Option<AccountState>,
    at_ms: i64,
}

/// Returns the hold that the backend asks for, within bounds.
fn hold_of(updates: &Updates) -> Option<Duration> {
    let asked = u64::try_from(updates.longpolling_timeout_ms?).ok().filter(|ms| *ms > 0)?;
    Some(Duration::from_millis(asked).clamp(HOLDS.0, HOLDS.1))
}

fn kept(msgs: impl Iterator<Item = ilink::wire::Message>, bot: Option<&BotId>) -> Vec<Kept> {
    msgs.filter_map(|msg| {
        classify(&msg, bot)
            .inspect_err(|reason| tracing::debug!(?reason, id = ?msg.message_id, "message skipped"))
            .ok()
    })
    .collect()
}
