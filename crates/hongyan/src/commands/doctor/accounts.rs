//! The accounts: whether they work, and whether they are ours alone.

use std::path::Path;

use contract::AccountState;
use lockfile::Owner;

use super::{Finding, Verdict, Words};
use crate::commands::status::{self, Row};
use crate::composition::State;
use crate::texts::t;

/// Asks the gateway that runs, or else the channel's own files.
pub(super) async fn all(probe: bool, state: &State) -> Vec<Finding> {
    let mut findings = match status::rows(probe, state, || Ok(state.clone())).await {
        Ok(rows) if rows.is_empty() => {
            let text = t!("doctor.accounts.none");
            vec![Finding::bad("accounts", Verdict::Note, text, t!("hint.login_again"))]
        }
        Ok(rows) => rows.iter().map(account).collect(),
        Err(err) => vec![Finding::fault("accounts", err)],
    };
    let settings = state.weixin();
    match settings.pollers() {
        Ok(pollers) => findings.extend(
            pollers
                .iter()
                .filter_map(|(account, owner)| twice(account.as_str(), owner, &settings.dir)),
        ),
        Err(err) => findings.push(Finding::fault("accounts", err.into())),
    }
    findings
}

fn account(row: &Row) -> Finding {
    let status = &row.status;
    let said = status::state(&status.state);
    let text = t!("doctor.account", account = status.account, state = said);
    let bad = |verdict, fix: Words| Finding::bad("account", verdict, text.clone(), fix);
    if let Some(probe) = row.probe.as_ref().filter(|probe| !probe.ok) {
        let text = t!("doctor.account", account = status.account, state = probe.detail);
        return Finding::bad("account", Verdict::Fault, text, t!("hint.login_again"));
    }
    match &status.state {
        AccountState::NeedsLogin { .. } => bad(Verdict::Fault, t!("hint.login_again")),
        AccountState::Degraded { .. } => bad(Verdict::Warning, t!("hint.gateway_logs")),
        AccountState::Stopped | AccountState::Starting | AccountState::Polling
            if status.parked + status.failed > 0 =>
        {
            bad(Verdict::Warning, t!("hint.outbox"))
        }
        AccountState::Stopped | AccountState::Starting | AccountState::Polling => {
            Finding::good("account", text)
        }
    }
}

/// Two that poll one token take each other's messages.
fn twice(account: &str, owner: &Owner, dir: &Path) -> Option<Finding> {
    let whole = |dir: &Path| dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let is_ours = owner.folder.as_deref().is_some_and(|folder| whole(folder) == whole(dir));
    (!is_ours).then(|| {
        let text = t!("doctor.twice", account = account, owner = owner);
        Finding::bad("token", Verdict::Fault, text, t!("doctor.twice.fix"))
    })
}
