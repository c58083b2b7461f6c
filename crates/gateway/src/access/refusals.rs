//! Who was not heard.

use std::collections::BTreeMap;

use contract::Conversation;
use parking_lot::Mutex;
use serde::Serialize;

use super::Reason;

/// How many strangers are counted one by one.
const MOST_COUNTED: usize = 1_000;

/// Who was refused, since the gateway started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The first 1,000 conversations that were refused.
    pub conversations: BTreeMap<Conversation, Refusal>,
    /// How often all others were.
    pub others: u64,
}

/// How often one conversation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// How often.
    pub times: u64,
    /// Why, the last time.
    pub reason: Reason,
}

/// Counts who was refused.
#[derive(Default)]
pub(crate) struct Refusals {
    // Held for a look-up, never across an await.
    counted: Mutex<Refused>,
}

impl Refusals {
    /// Counts one, and says whether it is the first of its conversation.
    pub(crate) fn count(&self, conversation: &Conversation, reason: Reason) -> bool {
        let mut counted = self.counted.lock();
        if let Some(refusal) = counted.conversations.get_mut(conversation) {
            *refusal = Refusal { times: refusal.times + 1, reason };
            return false;
        }
        if counted.conversations.len() >= MOST_COUNTED {
            counted.others += 1;
            return false;
        }
        counted.conversations.insert(conversation.clone(), Refusal { times: 1, reason });
        true
    }

    pub(crate) fn counted(&self) -> Refused {
        self.counted.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ever_new_strangers_do_not_fill_the_memory() {
        let stranger = |n: usize| Conversation {
            channel: "c".into(),
            account: "a".into(),
            peer: n.to_string().as_str().into(),
        };
        let refusals = Refusals::default();
        for n in 0..MOST_COUNTED + 5 {
            refusals.count(&stranger(n), Reason::AwaitsApproval);
        }
        assert!(!refusals.count(&stranger(0), Reason::NotListed));

        let refused = refusals.counted();
        assert_eq!(refused.conversations.len(), MOST_COUNTED);
        let twice = Refusal { times: 2, reason: Reason::NotListed };
        assert_eq!(refused.conversations[&stranger(0)], twice);
        assert_eq!(refused.others, 5);
    }
}
