//! One exchange: what can go wrong, and what is said about it.

use std::process::Command;
use std::time::Duration;

use ilink::client::{Cause, ClientError, Recovery};
use ilink::{Client, Code, Cursor, Http, HttpOptions, Identity};
use tokio::net::TcpListener;

use crate::backend::{Answer, Backend, SHORT, client_at, hasty};

const RETRY: Recovery = Recovery::Retry { after: None };

async fn poll(client: &Client) -> Result<ilink::wire::Updates, ClientError> {
    client.get_updates(&Cursor::default(), Duration::ZERO).await
}

/// What a poll comes to when the backend gives this answer.
async fn failure(answer: fn() -> Answer) -> ClientError {
    let backend = Backend::start(move |_| answer()).await;
    poll(&hasty(&backend.client())).await.unwrap_err()
}

#[tokio::test]
async fn an_idle_poll_and_a_poll_that_was_given_up_are_told_apart() {
    let backend = Backend::answering(r#"{"ret":0,"msgs":[]}"#).await;
    let batch = poll(&backend.client()).await.unwrap();
    assert!(batch.msgs.unwrap().is_empty());

    let err = failure(|| Answer::Stall(Vec::new())).await;
    assert!(err.is_timeout());
    assert_eq!(err.to_string(), "getupdates: no complete answer within 300ms");
    assert_eq!(err.recovery(), RETRY);
}

#[tokio::test]
async fn the_deadline_covers_the_body() {
    let head = || Answer::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"ret\"".to_vec());
    let err = failure(head).await;
    assert!(matches!(err.cause, Cause::Timeout { after } if after == SHORT), "{err:?}");
}

#[tokio::test]
async fn answers_that_are_no_answers_are_told_by_their_kind() {
    let status = |err: &ClientError| {
        let Cause::Status { status, retry_after } = err.cause else {
            return None;
        };
        Some((status, retry_after))
    };
    let err = failure(|| Answer::Status(524, "<html>".to_owned())).await;
    assert_eq!((status(&err), err.recovery()), (Some((524, None)), RETRY));
    let err = failure(|| Answer::Status(404, String::new())).await;
    assert_eq!((status(&err), err.recovery()), (Some((404, None)), Recovery::GiveUp));
    let err = failure(|| Answer::Raw(b"HTTP/1.1 429 X\r\nretry-after: 7\r\n\r\n".to_vec())).await;
    let after = Some(Duration::from_secs(7));
    assert_eq!((status(&err), err.recovery()), (Some((429, after)), Recovery::Retry { after }));
    let err = failure(|| {
        Answer::Raw(b"HTTP/1.1 302 X\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n".to_vec())
    })
    .await;
    assert_eq!(status(&err), Some((302, None)), "redirects are not followed");
}

#[tokio::test]
async fn bodies_that_are_no_batch_are_malformed() {
    for body in ["<html><body>edge</body></html>", "", "{\"ret\":", "[]", "\"canary\"", "canary"] {
        let backend = Backend::answering(body).await;
        let err = poll(&backend.client()).await.unwrap_err();
        assert!(matches!(err.cause, Cause::Malformed(_)), "{body}: {err:?}");
        assert_eq!(err.recovery(), RETRY);
        assert!(!format!("{err} {err:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_broken_connection() {
    let cut = || Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"ret\":0".to_vec());
    let err = failure(cut).await;
    assert!(matches!(err.cause, Cause::Tcp(_)), "{err:?}");
}

#[tokio::test]
async fn a_body_has_a_limit_stated_or_not() {
    let stated = || Answer::Stream(9 << 20, vec![b' '; 1 << 20]);
    let chunked = || {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        bytes.resize(9 << 20, b' ');
        Answer::Raw(bytes)
    };
    for answer in [stated as fn() -> Answer, chunked] {
        let backend = Backend::start(move |_| answer()).await;
        let err = poll(&backend.client()).await.unwrap_err();
        assert!(matches!(err.cause, Cause::TooLarge { cap: 0x80_0000 }), "{err:?}");
        assert_eq!(err.recovery(), Recovery::GiveUp);
    }
}

#[tokio::test]
async fn a_refusal_in_the_body_is_an_error() {
    let cases = [
        (r#"{"ret":-14}"#, Code::STALE_TOKEN, Recovery::Relogin),
        (r#"{"ret":0,"errcode":-14,"errmsg":"x"}"#, Code::STALE_TOKEN, Recovery::Relogin),
        (r#"{"errcode":"-2","errmsg":"rate limited"}"#, Code::REFUSED, RETRY),
        (r#"{"ret":-3}"#, Code::WRONG_PEER, Recovery::GiveUp),
        (r#"{"ret":77}"#, Code(77), Recovery::GiveUp),
    ];
    for (body, expected, recovery) in cases {
        let backend = Backend::answering(body).await;
        let err = poll(&backend.client()).await.unwrap_err();
        assert!(matches!(err.cause, Cause::Refused { code, .. } if code == expected), "{err:?}");
        assert_eq!(err.recovery(), recovery, "{body}");
        assert_eq!(err.is_stale_token(), recovery == Recovery::Relogin);
    }
}

#[tokio::test]
async fn an_empty_answer_to_a_message_is_accepted_without_id() {
    let backend = Backend::answering(" \n").await;
    let sent = backend.client().send_message(ilink::wire::Message::default()).await.unwrap();
    assert_eq!(sent, ilink::wire::Sent::default());
}

#[tokio::test]
async fn exchanges_share_a_connection() {
    let backend = Backend::answering("{}").await;
    let client = backend.client();
    for _ in 0..5 {
        poll(&client).await.unwrap();
    }
    let another = client.with_token(ilink::BotToken::new("another account"));
    another.notify_start().await.unwrap();
    assert_eq!((backend.requests().len(), backend.n_accepted()), (6, 1));
}

#[tokio::test]
async fn a_refused_connection_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let err = poll(&client_at(url.parse().unwrap())).await.unwrap_err();
    assert!(matches!(err.cause, Cause::Connect(_)), "{err:?}");
}

#[tokio::test]
async fn a_token_that_fits_in_no_header_is_told() {
    let client = client_at("http://127.0.0.1:1".parse().unwrap());
    let err = poll(&client.with_token(ilink::BotToken::new("a\nb"))).await.unwrap_err();
    assert!(matches!(err.cause, Cause::Unsendable(_)), "{err:?}");
    assert_eq!(err.recovery(), Recovery::GiveUp);
}

#[tokio::test]
async fn an_unknown_host_is_told() {
    let client = client_at("http://nonexistent.invalid".parse().unwrap());
    let err = poll(&client).await.unwrap_err();
    assert!(matches!(err.cause, Cause::Dns(_)), "{err:?}");
    assert_eq!(err.recovery(), RETRY);
}

#[tokio::test]
async fn a_backend_without_tls_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers = async {
        use tokio::io::AsyncWriteExt as _;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };
    let client = client_at(format!("https://{address}").parse().unwrap());
    let err = tokio::select! {
        answer = poll(&client) => answer.unwrap_err(),
        () = answers => unreachable!(),
    };
    assert!(matches!(err.cause, Cause::Tls(_)), "{err:?}");
}

#[tokio::test]
async fn a_route_tag_is_sent_when_there_is_one() {
    let backend = Backend::answering("{}").await;
    let identity = Identity { route_tag: Some("blue".to_owned()), ..Identity::new("2.4.9") };
    let http = Http::new(&HttpOptions { system_proxy: false, ..HttpOptions::default() }).unwrap();
    let client = Client::new(http, ilink::Endpoints::at(backend.url.clone()), identity);
    client.notify_start().await.unwrap();
    let request = backend.only_request();
    assert_eq!(request.header("skroutetag"), Some("blue"));
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn versions_are_packed_into_a_number() {
    let packed = |version: &str| Identity::new(version).client_version();
    assert_eq!(packed("2.4.9"), 132_105);
    assert_eq!(packed("1.2.3-rc.1+5"), 0x1_0203);
    assert_eq!(packed("1"), 0x1_0000);
    assert_eq!(packed("x.256.257"), 1);
}

/// Proxies come from the environment, which a test must not change in its own
/// process: the poll happens in a child.
#[tokio::test]
async fn a_proxy_of_the_environment_is_used_except_where_it_is_not_to_be() {
    let proxy = Backend::answering(r#"{"get_updates_buf":"by proxy"}"#).await;
    let direct = Backend::answering(r#"{"get_updates_buf":"direct"}"#).await;
    let polled = async |target: String, no_proxy: &'static str| {
        let proxy = proxy.url.to_string();
        let child = tokio::task::spawn_blocking(move || {
            Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "--nocapture", "client::polls_for_its_parent"])
                .env("POLLED", target)
                .env("HTTP_PROXY", proxy)
                .env("NO_PROXY", no_proxy)
                .env_remove("http_proxy")
                .env_remove("no_proxy")
                .env_remove("ALL_PROXY")
                .env_remove("all_proxy")
                .env_remove("REQUEST_METHOD")
                .output()
                .unwrap()
        });
        let output = String::from_utf8(child.await.unwrap().stdout).unwrap();
        output.lines().find_map(|line| Some(line.split_once("cursor: ")?.1.to_owned()))
    };
    let by_proxy = polled("http://backend.invalid".to_owned(), "").await;
    let past_proxy = polled(direct.url.to_string(), "localhost,127.0.0.1").await;
    assert_eq!(by_proxy.as_deref(), Some("by proxy"));
    assert_eq!(past_proxy.as_deref(), Some("direct"));
    assert!(proxy.only_request().target.starts_with("http://backend.invalid/"));
}

#[tokio::test]
#[ignore = "runs in a child of the test above"]
async fn polls_for_its_parent() {
    let url: url::Url = std::env::var("POLLED").unwrap().parse().unwrap();
    let http = Http::new(&HttpOptions::default()).unwrap();
    let client = Client::new(http, ilink::Endpoints::at(url), Identity::new("2.4.9"));
    let batch = poll(&client).await.unwrap();
    println!("cursor: {}", batch.get_updates_buf.unwrap());
}
