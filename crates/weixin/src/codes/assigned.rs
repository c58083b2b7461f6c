//! Which code belongs to what. An assigned code never changes its meaning.

use ilink::Code;

use crate::governor::{Alarm, Parked, Why};
use crate::outcome::{Outcome, Unsendable};

/// The backend refuses the account's bot token.
pub(crate) const NEEDS_LOGIN: &str = "W105";
/// Messages that came too late to be worth sending.
pub(crate) const EXPIRED: &str = "W307";

impl Outcome {
    /// Returns the code to look it up by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "W200",
            Self::Accepted => "W201",
            Self::Unconfirmed => "W202",
            Self::RateLimited { .. } => "W203",
            Self::WindowClosed => "W204",
            Self::QuotaSpent => "W205",
            Self::TooLong => "W206",
            Self::StaleContext => "W207",
            Self::WrongPeer => "W208",
            Self::StaleToken => "W209",
            Self::UploadRefused { .. } => "W210",
            Self::UploadFailed { .. } => "W211",
            Self::Unsendable(Unsendable::TooLarge { .. }) => "W212",
            Self::Unsendable(Unsendable::MediaUnreadable) => "W213",
            Self::Unsendable(Unsendable::RowUnreadable) => "W214",
            Self::Unsendable(Unsendable::NoRequest) => "W215",
            Self::Transport { unknown: false, .. } => "W216",
            Self::Transport { unknown: true, .. } => "W217",
            Self::Refused { code: Code::REFUSED, .. } => "W219",
            Self::Refused { .. } => "W218",
        }
    }
}

impl Parked {
    /// Returns the code to look it up by.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NeverWrote => "W301",
            Self::WindowClosed => "W302",
            Self::QuotaSpent => "W303",
            Self::StaleContext => "W304",
            Self::Suppressed => "W305",
            Self::DailyCap => "W306",
        }
    }
}

impl Why {
    /// Returns the code to look it up by.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pace => "W311",
            Self::Burst => "W312",
            Self::Penalty => "W313",
            Self::Probe => "W314",
        }
    }
}

impl Alarm {
    /// Returns the code to look it up by.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Suppressed { .. } => "W401",
            Self::Recovered => "W402",
            Self::DailyCapNear { .. } => "W403",
        }
    }
}
