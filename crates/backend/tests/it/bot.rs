//! A bot that speaks raw HTTP: what the tests are written with.

use std::time::Duration;

use backend::{Backend, Credentials, User};
use serde_json::{Value, json};

/// Speaks for one bot, without any client of ours.
pub(crate) struct RawBot {
    pub(crate) http: reqwest::Client,
    pub(crate) who: Credentials,
}

impl RawBot {
    /// Binds a bot to a user and speaks for it.
    pub(crate) async fn of(backend: &Backend, user: &User) -> Self {
        Self::with(backend.bind(user).await)
    }

    /// Speaks with these credentials.
    pub(crate) fn with(who: Credentials) -> Self {
        Self { http: http(), who }
    }

    /// Calls an endpoint and returns its JSON; null for an empty body.
    pub(crate) async fn call(&self, endpoint: &str, body: Value) -> Value {
        let answer = self.request(endpoint, &body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{endpoint}");
        let text = answer.text().await.unwrap();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    pub(crate) fn request(&self, endpoint: &str, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/ilink/bot/{endpoint}", self.who.base_url);
        self.http.post(url).bearer_auth(self.who.token.expose()).json(body)
    }

    pub(crate) async fn poll(&self, cursor: &str) -> Value {
        self.call("getupdates", json!({ "get_updates_buf": cursor })).await
    }

    /// Sends a text and returns the answer.
    pub(crate) async fn says(&self, text: &str) -> Value {
        self.call("sendmessage", self.text(text, None)).await
    }

    /// A text to the bot's user, with a client id.
    pub(crate) fn text(&self, text: &str, client_id: Option<&str>) -> Value {
        self.message(json!({ "type": 1, "text_item": { "text": text } }), client_id)
    }

    pub(crate) fn message(&self, item: Value, client_id: Option<&str>) -> Value {
        let mut msg = json!({
            "from_user_id": "",
            "to_user_id": self.who.user_id.as_str(),
            "message_type": 2,
            "message_state": 2,
            "item_list": [item],
        });
        if let Some(client_id) = client_id {
            msg["client_id"] = json!(client_id);
        }
        json!({ "msg": msg })
    }
}

/// A client without proxies and without retries.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// The texts of a batch.
pub(crate) fn texts(batch: &Value) -> Vec<&str> {
    let messages = batch["msgs"].as_array().unwrap();
    messages.iter().map(|it| it["item_list"][0]["text_item"]["text"].as_str().unwrap()).collect()
}

/// The cursor behind a batch.
pub(crate) fn cursor(batch: &Value) -> &str {
    batch["get_updates_buf"].as_str().unwrap()
}
