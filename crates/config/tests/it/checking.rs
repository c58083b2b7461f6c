//! Which sections can be used.

use config::{REDACTED, Schema, redacted};
use serde_json::{Value, json};

use crate::folder::{Folder, path};

fn schema() -> Schema {
    let section = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$"},
            "limit": {"anyOf": [{"type": "integer", "minimum": 1}, {"const": false}]},
            "peers": {"type": "array", "items": {"$ref": "#/$defs/peer"}},
        },
        "$defs": {"peer": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
    });
    Schema::standard().with_section(&path("channels.tin-can"), section)
}

/// Each issue as `severity section: text`, errors first.
fn found(text: &str) -> Vec<String> {
    let loaded = Folder::with(text).file().read().unwrap();
    let checked = schema().check(&loaded);
    let broken = checked.broken.iter().flat_map(|(section, issues)| {
        issues.iter().map(move |issue| format!("error in {section}: {issue}"))
    });
    broken.chain(checked.warnings.iter().map(|issue| format!("warning: {issue}"))).collect()
}

#[test]
fn what_is_right_is_not_spoken_of() {
    let text = "{
        $schema: 'x', meta: {whatever: 1}, tools: {web: 1}, gateway: null,
        channels: {defaults: {a: 1}, 'tin-can': {name: 'a', limit: false, peers: [{id: 'x'}]}},
        plugins: {entries: {p: {enabled: true, config: {x: 1}}}, allow: ['p']},
        session: {dmScope: 'per-peer', reset: {mode: 'daily', atHour: 4}, resetByChannel: {t: {mode: 'none'}}},
        bindings: [{agentId: 'a', match: {channel: 'tin-can', accountId: '*'}}],
        agents: {entries: {main: {model: 'a/b', tools: {}}}},
        models: {providers: {x: {baseUrl: 'http://x', apiKey: 'k', extra: 1}}},
        messages: {queue: {mode: 'collect', byChannel: {t: 'steer'}}, inbound: {debounceMs: 0}},
        gateway: {mode: 'local', port: 18789, auth: {token: 't'}, reload: {mode: 'off'}},
    }";
    assert_eq!(found(text), [""; 0]);
}

#[test]
fn unknown_keys_are_warned_of_with_what_was_perhaps_meant() {
    let text = "{sesion: 1, session: {dmscope: 'main'}, zzz: 1, channels: {'tincan': {}, 'tin-can': {nam: 'x'}}}";
    let expected = [
        r#"warning: <root>: Unrecognized key: "sesion"; did you mean "session"?"#,
        r#"warning: <root>: Unrecognized key: "zzz""#,
        r#"warning: channels: Unrecognized key: "tincan"; did you mean "tin-can"?"#,
        r#"warning: channels.tin-can: Unrecognized key: "nam"; did you mean "name"?"#,
        r#"warning: session: Unrecognized key: "dmscope"; did you mean "dmScope"?"#,
    ];
    assert_eq!(found(text), expected);
}

#[test]
fn a_wrong_value_breaks_its_section_and_no_other() {
    let text = "{
        gateway: {port: 'x', mode: 'local'},
        session: {dmScope: 'mine'},
        channels: {'tin-can': {name: 'A1', limit: 0, peers: [{}, 7]}},
        bindings: [{agentId: 'a', match: {}}],
        logging: {level: 'info'},
    }";
    let expected = [
        "error in bindings: bindings[0].match.channel: Invalid input: expected string, received undefined",
        "error in channels.tin-can: channels.tin-can.limit: Invalid input: expected integer or false, received number",
        "error in channels.tin-can: channels.tin-can.name: Invalid string: must match pattern /^[a-z]+$/",
        "error in channels.tin-can: channels.tin-can.peers[0].id: Invalid input: expected string, received undefined",
        "error in channels.tin-can: channels.tin-can.peers[1]: Invalid input: expected object, received number",
        "error in gateway: gateway.port: Invalid input: expected integer, received string",
        r#"error in session: session.dmScope: Invalid option: expected one of "main"|"per-peer"|"per-channel-peer"|"per-account-channel-peer""#,
    ];
    assert_eq!(found(text), expected);

    let loaded = Folder::with(text).file().read().unwrap();
    let checked = schema().check(&loaded);
    assert_eq!(
        checked.usable(&loaded.effective),
        json!({"channels": {}, "logging": {"level": "info"}})
    );
    assert!(checked.in_the_way_of(&path("logging.level")).is_empty());
    assert_eq!(checked.in_the_way_of(&path("channels")).len(), 4);
    let place = checked.broken[&path("gateway")][0].place.clone().unwrap();
    assert_eq!((place.line, place.column), (2, 19));
}

#[test]
fn a_secret_that_is_missing_breaks_the_section_that_needs_it() {
    let text = "{gateway: {auth: {token: {source: 'env', id: 'GONE'}}}, hooks: {source: 'env', id: 'GONE'}}";
    let expected = [
        "error in gateway: gateway.auth.token: the secret is missing: the environment variable GONE is not set",
    ];
    assert_eq!(found(text), expected);
    let loaded = Folder::with("{gateway: {auth: {token: '${GONE}'}}}").file().read().unwrap();
    assert!(loaded.missing(&path("gateway.auth.token")).is_some(), "a text that is no secret");
}

#[test]
fn a_plugins_own_section_breaks_alone() {
    let config = json!({"type": "object", "additionalProperties": false, "properties": {"n": {"type": "number"}}});
    let schema = Schema::standard().with_section(&path("plugins.entries.p.config"), config);
    let loaded = Folder::with("{plugins: {entries: {p: {enabled: true, config: {n: 'x', m: 1}}}}}");
    let checked = schema.check(&loaded.file().read().unwrap());
    let broken: Vec<_> = checked.broken.keys().map(ToString::to_string).collect();
    assert_eq!(broken, ["plugins.entries.p.config"]);
    assert_eq!(checked.warnings.len(), 1, "{:?}", checked.warnings);
    assert!(
        schema.knows(&path("plugins.entries.p.enabled")),
        "what holds for all entries still does"
    );
}

#[test]
fn each_keyword_of_the_subset_is_checked() {
    let cases = [
        (json!({"type": ["string", "null"]}), json!("x"), json!(1)),
        (json!({"enum": [1, "a"]}), json!("a"), json!("b")),
        (json!({"const": {"a": 1}}), json!({"a": 1}), json!({"a": 2})),
        (json!({"minimum": 1, "exclusiveMaximum": 3}), json!(2), json!(3)),
        (json!({"maximum": 1, "exclusiveMinimum": -1}), json!(1), json!(-1)),
        (json!({"multipleOf": 0.1}), json!(0.3), json!(0.35)),
        (json!({"type": "integer"}), json!(2.0), json!(2.5)),
        (json!({"minLength": 2}), json!("鸿雁"), json!("a")),
        (json!({"maxLength": 2}), json!("鸿雁"), json!("abc")),
        (json!({"pattern": "^a\\/\\d$"}), json!("a/1"), json!("a/b")),
        (json!({"minItems": 1, "maxItems": 2}), json!([1]), json!([])),
        (json!({"uniqueItems": true}), json!([1, 2]), json!([1, 1])),
        (
            json!({"prefixItems": [{"type": "string"}], "items": {"type": "number"}}),
            json!(["a", 1]),
            json!(["a", "b"]),
        ),
        (json!({"minProperties": 1, "maxProperties": 1}), json!({"a": 1}), json!({})),
        (
            json!({"patternProperties": {"^a": {"type": "number"}}}),
            json!({"ab": 1}),
            json!({"ab": "x"}),
        ),
        (json!({"additionalProperties": {"type": "number"}}), json!({"a": 1}), json!({"a": "x"})),
        (json!({"required": ["a"]}), json!({"a": 1}), json!({"a": null})),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), json!(2), json!(3)),
        (json!({"oneOf": [{"type": "string"}, {"type": "number"}]}), json!(1), json!(true)),
        (json!({"not": {"type": "string"}}), json!(1), json!("a")),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 1}}),
            json!("a"),
            json!(""),
        ),
        (json!({"$ref": "#/$defs/x", "$defs": {"x": {"type": "string"}}}), json!("a"), json!(1)),
        (json!(true), json!(1), json!(null)),
        (json!({"$ref": "#"}), json!(1), json!(null)),
    ];
    for (section, good, bad) in cases {
        let schema = Schema::standard().with_section(&path("channels.c"), section.clone());
        let is_valid = |value: &Value| {
            let text = json!({"channels": {"c": value}}).to_string();
            schema.check(&Folder::with(&text).file().read().unwrap()).is_valid()
        };
        assert!(is_valid(&good), "{section}: {good}");
        // `null` counts as left out.
        assert!(bad.is_null() || !is_valid(&bad), "{section}: {bad}");
    }
}

#[test]
fn paths_are_known_or_not() {
    let schema = schema();
    for (text, is_known) in [
        ("session.dmScope", true),
        ("session.nope", false),
        ("session.dmScope.x", false),
        ("nope", false),
        ("bindings[3].match.peer.id", true),
        ("bindings[3].nope", false),
        ("plugins.entries.anything.config.deep.in", true),
        ("agents.entries.main.anything", true),
        ("channels.tin-can.peers[0].id", true),
        ("channels.other", false),
        ("meta.anything", true),
        ("session.reset.atHour", true),
    ] {
        assert_eq!(schema.knows(&path(text)), is_known, "{text}");
    }
    assert!(schema.keeps_entries(&path("plugins.entries")));
    assert!(!schema.keeps_entries(&path("plugins")));
}

#[test]
fn secrets_are_not_shown() {
    let folder = Folder::with(
        "{gateway: {port: 1, auth: {token: 't', password: '${GONE}'}},
          models: {providers: {x: {apiKey: '${KEY}', headers: {a: 'v'}, baseUrl: '${URL}'}}},
          channels: {c: {botToken: 'b', maxTokens: 7, tokenFile: 'f', name: {source: 'env', id: 'KEY'}}}}",
    );
    let folder = folder.variable("KEY", "k").variable("URL", "http://x");
    let loaded = folder.file().read().unwrap();
    let shown = redacted(&loaded, &schema(), &config::Path::root()).unwrap();
    let expected = json!({
        "gateway": {"port": 1, "auth": {"token": REDACTED, "password": "${GONE}"}},
        "models": {"providers": {"x": {"apiKey": REDACTED, "headers": {"a": REDACTED}, "baseUrl": "http://x"}}},
        "channels": {"c": {"botToken": REDACTED, "maxTokens": 7, "tokenFile": "f", "name": REDACTED}},
    });
    assert_eq!(shown, expected);
}

#[test]
fn each_key_of_the_schema_has_a_description() {
    fn look(at: &str, node: &Value, bare: &mut Vec<String>) {
        if let Some(map) = node.get("properties").and_then(Value::as_object) {
            for (key, schema) in map {
                let at = format!("{at}.{key}");
                if schema.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
                    bare.push(at.clone());
                }
                look(&at, schema, bare);
            }
        }
        for keyword in ["items", "additionalProperties"] {
            if let Some(schema) = node.get(keyword) {
                look(&format!("{at}[]"), schema, bare);
            }
        }
    }
    let (schema, mut bare) = (Schema::standard(), Vec::new());
    look("", schema.document(), &mut bare);
    assert_eq!(bare, [""; 0]);
    assert!(schema.document()["properties"].as_object().unwrap().len() > 40);
}
