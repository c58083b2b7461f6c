//! Puts the messages of one turn together.

use contract::{Attachment, Inbound, Lane, Quote};
use futures_util::future::join_all;
use ilink::wire::{self, RefMsg};

use super::{Intake, turn_id};
use crate::codes::Notice;
use crate::commands::Trace;
use crate::inbound::{is_unsupported, items, text_of};
use crate::quotes::{id_of, inline_text};
use crate::received_files::Received;
use crate::store::{InboxRow, Talk};
use crate::time::now_ms;

/// How many media of one turn are fetched at the same time.
const AT_ONCE: usize = 4;

/// A turn, ready to be handed over.
pub(super) struct Gathered {
    pub(super) inbound: Inbound,
    /// What its sender is to be told if it holds nothing that anybody can use.
    pub(super) useless: Option<Notice>,
    /// Each message by itself, to be quoted later.
    pub(super) said: Vec<Said>,
    messages: Vec<wire::Message>,
    /// How long the media took; `None` without media.
    media_ms: Option<i64>,
}

/// One message of a turn.
pub(super) struct Said {
    message_id: Option<String>,
    text: String,
    media: Vec<Attachment>,
    at_ms: i64,
}

/// Reads a message as it was stored.
pub(super) fn message(row: &InboxRow) -> wire::Message {
    // The row was written from a message, so it reads as one.
    wire::Message::from_slice(row.body.as_bytes()).unwrap_or_default()
}

impl Intake {
    /// Fetches what belongs to the messages of a turn and joins them: texts by
    /// line ends, media in order. The turn has the newest message's id, by which
    /// it can be quoted, and the oldest one's time.
    pub(super) async fn gather(&self, talk: &Talk, rows: &[InboxRow], lane: Lane) -> Gathered {
        let messages: Vec<_> = rows.iter().map(message).collect();
        let begun_ms = now_ms();
        let mut said = Vec::new();
        let (mut lines, mut quote, mut attachments) = (Vec::new(), None, Vec::new());
        let mut losses = Vec::new();
        for (row, msg) in rows.iter().zip(&messages) {
            let text = text_of(msg);
            let (media, lost): (Vec<_>, Vec<_>) =
                self.media(row, msg).await.into_iter().map(|it| (it.attachment, it.loss)).unzip();
            losses.extend(lost);
            for found in self.quotes_in(talk, row, msg).await {
                match &quote {
                    None => quote = Some(found),
                    // A turn has room for one; the others' words must not be lost.
                    Some(_) => lines.push(in_words(&found)),
                }
            }
            lines.push(text.clone());
            attachments.extend(media.iter().cloned());
            said.push(Said { message_id: id(msg), text, media, at_ms: row.received_at_ms });
        }
        lines.retain(|line| !line.trim().is_empty());
        let inbound = Inbound {
            turn: turn_id(rows.first().map_or(0, |row| row.id)),
            conversation: self.conversation(talk),
            from_owner: self.owner.as_ref() == Some(&talk.peer),
            message_id: messages.iter().rev().find_map(id).unwrap_or_default(),
            sent_at_ms: rows.first().map_or(0, |row| row.sent_at_ms),
            text: lines.join("\n"),
            attachments,
            quote,
            lane,
            offers: rows.iter().map(|row| row.offers).max().unwrap_or(1),
        };
        let has_media = !inbound.attachments.is_empty();
        let says_nothing = inbound.text.is_empty() && inbound.quote.is_none();
        let useless = if messages.iter().all(is_unsupported) {
            Some(Notice::Unsupported)
        } else if says_nothing && losses.iter().all(Option::is_some) {
            losses.into_iter().flatten().next()
        } else {
            None
        };
        Gathered {
            inbound,
            useless,
            said,
            messages,
            media_ms: has_media.then(|| now_ms() - begun_ms),
        }
    }

    async fn media(&self, row: &InboxRow, msg: &wire::Message) -> Vec<Received> {
        let numbered: Vec<_> = items(msg).enumerate().collect();
        let mut media = Vec::new();
        for some in numbered.chunks(AT_ONCE) {
            let fetching =
                some.iter().map(|(n, item)| self.received.fetch(format!("t{}-{n}", row.id), item));
            media.extend(join_all(fetching).await.into_iter().flatten());
        }
        media
    }

    async fn quotes_in(&self, talk: &Talk, row: &InboxRow, msg: &wire::Message) -> Vec<Quote> {
        let mut quotes = Vec::new();
        for (n, item) in items(msg).enumerate() {
            if let Some(reference) = item.ref_msg.as_deref() {
                quotes.extend(self.quote(talk, format!("t{}-{n}-quoted", row.id), reference).await);
            }
        }
        quotes
    }

    /// Resolves a quote: from memory, from what it carries itself, or to one
    /// whose text is not known.
    async fn quote(&self, talk: &Talk, stem: String, reference: &RefMsg) -> Option<Quote> {
        if let Some(known) = self.quotes.find(talk, reference).await {
            return Some(known);
        }
        let item = reference.message_item.as_deref();
        let attachment = match item {
            Some(item) => self.received.fetch(stem, item).await,
            None => None,
        };
        let message_id = id_of(reference);
        let text = inline_text(reference);
        if message_id.is_none() && item.is_none() && text.is_empty() {
            return None;
        }
        let attachments = Vec::from_iter(attachment.map(|it| it.attachment));
        Some(Quote { message_id, author: None, text, attachments })
    }

    /// Keeps messages for those that quote them later.
    pub(super) async fn remember(&self, talk: &Talk, said: Vec<Said>) {
        for Said { message_id, text, media, at_ms } in said {
            if let Some(message_id) = message_id {
                self.quotes.record_inbound(talk, message_id, &text, &media, at_ms).await;
            }
        }
    }
}

impl Gathered {
    /// Says whether there is nothing to answer.
    pub(super) fn is_empty(&self) -> bool {
        let Inbound { text, attachments, quote, .. } = &self.inbound;
        text.trim().is_empty() && attachments.is_empty() && quote.is_none()
    }

    /// Notes what is to be reported of the turn in debug mode.
    pub(super) fn trace(&self, rows: &[InboxRow], now_ms: i64) -> Trace {
        let lines: Vec<_> = self.messages.iter().map(described).collect();
        Trace {
            message: lines.join("\n"),
            sent_at_ms: self.inbound.sent_at_ms,
            received_at_ms: rows.first().map_or(now_ms, |row| row.received_at_ms),
            handed_at_ms: now_ms,
            media_ms: self.media_ms,
        }
    }
}

fn id(msg: &wire::Message) -> Option<String> {
    let of_item = || items(msg).find_map(|item| item.msg_id.as_ref());
    msg.message_id.as_ref().or_else(of_item).map(ToString::to_string)
}

/// Renders a quote that has no place of its own.
fn in_words(quote: &Quote) -> String {
    let named = quote.attachments.iter().map(|it| it.transcript.as_ref().unwrap_or(&it.name));
    let words: Vec<_> =
        Some(&quote.text).filter(|text| !text.is_empty()).into_iter().chain(named).collect();
    if words.is_empty() {
        return "[quoted message not available]".to_owned();
    }
    let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
    format!("[quoted: {}]", words.join("; "))
}

/// Describes a message for the report of debug mode.
fn described(msg: &wire::Message) -> String {
    const EXCERPT: usize = 40;
    let known = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    let text = text_of(msg);
    let mut excerpt: String = text.chars().take(EXCERPT).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    let kinds =
        items(msg).map(|item| item.kind.map_or("?".to_owned(), |kind| kind.code().to_string()));
    format!(
        "│ seq={} msgId={} from={}\n│ body=\"{excerpt}\" (len={}) itemTypes=[{}]\n│ sessionId={} contextToken={}",
        known(msg.seq.map(|seq| seq.to_string())),
        known(msg.message_id.as_ref().map(ToString::to_string)),
        known(msg.from_user_id.as_ref().map(ToString::to_string)),
        text.chars().count(),
        kinds.collect::<Vec<_>>().join(","),
        known(msg.session_id.clone()),
        if msg.context_token.is_some() { "present" } else { "none" },
    )
}
