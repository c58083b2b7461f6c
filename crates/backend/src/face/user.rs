//! A user of the test face.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use ilink::cipher::CHUNK;
use ilink::wire::{self, Item};
use ilink::{BotId, MessageId, UserId};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::{PATIENCE, Seen};
use crate::core::{Chunks, Core, Quoting, Upload, UploadKind, Word};
use crate::problem::Problem;
use crate::store::{Person, Stored};

/// Someone with a phone. Clones are the same person.
///
/// Speaks to the bot that it bound last, unless told otherwise. Methods panic
/// when the backend refuses: a test cannot go on then.
#[derive(Clone)]
pub struct User {
    core: Arc<Core>,
    person: Arc<Person>,
    /// Whom this handle talks to; the newest own bot otherwise.
    bot: Option<BotId>,
}

impl User {
    pub(super) fn new(core: &Arc<Core>, person: Person) -> Self {
        Self { core: Arc::clone(core), person: Arc::new(person), bot: None }
    }

    /// Returns the user's id on the wire.
    #[must_use]
    pub fn id(&self) -> &UserId {
        &self.person.id
    }

    /// Returns the user's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.person.name
    }

    /// Returns the same person, talking to this bot: an older one of its own,
    /// or one that someone else bound and that it has [met](User::meets).
    #[must_use]
    pub fn with(&self, bot: &BotId) -> Self {
        Self { bot: Some(bot.clone()), ..self.clone() }
    }

    /// Gets to know a bot that someone else has bound, and talks to it from
    /// then on.
    ///
    /// # Panics
    ///
    /// When there is no such bot or the policy forbids it.
    pub async fn meets(&self, bot: &BotId) -> Self {
        self.expect("meet", self.core.meet(self.id(), bot).await);
        self.with(bot)
    }

    /// Sends a text.
    pub async fn says(&self, text: &str) -> MessageId {
        self.speaks(Word::text(text)).await
    }

    /// Sends a picture.
    pub async fn sends_image(&self, bytes: &[u8], name: &str) -> MessageId {
        self.sends(UploadKind::Image, bytes, name, None).await
    }

    /// Sends a file.
    pub async fn sends_file(&self, bytes: &[u8], name: &str) -> MessageId {
        self.sends(UploadKind::File, bytes, name, None).await
    }

    /// Sends a file that lies on disk and may be large: it is read piece by piece.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub async fn sends_file_at(&self, path: &Path, name: &str) -> MessageId {
        let file = self.expect("read", File::open(path).await.map_err(Problem::from));
        let pieces = stream::try_unfold(file, |mut file| async move {
            let mut piece = vec![0; CHUNK];
            let n = file.read(&mut piece).await?;
            piece.truncate(n);
            io::Result::Ok((n > 0).then(|| (Bytes::from(piece), file)))
        });
        self.sends_chunks(UploadKind::File, Box::pin(pieces), name, None).await
    }

    /// Sends a voice message without a transcript.
    pub async fn sends_voice(&self, bytes: &[u8], name: &str) -> MessageId {
        self.sends(UploadKind::Voice, bytes, name, None).await
    }

    /// Sends a voice message that the backend has transcribed.
    pub async fn sends_voice_saying(&self, bytes: &[u8], text: &str) -> MessageId {
        self.sends(UploadKind::Voice, bytes, "", Some(text)).await
    }

    /// Sends a video.
    pub async fn sends_video(&self, bytes: &[u8], name: &str) -> MessageId {
        self.sends(UploadKind::Video, bytes, name, None).await
    }

    /// Sends a text that quotes a message.
    pub async fn quotes(&self, message: &MessageId, text: &str) -> MessageId {
        let quoting = Quoting { message: number(message), part: None };
        self.speaks(Word { quoting: Some(quoting), ..Word::text(text) }).await
    }

    /// Sends a text that quotes a part of a message's text.
    pub async fn quotes_part(&self, message: &MessageId, part: &str, text: &str) -> MessageId {
        let quoting = Quoting { message: number(message), part: Some(part.to_owned()) };
        self.speaks(Word { quoting: Some(quoting), ..Word::text(text) }).await
    }

    /// Sends items as they are: several in one message, or kinds that no phone
    /// here can make.
    pub async fn sends_items(&self, items: Vec<Item>) -> MessageId {
        self.sends_message(wire::Message {
            item_list: Some(items.into()),
            ..wire::Message::default()
        })
        .await
    }

    /// Sends a message as it is; what it leaves open is filled in.
    pub async fn sends_message(&self, message: wire::Message) -> MessageId {
        self.speaks(Word { message, ..Word::default() }).await
    }

    /// Waits for the next text of a bot that was not heard yet.
    ///
    /// What was heard is remembered in the store: after a restart the user goes
    /// on with the next text.
    ///
    /// # Panics
    ///
    /// When none comes within 10 seconds of real time.
    pub async fn hears(&self) -> String {
        self.hears_within(PATIENCE).await
    }

    /// Waits for the next text as [`hears`](User::hears) does, with more
    /// patience or less.
    ///
    /// # Panics
    ///
    /// When none comes within this time.
    pub async fn hears_within(&self, patience: Duration) -> String {
        match tokio::time::timeout(patience, self.next_text()).await {
            Ok(text) => text,
            Err(_) => panic!(
                "{} heard nothing within {patience:?}; {}",
                self.name(),
                self.summary().await
            ),
        }
    }

    async fn next_text(&self) -> String {
        let phone = self.core.phones.open(self.id());
        let mut phone = phone.unwrap_or_else(|| panic!("there are too many open phones"));
        loop {
            if let Some(stored) =
                self.expect("hear", self.core.store.hear(self.id()).await.map_err(Problem::from))
            {
                return self.text_of(&stored);
            }
            // Lagging behind only means that there is something to read.
            drop(phone.news.recv().await);
        }
    }

    /// Returns the next text of a bot that was not heard yet, if there is one.
    pub async fn has_heard(&self) -> Option<String> {
        let heard = self.core.store.hear(self.id()).await.map_err(Problem::from);
        self.expect("hear", heard).map(|stored| self.text_of(&stored))
    }

    /// Returns everything that the phone shows, in order, of all conversations.
    pub async fn sees(&self) -> Vec<Seen> {
        let shown = self.core.store.shown_to(self.id(), u32::MAX).await;
        let shown = self.expect("see", shown.map_err(Problem::from));
        shown.iter().map(|stored| Seen::new(&self.core, stored)).collect()
    }

    /// Waits until the phone shows so many messages of bots, and returns these.
    ///
    /// # Panics
    ///
    /// When that does not happen within 10 seconds of real time.
    pub async fn sees_from_bots(&self, n: usize) -> Vec<Seen> {
        let phone = self.core.phones.open(self.id());
        let mut phone = phone.unwrap_or_else(|| panic!("there are too many open phones"));
        let waiting = async {
            loop {
                let mut seen = self.sees().await;
                seen.retain(|it| !it.from_me);
                if seen.len() >= n {
                    return seen;
                }
                drop(phone.news.recv().await);
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(seen) => seen,
            Err(_) => panic!("{} did not see {n} messages; {}", self.name(), self.summary().await),
        }
    }

    /// Says whether the phone shows the bot as typing.
    #[must_use]
    pub fn is_typing_shown(&self) -> bool {
        self.core.is_typing(self.id(), &self.partner())
    }

    /// Waits until the phone shows the bot as typing, or no longer.
    ///
    /// # Panics
    ///
    /// When that does not happen within 10 seconds of real time.
    pub async fn waits_for_typing(&self, on: bool) {
        let phone = self.core.phones.open(self.id());
        let mut phone = phone.unwrap_or_else(|| panic!("there are too many open phones"));
        let waiting = async {
            while self.is_typing_shown() != on {
                drop(phone.news.recv().await);
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "typing did not become {on} within {PATIENCE:?}");
    }

    /// Scans a QR code: its link, or the code itself.
    pub async fn scan(&self, link: &str) {
        self.expect("scan", self.core.scan(self.id(), link).await);
    }

    /// Agrees to connect. Returns the digits that the phone shows, if the
    /// backend asks for them.
    pub async fn confirm(&self, link: &str) -> Option<String> {
        let login = self.expect("scan", self.core.scan(self.id(), link).await);
        let login = self.expect("confirm", self.core.confirm(self.id(), &login.qrcode).await);
        login.state.digits().map(str::to_owned)
    }

    /// Declines to connect.
    pub async fn decline(&self, link: &str) {
        let login = self.expect("scan", self.core.scan(self.id(), link).await);
        self.expect("cancel", self.core.cancel(self.id(), &login.qrcode).await);
    }

    async fn sends(
        &self,
        kind: UploadKind,
        bytes: &[u8],
        name: &str,
        transcript: Option<&str>,
    ) -> MessageId {
        let chunks = stream::iter([io::Result::Ok(Bytes::copy_from_slice(bytes))]);
        self.sends_chunks(kind, Box::pin(chunks), name, transcript).await
    }

    async fn sends_chunks(
        &self,
        kind: UploadKind,
        chunks: Chunks,
        name: &str,
        transcript: Option<&str>,
    ) -> MessageId {
        let upload = Upload {
            kind,
            name: name.to_owned(),
            transcript: transcript.map(str::to_owned),
            ..Upload::default()
        };
        let sent = self.core.speak_media(self.id(), &self.partner(), upload, chunks).await;
        self.expect("send", sent).id.into()
    }

    async fn speaks(&self, word: Word) -> MessageId {
        let said = self.core.speak(self.id(), &self.partner(), word).await;
        self.expect("speak", said).id.into()
    }

    fn partner(&self) -> BotId {
        if let Some(bot) = &self.bot {
            return bot.clone();
        }
        let own = self.core.registry.newest_of(self.id());
        own.map_or_else(|| panic!("{} has bound no bot", self.name()), |bot| bot.id.clone())
    }

    fn text_of(&self, stored: &Stored) -> String {
        let seen = Seen::new(&self.core, stored);
        seen.text().unwrap_or_default().to_owned()
    }

    async fn summary(&self) -> String {
        let seen = self.sees().await;
        format!(
            "the phone shows {} messages: {:?}",
            seen.len(),
            seen.iter().rev().take(5).rev().collect::<Vec<_>>()
        )
    }

    #[track_caller]
    fn expect<T>(&self, what: &str, done: Result<T, Problem>) -> T {
        done.unwrap_or_else(|err| panic!("{} could not {what}: {err}", self.name()))
    }
}

fn number(message: &MessageId) -> u64 {
    message.as_u64().unwrap_or_else(|| panic!("{message} is no id of this backend"))
}
