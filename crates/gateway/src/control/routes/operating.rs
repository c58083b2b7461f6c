//! What is done with the gateway itself.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::control::api::{Api, Stage};
use crate::control::params::{Given, Nothing};
use crate::control::schema::{count, flag, list, number, object, text};
use crate::control::table::{Operation, Verb, operation};
use crate::control::token::Scope;
use crate::control::{Problem, ProblemKind, Wish};

/// How long a stop may take unless something else is asked for.
const GRACE_MS: u64 = 10_000;
/// How long a stop may take at most: ten minutes.
const MOST_GRACE_MS: u64 = 600_000;

pub(super) fn operations() -> Vec<Operation> {
    let grace =
        || object([("grace_ms?", number(0, i64::try_from(MOST_GRACE_MS).unwrap_or(i64::MAX)))]);
    let accepted = || object([("accepted", flag()), ("pid", count()), ("run", count())]);
    vec![
        operation(Verb::Post, "/v1/gateway/restart", "restart", restart)
            .summary("Lets turns end for a while, stops the gateway and starts it anew in the same process. Done when `run` of the status has grown.")
            .scope(Scope::Admin)
            .body(grace())
            .answers(accepted()),
        operation(Verb::Post, "/v1/gateway/stop", "stop", stop)
            .summary("Lets turns end for a while and ends the process.")
            .scope(Scope::Admin)
            .body(grace())
            .answers(accepted()),
        operation(Verb::Post, "/v1/config/reload", "reload", reload)
            .summary("Reads the configuration again; what was not understood is answered.")
            .scope(Scope::Admin)
            .body(object([]))
            .answers(object([("applied", flag()), ("warnings", list(&text()))])),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grace {
    grace_ms: Option<u64>,
}

impl Grace {
    fn length(&self) -> Result<Duration, Problem> {
        match self.grace_ms.unwrap_or(GRACE_MS) {
            ms @ ..=MOST_GRACE_MS => Ok(Duration::from_millis(ms)),
            _ => Err(Problem::params(format!("grace_ms: at most {MOST_GRACE_MS}"))),
        }
    }
}

async fn restart(
    State(api): State<Api>,
    Given(grace): Given<Grace>,
) -> Result<Json<Value>, Problem> {
    let grace = grace.length()?;
    let stage = running(&api)?;
    api.wish(Wish::Restart { grace })?;
    Ok(accepted(&stage))
}

async fn stop(State(api): State<Api>, Given(grace): Given<Grace>) -> Result<Json<Value>, Problem> {
    let grace = grace.length()?;
    let stage = api.stage();
    api.wish(Wish::Stop { grace })?;
    Ok(accepted(&stage))
}

/// A gateway that is being replaced already need not be replaced again.
fn running(api: &Api) -> Result<Stage, Problem> {
    api.gateway()?;
    Ok(api.stage())
}

fn accepted(stage: &Stage) -> Json<Value> {
    Json(json!({ "accepted": true, "pid": std::process::id(), "run": stage.run() }))
}

async fn reload(State(api): State<Api>, Given(_): Given<Nothing>) -> Result<Json<Value>, Problem> {
    let (answer, answered) = oneshot::channel();
    api.wish(Wish::Reload(answer))?;
    let busy = || {
        let message = "the program did not answer";
        Problem::new(ProblemKind::Unavailable, "no_answer", message, "try again in a second")
    };
    match answered.await.map_err(|_| busy())? {
        Ok(warnings) => Ok(Json(json!({ "applied": true, "warnings": warnings }))),
        Err(reason) => {
            let hint = "correct the file; nothing has changed";
            Err(Problem::new(ProblemKind::Usage, "config_unusable", reason, hint))
        }
    }
}
