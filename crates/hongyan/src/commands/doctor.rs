//! `hongyan doctor`: what is wrong, and what to do about it.

use std::path::Path;

use contract::AccountState;
use jiff::Timestamp;
use serde::Serialize;

use super::status::{self, Row};
use crate::cli::DoctorArgs;
use crate::composition::State;
use crate::control::Client;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

/// Less free space than this on the state folder's disk is a warning, in bytes.
const LITTLE: u64 = 1 << 30;
/// Less than this is a fault: a database could not grow.
const TOO_LITTLE: u64 = 64 << 20;
/// No machine that is right shows an earlier time: seconds since 1970.
const EARLIEST: i64 = 1_767_225_600;

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
}

/// Looks at everything; `load` reads the settings, which may be what is wrong.
pub(crate) async fn run(
    args: &DoctorArgs,
    found: State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let (state, config) = match load() {
        Ok(state) => (state, Finding::good("config", t!("doctor.config"))),
        Err(err) => {
            let fix = err.hint.clone().unwrap_or_default();
            (found, Finding::bad("config", Verdict::Fault, err.message, fix))
        }
    };
    let mut findings = vec![folder(state.dir()), config, gateway(&state).await];
    findings.extend(accounts(args.probe, &state).await);
    findings.extend(disk(state.dir()));
    findings.push(clock(Timestamp::now().as_second()));
    findings.push(Finding {
        check: "scope",
        verdict: Verdict::Note,
        text: t!("doctor.scope").into_owned(),
        fix: None,
    });
    tell(&findings, args.json);
    match findings.iter().filter(|finding| finding.verdict == Verdict::Fault).count() {
        0 => Ok(()),
        n => Err(CliError::new(Kind::Config, t!("error.doctor", n = n)).hinted(t!("hint.doctor"))),
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

/// Whether others can look into the folder.
fn folder(dir: &Path) -> Finding {
    let place = dir.display();
    let Ok(meta) = std::fs::metadata(dir) else {
        let text = t!("doctor.folder.none", dir = place);
        return Finding { check: "folder", verdict: Verdict::Note, text: text.into(), fix: None };
    };
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&meta) & 0o077 != 0 {
        let text = t!("doctor.folder.open", dir = place);
        return Finding::bad("folder", Verdict::Warning, text, format!("chmod 700 {place}"));
    }
    if !meta.is_dir() {
        let text = t!("doctor.folder.file", dir = place);
        return Finding::bad("folder", Verdict::Fault, text, t!("hint.state"));
    }
    Finding::good("folder", t!("doctor.folder", dir = place))
}

async fn gateway(state: &State) -> Finding {
    match Client::find(state).await {
        Ok(Some(client)) => match client.get::<serde_json::Value>("/v1/health").await {
            Ok(_) => Finding::good("gateway", t!("gateway.runs", owner = client.owner())),
            Err(err) => fault("gateway", err),
        },
        Ok(None) => {
            let text = t!("gateway.not_running");
            Finding::bad("gateway", Verdict::Note, text, t!("hint.gateway_run"))
        }
        Err(err) => fault("gateway", err),
    }
}

fn fault(check: &'static str, err: CliError) -> Finding {
    Finding::bad(check, Verdict::Fault, err.message, err.hint.unwrap_or_default())
}

async fn accounts(probe: bool, state: &State) -> Vec<Finding> {
    let rows = match status::rows(probe, state).await {
        Ok(rows) => rows,
        Err(err) => return vec![fault("accounts", err)],
    };
    if rows.is_empty() {
        let text = t!("doctor.accounts.none");
        return vec![Finding::bad("accounts", Verdict::Note, text, t!("hint.login_again"))];
    }
    rows.iter().map(account).collect()
}

fn account(row: &Row) -> Finding {
    let status = &row.status;
    let said = status::state(&status.state);
    let text = t!("doctor.account", account = status.account, state = said);
    let bad = |verdict, fix: std::borrow::Cow<'_, str>| {
        Finding::bad("account", verdict, text.clone(), fix)
    };
    if let Some(probe) = row.probe.as_ref().filter(|probe| !probe.ok) {
        let text = t!("doctor.account", account = status.account, state = probe.detail);
        return Finding::bad("account", Verdict::Fault, text, t!("hint.login_again"));
    }
    match &status.state {
        AccountState::NeedsLogin { .. } => bad(Verdict::Fault, t!("hint.login_again")),
        AccountState::Degraded { .. } => bad(Verdict::Warning, t!("hint.gateway_logs")),
        AccountState::Stopped | AccountState::Starting | AccountState::Polling
            if status.parked + status.failed > 0 =>
        {
            bad(Verdict::Warning, t!("hint.outbox"))
        }
        AccountState::Stopped | AccountState::Starting | AccountState::Polling => {
            Finding::good("account", text)
        }
    }
}

/// Whether the databases can grow.
#[cfg(unix)]
fn disk(dir: &Path) -> Option<Finding> {
    // Of a folder that is not there yet, the one it will be made in.
    let there = dir.ancestors().find(|it| it.exists())?;
    let found = rustix::fs::statvfs(there).ok()?;
    Some(space(found.f_bavail.saturating_mul(found.f_frsize)))
}

#[cfg(not(unix))]
fn disk(_: &Path) -> Option<Finding> {
    None
}

#[cfg(unix)]
fn space(free: u64) -> Finding {
    let text = t!("doctor.disk", mib = free >> 20);
    match free {
        ..TOO_LITTLE => Finding::bad("disk", Verdict::Fault, text, t!("doctor.disk.fix")),
        TOO_LITTLE..LITTLE => Finding::bad("disk", Verdict::Warning, text, t!("doctor.disk.fix")),
        LITTLE.. => Finding::good("disk", text),
    }
}

/// Whether the time can be right: certificates and windows depend on it.
fn clock(now: i64) -> Finding {
    if now < EARLIEST {
        return Finding::bad(
            "clock",
            Verdict::Fault,
            t!("doctor.clock.wrong"),
            t!("doctor.clock.fix"),
        );
    }
    Finding::good("clock", t!("doctor.clock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_the_program_was_written_is_wrong() {
        assert_eq!(clock(0).verdict, Verdict::Fault);
        assert_eq!(clock(EARLIEST).verdict, Verdict::Good);
    }

    #[cfg(unix)]
    #[test]
    fn a_full_disk_is_a_fault_and_a_folder_that_others_enter_a_warning() {
        assert_eq!(space(1 << 20).verdict, Verdict::Fault);
        assert_eq!(space(1 << 29).verdict, Verdict::Warning);
        assert_eq!(space(1 << 40).verdict, Verdict::Good);

        let dir = tempfile::tempdir().unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode;
        std::fs::set_permissions(dir.path(), mode(0o755)).unwrap();
        assert_eq!(folder(dir.path()).verdict, Verdict::Warning);
        std::fs::set_permissions(dir.path(), mode(0o700)).unwrap();
        assert_eq!(folder(dir.path()).verdict, Verdict::Good);
    }
}
