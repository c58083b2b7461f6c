//! What the gateway is and how it does.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use contract::{AccountState, AccountStatus, ChannelId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Refusal;
use crate::control::api::{Api, Stage};
use crate::control::document::document;
use crate::control::params::Asked;
use crate::control::schema::{
    count, flag, integer, list, maybe, name, named, number, object, one_of, text,
};
use crate::control::table::{Operation, Verb, operation};
use crate::control::{Followed, Level, Problem, Tail};

/// How many lines of the log are answered unless more are asked for.
const SOME_LINES: usize = 200;
/// How many lines of the log may be asked for.
const MOST_LINES: i64 = 2_000;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        operation(Verb::Get, "/v1/health", "health", health)
            .summary("Whether the process lives. Needs no token.")
            .public()
            .answers(object([("ok", flag()), ("status", one_of(&["live"]))])),
        operation(Verb::Get, "/v1/ready", "ready", ready)
            .summary("Whether a gateway runs: 503 while it starts or stops. Needs no token.")
            .public()
            .answers(object([("ready", flag()), ("stage", stage_name())])),
        operation(Verb::Get, "/v1/status", "status", status)
            .summary("What runs, since when, and how its channels do.")
            .answers(status_schema()),
        operation(Verb::Get, "/v1/channels", "channels", channels)
            .summary("The channels and how their accounts do.")
            .answers(list(&channel_schema())),
        operation(Verb::Get, "/v1/refused", "refused", refused)
            .summary("Who was refused since the gateway started, and how often.")
            .answers(object([("conversations", list(&refusal_schema())), ("others", count())])),
        operation(Verb::Get, "/v1/logs", "logs", logs)
            .summary("The end of the log that is kept in memory: 2,000 lines.")
            .query(object([
                ("after?", count()),
                ("limit?", number(1, MOST_LINES)),
                ("level?", one_of(&["error", "warn", "info", "debug", "trace"])),
                ("target?", name()),
            ]))
            .answers(object([
                ("lines", list(&named("LogLine"))),
                ("last", count()),
                ("lost", count()),
            ])),
        operation(Verb::Get, "/v1/metrics", "metrics", metrics)
            .summary("All numbers, in the text format of Prometheus."),
        operation(Verb::Get, "/v1/openapi.json", "openapi", openapi)
            .summary("This document.")
            .answers(json!({ "type": "object" })),
    ]
}

async fn health() -> Json<Value> {
    Json(json!({ "ok": true, "status": "live" }))
}

async fn ready(State(api): State<Api>) -> Response {
    let stage = api.stage();
    let ready = matches!(stage, Stage::Running { .. });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "stage": stage.name() }))).into_response()
}

/// What `status` answers.
#[derive(Serialize)]
struct Status {
    program: String,
    pid: u32,
    address: String,
    /// Since when the process serves, in milliseconds since 1970.
    since_ms: i64,
    stage: &'static str,
    /// How many gateways the process has had; a restart makes one more.
    run: u32,
    /// Since when this one runs.
    run_since_ms: Option<i64>,
    /// Sessions with something running or waiting.
    busy: usize,
    /// What keeps parts of it from running, in words.
    problems: Vec<String>,
    /// Which file it goes by; nothing before its first gateway.
    config: Option<Followed>,
    channels: Vec<ChannelRow>,
}

fn status_schema() -> Value {
    object([
        ("program", text()),
        ("pid", count()),
        ("address", text()),
        ("since_ms", integer()),
        ("stage", stage_name()),
        ("run", count()),
        ("run_since_ms", maybe(&integer())),
        ("busy", count()),
        ("problems", list(&text())),
        ("config", maybe(&object([("file", text()), ("at_once", flag())]))),
        ("channels", list(&channel_schema())),
    ])
}

fn stage_name() -> Value {
    one_of(&["starting", "running", "draining"])
}

async fn status(State(api): State<Api>) -> Json<Status> {
    let stage = api.stage();
    let (busy, run_since_ms) = match &stage {
        Stage::Running { gateway, since_ms, .. } => (gateway.n_busy(), Some(*since_ms)),
        Stage::Starting | Stage::Draining { .. } => (0, None),
    };
    Json(Status {
        program: api.program().to_owned(),
        pid: std::process::id(),
        address: api.address().to_string(),
        since_ms: api.since_ms(),
        stage: stage.name(),
        run: stage.run(),
        run_since_ms,
        busy,
        problems: api.problems(),
        config: api.followed(),
        channels: rows(&stage).await,
    })
}

/// One channel in short.
#[derive(Serialize)]
struct ChannelRow {
    channel: ChannelId,
    accounts: usize,
    polling: usize,
    degraded: usize,
    needs_login: usize,
    stopped: usize,
    /// Why nothing is known of its accounts.
    problem: Option<String>,
}

fn channel_schema() -> Value {
    object([
        ("channel", text()),
        ("accounts", count()),
        ("polling", count()),
        ("degraded", count()),
        ("needs_login", count()),
        ("stopped", count()),
        ("problem", maybe(&text())),
    ])
}

async fn channels(State(api): State<Api>) -> Result<Json<Vec<ChannelRow>>, Problem> {
    api.gateway()?;
    Ok(Json(rows(&api.stage()).await))
}

async fn rows(stage: &Stage) -> Vec<ChannelRow> {
    let Stage::Running { gateway, .. } = stage else { return Vec::new() };
    let mut rows = Vec::new();
    for channel in gateway.channels() {
        let (accounts, problem) = match channel.status().await {
            Ok(accounts) => (accounts, None),
            Err(err) => (Vec::new(), Some(err.to_string())),
        };
        rows.push(ChannelRow::of(channel.id(), &accounts, problem));
    }
    rows
}

impl ChannelRow {
    fn of(channel: ChannelId, accounts: &[AccountStatus], problem: Option<String>) -> Self {
        let mut row = Self {
            channel,
            accounts: accounts.len(),
            polling: 0,
            degraded: 0,
            needs_login: 0,
            stopped: 0,
            problem,
        };
        for account in accounts {
            match account.state {
                AccountState::Polling => row.polling += 1,
                AccountState::Degraded { .. } | AccountState::Starting => row.degraded += 1,
                AccountState::NeedsLogin { .. } => row.needs_login += 1,
                AccountState::Stopped => row.stopped += 1,
            }
        }
        row
    }
}

fn refusal_schema() -> Value {
    object([
        ("conversation", named("Conversation")),
        ("times", count()),
        ("reason", one_of(&["disabled", "not_listed", "awaits_approval", "too_many_wait"])),
    ])
}

async fn refused(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let refused = api.gateway()?.refused();
    let each = refused.conversations.iter();
    let each = each.map(|(who, Refusal { times, reason })| {
        json!({ "conversation": who, "times": times, "reason": reason })
    });
    let conversations: Vec<Value> = each.collect();
    Ok(Json(json!({ "conversations": conversations, "others": refused.others })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    #[serde(default)]
    after: u64,
    limit: Option<i64>,
    level: Option<Level>,
    target: Option<String>,
}

async fn logs(State(api): State<Api>, Asked(lines): Asked<Lines>) -> Result<Json<Tail>, Problem> {
    let limit = match lines.limit {
        None => SOME_LINES,
        Some(limit @ 1..=MOST_LINES) => usize::try_from(limit).unwrap_or(SOME_LINES),
        Some(_) => return Err(Problem::params(format!("limit: from 1 to {MOST_LINES}"))),
    };
    let level = lines.level.unwrap_or(Level::Trace);
    Ok(Json(api.logs().tail(lines.after, limit, level, lines.target.as_deref())))
}

async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let mut text = String::new();
    for channel in api.channels(None)? {
        text.push_str(&channel.metrics().await?);
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

async fn openapi() -> Json<&'static Value> {
    Json(document())
}
