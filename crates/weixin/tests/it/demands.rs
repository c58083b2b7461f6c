//! That what users ask for is tested, and where: the index in `docs/demands.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The demands that are this channel's to fulfil. The others are a backend's, a
/// host's alone, or nobody's to test; the page says so.
const OURS: [u32; 46] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 27, 28, 29, 30,
    31, 35, 36, 37, 38, 39, 40, 41, 43, 44, 46, 47, 48, 49, 50, 53, 54, 55, 56, 58,
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All Rust files of the workspace's crates, by their path below `crates/`.
fn sources() -> BTreeMap<String, String> {
    let crates = root().join("crates");
    let roots = std::fs::read_dir(&crates).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> =
        roots.flat_map(|it| [it.join("src"), it.join("tests")]).filter(|it| it.is_dir()).collect();
    let mut sources = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let name = path.strip_prefix(&crates).unwrap().display().to_string();
                sources.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    sources
}

/// The numbers that a line of a doc comment names: `Demand 4` or `Demands 1 and 8`.
fn named(line: &str) -> Vec<u32> {
    let Some(doc) = line.trim().strip_prefix("/// Demand") else {
        return Vec::new();
    };
    let list = doc.strip_prefix('s').unwrap_or(doc).split([':', '.']).next().unwrap_or_default();
    let words = list.split([' ', ',']).filter(|word| !word.is_empty() && *word != "and");
    words.map_while(|word| word.parse().ok()).collect()
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let line = line.trim();
    let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

/// The demands that a file's tests name, each with the test.
fn tests_of(source: &str) -> Vec<(u32, &str)> {
    let mut found = Vec::new();
    let mut numbers = Vec::new();
    let mut is_test = false;
    for line in source.lines() {
        let code = line.trim();
        numbers.extend(named(code));
        is_test |= code == "#[test]" || code.starts_with("#[tokio::test");
        if let Some(name) = function(code).filter(|_| is_test) {
            found.extend(numbers.iter().map(|number| (*number, name)));
        }
        if !code.starts_with("///") && !code.starts_with("#[") {
            (numbers, is_test) = (Vec::new(), false);
        }
    }
    found
}

/// The rows of the page's tables, by number: everything behind it.
fn page() -> BTreeMap<u32, String> {
    let page = std::fs::read_to_string(root().join("docs/demands.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.filter_map(|(number, row)| Some((number.parse().ok()?, row.to_owned()))).collect()
}

#[test]
fn every_demand_is_named_by_a_test() {
    let sources = sources();
    let named: BTreeSet<_> =
        sources.values().flat_map(|source| tests_of(source)).map(|(number, _)| number).collect();
    let missing: Vec<_> = OURS.iter().filter(|number| !named.contains(number)).collect();
    assert!(missing.is_empty(), "no test names the demands {missing:?} in its doc comment");
    let page = page();
    let missing: Vec<_> = OURS.iter().filter(|number| !page.contains_key(number)).collect();
    assert!(missing.is_empty(), "docs/demands.md has no row for {missing:?}");
    let unknown: Vec<_> = named.iter().filter(|number| !page.contains_key(number)).collect();
    assert!(unknown.is_empty(), "tests name {unknown:?}, which docs/demands.md does not have");
}

#[test]
fn the_page_names_tests_that_are_there_and_say_so() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (number, row) in page() {
        let places = row.split('`').filter_map(|part| part.split_once("::"));
        for (file, test) in places {
            let found = sources.get(file).map(|source| tests_of(source)).unwrap_or_default();
            if !found.contains(&(number, test)) {
                wrong.push(format!("{number}: {file}::{test}"));
            }
        }
    }
    assert!(wrong.is_empty(), "docs/demands.md names what is not there:\n{}", wrong.join("\n"));
}

#[test]
fn a_demand_is_read_from_a_doc_comment() {
    assert_eq!(named("    /// Demand 4: a story"), [4]);
    assert_eq!(named("/// Demands 7 and 47."), [7, 47]);
    assert_eq!(named("/// Demands 1, 2 and 8: 3 tokens"), [1, 2, 8]);
    assert_eq!(named("/// Demand 10, cheaply: 1"), [10]);
    assert_eq!(named("/// On demand 5"), [0; 0]);
    let source = "/// Demand 1.\n#[test]\nfn a() {}\n/// Demand 2.\nfn b() {}\n#[test]\nfn c() {}";
    assert_eq!(tests_of(source), [(1, "a")]);
}
