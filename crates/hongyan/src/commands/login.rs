//! `hongyan channels login`

use std::borrow::Cow;

use ilink::login::{LoginEvent, LoginOptions, Outcome, QrLogin};
use serde::Serialize;
use tokio::sync::mpsc;
use url::Url;
use weixin::login::LoggedIn;

use crate::cli::LoginArgs;
use crate::composition::{State, http};
use crate::error::{CliError, Kind};
use crate::output;
use crate::qr::TerminalQr;
use crate::texts::t;

/// The names by which the channel is known.
const NAMES: [&str; 3] = [weixin::CHANNEL_ID, "weixin", "wechat"];

pub(crate) async fn run(args: LoginArgs, state: &State) -> Result<(), CliError> {
    if !NAMES.contains(&args.channel.as_str()) {
        return Err(CliError::new(
            Kind::Usage,
            t!("error.unknown_channel", channel = args.channel),
        )
        .hinted(t!("hint.channel")));
    }
    let face = if args.json { Face::Json } else { Face::Terminal };
    log_in(state, args.base_url, args.verify_code, face).await?;
    if face == Face::Terminal {
        output::note(t!("login.next"));
    }
    Ok(())
}

/// How a login shows itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// To a person.
    Terminal,
    /// To a program: one event per line; digits are read from stdin.
    Json,
}

/// The last line of the JSON form.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Report<'a> {
    LoggedIn { account: &'a str, replaced: Vec<&'a str> },
    AlreadyBound,
}

/// Logs one account in and keeps its credentials. Returns the account, or
/// nothing when this machine already has the bot.
pub(crate) async fn log_in(
    state: &State,
    base_url: Option<Url>,
    verify_code: Option<String>,
    face: Face,
) -> Result<Option<LoggedIn>, CliError> {
    let settings = state.weixin();
    let registry = settings.registry();
    let known = registry
        .tokens()
        .map_err(|err| CliError::new(Kind::Config, err.to_string()).caused_by(err))?;
    let client = settings.client(http()?, base_url);
    let mut login = QrLogin::new(&client, known, LoginOptions::default());
    let mut digits = Digits { given: verify_code, codes: login.codes(), face };
    while let Some(event) = login.next().await {
        match face {
            Face::Json => output::json(&event),
            Face::Terminal => show(&event),
        }
        if let LoginEvent::VerifyCodeNeeded { wrong } = event {
            digits.enter(wrong)?;
        }
    }
    let outcome = login.into_outcome();
    let Some(issued) = settle(outcome, face)? else { return Ok(None) };
    let logged_in = weixin::login::keep(&registry, issued)
        .map_err(|err| CliError::new(Kind::Config, err.to_string()).caused_by(err))?;
    report(&logged_in, face);
    Ok(Some(logged_in))
}

/// Where the digits come from: given beforehand, or asked for.
struct Digits {
    given: Option<String>,
    codes: mpsc::Sender<String>,
    face: Face,
}

impl Digits {
    fn enter(&mut self, wrong: bool) -> Result<(), CliError> {
        if let Some(given) = self.given.take() {
            // The channel has room: it was empty, or its reader is gone anyway.
            drop(self.codes.try_send(given));
            return Ok(());
        }
        if self.face == Face::Terminal && !output::can_ask() {
            return Err(CliError::new(Kind::Usage, t!("error.login.verify_needed"))
                .hinted(t!("hint.verify_code")));
        }
        let question = match (self.face, wrong) {
            (Face::Json, _) => String::new(),
            (Face::Terminal, false) => t!("login.verify").into_owned(),
            (Face::Terminal, true) => t!("login.verify_wrong").into_owned(),
        };
        let codes = self.codes.clone();
        // Reading a terminal cannot be cancelled, so it has a thread of its
        // own, which ends with the process at the latest.
        std::thread::spawn(move || {
            if let Some(answer) = output::ask(&question) {
                drop(codes.blocking_send(answer));
            }
        });
        Ok(())
    }
}

fn show(event: &LoginEvent) {
    match event {
        LoginEvent::QrShown { link, n_refresh, .. } => {
            if *n_refresh > 0 {
                output::note(t!("login.refreshed"));
            }
            show_code(link);
        }
        LoginEvent::Scanned => output::done(t!("login.scanned")),
        LoginEvent::Redirected { host } => output::aside(t!("login.redirected", host = host)),
        // Asked for, and reported, by themselves.
        LoginEvent::VerifyCodeNeeded { .. } | LoginEvent::Done { .. } => {}
    }
}

fn show_code(link: &str) {
    let columns = output::note_columns();
    match TerminalQr::encode(link) {
        Some(qr) if columns.is_none_or(|columns| qr.columns() <= usize::from(columns)) => {
            output::note(t!("login.scan"));
            output::note(qr.draw());
        }
        Some(qr) => output::note(t!("login.too_narrow", need = qr.columns())),
        None => {}
    }
    output::note(t!("login.link", link = link));
}

/// Turns an ending into credentials, nothing to do, or an error.
fn settle(outcome: Outcome, face: Face) -> Result<Option<ilink::login::Credentials>, CliError> {
    let failed = |message: Cow<'static, str>| {
        Err(CliError::new(Kind::NeedsLogin, message).hinted(t!("hint.login_again")))
    };
    match outcome {
        Outcome::Confirmed(issued) => Ok(Some(issued)),
        Outcome::AlreadyBound => {
            match face {
                Face::Json => output::json(&Report::AlreadyBound),
                Face::Terminal => output::done(t!("login.already")),
            }
            Ok(None)
        }
        Outcome::Expired => failed(t!("error.login.expired")),
        Outcome::TimedOut => failed(t!("error.login.timed_out")),
        Outcome::Blocked => failed(t!("error.login.blocked")),
        Outcome::Cancelled => failed(t!("error.login.cancelled")),
        Outcome::Failed(err) => Err(CliError::new(Kind::Unavailable, t!("error.login.failed"))
            .caused_by(err)
            .hinted(t!("hint.backend_down"))),
    }
}

fn report(logged_in: &LoggedIn, face: Face) {
    let LoggedIn { account, replaced } = logged_in;
    match face {
        Face::Json => output::json(&Report::LoggedIn {
            account: account.as_str(),
            replaced: replaced.iter().map(|account| account.as_str()).collect(),
        }),
        Face::Terminal => {
            output::done(t!("login.done", account = account));
            for old in replaced {
                output::aside(t!("login.replaced", account = old));
            }
        }
    }
}
