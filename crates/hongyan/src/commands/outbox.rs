//! `hongyan outbox`

use contract::{Channel as _, Delivery, OutboxAction, OutboxEntry};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::which::Desk;
use crate::cli::{OutboxActArgs, OutboxCommand};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

pub(crate) async fn run(
    command: OutboxCommand,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let channel = match &command {
        OutboxCommand::List { channel, .. } => channel,
        OutboxCommand::Drop(args) | OutboxCommand::Retry(args) => &args.channel,
    };
    let desk = Desk::find(channel, found, load).await?;
    match command {
        OutboxCommand::List { json, .. } => list(json, &desk).await,
        OutboxCommand::Drop(args) => act(OutboxAction::Drop, &args, &desk).await,
        OutboxCommand::Retry(args) => act(OutboxAction::Retry, &args, &desk).await,
    }
}

/// What has been done.
#[derive(Serialize, Deserialize)]
struct Changed {
    changed: usize,
}

async fn entries(desk: &Desk) -> Result<Vec<OutboxEntry>, CliError> {
    match desk {
        Desk::There(there) => {
            there.client.get(&format!("/v1/outbox?channel={}", there.channel)).await
        }
        Desk::Here(channel) => Ok(channel.outbox().await?),
    }
}

async fn change(desk: &Desk, action: OutboxAction, ids: &[i64]) -> Result<Changed, CliError> {
    match desk {
        Desk::There(there) => {
            let body = json!({ "channel": there.channel, "action": action, "ids": ids });
            there.client.post("/v1/outbox", &body).await
        }
        Desk::Here(channel) => Ok(Changed { changed: channel.act(action, ids).await? }),
    }
}

async fn list(json: bool, desk: &Desk) -> Result<(), CliError> {
    let entries = entries(desk).await?;
    if json {
        output::json(&entries);
    } else if entries.is_empty() {
        output::note(t!("outbox.empty"));
    } else {
        let header = [
            t!("outbox.id"),
            t!("outbox.to"),
            t!("outbox.class"),
            t!("outbox.says"),
            t!("outbox.state"),
            t!("outbox.attempts"),
            t!("outbox.since"),
        ];
        output::table(header, entries.iter().map(row));
    }
    Ok(())
}

fn row(entry: &OutboxEntry) -> [String; 7] {
    let to = entry.peer_name.clone().unwrap_or_else(|| entry.conversation.peer.to_string());
    [
        entry.id.to_string(),
        to,
        entry.class.clone(),
        entry.excerpt.clone(),
        delivery(&entry.delivery),
        entry.attempts.to_string(),
        output::ago(Some(entry.created_at_ms)),
    ]
}

fn delivery(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Queued => t!("delivery.queued").into_owned(),
        Delivery::Sent => t!("delivery.sent").into_owned(),
        Delivery::Unconfirmed => t!("delivery.unconfirmed").into_owned(),
        Delivery::Parked { code, until } => {
            t!("delivery.parked", until = until, code = code).into_owned()
        }
        Delivery::Failed { code, reason } => {
            t!("delivery.failed", reason = reason, code = code).into_owned()
        }
    }
}

async fn act(action: OutboxAction, args: &OutboxActArgs, desk: &Desk) -> Result<(), CliError> {
    let ids = if args.all {
        entries(desk).await?.iter().map(|entry| entry.id).collect()
    } else {
        args.ids.clone()
    };
    if ids.is_empty() && !args.all {
        return Err(CliError::new(Kind::Usage, t!("outbox.which")));
    }
    let done = change(desk, action, &ids).await?;
    let n = done.changed;
    if args.json {
        output::json(&done);
    } else {
        match action {
            OutboxAction::Drop => output::done(t!("outbox.dropped", n = n)),
            OutboxAction::Retry => output::done(t!("outbox.retried", n = n)),
        }
    }
    if n < ids.len() {
        let missing = ids.len() - n;
        return Err(
            CliError::new(Kind::Usage, t!("outbox.unknown", n = missing)).hinted(t!("hint.outbox"))
        );
    }
    Ok(())
}
