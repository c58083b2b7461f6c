//! Users, and acting as one.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use ilink::{BotId, QrCodeId, UserId, wire};
use serde::Deserialize;

use crate::core::{Core, Quoting, Word};
use crate::phone::{
    ApiError, LoginView, MessageView, Resolver, SendQuery, UserView, message_id, parse, take,
};
use crate::problem::Problem;
use crate::store::{LoginRow, Stored};

/// How much is listed at most.
const MOST_LISTED: u32 = 1_000;

type Spoken = Result<(StatusCode, Json<MessageView>), ApiError>;

pub(super) async fn list(State(core): State<Arc<Core>>) -> Result<Json<Vec<UserView>>, ApiError> {
    let people = core.store.people(MOST_LISTED).await?;
    Ok(Json(people.into_iter().map(UserView::from).collect()))
}

#[derive(Deserialize)]
struct NewUser {
    name: String,
}

pub(super) async fn create(
    State(core): State<Arc<Core>>,
    body: Bytes,
) -> Result<(StatusCode, Json<UserView>), ApiError> {
    let new: NewUser = parse(&body)?;
    let person = core.create_person(&new.name).await?;
    Ok((StatusCode::CREATED, Json(person.into())))
}

/// Whom a user talks to; by default the bot that it bound last.
#[derive(Deserialize)]
pub(super) struct To {
    bot: Option<BotId>,
}

impl To {
    fn bot(self, core: &Core, user: &UserId) -> Result<BotId, ApiError> {
        let own = || core.registry.newest_of(user).map(|bot| bot.id.clone());
        Ok(self.bot.or_else(own).ok_or(Problem::NotFound("bot of this user"))?)
    }
}

#[derive(Deserialize)]
struct Say {
    text: String,
    #[serde(flatten)]
    to: To,
    quote: Option<SayQuote>,
}

#[derive(Deserialize)]
struct SayQuote {
    message_id: String,
    text: Option<String>,
}

pub(super) async fn say(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
    body: Bytes,
) -> Spoken {
    let say: Say = parse(&body)?;
    let user = core.find_person(&user).await?.id;
    let bot = say.to.bot(&core, &user)?;
    let quoting = match say.quote {
        Some(quote) => Some(Quoting { message: message_id(&quote.message_id)?, part: quote.text }),
        None => None,
    };
    let word = Word { quoting, ..Word::text(&say.text) };
    spoken(&core, core.speak(&user, &bot, word).await).await
}

/// Says a message as it travels; what it leaves open is filled in.
pub(super) async fn message(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
    Query(to): Query<To>,
    body: Bytes,
) -> Spoken {
    let message = wire::Message::from_slice(&body)
        .map_err(|err| ApiError::invalid(format!("the message: {err}")))?;
    let user = core.find_person(&user).await?.id;
    let bot = to.bot(&core, &user)?;
    let word = Word { message, ..Word::default() };
    spoken(&core, core.speak(&user, &bot, word).await).await
}

pub(super) async fn media(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
    Query(to): Query<To>,
    query: Result<Query<SendQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Spoken {
    let Query(query) = query?;
    let user = core.find_person(&user).await?.id;
    let bot = to.bot(&core, &user)?;
    let stored = take(&core, &user, &bot, query, &headers, body).await?;
    spoken(&core, Ok(stored)).await
}

async fn spoken(core: &Arc<Core>, stored: Result<Stored, Problem>) -> Spoken {
    let view = Resolver::new(core).message(&stored?).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn meet(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let to: To = parse(&body)?;
    let user = core.find_person(&user).await?.id;
    let bot = to.bot(&core, &user)?;
    core.meet(&user, &bot).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn read(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let to: To = parse(&body)?;
    let user = core.find_person(&user).await?.id;
    let bot = to.bot(&core, &user)?;
    core.mark_read(&user, &bot).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the user's phone shows, oldest first.
pub(super) async fn messages(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
) -> Result<Json<Vec<MessageView>>, ApiError> {
    let user = core.find_person(&user).await?.id;
    let shown = core.store.shown_to(&user, MOST_LISTED).await?;
    Ok(Json(Resolver::new(&core).messages(&shown).await?))
}

#[derive(Deserialize)]
struct Link {
    link: String,
}

pub(super) async fn scan(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<Json<LoginView>, ApiError> {
    let (_, login) = scanned(&core, &user, &body).await?;
    Ok(Json(LoginView::new(&login, core.now())))
}

pub(super) async fn confirm(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<Json<LoginView>, ApiError> {
    let (user, login) = scanned(&core, &user, &body).await?;
    let login = core.confirm(&user, &login.qrcode).await?;
    Ok(Json(LoginView::new(&login, core.now())))
}

pub(super) async fn cancel(
    State(core): State<Arc<Core>>,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<Json<LoginView>, ApiError> {
    let (user, login) = scanned(&core, &user, &body).await?;
    let qrcode: QrCodeId = login.qrcode;
    let login = core.cancel(&user, &qrcode).await?;
    Ok(Json(LoginView::new(&login, core.now())))
}

async fn scanned(core: &Core, user: &str, body: &[u8]) -> Result<(UserId, LoginRow), ApiError> {
    let Link { link } = parse(body)?;
    let user = core.find_person(user).await?.id;
    let login = core.scan(&user, &link).await?;
    Ok((user, login))
}
