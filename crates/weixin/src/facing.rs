//! Accounts as a host sees them: logins and what is done with those that are
//! here, in the words of the contract.

use std::sync::Arc;

use contract::{
    AccountId, ChannelError, LoggedOut, LoginDone, LoginEvent, LoginFace, LoginFailure,
    LoginRequest,
};
use ilink::client::Http;
use ilink::login::QrEnd;
use url::Url;

use self::words::{Language, advice, hint, language, sentence};
use crate::accounts::{Accounts, AccountsError};
use crate::credentials::NameError;
use crate::login::{Event, Failure, Flow, FlowOptions, Poller, Reason};
use crate::settings::Settings;
use crate::store::storage;

mod words;

/// Logs an account in, shown by a face. Dropped, it gives the login up.
pub(crate) async fn log_in(
    settings: &Settings,
    http: &Http,
    request: LoginRequest,
    face: Arc<dyn LoginFace>,
) -> Result<LoginDone, ChannelError> {
    let LoginRequest { name, base_url, fresh, language: tag } = request;
    let base_url = base_url.map(|url| address(&url)).transpose()?;
    let options = FlowOptions { base_url, alias: name, fresh, ..FlowOptions::default() };
    let mut flow = Flow::begin(settings, http, options).map_err(name_error)?;
    let mut shown = Shown { face: &*face, language: language(tag.as_deref()), bound: false };
    // The digits are asked for while the phone is listened to: it may give up.
    let mut digits = Digits::NotWanted;
    loop {
        let event = tokio::select! {
            event = flow.next() => event,
            typed = digits.typed() => {
                digits = Digits::NotWanted;
                match typed {
                    Some(typed) => flow.answer(typed),
                    None => flow.give_up(Reason::VerifyCodeUnavailable),
                }
                continue;
            }
        };
        match event {
            Some(Event::VerifyCodeNeeded { wrong }) => {
                digits = Digits::Wanted(face.verify_code(wrong));
            }
            Some(Event::Polling { account, name, by }) => {
                return Ok(shown.done(account, name, by));
            }
            Some(Event::Failed { failure }) => return Err(shown.failed(failure)),
            Some(event) => shown.tell(event),
            None => return Err(shown.failed(Failure { code: Reason::Cancelled, detail: None })),
        }
    }
}

/// Whether a person is being asked for the digits on the phone.
enum Digits<'a> {
    NotWanted,
    Wanted(futures_util::future::BoxFuture<'a, Option<String>>),
}

impl Digits<'_> {
    async fn typed(&mut self) -> Option<String> {
        match self {
            Self::Wanted(asked) => asked.await.filter(|digits| !digits.trim().is_empty()),
            Self::NotWanted => std::future::pending().await,
        }
    }
}

/// A login as one person sees it.
struct Shown<'a> {
    face: &'a dyn LoginFace,
    language: Language,
    /// Whether an account that was here already is meant.
    bound: bool,
}

impl Shown<'_> {
    fn tell(&mut self, event: Event) {
        self.bound |= event == Event::AlreadyBound;
        if let Some(event) = told(event, self.language) {
            self.face.tell(event);
        }
    }

    fn done(&self, account: AccountId, name: Option<String>, by: Poller) -> LoginDone {
        self.face.tell(LoginEvent::Polling { account: account.clone(), name: name.clone() });
        let is_running = by == Poller::Channel;
        LoginDone { account, name, already_connected: self.bound, is_running }
    }

    fn failed(&self, failure: Failure) -> ChannelError {
        let Failure { code, detail } = failure;
        let failure = LoginFailure {
            code: code_of(code),
            sentence: sentence(code, self.language).to_owned(),
            hint: hint(code, self.language).to_owned(),
            detail,
        };
        self.face.tell(LoginEvent::Failed(failure.clone()));
        ChannelError::Login(failure)
    }
}

/// Puts an event into neutral words; the questions and the end are not told so.
fn told(event: Event, language: Language) -> Option<LoginEvent> {
    let event = match event {
        Event::Qr { url, lives_secs, n_refresh: _ } => {
            LoginEvent::Qr { text: url.clone(), url: Some(url), expires_in_secs: lives_secs }
        }
        Event::Idle { .. } => LoginEvent::Advice { text: advice(language).to_owned() },
        Event::Refreshed { why } => LoginEvent::QrEnded { blocked: why == QrEnd::Blocked },
        Event::Scanned => LoginEvent::Scanned,
        Event::Redirected { host } => LoginEvent::Redirected { host },
        Event::Confirmed { account } => LoginEvent::Confirmed { account },
        Event::Saved { account, name, name_taken, replaced } => {
            LoginEvent::Saved { account, name, name_taken, replaced }
        }
        Event::AlreadyBound => LoginEvent::AlreadyConnected,
        Event::Checking { account, at_most_secs, by: _ } => {
            LoginEvent::Checking { account, at_most_secs }
        }
        Event::VerifyCodeNeeded { .. } | Event::Polling { .. } | Event::Failed { .. } => {
            return None;
        }
    };
    Some(event)
}

/// Returns the word for programs, as it is in JSON everywhere else.
fn code_of(reason: Reason) -> String {
    let code = serde_json::to_value(reason).ok();
    code.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

fn address(text: &str) -> Result<Url, ChannelError> {
    let bad = |reason: String| ChannelError::Settings { path: "base_url".to_owned(), reason };
    let url = Url::parse(text).map_err(|err| bad(err.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(bad(format!("{other}:// is neither http:// nor https://"))),
    }
}

impl Accounts {
    /// Forgets an account's credential once nothing polls it any more. Messages
    /// stay for a later login.
    pub(crate) async fn called_off(&self, name: &str) -> Result<LoggedOut, ChannelError> {
        let account = self.called(name)?;
        let left = self.leave(&account).await.map_err(accounts_error)?;
        self.registry().forget(&account).map_err(storage)?;
        Ok(LoggedOut { account, cleared: left.had_credentials, announced: left.announced })
    }

    pub(crate) fn switched(&self, name: &str, enabled: bool) -> Result<AccountId, ChannelError> {
        let account = self.called(name)?;
        self.registry().set_disabled(&account, !enabled).map_err(storage)?;
        Ok(account)
    }

    pub(crate) async fn removed(&self, name: &str) -> Result<contract::Removed, ChannelError> {
        let account = self.called(name)?;
        let removed = self.remove(&account).await.map_err(accounts_error)?;
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(contract::Removed {
            account: removed.account,
            announced: removed.announced,
            rows: count(removed.rows),
            files: count(removed.files),
        })
    }

    fn called(&self, name: &str) -> Result<AccountId, ChannelError> {
        self.registry().find(name).map_err(name_error)
    }
}

fn name_error(err: NameError) -> ChannelError {
    match err {
        NameError::NotFound { .. } | NameError::Ambiguous { .. } => {
            ChannelError::UnknownAccount(err.to_string())
        }
        NameError::Taken { .. } | NameError::Unusable { .. } => {
            ChannelError::Settings { path: "name".to_owned(), reason: err.to_string() }
        }
        NameError::Credentials(err) => storage(err),
    }
}

fn accounts_error(err: AccountsError) -> ChannelError {
    match err {
        AccountsError::StillRunning { .. } => ChannelError::Failed(err.to_string()),
        AccountsError::Credentials(_)
        | AccountsError::Store(_)
        | AccountsError::File(_)
        | AccountsError::Running
        | AccountsError::Archive(_) => storage(err),
    }
}
