//! The accounts of the channels.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use contract::{AccountId, AccountStatus, Channel, ChannelId, Probe};
use serde::{Deserialize, Serialize};

use crate::control::api::Api;
use crate::control::params::Asked;
use crate::control::schema::{flag, list, name, named, object};
use crate::control::table::{Operation, Verb, operation};
use crate::control::{Problem, ProblemKind};

/// How long a channel may ask its backend about its accounts.
const PROBE: Duration = Duration::from_secs(30);

pub(super) fn operations() -> Vec<Operation> {
    vec![
        operation(Verb::Get, "/v1/accounts", "accounts", accounts)
            .summary("Where each account stands; with `probe`, what its backend says now.")
            .query(object([("channel?", name()), ("probe?", flag())]))
            .answers(list(&named("Account"))),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    channel: Option<String>,
    #[serde(default)]
    probe: bool,
}

/// One account.
#[derive(Serialize)]
struct Account {
    channel: ChannelId,
    #[serde(flatten)]
    status: AccountStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<Probe>,
}

async fn accounts(
    State(api): State<Api>,
    Asked(which): Asked<Which>,
) -> Result<Json<Vec<Account>>, Problem> {
    let mut accounts = Vec::new();
    for channel in api.channels(which.channel.as_deref())? {
        let statuses = channel.status().await?;
        let mut probes = if which.probe { probes(&*channel).await? } else { HashMap::new() };
        accounts.extend(statuses.into_iter().map(|status| {
            let probe = probes.remove(&status.account);
            Account { channel: channel.id(), status, probe }
        }));
    }
    Ok(Json(accounts))
}

async fn probes(channel: &dyn Channel) -> Result<HashMap<AccountId, Probe>, Problem> {
    let Ok(probes) = tokio::time::timeout(PROBE, channel.probe()).await else {
        let message = format!("the channel {} has not answered", channel.id());
        let hint = "ask without `probe`";
        return Err(Problem::new(ProblemKind::Unavailable, "probe_timed_out", message, hint));
    };
    Ok(probes?.into_iter().map(|probe| (probe.account.clone(), probe)).collect())
}
