//! What the receiving side is told.

use serde::{Deserialize, Serialize};

use crate::commands::Words;
use crate::merge::MergeSettings;
use crate::quotes::QuoteSettings;

/// How messages are received. The names are those of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct IntakeSettings {
    /// How messages that come close together become one turn.
    pub merge: MergeSettings,
    /// The words that are commands.
    pub control_words: Words,
    /// After how many crashes or failures of ours in it a message is set aside.
    pub max_offers: u32,
    /// The largest media that is fetched, in bytes.
    pub max_media_bytes: u64,
    /// Hosts beside the CDN's own that media may lie on. A leading dot stands
    /// for any subdomain.
    pub media_hosts: Vec<String>,
    /// What is kept for quotes. In a configuration it stands beside these, as
    /// the official plugin has it.
    pub quote_cache: QuoteSettings,
}

impl Default for IntakeSettings {
    fn default() -> Self {
        Self {
            merge: MergeSettings::default(),
            control_words: Words::default(),
            max_offers: 5,
            max_media_bytes: 100 << 20,
            media_hosts: Vec::new(),
            quote_cache: QuoteSettings::default(),
        }
    }
}
