//! Who is heard.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Conversation, PeerId, Sender, Verdict};
use parking_lot::Mutex;

/// How many strangers are counted one by one.
const MOST_COUNTED: usize = 1_000;

/// The peers admitted by configuration. Empty admits nobody; the owner of an
/// account is admitted to it in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    allowlist: BTreeSet<String>,
}

impl Access {
    /// Admits these peers, on every channel and account. Look-ups tolerate
    /// case, since a person may have copied an id from where it is lower-cased.
    #[must_use]
    pub fn allowing(peers: impl IntoIterator<Item = PeerId>) -> Self {
        let allowlist = peers.into_iter().map(|peer| folded(&peer)).collect();
        Self { allowlist }
    }

    /// Says whether a sender is heard.
    #[must_use]
    pub fn verdict(&self, sender: &Sender) -> Verdict {
        let admitted =
            sender.is_owner || self.allowlist.contains(&folded(&sender.conversation.peer));
        if admitted { Verdict::Admit } else { Verdict::Refuse }
    }
}

/// How often whom was refused, since the gateway started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The first 1,000 conversations that were refused, with how often.
    pub conversations: BTreeMap<Conversation, u64>,
    /// How often all others were.
    pub others: u64,
}

/// Counts who was refused.
#[derive(Default)]
pub(crate) struct Refusals {
    // Held for a look-up, never across an await.
    counted: Mutex<Refused>,
}

impl Refusals {
    /// Counts one, and says whether it is the first of its conversation.
    pub(crate) fn count(&self, conversation: &Conversation) -> bool {
        let mut counted = self.counted.lock();
        if let Some(n) = counted.conversations.get_mut(conversation) {
            *n += 1;
            return false;
        }
        if counted.conversations.len() >= MOST_COUNTED {
            counted.others += 1;
            return false;
        }
        counted.conversations.insert(conversation.clone(), 1);
        true
    }

    pub(crate) fn counted(&self) -> Refused {
        self.counted.lock().clone()
    }
}

fn folded(peer: &PeerId) -> String {
    peer.as_str().trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(peer: &str, is_owner: bool) -> Sender {
        Sender { conversation: conversation(peer), turn: "t".into(), is_owner }
    }

    fn conversation(peer: &str) -> Conversation {
        Conversation { channel: "c".into(), account: "a".into(), peer: peer.into() }
    }

    #[test]
    fn an_empty_allowlist_admits_the_owner_and_nobody_else() {
        let access = Access::default();
        assert_eq!(access.verdict(&sender("p", true)), Verdict::Admit);
        assert_eq!(access.verdict(&sender("p", false)), Verdict::Refuse);
        assert_eq!(access.verdict(&sender("", false)), Verdict::Refuse);
    }

    #[test]
    fn an_allowlist_admits_its_peers_in_any_case() {
        let access = Access::allowing(["PeerA".into()]);
        assert_eq!(access.verdict(&sender("PeerA", false)), Verdict::Admit);
        assert_eq!(access.verdict(&sender("peera", false)), Verdict::Admit);
        assert_eq!(access.verdict(&sender("PeerB", false)), Verdict::Refuse);
        assert_eq!(access.verdict(&sender("PeerB", true)), Verdict::Admit);
    }

    #[test]
    fn ever_new_strangers_do_not_fill_the_memory() {
        let refusals = Refusals::default();
        for n in 0..MOST_COUNTED + 5 {
            refusals.count(&conversation(&n.to_string()));
        }
        assert!(!refusals.count(&conversation("0")));

        let refused = refusals.counted();
        assert_eq!(refused.conversations.len(), MOST_COUNTED);
        assert_eq!(refused.conversations[&conversation("0")], 2);
        assert_eq!(refused.others, 5);
    }
}
