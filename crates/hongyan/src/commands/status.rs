//! `hongyan channels status`

use std::collections::HashMap;

use comfy_table::{ContentArrangement, Table, presets};
use contract::{AccountId, AccountState, AccountStatus, Channel as _, Probe};
use jiff::{SpanRound, Timestamp, Unit};
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
        output::line(table(&statuses, args.probe.then_some(&probes)).to_string());
    }
    Ok(())
}

fn row<'a>(status: &'a AccountStatus, probes: &'a HashMap<AccountId, Probe>) -> Row<'a> {
    Row { channel: weixin::CHANNEL_ID, status, probe: probes.get(&status.account) }
}

fn table(statuses: &[AccountStatus], probes: Option<&HashMap<AccountId, Probe>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    if let Some(columns) = output::result_columns() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(columns);
    }
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
    table.set_header(header);
    let now = Timestamp::now();
    for status in statuses {
        let mut cells = vec![
            status.account.to_string(),
            state(&status.state),
            ago(status.last_poll_at_ms, now),
            ago(status.last_inbound_at_ms, now),
            ago(status.last_outbound_at_ms, now),
            status.inbox.to_string(),
            status.outbox.to_string(),
            status.parked.to_string(),
        ];
        cells.extend(probes.map(|probes| probed(probes.get(&status.account))));
        table.add_row(cells);
    }
    table
}

fn state(state: &AccountState) -> String {
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

/// Says how long ago a moment was, in its two largest units.
fn ago(at_ms: Option<i64>, now: Timestamp) -> String {
    let Some(at) = at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
        return t!("status.never").into_owned();
    };
    let unit = match now.duration_since(at).as_secs() {
        ..3_600 => Unit::Second,
        3_600..86_400 => Unit::Minute,
        _ => Unit::Hour,
    };
    let round = SpanRound::new().smallest(unit).largest(Unit::Hour);
    match now.since(at).and_then(|span| span.round(round)) {
        Ok(span) => t!("status.ago", time = format!("{span:#}")).into_owned(),
        Err(_) => at.to_string(),
    }
}
