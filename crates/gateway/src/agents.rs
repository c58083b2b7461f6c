//! The agents that are built in.

mod guide;
mod openai;

pub use self::guide::{Guide, GuideOptions};
pub use self::openai::{ApiKey, OpenAi, OpenAiOptions, OpenAiSetupError, Timeouts};
