//! Strangers who have a code, and those who were approved. Field names are those
//! of OpenClaw.

use axum::Json;
use axum::extract::State;
use contract::{AccountId, ChannelId, Conversation, PeerId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::control::api::Api;
use crate::control::params::{Asked, Given};
use crate::control::schema::{integer, list, maybe, name, named, object, text};
use crate::control::table::{Operation, Verb, operation};
use crate::control::token::Scope;
use crate::control::{Problem, ProblemKind};
use crate::{Approval, PairingRequest};

pub(super) fn operations() -> Vec<Operation> {
    let place = || object([("channel?", name()), ("account?", name())]);
    let code = || object([("channel?", name()), ("account?", name()), ("code", name())]);
    let approval = object([
        ("channel", text()),
        ("accountId", text()),
        ("id", text()),
        ("approvedAtMs", integer()),
    ]);
    vec![
        operation(Verb::Get, "/v1/pairing", "pairing", requests)
            .summary("Who has a code, the longest first on each channel.")
            .query(place())
            .answers(list(&named("PairingRequest"))),
        operation(Verb::Get, "/v1/pairing/approvals", "approvals", approvals)
            .summary("Who was approved.")
            .query(place())
            .answers(list(&approval)),
        operation(Verb::Post, "/v1/pairing/approve", "approve", approve)
            .summary("Approves of whoever has a code. Where no owner is configured, `owner` is the entry that belongs into commands.ownerAllowFrom.")
            .scope(Scope::Admin)
            .body(code())
            .answers(object([
                ("approved", named("PairingRequest")),
                ("owner", maybe(&text())),
            ])),
        operation(Verb::Post, "/v1/pairing/reject", "reject", reject)
            .summary("Takes a code back; its owner gets another with the next message.")
            .scope(Scope::Admin)
            .body(code())
            .answers(object([("rejected", named("PairingRequest"))])),
        operation(Verb::Post, "/v1/pairing/revoke", "revoke", revoke)
            .summary("Takes an approval back.")
            .scope(Scope::Admin)
            .body(object([("channel?", name()), ("account", name()), ("peer", name())]))
            .answers(object([("revoked", named("Conversation"))])),
    ]
}

/// What the document says of somebody who has a code.
pub(in crate::control) fn request_schema() -> Value {
    object([
        ("channel", text()),
        ("id", text()),
        ("code", text()),
        ("createdAt", text()),
        ("lastSeenAt", text()),
        ("meta", object([("accountId", text())])),
    ])
}

/// Something, with its channel.
#[derive(Serialize)]
struct On<T> {
    channel: ChannelId,
    #[serde(flatten)]
    it: T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    channel: Option<String>,
    account: Option<AccountId>,
}

async fn requests(
    State(api): State<Api>,
    Asked(place): Asked<Place>,
) -> Result<Json<Vec<On<PairingRequest>>>, Problem> {
    let pairing = api.gateway()?.pairing();
    let mut all = Vec::new();
    for channel in api.channels(place.channel.as_deref())? {
        let channel = channel.id();
        let found = pairing.requests(&channel, place.account.as_ref()).await?;
        all.extend(found.into_iter().map(|it| On { channel: channel.clone(), it }));
    }
    Ok(Json(all))
}

async fn approvals(
    State(api): State<Api>,
    Asked(place): Asked<Place>,
) -> Result<Json<Vec<On<Approval>>>, Problem> {
    let pairing = api.gateway()?.pairing();
    let mut all = Vec::new();
    for channel in api.channels(place.channel.as_deref())? {
        let channel = channel.id();
        let found = pairing.approvals(&channel, place.account.as_ref()).await?;
        all.extend(found.into_iter().map(|it| On { channel: channel.clone(), it }));
    }
    Ok(Json(all))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coded {
    channel: Option<String>,
    account: Option<AccountId>,
    code: String,
}

async fn approve(
    State(api): State<Api>,
    Given(Coded { channel, account, code }): Given<Coded>,
) -> Result<Json<Value>, Problem> {
    let gateway = api.gateway()?;
    let channel = api.one_channel(channel.as_deref())?.id();
    let found = gateway.pairing().approve(&channel, account.as_ref(), &code).await?;
    let it = found.ok_or_else(|| no_request(&code))?;
    let owner = gateway.rules().access.owner_to_configure(&channel, &it.id);
    let owner = owner.map(|owner| owner.entry);
    Ok(Json(json!({ "approved": On { channel, it }, "owner": owner })))
}

async fn reject(
    State(api): State<Api>,
    Given(Coded { channel, account, code }): Given<Coded>,
) -> Result<Json<Value>, Problem> {
    let channel = api.one_channel(channel.as_deref())?.id();
    let found = api.gateway()?.pairing().reject(&channel, account.as_ref(), &code).await?;
    let it = found.ok_or_else(|| no_request(&code))?;
    Ok(Json(json!({ "rejected": On { channel, it } })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approved {
    channel: Option<String>,
    account: AccountId,
    peer: PeerId,
}

async fn revoke(
    State(api): State<Api>,
    Given(Approved { channel, account, peer }): Given<Approved>,
) -> Result<Json<Value>, Problem> {
    let channel = api.one_channel(channel.as_deref())?.id();
    let conversation = Conversation { channel, account, peer };
    if !api.gateway()?.pairing().remove_approval(&conversation).await? {
        let message = format!("{conversation} was not approved");
        let hint = "GET /v1/pairing/approvals lists who was";
        return Err(Problem::new(ProblemKind::NotFound, "not_approved", message, hint));
    }
    Ok(Json(json!({ "revoked": conversation })))
}

fn no_request(code: &str) -> Problem {
    let message = format!("nobody has the code {code:?}, or no longer");
    let hint = "GET /v1/pairing lists who waits";
    Problem::new(ProblemKind::NotFound, "unknown_code", message, hint)
}
