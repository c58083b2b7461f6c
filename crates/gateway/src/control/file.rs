//! Where the control API of a state folder listens.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lockfile::Process;
use serde::{Deserialize, Serialize};

use super::Token;

const NAME: &str = "control.json";
/// The most that is read of it.
const MOST_READ: u64 = 16 * 1024;

/// What stands in `control.json`, which only its owner can read. It is removed
/// when the gateway stops; one whose process does not hold the lock of the
/// folder was left behind by a gateway that was killed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ControlFile {
    /// The process that serves.
    #[serde(flatten)]
    pub process: Process,
    /// Where.
    pub address: SocketAddr,
    /// What opens all of it.
    pub token: Token,
    /// The program's name and version.
    pub program: String,
}

impl ControlFile {
    /// Returns where the file of a state folder lies.
    #[must_use]
    pub fn path(state: &Path) -> PathBuf {
        state.join(NAME)
    }

    /// Reads the file of a state folder, if there is one.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read or understood.
    pub fn read(state: &Path) -> io::Result<Option<Self>> {
        let file = match std::fs::File::open(Self::path(state)) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err),
        };
        let mut text = String::new();
        file.take(MOST_READ).read_to_string(&mut text)?;
        Ok(Some(serde_json::from_str(&text)?))
    }

    pub(super) fn new(address: SocketAddr, token: Token, program: String) -> Self {
        Self { process: Process::this(), address, token, program }
    }

    /// Replaces the file as a whole; nobody else can read it at any time.
    pub(super) fn write(&self, state: &Path) -> io::Result<()> {
        let mut draft = wholefile::Draft::begin(&Self::path(state))?;
        writeln!(draft.file(), "{}", serde_json::to_string(self)?)?;
        draft.keep()
    }

    pub(super) fn remove(&self, state: &Path) {
        if let Err(err) = std::fs::remove_file(Self::path(state)) {
            tracing::debug!(error = %err, "control file not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_private_and_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(ControlFile::read(dir.path()).unwrap().is_none());
        let file = ControlFile::new(([127, 0, 0, 1], 9).into(), Token::random(), "p 1".into());
        file.write(dir.path()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(ControlFile::path(dir.path())).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
        let read = ControlFile::read(dir.path()).unwrap().unwrap();
        assert!(read.token.is(file.token.expose()) && read.process == file.process);
        assert!(!format!("{read:?}").contains(read.token.expose()));
        file.remove(dir.path());
        assert!(ControlFile::read(dir.path()).unwrap().is_none());
    }
}
