//! The open phones: who looks at which user's phone, and what they are told.

use std::collections::HashMap;
use std::sync::Arc;

use ilink::{BotId, QrCodeId, UserId};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// Something that a phone should look at. Small: the phone reads the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A message is new or changed.
    Message { id: u64 },
    /// The bot has acknowledged messages up to this one.
    Delivered { bot: BotId, up_to: u64 },
    /// The bot types, or stopped.
    Typing { bot: BotId, on: bool },
    /// Something about a bot changed.
    Contact { bot: BotId },
    /// A login goes on.
    Login { qrcode: QrCodeId },
}

/// How many news a slow phone may lag behind before it has to read everything again.
const QUEUE: usize = 256;

/// The open phones.
pub(crate) struct Phones {
    // Held for a look-up, never across an await.
    lines: Mutex<HashMap<UserId, broadcast::Sender<News>>>,
    room: Arc<Semaphore>,
}

impl Phones {
    /// Allows for so many open phones.
    pub(crate) fn new(most: usize) -> Self {
        Self { lines: Mutex::default(), room: Arc::new(Semaphore::new(most)) }
    }

    /// Tells every open phone of a user.
    pub(crate) fn tell(&self, user: &UserId, news: News) {
        let mut lines = self.lines.lock();
        let Some(line) = lines.get(user) else {
            return;
        };
        if line.send(news).is_err() {
            lines.remove(user);
        }
    }

    /// Opens a phone; `None` when there are too many.
    pub(crate) fn open(&self, user: &UserId) -> Option<Phone> {
        let permit = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let mut lines = self.lines.lock();
        let line = lines.entry(user.clone()).or_insert_with(|| broadcast::Sender::new(QUEUE));
        Some(Phone { news: line.subscribe(), _permit: permit })
    }

    /// Returns how many more phones could be opened.
    pub(crate) fn room(&self) -> usize {
        self.room.available_permits()
    }
}

/// One open phone.
pub(crate) struct Phone {
    pub(crate) news: broadcast::Receiver<News>,
    _permit: OwnedSemaphorePermit,
}
