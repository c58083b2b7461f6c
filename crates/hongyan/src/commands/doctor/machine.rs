//! The folder, its disk, and the clock.

use std::path::Path;

use super::{Finding, Verdict};
use crate::texts::t;

/// Less free space than this on the state folder's disk is a warning, in bytes.
const LITTLE: u64 = 1 << 30;
/// Less than this is a fault: a database could not grow.
const TOO_LITTLE: u64 = 64 << 20;
/// No machine that is right shows an earlier time: seconds since 1970.
const EARLIEST: i64 = 1_767_225_600;
/// How many files of the folder are looked at.
#[cfg(unix)]
const MOST_FILES: usize = 10_000;

/// Whether others can look into the folder, and whether all in it is ours.
pub(super) fn files(dir: &Path) -> Vec<Finding> {
    let place = dir.display();
    let Ok(meta) = std::fs::metadata(dir) else {
        let text = t!("doctor.folder.none", dir = place).into_owned();
        return vec![Finding { check: "folder", verdict: Verdict::Note, text, fix: None }];
    };
    if !meta.is_dir() {
        let text = t!("doctor.folder.file", dir = place);
        return vec![Finding::bad("folder", Verdict::Fault, text, t!("hint.state"))];
    }
    let mut findings = Vec::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if meta.mode() & 0o077 != 0 {
            let (text, fix) = (t!("doctor.folder.open", dir = place), format!("chmod 700 {place}"));
            findings.push(Finding::bad("folder", Verdict::Warning, text, fix));
        }
        if let Some(file) = foreign(dir, meta.uid()) {
            let text = t!("doctor.folder.foreign", file = file.display());
            let fix = format!("sudo chown -R --reference={place} {place}");
            findings.push(Finding::bad("folder", Verdict::Fault, text, fix));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::good("folder", t!("doctor.folder", dir = place)));
    }
    findings
}

/// Finds a file that belongs to somebody else, as one does that was made by a
/// command under `sudo`.
#[cfg(unix)]
fn foreign(dir: &Path, owner: u32) -> Option<std::path::PathBuf> {
    use std::os::unix::fs::MetadataExt as _;
    let mut folders = vec![dir.to_owned()];
    let mut n_seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            n_seen += 1;
            let Ok(meta) = entry.metadata() else { continue };
            if meta.uid() != owner {
                return Some(entry.path());
            }
            if meta.is_dir() && n_seen < MOST_FILES {
                folders.push(entry.path());
            }
        }
    }
    None
}

/// Whether the databases can grow.
#[cfg(unix)]
pub(super) fn disk(dir: &Path) -> Option<Finding> {
    // Of a folder that is not there yet, the one it will be made in.
    let there = dir.ancestors().find(|it| it.exists())?;
    let found = rustix::fs::statvfs(there).ok()?;
    Some(space(found.f_bavail.saturating_mul(found.f_frsize)))
}

#[cfg(not(unix))]
pub(super) fn disk(_: &Path) -> Option<Finding> {
    None
}

#[cfg(unix)]
fn space(free: u64) -> Finding {
    let text = t!("doctor.disk", mib = free >> 20);
    match free {
        ..TOO_LITTLE => Finding::bad("disk", Verdict::Fault, text, t!("doctor.disk.fix")),
        TOO_LITTLE..LITTLE => Finding::bad("disk", Verdict::Warning, text, t!("doctor.disk.fix")),
        LITTLE.. => Finding::good("disk", text),
    }
}

/// Whether the time can be right: certificates and windows depend on it.
pub(super) fn clock(now: i64) -> Finding {
    if now < EARLIEST {
        let text = t!("doctor.clock.wrong");
        return Finding::bad("clock", Verdict::Fault, text, t!("doctor.clock.fix"));
    }
    Finding::good("clock", t!("doctor.clock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_the_program_was_written_is_wrong() {
        assert_eq!(clock(0).verdict, Verdict::Fault);
        assert_eq!(clock(EARLIEST).verdict, Verdict::Good);
    }

    #[cfg(unix)]
    #[test]
    fn a_full_disk_is_a_fault_and_a_folder_that_others_enter_a_warning() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        assert_eq!(space(1 << 20).verdict, Verdict::Fault);
        assert_eq!(space(1 << 29).verdict, Verdict::Warning);
        assert_eq!(space(1 << 40).verdict, Verdict::Good);

        let dir = tempfile::tempdir().unwrap();
        let mode = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(dir.path(), mode).unwrap();
            let found: Vec<Verdict> = files(dir.path()).iter().map(|it| it.verdict).collect();
            found
        };
        assert_eq!(mode(0o755), [Verdict::Warning]);
        assert_eq!(mode(0o700), [Verdict::Good]);

        let inner = dir.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let us = dir.path().metadata().unwrap().uid();
        assert_eq!(foreign(dir.path(), us), None);
        assert_eq!(foreign(dir.path(), us + 1), Some(dir.path().join("a")));
    }
}
