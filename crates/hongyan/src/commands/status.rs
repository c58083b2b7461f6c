//! `hongyan channels status`

use std::collections::HashMap;

use contract::{AccountId, AccountState, AccountStatus, Channel as _, Probe};
use serde::Serialize;

use crate::cli::StatusArgs;
use crate::composition::State;
use crate::error::CliError;
use crate::output;
use crate::texts::t;

/// One account in the JSON form.
#[derive(Serialize)]
struct Row<'a> {
    channel: &'static str,
    #[serde(flatten)]
    status: &'a AccountStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<&'a Probe>,
}

pub(crate) async fn run(args: &StatusArgs, state: &State) -> Result<(), CliError> {
    let channel = state.channel()?;
    let statuses = channel.status().await?;
    let probes = if args.probe { channel.probe().await? } else { Vec::new() };
    let probes: HashMap<AccountId, Probe> =
        probes.into_iter().map(|probe| (probe.account.clone(), probe)).collect();
    if args.json {
        let row = |status| row(status, &probes);
        output::json(&statuses.iter().map(row).collect::<Vec<_>>());
    } else if statuses.is_empty() {
        output::note(t!("status.none"));
    } else {
        table(&statuses, args.probe.then_some(&probes));
    }
    Ok(())
}

fn row<'a>(status: &'a AccountStatus, probes: &'a HashMap<AccountId, Probe>) -> Row<'a> {
    Row { channel: weixin::CHANNEL_ID, status, probe: probes.get(&status.account) }
}

fn table(statuses: &[AccountStatus], probes: Option<&HashMap<AccountId, Probe>>) {
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
    header.extend(probes.map(|_| t!("status.probe")));
    let row = |status: &AccountStatus| {
        let mut cells = vec![
            called(status),
            state(&status.state),
            output::ago(status.last_poll_at_ms),
            output::ago(status.last_inbound_at_ms),
            output::ago(status.last_outbound_at_ms),
            status.inbox.to_string(),
            status.outbox.to_string(),
            status.parked.to_string(),
        ];
        cells.extend(probes.map(|probes| probed(probes.get(&status.account))));
        cells
    };
    output::table(header, statuses.iter().map(row));
}

fn called(status: &AccountStatus) -> String {
    let id = &status.account;
    status.name.as_ref().map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
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

fn probed(probe: Option<&Probe>) -> String {
    match probe {
        Some(Probe { ok: true, took_ms, .. }) => t!("status.probe.ok", ms = took_ms).into_owned(),
        Some(Probe { detail, .. }) => t!("status.probe.failed", why = detail).into_owned(),
        None => String::new(),
    }
}
