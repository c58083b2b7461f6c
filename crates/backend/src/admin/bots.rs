//! Bots.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use ilink::{BotId, BotToken, UserId};
use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::links;
use crate::phone::{ApiError, MessageView, Resolver, parse};

/// How much is listed at most.
const MOST_LISTED: u32 = 1_000;

#[derive(Serialize)]
pub(super) struct BotView {
    bot: BotId,
    user: UserId,
    name: String,
    created_at: u64,
    online: bool,
    stale: bool,
}

pub(super) async fn list(State(core): State<Arc<Core>>) -> Json<Vec<BotView>> {
    let mut bots = core.registry.all();
    bots.sort_by_key(|bot| (bot.created_at, bot.id.clone()));
    let view = |bot: &Arc<crate::registry::LiveBot>| BotView {
        bot: bot.id.clone(),
        user: bot.user.clone(),
        name: bot.name(),
        created_at: bot.created_at,
        online: bot.is_online(core.now()),
        stale: bot.is_stale(core.now()),
    };
    Json(bots.iter().map(view).collect())
}

#[derive(Deserialize)]
struct Bind {
    user: String,
}

#[derive(Serialize)]
pub(super) struct Bound {
    bot_token: BotToken,
    ilink_bot_id: BotId,
    baseurl: String,
    cdn_url: String,
    ilink_user_id: UserId,
}

pub(super) async fn bind(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Bound>), ApiError> {
    let Bind { user } = parse(&body)?;
    let user = core.find_person(&user).await?.id;
    let bot = core.bind(&user).await?;
    let base = core.place.base(&headers);
    let bound = Bound {
        bot_token: core.secret.bot_token(&bot),
        ilink_bot_id: bot,
        cdn_url: links::cdn(&base),
        baseurl: base,
        ilink_user_id: user,
    };
    Ok((StatusCode::CREATED, Json(bound)))
}

pub(super) async fn make_stale(
    State(core): State<Arc<Core>>,
    Path(bot): Path<BotId>,
) -> Result<StatusCode, ApiError> {
    core.make_stale(&bot).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A message of a bot, and whether the phone shows it.
#[derive(Serialize)]
pub(super) struct SentView {
    shown: bool,
    #[serde(flatten)]
    message: MessageView,
}

/// Everything that a bot sent and was accepted, oldest first.
pub(super) async fn sent(
    State(core): State<Arc<Core>>,
    Path(bot): Path<BotId>,
) -> Result<Json<Vec<SentView>>, ApiError> {
    let resolver = Resolver::new(&core);
    let mut views = Vec::new();
    for stored in core.store.sent_by(&bot, MOST_LISTED).await? {
        let message = resolver.message(&stored).await?;
        views.push(SentView { shown: stored.shown, message });
    }
    Ok(Json(views))
}
