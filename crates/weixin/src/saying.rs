//! Takes what a host says and puts it on disk, ready to leave.
//!
//! Works beside a running channel, too: another process writes to the same
//! store and rings the bell.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use contract::{
    ChannelError, Content, Media, Outgoing, Reply, ReplyClass, SendClass, Signal, Source,
    ToolOutcome,
};
use ilink::{ClientId, RunId};
use mediafile::facts::inspect;
use mediafile::local::Roots;

use crate::clock::Clock;
use crate::codes::Notice;
use crate::credentials::files::replace;
use crate::files::{adopt, adopt_open};
use crate::intake::turn_id;
use crate::sending::SendSettings;
use crate::settings::CHANNEL_ID;
use crate::store::{Class, Payload, Saying, Store, Stored, Talk, storage};
use crate::switch::Switch;

/// The number of a debug report, behind all replies of its turn.
const REPORT: u32 = u32::MAX;

/// Puts sayings into the outbox.
#[derive(Clone)]
pub(crate) struct Sayings {
    pub(crate) store: Store,
    /// Where copies of media lie until they have left.
    pub(crate) files: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) settings: Switch<SendSettings>,
}

/// The turn that something is said in.
#[derive(Clone, Debug)]
pub(crate) struct InTurn {
    pub(crate) row: i64,
    pub(crate) talk: Talk,
    pub(crate) run_id: RunId,
}

impl Sayings {
    /// Stores a reply of a turn; one of that number that is there stays.
    pub(crate) async fn reply(&self, turn: &InTurn, reply: Reply) -> Result<(), ChannelError> {
        let messages = self.messages(reply.content).await?;
        let class = Class::from(reply.class);
        let saying = self.saying(&turn.talk, class, self.life(reply.class), messages);
        let saying = Saying {
            turn: Some(turn.row),
            number: Some(reply.number),
            run_id: Some(turn.run_id.clone()),
            ..saying
        };
        self.store(saying).await.map(drop)
    }

    /// Stores what a turn is doing, if it can be told in items of its own.
    /// Not kept over a restart.
    pub(crate) async fn progress(&self, turn: &InTurn, signal: Signal) -> Result<(), ChannelError> {
        let payload = match signal {
            Signal::Working => return Ok(()),
            Signal::ToolStarted { tool, call_id } => Payload::ToolStarted { tool, call_id },
            Signal::ToolEnded { tool, call_id, outcome } => {
                let status = match outcome {
                    ToolOutcome::Completed => "completed",
                    ToolOutcome::Failed => "failed",
                    ToolOutcome::Blocked => "blocked",
                };
                Payload::ToolEnded { tool, call_id, status: status.to_owned() }
            }
        };
        let life = self.settings.now().ttl.answer;
        let saying = self.saying(&turn.talk, Class::Progress, life, vec![payload]);
        let saying = Saying { turn: Some(turn.row), run_id: Some(turn.run_id.clone()), ..saying };
        self.store(saying).await.map(drop)
    }

    /// Stores something said outside a turn.
    pub(crate) async fn send(
        &self,
        talk: &Talk,
        outgoing: Outgoing,
    ) -> Result<Stored, ChannelError> {
        let messages = self.messages(outgoing.content).await?;
        let life = outgoing.ttl.unwrap_or(match outgoing.class {
            SendClass::Notice => self.settings.now().ttl.notice,
            SendClass::Reminder => self.settings.now().ttl.reminder,
            SendClass::Report => self.settings.now().ttl.report,
        });
        let saying = self.saying(talk, Class::from(outgoing.class), life, messages);
        self.store(Saying { key: outgoing.key, ..saying }).await
    }

    /// Stores a word of the channel's own, in the language that the peer writes;
    /// at most one about each thing, such as a turn.
    pub(crate) async fn apology(
        &self,
        talk: &Talk,
        about: &str,
        notice: &Notice,
    ) -> Result<(), ChannelError> {
        let language = self.store.language(talk).await.map_err(storage)?;
        let words = vec![Payload::Text(notice.say(language))];
        let saying = self.saying(talk, Class::Notice, self.settings.now().ttl.notice, words);
        self.store(Saying { key: Some(format!("notice:{about}")), ..saying }).await.map(drop)
    }

    /// Stores the channel's own answer to a command, once per turn.
    pub(crate) async fn command(
        &self,
        turn: &InTurn,
        words: Vec<String>,
    ) -> Result<(), ChannelError> {
        self.own_words(turn, 0, Class::Answer, words).await
    }

    /// Stores the report that debug mode puts behind a turn.
    pub(crate) async fn debug_report(
        &self,
        turn: &InTurn,
        report: String,
    ) -> Result<(), ChannelError> {
        self.own_words(turn, REPORT, Class::Notice, vec![report]).await
    }

    async fn own_words(
        &self,
        turn: &InTurn,
        number: u32,
        class: Class,
        words: Vec<String>,
    ) -> Result<(), ChannelError> {
        let words = words.into_iter().map(Payload::Text).collect();
        let saying = self.saying(&turn.talk, class, self.settings.now().ttl.notice, words);
        let (turn, run_id) = (Some(turn.row), Some(turn.run_id.clone()));
        self.store(Saying { turn, number: Some(number), run_id, ..saying }).await.map(drop)
    }

    fn life(&self, class: ReplyClass) -> Duration {
        match class {
            ReplyClass::Answer | ReplyClass::Question => self.settings.now().ttl.answer,
            ReplyClass::Notice => self.settings.now().ttl.notice,
        }
    }

    fn saying(&self, talk: &Talk, class: Class, life: Duration, said: Vec<Payload>) -> Saying {
        let now_ms = self.clock.now_ms();
        let life_ms = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        Saying {
            talk: talk.clone(),
            turn: None,
            number: None,
            key: None,
            run_id: None,
            class,
            messages: said.into_iter().map(|payload| (payload, client_id(now_ms))).collect(),
            created_at_ms: now_ms,
            expires_at_ms: now_ms.saturating_add(life_ms),
        }
    }

    async fn store(&self, saying: Saying) -> Result<Stored, ChannelError> {
        let copies: Vec<PathBuf> = saying
            .messages
            .iter()
            .filter_map(|(payload, _)| match payload {
                Payload::Media { file, .. } => Some(self.files.join(file)),
                Payload::Markdown(_)
                | Payload::Text(_)
                | Payload::Remote { .. }
                | Payload::ToolStarted { .. }
                | Payload::ToolEnded { .. } => None,
            })
            .collect();
        let turn = saying.turn;
        let stored = self.store.say(saying).await.map_err(storage)?;
        if let None | Some(Stored::Before(_)) = stored {
            // It was said before, with copies of its own, or cannot leave.
            for copy in copies {
                tokio::fs::remove_file(copy).await.map_err(storage)?;
            }
        }
        stored.ok_or_else(|| ChannelError::NoSuchTurn(turn_id(turn.unwrap_or_default())))
    }

    /// Puts content into messages: words first, so that no failed upload loses them.
    async fn messages(&self, content: Content) -> Result<Vec<Payload>, ChannelError> {
        let media = match content {
            Content::Text(text) => return Ok(vec![Payload::Markdown(text)]),
            Content::Media(media) => media,
        };
        let caption = media.caption.clone().filter(|caption| !caption.trim().is_empty());
        let payload = self.media(media).await?;
        let caption = match self.length_of(&payload).await {
            Some(length) => Some(match (caption, &payload) {
                (Some(caption), _) => format!("{caption}（{length}）"),
                (None, Payload::Media { name, .. }) => format!("{name}（{length}）"),
                (None, _) => length,
            }),
            None => caption,
        };
        Ok(caption.map(Payload::Markdown).into_iter().chain([payload]).collect())
    }

    /// Returns how long a recording plays: it leaves as a file, which does not say.
    async fn length_of(&self, payload: &Payload) -> Option<String> {
        let Payload::Media { name, file, .. } = payload else { return None };
        let (path, name) = (self.files.join(file), name.clone());
        let look = move || {
            let facts = inspect(&mut std::fs::File::open(path).ok()?, &name).ok()?;
            facts.duration.filter(|_| facts.kind.class == mediafile::kind::Class::Audio)
        };
        let secs = tokio::task::spawn_blocking(look).await.ok().flatten()?.as_secs_f64().round();
        Some(format!("{}:{:02}", (secs / 60.0).floor(), secs % 60.0))
    }

    async fn media(&self, media: Media) -> Result<Payload, ChannelError> {
        let Media { source, kind, name, caption: _, as_file } = media;
        let file = uuid::Uuid::new_v4().to_string();
        match source {
            Source::File(path) => {
                let copied = adopt(&path, &self.files, &file).await;
                copied.map_err(|err| unusable(path.display().to_string(), &err))?;
                let name = name.unwrap_or_else(|| file_name(&path));
                Ok(Payload::Media { kind, name, file, as_file })
            }
            Source::Named(url) if is_remote(&url) => {
                let instead =
                    name.as_ref().map_or_else(|| url.clone(), |name| format!("{name} ({url})"));
                Ok(Payload::Remote { kind, name, url, as_file, instead })
            }
            Source::Named(reference) => {
                let roots = self.settings.now().media_roots.clone();
                let own_name = adopt_named(reference, roots, &self.files, &file).await?;
                Ok(Payload::Media { kind, name: name.unwrap_or(own_name), file, as_file })
            }
        }
    }
}

/// Takes a copy of a file that an agent named, if it may. Returns what it is
/// called where it lies.
pub(crate) async fn adopt_named(
    reference: String,
    roots: Vec<PathBuf>,
    files: &Path,
    file: &str,
) -> Result<String, ChannelError> {
    let roots = Roots::new(roots, std::env::home_dir());
    let named = reference.clone();
    let opened = tokio::task::spawn_blocking(move || roots.open(&named)).await;
    let opened = opened.map_err(storage)?.map_err(|err| unusable(reference, &err))?;
    adopt_open(opened.file, files, file).await.map_err(storage)?;
    Ok(opened.name)
}

/// Makes the id under which a message is tried.
pub(crate) fn client_id(now_ms: i64) -> ClientId {
    ClientId::generate(CHANNEL_ID, now_ms.unsigned_abs())
}

/// Says whether a named source is an address on the network.
pub(crate) fn is_remote(source: &str) -> bool {
    let scheme = source.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https"))
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn unusable(path: String, err: &dyn std::error::Error) -> ChannelError {
    ChannelError::Media { path, reason: err.to_string() }
}

/// Another process that has put something into the outbox rings here; the
/// running channel looks once a second.
pub(crate) struct Bell {
    path: PathBuf,
}

impl Bell {
    /// Uses the bell of a channel's folder.
    pub(crate) fn of(dir: &Path) -> Self {
        Self { path: dir.join("outbox.bell") }
    }

    /// Rings.
    pub(crate) fn ring(&self) -> std::io::Result<()> {
        replace(&self.path, uuid::Uuid::new_v4().to_string().as_bytes())
    }

    /// Returns when it was last rung.
    pub(crate) async fn rung(&self) -> Option<SystemTime> {
        tokio::fs::metadata(&self.path).await.and_then(|meta| meta.modified()).ok()
    }
}
