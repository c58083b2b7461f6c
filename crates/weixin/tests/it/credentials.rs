//! The official plugin's files, read and written.

use std::collections::BTreeMap;
use std::path::Path;

use contract::AccountId;
use ilink::{BotToken, UserId};
use weixin::{Credentials, CredentialsError, NameError, Registry, StoreKey};

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
    for name in ["accounts/bad-im-bot.json", "accounts/bad-im-bot.json.bak"] {
        std::fs::write(dir.path().join(name), "{\"token\":").unwrap();
    }

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

/// Demand 38: a broken file is replaced by its copy.
#[test]
fn a_truncated_file_gives_way_to_its_copy() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    let account = AccountId::from("a-im-bot");
    let saved = credentials("t1", "alice");
    registry.save(&account, &saved).unwrap();
    let breaks: [&dyn Fn(&Path); 3] = [
        &|file| std::fs::write(file, "").unwrap(),
        &|file| std::fs::write(file, "{\"token\":").unwrap(),
        &|file| std::fs::remove_file(file).unwrap(),
    ];
    for damage in breaks {
        damage(&dir.path().join("accounts/a-im-bot.json"));
        damage(&dir.path().join("accounts.json"));
        let entry = registry.entries().unwrap().pop().unwrap();
        assert_eq!((entry.account, entry.from_copy), (account.clone(), true));
        assert_eq!(entry.credentials.unwrap().unwrap(), saved);

        // The next change writes both files anew.
        registry.rename(&account, Some("mended")).unwrap();
        registry.rename(&account, None).unwrap();
        assert!(!registry.entries().unwrap().pop().unwrap().from_copy);
    }
}

/// Demand 38: whatever a kill leaves of a write, the old state or the new one is
/// read, and the rubbish goes with the next write.
#[test]
fn every_state_that_a_kill_can_leave_is_whole() {
    let account = AccountId::from("a-im-bot");
    let (old, new) = (credentials("t1", "alice"), credentials("t2", "alice"));
    let text = |credentials: &Credentials| serde_json::to_string(credentials).unwrap();
    // After each step of a write: the unfinished file, the file, its copy.
    let states = [
        (Some(&text(&new)[..9]), &old, Some(text(&old))),
        (Some(&text(&new)[..]), &old, Some(text(&old))),
        (None, &new, Some(text(&old))),
        (Some(&text(&new)[..9]), &new, Some(text(&old))),
        (None, &new, Some(text(&new)[..9].to_owned())),
        (None, &new, None),
    ];
    for (n, (unfinished, file, copy)) in states.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(dir.path());
        registry.save(&account, &old).unwrap();
        let at = |name: &str| dir.path().join("accounts").join(name);
        std::fs::write(at("a-im-bot.json"), text(file)).unwrap();
        match copy {
            Some(copy) => std::fs::write(at("a-im-bot.json.bak"), copy).unwrap(),
            None => std::fs::remove_file(at("a-im-bot.json.bak")).unwrap(),
        }
        if let Some(unfinished) = unfinished {
            std::fs::write(at(".accounts.json.new"), unfinished).unwrap();
        }
        assert_eq!(registry.load(&account).unwrap().as_ref(), Some(file), "state {n}");
        registry.save(&account, &new).unwrap();
        assert_eq!(registry.load(&account).unwrap().as_ref(), Some(&new), "state {n}");
        assert!(!at(".accounts.json.new").exists(), "state {n}");
    }
}

/// Demands 22 and 55: an account is found by whatever a person calls it.
#[test]
fn an_account_is_found_by_its_id_its_name_its_bot_or_a_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    let (first, second) = (AccountId::from("b0f51111-im-bot"), AccountId::from("b0f52222-im-bot"));
    registry.save(&first, &credentials("t1", "alice")).unwrap();
    registry.save(&second, &credentials("t2", "bob")).unwrap();
    registry.rename(&first, Some(" 工作 Work ")).unwrap();

    for name in ["b0f51111-im-bot", "工作 work", "B0F51111@im.bot", "b0f51"] {
        assert_eq!(registry.find(name).unwrap(), first, "{name}");
    }
    let ambiguous = registry.find("b0f5").unwrap_err();
    assert!(matches!(ambiguous, NameError::Ambiguous { ref among, .. } if among.len() == 2));
    let unknown = registry.find("home").unwrap_err().to_string();
    assert!(unknown.contains("b0f51111-im-bot (工作 Work)"), "{unknown}");

    let refused = |name: &str| registry.rename(&second, Some(name)).unwrap_err();
    assert!(matches!(refused("工作 WORK"), NameError::Taken { account, .. } if account == first));
    assert!(matches!(refused("B0F51111-im-bot"), NameError::Taken { .. }));
    for name in ["", "a/b", "line\nbreak", &"x".repeat(65)] {
        assert!(matches!(refused(name), NameError::Unusable { .. }), "{name:?}");
    }
}

/// Demand 22: a name belongs to a person's account, whichever bot it is now.
#[test]
fn a_name_outlives_a_new_login_of_the_same_person() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    registry.save(&AccountId::from("first-im-bot"), &credentials("t1", "alice")).unwrap();
    registry.rename(&AccountId::from("first-im-bot"), Some("work")).unwrap();
    registry.save(&AccountId::from("second-im-bot"), &credentials("t2", "alice")).unwrap();
    assert_eq!(registry.find("work").unwrap(), AccountId::from("second-im-bot"));
}

/// Demand 38: with a key, what lies on disk is sealed, and no other key opens it.
#[test]
fn sealed_credentials_open_with_their_key_only() {
    let dir = tempfile::tempdir().unwrap();
    let key = |digit: &str| {
        let file = dir.path().join(digit);
        std::fs::write(&file, digit.repeat(64)).unwrap();
        Some(StoreKey::read(&file).unwrap())
    };
    let open = Registry::new(dir.path());
    let sealed = Registry::new(dir.path()).with_key(key("1"));
    let account = AccountId::from("a-im-bot");
    let saved = credentials("canary", "alice");
    open.save(&account, &saved).unwrap();
    let on_disk = |suffix: &str| {
        std::fs::read_to_string(dir.path().join(format!("accounts/a-im-bot.json{suffix}"))).unwrap()
    };
    assert!(on_disk("").contains("canary"));
    assert_eq!(sealed.load(&account).unwrap().as_ref(), Some(&saved), "what is open is read");

    assert_eq!(sealed.rewrite(true).unwrap(), 1);
    assert!(!on_disk("").contains("canary") && !on_disk(".bak").contains("canary"));
    assert_eq!(sealed.load(&account).unwrap().as_ref(), Some(&saved));
    assert!(matches!(open.load(&account), Err(CredentialsError::Sealed { .. })));
    let other = Registry::new(dir.path()).with_key(key("2"));
    assert!(matches!(other.load(&account), Err(CredentialsError::WrongKey { .. })));

    assert_eq!(sealed.rewrite(false).unwrap(), 1);
    assert_eq!(open.load(&account).unwrap(), Some(saved));
}

/// Demand 12: two processes that change the accounts at once lose nothing.
#[test]
fn changes_at_the_same_time_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let registry = Registry::new(dir.path());
            scope.spawn(move || {
                let user = format!("user{n}");
                registry
                    .save(&AccountId::new(format!("{n}-im-bot")), &credentials("t", &user))
                    .unwrap();
            });
        }
    });
    let mut accounts = Registry::new(dir.path()).accounts().unwrap();
    accounts.sort();
    assert_eq!(accounts, (0..8).map(|n| AccountId::new(format!("{n}-im-bot"))).collect::<Vec<_>>());
}
