//! What a plugin does in the gateway that runs.

use ::plugins::Found;
use serde::Serialize;
use serde_json::Value;

use crate::composition::State;
use crate::control::Client;
use crate::error::CliError;

/// What the gateway says of a plugin.
#[derive(Serialize)]
pub(super) struct Runtime {
    /// Whether a gateway runs.
    pub(super) gateway: bool,
    /// The plugin's channels that run in it, as `gateway status` has them.
    pub(super) channels: Vec<Value>,
}

impl Runtime {
    /// Asks the gateway on this state folder, if one runs.
    pub(super) async fn ask(found: &Found, state: &State) -> Result<Self, CliError> {
        let Some(client) = Client::find(state).await? else {
            return Ok(Self { gateway: false, channels: Vec::new() });
        };
        let status: Value = client.get("/v1/status").await?;
        let is_its = |row: &&Value| {
            row["channel"].as_str().is_some_and(|name| found.channels.iter().any(|it| it == name))
        };
        let channels = status["channels"].as_array().into_iter().flatten();
        Ok(Self { gateway: true, channels: channels.filter(is_its).cloned().collect() })
    }
}
