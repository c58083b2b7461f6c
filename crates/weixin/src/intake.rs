//! Turns stored messages into what a host understands, and hands them over.
//!
//! ```text
//! conversation ─▶ plan (merge) ─▶ claim ─▶ admit ─▶ media, quote ─▶ host ─▶ … finish
//! aside ────────▶ the channel's own command? ─▶ admit ─▶ answer
//!                 any other ─▶ claim ─▶ admit ─▶ host
//! ```
//!
//! One turn per conversation at a time, in order, conversations side by side.
//! Commands have a lane of their own beside their conversation's, so that
//! nothing delays them. Nothing is done for a sender before the host has
//! admitted them. A message that keeps failing is set aside; the rest goes on.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use contract::{
    AccountId, ChannelError, ChannelId, Conversation, Host, HostError, Lane, PeerId, Sender,
    Verdict,
};
use futures_util::FutureExt as _;
use futures_util::future::join;
use ilink::{Backoff, RunId, UserId};
use ledger::LedgerError;

use crate::clock::Clock;
use crate::codes::Notice;
use crate::commands::{Command, DebugMode, echoed, toggled};
use crate::governor::ms;
use crate::inbound::{Kept, Kind, text_of};
use crate::quotes::Quotes;
use crate::received_files::ReceivedFiles;
use crate::saying::InTurn;
use crate::speaker::Speaker;
use crate::store::{Claimed, InboxRow, Store, Talk};
use crate::switch::Switch;
use crate::time::pause;

mod assemble;
mod settings;
mod turns;

use self::assemble::message;
pub use self::settings::IntakeSettings;
pub(crate) use self::turns::{OpenTurn, Turns, turn_id};

const AGAIN: Backoff = Backoff { min: Duration::from_millis(100), max: Duration::from_secs(10) };

/// How often a turn that crashes may come from asks whether it is alone.
const ONE_AT_A_TIME: Duration = Duration::from_millis(500);

/// Hands the messages of one account over.
pub(crate) struct Intake {
    pub(crate) channel: ChannelId,
    pub(crate) account: AccountId,
    /// Who logged the account in.
    pub(crate) owner: Option<UserId>,
    pub(crate) settings: Switch<IntakeSettings>,
    pub(crate) store: Store,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) turns: Turns,
    pub(crate) received: ReceivedFiles,
    pub(crate) quotes: Quotes,
    pub(crate) debug: DebugMode,
    pub(crate) speaker: Speaker,
    pub(crate) clock: Clock,
}

/// Messages of a peer that come one after another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LaneKey {
    pub(crate) peer: UserId,
    /// Commands that overtake, apart from everything else the peer says.
    pub(crate) aside: bool,
}

impl LaneKey {
    pub(crate) fn of(kept: &Kept) -> Self {
        Self { peer: kept.peer.clone(), aside: kept.kind == Kind::Aside }
    }
}

/// Why a message could not be handed over.
#[derive(Debug, thiserror::Error)]
enum NotHanded {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Store(#[from] LedgerError),
    #[error(transparent)]
    Said(#[from] ChannelError),
    #[error("the intake panicked")]
    Panicked,
}

/// What to do after a look at a lane.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Look,
    /// Until the lane is woken.
    Rest,
    /// Until then, in milliseconds since 1970, or until the lane is woken.
    Later(i64),
}

impl Intake {
    /// Hands over what waits in a lane, in order. Returns when to look again, if
    /// something waits for the words that usually follow.
    pub(crate) async fn drain(&self, key: LaneKey) -> Option<i64> {
        let talk = Talk { account: self.account.clone(), peer: key.peer };
        let mut failures = 0;
        loop {
            let step = if key.aside { self.aside(&talk).await } else { self.in_order(&talk).await };
            match step {
                Ok(Next::Look) => failures = 0,
                Ok(Next::Rest) => return None,
                Ok(Next::Later(at_ms)) => return Some(at_ms),
                // The rest waits in the store for the next start.
                Err(NotHanded::Host(HostError::Stopping)) => return None,
                Err(err) => {
                    failures += 1;
                    tracing::warn!(account = %self.account, failures, error = %err, "message not handed over; trying again");
                    pause(AGAIN.delay(failures, None)).await;
                }
            }
        }
    }

    /// Hands over the next turn of a conversation, unless one runs.
    async fn in_order(&self, talk: &Talk) -> Result<Next, NotHanded> {
        let settings = self.settings.now();
        if settings.merge.while_busy && self.turns.holds(talk) {
            // Its end wakes the lane, or its question.
            return Ok(Next::Rest);
        }
        // Every turn's end wakes the lane; only a claim is worth a write.
        if !self.store.has_waiting(talk)? {
            return Ok(Next::Rest);
        }
        let (merge, most_failures) = (&settings.merge, settings.max_offers);
        let now_ms = self.clock.now_ms();
        match self.store.claim(talk, merge, most_failures, now_ms).await? {
            Claimed::Nothing => Ok(Next::Rest),
            Claimed::Later(wait) => Ok(Next::Later(now_ms.saturating_add(ms(wait)))),
            claimed @ (Claimed::Turn(_) | Claimed::SetAside { .. } | Claimed::Held) => {
                self.offer(talk, claimed, Lane::Conversation).await
            }
        }
    }

    /// Does the next command that overtakes its conversation.
    async fn aside(&self, talk: &Talk) -> Result<Next, NotHanded> {
        let Some(row) = self.store.peek_aside(talk)? else {
            return Ok(Next::Rest);
        };
        let most_failures = self.settings.now().max_offers;
        let text = text_of(&message(&row));
        let own = Command::of(&text).filter(|_| row.failures < most_failures);
        let Some(command) = own else {
            let claimed = self.store.claim_one(row.id, most_failures).await?;
            return self.offer(talk, claimed, Lane::Aside).await;
        };
        let done = self.answer(talk, &row, command);
        match AssertUnwindSafe(done).catch_unwind().await {
            Ok(done) => done.map(|()| Next::Look),
            Err(_) => Err(self.note_panic(row.id).await?),
        }
    }

    /// Hands claimed messages over, or puts them back.
    async fn offer(&self, talk: &Talk, claimed: Claimed, lane: Lane) -> Result<Next, NotHanded> {
        let rows = match claimed {
            Claimed::Turn(rows) => rows,
            Claimed::SetAside { turn } => {
                tracing::error!(account = %self.account, turn, "a message failed too often and was set aside");
                self.speaker.apologise(talk, turn, &Notice::SetAside).await;
                return Ok(Next::Look);
            }
            Claimed::Held => {
                return Ok(Next::Later(self.clock.now_ms().saturating_add(ms(ONE_AT_A_TIME))));
            }
            Claimed::Nothing | Claimed::Later(_) => return Ok(Next::Look),
        };
        let Some(turn) = rows.first().map(|row| row.id) else {
            return Ok(Next::Look);
        };
        let handed = self.hand_over(talk, &rows, lane);
        match AssertUnwindSafe(handed).catch_unwind().await {
            Ok(Ok(())) => Ok(Next::Look),
            Ok(Err(err)) => {
                self.turns.close(&turn_id(turn));
                self.put_back(turn).await;
                Err(err)
            }
            Err(_) => {
                self.turns.close(&turn_id(turn));
                Err(self.note_panic(turn).await?)
            }
        }
    }

    /// Puts a turn back, however long the store refuses: a claimed turn that
    /// nobody holds would be lost until the next start.
    async fn put_back(&self, turn: i64) {
        let mut failures = 0;
        while let Err(err) = self.store.unclaim(turn).await {
            failures += 1;
            tracing::error!(account = %self.account, turn, error = %err, "a message could not be put back; trying again");
            pause(AGAIN.delay(failures, None)).await;
        }
    }

    async fn note_panic(&self, turn: i64) -> Result<NotHanded, LedgerError> {
        tracing::error!(account = %self.account, turn, "the intake of a message panicked");
        self.store.failed(turn).await?;
        Ok(NotHanded::Panicked)
    }

    async fn hand_over(&self, talk: &Talk, rows: &[InboxRow], lane: Lane) -> Result<(), NotHanded> {
        let Some(first) = rows.first() else {
            return Ok(());
        };
        if !self.is_admitted(talk, first).await? {
            return Ok(self.store.finish(first.id).await?);
        }
        let gathered = self.gather(talk, rows, lane).await;
        if gathered.is_empty() {
            tracing::info!(account = %self.account, row = first.id, "a message without anything in it makes no turn");
            return Ok(self.store.finish(first.id).await?);
        }
        if let Some(notice) = gathered.useless.as_ref().filter(|_| first.offers == 1) {
            self.speaker.apologise(talk, first.id, notice).await;
        }
        let turn = OpenTurn {
            row: first.id,
            talk: talk.clone(),
            lane,
            run_id: RunId::new(first.run_id.as_str()),
            trace: self
                .debug
                .is_on(&self.account)
                .then(|| gathered.trace(rows, self.clock.now_ms())),
        };
        self.turns.open(gathered.inbound.turn.clone(), turn);
        // Side by side: what can be quoted later must not delay the turn.
        let remembering = self.remember(talk, gathered.said);
        let (received, ()) = join(self.host.receive(gathered.inbound), remembering).await;
        Ok(received?)
    }

    /// Asks the host for its verdict, and tells a stranger what the host wants
    /// to be told. Done again after a crash, it tells nothing twice.
    async fn is_admitted(&self, talk: &Talk, row: &InboxRow) -> Result<bool, NotHanded> {
        let sender = Sender {
            conversation: self.conversation(talk),
            turn: turn_id(row.id),
            is_owner: self.owner.as_ref() == Some(&talk.peer),
        };
        match self.host.admit(sender).await? {
            Verdict::Admit => Ok(true),
            Verdict::Refuse => Ok(false),
            Verdict::Challenge { text } => {
                self.speaker.answer(&in_turn(talk, row), vec![text]).await?;
                Ok(false)
            }
        }
    }

    fn conversation(&self, talk: &Talk) -> Conversation {
        Conversation {
            channel: self.channel.clone(),
            account: self.account.clone(),
            peer: PeerId::new(talk.peer.as_str()),
        }
    }

    /// Answers one of the channel's own commands. Nothing is claimed: done
    /// again after a crash, it says nothing twice.
    async fn answer(
        &self,
        talk: &Talk,
        row: &InboxRow,
        command: Command<'_>,
    ) -> Result<(), NotHanded> {
        if !self.is_admitted(talk, row).await? {
            return Ok(self.store.finish(row.id).await?);
        }
        let texts = match command {
            Command::Echo(text) => {
                echoed(text, row.sent_at_ms, row.received_at_ms, self.clock.now_ms())
            }
            Command::ToggleDebug => {
                let (debug, account) = (self.debug.clone(), self.account.clone());
                let toggling = tokio::task::spawn_blocking(move || debug.toggle(&account)).await;
                vec![toggled(toggling.unwrap_or_else(|err| Err(std::io::Error::other(err))))]
            }
        };
        self.speaker.answer(&in_turn(talk, row), texts).await?;
        Ok(self.store.finish(row.id).await?)
    }
}

fn in_turn(talk: &Talk, row: &InboxRow) -> InTurn {
    InTurn { row: row.id, talk: talk.clone(), run_id: RunId::new(row.run_id.as_str()) }
}
