//! When what was saved begins to hold.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::settings::Settings;
use crate::composition::State;
use crate::control::{Client, LOOK};
use crate::error::{CliError, Kind};
use crate::followed::Follower;
use crate::texts::t;

/// How long a gateway is waited for that applies what was saved. One that ends
/// turns first takes longer, and goes on with it by itself.
const WAIT: Duration = Duration::from_secs(3);

/// What becomes of a change in the gateway that runs, if one does.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "effect", content = "reason")]
pub(super) enum Effect {
    /// No gateway runs.
    NextStart,
    /// The gateway that runs has been told and follows.
    Followed,
    /// The gateway that runs does not follow the file, as it is configured.
    AfterRestart,
    /// The gateway that runs goes by another file.
    OfAnother {
        /// The file that was edited.
        edited: PathBuf,
        /// The other one.
        file: PathBuf,
    },
    /// The gateway that runs cannot be told, or refuses.
    NotApplied(String),
}

impl Effect {
    /// Tells the gateway, if one runs, of what was saved.
    pub(super) async fn of_change(state: &State, settings: &Settings) -> Self {
        match Self::tell(state, settings).await {
            Ok(effect) => effect,
            Err(err) => Self::NotApplied(err.message),
        }
    }

    async fn tell(state: &State, settings: &Settings) -> Result<Self, CliError> {
        let edited = settings.path();
        match Follower::of(edited, state).await? {
            Follower::Nobody => return Ok(Self::NextStart),
            Follower::AtOnce if settings.is_followed() => {}
            Follower::AtOnce | Follower::AfterRestart => return Ok(Self::AfterRestart),
            Follower::OfAnother(file) => {
                return Ok(Self::OfAnother { edited: edited.to_owned(), file });
            }
        }
        let Some(client) = Client::find(state).await? else { return Ok(Self::NextStart) };
        let mut refused = None;
        let told = async {
            loop {
                match client.post::<Value>("/v1/config/reload", &json!({})).await {
                    // It starts, or is between two runs.
                    Err(err) if err.kind() == Kind::Unavailable => refused = Some(err),
                    answer => break answer.map(|_| Self::Followed),
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let told = tokio::time::timeout(WAIT, told).await;
        match (told, refused) {
            (Ok(answer), _) => answer,
            (Err(_), Some(refused)) => Err(refused),
            // It has heard, and is at it.
            (Err(_), None) => Ok(Self::Followed),
        }
    }

    /// Says it to people.
    pub(super) fn words(&self) -> Cow<'static, str> {
        match self {
            Self::NextStart => t!("plugins.effect.next_start"),
            Self::Followed => t!("plugins.effect.followed"),
            Self::AfterRestart => t!("plugins.effect.restart"),
            Self::OfAnother { edited, file } => {
                t!("plugins.effect.another", edited = edited.display(), file = file.display())
            }
            Self::NotApplied(why) => t!("plugins.effect.not_applied", why = why),
        }
    }

    /// Adds it to what programs are told.
    pub(super) fn added_to(&self, mut said: Value) -> Value {
        if let (Value::Object(said), Ok(Value::Object(effect))) =
            (&mut said, serde_json::to_value(self))
        {
            said.extend(effect);
        }
        said
    }
}
