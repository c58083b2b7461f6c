//! Return codes of the backend (`ret`, `errcode`), carried in HTTP 200 bodies.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A return code. Unknown values are kept as they came.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(pub i64);

impl Code {
    /// Accepted. Never a delivery receipt (a Tencent maintainer).
    pub const OK: Self = Self(0);
    /// The upload's target user is wrong (one live test).
    pub const BAD_UPLOAD_TARGET: Self = Self(-1);
    /// Overloaded: rate limited, window closed, quota spent, text too long or
    /// context stale; `errmsg` and what the caller knows tell them apart.
    pub const REFUSED: Self = Self(-2);
    /// Wrong case or prefix in a user id (one live test).
    pub const WRONG_PEER: Self = Self(-3);
    /// `getconfig` before the peer ever wrote (several live tests).
    pub const NO_CONTEXT: Self = Self(-4);
    /// The bot token is stale: bound elsewhere, or expired (official source).
    pub const STALE_TOKEN: Self = Self(-14);
    /// Bad `bot_type`, or an upload kind that is refused (one live test).
    pub const BAD_ARGUMENT: Self = Self(2);

    /// Says whether the backend accepted the request.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.0)
    }
}
