//! Vectors taken from the official plugin's behaviour.

use ilink::{BotAgent, MediaKey, MediaKeyText, cipher, wire};
use serde::Deserialize;
use serde_json::{Value, json};

#[test]
fn every_bot_agent_is_sanitised_as_the_official_plugin_does_it() {
    #[derive(Deserialize)]
    struct Case {
        input: String,
        output: String,
    }

    let cases: Vec<Case> = serde_json::from_str(include_str!("../vectors/bot_agent.json")).unwrap();
    assert_eq!(cases.len(), 226);
    for case in cases {
        assert_eq!(BotAgent::sanitize(&case.input).as_str(), case.output, "of {:?}", case.input);
    }
}

#[test]
fn a_long_bot_agent_loses_whole_tokens_at_its_end() {
    let token = format!("{}/1 ({})", "n".repeat(32), "c".repeat(64));
    let three = [token.as_str(); 3].join(" ");
    let two = [token.as_str(); 2].join(" ");
    assert!(three.len() > BotAgent::MAX_BYTES);
    assert_eq!(BotAgent::sanitize(&three).as_str(), two);
    assert_eq!(BotAgent::sanitize(&format!("{two} {token} a/1")).as_str(), two);
}

#[test]
fn the_cipher_matches_every_vector() {
    #[derive(Deserialize)]
    struct Case {
        key: String,
        plain: String,
        padded_size: u64,
        cipher: String,
        md5: String,
    }

    let cases: Vec<Case> = serde_json::from_str(include_str!("../vectors/aes_ecb.json")).unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let key = MediaKey::from_hex(&MediaKeyText::new(case.key)).unwrap();
        let plain = hex::decode(case.plain).unwrap();
        let encrypted = cipher::encrypt(&key, &plain);
        assert_eq!(hex::encode(&encrypted), case.cipher);
        assert_eq!(encrypted.len() as u64, case.padded_size);
        assert_eq!(cipher::cipher_size(plain.len() as u64), case.padded_size);
        assert_eq!(cipher::decrypt(&key, &encrypted).unwrap(), plain);
        assert_eq!(cipher::Fingerprint::of(&*plain).unwrap().md5_hex(), case.md5);
    }
}

/// Ids keep every digit; whatever else is there stays as it came.
#[test]
fn ids_lose_no_digit() {
    #[derive(Deserialize)]
    struct Case {
        raw: String,
        parsed: Value,
    }

    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../vectors/lossless_ids.json")).unwrap();
    for case in cases {
        let batch = wire::Updates::from_slice(case.raw.as_bytes()).unwrap();
        let message = wire::Message::from_slice(case.raw.as_bytes()).unwrap();
        let id = |id: &Option<ilink::MessageId>| id.as_ref().map(|id| json!(id.as_str()));
        if let Some(expected) = case.parsed.get("message_id") {
            assert_eq!(id(&message.message_id).unwrap_or(Value::Null), *expected);
        }
        if case.parsed.get("msgs").is_some() {
            let message = &batch.msgs.as_ref().unwrap()[0];
            let item = &message.item_list.as_ref().unwrap()[0];
            let quoted = item.ref_msg.as_ref().unwrap();
            let found = json!({"msgs": [{
                "message_id": id(&message.message_id),
                "item_list": [{"msg_id": id(&item.msg_id), "ref_msg": {"svr_id": id(&quoted.svr_id)}}],
            }]});
            assert_eq!(found, case.parsed);
        }
        let again: Value = serde_json::from_str(&message.to_json()).unwrap();
        if let Some(id) = case.parsed["message_id"].as_str().and_then(|id| id.parse::<u64>().ok()) {
            assert_eq!(again["message_id"], json!(id), "written as the number that it is");
        }
    }
}
