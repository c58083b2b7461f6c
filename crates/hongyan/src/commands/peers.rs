//! `hongyan peers`

use contract::{Channel as _, Conversation, PeerStatus, Target};
use serde_json::json;

use super::place::Place;
use crate::cli::PeersCommand;
use crate::composition::State;
use crate::error::CliError;
use crate::output;
use crate::texts::t;

pub(crate) async fn run(
    command: PeersCommand,
    found: &State,
    load: impl FnOnce() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let place = Place::find(found, load).await?;
    match command {
        PeersCommand::List { json } => list(json, &place).await,
        PeersCommand::Name { to, account, name, json } => {
            let target = Target { to, account };
            let named = name_peer(&place, &target, name.as_deref()).await?;
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
    place: &Place,
    target: &Target,
    name: Option<&str>,
) -> Result<Conversation, CliError> {
    let client = match place {
        Place::Gateway(client) => client,
        Place::Folder(state) => return Ok(state.channel()?.name_peer(target, name).await?),
    };
    let Target { to, account } = target;
    let channel = weixin::CHANNEL_ID;
    let body = json!({ "channel": channel, "account": account, "to": to, "name": name });
    client.post("/v1/peers/name", &body).await
}

async fn list(json: bool, place: &Place) -> Result<(), CliError> {
    let peers: Vec<PeerStatus> = match place {
        Place::Gateway(client) => {
            client.get(&format!("/v1/peers?channel={}", weixin::CHANNEL_ID)).await?
        }
        Place::Folder(state) => state.channel()?.peers().await?,
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
