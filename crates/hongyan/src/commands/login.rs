//! `hongyan channels login`

use std::path::{Path, PathBuf};

use ilink::login::QrEnd;
use serde::Serialize;
use tokio::sync::mpsc;
use weixin::login::{Event, Failure, Flow, FlowOptions, Poller, Reason};

use super::which::Which;
use crate::cli::LoginArgs;
use crate::composition::{State, http};
use crate::control::Client;
use crate::error::{CliError, Kind};
use crate::output;
use crate::qr::{TerminalQr, png};
use crate::texts::t;

mod remote;

use self::remote::Remote;

pub(crate) async fn run(
    args: LoginArgs,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let plugin = match Which::find(&args.channel, found, &load).await? {
        Which::BuiltIn => None,
        Which::Plugin(there) => Some(there.channel),
    };
    let state = load()?;
    let options = FlowOptions {
        base_url: args.base_url,
        alias: args.name,
        fresh: args.fresh,
        ..FlowOptions::default()
    };
    let face = if args.json { Face::Json } else { Face::Terminal };
    let LoginArgs { verify_code, qr_png, .. } = args;
    let request = LoginRequest { plugin, options, verify_code, qr_png };
    let polled_by = request.log_in(&state, face).await?;
    if face == Face::Terminal && polled_by == Poller::Login {
        output::note(t!("login.next"));
    }
    Ok(())
}

/// How a login shows itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// To a person.
    Terminal,
    /// To a program: one event per line.
    Json,
}

/// What is wanted of a login.
#[derive(Default)]
pub(crate) struct LoginRequest {
    /// The channel that a plugin brings, unless the WeChat channel is meant.
    pub(crate) plugin: Option<String>,
    pub(crate) options: FlowOptions,
    /// Digits that are known beforehand.
    pub(crate) verify_code: Option<String>,
    /// Where each code is drawn.
    pub(crate) qr_png: Option<PathBuf>,
}

/// One line of the JSON form.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Where a login is done.
enum Login {
    Here(Box<Flow>),
    /// By the gateway that runs, so that it takes the account up at once.
    There(Box<Remote>),
}

impl Login {
    async fn begin(
        state: &State,
        plugin: Option<&str>,
        options: FlowOptions,
    ) -> Result<Self, CliError> {
        if let Some(channel) = plugin {
            let client = Client::need(state).await?;
            return Ok(Self::There(Box::new(Remote::begin(client, channel, options).await?)));
        }
        match Client::find(state).await? {
            Some(client) => {
                let remote = Remote::begin(client, weixin::CHANNEL_ID, options).await?;
                Ok(Self::There(Box::new(remote)))
            }
            None => Ok(Self::Here(Box::new(Flow::begin(&state.weixin(), &http()?, options)?))),
        }
    }

    /// Waits for what happens next; `None` at the end. Cancel safe.
    async fn next(&mut self) -> Result<Option<Event>, CliError> {
        match self {
            Self::Here(flow) => Ok(flow.next().await),
            Self::There(remote) => remote.next().await,
        }
    }

    async fn answer(&mut self, digits: String) -> Result<(), CliError> {
        match self {
            Self::Here(flow) => flow.answer(digits),
            Self::There(remote) => remote.answer(&digits).await?,
        }
        Ok(())
    }

    fn give_up(&mut self, reason: Reason) {
        match self {
            Self::Here(flow) => flow.give_up(reason),
            Self::There(remote) => remote.give_up(reason),
        }
    }
}

impl LoginRequest {
    /// Logs one account in. Returns who polls it.
    pub(crate) async fn log_in(self, state: &State, face: Face) -> Result<Poller, CliError> {
        let mut login = Login::begin(state, self.plugin.as_deref(), self.options).await?;
        let mut given = self.verify_code.filter(|digits| !digits.trim().is_empty());
        let mut typed = None;
        let mut polled_by = None;
        let mut failed = None;
        loop {
            let event = tokio::select! {
                event = login.next() => event?,
                line = next_line(&mut typed) => {
                    match line {
                        Some(digits) => login.answer(digits).await?,
                        None => login.give_up(Reason::VerifyCodeUnavailable),
                    }
                    continue;
                }
            };
            let Some(event) = event else { break };
            match face {
                Face::Json => output::json(&line(&event)),
                Face::Terminal => show(&event),
            }
            match event {
                Event::Qr { url, .. } => draw(self.qr_png.as_deref(), &url)?,
                Event::VerifyCodeNeeded { .. } => match given.take() {
                    Some(digits) => login.answer(digits).await?,
                    None => typed = Some(typed.take().unwrap_or_else(read_lines)),
                },
                Event::Polling { by, .. } => polled_by = Some(by),
                Event::Failed { failure } => failed = Some(failure),
                Event::Idle { .. }
                | Event::Refreshed { .. }
                | Event::Scanned
                | Event::Redirected { .. }
                | Event::Confirmed { .. }
                | Event::Saved { .. }
                | Event::AlreadyBound
                | Event::Checking { .. } => {}
            }
        }
        let failed = failed.unwrap_or(Failure { code: Reason::Cancelled, detail: None });
        polled_by.ok_or_else(|| error(failed))
    }
}

/// Reads lines from stdin as they come. It cannot be cancelled, so it has a
/// thread of its own, which ends with the process at the latest.
fn read_lines() -> mpsc::Receiver<String> {
    let (read, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        while let Some(line) = output::ask("") {
            if read.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Returns the next line, `None` at the end of the input; never, while nobody reads.
async fn next_line(lines: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match lines {
        Some(open) => {
            let line = open.recv().await;
            if line.is_none() {
                *lines = None;
            }
            line
        }
        None => std::future::pending().await,
    }
}

fn line(event: &Event) -> Line<'_> {
    let (sentence, hint) = match event {
        Event::Failed { failure } => (Some(sentence(failure.code)), Some(way_out(failure.code))),
        Event::Idle { .. } => (None, Some(t!("login.idle").into_owned())),
        Event::Qr { .. }
        | Event::Refreshed { .. }
        | Event::Scanned
        | Event::VerifyCodeNeeded { .. }
        | Event::Redirected { .. }
        | Event::Confirmed { .. }
        | Event::Saved { .. }
        | Event::AlreadyBound
        | Event::Checking { .. }
        | Event::Polling { .. } => (None, None),
    };
    Line { event, sentence, hint }
}

fn show(event: &Event) {
    match event {
        Event::Qr { url, lives_secs, .. } => {
            show_code(url);
            output::aside(t!("login.lives", secs = lives_secs));
        }
        Event::Idle { .. } => output::note(t!("login.idle")),
        Event::Refreshed { why: QrEnd::Expired } => output::note(t!("login.refreshed")),
        Event::Refreshed { why: QrEnd::Blocked } => output::note(t!("login.blocked")),
        Event::Scanned => output::done(t!("login.scanned")),
        Event::VerifyCodeNeeded { wrong: false } => output::question(t!("login.verify")),
        Event::VerifyCodeNeeded { wrong: true } => output::question(t!("login.verify_wrong")),
        Event::Redirected { host } => output::aside(t!("login.redirected", host = host)),
        Event::Confirmed { .. } => output::done(t!("login.confirmed")),
        Event::Saved { account, name, name_taken, replaced } => {
            output::done(t!("login.saved", account = called(account.as_str(), name.as_deref())));
            if *name_taken {
                output::note(t!("login.name_taken", account = account));
            }
            for old in replaced {
                output::aside(t!("login.replaced", account = old));
            }
        }
        Event::AlreadyBound => output::note(t!("login.already")),
        Event::Checking { account, by: Poller::Channel, at_most_secs } => {
            output::aside(t!("login.waiting", account = account, secs = at_most_secs));
        }
        Event::Checking { account, by: Poller::Login, .. } => {
            output::aside(t!("login.checking", account = account));
        }
        Event::Polling { account, name, .. } => {
            output::done(t!("login.done", account = called(account.as_str(), name.as_deref())));
        }
        // Printed as the error that ends the program.
        Event::Failed { .. } => {}
    }
}

fn called(account: &str, name: Option<&str>) -> String {
    name.map_or_else(|| account.to_owned(), |name| format!("{name} ({account})"))
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

fn draw(file: Option<&Path>, link: &str) -> Result<(), CliError> {
    let Some(file) = file else { return Ok(()) };
    let Some(png) = png(link) else { return Ok(()) };
    let written = wholefile::Draft::begin(file).and_then(|mut draft| {
        // A viewer that looks again must see a whole picture.
        std::io::Write::write_all(draft.file(), &png)?;
        draft.keep()
    });
    written.map_err(|err| {
        CliError::new(Kind::Config, t!("error.not_written", file = file.display())).caused_by(err)
    })
}

fn error(failure: Failure) -> CliError {
    let kind = match failure.code {
        Reason::Expired
        | Reason::Blocked
        | Reason::TimedOut
        | Reason::Cancelled
        | Reason::Refused
        | Reason::BoundButDead => Kind::NeedsLogin,
        Reason::NoQr
        | Reason::NoStatus
        | Reason::Incomplete
        | Reason::BadAddress
        | Reason::NotPolling => Kind::Unavailable,
        Reason::VerifyCodeUnavailable => Kind::Usage,
        Reason::NotSaved => Kind::Config,
    };
    let error = CliError::new(kind, sentence(failure.code)).hinted(way_out(failure.code));
    match failure.detail {
        Some(detail) => error.caused_by(detail),
        None => error,
    }
}

/// Says what happened.
fn sentence(code: Reason) -> String {
    match code {
        Reason::Expired => t!("error.login.expired"),
        Reason::Blocked => t!("error.login.blocked"),
        Reason::TimedOut => t!("error.login.timed_out"),
        Reason::Cancelled => t!("error.login.cancelled"),
        Reason::NoQr => t!("error.login.no_qr"),
        Reason::NoStatus => t!("error.login.no_status"),
        Reason::Incomplete => t!("error.login.incomplete"),
        Reason::BadAddress => t!("error.login.bad_address"),
        Reason::VerifyCodeUnavailable => t!("error.login.verify_needed"),
        Reason::NotSaved => t!("error.login.not_saved"),
        Reason::Refused => t!("error.login.refused"),
        Reason::NotPolling => t!("error.login.not_polling"),
        Reason::BoundButDead => t!("error.login.bound_but_dead"),
    }
    .into_owned()
}

/// Says what to do about it.
fn way_out(code: Reason) -> String {
    match code {
        Reason::Expired => t!("hint.login.expired"),
        Reason::Blocked => t!("hint.login.blocked"),
        Reason::TimedOut | Reason::Cancelled => t!("hint.login_again"),
        Reason::NoQr | Reason::NoStatus => t!("hint.login.backend"),
        Reason::Incomplete | Reason::BadAddress => t!("hint.login.strange"),
        Reason::VerifyCodeUnavailable => t!("hint.verify_code"),
        Reason::NotSaved => t!("hint.login.not_saved"),
        Reason::Refused => t!("hint.login.refused"),
        Reason::NotPolling => t!("hint.login.not_polling"),
        Reason::BoundButDead => t!("hint.login.bound_but_dead"),
    }
    .into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_failure_has_a_sentence_of_its_own_and_a_way_out() {
        let sentences: HashSet<_> = Reason::ALL.into_iter().map(sentence).collect();
        assert_eq!(sentences.len(), Reason::ALL.len());
        let is_text = |text: &String| text.contains(' ') && !text.starts_with("error.");
        assert!(sentences.iter().all(is_text));
        assert!(Reason::ALL.into_iter().map(way_out).all(|text| text.contains(' ')));
    }
}
