//! The bots in memory: whose they are, whether their tokens are good, and who polls.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ilink::{BotId, UserId};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::policy::Burst;
use crate::store::Bot;

/// Every bot of the store. Filled at the start, kept in step with the store.
#[derive(Default)]
pub(crate) struct Registry {
    // Held for a look-up or an insertion, never across an await.
    bots: RwLock<Bots>,
}

#[derive(Default)]
struct Bots {
    by_id: HashMap<BotId, Arc<LiveBot>>,
    newest_of: HashMap<UserId, Arc<LiveBot>>,
}

impl Registry {
    /// Adds a bot. To be called in the order of their creation.
    pub(crate) fn add(&self, bot: Bot) -> Arc<LiveBot> {
        let live = Arc::new(LiveBot::new(bot));
        let mut bots = self.bots.write();
        bots.by_id.insert(live.id.clone(), Arc::clone(&live));
        bots.newest_of.insert(live.user.clone(), Arc::clone(&live));
        live
    }

    pub(crate) fn get(&self, bot: &BotId) -> Option<Arc<LiveBot>> {
        self.bots.read().by_id.get(bot).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<LiveBot>> {
        self.bots.read().by_id.values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.bots.read().by_id.len()
    }

    /// Returns the bot that a user is bound to at a moment.
    pub(crate) fn bot_of(&self, user: &UserId, now_ms: u64) -> Option<Arc<LiveBot>> {
        self.newest_of(user).filter(|bot| !bot.is_stale(now_ms))
    }

    /// Returns the bot that a user bound last, stale or not.
    pub(crate) fn newest_of(&self, user: &UserId) -> Option<Arc<LiveBot>> {
        self.bots.read().newest_of.get(user).cloned()
    }
}

/// One bot.
pub(crate) struct LiveBot {
    pub(crate) id: BotId,
    pub(crate) user: UserId,
    pub(crate) created_at: u64,
    name: Mutex<String>,
    /// `u64::MAX` when the token has no end.
    stale_at: AtomicU64,
    /// Up to where it has acknowledged, as far as this process knows.
    pub(crate) acked: AtomicU64,
    /// Not zero while second deliveries may be waiting; rises with each.
    pub(crate) copies: AtomicU64,
    /// Changes when there may be something new for a held poll.
    news: watch::Sender<u64>,
    /// Counts the polls; a held one ends when the count goes on.
    polls: watch::Sender<u64>,
    pub(crate) burst: Mutex<Burst>,
    presence: Mutex<Presence>,
}

/// Whether someone runs the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Offline,
    /// So many polls are held; the last sign of life was then.
    Online {
        held: u32,
        seen: Instant,
    },
}

impl LiveBot {
    fn new(bot: Bot) -> Self {
        Self {
            id: bot.id,
            user: bot.user,
            created_at: bot.created_at,
            name: Mutex::new(bot.name),
            stale_at: AtomicU64::new(bot.stale_at.unwrap_or(u64::MAX)),
            acked: AtomicU64::new(0),
            copies: AtomicU64::new(0),
            news: watch::Sender::new(0),
            polls: watch::Sender::new(0),
            burst: Mutex::default(),
            presence: Mutex::new(Presence::Offline),
        }
    }

    pub(crate) fn name(&self) -> String {
        self.name.lock().clone()
    }

    /// Renames the bot and says whether that is a change.
    pub(crate) fn rename(&self, name: &str) -> bool {
        let mut current = self.name.lock();
        let changed = *current != name;
        name.clone_into(&mut current);
        changed
    }

    pub(crate) fn stale_at(&self) -> u64 {
        self.stale_at.load(Ordering::Relaxed)
    }

    pub(crate) fn is_stale(&self, now_ms: u64) -> bool {
        now_ms >= self.stale_at()
    }

    /// Ends the token at a moment, and wakes a held poll so that it hears of it.
    pub(crate) fn make_stale(&self, at: u64) {
        self.stale_at.fetch_min(at, Ordering::Relaxed);
        self.wake();
    }

    /// Wakes a held poll to look again.
    pub(crate) fn wake(&self) {
        self.news.send_modify(|n| *n += 1);
    }

    /// Begins a poll: older ones end, and the bot is there.
    pub(crate) fn begin_poll(self: &Arc<Self>) -> Poll {
        let mut mine = 0;
        self.polls.send_modify(|n| {
            *n += 1;
            mine = *n;
        });
        let mut presence = self.presence.lock();
        let came_online = *presence == Presence::Offline;
        let held = match *presence {
            Presence::Offline => 0,
            Presence::Online { held, .. } => held,
        };
        *presence = Presence::Online { held: held + 1, seen: Instant::now() };
        Poll {
            bot: Arc::clone(self),
            mine,
            polls: self.polls.subscribe(),
            news: self.news.subscribe(),
            came_online,
        }
    }

    /// Shows the bot as there or gone. Says whether that is a change.
    pub(crate) fn appear(&self, online: bool) -> bool {
        let mut presence = self.presence.lock();
        let was = matches!(*presence, Presence::Online { .. });
        let held = match *presence {
            Presence::Online { held, .. } if online => held,
            Presence::Online { .. } | Presence::Offline => 0,
        };
        *presence = if online {
            Presence::Online { held, seen: Instant::now() }
        } else {
            Presence::Offline
        };
        was != online
    }

    /// Says whether the bot shows as being there. One whose token is refused
    /// does not, however often it asks.
    pub(crate) fn is_online(&self, now_ms: u64) -> bool {
        !self.is_stale(now_ms) && matches!(*self.presence.lock(), Presence::Online { .. })
    }

    /// Forgets a bot that gave no sign of life for so long. Says whether it did.
    pub(crate) fn fade(&self, after: Duration) -> bool {
        let mut presence = self.presence.lock();
        let gone = match *presence {
            Presence::Online { held: 0, seen } => seen.elapsed() > after,
            Presence::Online { .. } | Presence::Offline => false,
        };
        if gone {
            *presence = Presence::Offline;
        }
        gone
    }

    fn end_poll(&self) {
        let mut presence = self.presence.lock();
        if let Presence::Online { held, .. } = *presence {
            *presence = Presence::Online { held: held.saturating_sub(1), seen: Instant::now() };
        }
    }
}

/// A poll under way.
pub(crate) struct Poll {
    bot: Arc<LiveBot>,
    mine: u64,
    polls: watch::Receiver<u64>,
    news: watch::Receiver<u64>,
    /// Whether the bot was not there before.
    pub(crate) came_online: bool,
}

impl Poll {
    /// Takes note of what there is, so that only later news wake it.
    pub(crate) fn look(&mut self) {
        self.news.mark_unchanged();
    }

    /// Waits for news. Cancel safe.
    pub(crate) async fn news(&mut self) {
        // The sender lives in the bot that this poll holds.
        drop(self.news.changed().await);
    }

    /// Says whether a newer poll has begun.
    pub(crate) fn is_superseded(&self) -> bool {
        *self.polls.borrow() != self.mine
    }

    /// Waits until a newer poll begins. Cancel safe.
    pub(crate) fn superseded(&self) -> impl Future<Output = ()> + use<> {
        let mine = self.mine;
        let mut polls = self.polls.clone();
        async move { drop(polls.wait_for(|n| *n != mine).await) }
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.bot.end_poll();
    }
}
