//! `hongyan sessions`

use std::fs;
use std::io::Write as _;

use gateway::{Line, Role, SessionEntry, Sessions, SessionsError, Transcript, Which};
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{SessionExportArgs, SessionsCommand, ShowArgs, TranscriptFormat, WindowArgs};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

pub(crate) async fn run(command: SessionsCommand, state: &State) -> Result<(), CliError> {
    let sessions = Sessions::open(&state.gateway()).await;
    let sessions = sessions.map_err(|err| failed(SessionsError::Store(err)))?;
    match command {
        SessionsCommand::List { json } => list(&sessions, json).await,
        SessionsCommand::Show(args) => show(&sessions, &args).await,
        SessionsCommand::Reset { name, json } => {
            let was = sessions.reset(&name).await.map_err(failed)?;
            if json {
                output::json(&was);
            } else {
                output::done(t!("sessions.reset", key = was.key));
            }
            Ok(())
        }
        SessionsCommand::Export(args) => export(&sessions, &args).await,
    }
}

async fn list(sessions: &Sessions, json: bool) -> Result<(), CliError> {
    let all = sessions.list().await.map_err(|err| failed(SessionsError::Store(err)))?;
    if json {
        output::json(&all);
    } else if all.is_empty() {
        output::note(t!("sessions.none"));
    } else {
        let header = [
            t!("sessions.key"),
            t!("sessions.to"),
            t!("sessions.agent"),
            t!("sessions.model"),
            t!("sessions.started"),
            t!("sessions.last"),
        ];
        output::table(header, all.iter().map(row));
    }
    Ok(())
}

fn row(session: &SessionEntry) -> [String; 6] {
    let or_usual = |chosen: &Option<String>| chosen.clone().unwrap_or_else(|| "—".to_owned());
    [
        session.key.clone(),
        session.to.clone().unwrap_or_default(),
        or_usual(&session.agent),
        or_usual(&session.model),
        output::ago(Some(session.started_at_ms)),
        output::ago(Some(session.last_interaction_at_ms)),
    ]
}

async fn show(sessions: &Sessions, args: &ShowArgs) -> Result<(), CliError> {
    let shown = sessions.show(&args.name, which(args.window)).await.map_err(failed)?;
    if args.json {
        output::json(&shown);
        return Ok(());
    }
    output::aside(&shown.session.key);
    if shown.windows.len() > 1 && !args.window.all {
        output::aside(t!("sessions.windows", n = shown.windows.len()));
    }
    if shown.lines.is_empty() {
        output::note(t!("sessions.empty"));
    }
    for line in &shown.lines {
        output::line(told(&shown, line));
    }
    Ok(())
}

fn told(shown: &Transcript, line: &Line) -> String {
    let who = match line.role {
        Role::User => shown.session.to.as_deref().unwrap_or("peer"),
        Role::Assistant => shown.session.agent.as_deref().unwrap_or("agent"),
    };
    let at = Timestamp::from_millisecond(line.at_ms);
    let at = at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
    format!("{at} {who}: {}", line.text)
}

async fn export(sessions: &Sessions, args: &SessionExportArgs) -> Result<(), CliError> {
    /// What an export to a file tells a script.
    #[derive(Serialize)]
    struct Exported<'a> {
        session: &'a str,
        messages: usize,
        file: &'a std::path::Path,
    }
    let shown = sessions.show(&args.name, which(args.window)).await.map_err(failed)?;
    let text = match args.format {
        TranscriptFormat::Jsonl => shown.to_jsonl(),
        TranscriptFormat::Markdown => shown.to_markdown(),
    };
    let Some(file) = &args.output else {
        output::raw(&text);
        return Ok(());
    };
    write(file, &text).map_err(|err| {
        let what = t!("sessions.not_written", file = file.display());
        CliError::new(Kind::Usage, what).caused_by(err).hinted(t!("hint.sessions.output"))
    })?;
    let (session, messages) = (shown.session.key.as_str(), shown.lines.len());
    if args.json {
        output::json(&Exported { session, messages, file });
    } else {
        output::done(t!("sessions.exported", n = messages, file = file.display()));
    }
    Ok(())
}

/// Writes a new file for the user alone: it holds what people said.
fn write(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

fn which(args: WindowArgs) -> Which {
    match args.window {
        Some(number) => Which::Number(number),
        None if args.all => Which::All,
        None => Which::Open,
    }
}

fn failed(err: SessionsError) -> CliError {
    match err {
        SessionsError::Unknown(_) | SessionsError::Ambiguous { .. } => {
            CliError::new(Kind::Usage, err.to_string()).hinted(t!("hint.sessions"))
        }
        SessionsError::NoWindow(_) => {
            CliError::new(Kind::Usage, err.to_string()).hinted(t!("hint.sessions.windows"))
        }
        SessionsError::Store(err) => CliError::new(Kind::Config, err.to_string()).caused_by(err),
    }
}
