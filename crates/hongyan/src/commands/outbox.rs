//! `hongyan outbox`

use contract::{Channel as _, Delivery, OutboxAction, OutboxEntry};

use crate::cli::{OutboxActArgs, OutboxCommand};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

pub(crate) async fn run(command: OutboxCommand, state: &State) -> Result<(), CliError> {
    match command {
        OutboxCommand::List { json } => list(json, state).await,
        OutboxCommand::Drop(args) => act(OutboxAction::Drop, &args, state).await,
        OutboxCommand::Retry(args) => act(OutboxAction::Retry, &args, state).await,
    }
}

async fn list(json: bool, state: &State) -> Result<(), CliError> {
    let entries = state.channel()?.outbox().await?;
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

async fn act(action: OutboxAction, args: &OutboxActArgs, state: &State) -> Result<(), CliError> {
    let channel = state.channel()?;
    let ids = if args.all {
        channel.outbox().await?.iter().map(|entry| entry.id).collect()
    } else {
        args.ids.clone()
    };
    if ids.is_empty() && !args.all {
        return Err(CliError::new(Kind::Usage, t!("outbox.which")));
    }
    let n = channel.act(action, &ids).await?;
    if args.json {
        output::json(&serde_json::json!({ "changed": n }));
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
