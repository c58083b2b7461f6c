//! What new settings mean for an account that runs. Pure.

use super::section::AccountSettings;

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

impl Change {
    /// Says what a change of its settings means for an account.
    #[must_use]
    pub fn between(old: &AccountSettings, new: &AccountSettings) -> Self {
        if old == new {
            return Self::Nothing;
        }
        // What a client is made of cannot change under a poll.
        let client = |it: &AccountSettings| {
            let AccountSettings { enabled, base_url, cdn_url, route_tag, bot_agent, .. } =
                it.clone();
            (enabled, base_url, cdn_url, route_tag, bot_agent)
        };
        if client(old) == client(new) { Self::Apply } else { Self::Restart }
    }
}
