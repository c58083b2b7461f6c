//! What a backup says of itself: the last file in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BackupError;

/// Its name in the archive.
pub(super) const NAME: &str = "manifest.json";
/// The folder in the archive that stands for the state folder.
pub(super) const STATE: &str = "state";
/// The version that is written, and the newest that can be read.
const VERSION: u32 = 1;
const KIND: &str = "backup";

/// What is in a backup. Readers must bear fields that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    hongyan: String,
    version: u32,
    /// The program's name and version.
    pub(super) program: String,
    /// When it was made, in ISO 8601.
    pub(super) created_at: String,
    /// Whether media are in it.
    pub(super) with_media: bool,
    /// The files, by their names below [`STATE`].
    pub(super) files: BTreeMap<String, Entry>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) bytes: u64,
    /// In hex.
    pub(super) sha256: String,
    /// The version that a store gives itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) store_version: Option<i64>,
}

/// What every version begins with.
#[derive(Deserialize)]
struct Begin {
    hongyan: String,
    version: u32,
}

impl Manifest {
    pub(super) fn new(program: &str, with_media: bool) -> Self {
        Self {
            hongyan: KIND.to_owned(),
            version: VERSION,
            program: program.to_owned(),
            created_at: format!("{:.0}", jiff::Timestamp::now()),
            with_media,
            files: BTreeMap::new(),
        }
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self, BackupError> {
        let begin: Begin = serde_json::from_slice(text).map_err(|_| BackupError::NoBackup)?;
        if begin.hongyan != KIND {
            return Err(BackupError::NoBackup);
        }
        if begin.version > VERSION {
            return Err(BackupError::Newer(begin.version));
        }
        serde_json::from_slice(text).map_err(|err| BackupError::Damaged(err.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_back_and_what_is_none_is_told_apart() {
        let manifest = Manifest::new("hongyan 1", true);
        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap(), manifest);
        let newer = text.replace("\"version\":1", "\"version\":2");
        assert!(matches!(Manifest::parse(newer.as_bytes()), Err(BackupError::Newer(2))));
        for strange in ["", "{}", "{\"hongyan\":\"accounts\",\"version\":1}"] {
            assert!(matches!(Manifest::parse(strange.as_bytes()), Err(BackupError::NoBackup)));
        }
    }
}
