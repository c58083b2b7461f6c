//! Sessions, pairing, routes and plugins through the API.

use contract::Verdict;
use gateway::Sessions;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{SESSION, Scene, answer, code, schema};

async fn text(scene: &Scene, path: &str) -> (String, String) {
    let response = scene.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, response.text().await.unwrap())
}

#[tokio::test]
async fn a_session_is_listed_shown_reset_and_exported() {
    let scene = Scene::new().await;
    assert_eq!(scene.get("/v1/sessions").await, json!([]));
    scene.talk("hello").await;
    assert_eq!(scene.get("/v1/sessions").await[0]["key"], SESSION);
    let shown = scene.get("/v1/sessions/:direct:friend").await;
    assert_eq!(shown["lines"][0]["text"], "hello");

    let was = scene.post(&format!("/v1/sessions/{SESSION}/reset"), json!({})).await;
    assert_eq!((&was["key"], &was["window"]), (&json!(SESSION), &json!(0)));
    assert_eq!(scene.get(&format!("/v1/sessions/{SESSION}")).await["lines"], json!([]));
    let old = scene.get(&format!("/v1/sessions/{SESSION}?window=0")).await;
    assert_eq!(
        (&old["lines"], &old["windows"][0]["reason"]),
        (&shown["lines"], &json!("operator"))
    );

    let (kind, jsonl) = text(&scene, &format!("/v1/sessions/{SESSION}/export?all=true")).await;
    assert_eq!(kind, "application/jsonl");
    let types = jsonl.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let types: Vec<Value> = types.map(|line| line["type"].clone()).collect();
    assert_eq!(types[..4], ["session", "window", "window", "message"]);
    let path = format!("/v1/sessions/{SESSION}/export?window=0&format=markdown");
    let (kind, markdown) = text(&scene, &path).await;
    assert_eq!(kind, "text/markdown; charset=utf-8");
    assert!(markdown.contains("hello"), "{markdown}");
    scene.stop().await;
}

#[tokio::test]
async fn a_session_that_is_not_there_or_not_the_only_one_is_refused() {
    let scene = Scene::new().await;
    let refused = async |path: &str| code(scene.request(Method::GET, path)).await;
    assert_eq!(refused("/v1/sessions/nobody").await, (404, "unknown_session".into()));
    scene.talk("hello").await;
    let window = refused(&format!("/v1/sessions/{SESSION}?window=7")).await;
    assert_eq!(window, (404, "unknown_window".into()));
    let both = refused(&format!("/v1/sessions/{SESSION}?window=0&all=true")).await;
    assert_eq!(both, (400, "contradiction".into()));
    let format = refused(&format!("/v1/sessions/{SESSION}/export?format=pdf")).await;
    assert_eq!(format, (400, "invalid_params".into()));
    scene.stop().await;
}

/// Two handles on one file, as a command and a gateway in two processes have.
#[tokio::test]
async fn a_reset_by_another_program_is_seen_by_the_gateway() {
    let scene = Scene::new().await;
    scene.talk("my name is Ann").await;
    let store = scene.state.path().join("state/gateway.sqlite");
    Sessions::open(&store).await.unwrap().reset(SESSION).await.unwrap();
    let seen = scene.get(&format!("/v1/sessions/{SESSION}")).await;
    assert_eq!((&seen["session"]["window"], &seen["lines"]), (&json!(1), &json!([])));
    scene.talk("who am I?").await;
    let seen = scene.get(&format!("/v1/sessions/{SESSION}")).await;
    assert_eq!(seen["lines"][0]["text"], "who am I?", "it went on in the old window: {seen}");
    scene.stop().await;
}

#[tokio::test]
async fn a_stranger_is_listed_approved_and_revoked() {
    let scene = Scene::new().await;
    let document = scene.document().await;
    let fits = |path: &str, answered: &Value| {
        let expected = &document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
            ["schema"];
        schema::check(&document, expected, answered).unwrap();
    };
    let Verdict::Challenge { .. } = scene.people.asks_admission("stranger", false).await else {
        panic!("no code was told")
    };
    let waiting = scene.get("/v1/pairing").await;
    let one = &waiting[0];
    assert_eq!((&one["channel"], &one["id"]), (&json!("post"), &json!("stranger")));
    let refused = &scene.get("/v1/refused").await["conversations"];
    let expected = json!([{
        "conversation": {"channel": "post", "account": "bot", "peer": "stranger"},
        "times": 1, "reason": "awaits_approval",
    }]);
    assert_eq!(*refused, expected);
    assert_eq!(scene.get("/v1/pairing?account=other").await, json!([]));

    let approved = scene.post("/v1/pairing/approve", json!({"code": one["code"]})).await;
    fits("/v1/pairing/approve", &approved);
    assert_eq!(approved["approved"], *one);
    assert_eq!(approved["owner"], "post:stranger");
    assert_eq!(scene.people.asks_admission("stranger", false).await, Verdict::Admit);
    assert_eq!(scene.get("/v1/pairing/approvals?channel=post").await[0]["id"], "stranger");
    let again = scene.request(Method::POST, "/v1/pairing/approve");
    let again = code(again.json(&json!({"code": one["code"]}))).await;
    assert_eq!(again, (404, "unknown_code".into()));

    let whom = json!({"channel": "post", "account": "bot", "peer": "stranger"});
    let revoked = scene.post("/v1/pairing/revoke", whom.clone()).await;
    fits("/v1/pairing/revoke", &revoked);
    assert_eq!(revoked["revoked"], whom);
    let again = code(scene.request(Method::POST, "/v1/pairing/revoke").json(&whom)).await;
    assert_eq!(again, (404, "not_approved".into()));

    scene.people.asks_admission("stranger", false).await;
    let anew = scene.get("/v1/pairing").await[0]["code"].clone();
    let rejected = scene.post("/v1/pairing/reject", json!({"code": anew})).await;
    fits("/v1/pairing/reject", &rejected);
    assert_eq!(scene.get("/v1/pairing").await, json!([]));
    scene.stop().await;
}

#[tokio::test]
async fn it_says_who_would_answer_and_whether_they_would_be_heard() {
    let scene = Scene::new().await;
    let friend = scene.get("/v1/route?account=bot&peer=friend").await;
    assert_eq!(friend["route"]["agentId"], "main");
    assert_eq!(friend["route"]["sessionKey"], SESSION);
    assert_eq!(friend["access"]["decision"], json!({"admit": "listed"}));
    let stranger = scene.get("/v1/route?channel=post&account=bot&peer=stranger").await;
    assert_eq!(stranger["access"]["decision"], "ask_approval");
    assert_eq!(stranger["access"]["admitted"], false);
    let owner = scene.get("/v1/route?account=bot&peer=stranger&owner=true").await;
    assert_eq!(owner["access"]["decision"], json!({"admit": "owner"}));
    let nobody = code(scene.request(Method::GET, "/v1/route?account=bot")).await;
    assert_eq!(nobody, (400, "invalid_params".into()));
    scene.stop().await;
}

#[tokio::test]
async fn plugins_are_listed_by_whoever_serves() {
    let scene = Scene::new().await;
    let listed = answer(scene.request(Method::GET, "/v1/plugins"), StatusCode::OK).await;
    assert_eq!(listed, json!({"plugins": [{"id": "post", "status": "enabled"}]}));
    scene.stop().await;
}
