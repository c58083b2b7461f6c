//! The official plugin's files, read and written.

use std::collections::BTreeMap;
use std::path::Path;

use contract::AccountId;
use ilink::{BotToken, UserId};
use weixin::{Credentials, CredentialsError, Registry};

fn credentials(token: &str, user: &str) -> Credentials {
    Credentials {
        token: BotToken::new(token),
        saved_at: "2026-11-21T00:00:00.000Z".to_owned(),
        base_url: Some("http://127.0.0.1:18080".parse().unwrap()),
        user_id: Some(UserId::from(user)),
        alias: None,
        disabled: false,
        other: BTreeMap::new(),
    }
}

fn ids(names: &[&str]) -> Vec<AccountId> {
    names.iter().map(|&name| AccountId::from(name)).collect()
}

#[test]
fn the_official_plugins_own_files_are_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/state");
    let registry = Registry::new(golden);
    assert_eq!(registry.accounts().unwrap(), ids(&["acct0000-im-bot"]));
    let found = registry.load(&AccountId::from("acct0000-im-bot")).unwrap().unwrap();
    assert_eq!(found, credentials("tok-0000", "user0001@im.wechat"));
}

#[test]
fn what_is_written_has_the_official_form() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    let account = AccountId::from("acct0000-im-bot");
    registry.save(&account, &credentials("tok-0000", "user0001@im.wechat")).unwrap();

    let text = |path: &str| std::fs::read_to_string(dir.path().join(path)).unwrap();
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let official = include_str!("../golden/state/accounts/acct0000-im-bot.json");
    let mut official = json(official);
    // The one field whose form a URL type changes: it ends in a slash.
    official["baseUrl"] = "http://127.0.0.1:18080/".into();
    assert_eq!(json(&text("accounts/acct0000-im-bot.json")), official);
    assert_eq!(json(&text("accounts.json")), json(include_str!("../golden/state/accounts.json")));
}

#[test]
fn fields_of_other_versions_survive() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    let account = AccountId::from("a-im-bot");
    registry.save(&account, &credentials("t", "u")).unwrap();
    let path = dir.path().join("accounts/a-im-bot.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen('{', r#"{"newer":{"n":18446744073709551615},"#, 1))
        .unwrap();

    let found = registry.load(&account).unwrap().unwrap();
    registry.save(&account, &found).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().contains("18446744073709551615"));
}

#[test]
fn a_newer_login_of_the_same_person_replaces_the_older_one_and_keeps_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    let save = |account: &str, token: &str, user: &str| {
        registry.save(&AccountId::from(account), &credentials(token, user)).unwrap()
    };
    save("first-im-bot", "t1", "alice");
    save("other-im-bot", "t2", "bob");
    assert_eq!(save("second-im-bot", "t3", "alice"), ids(&["first-im-bot"]));

    assert_eq!(registry.accounts().unwrap(), ids(&["other-im-bot", "second-im-bot"]));
    assert!(dir.path().join("accounts/replaced/first-im-bot.json").exists());
    let tokens = registry.tokens().unwrap();
    assert_eq!(tokens, [BotToken::new("t3"), BotToken::new("t2")], "the newest first");
}

#[test]
fn a_damaged_file_is_named_and_does_not_hide_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    registry.save(&AccountId::from("bad-im-bot"), &credentials("t1", "alice")).unwrap();
    registry.save(&AccountId::from("good-im-bot"), &credentials("t2", "bob")).unwrap();
    std::fs::write(dir.path().join("accounts/bad-im-bot.json"), "{\"token\":").unwrap();

    let err = registry.load(&AccountId::from("bad-im-bot")).unwrap_err();
    assert!(matches!(err, CredentialsError::Damaged { .. }));
    assert!(err.to_string().contains("bad-im-bot.json"), "{err}");
    assert_eq!(registry.tokens().unwrap(), [BotToken::new("t2")]);
}

#[test]
fn an_account_id_cannot_name_a_file_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path().join("inner"));
    std::fs::write(dir.path().join("secret.json"), r#"{"token":"t"}"#).unwrap();
    let outside = AccountId::from("../../secret");
    assert_eq!(registry.load(&outside).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("inner");
    Registry::new(&inner).save(&AccountId::from("a-im-bot"), &credentials("t", "u")).unwrap();
    let mode = |path: &str| inner.join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("accounts")], [0o700, 0o700]);
    assert_eq!([mode("accounts.json"), mode("accounts/a-im-bot.json")], [0o600, 0o600]);
}
