//! What the page is told, as JSON.

use std::sync::Arc;

use ilink::wire::{Item, ItemKind};
use ilink::{BotId, UserId};
use serde::Serialize;

use super::markdown;
use crate::core::Core;
use crate::login::Login;
use crate::problem::Problem;
use crate::quote;
use crate::sniff;
use crate::store::{Contact, LoginRow, Note, Person, Stored};
use ilink::wire::LoginStatus;

#[derive(Debug, Serialize)]
pub(crate) struct UserView {
    id: UserId,
    name: String,
    created_at: u64,
}

impl From<Person> for UserView {
    fn from(person: Person) -> Self {
        Self { id: person.id, name: person.name, created_at: person.created_at }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct ContactView {
    bot: BotId,
    name: String,
    online: bool,
    unread: u64,
    typing: bool,
    stale: bool,
    last: Option<LastView>,
}

#[derive(Debug, Serialize)]
struct LastView {
    text: String,
    at: u64,
    from: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct MessageView {
    id: String,
    bot: BotId,
    from: &'static str,
    at: u64,
    local_id: Option<String>,
    state: &'static str,
    run_id: Option<String>,
    items: Vec<ItemView>,
    quote: Option<QuoteView>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum ItemView {
    Text {
        text: String,
        html: Option<String>,
    },
    Image {
        url: String,
        thumb_url: Option<String>,
        width: Option<u32>,
        height: Option<u32>,
        size: u64,
    },
    Voice {
        url: String,
        duration_ms: u64,
        text: Option<String>,
        format: &'static str,
    },
    File {
        url: String,
        name: String,
        size: u64,
    },
    Video {
        url: String,
        thumb_url: Option<String>,
        duration_ms: Option<u64>,
        width: Option<u32>,
        height: Option<u32>,
        size: u64,
    },
    Tool {
        tool: String,
        call_id: String,
        status: String,
    },
    Unsupported {
        wire_type: i64,
    },
}

#[derive(Debug, Serialize)]
struct QuoteView {
    message_id: Option<String>,
    from: Option<&'static str>,
    text: String,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct LoginView {
    qrcode: String,
    status: &'static str,
    verify_code: Option<String>,
    verify_wrong: u32,
    bot: Option<BotId>,
    already_bound: bool,
}

impl LoginView {
    pub(crate) fn new(row: &LoginRow, now: u64) -> Self {
        let expired = row.state.status(now >= row.expires_at) == LoginStatus::Expired;
        let (status, wrong, bot) = match &row.state {
            Login::Cancelled { .. } => ("cancelled", 0, None),
            Login::Confirmed { bot, .. } | Login::AlreadyBound { bot, .. } => {
                ("confirmed", 0, Some(bot.clone()))
            }
            Login::Blocked { wrong, .. } => ("expired", *wrong, None),
            _ if expired => ("expired", 0, None),
            Login::Waiting | Login::Scanned { .. } => ("scanned", 0, None),
            Login::Verifying { wrong, .. } => ("verify", *wrong, None),
        };
        Self {
            qrcode: row.qrcode.as_str().to_owned(),
            status,
            verify_code: row.state.digits().filter(|_| !expired).map(str::to_owned),
            verify_wrong: wrong,
            bot,
            already_bound: matches!(row.state, Login::AlreadyBound { .. }),
        }
    }
}

/// Makes views, looking up what a message refers to.
pub(crate) struct Resolver {
    core: Arc<Core>,
}

impl Resolver {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        Self { core: Arc::clone(core) }
    }

    pub(crate) fn contact(&self, user: &UserId, contact: Contact) -> ContactView {
        let bot = contact.bot;
        let live = self.core.registry.get(&bot.id);
        ContactView {
            name: live.as_ref().map_or(bot.name, |live| live.name()),
            online: live.as_ref().is_some_and(|live| live.is_online(self.core.now())),
            unread: contact.unread,
            typing: self.core.is_typing(user, &bot.id),
            stale: live.is_none_or(|live| live.is_stale(self.core.now())),
            last: contact.last.map(|last| self.last(&last)),
            bot: bot.id,
        }
    }

    fn last(&self, stored: &Stored) -> LastView {
        let message = stored.message();
        let items = message.item_list.as_deref().map_or(&[][..], Vec::as_slice);
        let lines = items.iter().map(line).filter(|line| !line.is_empty());
        let text = lines.collect::<Vec<_>>().join(" ");
        LastView { text: shorten(&text), at: stored.at, from: from(stored) }
    }

    pub(crate) async fn messages(&self, stored: &[Stored]) -> Result<Vec<MessageView>, Problem> {
        let mut views = Vec::with_capacity(stored.len());
        for it in stored {
            views.push(self.message(it).await?);
        }
        Ok(views)
    }

    pub(crate) async fn message(&self, stored: &Stored) -> Result<MessageView, Problem> {
        let message = stored.message();
        let items = message.item_list.as_deref().map_or(&[][..], Vec::as_slice);
        let view = |(index, item)| self.item(stored, index, item);
        Ok(MessageView {
            id: stored.id.to_string(),
            bot: stored.bot.clone(),
            from: from(stored),
            at: stored.at,
            local_id: stored.local_id.clone(),
            state: if stored.delivered { "delivered" } else { "sent" },
            run_id: message.run_id.as_ref().map(|id| id.as_str().to_owned()),
            items: items.iter().enumerate().map(view).collect(),
            quote: self.quote(stored, items.first()).await?,
        })
    }

    fn item(&self, stored: &Stored, index: usize, item: &Item) -> ItemView {
        let note = stored.notes.get(index).cloned().unwrap_or_default();
        let url = format!("/phone/api/u/{}/media/{}/{index}", stored.user, stored.id);
        let thumb = || thumb_of(item).map(|_| format!("{url}?thumb=1"));
        match item.kind {
            Some(ItemKind::Text) => self.text(stored, item),
            Some(ItemKind::Image) => ItemView::Image {
                thumb_url: thumb(),
                width: note.width,
                height: note.height,
                size: note.size,
                url,
            },
            Some(ItemKind::Voice) => voice(item, &note, url),
            Some(ItemKind::File) => {
                let name = item.file_item.as_ref().and_then(|file| file.file_name.clone());
                ItemView::File { url, name: name.unwrap_or_default(), size: note.size }
            }
            Some(ItemKind::Video) => ItemView::Video {
                thumb_url: thumb(),
                duration_ms: note.duration_ms,
                width: note.width,
                height: note.height,
                size: note.size,
                url,
            },
            Some(ItemKind::ToolCallStart | ItemKind::ToolCallResult) => tool(item),
            Some(ItemKind::Unknown(wire_type)) => ItemView::Unsupported { wire_type },
            None => ItemView::Unsupported { wire_type: 0 },
        }
    }

    fn text(&self, stored: &Stored, item: &Item) -> ItemView {
        let text = quote::text_of(item).unwrap_or_default();
        if !stored.from_bot {
            return ItemView::Text { text: text.to_owned(), html: None };
        }
        let shown = self.core.policy().shown(text).to_owned();
        ItemView::Text { html: Some(markdown::html(&shown)), text: shown }
    }

    /// Tells what a message quotes: by our own note, or by what travels.
    async fn quote(
        &self,
        stored: &Stored,
        item: Option<&Item>,
    ) -> Result<Option<QuoteView>, Problem> {
        let reference = item.and_then(|item| item.ref_msg.as_deref());
        let id = match (stored.quote_id, reference) {
            (Some(id), _) => Some(id),
            (None, Some(reference)) => reference.svr_id.as_ref().and_then(|id| id.as_u64()),
            (None, None) => return Ok(None),
        };
        let known = match id.filter(|id| *id <= i64::MAX as u64) {
            Some(id) => self.core.store.message(&stored.user, id).await?,
            None => None,
        };
        let part = stored.quote_text.as_deref();
        if let Some(quoted) = known {
            let message = quoted.message();
            let item = message.item_list.as_deref().and_then(|items| items.first());
            return Ok(Some(QuoteView {
                message_id: Some(quoted.id.to_string()),
                from: Some(from(&quoted)),
                text: quote::line(item, part),
                kind: item.map_or("text", quote::kind),
            }));
        }
        let item = reference.and_then(|it| it.message_item.as_deref());
        let title = reference.and_then(|it| it.title.clone()).unwrap_or_default();
        let text = quote::line(item, part);
        Ok(Some(QuoteView {
            message_id: id.map(|id| id.to_string()),
            from: None,
            text: if text.is_empty() { title } else { text },
            kind: item.map_or("text", quote::kind),
        }))
    }
}

fn from(stored: &Stored) -> &'static str {
    if stored.from_bot { "bot" } else { "me" }
}

fn voice(item: &Item, note: &Note, url: String) -> ItemView {
    let voice = item.voice_item.clone().unwrap_or_default();
    let playtime = voice.playtime.and_then(|ms| u64::try_from(ms).ok());
    let format = voice.encode_type.map_or("unknown", sniff::format_of);
    ItemView::Voice {
        url,
        duration_ms: note.duration_ms.or(playtime).unwrap_or(0),
        text: voice.text.filter(|text| !text.is_empty()),
        format,
    }
}

fn tool(item: &Item) -> ItemView {
    let ended = item.tool_call_result_item.as_ref();
    let call = ended.or(item.tool_call_start_item.as_ref()).cloned().unwrap_or_default();
    let status = match (ended, call.status.as_ref().map(|status| status.as_str())) {
        (None, _) => "running",
        (Some(_), Some(known @ ("completed" | "failed" | "blocked"))) => known,
        (Some(_), _) => "unknown",
    };
    ItemView::Tool {
        status: status.to_owned(),
        tool: call.tool_name.unwrap_or_default(),
        call_id: call.tool_call_id.unwrap_or_default(),
    }
}

/// Returns where the thumbnail of a picture or a video is.
pub(super) fn thumb_of(item: &Item) -> Option<&ilink::wire::CdnMedia> {
    let image = item.image_item.as_ref().and_then(|image| image.thumb_media.as_ref());
    let video = || item.video_item.as_ref().and_then(|video| video.thumb_media.as_ref());
    image.or_else(video).filter(|media| media.encrypt_query_param.is_some())
}

/// One line about an item, for the list of contacts.
fn line(item: &Item) -> String {
    match (quote::kind(item), quote::line(Some(item), None)) {
        ("text", text) => text,
        (kind, name) if name.is_empty() => format!("[{kind}]"),
        (kind, name) => format!("[{kind}] {name}"),
    }
}

fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect()
}
