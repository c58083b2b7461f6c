//! What bots say: towards the phones.

use ilink::Code;
use ilink::wire::{self, CdnMedia, Item, ItemKind};

use super::Core;
use crate::phones::News;
use crate::policy::{self, Send};
use crate::problem::Problem;
use crate::registry::LiveBot;
use crate::secret::fingerprint;
use crate::store::{NewSend, Outcome};

/// What the bot is told about its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SendAnswer {
    /// It has this id.
    Queued(u64),
    /// Nothing at all: a tool item was accepted.
    Silence,
    /// It was accepted without an id.
    Suppressed,
    /// It was refused.
    Refused(Code, &'static str),
}

const INVALID: SendAnswer = SendAnswer::Refused(Code::WRONG_PEER, "invalid arguments");

impl Core {
    /// Judges and stores a bot's message and shows it to the user. Sent again
    /// under the same client id, it has the same answer and shows once.
    pub(crate) async fn send(
        self: &std::sync::Arc<Self>,
        bot: &std::sync::Arc<LiveBot>,
        message: wire::Message,
    ) -> Result<SendAnswer, Problem> {
        let Some(user) = message.to_user_id.clone().filter(|user| !user.is_empty()) else {
            return Ok(INVALID);
        };
        let Some(kind) = only_item(&message).and_then(kind_of) else {
            return Ok(INVALID);
        };
        let (now, policy) = (self.now(), self.policy());
        let context = message.context_token.as_ref().map_or("", |token| token.expose());
        let has_context = self.secret.message_of(&bot.id, &user, context).is_some();
        let text =
            only_item(&message).and_then(crate::quote::text_of).unwrap_or_default().to_owned();
        let new = NewSend {
            user: user.clone(),
            bot: bot.id.clone(),
            at: now,
            client_id: message.client_id.as_ref().map(|id| id.as_str().to_owned()),
            media: vec![only_item(&message).and_then(media_of)],
            wire: as_stored(message, bot, now),
            echo: policy.echo,
        };
        let judge = {
            let bot = std::sync::Arc::clone(bot);
            move |chat: &crate::store::ChatState| {
                let send = Send {
                    kind,
                    text: &text,
                    last_inbound_ms: chat.last_inbound_ms,
                    sends_since_inbound: chat.sends_since_inbound,
                    has_context,
                };
                policy.judge(&send, &mut bot.burst.lock(), now)
            }
        };
        let stored = match self.store.send(new, judge).await? {
            Outcome::New(stored) => stored,
            Outcome::Repeated(stored) => return Ok(queued(stored.id, kind)),
            Outcome::Suppressed => return Ok(SendAnswer::Suppressed),
            Outcome::Refused(code, errmsg) => return Ok(SendAnswer::Refused(code, errmsg)),
            Outcome::Strangers => return Ok(INVALID),
        };
        if stored.shown {
            self.phones.tell(&user, News::Message { id: stored.id });
            self.tell_contact(&user, &bot.id);
        }
        if self.policy().echo {
            bot.wake();
        }
        Ok(queued(stored.id, kind))
    }
}

fn queued(id: u64, kind: ItemKind) -> SendAnswer {
    if policy::is_tool(kind) { SendAnswer::Silence } else { SendAnswer::Queued(id) }
}

/// Returns the item of a message that has exactly one.
fn only_item(message: &wire::Message) -> Option<&Item> {
    let items = message.item_list.as_ref()?;
    match items.as_slice() {
        [item] if items.unreadable.is_empty() => Some(item),
        _ => None,
    }
}

/// Returns an item's kind, if what the kind promises is there.
fn kind_of(item: &Item) -> Option<ItemKind> {
    let kind = item.kind?;
    let complete = match kind {
        ItemKind::Text => crate::quote::text_of(item).is_some(),
        ItemKind::Image | ItemKind::Voice | ItemKind::File | ItemKind::Video => {
            cdn_media(item).is_some()
        }
        ItemKind::ToolCallStart => item.tool_call_start_item.is_some(),
        ItemKind::ToolCallResult => item.tool_call_result_item.is_some(),
        ItemKind::Unknown(_) => true,
    };
    complete.then_some(kind)
}

/// Returns where an item's bytes are.
pub(crate) fn cdn_media(item: &Item) -> Option<&CdnMedia> {
    match item.kind? {
        ItemKind::Image => item.image_item.as_ref()?.media.as_ref(),
        ItemKind::Voice => item.voice_item.as_ref()?.media.as_ref(),
        ItemKind::File => item.file_item.as_ref()?.media.as_ref(),
        ItemKind::Video => item.video_item.as_ref()?.media.as_ref(),
        ItemKind::Text
        | ItemKind::ToolCallStart
        | ItemKind::ToolCallResult
        | ItemKind::Unknown(_) => None,
    }
}

/// Returns the name under which an item's bytes are stored.
fn media_of(item: &Item) -> Option<String> {
    cdn_media(item)?.encrypt_query_param.as_deref().map(fingerprint)
}

fn as_stored(mut message: wire::Message, bot: &LiveBot, now: u64) -> wire::Message {
    let at = i64::try_from(now).ok();
    let user = message.to_user_id.clone().unwrap_or_default();
    message.from_user_id = Some(bot.id.clone().into());
    message.context_token = None;
    message.create_time_ms = at;
    message.update_time_ms = at;
    message.session_id = Some(format!("{user}#{}", bot.id));
    message.message_type = Some(wire::MessageType::Bot);
    message
}
