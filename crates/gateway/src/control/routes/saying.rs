//! What is said without being asked, to whom, and what waits to leave.

use std::path::PathBuf;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use contract::{
    Content, Conversation, Media, MediaKind, OutboxAction, OutboxEntry, Outgoing, PeerStatus,
    SendClass, SendReport, Source, Target,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::control::api::Api;
use crate::control::params::{Asked, Given};
use crate::control::schema::{
    count, flag, integer, list, maybe, name, named, number, object, one_of, text,
};
use crate::control::table::{Operation, Verb, operation};
use crate::control::token::Scope;
use crate::control::{Problem, ProblemKind};

/// How long something may be worth sending, in milliseconds: a year.
const MOST_TTL: u64 = 366 * 24 * 3_600 * 1_000;
/// How many messages may be acted on at once.
const MOST_IDS: usize = 10_000;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        operation(Verb::Post, "/v1/messages", "send", send)
            .summary("Says something outside a turn: a text, or a media file of this machine.")
            .scope(Scope::Write)
            .body(message_schema())
            .answers(object([
                ("conversation", named("Conversation")),
                ("report", maybe(&named("SendReport"))),
            ])),
        operation(Verb::Get, "/v1/outbox", "outbox", outbox)
            .summary("What waits to leave or is parked, the oldest of each channel first.")
            .query(object([("channel?", name())]))
            .answers(list(&named("OutboxEntry"))),
        operation(Verb::Post, "/v1/outbox", "act", act)
            .summary("Drops or retries messages of a channel's outbox.")
            .scope(Scope::Write)
            .body(object([
                ("channel?", name()),
                ("action", one_of(&["drop", "retry"])),
                ("ids", json!({ "type": "array", "items": integer(), "maxItems": MOST_IDS })),
            ]))
            .answers(object([("changed", count())])),
        operation(Verb::Get, "/v1/peers", "peers", peers)
            .summary("Who is known, those who wrote last first.")
            .query(object([("channel?", name())]))
            .answers(list(&named("Peer"))),
        operation(Verb::Post, "/v1/peers/name", "name_peer", name_peer)
            .summary("Gives a peer a name; without one, takes it away.")
            .scope(Scope::Write)
            .body(object([
                ("channel?", name()),
                ("account?", name()),
                ("to", name()),
                ("name?", name()),
            ]))
            .answers(named("Conversation")),
    ]
}

/// What is to be said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    channel: Option<String>,
    account: Option<String>,
    to: String,
    text: Option<String>,
    /// A file that the gateway can read.
    media: Option<PathBuf>,
    /// Said with the media.
    caption: Option<String>,
    /// Sends media as a file, whatever it is.
    #[serde(default)]
    as_file: bool,
    class: Option<SendClass>,
    key: Option<String>,
    ttl_ms: Option<u64>,
    /// Only finds out who is meant.
    #[serde(default)]
    dry_run: bool,
}

fn message_schema() -> Value {
    object([
        ("channel?", name()),
        ("account?", name()),
        ("to", name()),
        ("text?", text()),
        ("media?", name()),
        ("caption?", text()),
        ("as_file?", flag()),
        ("class?", one_of(&["notice", "reminder", "report"])),
        ("key?", name()),
        ("ttl_ms?", number(0, i64::try_from(MOST_TTL).unwrap_or(i64::MAX))),
        ("dry_run?", flag()),
    ])
}

/// What became of it.
#[derive(Serialize)]
struct Said {
    conversation: Conversation,
    report: Option<SendReport>,
}

async fn send(
    State(api): State<Api>,
    Given(message): Given<Message>,
) -> Result<Json<Said>, Problem> {
    let channel = api.one_channel(message.channel.as_deref())?;
    let target = Target { to: message.to.clone(), account: message.account.clone() };
    if message.dry_run {
        let conversation = channel.resolve(target).await?;
        return Ok(Json(Said { conversation, report: None }));
    }
    let ttl = message.ttl_ms;
    if ttl.is_some_and(|ttl| ttl > MOST_TTL) {
        return Err(Problem::params(format!("ttl_ms: at most {MOST_TTL}")));
    }
    let outgoing = Outgoing {
        target,
        class: message.class.unwrap_or(SendClass::Reminder),
        key: message.key.clone(),
        ttl: ttl.map(Duration::from_millis),
        content: content(message)?,
    };
    let report = channel.send(outgoing).await?;
    Ok(Json(Said { conversation: report.conversation.clone(), report: Some(report) }))
}

fn content(message: Message) -> Result<Content, Problem> {
    let Message { text, media, caption, as_file, .. } = message;
    match (text, media) {
        (Some(text), None) if !text.trim().is_empty() && caption.is_none() => {
            Ok(Content::Text(text))
        }
        (None, Some(path)) => {
            let kind = as_file.then_some(MediaKind::File);
            let source = Source::File(path);
            Ok(Content::Media(Media { source, kind, name: None, caption, as_file }))
        }
        (Some(_) | None, _) => {
            let message = "there must be either a `text` that is not empty, or `media`";
            let hint = "a `caption` goes with `media`";
            Err(Problem::new(ProblemKind::Usage, "nothing_to_say", message, hint))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfChannel {
    channel: Option<String>,
}

async fn outbox(
    State(api): State<Api>,
    Asked(of): Asked<OfChannel>,
) -> Result<Json<Vec<OutboxEntry>>, Problem> {
    let mut entries = Vec::new();
    for channel in api.channels(of.channel.as_deref())? {
        entries.extend(channel.outbox().await?);
    }
    Ok(Json(entries))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    channel: Option<String>,
    action: OutboxAction,
    ids: Vec<i64>,
}

async fn act(State(api): State<Api>, Given(it): Given<Action>) -> Result<Json<Value>, Problem> {
    if it.ids.len() > MOST_IDS {
        return Err(Problem::params(format!("ids: at most {MOST_IDS}")));
    }
    let channel = api.one_channel(it.channel.as_deref())?;
    let changed = channel.act(it.action, &it.ids).await?;
    Ok(Json(json!({ "changed": changed })))
}

async fn peers(
    State(api): State<Api>,
    Asked(of): Asked<OfChannel>,
) -> Result<Json<Vec<PeerStatus>>, Problem> {
    let mut peers = Vec::new();
    for channel in api.channels(of.channel.as_deref())? {
        peers.extend(channel.peers().await?);
    }
    Ok(Json(peers))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Naming {
    channel: Option<String>,
    account: Option<String>,
    to: String,
    name: Option<String>,
}

async fn name_peer(
    State(api): State<Api>,
    Given(naming): Given<Naming>,
) -> Result<Json<Conversation>, Problem> {
    let channel = api.one_channel(naming.channel.as_deref())?;
    let target = Target { to: naming.to, account: naming.account };
    Ok(Json(channel.name_peer(&target, naming.name.as_deref()).await?))
}
