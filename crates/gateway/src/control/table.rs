//! Every operation, once: the router and the document are made from this.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use serde_json::Value;

use super::api::Api;
use super::guard::Guard;
use super::token::Scope;
use super::{Problem, ProblemKind, routes};

/// How long an operation may take to begin its answer.
const DEADLINE: Duration = Duration::from_secs(60);

/// One thing that the control API does.
pub(super) struct Operation {
    pub(super) verb: Verb,
    /// With `{name}` for each part that a caller fills in.
    pub(super) path: &'static str,
    /// Names it in generated clients.
    pub(super) id: &'static str,
    /// What a token must allow; `None` when everybody on this machine may.
    pub(super) scope: Option<Scope>,
    pub(super) summary: &'static str,
    /// The closed object behind the question mark.
    pub(super) query: Option<Value>,
    /// The closed object in the body.
    pub(super) body: Option<Value>,
    pub(super) answer: Answer,
    pub(super) route: MethodRouter<Api>,
}

/// How an operation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Delete,
}

/// What an operation answers when it is done.
pub(super) enum Answer {
    /// A value of this schema.
    Json(Value),
    /// Plain text.
    Text,
    /// Events, each a value of this schema.
    Events(Value),
}

impl Verb {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Delete => Method::DELETE,
        }
    }

    pub(super) fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// Begins a row of the table.
pub(super) fn operation<H, T>(
    verb: Verb,
    path: &'static str,
    id: &'static str,
    handler: H,
) -> Operation
where
    H: axum::handler::Handler<T, Api>,
    T: 'static,
{
    Operation {
        verb,
        path,
        id,
        scope: Some(Scope::Read),
        summary: "",
        query: None,
        body: None,
        answer: Answer::Text,
        route: on(verb.filter(), handler),
    }
}

impl Operation {
    pub(super) fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    pub(super) fn scope(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    pub(super) fn public(self) -> Self {
        Self { scope: None, ..self }
    }

    pub(super) fn query(self, query: Value) -> Self {
        Self { query: Some(query), ..self }
    }

    pub(super) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(super) fn answers(self, schema: Value) -> Self {
        Self { answer: Answer::Json(schema), ..self }
    }

    pub(super) fn streams(self, schema: Value) -> Self {
        Self { answer: Answer::Events(schema), ..self }
    }
}

/// Makes the router.
pub(super) fn router(api: Api, guard: Arc<Guard>) -> Router {
    let mut router = Router::new();
    for operation in routes::operations() {
        let entry = Entry {
            guard: Arc::clone(&guard),
            scope: operation.scope,
            takes_query: operation.query.is_some(),
        };
        let route = operation.route.layer(from_fn_with_state(entry, enter));
        router = router.route(operation.path, route);
    }
    // Who may not look does not learn what exists.
    let stranger = Entry { guard: Arc::clone(&guard), scope: Some(Scope::Read), takes_query: true };
    let lost = |problem: fn() -> Problem| {
        let stranger = stranger.clone();
        move |request: Request| async move {
            match stranger.admit(&request) {
                Ok(()) => problem().into_response(),
                Err(problem) => problem.into_response(),
            }
        }
    };
    router
        .fallback(lost(no_such_path))
        .method_not_allowed_fallback(lost(no_such_method))
        .layer(from_fn(finish))
        .with_state(api)
}

/// The door of one operation.
#[derive(Clone)]
struct Entry {
    guard: Arc<Guard>,
    scope: Option<Scope>,
    takes_query: bool,
}

impl Entry {
    fn admit(&self, request: &Request) -> Result<(), Problem> {
        self.guard.place(request.headers())?;
        if let Some(needed) = self.scope
            && self.guard.scope(request.headers())? < needed
        {
            let message = format!("the token does not allow this: it needs `{}`", needed.name());
            let hint = "use the token of control.json";
            return Err(Problem::new(ProblemKind::Forbidden, "scope_missing", message, hint));
        }
        if !self.takes_query && request.uri().query().is_some_and(|query| !query.is_empty()) {
            return Err(Problem::params("this operation takes nothing behind a question mark"));
        }
        Ok(())
    }
}

async fn enter(State(entry): State<Entry>, request: Request, next: Next) -> Response {
    if let Err(problem) = entry.admit(&request) {
        return problem.into_response();
    }
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("no answer within {} s", DEADLINE.as_secs());
            let hint = "it may still be done; ask again";
            Problem::new(ProblemKind::Unavailable, "timed_out", message, hint).into_response()
        }
    }
}

/// Nothing of this may stay in a cache or be taken for something else.
async fn finish(request: Request<Body>, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn no_such_path() -> Problem {
    let hint = "GET /v1/openapi.json lists all operations";
    Problem::new(ProblemKind::NotFound, "no_such_path", "there is no such path", hint)
}

fn no_such_method() -> Problem {
    let hint = "GET /v1/openapi.json lists all operations";
    let message = "the path does not take this method";
    Problem::new(ProblemKind::Usage, "method_not_allowed", message, hint)
}
