//! `hongyan logs`, `hongyan channels logs`

use std::time::Duration;

use gateway::control::{Level, LogLine, Tail};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use super::which::Which;
use crate::cli::{ChannelLogsArgs, LogsArgs};
use crate::composition::State;
use crate::control::Client;
use crate::error::CliError;
use crate::texts::t;
use crate::{output, signals};

/// The parts of the program that are the WeChat channel.
const CHANNEL_TARGET: &str = "weixin";
/// The part that runs the programs of the others.
const PLUGIN_TARGET: &str = "plugins";

pub(crate) async fn run(args: &LogsArgs, state: &State) -> Result<(), CliError> {
    let client = Client::need(state).await?;
    let query = format!("limit={}&level={}", args.limit, args.level.name());
    let mut last = show(&client, &query, 0, args).await?;
    if !args.follow {
        return Ok(());
    }
    let followed = async {
        loop {
            sleep(Duration::from_millis(args.interval)).await;
            last = show(&client, &query, last, args).await?;
        }
    };
    tokio::select! {
        followed = followed => followed,
        () = signals::stop_asked() => Ok(()),
    }
}

/// Shows the lines of one channel.
pub(crate) async fn of_channel(
    args: &ChannelLogsArgs,
    found: &State,
    load: impl FnOnce() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let client = Client::need(found).await?;
    let (target, plugin) = match args.channel.as_str() {
        "all" => (String::new(), None),
        name => match Which::find(name, found, load).await? {
            Which::BuiltIn => (format!("&target={CHANNEL_TARGET}"), None),
            Which::Plugin(there) => {
                let plugin = plugin_of(&client, &there.channel).await?;
                (format!("&target={PLUGIN_TARGET}"), Some(plugin))
            }
        },
    };
    let tail: Tail = client.get(&format!("/v1/logs?limit={}{target}", args.lines)).await?;
    let is_its = |line: &&LogLine| {
        plugin.is_none() || line.fields.get("plugin").map(String::as_str) == plugin.as_deref()
    };
    for line in tail.lines.iter().filter(is_its) {
        tell(line, args.json);
    }
    Ok(())
}

/// Returns the plugin that brings a channel, under which its lines are logged.
async fn plugin_of(client: &Client, channel: &str) -> Result<String, CliError> {
    let listing: Value = client.get("/v1/plugins").await?;
    let plugins = listing["plugins"].as_array().into_iter().flatten();
    let mut its = plugins.filter(|plugin| {
        plugin["channels"].as_array().is_some_and(|all| all.iter().any(|it| it == channel))
    });
    let id = its.next().and_then(|plugin| plugin["id"].as_str());
    Ok(id.unwrap_or(channel).to_owned())
}

/// Shows what is behind a line; returns the last one.
async fn show(client: &Client, query: &str, after: u64, args: &LogsArgs) -> Result<u64, CliError> {
    let tail: Tail = client.get(&format!("/v1/logs?after={after}&{query}")).await?;
    if tail.lost > 0 {
        output::aside(t!("logs.lost", n = tail.lost));
    }
    for line in &tail.lines {
        tell(line, args.json);
    }
    Ok(tail.last)
}

fn tell(line: &LogLine, json: bool) {
    if json {
        output::json(line);
    } else {
        output::line(text(line));
    }
}

fn text(line: &LogLine) -> String {
    let at = Timestamp::from_millisecond(line.at_ms).unwrap_or_default();
    let level = match line.level {
        Level::Error => "ERROR",
        Level::Warn => "WARN ",
        Level::Info => "INFO ",
        Level::Debug => "DEBUG",
        Level::Trace => "TRACE",
    };
    let mut text = format!("{at:.3} {level} {}: {}", line.target, line.message);
    for (name, value) in &line.fields {
        text.push_str(&format!(" {name}={value}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_when_how_grave_where_what_and_with_which_values() {
        let line = LogLine {
            number: 1,
            at_ms: 0,
            level: Level::Warn,
            target: "weixin::monitor".into(),
            message: "poll failed".into(),
            fields: [("attempt".to_owned(), "2".to_owned())].into(),
        };
        let expected = "1970-01-01T00:00:00.000Z WARN  weixin::monitor: poll failed attempt=2";
        assert_eq!(text(&line), expected);
    }
}
