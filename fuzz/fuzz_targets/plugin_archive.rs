//! Any bytes as the archive of a plugin: no panic, nothing beside the folder, and
//! no link in it that leads out.

#![no_main]

use std::fs;
use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use plugins::Limits;
use plugins::archive::unpack;

const LIMITS: Limits = Limits { members: 64, bytes: 1 << 20, ratio: 100 };

fuzz_target!(|bytes: &[u8]| {
    let dir = tempfile::tempdir().expect("a folder for a while");
    let into = dir.path().join("a/b");
    fs::create_dir(dir.path().join("a")).expect("an empty folder");
    let whole = unpack(Cursor::new(bytes), &into, &LIMITS).is_ok();
    for above in [dir.path(), &dir.path().join("a")] {
        assert!(fs::read_dir(above).expect("still there").count() <= 1);
    }
    if whole {
        let root = into.canonicalize().expect("unpacked");
        assert!(total(&root, &root) <= LIMITS.bytes);
    }
});

/// Returns how many bytes lie in a folder, none of which leads out of the root.
fn total(root: &Path, folder: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let found = fs::symlink_metadata(&path).expect("an entry");
        if found.is_symlink() {
            assert!(path.canonicalize().expect("leads somewhere").starts_with(root));
        } else if found.is_dir() {
            bytes += total(root, &path);
        } else {
            assert!(found.is_file());
            bytes += found.len();
        }
    }
    bytes
}
