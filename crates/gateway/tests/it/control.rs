//! The control API from the outside: what it answers, whom it refuses, and that
//! nothing that is sent to it makes it fail.

use std::sync::Arc;
use std::time::Duration;

use gateway::agents::{Guide, GuideOptions};
use gateway::control::{Control, ControlConfig, ControlFile, LogRing, Token, Wish};
use gateway::{Agent, Gateway};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use self::shelf::Shelf;
use crate::channel::{TestChannel, config};

mod conversations;
mod fuzz;
mod schema;
mod shelf;

/// The session of the friend.
const SESSION: &str = "agent:main:post:bot:direct:friend";

/// A gateway with one channel, and its control API.
struct Scene {
    base: String,
    token: String,
    http: Client,
    ended: CancellationToken,
    gateway: Gateway,
    /// What the people on the channel do.
    people: Arc<TestChannel>,
    state: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut control = Control::serve(settings(&state)).await.unwrap();
        let agent: Arc<dyn Agent> = Arc::new(Guide::new(GuideOptions::default()));
        let people = TestChannel::new();
        let channel = Arc::new(Shelf(Arc::clone(&people)));
        let gateway = Gateway::start(config(state.path(), agent), vec![channel]).await.unwrap();
        control.attach(gateway.clone());
        control.list_plugins_by(|| json!({"plugins": [{"id": "post", "status": "enabled"}]}));
        let file = ControlFile::read(state.path()).unwrap().unwrap();
        let ended = CancellationToken::new();
        let until = ended.clone();
        // What a program does with wishes, without obeying.
        #[expect(clippy::disallowed_methods, reason = "ended by `ended`")]
        tokio::spawn(async move {
            loop {
                let wish = tokio::select! {
                    wish = control.wish() => wish,
                    () = until.cancelled() => break,
                };
                if let Wish::Reload(answer) = wish {
                    answer.send(Ok(vec!["a: not known".to_owned()])).unwrap();
                }
            }
            control.stop().await;
        });
        Self {
            base: format!("http://{}", file.address),
            token: file.token.expose().to_owned(),
            http: Client::builder().no_proxy().build().unwrap(),
            ended,
            gateway,
            people,
            state,
        }
    }

    /// A request that is allowed.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Value {
        answer(self.request(Method::GET, path), StatusCode::OK).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        answer(self.request(Method::POST, path).json(&body), StatusCode::OK).await
    }

    /// Has the friend say something, and waits until it is answered.
    async fn talk(&self, text: &str) {
        let turn = self.people.says("friend", text).await;
        self.people.end_of(&turn).await;
    }

    async fn document(&self) -> Value {
        self.get("/v1/openapi.json").await
    }

    async fn stop(self) {
        self.ended.cancel();
        self.gateway.stop(Duration::ZERO).await;
    }
}

fn settings(state: &TempDir) -> ControlConfig {
    ControlConfig {
        state: state.path().to_owned(),
        port: 0,
        token: Some(Token::new("from the configuration".to_owned())),
        program: "test 1".to_owned(),
        logs: LogRing::default(),
    }
}

async fn answer(request: RequestBuilder, expected: StatusCode) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, expected, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn code(request: RequestBuilder) -> (u16, String) {
    let response: Response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap();
    assert!(problem["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{problem}");
    (status, problem["code"].as_str().unwrap().to_owned())
}

/// Each operation of the document: path, method and the operation.
fn operations(document: &Value) -> Vec<(String, Method, Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            found.push((path.clone(), method, operation.clone()));
        }
    }
    found
}

/// A path of the document with what is there, and what it must be asked with.
fn filled(path: &str, operation: &Value) -> String {
    let parts = [("channel", "post"), ("account", "bot"), ("login", "7"), ("session", SESSION)];
    let path = parts
        .iter()
        .fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let needed = parameters.filter(|it| it["in"] == "query" && it["required"] == true);
    let query = needed.map(|it| match it["name"].as_str().unwrap() {
        "account" => "account=bot",
        "peer" => "peer=friend",
        other => panic!("a parameter that is not known here: {other}"),
    });
    format!("{path}?{}", query.collect::<Vec<_>>().join("&"))
}

#[tokio::test]
async fn every_operation_of_the_document_is_there_and_no_other_method_is() {
    let scene = Scene::new().await;
    let document = scene.document().await;
    let operations = operations(&document);
    assert!(operations.len() >= 20);
    for (path, _, operation) in &operations {
        let real = filled(path, operation);
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let is_there = operations.iter().any(|(p, m, _)| p == path && *m == method);
            let response = scene.request(method.clone(), &real).send().await.unwrap();
            let is_refused = response.status() == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_refused, !is_there, "{method} {path}: {}", response.status());
        }
    }
    assert_eq!(
        code(scene.request(Method::GET, "/v1/nothing")).await,
        (404, "no_such_path".to_owned())
    );
    scene.stop().await;
}

#[tokio::test]
async fn what_is_answered_fits_the_document() {
    let scene = Scene::new().await;
    scene.talk("hello").await;
    scene.people.asks_admission("stranger", false).await;
    let document = scene.document().await;
    for (path, method, operation) in operations(&document) {
        let content = &operation["responses"]["200"]["content"]["application/json"];
        if method != Method::GET || content.is_null() {
            continue;
        }
        let path = filled(&path, &operation);
        for query in ["", "probe=true"] {
            let takes = operation["parameters"].as_array().unwrap();
            if !query.is_empty() && !takes.iter().any(|it| it["name"] == "probe") {
                continue;
            }
            let answered = scene.get(&format!("{path}{query}")).await;
            schema::check(&document, &content["schema"], &answered)
                .unwrap_or_else(|why| panic!("{path}: {why}\n{answered}"));
        }
    }
    let done = [
        ("/v1/messages", json!({"to": "friend", "text": "hello"})),
        ("/v1/messages", json!({"to": "friend", "dry_run": true})),
        ("/v1/outbox", json!({"action": "retry", "ids": [1]})),
        ("/v1/peers/name", json!({"to": "friend", "name": "F"})),
        ("/v1/sessions/SESSION/reset", json!({})),
        ("/v1/config/reload", json!({})),
        ("/v1/channels/post/logout", json!({"account": "bot"})),
        ("/v1/channels/post/accounts/bot", json!({"enabled": false})),
    ];
    for (path, body) in done {
        let answered = scene.post(&path.replace("SESSION", SESSION), body).await;
        let template = path.replace("/post/", "/{channel}/").replace("/bot", "/{account}");
        let template = template.replace("SESSION", "{session}");
        let operation = &document["paths"][&template]["post"];
        let expected = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        schema::check(&document, expected, &answered).unwrap_or_else(|why| panic!("{path}: {why}"));
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_stranger_learns_nothing_but_that_somebody_lives_here() {
    let scene = Scene::new().await;
    let bare = |path: &str| scene.http.get(format!("{}{path}", scene.base));
    assert_eq!(answer(bare("/v1/health"), StatusCode::OK).await["ok"], true);
    assert_eq!(answer(bare("/v1/ready"), StatusCode::OK).await["ready"], true);
    for path in ["/v1/status", "/v1/openapi.json", "/v1/nothing"] {
        assert_eq!(code(bare(path)).await, (401, "token_missing".to_owned()), "{path}");
    }
    let wrong = format!("{}0", scene.token);
    let refused = code(bare("/v1/status").bearer_auth(wrong)).await;
    assert_eq!(refused, (401, "token_wrong".to_owned()));
    let configured = bare("/v1/status").bearer_auth("from the configuration");
    assert_eq!(answer(configured, StatusCode::OK).await["stage"], "running");
    scene.stop().await;
}

#[tokio::test]
async fn pages_are_refused_even_with_the_token() {
    let scene = Scene::new().await;
    let refused = async |name: &str, value: &str| {
        code(scene.request(Method::GET, "/v1/status").header(name, value)).await
    };
    assert_eq!(refused("origin", "http://evil.example").await, (403, "origin_refused".into()));
    assert_eq!(refused("origin", "null").await, (403, "origin_refused".into()));
    // A name of somebody else that was made to point here.
    assert_eq!(refused("host", "evil.example").await, (403, "host_refused".into()));
    scene.stop().await;
}

#[tokio::test]
async fn params_that_are_not_known_or_too_much_are_refused() {
    let scene = Scene::new().await;
    let post = |path: &str| scene.request(Method::POST, path);
    let invalid = (400, "invalid_params".to_owned());
    assert_eq!(code(scene.request(Method::GET, "/v1/status?verbose=1")).await, invalid);
    assert_eq!(code(scene.request(Method::GET, "/v1/outbox?chanel=post")).await, invalid);
    assert_eq!(code(scene.request(Method::GET, "/v1/logs?limit=0")).await, invalid);
    let misspelt = json!({"to": "friend", "text": "hi", "acount": "bot"});
    assert_eq!(code(post("/v1/messages").json(&misspelt)).await, invalid);
    assert_eq!(code(post("/v1/gateway/stop").json(&json!({"grace": 1}))).await, invalid);

    let form = post("/v1/messages").header("content-type", "text/plain").body("{}");
    assert_eq!(code(form).await, (415, "not_json".to_owned()));
    let large = post("/v1/messages").json(&json!({"to": "x".repeat(3 << 20)}));
    assert_eq!(code(large).await, (413, "too_large".to_owned()));
    let unknown = post("/v1/channels/pigeon/login").json(&json!({}));
    assert_eq!(code(unknown).await, (404, "unknown_channel".to_owned()));
    scene.stop().await;
}

#[tokio::test]
async fn a_login_is_followed_as_events_and_takes_digits() {
    let scene = Scene::new().await;
    let begin = scene.request(Method::POST, "/v1/channels/post/login");
    let begin = begin.json(&json!({"name": "digits"}));
    let mut response = begin.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut told = String::new();
    let mut given = false;
    while let Some(bytes) = response.chunk().await.unwrap() {
        told.push_str(std::str::from_utf8(&bytes).unwrap());
        if !given && told.contains("verify_code_needed") {
            given = true;
            let digits = scene.request(Method::POST, "/v1/logins/1/code");
            answer(digits.json(&json!({"code": "42"})), StatusCode::OK).await;
        }
    }
    let events: Vec<Value> = told
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let expected = [
        json!({"event": "login", "login": 1}),
        json!({"event": "verify_code_needed", "wrong": false}),
        json!({"event": "polling", "account": "bot-42", "name": null}),
    ];
    assert_eq!(events, expected);
    let late = scene.request(Method::POST, "/v1/logins/1/code").json(&json!({"code": "42"}));
    assert_eq!(code(late).await, (404, "unknown_login".to_owned()));
    scene.stop().await;
}

#[tokio::test]
async fn a_stop_removes_the_file_and_one_that_was_left_behind_is_replaced() {
    let state = tempfile::tempdir().unwrap();
    std::fs::write(ControlFile::path(state.path()), "left behind").unwrap();
    let control = Control::serve(settings(&state)).await.unwrap();
    let file = ControlFile::read(state.path()).unwrap().unwrap();
    assert_eq!(file.address, control.address());
    assert!(file.address.ip().is_loopback());

    // Nothing is attached yet.
    let http = Client::builder().no_proxy().build().unwrap();
    let asked = http.get(format!("http://{}/v1/outbox", file.address));
    let asked = asked.bearer_auth(file.token.expose());
    assert_eq!(code(asked).await, (503, "starting".to_owned()));
    control.stop().await;
    assert!(ControlFile::read(state.path()).unwrap().is_none());
}

/// What people read and what programs read is the same list.
#[tokio::test]
async fn the_paper_lists_every_operation_with_its_scope_and_no_other() {
    let scene = Scene::new().await;
    let document = scene.document().await;
    let mut expected: Vec<String> = operations(&document)
        .iter()
        .map(|(path, method, operation)| {
            let scope = operation["security"][0]["token"][0].as_str().unwrap_or("none");
            format!("| `{method} {path}` | {scope} |")
        })
        .collect();
    let paper = include_str!("../../../../docs/control-api.md");
    let rows = paper.lines().filter(|line| line.starts_with("| `"));
    let mut found: Vec<String> =
        rows.map(|row| row.split_inclusive('|').take(3).collect::<String>()).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    scene.stop().await;
}
