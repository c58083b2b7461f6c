//! A login in progress, with everything that belongs to it.

use std::collections::VecDeque;
use std::time::Duration;

use contract::AccountId;
use ilink::client::Http;
use ilink::login::{LoginError, LoginEvent, LoginOptions, Outcome, QrLogin};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::event::{Event, Failure, Poller, Reason};
use super::first_poll::{Candidate, first_poll, poller};
use super::{LoggedIn, keep_as};
use crate::account_id::account_id;
use crate::credentials::{Credentials, NameError, Registry};
use crate::settings::Settings;
use crate::time::now_ms;

/// How a login is done.
#[derive(Clone, Debug)]
pub struct FlowOptions {
    /// Where to log in, if not where the settings or Tencent say.
    pub base_url: Option<Url>,
    /// The name that the account gets.
    pub alias: Option<String>,
    /// Whether the backend is not told which bots are here already, so that it
    /// always issues a new token. Helps when it takes a lost bot for present.
    pub fresh: bool,
    /// About how long a code lives, to be told. Nobody knows for sure.
    pub qr_life: Duration,
    /// After how long without a scan advice is due.
    pub idle: Duration,
    /// How long an account may take until its poll is taken.
    pub patience: Duration,
    /// How patient the QR part is.
    pub qr: LoginOptions,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            base_url: None,
            alias: None,
            fresh: false,
            qr_life: Duration::from_secs(120),
            idle: Duration::from_secs(30),
            patience: Duration::from_secs(60),
            qr: LoginOptions::default(),
        }
    }
}

/// A login in progress. Nothing runs between two calls of [`next`](Self::next),
/// and dropping it ends it.
pub struct Flow {
    settings: Settings,
    http: Http,
    registry: Registry,
    alias: Option<String>,
    qr_life: Duration,
    idle: Duration,
    patience: Duration,
    codes: mpsc::Sender<String>,
    stage: Stage,
    /// What is to be told before anything else is done.
    told: VecDeque<Event>,
}

/// Where a login stands.
enum Stage {
    /// Codes are shown. Advice is due at a time, once per code.
    Qr { login: Box<QrLogin>, advice_at: Option<Instant> },
    /// An account was put here, or is said to be; the first that polls decides.
    Check { candidates: VecDeque<Candidate>, last: Reason, failure: Option<Failure> },
    /// All is told.
    Over,
}

impl Flow {
    /// Begins a login.
    ///
    /// # Errors
    ///
    /// When the name cannot be given, or the credentials that are here cannot be
    /// read.
    pub fn begin(
        settings: &Settings,
        http: &Http,
        options: FlowOptions,
    ) -> Result<Self, NameError> {
        let registry = settings.registry();
        let alias = options.alias.map(|alias| free(&registry, &alias)).transpose()?;
        let known = if options.fresh { Vec::new() } else { registry.tokens()? };
        let client = settings.login_client(http.clone(), options.base_url);
        let login = QrLogin::new(&client, known, options.qr);
        Ok(Self {
            settings: settings.clone(),
            http: http.clone(),
            registry,
            alias,
            qr_life: options.qr_life,
            idle: options.idle,
            patience: options.patience,
            codes: login.codes(),
            stage: Stage::Qr { login: Box::new(login), advice_at: None },
            told: VecDeque::new(),
        })
    }

    /// Answers [`Event::VerifyCodeNeeded`] with the digits that the phone shows.
    pub fn answer(&self, digits: impl Into<String>) {
        if self.codes.try_send(digits.into()).is_err() {
            tracing::debug!("digits dropped: others are waiting to be read, or nobody asks");
        }
    }

    /// Returns where digits can be entered from elsewhere while
    /// [`next`](Self::next) waits.
    #[must_use]
    pub fn codes(&self) -> mpsc::Sender<String> {
        self.codes.clone()
    }

    /// Gives the login up, for this reason; the next event says so. An account
    /// that is saved already stays.
    pub fn give_up(&mut self, code: Reason) {
        self.told.clear();
        self.fail(Failure::of(code));
    }

    /// Goes on until there is something to tell; `None` when all is told. The
    /// last event is [`Event::Polling`] or [`Event::Failed`].
    ///
    /// Cancel safe: what was cut is done again by the next call.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Some(event);
            }
            match &mut self.stage {
                Stage::Qr { login, advice_at } => {
                    let due = *advice_at;
                    let event = tokio::select! {
                        event = login.next() => event,
                        () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                            *advice_at = None;
                            return Some(Event::Idle { secs: self.idle.as_secs() });
                        }
                    };
                    self.qr(event);
                }
                Stage::Check { .. } => self.check().await,
                Stage::Over => return None,
            }
        }
    }

    fn qr(&mut self, event: Option<LoginEvent>) {
        let Stage::Qr { advice_at, .. } = &mut self.stage else { return };
        let event = match event {
            Some(LoginEvent::QrShown { link: url, n_refresh, .. }) => {
                *advice_at = Some(Instant::now() + self.idle);
                Event::Qr { url, lives_secs: self.qr_life.as_secs(), n_refresh }
            }
            Some(LoginEvent::QrEnded { why }) => Event::Refreshed { why },
            Some(LoginEvent::Scanned) => {
                *advice_at = None;
                Event::Scanned
            }
            Some(LoginEvent::VerifyCodeNeeded { wrong }) => {
                *advice_at = None;
                Event::VerifyCodeNeeded { wrong }
            }
            Some(LoginEvent::Redirected { host }) => {
                *advice_at = None;
                Event::Redirected { host }
            }
            Some(LoginEvent::Done(_)) => return,
            None => {
                if let Stage::Qr { login, .. } = std::mem::replace(&mut self.stage, Stage::Over) {
                    self.ended(login.into_outcome());
                }
                return;
            }
        };
        self.told.push_back(event);
    }

    fn ended(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Confirmed(issued) => {
                self.told.push_back(Event::Confirmed { account: account_id(&issued.bot_id) });
                let since_ms = now_ms();
                match keep_as(&self.registry, issued, self.alias.clone()) {
                    Ok(logged_in) => self.saved(logged_in, since_ms),
                    Err(err) => self.fail(Failure::saying(Reason::NotSaved, err)),
                }
            }
            Outcome::AlreadyBound => {
                self.told.push_back(Event::AlreadyBound);
                self.check_those_here();
            }
            Outcome::Expired => self.fail(Failure::of(Reason::Expired)),
            Outcome::Blocked => self.fail(Failure::of(Reason::Blocked)),
            Outcome::TimedOut => self.fail(Failure::of(Reason::TimedOut)),
            Outcome::Cancelled => self.fail(Failure::of(Reason::Cancelled)),
            Outcome::Failed(err) => self.fail(Failure::saying(reason(&err), err)),
        }
    }

    fn saved(&mut self, logged_in: LoggedIn, since_ms: i64) {
        let LoggedIn { account, replaced } = logged_in;
        let wanted = self.alias.take();
        let found = self.registry.load(&account);
        let credentials = match found {
            Ok(Some(credentials)) => credentials,
            Ok(None) => return self.fail(Failure::of(Reason::NotSaved)),
            Err(err) => return self.fail(Failure::saying(Reason::NotSaved, err)),
        };
        let name = credentials.alias.clone();
        let name_taken = wanted.is_some() && name != wanted;
        let saved = Event::Saved { account: account.clone(), name, name_taken, replaced };
        self.told.push_back(saved);
        self.check_all([Candidate { account, credentials, since_ms }], Reason::NotPolling);
    }

    /// The backend does not say which account is meant, so all are asked.
    fn check_those_here(&mut self) {
        // The backend knows the ten newest.
        const MOST: usize = 10;
        let known = self.registry.accounts().unwrap_or_default().into_iter().rev().take(MOST);
        let load = |account: AccountId| {
            let credentials = self.registry.load(&account).ok().flatten()?;
            // A state of the running channel counts, however old: nothing was replaced.
            Some(Candidate { account, credentials, since_ms: 0 })
        };
        let candidates: Vec<_> = known.filter_map(load).collect();
        self.check_all(candidates, Reason::BoundButDead);
    }

    fn check_all(&mut self, candidates: impl IntoIterator<Item = Candidate>, last: Reason) {
        let candidates = candidates.into_iter().collect();
        self.stage = Stage::Check { candidates, last, failure: None };
        self.announce_check();
    }

    fn announce_check(&mut self) {
        let Stage::Check { candidates, last, failure } = &mut self.stage else { return };
        let Some(next) = candidates.front() else {
            let failure = failure.take();
            let bound = *last == Reason::BoundButDead;
            let detail = failure.as_ref().and_then(|failure| failure.detail.clone());
            let failure = match failure {
                Some(failure) if !bound => failure,
                Some(_) | None => Failure { code: *last, detail },
            };
            return self.fail(failure);
        };
        self.told.push_back(Event::Checking {
            account: next.account.clone(),
            by: poller_of(&self.settings, &next.credentials),
            at_most_secs: self.patience.as_secs(),
        });
    }

    async fn check(&mut self) {
        let Stage::Check { candidates, failure, .. } = &mut self.stage else { return };
        let Some(candidate) = candidates.front() else { return self.announce_check() };
        let by = poller_of(&self.settings, &candidate.credentials);
        let polled = first_poll(&self.settings, &self.http, candidate, by, self.patience).await;
        match polled {
            Ok(()) => {
                let account = candidate.account.clone();
                let name = candidate.credentials.alias.clone();
                self.told.push_back(Event::Polling { account, name, by });
                self.stage = Stage::Over;
            }
            Err(failed) => {
                *failure = Some(failed);
                candidates.pop_front();
                self.announce_check();
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.told.push_back(Event::Failed { failure });
        self.stage = Stage::Over;
    }
}

/// A channel does not poll what is switched off.
fn poller_of(settings: &Settings, credentials: &Credentials) -> Poller {
    if credentials.disabled { Poller::Login } else { poller(settings) }
}

/// Whoever logs in anew replaces their account and takes its name over; who it
/// is will be known when the phone has agreed.
fn free(registry: &Registry, alias: &str) -> Result<String, NameError> {
    match registry.free_alias(None, alias) {
        Err(NameError::Taken { name, account })
            if !account.as_str().eq_ignore_ascii_case(&name) =>
        {
            Ok(name)
        }
        other => other,
    }
}

fn reason(err: &LoginError) -> Reason {
    match err {
        LoginError::NoQr(_) => Reason::NoQr,
        LoginError::NoStatus(_) => Reason::NoStatus,
        LoginError::Incomplete { .. } => Reason::Incomplete,
        LoginError::BadRedirect { .. } | LoginError::BadBaseUrl { .. } => Reason::BadAddress,
    }
}
