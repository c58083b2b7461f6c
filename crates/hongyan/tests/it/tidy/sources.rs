//! What may stand in a source file, and where.

use std::collections::BTreeSet;

use super::rust::Rust;
use super::tree::{Finding, Tree};

/// How long a file may be that people read.
const MOST_LINES: usize = 700;
/// Files that may be longer, each with the reason.
const LONGER: [(&str, &str); 0] = [];

/// What begins an SQL statement, in capitals, and what must follow somewhere.
const SQL: [(&str, &str); 11] = [
    ("SELECT ", ""),
    ("INSERT ", "INTO "),
    ("REPLACE INTO ", ""),
    ("UPDATE ", " SET "),
    ("DELETE FROM ", ""),
    ("CREATE TABLE ", ""),
    ("CREATE INDEX ", ""),
    ("CREATE UNIQUE INDEX ", ""),
    ("ALTER TABLE ", ""),
    ("DROP TABLE ", ""),
    ("PRAGMA ", ""),
];

/// Only the `store` module of a crate contains SQL; `ledger` has nothing but.
pub(super) fn sql(tree: &Tree) -> Vec<Finding> {
    let way_out = "put it behind a method of the store, in a file under src/store/";
    let mut findings = Vec::new();
    let is_store = |path: &str| {
        let rooms = ["/src/store/", "/src/store.rs"];
        path.starts_with("crates/ledger/") || rooms.iter().any(|room| path.contains(room))
    };
    for file in tree.sources().filter(|file| !is_store(&file.path)) {
        for (line, text) in Rust::read(&file.text).strings {
            if let Some(statement) = sql_statement(&text) {
                let what = format!("SQL outside the store: {statement}…");
                findings.push(file.finding(line, what, way_out));
            }
        }
    }
    for file in tree.files.iter().filter(|file| file.is("sql") && !is_store(&file.path)) {
        findings.push(file.finding(0, "an SQL script outside the store", way_out));
    }
    findings
}

/// Returns what makes a literal look like SQL: a statement in capitals anywhere,
/// or one in any case at the very start.
fn sql_statement(text: &str) -> Option<&'static str> {
    let upper = text.trim_start().to_uppercase();
    let squeezed: String = text.split_whitespace().map(|word| format!("{word} ")).collect();
    SQL.into_iter()
        .find(|(begin, then)| {
            let at_start = upper.starts_with(begin) && upper.contains(then);
            // English knows `select` and `update`; SQL has a word from below behind them.
            let is_sentence = *begin == "SELECT " && !upper.contains(" FROM ");
            let in_capitals = squeezed.contains(begin) && squeezed.contains(then);
            in_capitals || (at_start && !is_sentence && *begin != "PRAGMA ")
        })
        .map(|(begin, _)| begin.trim_end())
}

/// What begins a task, by the crate or module that has it.
const SPAWNS: [(&str, &[&str]); 2] = [
    ("tokio", &["spawn", "task::spawn", "task::spawn_local"]),
    ("task", &["spawn", "spawn_local"]),
];

/// Where tasks begin: the crate for it, and the backend's own set, which can abort.
const SPAWNERS: [&str; 2] = ["crates/tasks/src/tasks.rs", "crates/backend/src/tasks.rs"];

/// A task without an owner outlives what it works for.
pub(super) fn spawns(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources().filter(|file| !SPAWNERS.contains(&file.path.as_str())) {
        let rust = Rust::read(&file.text);
        // As a set: a group may name both a crate and its module on one line.
        let mut lines = BTreeSet::new();
        for (name, banned) in SPAWNS {
            let paths = rust.paths_into(name).into_iter();
            let spawns = paths.filter(|(_, path)| banned.contains(&path.as_str()));
            lines.extend(spawns.map(|(line, _)| line));
        }
        for line in lines {
            let way_out = "spawn through a `tasks::Tasks`, which owns and names it";
            findings.push(file.finding(line, "a task without an owner", way_out));
        }
    }
    findings
}

/// What silences a lint or leaves work undone.
const SHORTCUTS: [(&str, &str); 5] = [
    ("#[allow(", "use #[expect(lint, reason = \"…\")]: it complains when it is no longer needed"),
    ("#![allow(", "use #![expect(lint, reason = \"…\")]: it complains when it is no longer needed"),
    ("todo!", "write it, or leave it out"),
    ("unimplemented!", "write it, or return an error that says so"),
    (",allow(", "use expect(lint, reason = \"…\") in cfg_attr, too"),
];

/// Code that silences or postpones.
pub(super) fn shortcuts(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is("rs")) {
        let rust = Rust::read(&file.text);
        for (number, line) in rust.lines() {
            let line: String = line.split_whitespace().collect();
            for (shortcut, way_out) in SHORTCUTS {
                let is_attribute_part = shortcut == ",allow(" && !line.contains("cfg_attr(");
                if line.contains(shortcut) && !is_attribute_part {
                    let what = format!("`{}`", shortcut.trim_start_matches(','));
                    findings.push(file.finding(number, what, way_out));
                }
            }
        }
    }
    findings
}

/// A test that nobody runs proves nothing. One that another test runs in a
/// process of its own has to be ignored, and is named in that test.
pub(super) fn ignored_tests(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is("rs")) {
        let rust = Rust::read(&file.text);
        let tokens = rust.tokens();
        let spells = |at: usize, words: [&str; 3]| {
            tokens[at..].iter().map(|(_, token)| *token).take(3).eq(words)
        };
        for at in (0..tokens.len()).filter(|at| spells(*at, ["#", "[", "ignore"])) {
            let mut behind = tokens[at..].iter().map(|(_, token)| *token);
            let name = behind.find(|token| *token == "fn").and_then(|_| behind.next());
            let is_run = name.is_some_and(|name| {
                let path = format!("::{name}");
                rust.strings.iter().any(|(_, text)| text == name || text.ends_with(&path))
            });
            if !is_run {
                let way_out = "make it quick and reliable, or run it from another test by its name";
                findings.push(file.finding(tokens[at].0, "a test that nobody runs", way_out));
            }
        }
    }
    findings
}

/// A file reads in one sitting. About 400 lines is the aim; this is the wall.
pub(super) fn long_files(tree: &Tree) -> Vec<Finding> {
    let is_read_by_people = |path: &str| {
        let written = ["rs", "ts", "tsx", "mjs", "css", "sh", "md", "toml"];
        let extension = path.rsplit('.').next().unwrap_or_default();
        written.contains(&extension) && !path.contains("/dist/")
    };
    tree.files
        .iter()
        .filter(|file| is_read_by_people(&file.path))
        .filter(|file| !LONGER.iter().any(|(path, _)| *path == file.path))
        .filter_map(|file| {
            let lines = file.lines().count();
            (lines > MOST_LINES).then(|| {
                let what =
                    format!("{lines} lines; more than {MOST_LINES} do not fit in one sitting");
                file.finding(lines, what, "split it by subject: foo.rs and foo/")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        found(rule, &[(path, text)]).into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn sql_outside_a_store_is_found() {
        let src = |text: &str| lines(sql, "crates/weixin/src/inbox.rs", text);
        assert_eq!(src("const A: &str = \"SELECT 1\";"), [1]);
        assert_eq!(src("\nf(\"insert or ignore into t values (?1)\")"), [2]);
        assert_eq!(src("f(r#\"\n  UPDATE t\n  SET a = 1\"#)"), [1]);
        assert_eq!(src("f(\"select a from b\")"), [1]);
        assert_eq!(src("f(\"WITH x AS (SELECT 1) \")"), [1]);
        assert_eq!(src("// SELECT 1\nf(\"select an account\", \"update failed\")"), [0; 0]);
        assert_eq!(lines(sql, "crates/weixin/src/store/inbox.rs", "f(\"SELECT 1\")"), [0; 0]);
        assert_eq!(lines(sql, "crates/ledger/src/migrate.rs", "f(\"PRAGMA x\")"), [0; 0]);
        assert_eq!(lines(sql, "crates/weixin/migrations/1.sql", "SELECT 1"), [0]);
        assert_eq!(lines(sql, "crates/weixin/src/store/1.sql", "SELECT 1"), [0; 0]);
    }

    #[test]
    fn a_bare_spawn_is_found() {
        let src = |text: &str| lines(spawns, "crates/weixin/src/monitor.rs", text);
        assert_eq!(src("tokio::spawn(x);"), [1]);
        assert_eq!(src("a;\ntokio :: task::spawn (x);"), [2]);
        assert_eq!(src("use tokio::spawn;"), [1]);
        assert_eq!(src("use tokio::{sync, task::{self, spawn}};"), [1]);
        assert_eq!(src("use tokio::task;\ntask::spawn(x)"), [2]);
        assert_eq!(
            src("// tokio::spawn(x)\ntokio::task::spawn_blocking(x); tasks.spawn(x);"),
            [0; 0]
        );
        assert_eq!(lines(spawns, "crates/tasks/src/tasks.rs", "tokio::spawn(x);"), [0; 0]);
    }

    #[test]
    fn shortcuts_are_found() {
        let src = |text: &str| lines(shortcuts, "crates/weixin/tests/it/a.rs", text);
        assert_eq!(src("#[allow(dead_code)]\nfn f() {}"), [1]);
        assert_eq!(src("#![allow(clippy::all)]"), [1]);
        assert_eq!(src("#[cfg_attr(unix, allow(x))]"), [1]);
        assert_eq!(src("fn f() {\n    todo!()\n}"), [2]);
        assert_eq!(src("unimplemented!(\"x\")"), [1]);
        assert_eq!(
            src("// #[allow(x)]\n#[expect(x, reason = \"y\")]\nf(a, allow(b), \"todo!\")"),
            [0; 0]
        );
    }

    #[test]
    fn an_ignored_test_that_no_other_runs_is_found() {
        let src = |text: &str| lines(ignored_tests, "crates/weixin/tests/it/a.rs", text);
        let child = "#[test]\n#[ignore = \"x\"]\nasync fn polls() {}\n";
        assert_eq!(src(child), [2]);
        assert_eq!(src("#[ignore]\nfn f() {}\n// \"a::f\""), [1]);
        assert_eq!(src(&format!("{child}fn parent() {{ run(\"a::polls\") }}")), [0; 0]);
    }

    #[test]
    fn a_long_file_is_found() {
        let long = "x\n".repeat(MOST_LINES + 1);
        let fits = "x\n".repeat(MOST_LINES);
        assert_eq!(lines(long_files, "crates/weixin/src/a.rs", &long), [MOST_LINES + 1]);
        assert_eq!(lines(long_files, "crates/weixin/src/a.rs", &fits), [0; 0]);
        assert_eq!(lines(long_files, "crates/backend/web/dist/a.css", &long), [0; 0]);
        assert_eq!(lines(long_files, "package-lock.json", &long), [0; 0]);
    }
}
