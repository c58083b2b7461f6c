//! Sends what lies in the outbox.
//!
//! ```text
//! outbox ─▶ governor ─┬▶ lay out ─▶ upload ─▶ send ─▶ outcome ─┬▶ left
//!    ▲                ├▶ later                                 ├▶ again, under the same id
//!    │                ├▶ parked until the peer writes          ├▶ parked until the peer writes
//!    └────────────────┴────────────────────────────────────────┴▶ given up, with a reason
//! ```
//!
//! One conversation at a time in order, conversations side by side. Every try
//! of a row carries the same client id, so a try whose outcome is unknown can
//! be repeated: the phone shows a client id once. The newest context token is
//! attached here and nowhere else.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contract::{AccountId, Attachment, MediaKind};
use ilink::wire::{Item, Message};
use ilink::{Backoff, Client, MessageId, UserId};
use ledger::LedgerError;
use parking_lot::Mutex;
use prose::Language;

use crate::budget::{Budget, Budgets};
use crate::clock::Clock;
use crate::codes::{self, Notice};
use crate::composing::{Composed, Draft, halves};
use crate::files::write_new;
use crate::governor::{self, Alarm, Ask, Decision, Need, ms};
use crate::intake::Turns;
use crate::news::News;
use crate::outcome::{Failed, Outcome, Retry, TextSize, Unsendable, classify};
use crate::packing::{Packed, Packing};
use crate::quotes::Quotes;
use crate::received_files::mime_of;
use crate::saying::{adopt_named, client_id};
use crate::sending::SendSettings;
use crate::store::{Class, Next, OutboxRow, Payload, Remembered, Store, Talk};
use crate::switch::Switch;
use crate::time::pause;

/// So many uploads of the same media that failed are enough: what waits behind
/// it has waited for two minutes then.
const MOST_UPLOADS: u32 = 8;
/// A day of the count that a daily cap bounds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const AGAIN: Backoff = Backoff { min: Duration::from_millis(500), max: Duration::from_secs(60) };

/// Delivers for one account.
pub(crate) struct Delivery {
    pub(crate) account: AccountId,
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) settings: Switch<SendSettings>,
    pub(crate) budgets: Budgets,
    pub(crate) packing: Packing,
    /// Where copies of media lie.
    pub(crate) files: PathBuf,
    pub(crate) turns: Turns,
    pub(crate) news: News,
    pub(crate) quotes: Quotes,
    pub(crate) parked: Parked,
}

/// Peers for whom something is parked until they write. Clones share the set.
#[derive(Clone, Default)]
pub(crate) struct Parked {
    // Held for a look-up, never across an await.
    peers: Arc<Mutex<HashSet<UserId>>>,
}

impl Parked {
    pub(crate) fn insert(&self, peer: &UserId) {
        self.peers.lock().insert(peer.clone());
    }

    pub(crate) fn contains(&self, peer: &UserId) -> bool {
        self.peers.lock().contains(peer)
    }
}

/// What a look at a conversation came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Something was done; there may be more.
    Again,
    /// Nothing can be done before this moment, in milliseconds since 1970.
    Later(i64),
    /// Nothing waits.
    Idle,
}

impl Delivery {
    /// Sends what can leave now in a conversation, in order. Returns when to
    /// look again, if something waits for a moment.
    pub(crate) async fn drain(&self, peer: UserId) -> Option<i64> {
        let talk = Talk { account: self.account.clone(), peer };
        loop {
            match self.look(&talk).await {
                Ok(Look::Again) => {}
                Ok(Look::Later(at_ms)) => return Some(at_ms),
                Ok(Look::Idle) => return None,
                Err(err) => {
                    tracing::error!(account = %self.account, error = %err, "the outbox cannot be used");
                    pause(AGAIN.max).await;
                }
            }
        }
    }

    async fn look(&self, talk: &Talk) -> Result<Look, LedgerError> {
        let Some(next) = self.store.next_out(talk)? else {
            return Ok(Look::Idle);
        };
        let now_ms = self.clock.now_ms();
        if next.row.expires_at_ms < now_ms {
            self.drop_late(&next.row, now_ms).await?;
            return Ok(Look::Again);
        }
        if next.row.not_before_ms > now_ms {
            return Ok(Look::Later(next.row.not_before_ms));
        }
        let settings = self.settings.now();
        let mut budget = Budget::read(next.budget.as_deref());
        budget.heard(next.last_inbound_at_ms, now_ms);
        let ask = self.ask(talk, &next);
        match self.budgets.gate(&mut budget, &settings.limits, |gate| gate.decide(&ask, now_ms)) {
            // The peer cannot help; midnight (UTC) does.
            Decision::Park(governor::Parked::DailyCap) => {
                return Ok(Look::Later(now_ms.saturating_add(DAY_MS - now_ms.rem_euclid(DAY_MS))));
            }
            Decision::Park(why) => {
                self.park(talk, &next, why.code(), &settings).await?;
            }
            Decision::Drop => self.store.forget(next.row.id).await?,
            Decision::Wait { until_ms, .. } => return Ok(Look::Later(until_ms)),
            Decision::Send => self.advance(talk, next, &ask, budget, &settings).await?,
        }
        Ok(Look::Again)
    }

    /// Takes a row one step further: laid out, uploaded, sent.
    async fn advance(
        &self,
        talk: &Talk,
        mut next: Next,
        ask: &Ask,
        mut budget: Budget,
        settings: &SendSettings,
    ) -> Result<(), LedgerError> {
        if let Some(Payload::Markdown(markdown)) = &next.row.payload {
            let whole = self.lay_out(&next.row, markdown, next.behind, &mut budget, settings);
            let Some(text) = whole.await? else { return Ok(()) };
            next.row.payload = Some(Payload::Text(text));
        }
        let row = &next.row;
        let Some(payload) = &row.payload else {
            let outcome = Outcome::Unsendable(Unsendable::RowUnreadable);
            return self.fail(talk, row, &outcome).await;
        };
        let item = match payload {
            Payload::Text(text) | Payload::Markdown(text) => {
                let more = next.behind > 0;
                let now_ms = self.clock.now_ms();
                let left = self
                    .budgets
                    .gate(&mut budget, &settings.limits, |gate| gate.hint(more, now_ms));
                Item::text(hinted(text, left, next.behind))
            }
            Payload::Media { .. }
            | Payload::Remote { .. }
            | Payload::ToolStarted { .. }
            | Payload::ToolEnded { .. } => match &row.item {
                Some(item) => item.clone(),
                None => return self.pack(talk, &next, payload, budget, settings).await,
            },
        };
        self.send(talk, &next, ask, item, budget, settings).await
    }

    /// Lays a text out for the sends that are left. Returns a text that is one
    /// message: it leaves as the row that it is, without another write.
    async fn lay_out(
        &self,
        row: &OutboxRow,
        markdown: &str,
        behind: u32,
        budget: &mut Budget,
        settings: &SendSettings,
    ) -> Result<Option<String>, LedgerError> {
        let now_ms = self.clock.now_ms();
        let mut composed = Composed::new(markdown, settings);
        let late_after = i64::try_from(settings.late_after.as_millis()).unwrap_or(i64::MAX);
        if now_ms.saturating_sub(row.created_at_ms) > late_after {
            composed.since(row.created_at_ms);
        }
        let was_tried = row.attempts > 0 || row.earlier.is_some();
        if let Some(whole) = composed.whole().filter(|_| was_tried) {
            // As one message, which may have arrived.
            return Ok(Some(whole));
        }
        let usual = settings.limits.part_chars;
        let n_pictures = u32::try_from(composed.n_pictures()).unwrap_or(u32::MAX);
        let need = Need {
            n_parts: u32::try_from(composed.n_parts(usual)).unwrap_or(u32::MAX),
            n_chars: composed.n_chars(),
            n_waiting: behind.saturating_add(n_pictures),
        };
        let layout = self.budgets.gate(budget, &settings.limits, |gate| gate.plan(&need, now_ms));
        let mut messages = Vec::new();
        for draft in composed.lay_out(&layout, usual) {
            let payload = match self.payload(draft, settings).await {
                Ok(payload) => payload,
                Err(err) => {
                    tracing::error!(account = %self.account, error = %err, "an answer cannot be put into a file");
                    pause(AGAIN.min).await;
                    return Ok(None);
                }
            };
            messages.push((payload, client_id(now_ms)));
        }
        if messages.is_empty() {
            // Nothing but white space: there is nothing to send, and nothing failed.
            return self.store.forget(row.id).await.map(|()| None);
        }
        if let [(Payload::Text(text), _)] = &messages[..] {
            return Ok(Some(text.clone()));
        }
        self.store.lay_out(row.id, messages).await.map(|()| None)
    }

    /// Brings what a draft needs into the outbox folder.
    async fn payload(&self, draft: Draft, settings: &SendSettings) -> std::io::Result<Payload> {
        let (reference, name, instead) = match draft {
            Draft::Message(payload) => return Ok(payload),
            Draft::File { name, text } => return self.write_file(name, text).await,
            Draft::Local { reference, name, instead } => (reference, name, instead),
        };
        let file = uuid::Uuid::new_v4().to_string();
        let roots = settings.media_roots.clone();
        Ok(match adopt_named(reference, roots, &self.files, &file).await {
            Ok(own_name) => {
                let name = name.unwrap_or(own_name);
                Payload::Media { kind: Some(MediaKind::Image), name, file, as_file: false }
            }
            Err(err) => {
                tracing::warn!(account = %self.account, error = %err, "a picture is told instead");
                Payload::Text(instead)
            }
        })
    }

    async fn write_file(&self, name: String, text: String) -> std::io::Result<Payload> {
        let file = uuid::Uuid::new_v4().to_string();
        write_new(&self.files.join(&file), text.as_bytes()).await?;
        Ok(Payload::Media { kind: Some(MediaKind::File), name, file, as_file: true })
    }

    /// Brings a row's media to the CDN. The row is looked at anew afterwards:
    /// an upload takes its time.
    async fn pack(
        &self,
        talk: &Talk,
        next: &Next,
        payload: &Payload,
        mut budget: Budget,
        settings: &SendSettings,
    ) -> Result<(), LedgerError> {
        let row = &next.row;
        let begun_ms = self.clock.now_ms();
        match self.packing.pack(talk, payload, settings).await {
            Ok(Packed::Item(item)) => self.store.uploaded(row.id, &item).await,
            Ok(Packed::Instead(text)) => {
                let messages = vec![(Payload::Markdown(text), client_id(self.clock.now_ms()))];
                self.store.lay_out(row.id, messages).await
            }
            Err(failed) => {
                let now_ms = self.clock.now_ms();
                let outcome = self.budgets.gate(&mut budget, &settings.limits, |gate| {
                    let known = gate.knowledge(None, TextSize::default(), true, now_ms);
                    let outcome = classify(&Err(failed), &known);
                    if let Outcome::RateLimited { until_ms } = outcome {
                        gate.limited(begun_ms, until_ms, now_ms);
                    }
                    outcome
                });
                if let Outcome::RateLimited { .. } = outcome {
                    self.store.keep_line(&self.account, self.budgets.line()).await?;
                }
                self.settle(talk, next, &outcome, settings).await
            }
        }
    }

    /// Tries a row once.
    async fn send(
        &self,
        talk: &Talk,
        next: &Next,
        ask: &Ask,
        item: Item,
        mut budget: Budget,
        settings: &SendSettings,
    ) -> Result<(), LedgerError> {
        let limits = &settings.limits;
        let text = item.text_item.as_ref().and_then(|text| text.text.as_deref());
        let size = text.map(TextSize::of).unwrap_or_default();
        let begun_ms = self.clock.now_ms();
        let begun = self.budgets.gate(&mut budget, limits, |gate| gate.begin(ask, begun_ms));
        if limits.counts_sends() {
            // A crash before the answer must not forget it.
            let records = self.budgets.records(&budget);
            self.store.keep(talk, next.row.id, Some(begun), records).await?;
        }
        let sent = self.client.send_message(message(talk, next, item)).await;
        let now_ms = self.clock.now_ms();
        let result = sent.map_err(Failed::from);
        let (outcome, alarm) = self.budgets.gate(&mut budget, limits, |gate| {
            let known = gate.knowledge(Some(&begun), size, next.token.is_some(), now_ms);
            let outcome = classify(&result, &known);
            let alarm = gate.settle(&begun, &outcome, now_ms);
            (outcome, alarm)
        });
        if let Err(err) = &result {
            let (row, attempts) = (next.row.id, next.row.attempts + 1);
            tracing::warn!(account = %self.account, row, attempts, ?outcome, error = %err, "send failed");
        }
        if let Some(alarm) = alarm {
            self.news.alarm(talk, alarm);
        }
        let is_renewed = outcome == Outcome::StaleContext && self.is_stale(talk, next).await?;
        if is_renewed {
            budget.context_renewed();
        }
        let records = self.budgets.records(&budget);
        if !outcome.is_sent() {
            let is_unknown = matches!(outcome, Outcome::Transport { unknown: true, .. });
            let unknown = is_unknown.then_some(begun);
            self.store.keep(talk, next.row.id, unknown, records).await?;
            if is_renewed {
                return self.store.tried(next.row.id, 0).await;
            }
            return self.settle_send(talk, next, &outcome, settings).await;
        }
        let id = if let Outcome::Queued { id } = outcome { Some(id) } else { None };
        let said = self.said(talk, &next.row, id.as_ref(), now_ms).await;
        self.store.left(talk, next.row.id, id, records, said, now_ms).await?;
        self.remove_file(&next.row).await;
        if alarm == Some(Alarm::Recovered) {
            self.store.unpark(talk, governor::Parked::Suppressed.code()).await?;
        }
        Ok(())
    }

    /// Returns what was said, to be kept for messages that quote it.
    async fn said(
        &self,
        talk: &Talk,
        row: &OutboxRow,
        id: Option<&MessageId>,
        now_ms: i64,
    ) -> Option<Remembered> {
        let id = id?;
        let (text, media) = match &row.payload {
            Some(Payload::Text(text)) => (text.as_str(), None),
            Some(Payload::Media { kind, name, file, .. }) => {
                let path = self.files.join(file);
                let kind = kind.unwrap_or(MediaKind::File);
                (
                    "",
                    Some(Attachment {
                        kind,
                        name: name.clone(),
                        mime: mime_of(&path),
                        path: Some(path),
                        problem: None,
                        transcript: None,
                    }),
                )
            }
            Some(Payload::Remote { instead, .. }) => (instead.as_str(), None),
            Some(
                Payload::Markdown(_) | Payload::ToolStarted { .. } | Payload::ToolEnded { .. },
            )
            | None => return None,
        };
        self.quotes.outbound(talk, id, text, media.as_slice(), now_ms).await
    }

    /// Settles a try of a message that the backend did not take.
    async fn settle_send(
        &self,
        talk: &Talk,
        next: &Next,
        outcome: &Outcome,
        settings: &SendSettings,
    ) -> Result<(), LedgerError> {
        if let (Retry::SplitSmaller, Some(Payload::Text(text))) =
            (outcome.retry(), &next.row.payload)
            && self.split_smaller(&next.row, text).await?
        {
            return Ok(());
        }
        self.settle(talk, next, outcome, settings).await
    }

    /// Halves a text that is too long, and with it the other parts of its saying
    /// that are no shorter than a half. Says whether there is anything to halve.
    async fn split_smaller(&self, row: &OutboxRow, text: &str) -> Result<bool, LedgerError> {
        if halves(text).is_none() {
            return Ok(false);
        }
        let now_ms = self.clock.now_ms();
        let half = text.chars().count() / 2;
        let mut longer = self.store.longer_texts(row.place, half).await?;
        // A text that is one message is stored as the markdown that it was.
        longer.retain(|(id, _)| *id != row.id);
        longer.push((row.id, text.to_owned()));
        for (id, text) in longer {
            let halves = halves(&text).into_iter().flatten();
            let messages = halves.map(|part| (Payload::Text(part), client_id(now_ms)));
            self.store.lay_out(id, messages.collect()).await?;
        }
        Ok(true)
    }

    /// Says whether a newer context token has come than the one that was sent.
    async fn is_stale(&self, talk: &Talk, next: &Next) -> Result<bool, LedgerError> {
        Ok(self.store.context_token(talk).await? != next.token)
    }

    /// Settles a try that the backend did not take, by what can help.
    async fn settle(
        &self,
        talk: &Talk,
        next: &Next,
        outcome: &Outcome,
        settings: &SendSettings,
    ) -> Result<(), LedgerError> {
        let row = &next.row;
        if row.class == Class::Progress {
            return self.store.forget(row.id).await;
        }
        let again_at = |hint| {
            let wait = Backoff::spread(AGAIN.delay(row.attempts + 1, hint), rand::random());
            self.clock.now_ms().saturating_add(ms(wait))
        };
        let is_upload = matches!(outcome, Outcome::UploadFailed { .. });
        if is_upload && row.attempts + 1 >= MOST_UPLOADS {
            return self.fail(talk, row, outcome).await;
        }
        match outcome.retry() {
            Retry::After { hint } => self.store.tried(row.id, again_at(hint)).await,
            // A new login starts the account anew, and looks at once.
            Retry::AfterLogin => self.store.tried(row.id, again_at(None)).await,
            // The governor knows until when.
            Retry::WhenAllowed => self.store.tried(row.id, 0).await,
            Retry::WithFreshContext | Retry::OnNextInbound => {
                self.park(talk, next, outcome.code(), settings).await
            }
            Retry::SplitSmaller | Retry::Never => self.fail(talk, row, outcome).await,
        }
    }

    /// Keeps a row until the peer writes.
    async fn park(
        &self,
        talk: &Talk,
        next: &Next,
        code: &'static str,
        settings: &SendSettings,
    ) -> Result<(), LedgerError> {
        // Known before it is so: who hears the peer looks here afterwards.
        self.parked.insert(&talk.peer);
        let row = &next.row;
        let now_ms = self.clock.now_ms();
        let keep_ms = match row.class {
            Class::Answer | Class::Question => ms(settings.ttl.parked),
            Class::Notice | Class::Progress | Class::Reminder | Class::Report => 0,
        };
        let keep_until_ms = now_ms.saturating_add(keep_ms);
        self.store.park(row.id, code, next.last_inbound_at_ms, keep_until_ms).await
    }

    /// Gives a row up for good, and tells the peer once if they waited for it.
    async fn fail(
        &self,
        talk: &Talk,
        row: &OutboxRow,
        outcome: &Outcome,
    ) -> Result<(), LedgerError> {
        let (code, now_ms) = (outcome.code(), self.clock.now_ms());
        tracing::error!(account = %self.account, row = row.id, code, ?outcome, "given up");
        self.store.give_up(row.id, code, format!("{outcome:?}"), now_ms).await?;
        if matches!(row.class, Class::Answer | Class::Question)
            && let Some(notice) = apology(row, outcome)
        {
            let about = row.turn.unwrap_or(row.place);
            self.news.apologise(talk, &about.to_string(), &notice).await;
        }
        Ok(())
    }

    /// Gives up a row that is no longer worth sending, and whatever else is not.
    async fn drop_late(&self, row: &OutboxRow, now_ms: i64) -> Result<(), LedgerError> {
        if row.class == Class::Progress {
            return self.store.forget(row.id).await;
        }
        for (account, n) in self.store.expire(codes::EXPIRED, now_ms).await? {
            self.news.of(account).expired(n);
        }
        Ok(())
    }

    fn ask(&self, talk: &Talk, next: &Next) -> Ask {
        let is_tool = matches!(
            next.row.payload,
            Some(Payload::ToolStarted { .. } | Payload::ToolEnded { .. })
        );
        let class = match next.row.class {
            Class::Answer => governor::Class::Answer,
            Class::Question => governor::Class::Question,
            Class::Notice => governor::Class::Notice,
            Class::Progress => governor::Class::Progress,
            Class::Reminder | Class::Report => governor::Class::Scheduled,
        };
        // What waits behind an answer is not more urgent than the answer.
        let n_waiting = if class == governor::Class::Progress { next.behind } else { 0 };
        let is_turn_running = self.turns.is_busy(talk);
        Ask { class, is_tool, n_waiting, is_turn_running, earlier: next.row.earlier }
    }

    async fn remove_file(&self, row: &OutboxRow) {
        if let Some(Payload::Media { file, .. }) = &row.payload
            && let Err(err) = tokio::fs::remove_file(self.files.join(file)).await
        {
            tracing::warn!(file, error = %err, "a sent file was not removed");
        }
    }
}

/// What the peer is told about a message of an answer that was given up. A wrong
/// peer cannot be told anything.
fn apology(row: &OutboxRow, outcome: &Outcome) -> Option<Notice> {
    if *outcome == Outcome::WrongPeer {
        return None;
    }
    let name = match row.payload.as_ref() {
        Some(Payload::Media { name, .. }) => name.clone(),
        Some(Payload::Remote { name, url, .. }) => name.clone().unwrap_or_else(|| url.clone()),
        Some(Payload::ToolStarted { .. } | Payload::ToolEnded { .. }) => return None,
        Some(Payload::Markdown(_) | Payload::Text(_)) | None => return Some(Notice::NotSent),
    };
    if let Outcome::Unsendable(Unsendable::TooLarge { max }) = outcome {
        return Some(Notice::FileTooLarge { name, max: *max });
    }
    Some(Notice::FileNotSent { name })
}

/// Says under one of the last messages that can leave that the peer has to write.
fn hinted(text: &str, left: Option<u32>, behind: u32) -> String {
    let notice = match left {
        None => return text.to_owned(),
        Some(0) => Notice::RestWaits { n: behind },
        Some(left) => Notice::FewLeft { left },
    };
    format!("{text}\n\n{}", notice.say(Language::of(text)))
}

fn message(talk: &Talk, next: &Next, item: Item) -> Message {
    let Next { row, token, .. } = next;
    let message = Message::outbound(talk.peer.clone(), item, token.clone(), row.client_id.clone());
    Message { run_id: row.run_id.clone(), ..message }
}
