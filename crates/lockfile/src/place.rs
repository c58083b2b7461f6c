//! Where programs of one person on one machine meet.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

/// Returns where all programs of this person on this machine keep locks that
/// are about no folder. Not from the environment: they must meet however they
/// were started.
#[cfg(unix)]
#[must_use]
pub fn machine_locks() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt as _;

    let id = user_id().ok()?;
    let session = PathBuf::from(format!("/run/user/{id}"));
    if std::fs::symlink_metadata(&session).is_ok_and(|meta| meta.is_dir() && meta.uid() == id) {
        return Some(session.join("hongyan"));
    }
    Some(PathBuf::from(format!("/tmp/hongyan-{id}")))
}

/// Returns where all programs of this person on this machine keep locks that
/// are about no folder.
#[cfg(not(unix))]
#[must_use]
pub fn machine_locks() -> Option<PathBuf> {
    Some(std::env::temp_dir().join("hongyan"))
}

/// Makes a folder that only its owner can enter. One that exists is used only
/// if it is that: others can write where temporary files lie.
///
/// # Errors
///
/// When it cannot be made, or others can enter it.
pub fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let meta = std::fs::symlink_metadata(dir)?;
        if !meta.is_dir() || meta.uid() != user_id()? || meta.mode() & 0o077 != 0 {
            return Err(io::Error::other("its folder is not private"));
        }
    }
    Ok(())
}

/// Who we are, as the owner of what we make: safe Rust has no other way to ask.
#[cfg(unix)]
fn user_id() -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt as _;

    Ok(tempfile::tempfile()?.metadata()?.uid())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_others_can_enter_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_private(dir.path()).is_err());
        make_private(&dir.path().join("locks")).unwrap();
    }
}
