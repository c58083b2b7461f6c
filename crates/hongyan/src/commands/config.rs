//! `hongyan config`

use std::path::{Path as FilePath, PathBuf};

use ::config::{Checked, ConfigError, Edit, File, Issue, Loaded, Path, Schema, redacted};
use serde_json::{Value, json};

use crate::cli::{ConfigCommand, FileArgs, GetArgs, ValidateArgs};
use crate::composition::State;
use crate::error::CliError;
use crate::output;
use crate::texts::t;

mod change;
mod values;

/// The file, and what may stand in it.
struct Desk {
    file: File,
    schema: Schema,
}

pub(crate) async fn run(
    command: ConfigCommand,
    named: Option<PathBuf>,
    state: &State,
) -> Result<(), CliError> {
    let desk = Desk::open(crate::config::path(named, state.dir()), state);
    match command {
        ConfigCommand::Get(args) => desk.get(&args),
        ConfigCommand::Set(args) => desk.set(&args, state).await,
        ConfigCommand::Unset(args) => desk.unset(&args, state).await,
        ConfigCommand::File(args) => desk.tell_file(&args),
        ConfigCommand::Validate(args) => desk.validate(&args),
        ConfigCommand::Schema => {
            output::pretty(desk.schema.document());
            Ok(())
        }
        ConfigCommand::Patch(args) => desk.patch(&args, state).await,
    }
}

/// Edits the file for another command, checked as `config set` is. What is in
/// the way is told, and nothing is changed.
pub(super) fn edit(state: &State, edits: &[Edit]) -> Result<(), CliError> {
    Desk::open(path_of(state), state).edit(edits).map(drop)
}

/// Names the file for another command.
pub(super) fn file(state: &State) -> File {
    crate::config::file(path_of(state))
}

fn path_of(state: &State) -> PathBuf {
    let named = state.config().map(|config| config.path().to_owned());
    crate::config::path(named, state.dir())
}

/// Reads and checks the file for another command.
pub(super) fn checked(path: PathBuf, state: &State) -> Result<(Loaded, Checked), ConfigError> {
    let Desk { file, schema } = Desk::open(path, state);
    let loaded = file.read()?;
    let checked = schema.check(&loaded);
    Ok((loaded, checked))
}

impl Desk {
    fn open(path: PathBuf, state: &State) -> Self {
        let file = crate::config::file(path);
        // A file that cannot be read is told by whoever reads it.
        let root = file.read().map(|loaded| loaded.effective).unwrap_or_default();
        Self { schema: crate::config::schema_for(&root, &state.plugins()), file }
    }

    fn get(&self, args: &GetArgs) -> Result<(), CliError> {
        let fail = |message: String| fail(&message, args.json);
        let path: Path = args.path.parse().map_err(|err| fail(format!("{err}")))?;
        let loaded = self.file.read().map_err(|err| self.unreadable(&err, args.json))?;
        let checked = self.schema.check(&loaded);
        let issues = checked.in_the_way_of(&path);
        if !issues.is_empty() {
            let lines = issues.iter().map(|issue| format!("\n- {issue}")).collect::<String>();
            return Err(fail(t!("config.invalid", file = self.shown()).into_owned() + &lines));
        }
        match redacted(&loaded, &self.schema, &path) {
            Some(Value::String(text)) if !args.json => output::line(text),
            Some(value) => output::pretty(&value),
            None if self.schema.knows(&path) => {
                return Err(fail(t!("config.unset", path = path).into_owned()));
            }
            None => return Err(fail(t!("config.unknown", path = path).into_owned())),
        }
        Ok(())
    }

    fn tell_file(&self, args: &FileArgs) -> Result<(), CliError> {
        let path = self.file.path().display().to_string();
        if args.json {
            output::pretty(&json!({ "path": path }));
        } else {
            output::line(path);
        }
        Ok(())
    }

    fn validate(&self, args: &ValidateArgs) -> Result<(), CliError> {
        let read = self.file.read().and_then(|loaded| match loaded.is_there {
            true => Ok(loaded),
            false => Err(absent(self.file.path())),
        });
        let loaded = match read {
            Ok(loaded) => loaded,
            Err(err) => return Err(self.report(&[root_issue(&err)], is_absent(&err), args.json)),
        };
        let checked = self.schema.check(&loaded);
        if !checked.is_valid() {
            let errors: Vec<_> = checked.broken.values().flatten().map(issue).collect();
            return Err(self.report(&errors, false, args.json));
        }
        let warnings = warnings(&loaded, &checked);
        if args.json {
            let path = self.file.path().display().to_string();
            let warnings: Vec<_> = warnings.iter().map(Told::to_json).collect();
            output::json(&json!({ "valid": true, "path": path, "warnings": warnings }));
            return Ok(());
        }
        output::line(t!("config.valid", file = self.shown()));
        if !warnings.is_empty() {
            output::line(t!("config.warnings", n = warnings.len()));
            warnings.iter().for_each(|it| output::line(format!("  ! {}: {}", it.path, it.message)));
        }
        Ok(())
    }

    /// Says what is wrong with the file, as `validate` does.
    fn report(&self, issues: &[Told], is_absent: bool, json: bool) -> CliError {
        let title = if is_absent {
            t!("config.no_file", file = self.shown())
        } else {
            t!("config.invalid", file = self.shown())
        };
        if json {
            let path = self.file.path().display().to_string();
            let issues: Vec<_> = issues.iter().map(Told::to_json).collect();
            output::pretty(&json!({
                "ok": false,
                "error": { "type": "cli_error", "message": title },
                "valid": false,
                "path": path,
                "issues": issues,
            }));
            return CliError::told();
        }
        output::note(&title);
        if !is_absent {
            issues.iter().for_each(|it| {
                output::note(format!("  × {}{}: {}", it.place, it.path, it.message));
            });
            output::note(t!("config.invalid_hint"));
        }
        CliError::told()
    }

    /// Says why the file cannot be read, as `get` does.
    fn unreadable(&self, err: &ConfigError, json: bool) -> CliError {
        let issue = root_issue(err);
        let title = t!("config.invalid", file = self.shown());
        fail(&format!("{title}\n- {}: {}", issue.path, issue.message), json)
    }

    /// Returns where the file is, the home folder as `~`.
    fn shown(&self) -> String {
        shown(self.file.path())
    }
}

/// Something wrong, as it is told.
struct Told {
    /// `config.json5:3 — `, or nothing.
    place: String,
    path: String,
    message: String,
}

impl Told {
    fn to_json(&self) -> Value {
        json!({ "path": self.path, "message": self.message })
    }
}

fn issue(issue: &Issue) -> Told {
    let place = issue.place.as_ref().map(|place| {
        let name = place.file.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}:{} — ", place.line)
    });
    let path = issue.path.to_string();
    let told = issue.to_string();
    let message = told.strip_prefix(&format!("{path}: ")).unwrap_or(&told).to_owned();
    Told { place: place.unwrap_or_default(), path, message }
}

fn warnings(loaded: &Loaded, checked: &Checked) -> Vec<Told> {
    let of_reading = loaded.warnings.iter().map(|warning| Told {
        place: String::new(),
        path: warning.path.to_string(),
        message: warning.message.clone(),
    });
    of_reading.chain(checked.warnings.iter().map(issue)).collect()
}

fn root_issue(err: &ConfigError) -> Told {
    let message = match err {
        ConfigError::Garbled { why, .. } => {
            format!("JSON5 parse failed: SyntaxError: JSON5: {why}")
        }
        ConfigError::Unreadable { .. }
        | ConfigError::NoObject { .. }
        | ConfigError::Include { .. } => err.to_string(),
    };
    Told { place: String::new(), path: Path::root().to_string(), message }
}

fn absent(path: &FilePath) -> ConfigError {
    let source = std::io::Error::from(std::io::ErrorKind::NotFound);
    ConfigError::Unreadable { path: path.to_owned(), source }
}

fn is_absent(err: &ConfigError) -> bool {
    matches!(err, ConfigError::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

/// Says what is wrong: to people on stderr, to programs on stdout.
fn fail(message: &str, json: bool) -> CliError {
    if json {
        output::json(&json!({ "ok": false, "error": { "type": "cli_error", "message": message } }));
    } else {
        output::note(message);
    }
    CliError::told()
}

fn shown(path: &FilePath) -> String {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    match home.and_then(|home| path.strip_prefix(home).ok().map(FilePath::to_owned)) {
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}
