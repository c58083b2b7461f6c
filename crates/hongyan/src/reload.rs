//! What a change of the file means for a gateway that runs.

use std::borrow::Cow;

use ::config::{Outcome, Path, Rule, Rules};

use crate::config::CHANNEL_NAMES;
use crate::followed::Follower;
use crate::texts::t;

/// Sections that are read anew whenever they are needed, and those that a
/// gateway applies while it runs; everything else needs a new start. The table
/// is OpenClaw's (its plan of reloads).
const NOTHING: [&str; 16] = [
    "meta",
    "identity",
    "wizard",
    "logging",
    "agents",
    "bindings",
    "messages",
    "session",
    "talk",
    "skills",
    "secrets",
    "tui",
    "ui",
    "gateway.reload",
    "gateway.remote",
    "$schema",
];
const HOT: [(&str, &str); 20] = [
    ("channels", "plugins"),
    ("plugins", "plugins"),
    ("agents.defaults.mediaMaxMb", "channels"),
    ("channels.defaults", "channels"),
    ("channels.modelByChannel", "channels"),
    ("messages.inbound", "channels"),
    ("messages.ackReactionScope", "channels"),
    ("commands", "channels"),
    ("accessGroups", "channels"),
    ("tts", "channels"),
    ("session.scope", "sessions"),
    ("session.store", "sessions"),
    ("agents.entries", "agents"),
    ("agents.defaults.model", "agents"),
    ("agents.defaults.models", "agents"),
    ("agents.defaults.heartbeat", "agents"),
    ("models", "agents"),
    ("cron", "cron"),
    ("gateway.auth.token", "auth"),
    ("gateway.auth.password", "auth"),
];

/// Returns what changes mean.
pub(crate) fn rules() -> Rules {
    let rule = |prefix: &str, outcome: Outcome| {
        // The tables are ours: a test reads them all.
        let prefix = prefix.parse().unwrap_or_else(|_| Path::root());
        Rule { prefix, outcome }
    };
    let nothing = NOTHING.iter().map(|prefix| rule(prefix, Outcome::Nothing));
    let hot = HOT.iter().map(|(prefix, what)| rule(prefix, Outcome::Hot((*what).to_owned())));
    let channel = CHANNEL_NAMES.iter().map(|name| Rule {
        prefix: Path::root().key("channels").key(*name),
        outcome: Outcome::Hot(format!("channel:{}", weixin::CHANNEL_ID)),
    });
    Rules::new(nothing.chain(hot).chain(channel))
}

/// Says when changes of a file begin to hold, as far as it is known who goes by it.
pub(crate) fn effect(changed: &[Path], follower: Option<Follower>) -> Cow<'static, str> {
    match follower {
        Some(Follower::OfAnother(file)) => t!("config.effect.another", file = file.display()),
        Some(Follower::AfterRestart) => t!("config.effect.not_followed"),
        Some(Follower::Nobody | Follower::AtOnce) | None => by_table(changed),
    }
}

fn by_table(changed: &[Path]) -> Cow<'static, str> {
    let rules = rules();
    let worst = changed.iter().map(|path| rules.outcome(path)).max();
    match worst {
        None | Some(Outcome::Nothing) => t!("config.effect.nothing"),
        Some(Outcome::Hot(_)) => t!("config.effect.hot"),
        Some(Outcome::Restart) => t!("config.effect.restart"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_takes_effect_as_the_table_says() {
        let all = NOTHING.iter().chain(HOT.iter().map(|(prefix, _)| prefix));
        assert!(all.clone().all(|prefix| prefix.parse::<Path>().is_ok()));
        for (path, expected) in [
            ("session.dmScope", "No gateway restart needed."),
            ("channels.weixin.botAgent", "Change will apply without restarting the gateway."),
            ("agents.entries.main.model", "Change will apply without restarting the gateway."),
            ("agents.defaults.workspace", "No gateway restart needed."),
            ("gateway.port", "Restart the gateway to apply."),
            ("gateway.reload.mode", "No gateway restart needed."),
            ("gateway.auth.token", "Change will apply without restarting the gateway."),
            ("nobody.knows", "Restart the gateway to apply."),
        ] {
            assert_eq!(effect(&[path.parse().unwrap()], None), expected, "{path}");
        }
    }
}
