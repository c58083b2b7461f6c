//! Secrets that the file refers to: `{ source: "env", id: "NAME" }`.
//!
//! The objects are OpenClaw's (its documentation of secrets): `source` is `env`
//! or `file`, `id` the name of a variable or a place in the file, `provider` an
//! entry of `secrets.providers`. The third source, `exec`, is refused: a
//! configuration that is read must not start programs.

use std::fs;
use std::io::Read as _;
use std::path::Path as FilePath;

use serde_json::{Map, Value};

use crate::environment::Environment;
use crate::text;

/// The largest file of secrets, in bytes.
const LARGEST: u64 = 1 << 20;

/// A reference to a secret.
#[derive(Debug)]
pub(crate) struct SecretRef<'v> {
    source: &'v str,
    provider: Option<&'v str>,
    id: &'v str,
}

impl<'v> SecretRef<'v> {
    /// Reads an object that has the keys of a reference and no other.
    pub(crate) fn of(value: &'v Value) -> Option<Self> {
        let map = value.as_object()?;
        let text = |key| map.get(key).and_then(Value::as_str);
        let source = text("source").filter(|it| ["env", "file", "exec"].contains(it))?;
        let n_known = ["source", "provider", "id"].iter().filter(|it| text(it).is_some()).count();
        let is_plain = n_known == map.len();
        text("id").filter(|_| is_plain).map(|id| Self { source, provider: text("provider"), id })
    }

    /// Returns the secret, or why there is none.
    pub(crate) fn resolve(
        &self,
        secrets: &Value,
        environment: &Environment,
        folder: &FilePath,
    ) -> Result<String, String> {
        let name = self.provider.or_else(|| secrets["defaults"][self.source].as_str());
        let name = name.unwrap_or("default");
        let provider = secrets["providers"][name].as_object();
        match self.source {
            "env" => self.in_environment(provider, environment),
            "file" => {
                let provider = provider.ok_or_else(|| {
                    format!("there is no provider `{name}` under secrets.providers")
                })?;
                self.in_file(provider, environment, folder)
            }
            _ => {
                Err("secrets from programs (`exec`) are not supported: use `env` or `file`".into())
            }
        }
    }

    fn in_environment(
        &self,
        provider: Option<&Map<String, Value>>,
        environment: &Environment,
    ) -> Result<String, String> {
        let allowed = provider.and_then(|it| it.get("allowlist")).and_then(Value::as_array);
        if allowed.is_some_and(|names| !names.iter().any(|name| name == self.id)) {
            return Err(format!("the provider's allowlist does not have {}", self.id));
        }
        let value = environment.get(self.id).map(str::to_owned);
        value.ok_or_else(|| format!("the environment variable {} is not set", self.id))
    }

    fn in_file(
        &self,
        provider: &Map<String, Value>,
        environment: &Environment,
        folder: &FilePath,
    ) -> Result<String, String> {
        let path =
            provider.get("path").and_then(Value::as_str).ok_or("the provider has no path")?;
        let path = environment.whole(path, folder);
        let content =
            private(&path).map_err(|why| format!("{} cannot be used: {why}", path.display()))?;
        if provider.get("mode").and_then(Value::as_str) == Some("singleValue") {
            return match self.id {
                "value" => Ok(content.trim_end_matches(['\r', '\n']).to_owned()),
                _ => Err("the id of a file with a single value is `value`".into()),
            };
        }
        let all = text::parse(&content).map_err(|err| format!("{}: {err}", path.display()))?;
        let found = all.pointer(self.id).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| format!("{} has no text at {}", path.display(), self.id))
    }
}

/// Reads a file that nobody else may read.
fn private(path: &FilePath) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|err| err.to_string())?;
    let found = file.metadata().map_err(|err| err.to_string())?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(format!("it is no file of at most {LARGEST} bytes"));
    }
    if others_can_read(&found) {
        return Err("others can read it; chmod 600 it".into());
    }
    let mut content = String::new();
    file.take(LARGEST).read_to_string(&mut content).map_err(|err| err.to_string())?;
    Ok(content)
}

#[cfg(unix)]
fn others_can_read(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn others_can_read(_: &fs::Metadata) -> bool {
    false
}
