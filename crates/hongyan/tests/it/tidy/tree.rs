//! The files of the repository, and what a rule finds in them.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that are, or could be, committed. Sorted by path.
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    /// Paths of all files, those that are not text included.
    paths: BTreeSet<String>,
}

/// One text file.
pub(super) struct File {
    /// From the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) path: String,
    /// From 1; 0 when it is about the whole file.
    pub(super) line: usize,
    pub(super) what: String,
    pub(super) way_out: &'static str,
}

impl Tree {
    /// Reads what git tracks, and what it would track if it were added.
    pub(super) fn of_this_repository() -> Self {
        let root = root();
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&root)
            .output()
            .expect("the rules are checked on a git checkout, so git must be installed");
        assert!(
            listed.status.success(),
            "the rules are checked on a git checkout, but `git ls-files` says: {}",
            String::from_utf8_lossy(&listed.stderr)
        );
        let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
        Self::read(&root, names.split('\0').filter(|name| !name.is_empty()))
    }

    fn read<'a>(root: &Path, names: impl Iterator<Item = &'a str>) -> Self {
        let mut tree = Self { files: Vec::new(), paths: BTreeSet::new() };
        for path in names {
            // A deleted file stays listed until the deletion is committed.
            let Ok(bytes) = std::fs::read(root.join(path)) else {
                continue;
            };
            tree.paths.insert(path.to_owned());
            if let Ok(text) = String::from_utf8(bytes) {
                tree.files.push(File { path: path.to_owned(), text });
            }
        }
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree
    }

    /// Makes a tree up, to show that a rule can fail.
    pub(super) fn made_up(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File { path: path.into(), text: text.into() };
        Self {
            files: files.iter().map(file).collect(),
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
        }
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Says whether there is a file with this path, or a folder.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.paths.contains(path) || self.paths.iter().any(|known| known.starts_with(&folder))
    }

    /// Returns the Rust files whose path starts with `prefix`.
    pub(super) fn rust(&self, prefix: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.path.starts_with(prefix) && file.is("rs"))
    }

    /// Returns the Rust files under the `src` of any crate.
    pub(super) fn sources(&self) -> impl Iterator<Item = &File> {
        self.rust("crates/").filter(|file| file.path.split('/').nth(2) == Some("src"))
    }
}

impl File {
    pub(super) fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Returns the lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    pub(super) fn finding(
        &self,
        line: usize,
        what: impl Into<String>,
        way_out: &'static str,
    ) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into(), way_out }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, way_out } = self;
        write!(f, "{path}:{line}: {what}\n    way out: {way_out}")
    }
}

/// Fails with the whole list, so that one run shows all there is to do.
#[track_caller]
pub(super) fn assert_clean(findings: &[Finding]) {
    let list: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(list.is_empty(), "{} breaches:\n{}", list.len(), list.join("\n"));
}

/// Runs a rule on a made-up tree and returns where it found something.
pub(super) fn found(
    rule: fn(&Tree) -> Vec<Finding>,
    files: &[(&str, &str)],
) -> Vec<(String, usize)> {
    let findings = rule(&Tree::made_up(files));
    findings.into_iter().map(|finding| (finding.path, finding.line)).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_list_names_every_breach_with_its_place_and_the_way_out() {
    let tree = Tree::made_up(&[("a.rs", "x"), ("b.rs", "y")]);
    let findings: Vec<Finding> =
        tree.files.iter().map(|file| file.finding(7, "is wrong", "put it right")).collect();
    let shown = std::panic::catch_unwind(|| assert_clean(&findings)).unwrap_err();
    let shown = shown.downcast_ref::<String>().expect("assert! panics with a String");
    assert_eq!(
        shown,
        "2 breaches:\na.rs:7: is wrong\n    way out: put it right\n\
         b.rs:7: is wrong\n    way out: put it right"
    );
}

#[test]
fn the_real_tree_is_read() {
    let tree = Tree::of_this_repository();
    assert!(tree.get("Cargo.toml").is_some_and(|file| file.text.contains("[workspace]")));
    assert!(tree.has("crates/hongyan") && !tree.has("crates/hong"));
    assert!(tree.sources().all(|file| file.path.contains("/src/")));
    assert!(!tree.files.iter().any(|file| file.path.starts_with("target/")));
}
