//! `notifystart` and `notifystop`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use ilink::wire::Notify;

use super::{Failure, OK, bot_of, read};
use crate::core::Core;

pub(super) async fn start(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let bot = bot_of(&core, &headers)?;
    let request = read(&body, Notify::from_slice)?;
    let agent = request.base_info.and_then(|info| info.bot_agent).unwrap_or_default();
    if let Some(name) = product(&agent)
        && bot.rename(name)
    {
        core.store.rename_bot(&bot.id, name).await.map_err(crate::problem::Problem::from)?;
        core.tell_contact(&bot.user, &bot.id);
    }
    core.appear(&bot, true);
    Ok(OK.into_response())
}

pub(super) async fn stop(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let bot = bot_of(&core, &headers)?;
    core.appear(&bot, false);
    Ok(OK.into_response())
}

/// Returns the first product's name in a `bot_agent`.
fn product(agent: &str) -> Option<&str> {
    const LONGEST: usize = 32;
    let name = agent.split([' ', '/']).next().unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (!name.is_empty() && name.len() <= LONGEST && name.chars().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::product;

    #[test]
    fn the_first_product_names_the_bot() {
        assert_eq!(product("Hongyan/0.1 (demo) Other/2"), Some("Hongyan"));
        assert_eq!(product("OpenClaw"), Some("OpenClaw"));
        assert_eq!(product(""), None);
        assert_eq!(product("<b>/1"), None);
    }
}
