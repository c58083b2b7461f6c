//! Which channel a command is about.

use serde_json::Value;
use weixin::{CHANNEL_ID, WeixinChannel};

use super::place::Place;
use crate::composition::State;
use crate::control::Client;
use crate::error::{CliError, Kind};
use crate::host::inventory;
use crate::rules::channel_name;
use crate::texts::t;

/// The channel that is meant.
pub(super) enum Which {
    /// The one that is built in, whose files can be worked on without a gateway.
    BuiltIn,
    /// One that a plugin brings. Its program runs in the gateway, so that is asked.
    Plugin(Box<There>),
}

/// A channel in the gateway that runs.
pub(super) struct There {
    pub(super) client: Client,
    pub(super) channel: String,
}

impl Which {
    /// Finds the channel of this name, or says what there is in its place.
    pub(super) async fn find(
        name: &str,
        found: &State,
        load: impl FnOnce() -> Result<State, CliError>,
    ) -> Result<Self, CliError> {
        if channel_name(name) == CHANNEL_ID {
            return Ok(Self::BuiltIn);
        }
        let client = Client::find(found).await?;
        let running = match &client {
            Some(client) => running(client).await?,
            None => Vec::new(),
        };
        match client {
            Some(client) if running.iter().any(|it| it == name) => {
                Ok(Self::Plugin(Box::new(There { client, channel: name.to_owned() })))
            }
            client => Err(absent(name, client.is_some(), &installed(found, load))),
        }
    }
}

/// Where a channel is spoken with.
pub(super) enum Desk {
    /// The gateway that runs, and the channel there.
    There(Box<There>),
    /// The WeChat channel in this process, as no gateway runs.
    Here(Box<WeixinChannel>),
}

impl Desk {
    /// Finds the channel of this name where it is now.
    pub(super) async fn find(
        name: &str,
        found: &State,
        load: impl Fn() -> Result<State, CliError>,
    ) -> Result<Self, CliError> {
        match Which::find(name, found, &load).await? {
            Which::Plugin(there) => Ok(Self::There(there)),
            Which::BuiltIn => Ok(match Place::find(found, load).await? {
                Place::Gateway(client) => {
                    Self::There(Box::new(There { client, channel: CHANNEL_ID.to_owned() }))
                }
                Place::Folder(state) => Self::Here(Box::new(state.channel()?)),
            }),
        }
    }
}

/// Returns the ids of the channels that run in a gateway.
pub(super) async fn running(client: &Client) -> Result<Vec<String>, CliError> {
    let rows: Vec<Value> = client.get("/v1/channels").await?;
    Ok(rows.iter().filter_map(|row| row["channel"].as_str()).map(str::to_owned).collect())
}

/// Returns the channels of installed plugins, each with its plugin.
pub(super) fn installed(
    found: &State,
    load: impl FnOnce() -> Result<State, CliError>,
) -> Vec<(String, String)> {
    // With a broken configuration as much as can be seen.
    let state = load().unwrap_or_else(|_| found.clone());
    let inventory = inventory(&state);
    let plugins = inventory.plugins.iter().filter(|plugin| plugin.root.is_some());
    let channels = plugins.flat_map(|plugin| {
        plugin.channels.iter().map(|channel| (channel.clone(), plugin.id.clone()))
    });
    channels.collect()
}

fn absent(name: &str, has_gateway: bool, installed: &[(String, String)]) -> CliError {
    match installed.iter().find(|(channel, _)| channel == name) {
        Some((_, plugin)) if has_gateway => {
            CliError::new(Kind::Unavailable, t!("error.channel_off", channel = name))
                .hinted(t!("hint.channel_off", plugin = plugin))
        }
        Some(_) => CliError::new(Kind::Unavailable, t!("error.channel_asleep", channel = name))
            .hinted(t!("hint.gateway_run")),
        None => {
            let there = installed.iter().map(|(channel, _)| channel.as_str());
            let there: Vec<_> = std::iter::once(CHANNEL_ID).chain(there).collect();
            CliError::new(Kind::Usage, t!("error.unknown_channel", channel = name))
                .hinted(t!("hint.channel", channels = there.join(", ")))
        }
    }
}
