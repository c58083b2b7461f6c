//! The handshake: who is there, and which contract both speak.

use serde::{Deserialize, Serialize};

use crate::ChannelId;

/// The versions of the contract that are spoken here.
pub const VERSIONS: &[u32] = &[1];

/// What each side says first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The versions of the contract that it speaks.
    pub contract: Vec<u32>,
    /// The program's name.
    pub program: String,
    /// The program's version.
    pub version: String,
    /// The channel: a host says which one it wants, a channel which one it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
}

impl Hello {
    /// Makes the greeting of a program that speaks [`VERSIONS`].
    pub fn new(program: impl Into<String>, version: impl Into<String>) -> Self {
        let (program, version) = (program.into(), version.into());
        Self { contract: VERSIONS.to_vec(), program, version, channel: None }
    }

    /// Names the channel that is meant.
    #[must_use]
    pub fn of(mut self, channel: ChannelId) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Returns the highest version that both speak.
    #[must_use]
    pub fn common(&self, other: &Self) -> Option<u32> {
        self.contract.iter().copied().filter(|version| other.contract.contains(version)).max()
    }
}
