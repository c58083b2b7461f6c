//! The channel's section of a configuration.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::AccountId;
use serde_json::{Value, json};
use weixin::ChannelSettings;
use weixin::settings::{Change, SettingsError, Warning, diff};

fn parsed(section: Value) -> ChannelSettings {
    let (settings, warnings) = ChannelSettings::parse(&section).unwrap();
    assert_eq!(warnings, []);
    settings
}

fn account(id: &str) -> AccountId {
    AccountId::from(id)
}

/// Demand 34: one schema, with every field that the official plugin documents.
#[test]
fn every_field_is_in_the_schema_and_every_field_of_the_schema_is_read() {
    let schema = ChannelSettings::schema();
    let known = [
        "accounts",
        "baseUrl",
        "botAgent",
        "cdnBaseUrl",
        "credentialsKeyFile",
        "enabled",
        "name",
        "quoteCache",
        "replyProgressMessages",
        "routeTag",
    ];
    let keys = |object: &Value| -> BTreeSet<String> {
        object["properties"].as_object().unwrap().keys().cloned().collect()
    };
    assert!(keys(&schema).is_superset(&known.map(str::to_owned).into()), "{schema:#}");
    let per_account = keys(&schema["properties"]["accounts"]["additionalProperties"]);
    assert!(per_account.contains("routeTag") && !per_account.contains("credentialsKeyFile"));

    for (key, field) in schema["properties"].as_object().unwrap() {
        assert!(key == "accounts" || !sample(field).is_null(), "{key} has a type");
        let (_, warnings) = ChannelSettings::parse(&json!({ key: sample(field) })).unwrap();
        assert_eq!(warnings, [], "{key}");
    }
}

/// A value that the schema of a field allows.
fn sample(field: &Value) -> Value {
    let kinds = [field["type"].as_str(), field["type"][0].as_str()];
    match kinds.into_iter().flatten().next() {
        Some("boolean") => json!(true),
        Some("integer" | "number") => json!(1),
        Some("string") if field["format"] == "uri" => json!("https://example.org"),
        Some("string") => json!("text"),
        Some("object") => {
            let inner = field["properties"].as_object().cloned().unwrap_or_default();
            inner.iter().map(|(key, field)| (key.clone(), sample(field))).collect()
        }
        _ => Value::Null,
    }
}

/// Demand 34: what is unknown is named with what was perhaps meant, and the
/// rest is used.
#[test]
fn unknown_keys_are_warned_of_with_a_suggestion() {
    let section = json!({
        "routeTga": 7,
        "banana": true,
        "quoteCache": {"enable": false},
        "accounts": {"a-im-bot": {"cdnBaseURL": "https://cdn.example"}},
        "dmPolicy": "pairing",
        "channelConfigUpdatedAt": "2026-11-21T00:00:00Z",
        "name": "mine",
    });
    let (settings, mut warnings) = ChannelSettings::parse(&section).unwrap();
    let warning = |path: &str, suggestion: Option<&str>| Warning {
        path: path.to_owned(),
        suggestion: suggestion.map(str::to_owned),
    };
    warnings.sort_by(|a, b| a.path.cmp(&b.path));
    let expected = [
        warning("accounts.a-im-bot.cdnBaseURL", Some("accounts.a-im-bot.cdnBaseUrl")),
        warning("banana", None),
        warning("quoteCache.enable", Some("quoteCache.enabled")),
        warning("routeTga", Some("routeTag")),
    ];
    assert_eq!(warnings, expected);
    assert_eq!(settings.for_others().name.as_deref(), Some("mine"));
    assert_eq!(
        expected[3].to_string(),
        "routeTga: not known, and ignored; did you mean `routeTag`?"
    );
}

/// Demand 34: a bad value is named with its place and with what would do.
#[test]
fn a_bad_value_names_its_place_and_the_way_out() {
    let cases = [
        (json!({"enabled": "yes"}), "enabled: it must be true or false, and is \"yes\""),
        (
            json!({"accounts": {"a": {"baseUrl": "ftp://x"}}}),
            "accounts.a.baseUrl: it must be an address such as https://example.org, and is \"ftp://x\"",
        ),
        (
            json!({"quoteCache": {"retentionDays": 0}}),
            "quoteCache.retentionDays: it must be a number of days, more than 0 and at most 36500, and is 0",
        ),
        (json!({"quoteCache": 3}), "quoteCache: it must be an object in braces"),
        (json!({"accounts": []}), "accounts: it must be an object in braces"),
        (json!("text"), ": it must be an object in braces"),
    ];
    for (section, expected) in cases {
        let err: SettingsError = ChannelSettings::parse(&section).unwrap_err();
        assert_eq!(err.to_string(), expected);
    }
}

/// Demand 22: an account has its own settings, by its id or its alias.
#[test]
fn an_accounts_own_fields_win_over_the_channels() {
    let settings = parsed(json!({
        "routeTag": 7,
        "botAgent": "Ours/1.0",
        "baseUrl": "https://login.example",
        "quoteCache": {"retentionDays": 0.5, "maxMessagesPerAccount": 5},
        "accounts": {
            "B0F5@im.bot": {"routeTag": "canary", "enabled": false},
            "Work": {"baseUrl": "https://work.example", "quoteCache": {"enabled": false}, "name": null},
        },
    }));
    let first = settings.for_account(&account("b0f5-im-bot"), None);
    assert_eq!((first.route_tag.as_deref(), first.enabled), (Some("canary"), false));
    assert_eq!(first.bot_agent.unwrap().as_str(), "Ours/1.0");
    assert_eq!(first.base_url, None, "the channel's base is where logins begin");
    assert_eq!(first.quotes.retention, Duration::from_secs(43_200));

    let work = settings.for_account(&account("c1d2-im-bot"), Some("work"));
    assert_eq!((work.route_tag.as_deref(), work.enabled), (Some("7"), true));
    assert_eq!(work.base_url.unwrap().as_str(), "https://work.example/");
    assert_eq!((work.quotes.enabled, work.quotes.most_messages), (false, 5));
    assert_eq!(settings.login_url().unwrap().as_str(), "https://login.example/");
}

/// Demand 12: a change restarts only the account that it concerns, and only if
/// its client has to be made anew.
#[test]
fn a_change_concerns_only_the_accounts_that_it_names() {
    let (a, b) = (account("a-im-bot"), account("b-im-bot"));
    let change = |old: Value, new: Value| {
        let both = [(&a, None), (&b, Some("bob"))];
        let changes = diff(&parsed(old), &parsed(new), both);
        (changes[&a], changes[&b])
    };
    let nothing = (Change::Nothing, Change::Nothing);
    assert_eq!(change(json!({}), json!({"enabled": true, "accounts": {}})), nothing);
    let one = json!({"accounts": {"a-im-bot": {"baseUrl": "https://x.example"}}});
    assert_eq!(change(json!({}), one), (Change::Restart, Change::Nothing));
    let by_alias = json!({"accounts": {"Bob": {"routeTag": 1}}});
    assert_eq!(change(json!({}), by_alias), (Change::Nothing, Change::Restart));
    let soft = json!({"replyProgressMessages": false});
    assert_eq!(change(json!({}), soft), (Change::Apply, Change::Apply));
    let overridden = json!({"accounts": {"a-im-bot": {"replyProgressMessages": true}}});
    let mut all_off = overridden.clone();
    all_off["replyProgressMessages"] = json!(false);
    assert_eq!(change(overridden, all_off), (Change::Nothing, Change::Apply));
}
