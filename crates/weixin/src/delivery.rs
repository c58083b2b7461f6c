//! Sends what lies in the outbox.
//!
//! One conversation at a time in order, conversations side by side. Every try
//! of a row carries the same client id, so a try whose outcome is unknown can
//! be repeated: the phone shows a client id once. The newest context token is
//! attached here and nowhere else.

use std::path::PathBuf;
use std::time::Duration;

use contract::{AccountId, MediaKind};
use ilink::media::{self, Limits, MediaError, Source, Upload, Uploaded, VideoFacts};
use ilink::wire::{Item, ItemKind, MediaType, Message, Sent, ToolCallItem};
use ilink::{Backoff, Client, ClientError, ContextToken, Recovery, UserId};
use ledger::LedgerError;

use crate::store::{OutboxRow, Payload, Store, Talk};
use crate::time::{now_ms, pause};

const AGAIN: Backoff = Backoff { min: Duration::from_millis(500), max: Duration::from_secs(60) };
/// How old an answer may become before it is given up.
const ANSWER_TTL_MS: i64 = 10 * 60 * 1000;

/// Delivers for one account.
pub(crate) struct Delivery {
    pub(crate) account: AccountId,
    pub(crate) client: Client,
    pub(crate) store: Store,
    /// Where copies of media lie.
    pub(crate) files: PathBuf,
}

/// Why a try did not succeed.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Send(#[from] ClientError),
    #[error(transparent)]
    Upload(#[from] MediaError),
    #[error(transparent)]
    Store(#[from] LedgerError),
    #[error("another version of this program wrote it")]
    Unreadable,
}

impl Failed {
    fn recovery(&self) -> Recovery {
        match self {
            Self::Send(err) => err.recovery(),
            Self::Upload(err) => err.recovery(),
            Self::Store(_) => Recovery::Retry { after: None },
            Self::Unreadable => Recovery::GiveUp,
        }
    }
}

/// What to do with a row after a failed try.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Again(Duration),
    Park,
    Forget,
}

impl Delivery {
    /// Sends what waits in a conversation, in order.
    pub(crate) async fn drain(&self, peer: UserId) {
        let talk = Talk { account: self.account.clone(), peer };
        loop {
            match self.send_next(&talk).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(err) => {
                    tracing::error!(account = %self.account, error = %err, "the outbox cannot be read");
                    pause(AGAIN.max).await;
                }
            }
        }
    }

    /// Tries the next row once. Returns false when nothing waits.
    async fn send_next(&self, talk: &Talk) -> Result<bool, LedgerError> {
        let Some(row) = self.store.next_reply(talk).await? else {
            return Ok(false);
        };
        match self.attempt(talk, &row).await {
            Ok(sent) => {
                self.store.sent(row.id, sent.message_id, now_ms()).await?;
                self.remove_file(&row).await;
            }
            Err(failed) => self.settle(&row, failed).await?,
        }
        Ok(true)
    }

    async fn attempt(&self, talk: &Talk, row: &OutboxRow) -> Result<Sent, Failed> {
        let payload = row.payload.as_ref().ok_or(Failed::Unreadable)?;
        let item = self.item(talk, payload).await?;
        let token = self.store.context_token(talk).await?;
        Ok(self.client.send_message(message(talk, row, item, token)).await?)
    }

    /// Makes the item; media goes up to the CDN first.
    async fn item(&self, talk: &Talk, payload: &Payload) -> Result<Item, Failed> {
        Ok(match payload {
            Payload::Text(text) => Item::text(text),
            Payload::ToolStarted { tool, call_id } => Item {
                tool_call_start_item: Some(tool_call(tool, call_id, None)),
                ..Item::of_kind(ItemKind::ToolCallStart)
            },
            Payload::ToolEnded { tool, call_id, status } => Item {
                tool_call_result_item: Some(tool_call(tool, call_id, Some(status))),
                ..Item::of_kind(ItemKind::ToolCallResult)
            },
            Payload::Media { kind, name, file } => match kind {
                MediaKind::Image => self.upload(talk, MediaType::Image, file).await?.image_item(),
                MediaKind::Video => {
                    let uploaded = self.upload(talk, MediaType::Video, file).await?;
                    uploaded.video_item(VideoFacts::default())
                }
                // A bot's voice bubble is accepted and never shown (several live tests).
                MediaKind::File | MediaKind::Voice => {
                    self.upload(talk, MediaType::File, file).await?.file_item(name)
                }
            },
        })
    }

    async fn upload(&self, talk: &Talk, kind: MediaType, file: &str) -> Result<Uploaded, Failed> {
        let source = Source::File(self.files.join(file));
        let upload = Upload { to: talk.peer.clone(), kind, source, thumb: None };
        Ok(media::upload(&self.client, &upload, &Limits::default()).await?)
    }

    async fn settle(&self, row: &OutboxRow, failed: Failed) -> Result<(), LedgerError> {
        let age_ms = now_ms() - row.created_at_ms;
        let verdict = decide(row.is_progress, failed.recovery(), row.attempts + 1, age_ms);
        tracing::warn!(account = %self.account, row = row.id, attempts = row.attempts + 1, ?verdict, error = %failed, "send failed");
        match verdict {
            Verdict::Again(wait) => {
                self.store.tried(row.id).await?;
                pause(wait).await;
            }
            Verdict::Park => self.store.park(row.id, failed.to_string()).await?,
            Verdict::Forget => self.store.forget(row.id).await?,
        }
        Ok(())
    }

    async fn remove_file(&self, row: &OutboxRow) {
        if let Some(Payload::Media { file, .. }) = &row.payload
            && let Err(err) = tokio::fs::remove_file(self.files.join(file)).await
        {
            tracing::warn!(file, error = %err, "a sent file was not removed");
        }
    }
}

/// Decides by the error, the number of tries and the age of the row.
fn decide(is_progress: bool, recovery: Recovery, attempts: u32, age_ms: i64) -> Verdict {
    if is_progress {
        return Verdict::Forget;
    }
    let wait = match recovery {
        Recovery::Retry { after } => AGAIN.delay(attempts, after),
        // A new login brings a new token; this row may still be wanted then.
        Recovery::Relogin => AGAIN.delay(attempts, None),
        Recovery::GiveUp => return Verdict::Park,
    };
    if age_ms >= ANSWER_TTL_MS { Verdict::Park } else { Verdict::Again(wait) }
}

fn message(talk: &Talk, row: &OutboxRow, item: Item, token: Option<ContextToken>) -> Message {
    let run_id = Some(row.run_id.clone());
    Message { run_id, ..Message::outbound(talk.peer.clone(), item, token, row.client_id.clone()) }
}

fn tool_call(tool: &str, call_id: &str, status: Option<&String>) -> ToolCallItem {
    ToolCallItem {
        tool_name: Some(tool.to_owned()),
        tool_call_id: Some(call_id.to_owned()),
        status: status.map(|word| word.as_str().into()),
        ..ToolCallItem::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_help_is_tried_again_and_only_while_it_is_wanted() {
        let retry = Recovery::Retry { after: None };
        let hinted = Recovery::Retry { after: Some(Duration::from_secs(20)) };
        let fresh = 0;
        let cases = [
            (false, retry, 1, fresh, Verdict::Again(Duration::from_millis(500))),
            (false, retry, 4, fresh, Verdict::Again(Duration::from_secs(4))),
            (false, hinted, 1, fresh, Verdict::Again(Duration::from_secs(20))),
            (false, Recovery::Relogin, 20, fresh, Verdict::Again(Duration::from_secs(60))),
            (false, retry, 9, ANSWER_TTL_MS, Verdict::Park),
            (false, Recovery::GiveUp, 1, fresh, Verdict::Park),
            (true, retry, 1, fresh, Verdict::Forget),
        ];
        for (is_progress, recovery, attempts, age_ms, expected) in cases {
            assert_eq!(
                decide(is_progress, recovery, attempts, age_ms),
                expected,
                "{recovery:?} {attempts}"
            );
        }
    }
}
