//! Asks a model behind an OpenAI-compatible chat completions endpoint.
//!
//! ```text
//!  history + question ─▶ [`prompt`] ─▶ [`client`] ─▶ events of [`sse`] ─▶ [`answer`] ─▶ one reply
//!                                         └─▶ [`error`]: again, shorter, or give up
//! ```
//!
//! The answer is given as one reply when it is complete, so until then every
//! failure may be tried again without the peer hearing anything twice. The
//! words are recorded before they are given: a turn that is cut after that
//! gives the same words and does not ask the model again.

mod answer;
mod client;
mod error;
mod key;
mod prompt;
mod sse;

use std::time::Duration;

use futures_util::future::BoxFuture;
use url::Url;

use self::client::Client;
pub use self::client::OpenAiSetupError;
use self::error::Recovery;
pub use self::key::ApiKey;
use self::prompt::Prompt;
use crate::{Agent, AgentError, Entry, HistoryLimit, Replies, Turn};

/// How often one turn asks the model at most.
const MOST_ATTEMPTS: u32 = 3;

/// The settings of the agent.
#[derive(Clone, Debug)]
pub struct OpenAiOptions {
    /// Where the API is, up to and without `/chat/completions`.
    pub base_url: Url,
    /// The model's name there.
    pub model: String,
    /// Other models there that a session can ask for.
    pub other_models: Vec<String>,
    /// The key, if one is needed.
    pub api_key: Option<ApiKey>,
    /// What the model is told first.
    pub system_prompt: Option<String>,
    /// How much of the session the model is given.
    pub history: HistoryLimit,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How many bytes of an answer are taken; the rest is left out.
    pub most_answer_bytes: usize,
    /// Whether proxies of the environment are used.
    pub system_proxy: bool,
}

impl OpenAiOptions {
    /// Returns settings with the usual bounds: 40 entries and 48,000 characters
    /// of history, answers of 256 KiB.
    #[must_use]
    pub fn new(base_url: Url, model: impl Into<String>) -> Self {
        Self {
            base_url,
            model: model.into(),
            other_models: Vec::new(),
            api_key: None,
            system_prompt: None,
            history: HistoryLimit { entries: 40, chars: 48_000 },
            timeouts: Timeouts::default(),
            most_answer_bytes: 256 << 10,
            system_proxy: true,
        }
    }
}

/// How long the parts of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the answer begins. A server that does not stream begins when it
    /// has all of it.
    pub first_byte: Duration,
    /// Between two parts of the answer.
    pub stall: Duration,
    /// For everything, attempts and the pauses between them included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(90),
            stall: Duration::from_secs(45),
            total: Duration::from_secs(300),
        }
    }
}

/// An agent that asks a model.
pub struct OpenAi {
    options: OpenAiOptions,
    client: Client,
}

impl OpenAi {
    /// Builds the agent. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When the address cannot be used or TLS cannot be set up.
    pub fn new(options: OpenAiOptions) -> Result<Self, OpenAiSetupError> {
        let client = Client::new(&options)?;
        Ok(Self { options, client })
    }
}

impl Agent for OpenAi {
    fn answer(&self, turn: Turn, replies: Replies) -> BoxFuture<'_, Result<(), AgentError>> {
        Box::pin(self.give_answer(turn, replies))
    }

    fn models(&self) -> Vec<String> {
        let usual = std::iter::once(&self.options.model);
        usual.chain(&self.options.other_models).cloned().collect()
    }
}

impl OpenAi {
    async fn give_answer(&self, turn: Turn, replies: Replies) -> Result<(), AgentError> {
        if let Some(words) = replies.recorded().await? {
            return replies.text(words).await;
        }
        replies.working().await;
        let history = turn.history(self.options.history).await?;
        let total = self.options.timeouts.total;
        let asked =
            tokio::time::timeout(total, self.ask(self.model_of(&turn), &history, &turn.in_words()))
                .await;
        let words = asked.unwrap_or_else(|_| Err(error::took_too_long(total)))?;
        replies.text(words).await
    }

    /// Returns the model for a turn. One that was chosen and is no longer there
    /// is as good as none.
    fn model_of<'a>(&'a self, turn: &'a Turn) -> &'a str {
        let known = |model: &&String| self.options.other_models.contains(model);
        turn.model.as_ref().filter(known).unwrap_or(&self.options.model)
    }

    /// Asks until there is an answer or no point in asking.
    async fn ask(
        &self,
        model: &str,
        mut history: &[Entry],
        question: &str,
    ) -> Result<String, AgentError> {
        let system = self.options.system_prompt.as_deref();
        let mut attempt = 1;
        loop {
            let prompt = Prompt::new(model, system, history, question);
            let err = match self.client.complete(&prompt).await {
                Ok(words) => return Ok(words),
                Err(err) => err,
            };
            if attempt == MOST_ATTEMPTS {
                return Err(err.into());
            }
            match err.recovery() {
                Recovery::Retry { after } => {
                    tracing::warn!(attempt, error = %err, "model failed; asking again");
                    tokio::time::sleep(error::delay(attempt, after)).await;
                }
                Recovery::Shorten if !history.is_empty() => {
                    tracing::info!(attempt, error = %err, "too long; asking with less history");
                    history = &history[history.len().div_ceil(2)..];
                }
                Recovery::Shorten | Recovery::GiveUp => return Err(err.into()),
            }
            attempt += 1;
        }
    }
}
