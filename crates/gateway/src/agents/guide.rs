//! Answers without a network or a key: shows what can be done.

mod meanwhile;
mod picture;
mod texts;
mod wish;

use std::io::Write;
use std::time::Duration;

use contract::{Inbound, Media, MediaKind, ToolOutcome};
use futures_util::future::BoxFuture;
use tempfile::NamedTempFile;

use self::meanwhile::Meanwhile;
use self::wish::Wish;
use crate::language::Language;
use crate::{Agent, AgentError, Question, Replies, Resolution, SessionKey, Turn};

/// The built-in agent. Explains itself, echoes, and on request sends a picture,
/// a file or a long text, takes its time, pretends to use tools or asks for
/// leave. What is said to it while it takes its time can be steered into that
/// turn. Answers in the language it was asked in: Chinese or English.
#[derive(Clone, Debug)]
pub struct Guide {
    options: GuideOptions,
    meanwhile: Meanwhile,
}

/// How fast the guide is when it is slow on purpose.
#[derive(Clone, Debug)]
pub struct GuideOptions {
    /// How long `slow` takes.
    pub slow: Duration,
    /// How long each step of `tools` takes.
    pub tool: Duration,
}

impl Default for GuideOptions {
    fn default() -> Self {
        Self { slow: Duration::from_secs(8), tool: Duration::from_millis(1500) }
    }
}

impl Guide {
    /// Returns the agent.
    #[must_use]
    pub fn new(options: GuideOptions) -> Self {
        Self { options, meanwhile: Meanwhile::default() }
    }
}

impl Agent for Guide {
    fn answer(&self, turn: Turn, replies: Replies) -> BoxFuture<'_, Result<(), AgentError>> {
        Box::pin(self.grant(turn, replies))
    }

    fn steer(&self, turn: Turn) -> BoxFuture<'_, bool> {
        let taken = self.meanwhile.hear(&turn.session, turn.in_words());
        Box::pin(std::future::ready(taken))
    }
}

impl Guide {
    async fn grant(&self, turn: Turn, replies: Replies) -> Result<(), AgentError> {
        let language = turn.language().await;
        let Turn { inbound, session, .. } = turn;
        match Wish::of(&inbound) {
            Wish::Help => replies.text(texts::help(language)).await,
            Wish::Picture => send_picture(&inbound, language, &replies).await,
            Wish::File => send_file(language, &replies).await,
            Wish::Long => replies.text(texts::long(language)).await,
            Wish::Slow => self.answer_slowly(session, language, &replies).await,
            Wish::Tools => self.use_tools(language, &replies).await,
            Wish::Ask => ask(language, &replies).await,
            Wish::Markdown => replies.text(texts::markdown(language)).await,
            Wish::Quote => replies.text(texts::quoted(inbound.quote.as_ref(), language)).await,
            Wish::Echo => replies.text(texts::echo(&inbound, language)).await,
        }
    }

    async fn answer_slowly(
        &self,
        session: SessionKey,
        language: Language,
        replies: &Replies,
    ) -> Result<(), AgentError> {
        let ears = self.meanwhile.listen(session);
        replies.working().await;
        tokio::time::sleep(self.options.slow).await;
        replies.text(texts::slow(self.options.slow, &ears.close(), language)).await
    }

    async fn use_tools(&self, language: Language, replies: &Replies) -> Result<(), AgentError> {
        replies.working().await;
        for (n, (tool, outcome)) in TOOLS.into_iter().enumerate() {
            let call_id = format!("step-{}", n + 1);
            replies.tool_started(tool, &call_id).await;
            tokio::time::sleep(self.options.tool).await;
            replies.tool_ended(tool, &call_id, outcome).await;
        }
        replies.text(texts::tools(language)).await
    }
}

/// What `tools` pretends to do.
const TOOLS: [(&str, ToolOutcome); 3] = [
    ("look_at_the_sky", ToolOutcome::Completed),
    ("ask_the_weather_station", ToolOutcome::Failed),
    ("read_the_almanac", ToolOutcome::Completed),
];

async fn ask(language: Language, replies: &Replies) -> Result<(), AgentError> {
    match replies.ask(Question::approval(texts::question(language))).await? {
        // The peer has been told that it counts as no.
        Resolution::Expired => Ok(()),
        answer @ Resolution::Chosen(_) => {
            replies.text(texts::flight(answer.is_allowed(), language)).await
        }
    }
}

async fn send_picture(
    inbound: &Inbound,
    language: Language,
    replies: &Replies,
) -> Result<(), AgentError> {
    // The same turn gets the same picture, however often it runs.
    let seed = inbound.turn.as_str().to_owned();
    let drawn = tokio::task::spawn_blocking(move || picture::draw(&seed)).await;
    let png = drawn.map_err(failed)?.map_err(failed)?;
    send(replies, MediaKind::Image, "geese.png", png).await?;
    replies.text(texts::picture(language)).await
}

async fn send_file(language: Language, replies: &Replies) -> Result<(), AgentError> {
    let name = language.pick("鸿雁.md", "hongyan.md");
    let text = texts::file(language).as_bytes().to_vec();
    send(replies, MediaKind::File, name, text).await
}

/// Sends bytes as a file, which lives until the channel has its copy.
async fn send(
    replies: &Replies,
    kind: MediaKind,
    name: &str,
    bytes: Vec<u8>,
) -> Result<(), AgentError> {
    let write = move || -> std::io::Result<NamedTempFile> {
        let mut file = NamedTempFile::new()?;
        file.write_all(&bytes)?;
        file.flush()?;
        Ok(file)
    };
    let file = tokio::task::spawn_blocking(write).await.map_err(failed)?.map_err(failed)?;
    replies.media(Media::file(kind, file.path().to_owned(), name)).await
}

fn failed(err: impl std::error::Error) -> AgentError {
    AgentError::Failed(err.to_string())
}
