//! Documents and lock files.

use super::tree::{File, Finding, Tree};

const ENGLISH: &str = "README.md";
const CHINESE: &str = "README.zh-CN.md";
/// What a newcomer types first, and what shows that all is well.
const PROMISED: [&str; 2] = ["cargo run --release -- demo", "cargo test --workspace"];

/// Home folders and work trees, in pieces so that this file passes its own rule.
const MACHINES: [&str; 6] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers"),
    concat!("/wo", "rk/"),
    concat!("/tmp/pl", "an"),
];
/// Where packages come from is the business of the machine that builds.
const REGISTRIES: [&str; 9] = [
    concat!("registry.npm", "js"),
    concat!("npm", "mirror"),
    concat!("index.cra", "tes.io"),
    concat!("static.cra", "tes.io"),
    concat!("rs", "proxy"),
    concat!("py", "pi.org"),
    concat!("pythonho", "sted"),
    concat!("arti", "factory"),
    concat!("replace", "-with"),
];
/// There is one TLS stack. Its second provider, ring, cannot be banned here: the
/// lock file lists it for a part of reqwest that is never built. deny.toml does.
const BANNED: [&str; 3] = ["openssl-sys", "native-tls", "openssl"];

/// The two READMEs have the same headings, commands and tables, and both keep
/// what the project promises.
pub(super) fn readmes(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (Some(english), Some(chinese)) = (tree.get(ENGLISH), tree.get(CHINESE)) else {
        let what = "one of the two READMEs is missing";
        let way_out = "write both README.md and README.zh-CN.md";
        return vec![Finding { path: ENGLISH.into(), line: 0, what: what.into(), way_out }];
    };
    for file in [english, chinese] {
        let commands: Vec<String> =
            outline(file).into_iter().flat_map(|part| part.shape.commands()).collect();
        for promised in PROMISED.iter().filter(|promised| !commands.iter().any(|c| c == *promised))
        {
            let what = format!("the command `{promised}` does not stand on a line of its own");
            findings.push(file.finding(0, what, "put it into a code block"));
        }
    }
    let (ours, theirs) = (outline(english), outline(chinese));
    for index in 0..ours.len().max(theirs.len()) {
        let (a, b) = (ours.get(index), theirs.get(index));
        if a.map(|part| &part.shape) != b.map(|part| &part.shape) {
            let line = |part: Option<&Part>| {
                part.map_or("its end".to_owned(), |part| part.line.to_string())
            };
            let show = |part: Option<&Part>| {
                part.map_or("nothing".to_owned(), |part| format!("{:?}", part.shape))
            };
            let what = format!(
                "{CHINESE} differs at line {}: {} here, {} there",
                line(b),
                show(a),
                show(b)
            );
            let way_out = "change both: the same headings, commands and tables in the same order";
            findings.push(english.finding(a.map_or(0, |part| part.line), what, way_out));
            break;
        }
    }
    findings
}

/// What both languages share.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    /// A heading and its level.
    Heading(usize),
    /// A code block: its language and its lines without remarks. A drawing
    /// (`text`) has words in it, so only its being there counts.
    Code { language: String, lines: Vec<String> },
    /// A table and the number of its rows.
    Table(usize),
}

impl Shape {
    fn commands(self) -> Vec<String> {
        match self {
            Self::Code { lines, .. } => lines,
            Self::Heading(_) | Self::Table(_) => Vec::new(),
        }
    }
}

struct Part {
    line: usize,
    shape: Shape,
}

fn outline(file: &File) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut in_code = false;
    let mut table_before = 0;
    for (number, line) in file.lines() {
        let line = line.trim();
        if let Some(language) = line.strip_prefix("```") {
            in_code = !in_code;
            if in_code {
                let shape = Shape::Code { language: language.into(), lines: Vec::new() };
                parts.push(Part { line: number, shape });
            }
        } else if in_code {
            note_code(&mut parts, line);
        } else if line.starts_with('#') {
            let level = line.bytes().take_while(|byte| *byte == b'#').count();
            parts.push(Part { line: number, shape: Shape::Heading(level) });
        } else if line.starts_with('|') {
            match parts.last_mut() {
                Some(Part { shape: Shape::Table(rows), .. }) if table_before + 1 == number => {
                    *rows += 1;
                }
                _ => parts.push(Part { line: number, shape: Shape::Table(1) }),
            }
            table_before = number;
        }
    }
    parts
}

/// Adds a line to the code block that is open.
fn note_code(parts: &mut [Part], line: &str) {
    let Some(Part { shape: Shape::Code { language, lines }, .. }) = parts.last_mut() else {
        return;
    };
    if language == "text" {
        return;
    }
    let remark = if matches!(language.as_str(), "rust" | "json5") { "//" } else { "#" };
    let is_remark = |at: &usize| *at == 0 || line[..*at].ends_with(' ');
    let end = line.match_indices(remark).map(|(at, _)| at).find(is_remark).unwrap_or(line.len());
    let command = line[..end].trim();
    if !command.is_empty() {
        lines.push(command.to_owned());
    }
}

/// Links from one document to another file of the tree.
pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is("md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in file.lines() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
            {
                let target = target.split('#').next().unwrap_or_default();
                if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                if !tree.has(&resolve(folder, target)) {
                    let what = format!("the link to `{target}` leads nowhere");
                    findings.push(file.finding(number, what, "correct the path, or add the file"));
                }
            }
        }
    }
    findings
}

fn resolve(folder: &str, target: &str) -> String {
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/').filter(|step| !step.is_empty() && *step != ".") {
        if step == ".." {
            steps.pop();
        } else {
            steps.push(step);
        }
    }
    steps.join("/")
}

/// Paths of somebody's machine and hosts of package registries.
pub(super) fn machine_traces(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !file.path.ends_with("Cargo.lock")) {
        for (number, line) in file.lines() {
            for trace in MACHINES.iter().filter(|trace| has_path(line, trace)) {
                let what = format!("a path of one machine (`{trace}`)");
                let way_out = "use a path from the root of the repository, ~ or a temporary folder";
                findings.push(file.finding(number, what, way_out));
            }
            for host in REGISTRIES.iter().filter(|host| line.contains(**host)) {
                let what = format!("the host of a registry (`{host}`)");
                let way_out = "leave it out: each machine configures its own registry";
                findings.push(file.finding(number, what, way_out));
            }
        }
    }
    findings
}

/// Whether a line has a path that begins with `start`: `/x/start` does not count.
fn has_path(line: &str, start: &str) -> bool {
    let is_inside = |at: usize| {
        line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "._-~}".contains(c))
    };
    line.match_indices(start).any(|(at, _)| !is_inside(at))
}

/// Lock files hold versions and hashes, and no crate that must not be there.
pub(super) fn lock_files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let is_npm = file.path.ends_with("package-lock.json");
        let is_cargo = file.path.ends_with("Cargo.lock");
        for (number, line) in file.lines().filter(|_| is_npm || is_cargo) {
            // The address where an author takes donations is the only one that may stand there.
            let is_funding = line.trim_start().starts_with("\"url\":");
            if is_npm && line.contains("://") && !is_funding {
                let way_out = "npm install --omit-lockfile-registry-resolved (see .npmrc)";
                findings.push(file.finding(number, "the address of a package", way_out));
            }
            if is_cargo && BANNED.iter().any(|name| line == format!("name = \"{name}\"")) {
                let way_out =
                    "find who needs it (cargo tree -i) and turn that feature off: TLS is rustls";
                findings.push(file.finding(number, format!("a banned crate: {line}"), way_out));
            }
            if is_cargo && line.starts_with("source = ") && !line.contains("crates.io-index") {
                let way_out = "depend on a published version";
                findings.push(file.finding(number, "a crate that is not from crates.io", way_out));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    const PAGE: &str = "# A\n\n```sh\ncargo run --release -- demo   # all in one\n```\n\n\
                        ```sh\ncargo test --workspace\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";

    fn pair(english: &str, chinese: &str) -> Vec<(String, usize)> {
        found(readmes, &[(ENGLISH, english), (CHINESE, chinese)])
    }

    #[test]
    fn readmes_that_differ_are_found_at_the_first_difference() {
        let at = |line: usize| [(ENGLISH.to_owned(), line)];
        let translated = PAGE.replace("# A", "# 甲").replace("# all in one", "# 一体");
        assert_eq!(pair(PAGE, &translated), []);
        assert_eq!(pair(PAGE, &PAGE.replace("# A", "## A")), at(1));
        assert_eq!(pair(PAGE, &format!("{PAGE}## more")), at(0));
        assert_eq!(pair(PAGE, &format!("{PAGE}| 3 | 4 |")), at(11));
        let block = |lines: &str| format!("{PAGE}\n```sh\n{lines}\n```\n");
        assert_eq!(pair(&block("just test"), &block("just test x")), at(15));
        assert_eq!(pair(&block("# only a remark"), &block("# 说明")), []);
        let drawing = |words: &str| format!("{PAGE}\n```text\n{words}\n```\n");
        assert_eq!(pair(&drawing("phone ─▶ bot"), &drawing("手机 ─▶ 机器人")), []);
    }

    #[test]
    fn a_missing_promise_or_readme_is_found() {
        let without = PAGE.replace("cargo test --workspace", "cargo test");
        assert_eq!(pair(&without, &without).len(), 2);
        assert_eq!(found(readmes, &[(ENGLISH, PAGE)]).len(), 1);
    }

    #[test]
    fn dead_links_are_found() {
        let check =
            |text: &str| found(links, &[("docs/a.md", text), ("docs/b.md", ""), ("LICENSE", "")]);
        let none: [(String, usize); 0] = [];
        assert_eq!(
            check("[b](b.md#c) [l](../LICENSE) [w](https://a.b/c) [h](#x) [d](../docs)"),
            none
        );
        assert_eq!(check("ok\n[c](c.md)"), [("docs/a.md".to_owned(), 2)]);
        assert_eq!(check("![picture](../b.md \"title\")"), [("docs/a.md".to_owned(), 1)]);
    }

    #[test]
    fn traces_of_a_machine_are_found() {
        let check = |text: &str| found(machine_traces, &[("a.sh", text)]).len();
        for trace in MACHINES.iter().chain(&REGISTRIES) {
            assert_eq!(check(&format!("cd {trace}x")), 1, "{trace}");
        }
        assert_eq!(
            check(&format!("net{}x ~{}y https://a.b{}z", MACHINES[4], MACHINES[0], MACHINES[4])),
            0
        );
        let lock = format!("source = \"{}\"", REGISTRIES[2]);
        assert_eq!(found(machine_traces, &[("Cargo.lock", &lock)]).len(), 0);
    }

    #[test]
    fn addresses_and_banned_crates_in_lock_files_are_found() {
        let npm = |text: &str| found(lock_files, &[("web/package-lock.json", text)]).len();
        assert_eq!(npm("  \"resolved\": \"https://a.b/c.tgz\","), 1);
        assert_eq!(npm("  \"x\": \"git+ssh://a.b/c\","), 1);
        assert_eq!(npm("  \"integrity\": \"sha512-x\",\n  \"url\": \"https://a.b/donate\""), 0);
        let cargo = |text: &str| found(lock_files, &[("Cargo.lock", text)]).len();
        for name in BANNED {
            assert_eq!(cargo(&format!("[[package]]\nname = \"{name}\"")), 1);
        }
        assert_eq!(cargo("source = \"git+https://a.b/c\""), 1);
        assert_eq!(
            cargo(
                "name = \"native-tls-x\"\n \"native-tls\",\nsource = \"registry+https://x/crates.io-index\""
            ),
            0
        );
    }
}
