//! Who would answer whom. Field names are those of OpenClaw.

use axum::Json;
use axum::extract::State;
use contract::{AccountId, Conversation, PeerId, Sender};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Explanation;
use crate::control::Problem;
use crate::control::api::Api;
use crate::control::params::Asked;
use crate::control::schema::{count, flag, list, maybe, name, object, one_of, text};
use crate::control::table::{Operation, Verb, operation};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        operation(Verb::Get, "/v1/route", "explain", explain)
            .summary("Who would answer a peer, whether they would be heard, and why, by the rules that hold now. `owner` says that they have logged the account in.")
            .query(object([
                ("channel?", name()),
                ("account", name()),
                ("peer", name()),
                ("owner?", flag()),
            ]))
            .answers(schema()),
    ]
}

fn schema() -> Value {
    let route = object([
        ("agentId", text()),
        ("sessionKey", text()),
        ("mainSessionKey", text()),
        ("matchedBy", text()),
        ("dmScope", text()),
    ]);
    let binding = object([
        ("index", count()),
        ("binding", json!({ "type": "object" })),
        ("matchedBy", maybe(&text())),
        ("mismatch", maybe(&text())),
        ("wins", flag()),
    ]);
    let access = object([
        ("dmPolicy", one_of(&["pairing", "allowlist", "open", "disabled"])),
        ("decision", json!({ "anyOf": [text(), { "type": "object" }] })),
        ("approved", flag()),
        ("admitted", flag()),
        ("commands", one_of(&["all", "reset_only", "nothing"])),
    ]);
    object([
        ("channel", text()),
        ("account", text()),
        ("peer", text()),
        ("route", maybe(&route)),
        ("error", maybe(&text())),
        ("bindings", list(&binding)),
        ("access", access),
        ("faults", list(&text())),
    ])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    channel: Option<String>,
    account: AccountId,
    peer: PeerId,
    #[serde(default)]
    owner: bool,
}

/// What is answered.
#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    conversation: Conversation,
    #[serde(flatten)]
    explanation: Explanation,
    /// What of the rules cannot be read.
    faults: Vec<String>,
}

async fn explain(
    State(api): State<Api>,
    Asked(Wanted { channel, account, peer, owner }): Asked<Wanted>,
) -> Result<Json<Explained>, Problem> {
    let gateway = api.gateway()?;
    let channel = api.one_channel(channel.as_deref())?.id();
    let conversation = Conversation { channel, account, peer };
    // No turn is asked about.
    let sender = Sender { conversation, turn: "explain".into(), is_owner: owner };
    let explanation = gateway.explain(&sender)?;
    let faults = gateway.rules().access.faults().collect();
    Ok(Json(Explained { conversation: sender.conversation, explanation, faults }))
}
