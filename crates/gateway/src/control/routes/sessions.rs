//! What is kept of conversations. Field names are those of OpenClaw, as in the
//! exports.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::control::api::Api;
use crate::control::params::{Asked, Given, Nothing, Part};
use crate::control::schema::{count, flag, integer, list, maybe, named, object, one_of, text};
use crate::control::table::{Operation, Verb, operation};
use crate::control::token::Scope;
use crate::control::{Problem, ProblemKind};
use crate::{SessionEntry, Transcript, Which};

/// The most windows that a session could have.
const MOST_WINDOW: i64 = u32::MAX as i64;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        operation(Verb::Get, "/v1/sessions", "sessions", sessions)
            .summary("All sessions, those that were spoken in last first.")
            .answers(list(&named("Session"))),
        operation(Verb::Get, "/v1/sessions/{session}", "session", show)
            .summary("What was said in a session, named by its key, its id, or a part of its key that no other has: in the open window, in another, or in all.")
            .query(object([("window?", window()), ("all?", flag())]))
            .answers(transcript()),
        operation(Verb::Get, "/v1/sessions/{session}/export", "export_session", export)
            .summary("The same as a text: lines of JSON, or for people to read.")
            .query(object([
                ("window?", window()),
                ("all?", flag()),
                ("format?", one_of(&["jsonl", "markdown"])),
            ])),
        operation(Verb::Post, "/v1/sessions/{session}/reset", "reset_session", reset)
            .summary("Begins a session anew from the next turn on; what was said stays readable. Answers the session as it was.")
            .scope(Scope::Write)
            .body(object([]))
            .answers(named("Session")),
    ]
}

fn window() -> Value {
    crate::control::schema::number(0, MOST_WINDOW)
}

/// What the document says of a session.
pub(in crate::control) fn session_schema() -> Value {
    object([
        ("key", text()),
        ("sessionId", text()),
        ("window", count()),
        ("sessionStartedAt", integer()),
        ("lastInteractionAt", integer()),
        ("label", maybe(&text())),
        ("agent", maybe(&text())),
        ("model", maybe(&text())),
        ("channel", maybe(&text())),
        ("accountId", maybe(&text())),
        ("to", maybe(&text())),
    ])
}

fn transcript() -> Value {
    let reason = one_of(&["asked", "daily", "idle", "operator"]);
    let window = object([
        ("number", count()),
        ("startedAt", integer()),
        ("endedAt?", integer()),
        ("reason?", reason),
    ]);
    let line = object([
        ("window", count()),
        ("turn", text()),
        ("role", one_of(&["user", "assistant"])),
        ("at", integer()),
        ("text", text()),
    ]);
    object([("session", named("Session")), ("windows", list(&window)), ("lines", list(&line))])
}

async fn sessions(State(api): State<Api>) -> Result<Json<Vec<SessionEntry>>, Problem> {
    Ok(Json(api.gateway()?.sessions().list().await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    window: Option<u32>,
    #[serde(default)]
    all: bool,
}

async fn show(
    State(api): State<Api>,
    Part(session): Part<String>,
    Asked(Wanted { window, all }): Asked<Wanted>,
) -> Result<Json<Transcript>, Problem> {
    Ok(Json(api.gateway()?.sessions().show(&session, which(window, all)?).await?))
}

fn which(window: Option<u32>, all: bool) -> Result<Which, Problem> {
    match (window, all) {
        (None, false) => Ok(Which::Open),
        (None, true) => Ok(Which::All),
        (Some(number), false) => Ok(Which::Number(number)),
        (Some(_), true) => {
            let message = "`window` names one window, `all` all of them";
            Err(Problem::new(ProblemKind::Usage, "contradiction", message, "ask for one of them"))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    window: Option<u32>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Jsonl,
    Markdown,
}

async fn export(
    State(api): State<Api>,
    Part(session): Part<String>,
    Asked(Export { window, all, format }): Asked<Export>,
) -> Result<Response, Problem> {
    let shown = api.gateway()?.sessions().show(&session, which(window, all)?).await?;
    let (kind, text) = match format {
        Format::Jsonl => ("application/jsonl", shown.to_jsonl()),
        Format::Markdown => ("text/markdown; charset=utf-8", shown.to_markdown()),
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn reset(
    State(api): State<Api>,
    Part(session): Part<String>,
    Given(Nothing {}): Given<Nothing>,
) -> Result<Json<SessionEntry>, Problem> {
    Ok(Json(api.gateway()?.sessions().reset(&session).await?))
}
