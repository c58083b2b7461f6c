//! The channel's section of a configuration.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::AccountId;
use serde_json::{Value, json};
use weixin::governor::{Limits, Overflow};
use weixin::settings::{AccountSettings, Change, SettingsError, Warning};
use weixin::{ChannelSettings, Credentials, Settings};

fn parsed(section: Value) -> ChannelSettings {
    let (settings, warnings) = ChannelSettings::parse(&section).unwrap();
    assert_eq!(warnings, []);
    settings
}

/// What holds for an account by a section.
fn resolved(section: Value, id: &str, alias: Option<&str>) -> AccountSettings {
    let mut credentials: Credentials = serde_json::from_value(json!({"token": "t"})).unwrap();
    credentials.alias = alias.map(str::to_owned);
    let mut settings = Settings::new("");
    settings.section = parsed(section);
    settings.for_account(&AccountId::from(id), Some(&credentials))
}

/// Demand 34: one schema, with every field that the official plugin documents.
#[test]
fn every_field_is_in_the_schema_and_every_field_of_the_schema_is_read() {
    let schema = ChannelSettings::schema();
    let keys = |object: &Value| -> BTreeSet<String> {
        object["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let known = [
        "accounts",
        "baseUrl",
        "botAgent",
        "cdnBaseUrl",
        "credentialsKeyFile",
        "enabled",
        "name",
        "quoteCache",
        "receiving",
        "replyProgressMessages",
        "routeTag",
        "sending",
    ];
    assert_eq!(keys(&schema), known.map(str::to_owned).into());
    let per_account = keys(&schema["properties"]["accounts"]["additionalProperties"]);
    assert!(per_account.contains("routeTag") && !per_account.contains("credentialsKeyFile"));

    let fields = leaves(&schema, "");
    assert!(fields.len() > 50, "{fields:?}");
    for (path, field) in fields {
        for value in samples(&field) {
            let section = path.rsplit('.').fold(value, |inner, key| json!({ key: inner }));
            let (settings, warnings) = ChannelSettings::parse(&section).unwrap();
            assert_eq!(warnings, [], "{path}");
            // A checked value fits the structs that it ends up in.
            let settings = Settings { section: settings, ..Settings::new("") };
            drop(settings.for_account(&AccountId::from("a"), None));
        }
    }
}

/// Demand 34: the defaults in the schema are those that hold, and no setting
/// of the structs is missing in it.
#[test]
fn the_schema_the_defaults_and_the_structs_agree() {
    let own = resolved(json!({}), "a", None);
    let mut fields: Vec<_> = leaves(&ChannelSettings::schema(), "");
    fields.retain(|(_, field)| field.get("default").is_some());
    let told: Vec<_> = fields.iter().map(|(path, _)| path.as_str()).collect();
    let mut sending = serde_json::to_value(&own.sending).unwrap();
    let mut receiving = serde_json::to_value(&own.receiving).unwrap();
    let mut held = json!({
        "enabled": own.enabled,
        "replyProgressMessages": sending["replyProgressMessages"].take(),
        "quoteCache": receiving["quoteCache"].take(),
    });
    sending.as_object_mut().unwrap().remove("replyProgressMessages");
    receiving.as_object_mut().unwrap().remove("quoteCache");
    (held["sending"], held["receiving"]) = (sending, receiving);

    let mut flat = Vec::new();
    flatten(&held, "", &mut flat);
    for (path, value) in &flat {
        let field = fields.iter().find(|(known, _)| known == path);
        let (_, field) = field.unwrap_or_else(|| panic!("{path} has no default in {told:?}"));
        assert_eq!(field["default"], *value, "{path}");
    }
    assert_eq!(flat.len(), fields.len());
}

/// The table of the manual is this one.
#[test]
fn the_manual_lists_every_setting_as_it_is() {
    let manual = include_str!("../../../../docs/settings.md");
    let schema = ChannelSettings::schema();
    let per_account = leaves(&schema["properties"]["accounts"]["additionalProperties"], "");
    let is_per_account = |path: &str| per_account.iter().any(|(known, _)| known == path);
    let row = |(path, field): &(String, Value)| {
        let default = field.get("default").map_or("none".to_owned(), |it| format!("`{it}`"));
        let applied = match applied(path, field) {
            _ if path == "credentialsKeyFile" => "at the next start of the program",
            Change::Restart => "restart",
            Change::Apply | Change::Nothing => "at once",
        };
        let only = if is_per_account(path) { "" } else { ", channel only" };
        let meaning = field["description"].as_str().unwrap();
        format!("| `{path}` | {default} | {applied}{only} | {meaning} |\n")
    };
    let table: String = leaves(&schema, "").iter().map(row).collect();
    assert!(manual.ends_with(&table), "docs/settings.md must end with:\n{table}");
}

/// How a change of one setting is applied to an account.
fn applied(path: &str, field: &Value) -> Change {
    let with = |value| path.rsplit('.').fold(value, |inner, key| json!({ key: inner }));
    let changes = samples(field).into_iter().map(|value| {
        let before = resolved(json!({}), "a", None);
        Change::between(&before, &resolved(with(value), "a", None))
    });
    changes.max_by_key(|change| *change == Change::Restart).unwrap()
}

/// All fields below a schema, by path.
fn leaves(schema: &Value, at: &str) -> Vec<(String, Value)> {
    let node =
        if schema["anyOf"][0]["properties"].is_object() { &schema["anyOf"][0] } else { schema };
    let Some(properties) = node["properties"].as_object() else {
        return vec![(at.trim_end_matches('.').to_owned(), schema.clone())];
    };
    let fields = properties.iter().filter(|(key, _)| *key != "accounts");
    fields.flat_map(|(key, field)| leaves(field, &format!("{at}{key}."))).collect()
}

/// All values below an object, by path; lists are values, and `null` is no limit.
fn flatten(value: &Value, at: &str, into: &mut Vec<(String, Value)>) {
    if let Some(fields) = value.as_object() {
        fields.iter().for_each(|(key, field)| flatten(field, &format!("{at}{key}."), into));
        return;
    }
    let value = if value.is_null() { json!(false) } else { value.clone() };
    into.push((at.trim_end_matches('.').to_owned(), value));
}

/// Values that the schema of a field allows: the least and the most.
fn samples(field: &Value) -> Vec<Value> {
    if let Some(forms) = field["anyOf"].as_array() {
        return forms.iter().flat_map(samples).collect();
    }
    if let Some(words) = field["enum"].as_array() {
        return words.clone();
    }
    if field.get("const").is_some() {
        return vec![field["const"].clone()];
    }
    let kinds = [field["type"].as_str(), field["type"][0].as_str()];
    match kinds.into_iter().flatten().next().unwrap() {
        "boolean" => vec![json!(true), json!(false)],
        "integer" => vec![field["minimum"].clone(), field["maximum"].clone()],
        "number" => vec![json!(0.001), field["maximum"].clone()],
        "string" if field["format"] == "uri" => vec![json!("https://example.org")],
        "string" => vec![json!("Text/1.0")],
        // Their items are tested one by one.
        "array" => vec![json!([])],
        other => panic!("{other}"),
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
        "sending": {"limit": {"paceMs": 1}, "ttl": {"answers": 1}},
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
        warning("sending.limit", Some("sending.limits")),
        warning("sending.ttl.answers", Some("sending.ttl.answerMs")),
    ];
    assert_eq!(warnings, expected);
    let settings = Settings { section: settings, ..Settings::new("") };
    assert_eq!(settings.for_account(&"a".into(), None).name.as_deref(), Some("mine"));
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
        (
            json!({"sending": {"limits": "tencnet"}}),
            "sending.limits: it must be one of auto, tencent, open, and is \"tencnet\"",
        ),
        (
            json!({"sending": {"limits": {"burst": 3}}}),
            "sending.limits.burst: it must be an object in braces, or false for none, and is 3",
        ),
        (
            json!({"sending": {"limits": {"dailyCap": 0}}}),
            "sending.limits.dailyCap: it must be a whole number from 1 to 4294967295, or false for no limit, and is 0",
        ),
        (
            json!({"sending": {"mediaRoots": ["pictures"]}}),
            "sending.mediaRoots: it must be a list of whole paths in brackets, and is [\"pictures\"]",
        ),
        (
            json!({"sending": {"mediaNetworks": ["10.0.0.0/99"]}}),
            "sending.mediaNetworks: it must be a list of networks such as 10.0.0.0/8 in brackets, and is [\"10.0.0.0/99\"]",
        ),
        (
            json!({"accounts": {"a": {"receiving": {"merge": {"mediaWaitMs": -1}}}}}),
            "accounts.a.receiving.merge.mediaWaitMs: it must be a whole number of milliseconds, at most 1125899906842624, and is -1",
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
    let section = json!({
        "routeTag": 7,
        "botAgent": "Ours/1.0",
        "baseUrl": "https://login.example",
        "quoteCache": {"retentionDays": 0.5, "maxMessagesPerAccount": 5},
        "receiving": {"merge": {"whileBusy": false}},
        "accounts": {
            "B0F5@im.bot": {"routeTag": "canary", "enabled": false},
            "Work": {
                "baseUrl": "https://work.example",
                "name": null,
                "quoteCache": {"enabled": false},
                "receiving": {"merge": {"mediaWaitMs": 5}},
            },
        },
    });
    let first = resolved(section.clone(), "b0f5-im-bot", None);
    assert_eq!((first.route_tag.as_deref(), first.enabled), (Some("canary"), false));
    assert_eq!(first.bot_agent.as_str(), "Ours/1.0");
    assert_eq!(first.receiving.quote_cache.retention, Duration::from_secs(43_200));

    let work = resolved(section.clone(), "c1d2-im-bot", Some("work"));
    assert_eq!((work.route_tag.as_deref(), work.enabled), (Some("7"), true));
    assert_eq!(work.base_url.unwrap().as_str(), "https://work.example/");
    let quotes = work.receiving.quote_cache;
    assert_eq!((quotes.enabled, quotes.max_messages_per_account), (false, 5));
    let merge = work.receiving.merge;
    assert_eq!((merge.while_busy, merge.media_wait), (false, Duration::from_millis(5)));
    assert_eq!(work.name.as_deref(), Some("work"));

    // The channel's base is where logins begin, and moves no account.
    let mut settings = Settings::new("");
    settings.section = parsed(section);
    let issued = json!({"token": "t", "baseUrl": "https://issued.example"});
    let issued: Credentials = serde_json::from_value(issued).unwrap();
    let others = settings.for_account(&"d-im-bot".into(), Some(&issued));
    assert_eq!(others.base_url.unwrap().as_str(), "https://issued.example/");
    assert_eq!(settings.section.login_url().unwrap().as_str(), "https://login.example/");
}

/// Tencent's numbers are not for a backend of one's own, unless it is said so.
#[test]
fn limits_fit_the_api_and_can_be_set_as_a_whole_or_one_by_one() {
    let ours = "https://ours.example";
    let tencents = "https://other.weixin.qq.com";
    let limits = |api: &str, limits: Value| {
        let section = json!({"baseUrl": api, "sending": {"limits": limits}});
        Limits { is_unchosen: false, ..resolved(section, "a", None).sending.limits }
    };
    assert_eq!(limits(ours, json!(null)), Limits::open());
    assert_eq!(limits(tencents, json!({})), Limits::tencent());
    assert_eq!(limits("https://qq.com.example", json!({})), Limits::open());
    assert_eq!(limits(ours, json!("tencent")), Limits::tencent());
    assert_eq!(limits(tencents, json!("open")), Limits::open());
    assert_eq!(limits(ours, json!({"preset": "tencent", "windowMs": false})), {
        Limits { window: None, ..Limits::tencent() }
    });
    assert_eq!(limits(tencents, json!({"burst": false, "overflow": "park"})), {
        Limits { burst: None, overflow: Overflow::Park, ..Limits::tencent() }
    });
    let burst = limits(ours, json!({"burst": {"sends": 3}, "dailyCap": 9}));
    assert_eq!((burst.burst.unwrap().sends, burst.daily_cap), (3, Some(9)));

    // An account's words stand over the channel's.
    let section = json!({
        "sending": {"limits": {"preset": "open", "paceMs": 7, "burst": false}},
        "accounts": {"a": {"sending": {"limits": {"preset": "tencent", "burst": {"spare": 1}}}}},
    });
    let own = resolved(section, "a", None).sending.limits;
    assert_eq!((own.window, own.pace), (Limits::tencent().window, Duration::from_millis(7)));
    assert_eq!(own.burst.unwrap().spare, 1);
}

/// Demand 12: a change restarts only the account that it concerns, and only if
/// its client has to be made anew.
#[test]
fn a_change_concerns_only_the_accounts_that_it_names() {
    let change = |old: Value, new: Value| {
        let one = |id, alias| {
            let old = resolved(old.clone(), id, alias);
            Change::between(&old, &resolved(new.clone(), id, alias))
        };
        (one("a-im-bot", None), one("b-im-bot", Some("bob")))
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
