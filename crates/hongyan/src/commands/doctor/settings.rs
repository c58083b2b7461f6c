//! What stands in the configuration, and the plugins that it names.

use std::path::{Path, PathBuf};

use ::config::{Issue, Place, Warning};
use ::plugins::doctor::Report;
use serde_json::Value;

use super::{Finding, Verdict};
use crate::commands::{config as config_words, plugins as plugin_words};
use crate::composition::State;
use crate::texts::t;

/// Checks the file; returns what of it can be used, if it can be read.
pub(super) fn config(path: &Path, state: &State) -> (Vec<Finding>, Option<Value>) {
    let (loaded, checked) = match config_words::checked(path.to_owned(), state) {
        Ok(found) => found,
        Err(err) => {
            let fault = Finding::bad("config", Verdict::Fault, err.to_string(), t!("hint.config"));
            return (vec![fault], None);
        }
    };
    let broken = checked.broken.iter().flat_map(|(section, issues)| {
        let fix = move || t!("doctor.config.broken", section = section);
        issues.iter().map(move |issue| told(issue, Verdict::Fault, fix().into_owned()))
    });
    let odd = checked.warnings.iter().map(|issue| {
        let fix = t!("doctor.config.odd", path = issue.path).into_owned();
        told(issue, Verdict::Warning, fix)
    });
    let mut findings: Vec<Finding> = broken.chain(odd).collect();
    findings.extend(loaded.warnings.iter().map(missing));
    if findings.is_empty() {
        findings.push(Finding::good("config", t!("doctor.config")));
    }
    (findings, Some(checked.usable(&loaded.effective)))
}

fn told(issue: &Issue, verdict: Verdict, fix: String) -> Finding {
    Finding::bad("config", verdict, placed(issue.place.as_ref(), &issue.to_string()), fix)
}

/// A variable or a secret that is not there, or a file that is not as it should be.
fn missing(warning: &Warning) -> Finding {
    let text = placed(warning.place.as_ref(), &warning.to_string());
    Finding::bad("config", Verdict::Warning, text, t!("doctor.config.missing"))
}

fn placed(place: Option<&Place>, text: &str) -> String {
    match place {
        Some(place) => format!("{}:{}: {text}", place.file.display(), place.line),
        None => text.to_owned(),
    }
}

/// Looks at the plugins as `plugins doctor` does.
pub(super) fn plugins(state: &State, config: PathBuf) -> Vec<Finding> {
    match plugin_words::report(state, config) {
        Ok(report) => reported(&report),
        Err(err) => vec![Finding::fault("plugins", err)],
    }
}

fn reported(report: &Report) -> Vec<Finding> {
    let Report { errors, findings, shadowed, untracked, unknown } = report;
    let bad = |verdict, text: String, fix: String| Finding::bad("plugins", verdict, text, fix);
    let inspect = |id: &str| format!("hongyan plugins inspect {id}");
    let list = || "hongyan plugins list".to_owned();
    let mut told: Vec<Finding> = errors
        .iter()
        .map(|(id, why)| bad(Verdict::Fault, format!("{id}: {why}"), inspect(id)))
        .collect();
    let doctor = || "hongyan plugins doctor".to_owned();
    told.extend(findings.iter().map(|it| bad(Verdict::Fault, it.to_string(), doctor())));
    told.extend(shadowed.iter().map(|it| {
        let text = t!("doctor.plugins.shadowed", id = it.id).into_owned();
        bad(Verdict::Warning, text, inspect(&it.id))
    }));
    told.extend(untracked.iter().map(|id| {
        let text = t!("doctor.plugins.untracked", id = id).into_owned();
        bad(Verdict::Warning, text, inspect(id))
    }));
    told.extend(unknown.iter().map(|(place, name)| {
        let text = t!("doctor.plugins.unknown", place = place, name = name).into_owned();
        bad(Verdict::Warning, text, list())
    }));
    if told.is_empty() {
        told.push(Finding::good("plugins", t!("doctor.plugins")));
    }
    told
}
