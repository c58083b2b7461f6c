//! Lists of peers, as a person writes them.

use std::collections::BTreeSet;

use contract::{ChannelId, PeerId};
use serde::{Deserialize, Deserializer};

/// A list of peers: `<peer>`, `<channel>:<peer>`, or `*` for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries(BTreeSet<String>);

impl Entries {
    /// Returns a list of nobody.
    pub(super) fn none() -> &'static Self {
        static NONE: Entries = Entries(BTreeSet::new());
        &NONE
    }

    /// Says whether a peer is named in it.
    pub(super) fn name(&self, channel: &ChannelId, peer: &PeerId) -> bool {
        let peer = folded(peer.as_str());
        let on_channel = || format!("{}:{peer}", folded(channel.as_str()));
        !peer.is_empty() && (self.0.contains(&peer) || self.0.contains(&on_channel()))
    }

    /// Says whether everybody is in it.
    pub(super) fn name_anyone(&self) -> bool {
        self.0.contains("*")
    }

    /// Says whether it names anybody who may be on a channel; `*` names nobody.
    pub(super) fn name_someone_on(&self, channel: &ChannelId) -> bool {
        let channel = folded(channel.as_str());
        self.0.iter().filter(|entry| *entry != "*").any(|entry| {
            // Whatever reads like the name of a channel before a colon is one.
            entry.split_once(':').is_none_or(|(before, _)| before == channel || !is_name(before))
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// OpenClaw takes numbers, too.
#[derive(Deserialize)]
#[serde(untagged, expecting = "an entry is a text or a number")]
enum Written {
    Text(String),
    Number(i64),
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Vec::<Written>::deserialize(deserializer)?;
        let texts = written.into_iter().map(|entry| match entry {
            Written::Text(text) => folded(&text),
            Written::Number(number) => number.to_string(),
        });
        Ok(Self(texts.filter(|entry| !entry.is_empty()).collect()))
    }
}

/// Returns a peer's id in the form in which peers are compared.
pub(crate) fn folded(peer: &str) -> String {
    peer.trim().to_lowercase()
}

fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.chars().all(is_plain)
}
