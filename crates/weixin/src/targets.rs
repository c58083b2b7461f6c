//! Finds whom a word means: an id, or a name given here.

use contract::{AccountId, ChannelError, ChannelId, Conversation, PeerId, Target};
use ilink::UserId;

use crate::credentials::Registry;
use crate::settings::CHANNEL_ID;
use crate::store::{Store, Talk, storage};

/// What a store and a folder of credentials know of people.
pub(crate) struct Targets<'a> {
    pub(crate) store: &'a Store,
    pub(crate) registry: &'a Registry,
}

impl Targets<'_> {
    /// Finds the one conversation that a target means.
    ///
    /// A peer is known who has written once, or who logged an account in.
    /// Without an account, the one that knows the peer is meant.
    ///
    /// # Errors
    ///
    /// When nobody is known by that word, or more than one could be meant.
    pub(crate) async fn find(&self, target: &Target) -> Result<Talk, ChannelError> {
        let to = strip(&target.to);
        let account = match &target.account {
            Some(word) => Some(self.registry.find(word).map_err(storage)?),
            None => None,
        };
        let accounts = self.registry.accounts().map_err(storage)?;
        let mut known = self.store.peers_called(to).await.map_err(storage)?;
        known.extend(self.owners(to, &accounts));
        known.retain(|talk| {
            accounts.contains(&talk.account)
                && account.as_ref().is_none_or(|account| *account == talk.account)
        });
        known.dedup();
        known.sort_by(|a, b| a.account.cmp(&b.account));
        known.dedup_by(|a, b| {
            a.account == b.account && a.peer.as_str().eq_ignore_ascii_case(b.peer.as_str())
        });
        match <[Talk; 1]>::try_from(known) {
            Ok([talk]) => Ok(talk),
            Err(none) if none.is_empty() => Err(ChannelError::UnknownTarget(target.to.clone())),
            Err(several) => Err(ChannelError::AmbiguousTarget {
                to: target.to.clone(),
                among: several
                    .iter()
                    .map(|talk| format!("{}/{}", talk.account, talk.peer))
                    .collect(),
            }),
        }
    }

    /// Those who logged an account in can be written to before they wrote: what
    /// is said waits for them.
    fn owners(&self, to: &str, accounts: &[AccountId]) -> Vec<Talk> {
        let owner = |account: &AccountId| {
            let credentials = self.registry.load(account).ok().flatten()?;
            let peer = credentials.user_id?;
            let talk = Talk { account: account.clone(), peer };
            talk.peer.as_str().eq_ignore_ascii_case(to).then_some(talk)
        };
        accounts.iter().filter_map(owner).collect()
    }
}

/// Hosts put a channel's name or `user:` before an id.
fn strip(to: &str) -> &str {
    let mut to = to.trim();
    for prefix in [CHANNEL_ID, "weixin", "wechat", "user"] {
        to = to.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(':')).unwrap_or(to);
    }
    to
}

/// Names a conversation as hosts do.
pub(crate) fn conversation(talk: &Talk) -> Conversation {
    Conversation {
        channel: ChannelId::from(CHANNEL_ID),
        account: talk.account.clone(),
        peer: PeerId::new(talk.peer.as_str()),
    }
}

/// Names a conversation as the store does.
pub(crate) fn talk(conversation: &Conversation) -> Talk {
    Talk { account: conversation.account.clone(), peer: UserId::from(conversation.peer.as_str()) }
}
