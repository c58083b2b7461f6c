//! What was asked, for assertions: the last requests of the iLink API and the CDN.

use std::collections::{BTreeMap, VecDeque};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use ilink::BotId;
use parking_lot::Mutex;
use serde::Serialize;

use crate::endpoint::Endpoint;

/// One request as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// The bot that the token names, unchecked.
    pub bot: Option<BotId>,
    /// When, by the backend's clock.
    pub at_ms: u64,
    /// `GET`, `POST` or `PUT`.
    pub method: String,
    /// The query as it came.
    pub query: String,
    /// The headers by name in lower case, apart from the one that holds the token.
    pub headers: BTreeMap<String, String>,
    /// The body as text; empty on the CDN.
    pub body: String,
}

impl Request {
    /// Copies what a request's headers say. What is no text is left out.
    pub(crate) fn headers_of(headers: &HeaderMap) -> BTreeMap<String, String> {
        let open = headers.iter().filter(|(name, _)| **name != AUTHORIZATION);
        let text = open.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?)));
        text.map(|(name, value)| (name, value.to_owned())).collect()
    }

    /// Reads the body as JSON; null if it is something else.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A bounded memory of requests.
#[derive(Debug)]
pub(crate) struct Recorder {
    most: usize,
    // Held to append or copy, never across an await.
    seen: Mutex<VecDeque<Request>>,
}

impl Recorder {
    /// Keeps the last `most` requests; none with 0.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, seen: Mutex::default() }
    }

    /// Says whether anything is kept at all.
    pub(crate) fn is_on(&self) -> bool {
        self.most > 0
    }

    pub(crate) fn record(&self, request: Request) {
        let mut seen = self.seen.lock();
        if seen.len() >= self.most {
            seen.pop_front();
        }
        seen.push_back(request);
    }

    /// Returns what is kept, oldest first.
    pub(crate) fn list(&self) -> Vec<Request> {
        self.seen.lock().iter().cloned().collect()
    }
}
