//! Those whom OpenClaw admits: its store of approvals, and the files that came
//! before it and that the official plugin still reads.

use std::collections::BTreeSet;
use std::path::Path;

use contract::{AccountId, ChannelId, Conversation, PeerId};
use gateway::Elsewhere;
use serde::Deserialize;
use weixin::accounts::Takeover;
use weixin::{CHANNEL_ID, Settings};

use super::pairing;
use super::report::{Outcome, Part, Report, Why};
use super::source::{Source, entries, name};
use crate::composition::State;
use crate::error::CliError;
use crate::rules::channel_name;

/// The version of OpenClaw's store that is known.
const KNOWN_VERSION: i64 = 18;

/// A file of admitted peers.
#[derive(Deserialize)]
struct AllowFrom {
    #[serde(default, rename = "allowFrom")]
    allow_from: Vec<Entry>,
}

/// OpenClaw takes numbers, too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String),
    Number(i64),
}

/// Approves here of those who are admitted there.
pub(super) async fn take(
    state: &State,
    source: &Source,
    how: Takeover,
    report: &mut Report,
) -> Result<(), CliError> {
    let accounts = accounts(state, source);
    let mut found = of_store(source, report);
    found.extend(of_files(source, &accounts, report));
    let pairing = pairing(state, how.is_dry).await?;
    let (mut seen, mut news) = (BTreeSet::new(), Vec::new());
    for it in found {
        let shown = format!("{}/{}", it.account, it.peer);
        if !seen.insert(shown.to_lowercase()) {
            continue;
        }
        let is_known = || match &pairing {
            Some(pairing) => pairing.is_approved(&it).map_err(CliError::bug),
            None => Ok(false),
        };
        let outcome = if it.peer.as_str().trim() == "*" {
            Outcome::Left(Why::Everybody)
        } else if !accounts.contains(it.account.as_str()) {
            Outcome::Left(Why::NoAccount)
        } else if is_known()? {
            Outcome::Known
        } else {
            news.push(it);
            Outcome::Taken
        };
        report.add(Part::Approval, shown, outcome);
    }
    if let Some(pairing) = pairing {
        if !how.is_dry {
            pairing.approve_peers(news).await.map_err(CliError::bug)?;
        }
        pairing.close().await;
    }
    Ok(())
}

/// Returns the accounts here and there, as the store of approvals names them.
fn accounts(state: &State, source: &Source) -> BTreeSet<String> {
    let there = Settings::new(source.dir.join(CHANNEL_ID));
    let registries = [state.weixin().registry(), there.registry()];
    let listed = registries.iter().flat_map(|it| it.accounts().unwrap_or_default());
    listed.map(|account| account.as_str().to_lowercase()).collect()
}

fn of_store(source: &Source, report: &mut Report) -> Vec<Conversation> {
    let path = source.dir.join("state").join("openclaw.sqlite");
    if !path.exists() {
        return Vec::new();
    }
    let left = |why| Outcome::Left(why);
    match Elsewhere::read(&path) {
        Ok(Elsewhere { version, approvals: None }) => {
            report.add(Part::Approval, "openclaw.sqlite", left(Why::NoTable(version)));
            Vec::new()
        }
        Ok(Elsewhere { version, approvals: Some(approvals) }) => {
            if version != KNOWN_VERSION {
                tracing::info!(
                    version,
                    "another version of OpenClaw's store was read all the same"
                );
            }
            let ours =
                approvals.into_iter().filter(|it| channel_name(it.channel.as_str()) == CHANNEL_ID);
            ours.map(|it| conversation(it.account.as_str(), it.peer.as_str())).collect()
        }
        Err(err) => {
            let why = std::error::Error::source(&err)
                .map_or_else(|| err.to_string(), ToString::to_string);
            report.add(Part::Approval, "openclaw.sqlite", left(Why::Unreadable(why)));
            Vec::new()
        }
    }
}

fn of_files(
    source: &Source,
    accounts: &BTreeSet<String>,
    report: &mut Report,
) -> Vec<Conversation> {
    let mut found = Vec::new();
    for path in entries(&source.credentials) {
        let file = name(&path);
        let Some(middle) = middle(&file) else { continue };
        let account = middle.trim_start_matches('-');
        if !accounts.contains(&account.to_lowercase()) {
            report.add(Part::Approval, file, Outcome::Left(Why::NoAccount));
            continue;
        }
        match peers(&path) {
            Ok(peers) => found.extend(peers.iter().map(|peer| conversation(account, peer))),
            Err(why) => report.add(Part::Approval, file, Outcome::Left(Why::Unreadable(why))),
        }
    }
    found
}

/// Returns what a file's name says of its account: `-<account>`, or nothing.
fn middle(file: &str) -> Option<&str> {
    file.strip_prefix(CHANNEL_ID)?.strip_suffix("-allowFrom.json")
}

fn peers(path: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read(path).map_err(|err| err.to_string())?;
    let list: AllowFrom = serde_json::from_slice(&text).map_err(|err| err.to_string())?;
    let peers = list.allow_from.into_iter().map(|entry| match entry {
        Entry::Text(text) => text.trim().to_owned(),
        Entry::Number(number) => number.to_string(),
    });
    Ok(peers.filter(|peer| !peer.is_empty()).collect())
}

fn conversation(account: &str, peer: &str) -> Conversation {
    Conversation {
        channel: ChannelId::new(CHANNEL_ID),
        account: AccountId::new(account),
        peer: PeerId::new(peer),
    }
}
