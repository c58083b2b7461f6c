//! The examples of the document are what the types read.

use std::collections::{BTreeSet, HashMap};

use contract::manifest::Manifest;
use contract::stdio::{ChannelCall, Hello, HostCall, Id, Message};
use contract::{
    AccountId, AccountStatus, Conversation, LoggedOut, LoginDone, OutboxEntry, PeerStatus, Probe,
    Removed, SendReport, Verdict,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const DOC: &str = include_str!("../../../../docs/contract.md");

/// The lines of all blocks in a language.
fn examples(language: &str) -> Vec<&'static str> {
    let mut lines = Vec::new();
    let mut is_inside = false;
    for line in DOC.lines() {
        match line.strip_prefix("```") {
            Some(begin) => is_inside = begin == language,
            None if is_inside => lines.push(line),
            None => {}
        }
    }
    lines
}

/// Says that a text is of a type, and that nothing in it is passed over.
fn is<T: DeserializeOwned + Serialize>(text: &str) {
    let value: T = serde_json::from_str(text).unwrap_or_else(|err| panic!("{err}: {text}"));
    contains(&serde_json::to_value(&value).unwrap(), &serde_json::from_str(text).unwrap());
}

fn contains(all: &Value, part: &Value) {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => {
            for (key, value) in part {
                let missing = || panic!("{key} is not known, or without meaning, in {part:?}");
                contains(all.get(key).unwrap_or_else(missing), value);
            }
        }
        (Value::Array(all), Value::Array(part)) => {
            assert_eq!(all.len(), part.len());
            all.iter().zip(part).for_each(|(all, part)| contains(all, part));
        }
        (all, part) => assert_eq!(all, part),
    }
}

fn check_result(method: &str, result: &str) {
    match method {
        "ping" | "start" | "reply" | "signal" | "finish" | "stop" | "receive" => is::<()>(result),
        "hello" => is::<Hello>(result),
        "send" => is::<SendReport>(result),
        "resolve" | "name_peer" => is::<Conversation>(result),
        "outbox" => is::<Vec<OutboxEntry>>(result),
        "act" => is::<usize>(result),
        "peer" => is::<Option<PeerStatus>>(result),
        "peers" => is::<Vec<PeerStatus>>(result),
        "configure" => is::<Vec<String>>(result),
        "metrics" => is::<String>(result),
        "status" => is::<Vec<AccountStatus>>(result),
        "probe" => is::<Vec<Probe>>(result),
        "login" => is::<LoginDone>(result),
        "logout" => is::<LoggedOut>(result),
        "set_enabled" => is::<AccountId>(result),
        "remove" => is::<Removed>(result),
        "admit" => is::<Verdict>(result),
        "login_code" => assert!(result.contains("digits")),
        other => panic!("{other}"),
    }
}

/// Reads a call, and says that nothing in it is passed over.
fn check_call(method: &str, params: &serde_json::value::RawValue) {
    let call = if HostCall::METHODS.contains(&method) {
        serde_json::to_value(HostCall::read(method, params).unwrap())
    } else {
        serde_json::to_value(ChannelCall::read(method, params).unwrap())
    };
    let text: Value = serde_json::from_str(params.get()).unwrap();
    // What is left out and what is `null` mean the same.
    contains(&call.unwrap()[method], &without_nulls(text));
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries.into_iter().filter(|(_, value)| !value.is_null());
            kept.map(|(key, value)| (key, without_nulls(value))).collect()
        }
        Value::Array(all) => all.into_iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[test]
fn every_example_is_read_and_every_method_has_one() {
    let mut asked: HashMap<Id, String> = HashMap::new();
    let mut seen = BTreeSet::new();
    let mut n_answers = 0;
    for line in examples("json") {
        match Message::read(line).unwrap_or_else(|err| panic!("{err}: {line}")) {
            Message::Request { id, method, params } => {
                if method != "ping" {
                    check_call(&method, &params);
                }
                seen.insert(method.clone());
                assert_eq!(asked.insert(id, method), None, "{line}");
            }
            Message::Notice { method, params } => {
                if method != "cancel" {
                    check_call(&method, &params);
                }
                seen.insert(method);
            }
            Message::Answer { id, outcome: Ok(result) } => {
                check_result(&asked[&id], result.get());
                n_answers += 1;
            }
            Message::Answer { id, outcome: Err(error) } => {
                assert!(asked.contains_key(&id), "{line}");
                assert!(error.data.unwrap()["kind"].is_string(), "{line}");
                n_answers += 1;
            }
            Message::Complaint(error) => panic!("{error}"),
        }
    }
    // One request has two answers in the document: a good and a bad one.
    assert_eq!(n_answers, asked.len() + 1);
    let all = ChannelCall::METHODS.into_iter().chain(HostCall::METHODS).chain(["ping", "cancel"]);
    assert_eq!(seen, all.map(str::to_owned).collect());
}

#[test]
fn the_manifest_of_the_document_and_of_the_example_are_read() {
    for text in examples("manifest") {
        assert_eq!(Manifest::parse(text).unwrap().run.unwrap().contract, 1);
    }
    let letterbox = include_str!("../../../../examples/letterbox/openclaw.plugin.json");
    let manifest = Manifest::parse(letterbox).unwrap();
    assert_eq!(manifest.run.unwrap().command, ["python3", "main.py"]);
}
