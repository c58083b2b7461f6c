//! Bringing an account here, as a stream of events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use contract::{ChannelError, LoginFace, LoginRequest};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::Problem;
use crate::control::api::Api;
use crate::control::logins::{Following, Own, Told};
use crate::control::params::{Given, Part};
use crate::control::schema::{flag, name, object};
use crate::control::table::{Operation, Verb, operation};
use crate::control::token::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        operation(Verb::Post, "/v1/channels/{channel}/login", "login", login)
            .summary("Logs an account in. The first event names the login; closing the connection gives it up.")
            .scope(Scope::Admin)
            .body(object([
                ("name?", name()),
                ("base_url?", name()),
                ("fresh?", flag()),
                ("language?", name()),
            ]))
            .streams(json!({ "type": "object", "required": ["event"] })),
        operation(Verb::Post, "/v1/logins/{login}/code", "login_code", code)
            .summary("Gives a login the digits that the phone shows.")
            .scope(Scope::Admin)
            .body(object([("code", name())]))
            .answers(object([("accepted", flag())])),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: Option<String>,
    base_url: Option<String>,
    #[serde(default)]
    fresh: bool,
    language: Option<String>,
}

async fn login(
    State(api): State<Api>,
    Part(channel): Part<String>,
    Given(wanted): Given<Wanted>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let channel = api.channel(&channel)?;
    let (following, mut events) = api.logins().begin()?;
    let Wanted { name, base_url, fresh, language } = wanted;
    let request = LoginRequest { name, base_url, fresh, language };
    let running = async move {
        let face: Arc<dyn LoginFace> = Arc::<Following>::clone(&following);
        match channel.login(request, face).await {
            // The last event has said it.
            Ok(_) | Err(ChannelError::Login(_)) => {}
            Err(err) => following.say(Told::Own(Own::Ended { problem: err.into() })),
        }
    };
    // The login lives in the stream: it is given up when the connection goes.
    let mut running = Some(Box::pin(running));
    let told = stream::poll_fn(move |context| {
        if let Some(login) = &mut running
            && login.as_mut().poll(context).is_ready()
        {
            running = None;
        }
        events.poll_recv(context).map(|told| told.map(|told| Ok(event(&told))))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::default()))
}

fn event(told: &Told) -> Event {
    // What it is made of cannot fail to be written; if it did, nothing is said.
    let text = serde_json::to_string(told).unwrap_or_default();
    Event::default().data(text)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

async fn code(
    State(api): State<Api>,
    Part(login): Part<u64>,
    Given(it): Given<Code>,
) -> Result<Json<Value>, Problem> {
    api.logins().answer(login, it.code)?;
    Ok(Json(json!({ "accepted": true })))
}
