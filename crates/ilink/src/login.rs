//! The QR login as a state machine: no I/O, no clock.
//!
//! ```text
//! FetchQr → Tell(QrShown) → Poll ⟲ wait → Tell(Scanned) → Poll ⟲ → Done(Confirmed)
//!    ↑                       │ need_verifycode → Tell(VerifyCodeNeeded) → AwaitVerifyCode → Poll
//!    │                       │ scaned_but_redirect → Tell(Redirected) → Poll at the other host
//!    └─ Tell(QrEnded) ───────┘ binded_redirect → Done(AlreadyBound)
//! ```
//!
//! [`Login::handle`] is told what happened and says what to do next. A terminal,
//! a page and a program all drive the same machine, most simply through
//! [`QrLogin`].

use std::time::Duration;

use url::Url;

use crate::QrCodeId;
use crate::backoff::Backoff;
use crate::wire::{LoginStatus, QrCode, QrStatus};

mod base;
#[cfg(feature = "client")]
mod driver;
mod outcome;

#[cfg(feature = "client")]
pub use self::driver::QrLogin;
pub use self::outcome::{Credentials, Ending, LoginError, LoginEvent, Outcome, QrEnd};

/// How patient a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginOptions {
    /// When the login is given up, counted from its begin.
    pub deadline: Duration,
    /// How many codes are fetched after the first one, each when the one
    /// before is too old or blocked.
    pub refreshes: u32,
    /// The pause between two polls.
    pub pause: Duration,
    /// The pauses after failed exchanges.
    pub backoff: Backoff,
    /// How often in a row fetching a code may fail. Polling may fail until the
    /// deadline, since the code is on a screen by then.
    pub fetches: u32,
}

impl Default for LoginOptions {
    /// As patient as the official client (official source).
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(480),
            refreshes: 3,
            pause: Duration::from_secs(1),
            backoff: Backoff { min: Duration::from_secs(1), max: Duration::from_secs(15) },
            fetches: 3,
        }
    }
}

/// One login.
#[derive(Debug)]
pub struct Login {
    options: LoginOptions,
    /// Where every code begins; redirects last as long as their code.
    qr_base: Url,
    n_refresh: u32,
    /// Failed exchanges in a row.
    failures: u32,
    state: State,
}

/// What has to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Fetch a code at the QR base, sending the known tokens along; answer with
    /// [`Event::Qr`].
    FetchQr,
    /// Tell the person; answer with [`Event::Continue`].
    Tell(LoginEvent),
    /// Ask for the status; answer with [`Event::Status`].
    Poll(Poll),
    /// Let this time pass; answer with [`Event::Continue`].
    Wait(Duration),
    /// Wait for the digits; answer with [`Event::VerifyCode`].
    AwaitVerifyCode,
    /// It is over.
    Done(Outcome),
}

/// One question for the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Where to ask.
    pub base: Url,
    /// Which code.
    pub qr: QrCodeId,
    /// The digits that the person entered.
    pub verify_code: Option<String>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The step is done, or there was none yet.
    Continue,
    /// A code, or why there is none.
    Qr(Result<QrCode, Trouble>),
    /// A status, or why there is none.
    Status(Result<QrStatus, Trouble>),
    /// The digits.
    VerifyCode(String),
    /// The person gave up.
    Cancel,
}

/// Why an exchange brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The client's deadline passed: the ordinary end of a poll without news.
    TimedOut,
    /// It may work later; the backend may have said when.
    Passing {
        /// The backend's hint.
        after: Option<Duration>,
        /// What was wrong.
        reason: String,
    },
    /// It will not work.
    Lasting {
        /// What is wrong.
        reason: String,
    },
}

/// Where a login stands.
#[derive(Clone, Debug)]
enum State {
    /// A code is to be fetched, after a pause if one is due.
    NeedsQr { rest: Option<Duration> },
    /// A code is on a screen and its status is to be asked for.
    Shown { code: Shown, rest: Option<Duration> },
    /// The digits have been asked for.
    Asking { code: Shown },
    /// Nothing more happens.
    Over { outcome: Outcome },
}

/// A code on a screen.
#[derive(Clone, Debug)]
struct Shown {
    qr: QrCodeId,
    base: Url,
    scanned: bool,
    verify_code: Option<String>,
}

impl Login {
    /// Begins a login at this base; [`Event::Continue`] gets its first step.
    #[must_use]
    pub fn new(options: LoginOptions, qr_base: Url) -> Self {
        let state = State::NeedsQr { rest: None };
        Self { options, qr_base, n_refresh: 0, failures: 0, state }
    }

    /// Takes what happened, `elapsed` after the begin, and says what to do next.
    ///
    /// An event that does not answer the last step counts as
    /// [`Event::Continue`]. After the deadline, and after [`Step::Done`], every
    /// event leads to the same [`Step::Done`].
    pub fn handle(&mut self, event: Event, elapsed: Duration) -> Step {
        match (event, self.state.clone()) {
            (_, State::Over { outcome }) => Step::Done(outcome),
            (Event::Cancel, _) => self.done(Outcome::Cancelled),
            // An answer that is there counts, even a late one.
            (Event::Status(Ok(status)), State::Shown { code, .. }) => self.status(status, code),
            _ if elapsed >= self.options.deadline => self.done(Outcome::TimedOut),
            (Event::Qr(answer), State::NeedsQr { .. }) => self.fetched(answer),
            (Event::Status(Err(trouble)), State::Shown { code, .. }) => self.missed(trouble, code),
            (Event::VerifyCode(digits), State::Asking { code }) => self.entered(&digits, code),
            (_, state) => self.proceed(state),
        }
    }

    /// Returns how much of the time is left.
    #[must_use]
    pub fn remaining(&self, elapsed: Duration) -> Duration {
        self.options.deadline.saturating_sub(elapsed)
    }

    fn proceed(&mut self, state: State) -> Step {
        match state {
            State::NeedsQr { rest: Some(pause) } => {
                self.state = State::NeedsQr { rest: None };
                Step::Wait(pause)
            }
            State::NeedsQr { rest: None } => Step::FetchQr,
            State::Shown { code, rest: Some(pause) } => {
                self.state = State::Shown { code, rest: None };
                Step::Wait(pause)
            }
            State::Shown { code: Shown { qr, base, verify_code, .. }, rest: None } => {
                Step::Poll(Poll { base, qr, verify_code })
            }
            State::Asking { .. } => Step::AwaitVerifyCode,
            State::Over { outcome } => Step::Done(outcome),
        }
    }

    fn fetched(&mut self, answer: Result<QrCode, Trouble>) -> Step {
        let code = match answer {
            Ok(code) => code,
            Err(trouble) => return self.not_fetched(trouble),
        };
        let link = code.qrcode_img_content.filter(|link| !link.is_empty());
        let qr = code.qrcode.filter(|qr| !qr.is_empty());
        let (Some(link), Some(qr)) = (link, qr) else {
            return self.failed(LoginError::NoQr("the answer is incomplete".to_owned()));
        };
        self.failures = 0;
        let base = self.qr_base.clone();
        let code = Shown { qr: qr.clone(), base, scanned: false, verify_code: None };
        self.state = State::Shown { code, rest: None };
        Step::Tell(LoginEvent::QrShown { link, qrcode: qr, n_refresh: self.n_refresh })
    }

    fn not_fetched(&mut self, trouble: Trouble) -> Step {
        self.failures += 1;
        let (hint, reason) = match trouble {
            Trouble::TimedOut => (None, "no answer in time".to_owned()),
            Trouble::Passing { after, reason } => (after, reason),
            Trouble::Lasting { reason } => return self.failed(LoginError::NoQr(reason)),
        };
        if self.failures >= self.options.fetches {
            return self.failed(LoginError::NoQr(reason));
        }
        let pause = self.options.backoff.delay(self.failures, hint);
        self.proceed(State::NeedsQr { rest: Some(pause) })
    }

    fn status(&mut self, status: QrStatus, code: Shown) -> Step {
        self.failures = 0;
        match status.status {
            Some(LoginStatus::Scanned) => self.scanned(code),
            Some(LoginStatus::Confirmed) => match self.credentials(status) {
                Ok(credentials) => self.done(Outcome::Confirmed(credentials)),
                Err(err) => self.failed(err),
            },
            Some(LoginStatus::ScannedButRedirect) => self.redirected(status.redirect_host, code),
            Some(LoginStatus::NeedVerifyCode) => {
                let wrong = code.verify_code.is_some();
                self.state = State::Asking { code };
                Step::Tell(LoginEvent::VerifyCodeNeeded { wrong })
            }
            Some(LoginStatus::Expired) => self.refresh(QrEnd::Expired),
            Some(LoginStatus::VerifyCodeBlocked) => self.refresh(QrEnd::Blocked),
            Some(LoginStatus::AlreadyBound) => self.done(Outcome::AlreadyBound),
            // What we do not know may be news of a later version: go on asking.
            Some(LoginStatus::Wait | LoginStatus::Unknown(_)) | None => self.wait(code),
        }
    }

    fn missed(&mut self, trouble: Trouble, code: Shown) -> Step {
        let hint = match trouble {
            Trouble::TimedOut => return self.wait(code),
            Trouble::Passing { after, .. } => after,
            Trouble::Lasting { reason } => return self.failed(LoginError::NoStatus(reason)),
        };
        self.failures += 1;
        let pause = self.options.backoff.delay(self.failures, hint);
        self.proceed(State::Shown { code, rest: Some(pause) })
    }

    fn wait(&mut self, code: Shown) -> Step {
        let rest = Some(self.options.pause);
        self.proceed(State::Shown { code, rest })
    }

    fn scanned(&mut self, code: Shown) -> Step {
        let first = !code.scanned;
        // The digits, if there were any, were right.
        let code = Shown { scanned: true, verify_code: None, ..code };
        if !first {
            return self.wait(code);
        }
        self.state = State::Shown { code, rest: Some(self.options.pause) };
        Step::Tell(LoginEvent::Scanned)
    }

    fn redirected(&mut self, host: Option<String>, code: Shown) -> Step {
        let host = host.unwrap_or_default();
        let Some(base) = base::redirect(&self.qr_base, &host) else {
            return self.failed(LoginError::BadRedirect { host });
        };
        let moved = base != code.base;
        let code = Shown { base, scanned: true, ..code };
        if !moved {
            return self.wait(code);
        }
        self.state = State::Shown { code, rest: None };
        Step::Tell(LoginEvent::Redirected { host })
    }

    fn entered(&mut self, digits: &str, code: Shown) -> Step {
        let digits = digits.trim();
        if digits.is_empty() {
            return Step::AwaitVerifyCode;
        }
        let code = Shown { verify_code: Some(digits.to_owned()), ..code };
        self.state = State::Shown { code, rest: None };
        self.proceed(self.state.clone())
    }

    fn refresh(&mut self, why: QrEnd) -> Step {
        if self.n_refresh >= self.options.refreshes {
            return self.done(match why {
                QrEnd::Expired => Outcome::Expired,
                QrEnd::Blocked => Outcome::Blocked,
            });
        }
        self.n_refresh += 1;
        self.state = State::NeedsQr { rest: None };
        Step::Tell(LoginEvent::QrEnded { why })
    }

    fn credentials(&self, status: QrStatus) -> Result<Credentials, LoginError> {
        let token = status.bot_token.filter(|token| !token.is_empty());
        let bot_id = status.ilink_bot_id.filter(|id| !id.is_empty());
        let base_url = match status.baseurl.filter(|url| !url.is_empty()) {
            Some(text) => base::of_account(&self.qr_base, text)?,
            None => self.qr_base.clone(),
        };
        Ok(Credentials {
            token: token.ok_or(LoginError::Incomplete { missing: "a token" })?,
            bot_id: bot_id.ok_or(LoginError::Incomplete { missing: "the bot's id" })?,
            user_id: status.ilink_user_id.filter(|id| !id.is_empty()),
            base_url,
        })
    }

    fn failed(&mut self, err: LoginError) -> Step {
        self.done(Outcome::Failed(err))
    }

    fn done(&mut self, outcome: Outcome) -> Step {
        self.state = State::Over { outcome: outcome.clone() };
        Step::Done(outcome)
    }
}
