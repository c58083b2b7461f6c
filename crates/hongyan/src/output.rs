//! The one place that prints.

use std::io::{IsTerminal as _, Write as _};

use anstream::{eprint, eprintln, print, println};
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, ContentArrangement, Table, presets};
use gateway::control::LogRing;
use jiff::{Span, SpanRound, Timestamp, Unit};
use serde::Serialize;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::CliError;
use crate::texts::t;

const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();

/// How a log is written.
#[derive(Clone, Copy)]
pub(crate) enum Log {
    /// For people.
    Lines,
    /// For a program: one JSON object a line.
    Json,
}

/// Sends logs to stderr, and what is worth a line to a ring if there is one. A
/// filter that cannot be read becomes `warn`, with a word.
pub(crate) fn log_to_stderr(filter: &str, log: Log, ring: Option<LogRing>) {
    let (targets, bad) = match filter.parse::<Targets>() {
        Ok(targets) => (targets, None),
        Err(err) => (Targets::new().with_default(LevelFilter::WARN), Some(err)),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match log {
        Log::Lines => lines.boxed(),
        Log::Json => {
            // An event says what it is about; the spans around it repeat that.
            let json = lines.json().flatten_event(true);
            json.with_current_span(false).with_span_list(false).boxed()
        }
    };
    let kept = ring.map(|ring| ring.with_filter(kept()));
    tracing_subscriber::registry().with(lines.with_filter(targets)).with(kept).init();
    if let Some(err) = bad {
        tracing::warn!(error = %err, "--log cannot be read");
    }
}

/// What is kept in memory, however little goes to stderr.
fn kept() -> Targets {
    let ours = ["gateway", "hongyan", "ilink", "plugins", "weixin"];
    let ours = ours.map(|target| (target, LevelFilter::INFO));
    Targets::new().with_default(LevelFilter::WARN).with_targets(ours)
}

/// Prints a result.
pub(crate) fn line(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}

/// Prints a result as one line of JSON.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => println!("{text}"),
        Err(err) => eprintln!("{err}"),
    }
}

/// Prints a result as JSON that people read.
pub(crate) fn pretty(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => println!("{text}"),
        Err(err) => eprintln!("{err}"),
    }
}

/// Prints a result as a table that fits the terminal.
pub(crate) fn table<H, R>(header: H, rows: impl Iterator<Item = R>)
where
    H: IntoIterator<Item: Into<Cell>>,
    R: IntoIterator<Item: Into<Cell>>,
{
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    if let Some(columns) = result_columns() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(columns);
    }
    table.set_header(header.into_iter().map(Into::into).collect::<Vec<Cell>>());
    for row in rows {
        table.add_row(row.into_iter().map(Into::into).collect::<Vec<Cell>>());
    }
    println!("{table}");
}

/// Says how long ago a moment was, in its two largest units.
pub(crate) fn ago(at_ms: Option<i64>) -> String {
    match at_ms {
        Some(at_ms) => {
            let ms = Timestamp::now().as_millisecond().saturating_sub(at_ms);
            t!("status.ago", time = length(ms)).into_owned()
        }
        None => t!("status.never").into_owned(),
    }
}

/// Says how long something is, in its two largest units.
pub(crate) fn length(ms: i64) -> String {
    let secs = ms / 1_000;
    let unit = match secs {
        ..3_600 => Unit::Second,
        3_600..86_400 => Unit::Minute,
        _ => Unit::Hour,
    };
    let round = SpanRound::new().smallest(unit).largest(Unit::Hour);
    match Span::new().seconds(secs).round(round) {
        Ok(span) => format!("{span:#}"),
        Err(_) => format!("{secs}s"),
    }
}

/// Tells a person something that is not the result.
pub(crate) fn note(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Tells a person something minor.
pub(crate) fn aside(text: impl AsRef<str>) {
    eprintln!("{QUIET}{}{QUIET:#}", text.as_ref());
}

/// Tells a person that something has been done.
pub(crate) fn done(text: impl AsRef<str>) {
    eprintln!("{GOOD}✓{GOOD:#} {}", text.as_ref());
}

/// Asks a person something that is read elsewhere.
pub(crate) fn question(text: impl AsRef<str>) {
    eprint!("{}", text.as_ref());
    // A question that does not show is still answered.
    drop(std::io::stderr().flush());
}

/// Asks a person for a line of text. Blocks; `None` at the end of the input.
pub(crate) fn ask(question: &str) -> Option<String> {
    eprint!("{question}");
    std::io::stderr().flush().ok()?;
    let mut answer = String::new();
    let n = std::io::stdin().read_line(&mut answer).ok()?;
    (n > 0).then(|| answer.trim().to_owned())
}

/// Asks a person for a secret, which is not shown. Blocks; `None` when there is
/// nobody to ask.
pub(crate) fn ask_secret(question: &str) -> Option<String> {
    eprint!("{question}");
    std::io::stderr().flush().ok()?;
    rpassword::read_password().ok()
}

/// Says whether there is a person to ask.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Returns how many columns the terminal has that notes go to.
pub(crate) fn note_columns() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0)
}

/// Returns how many columns the terminal has that results go to.
pub(crate) fn result_columns() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0)
}

/// Prints a script or a document without adding anything.
pub(crate) fn raw(text: &str) {
    print!("{text}");
}

/// Prints what ended the program.
pub(crate) fn error(err: &CliError) {
    if err.is_told() {
        return;
    }
    eprintln!("{BAD}{}{BAD:#}: {}", t!("error"), err.message);
    for cause in err.causes() {
        eprintln!("  {}: {cause}", t!("caused_by"));
    }
    if let Some(hint) = &err.hint {
        eprintln!("{}: {hint}", t!("hint"));
    }
}
