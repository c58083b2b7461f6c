//! A model behind an OpenAI-compatible endpoint, for tests: it answers with
//! what it was asked, and can be told to wait.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// The server. Stops when dropped.
pub(crate) struct Model {
    pub(crate) base_url: String,
    inner: Arc<Inner>,
    serving: JoinHandle<()>,
}

struct Inner {
    name: &'static str,
    may_answer: watch::Sender<bool>,
    asked: Notify,
}

impl Model {
    pub(crate) async fn start() -> Self {
        Self::named("re").await
    }

    /// Starts one that begins its answers with this.
    pub(crate) async fn named(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let inner =
            Arc::new(Inner { name, may_answer: watch::Sender::new(true), asked: Notify::new() });
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(Arc::clone(&inner));
        #[expect(clippy::disallowed_methods, reason = "owned by the field, ended by drop")]
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base_url, inner, serving }
    }

    /// Makes the model think until it is released.
    pub(crate) fn hold(&self) {
        self.inner.may_answer.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.inner.may_answer.send_replace(true);
    }

    /// Waits until the model is asked.
    pub(crate) async fn is_asked(&self) {
        let asked = tokio::time::timeout(Duration::from_secs(20), self.inner.asked.notified());
        asked.await.expect("the model was not asked");
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn complete(State(inner): State<Arc<Inner>>, Json(request): Json<Value>) -> Json<Value> {
    let question = request["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    inner.asked.notify_one();
    let mut may_answer = inner.may_answer.subscribe();
    may_answer.wait_for(|may| *may).await.unwrap();
    let answer = format!("{}: {}", inner.name, question.as_str().unwrap());
    Json(json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]
    }))
}
