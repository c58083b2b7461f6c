//! Whether the gateway that runs hears of a change of a configuration file.

use std::path::{Path, PathBuf};

use gateway::control::Followed;
use serde::Deserialize;

use crate::composition::State;
use crate::control::Client;
use crate::error::CliError;

/// Who goes by a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Follower {
    /// No gateway runs.
    Nobody,
    /// The gateway that runs.
    AtOnce,
    /// The gateway that runs, when it is restarted.
    AfterRestart,
    /// Nobody: the gateway that runs goes by this one.
    OfAnother(PathBuf),
}

#[derive(Deserialize)]
struct Status {
    config: Option<Followed>,
}

impl Follower {
    /// Asks the gateway that runs on a state folder, if one does.
    pub(crate) async fn of(file: &Path, state: &State) -> Result<Self, CliError> {
        let Some(client) = Client::find(state).await? else { return Ok(Self::Nobody) };
        let status: Status = client.get("/v1/status").await?;
        Ok(status.config.map_or(Self::AtOnce, |followed| Self::by(file, followed)))
    }

    fn by(file: &Path, followed: Followed) -> Self {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match followed {
            Followed { file: other, .. } if whole(file) != whole(&other) => Self::OfAnother(other),
            Followed { at_once: true, .. } => Self::AtOnce,
            Followed { at_once: false, .. } => Self::AfterRestart,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_compared_by_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.json5");
        std::fs::write(&file, "{}").unwrap();
        let by = |file: &Path, at_once| {
            let other = dir.path().join(".").join("a.json5");
            Follower::by(file, Followed { file: other, at_once })
        };
        assert_eq!(by(&file, true), Follower::AtOnce);
        assert_eq!(by(&file, false), Follower::AfterRestart);
        let another = dir.path().join("b.json5");
        assert_eq!(by(&another, true), Follower::OfAnother(dir.path().join(".").join("a.json5")));
    }
}
