//! What happens, told as it happens: server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use ilink::UserId;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;

use super::error::ApiError;
use super::view::{LoginView, Resolver};
use crate::core::Core;
use crate::phones::{News, Phone};
use crate::problem::Problem;

/// How often a quiet stream says that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
pub(super) struct OfUser {
    user: UserId,
}

pub(super) async fn follow(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfUser>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let phone = core.phones.open(&path.user).ok_or(Problem::Full("too many phones are open"))?;
    let mut first = VecDeque::from([("hello", format!(r#"{{"now":{}}}"#, core.now()))]);
    // A page that comes back may have missed something: it reads again.
    if headers.contains_key("last-event-id") {
        first.push_back(RESET);
    }
    let telling = Telling { core, user: path.user, phone, waiting: first, n: 0 };
    let events = stream::unfold(telling, Telling::next);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

const RESET: (&str, String) = ("reset", String::new());

struct Telling {
    core: Arc<Core>,
    user: UserId,
    phone: Phone,
    waiting: VecDeque<(&'static str, String)>,
    n: u64,
}

impl Telling {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some((name, data)) = self.waiting.pop_front() {
                self.n += 1;
                let data = if data.is_empty() { "{}" } else { &data };
                let event = Event::default().event(name).id(self.n.to_string()).data(data);
                return Some((Ok(event), self));
            }
            let news = tokio::select! {
                news = self.phone.news.recv() => news,
                () = self.core.stopping.cancelled() => return None,
            };
            match news {
                Ok(news) => match self.tell(news).await {
                    Ok(told) => self.waiting.extend(told),
                    Err(err) => {
                        tracing::warn!(error = %err, "an event could not be told");
                        self.waiting.push_back(RESET);
                    }
                },
                Err(RecvError::Lagged(_)) => self.waiting.push_back(RESET),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn tell(&self, news: News) -> Result<Option<(&'static str, String)>, Problem> {
        let resolver = Resolver::new(&self.core);
        Ok(match news {
            News::Message { id } => match self.core.store.message(&self.user, id).await? {
                Some(stored) => Some(("message", json(&resolver.message(&stored).await?))),
                None => None,
            },
            News::Delivered { bot, up_to } => {
                let up_to = up_to.to_string();
                Some(("delivered", json(&serde_json::json!({ "bot": bot, "up_to": up_to }))))
            }
            News::Typing { bot, on } => {
                Some(("typing", json(&serde_json::json!({ "bot": bot, "on": on }))))
            }
            News::Contact { bot } => {
                let contact = self.core.contact(&self.user, &bot).await?;
                Some(("contact", json(&resolver.contact(&self.user, contact))))
            }
            News::Login { qrcode } => {
                let login = self.core.login(&qrcode).await?;
                Some(("login", json(&LoginView::new(&login, self.core.now()))))
            }
        })
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
