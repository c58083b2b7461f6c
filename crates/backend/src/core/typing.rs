//! "Typing…": tickets, and who shows as typing.

use std::collections::HashMap;
use std::sync::Arc;

use ilink::{BotId, TypingTicket, UserId};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::Core;
use crate::clock::millis;
use crate::phones::News;
use crate::problem::Problem;
use crate::registry::LiveBot;

/// How long "typing…" shows without a repetition.
const SHOWN_MS: u64 = 10_000;

/// Who shows as typing, and until when.
#[derive(Debug)]
pub(super) struct Typing {
    // Held for a look-up, never across an await.
    until: Mutex<HashMap<(UserId, BotId), u64>>,
    changed: watch::Sender<u64>,
}

impl Default for Typing {
    fn default() -> Self {
        Self { until: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

/// Why a ticket is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TicketProblem {
    /// Not one of ours, or of another conversation.
    Forged,
    Expired,
}

impl Core {
    /// Returns a typing ticket, or `None` while the user has never written.
    pub(crate) async fn typing_ticket(
        &self,
        bot: &LiveBot,
        user: &UserId,
    ) -> Result<Option<TypingTicket>, Problem> {
        if !self.store.has_written(user, &bot.id).await? {
            return Ok(None);
        }
        let until = self.now().saturating_add(millis(self.policy().typing_ticket_life));
        Ok(Some(self.secret.typing_ticket(&bot.id, user, until)))
    }

    /// Shows or hides "typing…".
    pub(crate) fn set_typing(
        &self,
        bot: &LiveBot,
        user: &UserId,
        ticket: &TypingTicket,
        on: bool,
    ) -> Result<(), TicketProblem> {
        let until = self.secret.ticket_until(&bot.id, user, ticket);
        let now = self.now();
        if until.ok_or(TicketProblem::Forged)? <= now {
            return Err(TicketProblem::Expired);
        }
        let key = (user.clone(), bot.id.clone());
        let changed = {
            let mut typing = self.typing.until.lock();
            if on {
                typing.insert(key, now + SHOWN_MS).is_none()
            } else {
                typing.remove(&key).is_some()
            }
        };
        if changed {
            self.phones.tell(user, News::Typing { bot: bot.id.clone(), on });
            self.typing.changed.send_modify(|n| *n += 1);
        }
        Ok(())
    }

    /// Says whether a user's phone shows a bot as typing.
    pub(crate) fn is_typing(&self, user: &UserId, bot: &BotId) -> bool {
        let now = self.now();
        let typing = self.typing.until.lock();
        typing.get(&(user.clone(), bot.clone())).is_some_and(|until| *until > now)
    }

    /// Hides what was not repeated in time, for ever.
    pub(super) async fn watch_typing(self: Arc<Self>) {
        let mut changed = self.typing.changed.subscribe();
        loop {
            let next = self.typing.until.lock().values().min().copied();
            let due = async {
                match next {
                    Some(at) => self.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => self.hide_overdue(),
                _ = changed.changed() => {}
                () = self.stopping.cancelled() => return,
            }
        }
    }

    fn hide_overdue(&self) {
        let now = self.now();
        let mut hidden = Vec::new();
        self.typing.until.lock().retain(|key, until| {
            let shows = *until > now;
            if !shows {
                hidden.push(key.clone());
            }
            shows
        });
        for (user, bot) in hidden {
            self.phones.tell(&user, News::Typing { bot, on: false });
        }
    }
}
