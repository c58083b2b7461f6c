//! Where modules lie and what may stand in a front door.

use std::collections::BTreeSet;

use super::rust::Rust;
use super::tree::{File, Finding, Tree};

/// What begins a thing that does or is something. A map has none.
const LOGIC: [&str; 10] =
    ["fn", "struct", "enum", "union", "impl", "trait", "const", "static", "type", "macro_rules"];

/// A crate's `lib.rs` holds only docs, `mod` and `use`.
pub(super) fn front_doors(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources().filter(|file| file.path.ends_with("/src/lib.rs")) {
        let rust = Rust::read(&file.text);
        let tokens = rust.tokens();
        for (index, (line, token)) in tokens.iter().enumerate() {
            let next = |n: usize| tokens.get(index + n).map_or("", |(_, token)| *token);
            let is_inline_module = *token == "mod" && next(2) == "{";
            if LOGIC.contains(token) || is_inline_module {
                let what = format!("`{token}` in the front door of a crate");
                let way_out = "move it to a file named after it; lib.rs is the map: docs, mod, use";
                findings.push(file.finding(*line, what, way_out));
            }
        }
    }
    findings
}

/// A file that no `mod` names is not compiled, and its tests never run.
pub(super) fn forgotten(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust("crates/").chain(tree.rust("fuzz/")) {
        if file.path.ends_with("/mod.rs") {
            let way_out = "name it after its folder and put it beside it: foo.rs and foo/";
            findings.push(file.finding(0, "is called mod.rs", way_out));
            continue;
        }
        let place = Place::of(&file.path);
        match place {
            Place::Root => {}
            Place::StrayTest => {
                let way_out = "move it to tests/it/ and name it in tests/it/main.rs";
                findings.push(file.finding(0, "makes a second test binary", way_out));
            }
            Place::Module { name, parents } => {
                let is_named = |path: &String| tree.get(path).is_some_and(|file| names(file, name));
                if !parents.iter().any(is_named) {
                    let what = format!("no `mod {name};` in {}", parents.join(" or "));
                    findings.push(file.finding(0, what, "name it there, or delete it"));
                }
            }
        }
    }
    findings
}

/// What a Rust file is to the compiler.
enum Place<'a> {
    /// Compiled on its own.
    Root,
    /// Compiled on its own, though it should not.
    StrayTest,
    /// Compiled when one of the parents names it.
    Module { name: &'a str, parents: Vec<String> },
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = name.trim_end_matches(".rs");
        let (above, last) = folder.rsplit_once('/').unwrap_or(("", folder));
        match (last, name) {
            ("src", "lib" | "main") | ("it", "main") => Self::Root,
            ("bin" | "benches" | "examples" | "fuzz_targets", _) => Self::Root,
            ("tests", _) => Self::StrayTest,
            // A bench of several files: crates/<name>/benches/<bench>/main.rs
            (_, "main") if above.ends_with("/benches") => Self::Root,
            _ if above.ends_with("/benches") => {
                Self::Module { name, parents: vec![format!("{folder}/main.rs")] }
            }
            // crates/<name>/build.rs
            _ if above == "crates" => Self::Root,
            ("src" | "it", _) => {
                let roots: BTreeSet<&str> = ["lib", "main"].into();
                Self::Module {
                    name,
                    parents: roots.iter().map(|root| format!("{folder}/{root}.rs")).collect(),
                }
            }
            _ => Self::Module { name, parents: vec![format!("{folder}.rs")] },
        }
    }
}

fn names(parent: &File, module: &str) -> bool {
    let rust = Rust::read(&parent.text);
    let tokens = rust.tokens();
    tokens
        .windows(3)
        .any(|window| window[0].1 == "mod" && window[1].1 == module && window[2].1 == ";")
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn logic_in_a_front_door_is_found() {
        let door = |text: &str| found(front_doors, &[("crates/a/src/lib.rs", text)]).len();
        assert_eq!(door("//! fn in the docs\n#[cfg(x)]\npub mod a;\npub use a::{B, C};\n"), 0);
        assert_eq!(door("pub fn run() {}"), 1);
        assert_eq!(door("pub const N: u32 = 1;\nmod a { }\nimpl X {}"), 3);
        assert_eq!(found(front_doors, &[("crates/a/src/run.rs", "fn run() {}")]).len(), 0);
    }

    #[test]
    fn a_module_that_nobody_names_is_found() {
        let check = |files: &[(&str, &str)]| {
            found(forgotten, files).into_iter().map(|(path, _)| path).collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        let main = "crates/a/tests/it/main.rs";
        assert_eq!(check(&[(main, "mod b;"), ("crates/a/tests/it/b.rs", "")]), none);
        assert_eq!(
            check(&[(main, "// mod b;"), ("crates/a/tests/it/b.rs", "")]),
            ["crates/a/tests/it/b.rs"]
        );
        assert_eq!(
            check(&[("crates/a/src/lib.rs", "pub mod b;"), ("crates/a/src/b.rs", "")]),
            none
        );
        assert_eq!(
            check(&[("crates/a/src/b.rs", "mod c;"), ("crates/a/src/b/d.rs", "")]),
            ["crates/a/src/b.rs", "crates/a/src/b/d.rs"]
        );
        assert_eq!(check(&[("crates/a/tests/more.rs", "")]), ["crates/a/tests/more.rs"]);
        assert_eq!(check(&[("crates/a/src/b/mod.rs", "")]), ["crates/a/src/b/mod.rs"]);
        let bench = "crates/a/benches/b/main.rs";
        assert_eq!(check(&[(bench, "mod c;"), ("crates/a/benches/b/c.rs", "")]), none);
        assert_eq!(
            check(&[(bench, "// mod c;"), ("crates/a/benches/b/c.rs", "")]),
            ["crates/a/benches/b/c.rs"]
        );

        let roots = ["build.rs", "src/main.rs", "benches/x.rs", "examples/y.rs", "src/bin/z.rs"];
        for root in roots {
            assert_eq!(check(&[(&format!("crates/a/{root}"), "")]), none, "{root}");
        }
    }
}
