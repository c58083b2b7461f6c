//! What a crate may lean on.

use super::rust::Rust;
use super::tree::{File, Finding, Tree};

/// Each crate, what it may depend on of ours, and what its tests may besides.
const EDGES: [(&str, &[&str], &[&str]); 15] = [
    ("wholefile", &[], &[]),
    ("config", &["wholefile"], &[]),
    ("ledger", &[], &[]),
    ("lockfile", &[], &[]),
    ("ilink", &[], &[]),
    ("silk", &[], &[]),
    ("prose", &[], &[]),
    ("mediafile", &[], &[]),
    ("tasks", &[], &[]),
    ("contract", &["tasks"], &[]),
    ("plugins", &["contract", "config", "lockfile", "tasks", "wholefile"], &[]),
    (
        "weixin",
        &[
            "ilink",
            "contract",
            "ledger",
            "lockfile",
            "silk",
            "prose",
            "mediafile",
            "tasks",
            "wholefile",
        ],
        &["backend"],
    ),
    ("gateway", &["contract", "config", "ledger", "lockfile", "tasks", "wholefile"], &[]),
    ("backend", &["ilink", "ledger", "wholefile"], &[]),
    (
        "hongyan",
        &[
            "config",
            "ledger",
            "lockfile",
            "ilink",
            "contract",
            "plugins",
            "weixin",
            "gateway",
            "backend",
            "wholefile",
        ],
        &[],
    ),
];

/// What only the client side of `ilink` has; feature unification in a
/// workspace build would hide that the backend uses it.
const CLIENT_SIDE: [&str; 8] = [
    "client",
    "media",
    "login::driver",
    "Client",
    "ClientError",
    "Endpoints",
    "Identity",
    "Recovery",
];

/// Words that the host's side must not know.
const CHANNEL_WORDS: [&str; 4] = ["wechat", "weixin", "ilink", "微信"];

/// The edges between our crates are those of the table, no others.
pub(super) fn edges(tree: &Tree) -> Vec<Finding> {
    manifests(tree).flat_map(|(name, manifest)| crate_edges(name, manifest)).collect()
}

fn crate_edges(name: &str, manifest: &File) -> Vec<Finding> {
    let Some((_, normal, dev)) = EDGES.iter().find(|(known, ..)| *known == name) else {
        let what = format!("the crate `{name}` is not in the table of edges");
        return vec![manifest.finding(
            1,
            what,
            "decide what it may lean on: EDGES in tidy/crates.rs",
        )];
    };
    let mut findings = Vec::new();
    for dependency in dependencies(manifest) {
        let ours = EDGES.iter().map(|(known, ..)| *known).find(|known| dependency.names(known));
        let Some(ours) = ours else { continue };
        let allowed = normal.contains(&ours) || (dependency.is_dev && dev.contains(&ours));
        if !allowed {
            let what = format!("`{name}` leans on `{ours}`");
            let way_out = "move the code to a crate that may know both (ARCHITECTURE.md, Rooms)";
            findings.push(manifest.finding(dependency.line, what, way_out));
        }
        if name == "backend" && ours == "ilink" && !dependency.is_dev && dependency.has_client() {
            let what = "the backend takes `ilink` with its client";
            let way_out = "write `ilink = { path = \"../ilink\", default-features = false }`";
            findings.push(manifest.finding(dependency.line, what, way_out));
        }
    }
    findings
}

/// Every crate takes its lints from the workspace.
pub(super) fn shared_lints(tree: &Tree) -> Vec<Finding> {
    let shares = |file: &File| {
        let mut lines = file.text.lines().skip_while(|line| line.trim() != "[lints]");
        lines.nth(1).is_some_and(|line| line.trim() == "workspace = true")
    };
    manifests(tree)
        .filter(|(_, manifest)| !shares(manifest))
        .map(|(_, file)| {
            file.finding(0, "has lints of its own", "write `[lints]`, `workspace = true`")
        })
        .collect()
}

/// The backend must not lean on its own client, or both could share a mistake.
pub(super) fn backend_without_client(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust("crates/backend/src/") {
        for (line, path) in Rust::read(&file.text).paths_into("ilink") {
            let is_banned = |banned: &&str| {
                path.strip_prefix(*banned)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            };
            if path == "*" || CLIENT_SIDE.iter().any(is_banned) {
                let what = format!("the backend uses `ilink::{path}`");
                let way_out = "use the wire types, ids, codes and the cipher only, each by name";
                findings.push(file.finding(line, what, way_out));
            }
        }
    }
    findings
}

/// The rooms of the host, and those that serve any host.
const AGNOSTIC: [&str; 8] =
    ["gateway", "contract", "config", "plugins", "lockfile", "tasks", "ledger", "mediafile"];

/// They do not mention any channel, not in comments either.
pub(super) fn channel_agnostic(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_agnostic = |file: &&File| {
        let room = file.path.strip_prefix("crates/").and_then(|path| path.split('/').next());
        room.is_some_and(|room| AGNOSTIC.contains(&room))
    };
    for file in tree.files.iter().filter(is_agnostic) {
        for (number, line) in file.lines() {
            let lower = line.to_lowercase();
            for word in CHANNEL_WORDS.iter().filter(|word| lower.contains(**word)) {
                let what = format!("mentions `{word}`");
                let way_out =
                    "say `channel`, `backend` or `peer`: any channel must be able to speak here";
                findings.push(file.finding(number, what, way_out));
            }
        }
    }
    findings
}

fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, &File)> {
    tree.files.iter().filter_map(|file| {
        let name = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
        (!name.contains('/')).then_some((name, file))
    })
}

/// One line of a manifest that names a dependency.
struct Dependency<'a> {
    line: usize,
    /// What stands before the first dot or equals sign.
    key: &'a str,
    /// The rest.
    value: &'a str,
    is_dev: bool,
}

impl Dependency<'_> {
    fn names(&self, name: &str) -> bool {
        let renamed = [format!("package = \"{name}\""), format!("path = \"../{name}\"")];
        self.key == name || renamed.iter().any(|text| self.value.contains(text))
    }

    fn has_client(&self) -> bool {
        !self.value.contains("default-features = false") || self.value.contains("\"client\"")
    }
}

/// Reads the sections that list dependencies, one dependency per line.
fn dependencies(manifest: &File) -> Vec<Dependency<'_>> {
    let mut section = "";
    let mut found = Vec::new();
    for (number, line) in manifest.lines() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            // `[dependencies.x]` names one, and what follows belongs to it.
            let Some((kind, key)) = section.rsplit_once('.') else {
                continue;
            };
            if let Some(is_dev) = lists_dependencies(kind) {
                found.push(Dependency { line: number, key, value: "", is_dev });
            }
        } else if let Some(is_dev) = lists_dependencies(section)
            && let Some(end) = line.find(['.', '=', ' '])
            && !line.starts_with('#')
        {
            let (key, value) = line.split_at(end);
            found.push(Dependency { line: number, key: key.trim_matches('"'), value, is_dev });
        }
    }
    found
}

/// Whether a section lists dependencies, and if so whether only for tests.
fn lists_dependencies(section: &str) -> Option<bool> {
    let kind = section.rsplit('.').next().unwrap_or(section);
    match kind {
        "dependencies" | "build-dependencies" => Some(false),
        "dev-dependencies" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        found(rule, &[(path, text)]).into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn an_edge_outside_the_table_is_found_however_it_is_written() {
        let gateway = |text: &str| lines(edges, "crates/gateway/Cargo.toml", text);
        assert_eq!(gateway("[dependencies]\nserde.workspace = true\nweixin.workspace = true"), [3]);
        assert_eq!(gateway("[dependencies]\nx = { path = \"../weixin\" }"), [2]);
        assert_eq!(gateway("[dependencies]\nx = { package = \"ilink\", version = \"1\" }"), [2]);
        assert_eq!(gateway("[dependencies.weixin]\nworkspace = true"), [1]);
        assert_eq!(gateway("[target.'cfg(unix)'.dependencies]\nweixin = \"1\""), [2]);
        assert_eq!(gateway("[dev-dependencies]\nbackend.workspace = true"), [2]);
        assert_eq!(gateway("[build-dependencies]\nilink.workspace = true"), [2]);
        assert_eq!(gateway("[dependencies]\ncontract.workspace = true\n# weixin = 1"), [0; 0]);
        assert_eq!(gateway("[features]\nweixin = []"), [0; 0]);
    }

    #[test]
    fn tests_may_lean_on_more_but_only_tests() {
        let weixin = |text: &str| lines(edges, "crates/weixin/Cargo.toml", text);
        assert_eq!(weixin("[dev-dependencies]\nbackend.workspace = true"), [0; 0]);
        assert_eq!(weixin("[dependencies]\nbackend.workspace = true"), [2]);
    }

    #[test]
    fn a_new_crate_must_be_entered_in_the_table() {
        assert_eq!(lines(edges, "crates/new/Cargo.toml", "[package]"), [1]);
    }

    #[test]
    fn the_backend_takes_no_client_along() {
        let backend = |text: &str| lines(edges, "crates/backend/Cargo.toml", text);
        let path = "[dependencies]\nilink = { path = \"../ilink\", default-features = false";
        assert_eq!(backend(&format!("{path} }}")), [0; 0]);
        assert_eq!(backend(&format!("{path}, features = [\"client\"] }}")), [2]);
        assert_eq!(backend("[dependencies]\nilink.workspace = true"), [2]);
        assert_eq!(backend("[dev-dependencies]\nilink.workspace = true"), [0; 0]);
    }

    #[test]
    fn the_client_is_found_in_every_way_to_import_it() {
        let src = |text: &str| lines(backend_without_client, "crates/backend/src/api.rs", text);
        assert_eq!(src("use ilink::client::Http;"), [1]);
        assert_eq!(
            src("use ilink::{\n    wire,\n    login::{Step, driver::run},\n    Client,\n};"),
            [3, 4]
        );
        assert_eq!(src("fn f() -> ilink::Recovery {}"), [1]);
        assert_eq!(src("use ilink::*;"), [1]);
        assert_eq!(src("use ilink as x;"), [1]);
        assert_eq!(src("use ilink::{Code as Client, ClientId, wire::{self, Media}};"), [0; 0]);
        assert_eq!(src("// see ilink::client\nuse ilink::cipher::Encryptor;"), [0; 0]);
    }

    #[test]
    fn a_channel_is_found_in_comments_too() {
        let rule = channel_agnostic;
        assert_eq!(lines(rule, "crates/gateway/src/a.rs", "ok\n// like WeChat"), [2]);
        assert_eq!(lines(rule, "crates/contract/src/a.rs", "struct ILinkId;"), [1]);
        assert_eq!(lines(rule, "crates/gateway/Cargo.toml", "weixin = 1"), [1]);
        assert_eq!(lines(rule, "crates/weixin/src/a.rs", "// WeChat"), [0; 0]);
    }

    #[test]
    fn lints_of_its_own_are_found() {
        let path = "crates/ilink/Cargo.toml";
        assert_eq!(lines(shared_lints, path, "[lints.rust]\nunsafe_code = \"warn\""), [0]);
        assert_eq!(lines(shared_lints, path, "[lints]\nworkspace = true"), [0; 0]);
    }
}
