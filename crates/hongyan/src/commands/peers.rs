//! `hongyan peers`

use contract::{Channel as _, Conversation, PeerStatus, Target};
use serde_json::json;

use super::which::{Desk, There};
use crate::cli::PeersCommand;
use crate::composition::State;
use crate::error::CliError;
use crate::output;
use crate::texts::t;

pub(crate) async fn run(
    command: PeersCommand,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let (PeersCommand::List { channel, .. } | PeersCommand::Name { channel, .. }) = &command;
    let desk = Desk::find(channel, found, load).await?;
    match command {
        PeersCommand::List { json, .. } => list(json, &desk).await,
        PeersCommand::Name { to, account, name, json, .. } => {
            let target = Target { to, account };
            let named = name_peer(&desk, &target, name.as_deref()).await?;
            if json {
                output::json(&named);
            } else {
                match name {
                    Some(name) => output::done(t!("peers.named", peer = named.peer, name = name)),
                    None => output::done(t!("peers.unnamed", peer = named.peer)),
                }
            }
            Ok(())
        }
    }
}

async fn name_peer(
    desk: &Desk,
    target: &Target,
    name: Option<&str>,
) -> Result<Conversation, CliError> {
    let There { client, channel } = match desk {
        Desk::There(there) => &**there,
        Desk::Here(channel) => return Ok(channel.name_peer(target, name).await?),
    };
    let Target { to, account } = target;
    let body = json!({ "channel": channel, "account": account, "to": to, "name": name });
    client.post("/v1/peers/name", &body).await
}

async fn list(json: bool, desk: &Desk) -> Result<(), CliError> {
    let peers: Vec<PeerStatus> = match desk {
        Desk::There(there) => {
            there.client.get(&format!("/v1/peers?channel={}", there.channel)).await?
        }
        Desk::Here(channel) => channel.peers().await?,
    };
    if json {
        output::json(&peers);
    } else if peers.is_empty() {
        output::note(t!("peers.none"));
    } else {
        let header = [
            t!("peers.name"),
            t!("peers.peer"),
            t!("peers.account"),
            t!("peers.last"),
            t!("peers.window"),
            t!("peers.sends"),
            t!("peers.waiting"),
            t!("peers.parked"),
        ];
        output::table(header, peers.iter().map(row));
    }
    Ok(())
}

fn row(peer: &PeerStatus) -> [String; 8] {
    let sends = peer.sends_left.map_or_else(|| "∞".to_owned(), |left| left.to_string());
    let sends = if peer.suppressed { t!("peers.suppressed").into_owned() } else { sends };
    [
        peer.name.clone().unwrap_or_default(),
        peer.conversation.peer.to_string(),
        peer.conversation.account.to_string(),
        output::ago(peer.last_inbound_at_ms),
        peer.window_left_ms.map_or_else(|| "∞".to_owned(), output::length),
        sends,
        peer.waiting.to_string(),
        peer.parked.to_string(),
    ]
}
