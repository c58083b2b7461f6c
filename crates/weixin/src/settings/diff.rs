//! What new settings mean for accounts that run. Pure.

use std::collections::BTreeMap;

use contract::AccountId;

use super::section::{AccountSettings, ChannelSettings};

/// What has to be done about one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing concerns it.
    Nothing,
    /// The new values hold from the next message on; its poll is not touched.
    Apply,
    /// It has to be stopped and started anew, or only one of the two.
    Restart,
}

/// Says what a change of the settings means for each of these accounts, which
/// come with their aliases.
#[must_use]
pub fn diff<'a>(
    old: &ChannelSettings,
    new: &ChannelSettings,
    accounts: impl IntoIterator<Item = (&'a AccountId, Option<&'a str>)>,
) -> BTreeMap<AccountId, Change> {
    let change = |(account, alias): (&AccountId, Option<&str>)| {
        let (old, new) = (old.for_account(account, alias), new.for_account(account, alias));
        (account.clone(), between(&old, &new))
    };
    accounts.into_iter().map(change).collect()
}

fn between(old: &AccountSettings, new: &AccountSettings) -> Change {
    if old == new {
        return Change::Nothing;
    }
    // What a client is made of cannot change under a poll.
    let client = |it: &AccountSettings| {
        let AccountSettings { base_url, cdn_url, route_tag, bot_agent, .. } = it.clone();
        (it.enabled, base_url, cdn_url, route_tag, bot_agent)
    };
    if client(old) == client(new) { Change::Apply } else { Change::Restart }
}
