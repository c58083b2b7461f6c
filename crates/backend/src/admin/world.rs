//! The whole: statistics, time, rules, what was asked.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::clock::millis;
use crate::core::Core;
use crate::phone::{ApiError, parse};
use crate::policy::Policy;
use crate::recorder::Request;
use crate::store::Counts;

#[derive(Serialize)]
pub(super) struct Stats {
    #[serde(flatten)]
    counts: Counts,
    bots_online: usize,
    open_phones: usize,
    faults: usize,
    up_ms: u64,
}

pub(super) async fn stats(State(core): State<Arc<Core>>) -> Result<Json<Stats>, ApiError> {
    Ok(Json(Stats {
        counts: core.store.counts().await?,
        bots_online: core.registry.all().iter().filter(|bot| bot.is_online(core.now())).count(),
        open_phones: core.limits.phones - core.phones.room(),
        faults: core.faults.list().len(),
        up_ms: millis(core.started.elapsed()),
    }))
}

#[derive(Serialize)]
pub(super) struct Time {
    now: u64,
    offset_ms: u64,
}

pub(super) async fn clock(State(core): State<Arc<Core>>) -> Json<Time> {
    Json(Time { now: core.now(), offset_ms: millis(core.clock.offset()) })
}

#[derive(Deserialize)]
struct Advance {
    advance_ms: u64,
}

/// The farthest jump. Keeps message ids within what the store can hold.
const FARTHEST_MS: u64 = 10 * 365 * 86_400_000;

pub(super) async fn advance(
    State(core): State<Arc<Core>>,
    body: Bytes,
) -> Result<Json<Time>, ApiError> {
    let Advance { advance_ms } = parse(&body)?;
    if millis(core.clock.offset()).saturating_add(advance_ms) > FARTHEST_MS {
        return Err(ApiError::invalid("the clock goes at most ten years ahead"));
    }
    core.clock.advance(Duration::from_millis(advance_ms));
    Ok(clock(State(core)).await)
}

pub(super) async fn policy(State(core): State<Arc<Core>>) -> Json<Policy> {
    Json((*core.policy()).clone())
}

/// New rules: by name, or as an object of what differs from the open policy.
#[derive(Deserialize)]
#[serde(untagged)]
enum NewPolicy {
    Named { name: String },
    Rules(serde_json::Map<String, serde_json::Value>),
}

pub(super) async fn set_policy(
    State(core): State<Arc<Core>>,
    body: Bytes,
) -> Result<Json<Policy>, ApiError> {
    let policy = match parse(&body)? {
        NewPolicy::Named { name } => match name.as_str() {
            "open" => Policy::open(),
            "tencent" => Policy::tencent(),
            _ => return Err(ApiError::invalid("there are the policies `open` and `tencent`")),
        },
        NewPolicy::Rules(rules) => serde_json::from_value(rules.into())
            .map_err(|err| ApiError::invalid(format!("the policy: {err}")))?,
    };
    core.set_policy(policy.clone());
    Ok(Json(policy))
}

pub(super) async fn requests(State(core): State<Arc<Core>>) -> Json<Vec<Request>> {
    Json(core.recorder.list())
}
