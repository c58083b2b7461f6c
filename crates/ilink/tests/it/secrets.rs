//! No type and no error prints a secret.

use std::fmt::{Debug, Display};

use ilink::client::Cause;
use ilink::login::{Credentials, Event, Login, LoginOptions, Outcome};
use ilink::media::Uploaded;
use ilink::wire::{
    GetConfig, GetUploadUrl, Message, QrCodeRequest, QrStatus, SendTyping, Updates, UploadUrl,
};
use ilink::{
    BotToken, ContextToken, Cursor, MediaKey, MediaKeyText, TypingTicket, UploadTicket, cipher,
};

use crate::backend::{Answer, Backend, client_at};

const CANARY: &str = "canary-5f2c";

/// The key's bytes are the canary too.
const KEY: [u8; 16] = *b"canary-5f2c-key!";

fn check(value: &impl Debug) {
    for told in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!told.contains(CANARY), "{told}");
        assert!(!told.contains(&hex::encode(KEY)), "{told}");
        assert!(!told.contains("99, 97, 110, 97, 114, 121"), "{told}");
    }
}

fn check_told(value: &(impl Debug + Display)) {
    check(value);
    assert!(!value.to_string().contains(CANARY), "{value}");
}

#[test]
fn secrets_are_dots() {
    let key = MediaKey::new(KEY);
    check(&(BotToken::new(CANARY), ContextToken::new(CANARY), TypingTicket::new(CANARY)));
    check(&(UploadTicket::new(CANARY), MediaKeyText::new(CANARY), key.to_hex(), key.to_base64()));
    check(&key);
    assert_eq!(format!("{:?}", BotToken::new(CANARY)), "BotToken(…)");
}

#[test]
fn bodies_tell_no_secret_known_or_unknown() {
    let body = format!(
        r#"{{"bot_token":"{CANARY}","context_token":"{CANARY}","typing_ticket":"{CANARY}",
        "upload_param":"{CANARY}","thumb_upload_param":"{CANARY}","upload_full_url":"{CANARY}",
        "aeskey":"{CANARY}","local_token_list":["{CANARY}",{{"x":"{CANARY}"}}],
        "item_list":[{{"image_item":{{"aeskey":"{CANARY}","media":{{"aes_key":"{CANARY}"}}}}}}],
        "msgs":["{CANARY}",{{"context_token":"{CANARY}"}}],"new_secret":"{CANARY}","ret":"{CANARY}"}}"#
    );
    let body = body.as_bytes();
    check(&QrStatus::from_slice(body).unwrap());
    check(&Message::from_slice(body).unwrap());
    check(&SendTyping::from_slice(body).unwrap());
    check(&GetConfig::from_slice(body).unwrap());
    check(&UploadUrl::from_slice(body).unwrap());
    check(&GetUploadUrl::from_slice(body).unwrap());
    check(&QrCodeRequest::from_slice(body).unwrap());
    check(&Updates::from_slice(body).unwrap());
}

#[test]
fn what_holds_secrets_tells_none() {
    let url: url::Url = "http://127.0.0.1:1".parse().unwrap();
    check(&client_at(url.clone()).with_token(BotToken::new(CANARY)));
    let credentials = Credentials {
        token: BotToken::new(CANARY),
        bot_id: "b".into(),
        user_id: None,
        base_url: url.clone(),
    };
    check(&Outcome::Confirmed(credentials));
    check(&Uploaded {
        reference: "ref".to_owned(),
        key: MediaKey::new(KEY),
        cipher_size: 16,
        plain: cipher::Fingerprint { size: 0, md5: [0; 16] },
        thumb: None,
    });

    let mut login = Login::new(LoginOptions::default(), url);
    let answers = [
        r#"{"qrcode":"q","qrcode_img_content":"l"}"#.to_owned(),
        format!(r#"{{"status":"confirmed","bot_token":"{CANARY}","ilink_bot_id":"b"}}"#),
    ];
    login.handle(
        Event::Qr(Ok(ilink::wire::QrCode::from_slice(answers[0].as_bytes()).unwrap())),
        std::time::Duration::ZERO,
    );
    let event = Event::Status(Ok(QrStatus::from_slice(answers[1].as_bytes()).unwrap()));
    check(&event);
    let step = login.handle(event, std::time::Duration::ZERO);
    check(&(step, login));
}

#[tokio::test]
async fn errors_tell_no_secret() {
    let client = client_at("http://127.0.0.1:1".parse().unwrap()).with_token(BotToken::new(CANARY));
    let refused = client.get_updates(&Cursor::default(), std::time::Duration::ZERO).await;
    check_told(&refused.unwrap_err());
    let unsendable = client.with_token(BotToken::new(format!("{CANARY}\n")));
    let err = unsendable.notify_start().await.unwrap_err();
    check_told(&err);

    let backend = Backend::start(|_| Answer::Ok(format!("{{\"ret\":0}} {CANARY}"))).await;
    let err = backend.client().notify_start().await.unwrap_err();
    assert!(matches!(err.cause, Cause::Malformed(_)));
    check_told(&err);

    let key_error = MediaKey::from_base64(&MediaKeyText::new(CANARY)).unwrap_err();
    check_told(&key_error);
}

/// The ticket stands in the address, which transport errors like to quote.
#[tokio::test]
async fn a_failed_upload_does_not_tell_its_ticket() {
    use ilink::media::{Limits, Source, Upload, upload};

    let backend = Backend::start(|_| {
        let full = format!("http://127.0.0.1:1/upload?encrypted_query_param={CANARY}");
        Answer::Ok(format!(r#"{{"upload_full_url":"{full}"}}"#))
    })
    .await;
    let picture = Upload {
        to: "u".into(),
        kind: ilink::wire::MediaType::Image,
        source: Source::Bytes(b"x".to_vec().into()),
        thumb: None,
    };
    let limits = Limits { tries: 1, ..Limits::default() };
    let err = upload(&backend.client(), &picture, &limits).await.unwrap_err();
    assert!(err.to_string().starts_with("cdn upload: "), "{err}");
    check_told(&err);
}
