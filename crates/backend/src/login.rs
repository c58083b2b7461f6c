//! A QR login as a state machine. Pure: no I/O, no clock.

use ilink::wire::LoginStatus;
use ilink::{BotId, UserId};
use serde::{Deserialize, Serialize};

/// Where a login stands. Expiry is not a state: it follows from the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum Login {
    /// Nobody has scanned the code.
    #[default]
    Waiting,
    /// Someone has, and is asked whether to connect.
    Scanned { user: UserId },
    /// The phone shows digits that must be typed where the login began.
    Verifying { user: UserId, code: String, wrong: u32, tries: u32 },
    /// Too many wrong digits.
    Blocked { user: UserId, wrong: u32 },
    /// The phone said no.
    Cancelled { user: UserId },
    /// The bot is bound.
    Confirmed { user: UserId, bot: BotId },
    /// The machine that asks already has the user's bot.
    AlreadyBound { user: UserId, bot: BotId },
}

/// Why a step was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoginProblem {
    #[error("the code has expired")]
    Expired,
    #[error("someone else has scanned this code")]
    Taken,
    #[error("this code was not scanned yet")]
    NotScanned,
    #[error("this login has ended")]
    Ended,
}

/// What a confirmation needs to know.
pub(crate) struct Confirmation {
    /// The user's present bot, if the asking machine has its token.
    pub(crate) known: Option<BotId>,
    /// Asks for digits: which, and how many wrong ones are one too many.
    pub(crate) verify: Option<(String, u32)>,
    /// The id of the bot to be bound.
    pub(crate) fresh: BotId,
}

impl Login {
    /// The phone has read the code. Reading it again changes nothing.
    pub(crate) fn scan(&mut self, user: &UserId, expired: bool) -> Result<(), LoginProblem> {
        match self {
            Self::Waiting if expired => Err(LoginProblem::Expired),
            Self::Waiting => {
                *self = Self::Scanned { user: user.clone() };
                Ok(())
            }
            other if other.user() == Some(user) => Ok(()),
            Self::Scanned { .. }
            | Self::Verifying { .. }
            | Self::Blocked { .. }
            | Self::Cancelled { .. }
            | Self::Confirmed { .. }
            | Self::AlreadyBound { .. } => Err(LoginProblem::Taken),
        }
    }

    /// The phone said yes. Returns the bot to bind now, if any; saying yes
    /// again changes nothing.
    pub(crate) fn confirm(
        &mut self,
        user: &UserId,
        expired: bool,
        with: Confirmation,
    ) -> Result<Option<BotId>, LoginProblem> {
        if self.user() != Some(user) {
            return Err(if self.user().is_some() {
                LoginProblem::Taken
            } else {
                LoginProblem::NotScanned
            });
        }
        match self {
            Self::Scanned { .. } if expired => Err(LoginProblem::Expired),
            Self::Scanned { .. } => Ok(self.agree(user.clone(), with)),
            Self::Verifying { .. } | Self::Confirmed { .. } | Self::AlreadyBound { .. } => Ok(None),
            Self::Waiting => Err(LoginProblem::NotScanned),
            Self::Blocked { .. } | Self::Cancelled { .. } => Err(LoginProblem::Ended),
        }
    }

    fn agree(&mut self, user: UserId, with: Confirmation) -> Option<BotId> {
        if let Some(bot) = with.known {
            *self = Self::AlreadyBound { user, bot };
            return None;
        }
        if let Some((code, tries)) = with.verify {
            *self = Self::Verifying { user, code, wrong: 0, tries };
            return None;
        }
        *self = Self::Confirmed { user, bot: with.fresh.clone() };
        Some(with.fresh)
    }

    /// Digits were typed where the login began. Returns the bot to bind now, if
    /// they are right.
    pub(crate) fn verify(&mut self, digits: &str, expired: bool, fresh: BotId) -> Option<BotId> {
        let Self::Verifying { user, code, wrong, tries } = self else {
            return None;
        };
        if expired {
            return None;
        }
        if crate::secret::same(digits, code) {
            *self = Self::Confirmed { user: user.clone(), bot: fresh.clone() };
            return Some(fresh);
        }
        *wrong += 1;
        if *wrong >= *tries {
            *self = Self::Blocked { user: user.clone(), wrong: *wrong };
        }
        None
    }

    /// The phone said no. Does nothing once the bot is bound.
    pub(crate) fn cancel(&mut self, user: &UserId) -> Result<(), LoginProblem> {
        if self.user() != Some(user) {
            return Err(LoginProblem::NotScanned);
        }
        if matches!(self, Self::Scanned { .. } | Self::Verifying { .. }) {
            *self = Self::Cancelled { user: user.clone() };
        }
        Ok(())
    }

    /// Returns the digits that the phone shows, while it does.
    pub(crate) fn digits(&self) -> Option<&str> {
        match self {
            Self::Verifying { code, .. } => Some(code),
            Self::Waiting
            | Self::Scanned { .. }
            | Self::Blocked { .. }
            | Self::Cancelled { .. }
            | Self::Confirmed { .. }
            | Self::AlreadyBound { .. } => None,
        }
    }

    /// Returns who has scanned.
    pub(crate) fn user(&self) -> Option<&UserId> {
        match self {
            Self::Waiting => None,
            Self::Scanned { user }
            | Self::Verifying { user, .. }
            | Self::Blocked { user, .. }
            | Self::Cancelled { user }
            | Self::Confirmed { user, .. }
            | Self::AlreadyBound { user, .. } => Some(user),
        }
    }

    /// Returns what the asking machine is told.
    pub(crate) fn status(&self, expired: bool) -> LoginStatus {
        match self {
            Self::Confirmed { .. } => LoginStatus::Confirmed,
            Self::AlreadyBound { .. } => LoginStatus::AlreadyBound,
            Self::Blocked { .. } => LoginStatus::VerifyCodeBlocked,
            Self::Cancelled { .. } => LoginStatus::Expired,
            Self::Waiting | Self::Scanned { .. } | Self::Verifying { .. } if expired => {
                LoginStatus::Expired
            }
            Self::Waiting => LoginStatus::Wait,
            Self::Scanned { .. } => LoginStatus::Scanned,
            Self::Verifying { .. } => LoginStatus::NeedVerifyCode,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> UserId {
        UserId::from("alice@im.wechat")
    }

    fn with(known: Option<&str>, verify: Option<(&str, u32)>) -> Confirmation {
        Confirmation {
            known: known.map(BotId::from),
            verify: verify.map(|(code, tries)| (code.to_owned(), tries)),
            fresh: BotId::from("new@im.bot"),
        }
    }

    fn scanned() -> Login {
        let mut login = Login::Waiting;
        login.scan(&alice(), false).unwrap();
        login
    }

    #[test]
    fn a_confirmed_login_binds_once() {
        let mut login = scanned();
        assert_eq!(login.status(false), LoginStatus::Scanned);
        let bound = login.confirm(&alice(), false, with(None, None));
        assert_eq!(bound, Ok(Some(BotId::from("new@im.bot"))));
        assert_eq!(login.confirm(&alice(), false, with(None, None)), Ok(None));
        assert_eq!(login.status(true), LoginStatus::Confirmed, "what is bound does not expire");
    }

    #[test]
    fn a_machine_that_has_the_bot_gets_nothing_new() {
        let mut login = scanned();
        assert_eq!(login.confirm(&alice(), false, with(Some("old@im.bot"), None)), Ok(None));
        assert_eq!(login.status(false), LoginStatus::AlreadyBound);
    }

    #[test]
    fn wrong_digits_are_asked_again_until_it_is_blocked() {
        let mut login = scanned();
        login.confirm(&alice(), false, with(None, Some(("123456", 2)))).unwrap();
        assert_eq!(login.status(false), LoginStatus::NeedVerifyCode);
        assert_eq!(login.verify("000000", false, BotId::from("b")), None);
        assert_eq!(login.status(false), LoginStatus::NeedVerifyCode);
        let mut right = login.clone();
        assert!(right.verify("123456", false, BotId::from("b")).is_some());
        assert_eq!(login.verify("000000", false, BotId::from("b")), None);
        assert_eq!(login.status(false), LoginStatus::VerifyCodeBlocked);
        assert_eq!(login.verify("123456", false, BotId::from("b")), None);
    }

    #[test]
    fn an_expired_code_leads_nowhere() {
        assert_eq!(Login::Waiting.scan(&alice(), true), Err(LoginProblem::Expired));
        assert_eq!(Login::Waiting.status(true), LoginStatus::Expired);
        let refused = scanned().confirm(&alice(), true, with(None, None));
        assert_eq!(refused, Err(LoginProblem::Expired));
    }

    #[test]
    fn a_code_belongs_to_who_scanned_it_first() {
        let bob = UserId::from("bob@im.wechat");
        assert_eq!(scanned().scan(&bob, false), Err(LoginProblem::Taken));
        assert_eq!(scanned().confirm(&bob, false, with(None, None)), Err(LoginProblem::Taken));
        assert_eq!(scanned().cancel(&bob), Err(LoginProblem::NotScanned));
    }

    #[test]
    fn a_cancelled_login_looks_expired() {
        let mut login = scanned();
        login.cancel(&alice()).unwrap();
        assert_eq!(login.status(false), LoginStatus::Expired);
        let refused = login.confirm(&alice(), false, with(None, None));
        assert_eq!(refused, Err(LoginProblem::Ended));
    }
}
