//! The plugins, as whoever serves lists them.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::control::api::Api;
use crate::control::schema::{list, text};
use crate::control::table::{Operation, Verb, operation};
use crate::control::{Problem, ProblemKind};

pub(super) fn operations() -> Vec<Operation> {
    let plugin = json!({ "type": "object", "properties": { "id": text() }, "required": ["id"] });
    let answer = json!({
        "type": "object",
        "properties": { "plugins": list(&plugin) },
        "required": ["plugins"],
    });
    vec![
        operation(Verb::Get, "/v1/plugins", "plugins", plugins)
            .summary("The plugins that were found, as `plugins list --json` has them, with how those do that run.")
            .answers(answer),
    ]
}

async fn plugins(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let Some(list) = api.list_plugins() else { return Ok(Json(json!({ "plugins": [] }))) };
    // It reads the disk.
    let listed = tokio::task::spawn_blocking(move || list()).await;
    listed.map(Json).map_err(|err| {
        let hint = "the log says more; please report it";
        Problem::new(ProblemKind::Bug, "plugins_not_listed", err.to_string(), hint)
    })
}
