//! What is said to a turn that takes its time.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::SessionKey;

/// What was said to the turns that listen, by their sessions. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Meanwhile {
    // Held for a look-up, never across an await.
    heard: Arc<Mutex<HashMap<SessionKey, Vec<String>>>>,
}

/// A turn that listens, until this is dropped.
pub(super) struct Ears {
    meanwhile: Meanwhile,
    session: SessionKey,
}

impl Meanwhile {
    /// Begins to listen. A session has one turn at a time.
    pub(super) fn listen(&self, session: SessionKey) -> Ears {
        self.heard.lock().insert(session.clone(), Vec::new());
        Ears { meanwhile: self.clone(), session }
    }

    /// Hands something to the turn of a session, and says whether one listens.
    pub(super) fn hear(&self, session: &SessionKey, words: String) -> bool {
        let mut heard = self.heard.lock();
        let Some(said) = heard.get_mut(session) else { return false };
        said.push(words);
        true
    }
}

impl Ears {
    /// Returns what was heard. What is said from now on has its own turn.
    pub(super) fn close(self) -> Vec<String> {
        self.meanwhile.heard.lock().remove(&self.session).unwrap_or_default()
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.meanwhile.heard.lock().remove(&self.session);
    }
}
