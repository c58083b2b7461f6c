//! Commands that change a whole state, killed in the middle and typed again:
//! afterwards everything is as if they had run once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{hongyan, says};

/// So many milliseconds since 1970 are a time of this century.
const A_TIME: std::ops::Range<i64> = 1_500_000_000_000..4_000_000_000_000;

/// A state as far as it means something: files as they are, stores by their rows,
/// times by being there. Locks, copies and what SQLite keeps beside a store are not in it.
fn state_of(dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for path in files(dir) {
        let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        // A copy of a file is written after it, so it may be one change behind.
        let passes = [".lock", "-wal", "-shm", ".bak"].iter().any(|end| name.ends_with(end));
        // A file that was being written when its writer was killed.
        let is_torn = name
            .rsplit('/')
            .next()
            .is_some_and(|last| wholefile::is_unfinished(last) || last.starts_with(".tmp"));
        if passes || is_torn {
            continue;
        }
        let content = match name.ends_with(".sqlite") {
            true => rows(&path),
            false => String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
        };
        found.insert(name, content);
    }
    found
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// All rows of all tables, sorted.
fn rows(store: &Path) -> String {
    let store = Connection::open(store).unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut tables = store.prepare(tables).unwrap();
    let tables = tables.query_map((), |row| row.get::<_, String>(0)).unwrap();
    let mut all = Vec::new();
    for table in tables.map(Result::unwrap) {
        let mut found = store.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let n_columns = found.column_count();
        let found = found.query_map((), |row| {
            let cells = (0..n_columns).map(|n| {
                let cell: Cell = row.get_unwrap(n);
                let is_time = matches!(cell, Cell::Integer(at) if A_TIME.contains(&at));
                if is_time { "a time".to_owned() } else { format!("{cell:?}") }
            });
            Ok(format!("{table}: {}", cells.collect::<Vec<_>>().join(", ")))
        });
        all.extend(found.unwrap().map(Result::unwrap));
    }
    all.sort();
    all.join("\n")
}

/// What is in one of two states only, line by line.
fn differing(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let lines = |state: &BTreeMap<String, String>| -> BTreeSet<String> {
        let of = |(name, text): (&String, &String)| {
            let lines = text.lines().map(|line| format!("{name}: {line}"));
            lines.chain([format!("{name} is there")]).collect::<Vec<_>>()
        };
        state.iter().flat_map(of).collect()
    };
    let n_lines = |state: &BTreeMap<String, String>| {
        state
            .iter()
            .map(|(name, text)| format!("{name} has {} lines", text.lines().count()))
            .collect()
    };
    let mut differing: Vec<_> = lines(one).symmetric_difference(&lines(other)).cloned().collect();
    let (one, other): (BTreeSet<String>, BTreeSet<String>) = (n_lines(one), n_lines(other));
    differing.extend(one.symmetric_difference(&other).cloned());
    differing
}

fn begins(state: &Path, args: &[&str]) -> Child {
    let mut command = hongyan(state);
    command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Kills it when something is so, unless it ends before. Says whether it was cut.
fn kill_when(mut child: Child, mut is_so: impl FnMut() -> bool) -> bool {
    while !is_so() {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
    }
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

/// An OpenClaw with several accounts, each with people, tokens and a cursor.
fn openclaw() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "openclaw.json",
        "{ // mine\n session: { mainKey: 'desk' }, channels: { 'openclaw-weixin': { name: 'n' } } }",
    );
    let accounts: Vec<String> = (0..12).map(|n| format!("bot{n}-im-bot")).collect();
    write("openclaw-weixin/accounts.json", &json!(accounts).to_string());
    for account in &accounts {
        let at = |kind: &str| format!("openclaw-weixin/accounts/{account}{kind}.json");
        let credentials = json!({
            "token": format!("{account}:t"), "userId": format!("{account}@im.wechat"),
            "savedAt": "2026-11-21T00:00:00.000Z", "baseUrl": "http://127.0.0.1:1",
        });
        write(&at(""), &credentials.to_string());
        write(&at(".sync"), &json!({ "get_updates_buf": account }).to_string());
        let tokens: BTreeMap<_, _> = (0..30).map(|n| (format!("p{n}@im.wechat"), "ctx")).collect();
        write(&at(".context-tokens"), &json!(tokens).to_string());
        let allowed: Vec<_> = (0..20).map(|n| format!("Friend{n}@im.wechat")).collect();
        let allowed = json!({ "version": 1, "allowFrom": allowed }).to_string();
        write(&format!("credentials/openclaw-weixin-{account}-allowFrom.json"), &allowed);
    }
    let debug = json!({ "accounts": { "bot1-im-bot": true } });
    write("openclaw-weixin/debug-mode.json", &debug.to_string());
    let quotes = include_bytes!("../golden/ref-messages.sqlite");
    fs::write(dir.path().join("openclaw-weixin/ref-messages.sqlite"), quotes).unwrap();
    dir
}

#[test]
fn an_import_that_was_killed_is_done_again_as_if_it_had_run_once() {
    let there = openclaw();
    let import = ["import", "openclaw", "--from", there.path().to_str().unwrap(), "--json"];
    let whole = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let (code, _, stderr) = says(whole.path(), &import);
    let took = begun.elapsed();
    assert_eq!(code, Some(0), "{stderr}");
    let expected = state_of(whole.path());
    assert!(expected["gateway.sqlite"].contains("friend19@im.wechat"), "{expected:?}");

    let mut n_cut = 0;
    for n in 1..=12 {
        let state = tempfile::tempdir().unwrap();
        // Twice, so that what is left of the first is in the way of the second.
        for part in [n, 13 - n] {
            let (since, at) = (Instant::now(), took * part / 13);
            let cut = kill_when(begins(state.path(), &import), || since.elapsed() >= at);
            n_cut += usize::from(cut);
        }
        let (code, _, stderr) = says(state.path(), &import);
        assert_eq!(code, Some(0), "{n}: {stderr}");
        let differing = differing(&state_of(state.path()), &expected);
        assert_eq!(differing, [""; 0], "cut after {n}/13 of {took:?}");
    }
    assert!(n_cut > 0, "it was never killed in time");
}

/// A state with so many files that one can see them being moved.
const N_FILES: usize = 150;

struct Restore {
    dir: TempDir,
}

impl Restore {
    /// A backup, and beside it the state that it is restored into.
    fn new() -> Self {
        let this = Self { dir: tempfile::tempdir().unwrap() };
        this.fill(&this.at("saved"), "new");
        let create = ["backup", "create", &this.text("file"), "--plain"];
        let (code, _, stderr) = says(&this.at("saved"), &create);
        assert_eq!(code, Some(0), "{stderr}");
        this
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    fn fill(&self, state: &Path, content: &str) {
        fs::create_dir_all(state.join("openclaw-weixin/accounts")).unwrap();
        for n in 0..N_FILES {
            fs::write(state.join(format!("{content}-{n}.txt")), content).unwrap();
            fs::write(state.join(format!("both-{n}.txt")), content).unwrap();
        }
        fs::write(state.join("config.json5"), format!("{{ meta: {{ m: '{content}' }} }}")).unwrap();
        fs::write(state.join("openclaw-weixin/accounts.json"), "[]").unwrap();
        fs::write(state.join(format!("openclaw-weixin/{content}.txt")), content).unwrap();
    }

    /// Restores into a state, kills it at a moment, and types it again. Says whether
    /// it was killed before it was done.
    fn cut(&self, state: &Path, forced: bool, mut is_moment: impl FnMut(&Path) -> bool) -> bool {
        let file = self.text("file");
        let mut args = vec!["backup", "restore", &file, "--json"];
        args.extend(forced.then_some("--force"));
        let was_cut = kill_when(begins(state, &args), || is_moment(state));
        let is_half = fs::read_dir(state).into_iter().flatten().any(|entry| {
            let path = entry.unwrap().path();
            is_named(&path, ".restore-") && path.join("swap.json").exists()
        });
        if is_half {
            for args in [&["gateway", "run"][..], &["backup", "create", "--plain"]] {
                let (code, _, stderr) = says(state, args);
                assert_eq!(code, Some(78), "{stderr}");
                assert!(stderr.contains("a restore was cut"), "{stderr}");
            }
        }
        // When all was done but saying so, there is nothing to do again.
        let is_done = !is_half && n_named(state, "new-") == N_FILES;
        if was_cut && !is_done {
            let (code, stdout, stderr) = says(state, &args);
            assert_eq!(code, Some(0), "{stderr}");
            let said: Value = serde_json::from_str(&stdout).unwrap();
            assert_eq!(said["aside"].is_string(), forced, "{said}");
        }
        was_cut && !is_done
    }
}

fn is_named(path: &Path, beginning: &str) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with(beginning)
}

fn n_named(state: &Path, beginning: &str) -> usize {
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    entries.filter(|entry| is_named(&entry.path(), beginning)).count()
}

#[test]
fn a_restore_that_was_killed_is_done_again_as_if_it_had_run_once() {
    let restore = Restore::new();
    let expected = state_of(&restore.at("saved"));
    let state = restore.at("state");
    let file = restore.text("file");
    let begun = Instant::now();
    let (code, _, stderr) = says(&state, &["backup", "restore", &file]);
    assert_eq!(code, Some(0), "{stderr}");
    let took = begun.elapsed();
    assert_eq!(state_of(&state), expected);

    let mut n_cut = 0;
    let mut check = |forced: bool, is_moment: &mut dyn FnMut(&Path) -> bool| {
        fs::remove_dir_all(&state).unwrap();
        let mut old = BTreeMap::new();
        if forced {
            restore.fill(&state, "old");
            old = state_of(&state);
        }
        let was_cut = restore.cut(&state, forced, is_moment);
        n_cut += usize::from(was_cut);
        let (aside, now): (BTreeMap<_, _>, BTreeMap<_, _>) =
            state_of(&state).into_iter().partition(|(name, _)| name.starts_with("before-restore-"));
        assert_eq!(differing(&now, &expected), [""; 0]);
        assert_eq!(n_named(&state, "before-restore-"), usize::from(forced));
        assert!(!was_cut || n_named(&state, ".restore-") == 0, "nothing is left of the stage");
        let aside: BTreeMap<_, _> = aside
            .into_iter()
            .map(|(name, text)| (name.split_once('/').unwrap().1.to_owned(), text))
            .collect();
        let differing = differing(&aside, &old);
        assert_eq!(differing, [""; 0], "nothing of the old state is lost or doubled");
    };
    for forced in [false, true] {
        for part in 1..=6 {
            let mut since = None;
            let mut is_time =
                |_: &Path| since.get_or_insert_with(Instant::now).elapsed() >= took * part / 7;
            check(forced, &mut is_time);
        }
        // While the new files come in, or the old ones go.
        for n in [1, N_FILES / 2, N_FILES - 1] {
            check(forced, &mut |state| n_named(state, "new-") >= n);
            if forced {
                check(forced, &mut |state| n_named(state, "old-") <= N_FILES - n);
            }
        }
    }
    assert!(n_cut > 6, "it was killed {n_cut} times only");
}
