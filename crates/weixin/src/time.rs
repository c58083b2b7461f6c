//! The clock, as the store keeps it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ilink::Backoff;

/// Returns the time in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Waits for a while that is spread, so that many waiters do not return at once.
pub(crate) async fn pause(wait: Duration) {
    tokio::time::sleep(Backoff::spread(wait, rand::random())).await;
}
