//! How much is soaked.

use std::env;

/// The size of a soak.
#[derive(Clone, Debug)]
pub(super) struct Size {
    pub(super) accounts: usize,
    /// People who write to each account.
    pub(super) people: usize,
    pub(super) messages: u64,
    pub(super) kills: u32,
    pub(super) seed: u64,
    /// Whether nothing may take long.
    pub(super) is_small: bool,
}

impl Size {
    /// Reads what was asked for; otherwise as little as shows that it works.
    pub(super) fn from_env() -> Self {
        let seed = number("HONGYAN_SOAK_SEED").unwrap_or_else(rand::random);
        let small = Self { accounts: 4, people: 2, messages: 400, kills: 5, seed, is_small: true };
        match number("HONGYAN_SOAK_MESSAGES") {
            None => small,
            Some(messages) => {
                let kills = u32::try_from(messages / 800).unwrap_or(u32::MAX).max(10);
                Self { accounts: 50, people: 4, messages, kills, is_small: false, ..small }
            }
        }
    }

    /// Returns how many messages everyone says.
    pub(super) fn per_conversation(&self) -> u64 {
        self.messages.div_ceil((self.accounts * self.people) as u64)
    }

    /// Returns how many messages everyone says in a part of the soak.
    pub(super) fn part(&self, part: f64) -> u64 {
        (self.per_conversation() as f64 * part).ceil() as u64
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}
