//! Who has a lock.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Process;

/// The process that has a lock, as it signed the lock's file. Readers must bear
/// fields that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The process.
    #[serde(flatten)]
    pub process: Process,
    /// The program's name and version.
    pub program: String,
    /// Since when it has the lock, as ISO 8601 text.
    pub since: String,
    /// The folder that it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
}

impl Owner {
    /// Describes this process.
    pub(crate) fn this(program: &str, folder: Option<&Path>) -> Self {
        Self {
            process: Process::this(),
            program: program.to_owned(),
            since: format!("{:.0}", jiff::Timestamp::now()),
            folder: folder.map(Path::to_owned),
        }
    }
}

/// `process 7 since 2026-01-02T03:04:05Z (hongyan 0.1.0) in /folder`
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} since {} ({})", self.process.pid, self.since, self.program)?;
        match &self.folder {
            Some(folder) => write!(f, " in {}", folder.display()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_back_also_with_fields_of_a_later_version() {
        let owner = Owner::this("hongyan 0.1.0", Some(Path::new("/one")));
        let mut value = serde_json::to_value(&owner).unwrap();
        value["later"] = true.into();
        assert_eq!(serde_json::from_value::<Owner>(value).unwrap(), owner);
        let said = owner.to_string();
        assert!(said.ends_with(" (hongyan 0.1.0) in /one"), "{said}");
    }
}
