//! `hongyan backup`: from a conversation through a file to its going on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backend::{Backend, Credentials, User};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::model::Model;
use crate::program::{GatewayProcess, log_in, says};

struct Scene {
    _backend: Backend,
    alice: User,
    bot: Credentials,
    model: Model,
    /// State folder, files, passphrase.
    dir: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let backend = Backend::start().await;
        let alice = backend.user("alice").await;
        let bot = backend.bind(&alice).await;
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("state")).unwrap();
        std::fs::write(dir.path().join("passphrase"), "correct horse\n").unwrap();
        log_in(&dir.path().join("state"), &bot);
        std::fs::write(dir.path().join("state/config.json5"), "{ /* mine */ session: {} }")
            .unwrap();
        Self { _backend: backend, alice, bot, model: Model::start().await, dir }
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn gateway(&self) -> GatewayProcess {
        let model = ["--agent", "openai", "--model", "echo", "--base-url", &self.model.base_url];
        GatewayProcess::start(&self.state(), &model)
    }

    /// Types `backup …`; `FILE` stands for the backup.
    fn types(&self, line: &str) -> (Option<i32>, String, String) {
        let at = |name: &str| self.dir.path().join(name).to_str().unwrap().to_owned();
        let words = line.split(' ').map(|word| match word {
            "FILE" => at("file"),
            "PASS" => format!("--passphrase-file={}", at("passphrase")),
            _ => word.to_owned(),
        });
        let words: Vec<_> = ["backup".to_owned()].into_iter().chain(words).collect();
        says(&self.state(), &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn json(&self, line: &str) -> Value {
        let (code, stdout, stderr) = self.types(line);
        assert_eq!(code, Some(0), "{line}: {stderr}");
        serde_json::from_str(&stdout).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("file")
    }
}

/// All files below a folder, with what is in them.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_after_everything_was_lost() {
    let scene = Scene::new().await;
    let gateway = scene.gateway();
    scene.alice.says("one").await;
    assert_eq!(scene.alice.hears().await, "re: one");
    let created = scene.json("create FILE PASS --json");
    assert_eq!((&created["sealed"], &created["leftOut"]), (&json!(true), &json!([])), "{created}");
    let sealed = std::fs::read(scene.file()).unwrap();
    let token = scene.bot.token.expose().as_bytes();
    assert!(!sealed.windows(token.len()).any(|window| window == token));
    gateway.kill();
    std::fs::remove_dir_all(scene.state()).unwrap();

    let sound = scene.json("restore FILE PASS --dry-run --json");
    let account = scene.bot.bot_id.as_str().replace(['@', '.'], "-");
    assert_eq!((&sound["accounts"], &sound["needsForce"]), (&json!([account]), &json!(false)));
    assert!(!scene.state().exists(), "a dry run writes nothing");
    let restored = scene.json("restore FILE PASS --json");
    assert_eq!((&restored["files"], &restored["aside"]), (&created["files"], &Value::Null));
    let config = std::fs::read_to_string(scene.state().join("config.json5")).unwrap();
    assert_eq!(config, "{ /* mine */ session: {} }");
    #[cfg(unix)]
    for path in files(&scene.state()).into_keys() {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o77, 0, "{}", path.display());
    }

    // Once more, by somebody who does not know that it has been done.
    for force in ["", " --force"] {
        let again = scene.json(&format!("restore FILE PASS --json{force}"));
        assert_eq!((&again["already"], &again["aside"]), (&json!(true), &Value::Null), "{again}");
    }
    let (code, _, stderr) = scene.types("restore FILE PASS");
    assert!(code == Some(0) && stderr.contains("is restored already"), "{stderr}");

    let gateway = scene.gateway();
    scene.alice.says("two").await;
    assert_eq!(scene.alice.hears().await, "re: two");
    let (code, stdout, stderr) = says(&scene.state(), &["sessions", "list", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let sessions: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(sessions.as_array().map(Vec::len), Some(1), "one memory, before and after");
    gateway.kill();
    let (code, _, stderr) = scene.types("restore FILE PASS");
    assert!(code == Some(2) && stderr.contains("is not empty"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_there_is_moved_aside_when_it_is_forced() {
    let scene = Scene::new().await;
    scene.json("create FILE PASS --json");
    std::fs::write(scene.state().join("config.json5"), "{}").unwrap();
    let before = files(&scene.state());
    let (code, _, stderr) = scene.types("restore FILE PASS");
    assert_eq!(code, Some(2));
    assert!(stderr.contains("is not empty") && stderr.contains("--force"), "{stderr}");
    let mut after = files(&scene.state());
    after.remove(&scene.state().join("gateway.lock"));
    assert_eq!(after, before);
    assert_eq!(scene.json("restore FILE PASS --dry-run --json")["needsForce"], true);

    let restored = scene.json("restore FILE PASS --force --json");
    let aside = PathBuf::from(restored["aside"].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(aside.join("config.json5")).unwrap(), "{}");
    let config = std::fs::read_to_string(scene.state().join("config.json5")).unwrap();
    assert_eq!(config, "{ /* mine */ session: {} }");
    assert!(aside.join("openclaw-weixin/accounts.json").exists());

    let gateway = scene.gateway().ready(&scene.state());
    let (code, _, stderr) = scene.types("restore FILE PASS --force");
    assert_eq!(code, Some(75), "{stderr}");
    drop(gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_not_as_it_was_written_changes_nothing() {
    let scene = Scene::new().await;
    scene.json("create FILE PASS --json");
    let (code, _, stderr) = scene.types("create FILE PASS");
    assert_eq!(code, Some(2));
    assert!(stderr.contains("exists already"), "{stderr}");
    let whole = std::fs::read(scene.file()).unwrap();
    let before = files(&scene.state());
    let refused = |content: &[u8], kind: i32, why: &str| {
        std::fs::write(scene.file(), content).unwrap();
        let (code, _, stderr) = scene.types("restore FILE PASS --force");
        assert_eq!(code, Some(kind), "{why}: {stderr}");
        assert!(stderr.contains(why), "{why}: {stderr}");
        let mut after = files(&scene.state());
        after.remove(&scene.state().join("gateway.lock"));
        assert_eq!(after, before, "{why}");
    };
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    refused(&changed, 2, "damaged");
    refused(&whole[..whole.len() / 2], 2, "damaged");
    refused(b"PK", 2, "no backup");
    refused(b"{}\n", 2, "no backup");
    std::fs::write(scene.dir.path().join("passphrase"), "incorrect").unwrap();
    refused(&whole, 2, "the passphrase is wrong");
}

/// A plain backup is a `.tar.gz`, so anybody can write one: names that lead
/// elsewhere, files that nobody lists and links are refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_backup_of_a_stranger_leads_nowhere() {
    let scene = Scene::new().await;
    let (code, _, stderr) = scene.types("create FILE --plain");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("not encrypted"), "{stderr}");
    let sound = scene.json("restore FILE --dry-run --json");
    assert_eq!(sound["accounts"].as_array().map(Vec::len), Some(1));
    let before = files(&scene.state());

    let manifest = json!({"hongyan": "backup", "version": 1, "program": "p", "createdAt": "t",
        "withMedia": false, "files": {"a": {"bytes": 1, "sha256": "00"}}});
    let newer = json!({"hongyan": "backup", "version": 2});
    let tells = |manifest: &Value| vec![("manifest.json", manifest.to_string())];
    for (members, code, why) in [
        (vec![("../evil", "x".to_owned())], 2, "leads upwards"),
        (vec![("/evil", "x".to_owned())], 2, "absolute"),
        (vec![("state/a", "x".to_owned())], 2, "no backup"),
        (tells(&manifest), 2, "a is missing"),
        ([tells(&manifest), vec![("state/a", "x".to_owned())]].concat(), 2, "a is not as it was"),
        (tells(&newer), 78, "version 2"),
    ] {
        std::fs::write(scene.file(), archive(&members)).unwrap();
        let (found, _, stderr) = scene.types("restore FILE --force");
        assert_eq!(found, Some(code), "{why}: {stderr}");
        assert!(stderr.contains(why), "{why}: {stderr}");
    }
    let mut after = files(&scene.state());
    after.remove(&scene.state().join("gateway.lock"));
    assert_eq!(after, before);
    assert!(!scene.dir.path().join("evil").exists());
}

fn archive(members: &[(&str, String)]) -> Vec<u8> {
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        // By hand: the writer refuses such names.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        archive.append(&header, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn what_is_not_there_or_not_safe_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (code, _, stderr) = says(&state, &["backup", "create", "x", "--plain"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("does not exist"), "{stderr}");
    std::fs::create_dir(&state).unwrap();
    let file = dir.path().join("x");
    let file = file.to_str().unwrap();
    let (code, _, stderr) = says(&state, &["backup", "create", file]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--passphrase-file"), "nobody is there to ask: {stderr}");
    let (code, ..) = says(&state, &["backup", "restore", file]);
    assert_eq!(code, Some(78), "the file is not there");
}
