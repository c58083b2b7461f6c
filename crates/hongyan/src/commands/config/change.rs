//! `hongyan config set`, `unset` and `patch`

use std::io::Read as _;

use ::config::{Draft, Edit, EditError, Path, Schema, text};

use super::values::{batch, how, value};
use super::{Desk, fail, root_issue, shown};
use crate::cli::{PatchArgs, SetArgs, UnsetArgs};
use crate::composition::State;
use crate::error::CliError;
use crate::followed::Follower;
use crate::output;
use crate::reload::effect;
use crate::texts::t;

/// What was asked for, and how its success is told.
struct Order {
    edits: Vec<Edit>,
    /// What is told as changed, by path.
    paths: Vec<Path>,
    is_dry: bool,
    /// Whether what comes of a dry run is checked, too.
    is_checked: bool,
}

impl Desk {
    pub(super) async fn set(&self, args: &SetArgs, state: &State) -> Result<(), CliError> {
        let edits = edits(args).map_err(|why| fail(&why, false))?;
        let paths = edits.iter().filter_map(set_path).cloned().collect();
        let is_batch = args.batch_json.is_some() || args.batch_file.is_some();
        let is_checked = is_batch || args.strict_json;
        let order = Order { edits, paths, is_dry: args.dry_run, is_checked };
        let told = |what: &str, effect: &str| t!("config.updated", what = what, effect = effect);
        self.carry_out(&order, state, told).await
    }

    pub(super) async fn unset(&self, args: &UnsetArgs, state: &State) -> Result<(), CliError> {
        let path: Path = args.path.parse().map_err(|err| fail(&format!("{err}"), false))?;
        let (edits, paths) = (vec![Edit::Unset { path: path.clone() }], vec![path]);
        let order = Order { edits, paths, is_dry: args.dry_run, is_checked: true };
        let told = |what: &str, effect: &str| t!("config.removed", what = what, effect = effect);
        self.carry_out(&order, state, told).await
    }

    pub(super) async fn patch(&self, args: &PatchArgs, state: &State) -> Result<(), CliError> {
        let patch = match (&args.file, args.stdin) {
            (Some(path), _) => std::fs::read_to_string(path),
            (None, true) => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).map(|_| text)
            }
            (None, false) => return Err(fail(&t!("config.no_patch"), false)),
        };
        let bad = |why: String| fail(&t!("config.bad_patch", why = why), false);
        let patch = patch.map_err(|err| bad(err.to_string()))?;
        let patch = text::parse(&patch).map_err(|err| bad(err.to_string()))?;
        if !patch.is_object() {
            return Err(bad("it must be an object in braces".to_owned()));
        }
        let edits = vec![Edit::Patch { path: Path::root(), patch }];
        let order = Order { edits, paths: Vec::new(), is_dry: args.dry_run, is_checked: true };
        let told = |what: &str, effect: &str| t!("config.updated", what = what, effect = effect);
        self.carry_out(&order, state, told).await
    }

    async fn carry_out<'t>(
        &self,
        order: &Order,
        state: &State,
        told: impl Fn(&str, &str) -> std::borrow::Cow<'t, str>,
    ) -> Result<(), CliError> {
        let keeps_entries = |path: &Path| self.schema.keeps_entries(path);
        let refused = |err: EditError| self.refused(&err);
        if order.is_dry {
            let draft = self.file.draft(&order.edits, &keeps_entries).map_err(refused)?;
            if order.is_checked {
                let problems = new_problems(&self.schema, &draft);
                problems.map_err(|issues| self.refused(&EditError::Refused(issues)))?;
            } else {
                output::line(t!("config.dry_note"));
            }
            let n = order.paths.len().max(1);
            output::line(t!("config.dry_done", n = n, file = self.shown()));
            return Ok(());
        }
        let draft = self.edit(&order.edits)?;
        if !draft.is_change() {
            output::line(t!("config.no_change"));
            return Ok(());
        }
        let changed = draft.changes();
        let paths = if order.paths.is_empty() { &changed } else { &order.paths };
        let what = match paths.as_slice() {
            [path] => path.to_string(),
            paths => t!("config.paths", n = paths.len()).into_owned(),
        };
        let follower = Follower::of(self.file.path(), state).await;
        output::line(told(&what, &effect(&changed, follower.ok())));
        self.warn_of_news(&draft);
        Ok(())
    }

    /// Does edits, and says what is in the way.
    pub(super) fn edit(&self, edits: &[Edit]) -> Result<Draft, CliError> {
        let keeps_entries = |path: &Path| self.schema.keeps_entries(path);
        let accept = |draft: &Draft| new_problems(&self.schema, draft);
        self.file.edit(edits, &keeps_entries, accept).map_err(|err| self.refused(&err))
    }

    /// Tells of warnings that were not there before.
    fn warn_of_news(&self, draft: &Draft) {
        let of = |loaded| {
            let told = super::warnings(loaded, &self.schema.check(loaded));
            told.into_iter().map(|it| format!("{}: {}", it.path, it.message)).collect::<Vec<_>>()
        };
        let before = of(&draft.before);
        for text in of(&draft.after).into_iter().filter(|it| !before.contains(it)) {
            output::note(t!("config.warning", text = text));
        }
    }

    fn refused(&self, err: &EditError) -> CliError {
        let message = match err {
            EditError::Config(err) => {
                let issue = root_issue(err);
                let title = t!("config.invalid_block", file = self.shown());
                format!("{title}\n- {}: {}", issue.path, issue.message)
            }
            EditError::NotFound(path) => t!("config.not_found", path = path).into_owned(),
            EditError::LosesEntries { path, lost } => {
                t!("config.loses", path = path, lost = lost.join(", ")).into_owned()
            }
            EditError::Refused(issues) => {
                t!("config.validation_failed", issues = issues).into_owned()
            }
            EditError::Shrinks { rejected } => format!("{err}: {}", shown(rejected)),
            EditError::Text(_)
            | EditError::Unexpected { .. }
            | EditError::NoObject(_)
            | EditError::Overruled(_)
            | EditError::ReadOnly
            | EditError::Write { .. } => err.to_string(),
        };
        fail(&message, false)
    }
}

fn edits(args: &SetArgs) -> Result<Vec<Edit>, String> {
    if let Some(text) = &args.batch_json {
        return batch(text);
    }
    if let Some(path) = &args.batch_file {
        let text = std::fs::read_to_string(path);
        return batch(&text.map_err(|err| format!("{}: {err}", path.display()))?);
    }
    let path = args.path.as_ref().ok_or_else(|| t!("config.no_path").into_owned())?;
    let path: Path = path.parse().map_err(|err: ::config::PathError| err.to_string())?;
    let given = args.value.as_ref().ok_or_else(|| t!("config.no_value").into_owned())?;
    let value_given = value(given, args.strict_json)?;
    let mut edits = Vec::new();
    if let Some(expected) = &args.expect_current_json {
        let expected = Some(value(expected, true)?);
        edits.push(Edit::Expect { path: path.clone(), value: expected });
    } else if args.expect_current_absent {
        edits.push(Edit::Expect { path: path.clone(), value: None });
    }
    edits.push(Edit::Set { path, value: value_given, how: how(args.merge, args.replace) });
    Ok(edits)
}

fn set_path(edit: &Edit) -> Option<&Path> {
    match edit {
        Edit::Set { path, .. } => Some(path),
        Edit::Unset { .. } | Edit::Patch { .. } | Edit::Expect { .. } => None,
    }
}

/// Refuses edits that make something wrong that was right. What was wrong
/// before may stay, so that a broken file can be mended step by step.
fn new_problems(schema: &Schema, draft: &Draft) -> Result<(), String> {
    let of = |loaded| {
        let checked = schema.check(loaded);
        checked.broken.values().flatten().map(ToString::to_string).collect::<Vec<_>>()
    };
    let (before, mut after) = (of(&draft.before), of(&draft.after));
    after.retain(|issue| !before.contains(issue));
    if after.is_empty() { Ok(()) } else { Err(after.join("; ")) }
}
