//! `hongyan channels status`

use std::collections::HashMap;

use contract::{AccountId, AccountState, AccountStatus, Channel as _, ChannelId, Probe};
use serde::{Deserialize, Serialize};

use super::place::Place;
use super::which::{There, Which};
use crate::cli::StatusArgs;
use crate::composition::State;
use crate::error::CliError;
use crate::output;
use crate::texts::t;

/// One account, as a running gateway answers it and as it is printed.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) channel: ChannelId,
    #[serde(flatten)]
    pub(super) status: AccountStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) probe: Option<Probe>,
}

pub(crate) async fn run(
    args: &StatusArgs,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let rows = match &args.channel {
        None => rows(args.probe, found, load).await?,
        Some(name) => match Which::find(name, found, &load).await? {
            Which::BuiltIn => {
                let mut rows = rows(args.probe, found, load).await?;
                rows.retain(|row| row.channel.as_str() == weixin::CHANNEL_ID);
                rows
            }
            Which::Plugin(there) => of_channel(&there, args.probe).await?,
        },
    };
    if args.json {
        output::json(&rows);
    } else if rows.is_empty() {
        output::note(t!("status.none"));
    } else {
        table(&rows, args.probe);
    }
    Ok(())
}

/// Asks the gateway that runs about one of its channels.
pub(super) async fn of_channel(there: &There, probe: bool) -> Result<Vec<Row>, CliError> {
    let There { client, channel } = there;
    client.get(&format!("/v1/accounts?probe={probe}&channel={channel}")).await
}

/// Asks the gateway that runs, or else the channel's own files.
pub(super) async fn rows(
    probe: bool,
    found: &State,
    load: impl FnOnce() -> Result<State, CliError>,
) -> Result<Vec<Row>, CliError> {
    let state = match Place::find(found, load).await? {
        Place::Gateway(client) => return client.get(&format!("/v1/accounts?probe={probe}")).await,
        Place::Folder(state) => state,
    };
    let channel = state.channel()?;
    let statuses = channel.status().await?;
    let probes = if probe { channel.probe().await? } else { Vec::new() };
    let mut probes: HashMap<AccountId, Probe> =
        probes.into_iter().map(|probe| (probe.account.clone(), probe)).collect();
    let row = |status: AccountStatus| {
        let probe = probes.remove(&status.account);
        Row { channel: channel.id(), status, probe }
    };
    Ok(statuses.into_iter().map(row).collect())
}

fn table(rows: &[Row], probed: bool) {
    let mut header = vec![
        t!("status.account"),
        t!("status.state"),
        t!("status.last_poll"),
        t!("status.last_in"),
        t!("status.last_out"),
        t!("status.inbox"),
        t!("status.outbox"),
        t!("status.parked"),
    ];
    header.extend(probed.then(|| t!("status.probe")));
    let row = |Row { channel, status, probe }: &Row| {
        let mut cells = vec![
            called(channel, status),
            state(&status.state),
            output::ago(status.last_poll_at_ms),
            output::ago(status.last_inbound_at_ms),
            output::ago(status.last_outbound_at_ms),
            status.inbox.to_string(),
            status.outbox.to_string(),
            status.parked.to_string(),
        ];
        cells.extend(probed.then(|| answer(probe.as_ref())));
        cells
    };
    output::table(header, rows.iter().map(row));
}

/// The channel is named where it is not the one that everybody means.
fn called(channel: &ChannelId, status: &AccountStatus) -> String {
    let id = &status.account;
    let called = match &status.name {
        Some(name) => format!("{name} ({id})"),
        None => id.to_string(),
    };
    if channel.as_str() == weixin::CHANNEL_ID { called } else { format!("{channel}: {called}") }
}

pub(super) fn state(state: &AccountState) -> String {
    match state {
        AccountState::Stopped => t!("state.stopped"),
        AccountState::Starting => t!("state.starting"),
        AccountState::Polling => t!("state.polling"),
        AccountState::Degraded { reason, .. } => t!("state.degraded", reason = reason),
        AccountState::NeedsLogin { reason, .. } => t!("state.needs_login", reason = reason),
    }
    .into_owned()
}

fn answer(probe: Option<&Probe>) -> String {
    match probe {
        Some(Probe { ok: true, took_ms, .. }) => t!("status.probe.ok", ms = took_ms).into_owned(),
        Some(Probe { detail, .. }) => t!("status.probe.failed", why = detail).into_owned(),
        None => String::new(),
    }
}
