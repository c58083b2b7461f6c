//! OpenClaw's configuration, laid under ours.

use std::collections::BTreeMap;

use ::config::{Draft, Edit, EditError, File, How, Loaded, Path, Schema};
use serde_json::Value;
use weixin::ChannelSettings;
use weixin::accounts::Takeover;

use super::plan::{Found, Verdict, plan};
use super::report::{Outcome, Part, Report, Why};
use super::source::{Source, name};
use crate::commands::config;
use crate::composition::State;
use crate::config::CHANNEL_NAMES;
use crate::error::{CliError, Kind};
use crate::rules;
use crate::texts::t;

/// Takes what stands there and not here. What could not be used here is left.
pub(super) fn take(
    state: &State,
    source: &Source,
    how: Takeover,
    report: &mut Report,
) -> Result<(), CliError> {
    let Some(there) = &source.config else { return Ok(()) };
    // Without variables: they are ours to fill in, when we read it.
    let theirs = match crate::config::file(there.clone()).read() {
        Ok(loaded) => loaded.authored,
        Err(err) => {
            report.add(Part::Config, name(there), Outcome::Left(Why::Unreadable(err.to_string())));
            return Ok(());
        }
    };
    let (file, schema) = (config::file(state), crate::config::schema());
    let ours = file.read().map_err(|err| refused(&err.into()))?;
    let knows = |path: &Path| schema.knows(path);
    let found = usable(&file, &schema, plan(&theirs, &ours.authored, &knows))
        .map_err(|err| refused(&err))?;
    let edits = edits(&found);
    let draft = match how.is_dry {
        true => file.draft(&edits, &|_| false),
        false => file.edit(&edits, &|_| false, |_| Ok(())),
    };
    let draft = draft.map_err(|err| refused(&err))?;
    for Found { from, verdict } in found {
        let outcome = match verdict {
            Verdict::Take { .. } => Outcome::Taken,
            Verdict::Known => Outcome::Known,
            Verdict::Left(why) => Outcome::Left(why),
        };
        report.add(Part::Config, from, outcome);
    }
    let known: Vec<_> = draft.before.warnings.iter().map(ToString::to_string).collect();
    let news = draft.after.warnings.iter().map(ToString::to_string);
    news.filter(|text| !known.contains(text)).for_each(|text| report.warn(text));
    Ok(())
}

/// Leaves what would break a section that can be used now.
fn usable(file: &File, schema: &Schema, mut found: Vec<Found>) -> Result<Vec<Found>, EditError> {
    // Each round leaves at least one part.
    for _ in 0..=found.len() {
        let draft = file.draft(&edits(&found), &|_| false)?;
        let broken = newly_broken(schema, &draft);
        let mut is_done = true;
        for Found { verdict, .. } in &mut found {
            let Verdict::Take { to, .. } = verdict else { continue };
            let concerns = |it: &Path| to.starts_with(it) || it.starts_with(to);
            if let Some((_, why)) = broken.iter().find(|(path, _)| concerns(path)) {
                *verdict = Verdict::Left(Why::Wrong(why.clone()));
                is_done = false;
            }
        }
        if is_done {
            break;
        }
    }
    Ok(found)
}

/// Returns the sections that the edits break, and how.
fn newly_broken(schema: &Schema, draft: &Draft) -> BTreeMap<Path, String> {
    let before = broken(schema, &draft.before);
    let mut after = broken(schema, &draft.after);
    after.retain(|path, _| !before.contains_key(path));
    after
}

fn broken(schema: &Schema, loaded: &Loaded) -> BTreeMap<Path, String> {
    let checked = schema.check(loaded);
    let by_schema = checked.broken.iter().map(|(path, issues)| {
        (path.clone(), issues.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    });
    let mut broken: BTreeMap<_, _> = by_schema.collect();
    // The schema does not say everything that whoever reads a section wants.
    let root = &loaded.effective;
    let readers: [(&[&str], Result<(), CliError>); 2] = [
        (&["channels", "commands"], rules::access(root).map(drop)),
        (&["session", "bindings", "agents"], rules::route(root).map(drop)),
    ];
    for (sections, read) in readers {
        if let Err(err) = read {
            for section in sections {
                broken.entry(Path::root().key(*section)).or_insert_with(|| err.message.clone());
            }
        }
    }
    for channel in CHANNEL_NAMES {
        let section = Path::root().key("channels").key(channel);
        let read = section.get(root).filter(|it| !it.is_null()).map(ChannelSettings::parse);
        if let Some(Err(err)) = read {
            broken.entry(section).or_insert_with(|| err.to_string());
        }
    }
    broken
}

fn edits(found: &[Found]) -> Vec<Edit> {
    let taken = found.iter().filter_map(|it| match &it.verdict {
        Verdict::Take { to, value } => Some((to.clone(), without_nulls(value))),
        Verdict::Known | Verdict::Left(_) => None,
    });
    taken.map(|(path, value)| Edit::Set { path, value, how: How::Set }).collect()
}

/// `null` counts as left out.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let said = map.iter().filter(|(_, value)| !value.is_null());
            said.map(|(key, value)| (key.clone(), without_nulls(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            value.clone()
        }
    }
}

fn refused(err: &EditError) -> CliError {
    CliError::new(Kind::Config, err.to_string()).hinted(t!("hint.config"))
}
