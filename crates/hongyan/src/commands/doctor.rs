//! `hongyan doctor`: what is wrong, and what to do about it.

use std::borrow::Cow;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::composition::State;
use crate::control::Client;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

mod accounts;
mod machine;
mod people;
mod settings;

/// What was found about one thing.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Note,
    Warning,
    Fault,
}

impl Finding {
    fn good(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Good, text: text.into(), fix: None }
    }

    fn bad(
        check: &'static str,
        verdict: Verdict,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { check, verdict, text: text.into(), fix: Some(fix.into()) }
    }

    /// Something that could not be looked at.
    fn fault(check: &'static str, err: CliError) -> Self {
        Self::bad(check, Verdict::Fault, err.message, err.hint.unwrap_or_default())
    }
}

/// Looks at everything; `load` reads the settings, which may be what is wrong.
pub(crate) async fn run(
    args: &DoctorArgs,
    found: State,
    config: Option<PathBuf>,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let dir = found.dir().to_owned();
    let config = config.unwrap_or_else(|| dir.join("config.json5"));
    let (mut findings, usable) = settings::config(&config, &found);
    let state = match load() {
        Ok(state) => state,
        // What the file says of itself is told already.
        Err(_) if findings.iter().any(|it| it.verdict == Verdict::Fault) => found,
        Err(err) => {
            findings.push(Finding::fault("config", err));
            found
        }
    };
    findings.extend(settings::plugins(&state, config));
    findings.push(gateway(&state).await);
    findings.extend(accounts::all(args.probe, &state).await);
    findings.extend(usable.iter().flat_map(people::all));
    findings.extend(machine::files(&dir));
    findings.extend(machine::disk(&dir));
    findings.push(machine::clock(Timestamp::now().as_second()));
    tell(&findings, args.json);
    match findings.iter().filter(|finding| finding.verdict == Verdict::Fault).count() {
        0 => Ok(()),
        n => Err(CliError::new(Kind::NotDone, t!("error.doctor", n = n)).hinted(t!("hint.doctor"))),
    }
}

fn tell(findings: &[Finding], json: bool) {
    if json {
        output::json(&findings);
        return;
    }
    for finding in findings {
        let mark = match finding.verdict {
            Verdict::Good => "✓",
            Verdict::Note => "·",
            Verdict::Warning => "!",
            Verdict::Fault => "✗",
        };
        output::line(format!("{mark} {}: {}", finding.check, finding.text));
        if let Some(fix) = &finding.fix {
            output::line(format!("    {}: {fix}", t!("hint")));
        }
    }
}

async fn gateway(state: &State) -> Finding {
    match Client::find(state).await {
        Ok(Some(client)) => match client.get::<serde_json::Value>("/v1/health").await {
            Ok(_) => Finding::good("gateway", t!("gateway.runs", owner = client.owner())),
            Err(err) => Finding::fault("gateway", err),
        },
        Ok(None) => {
            let text = t!("gateway.not_running");
            Finding::bad("gateway", Verdict::Note, text, t!("hint.gateway_run"))
        }
        Err(err) => Finding::fault("gateway", err),
    }
}

/// A text of the program.
type Words = Cow<'static, str>;
