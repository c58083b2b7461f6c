//! `hongyan pairing`

use ::config::{Edit, How, Path};
use contract::{
    AccountId, Channel as _, ChannelId, Content, Conversation, Delivery, Outgoing, PeerId,
    SendClass, SendReport, Target,
};
use gateway::{APPROVED, OwnerToConfigure, Pairing, PairingRequest};
use serde::Deserialize;
use serde_json::json;

use super::config;
use crate::cli::{
    PairingApproveArgs, PairingCodeArgs, PairingCommand, PairingListArgs, PairingRevokeArgs,
};
use crate::composition::State;
use crate::control::Client;
use crate::error::{CliError, Kind};
use crate::texts::t;
use crate::{output, rules};

pub(crate) async fn run(command: PairingCommand, state: &State) -> Result<(), CliError> {
    match command {
        PairingCommand::List(args) => list(args, state).await,
        PairingCommand::Approve(args) => approve(args, state).await,
        PairingCommand::Reject(args) => reject(args, state).await,
        PairingCommand::Approvals(args) => approvals(args, state).await,
        PairingCommand::Revoke(args) => revoke(args, state).await,
    }
}

/// Where a command holds, and the store that it works on.
struct Desk {
    pairing: Pairing,
    channel: ChannelId,
    account: Option<AccountId>,
}

impl Desk {
    async fn open(
        state: &State,
        channel: Option<&str>,
        account: Option<&str>,
    ) -> Result<Self, CliError> {
        let channel = channel_id(channel.unwrap_or(weixin::CHANNEL_ID))?;
        let account = account.map(|name| account_id(state, &channel, name)).transpose()?;
        Ok(Self { pairing: state.pairing().await?, channel, account })
    }
}

async fn list(args: PairingListArgs, state: &State) -> Result<(), CliError> {
    let channel = args.channel.or(args.named_channel);
    let desk = Desk::open(state, channel.as_deref(), args.account.as_deref()).await?;
    let requests = desk.pairing.requests(&desk.channel, desk.account.as_ref()).await;
    let requests = requests.map_err(CliError::bug)?;
    if args.json {
        output::json(&json!({ "channel": desk.channel, "requests": requests }));
    } else if requests.is_empty() {
        output::line(t!("pairing.none", channel = desk.channel));
    } else {
        output::line(t!("pairing.requests", n = requests.len()));
        let header =
            [t!("pairing.code"), t!("pairing.user"), t!("pairing.meta"), t!("pairing.requested")];
        output::table(header, requests.iter().map(row));
    }
    Ok(())
}

fn row(request: &PairingRequest) -> [String; 4] {
    let PairingRequest { id, code, created_at, meta, .. } = request;
    [code.clone(), id.to_string(), json!(meta).to_string(), created_at.clone()]
}

async fn approve(args: PairingApproveArgs, state: &State) -> Result<(), CliError> {
    let PairingApproveArgs { code: args, notify } = args;
    let (channel, code) = channel_and_code(&args)?;
    let desk = Desk::open(state, channel, args.account.as_deref()).await?;
    let approved = desk.pairing.approve(&desk.channel, desk.account.as_ref(), code).await;
    let request = approved.map_err(CliError::bug)?.ok_or_else(|| no_request(&desk, code))?;
    let access = rules::access(&state.root())?;
    let owner = access.owner_to_configure(&desk.channel, &request.id);
    let owner = owner.filter(|owner| configure_owner(state, owner)).map(|owner| owner.entry);
    let told = if notify { Some(tell(state, &desk, &request).await) } else { None };
    if args.json {
        let failure = told.as_ref().and_then(|told| told.as_ref().err()).map(ToString::to_string);
        output::json(&json!({
            "channel": desk.channel,
            "approved": request,
            "owner": owner,
            "notified": told.as_ref().map(Result::is_ok),
            "notifyError": failure,
        }));
        return Ok(());
    }
    output::line(t!("pairing.approved", channel = desk.channel, peer = request.id));
    if let Some(entry) = owner {
        output::line(t!("pairing.owner", entry = entry));
    }
    if let Some(Err(err)) = told {
        output::note(t!("pairing.not_notified", why = err));
    }
    Ok(())
}

/// Names the owner in the configuration and says whether that was done. An
/// approval stands in any case.
fn configure_owner(state: &State, owner: &OwnerToConfigure) -> bool {
    let path = Path::root().key("commands").key("ownerAllowFrom");
    let edit = Edit::Set { path, value: json!([owner.entry]), how: How::Set };
    let done = config::edit(state, &[edit]).is_ok();
    if !done {
        output::note(t!("pairing.no_owner", entry = owner.entry));
    }
    done
}

/// Tells somebody that they are approved. An approval stands, told or not.
async fn tell(state: &State, desk: &Desk, request: &PairingRequest) -> Result<(), String> {
    let account = request.meta.account_id.to_string();
    let key = format!("pairing:{}:{}", request.code, request.created_at);
    // A gateway that runs has every channel; without one, ours is here.
    if let Some(client) = Client::find(state).await.map_err(|err| err.message)? {
        let body = json!({
            "channel": desk.channel, "account": account, "to": request.id,
            "class": SendClass::Notice, "text": APPROVED, "key": key,
        });
        let said: Said = client.post("/v1/messages", &body).await.map_err(|err| err.message)?;
        return said.report.map_or(Ok(()), |report| told(report.delivery));
    }
    if desk.channel.as_str() != weixin::CHANNEL_ID {
        return Err(t!("pairing.cannot_notify", channel = desk.channel).into_owned());
    }
    let channel = state.channel().map_err(|err| err.message)?;
    let outgoing = Outgoing {
        target: Target { to: request.id.to_string(), account: Some(account) },
        class: SendClass::Notice,
        content: Content::Text(APPROVED.to_owned()),
        key: Some(key),
        ttl: None,
    };
    told(channel.send(outgoing).await.map_err(|err| err.to_string())?.delivery)
}

/// What a gateway answers.
#[derive(Deserialize)]
struct Said {
    report: Option<SendReport>,
}

fn told(delivery: Delivery) -> Result<(), String> {
    match delivery {
        Delivery::Queued | Delivery::Sent | Delivery::Unconfirmed | Delivery::Parked { .. } => {
            Ok(())
        }
        Delivery::Failed { reason, .. } => Err(reason),
    }
}

async fn reject(args: PairingCodeArgs, state: &State) -> Result<(), CliError> {
    let (channel, code) = channel_and_code(&args)?;
    let desk = Desk::open(state, channel, args.account.as_deref()).await?;
    let rejected = desk.pairing.reject(&desk.channel, desk.account.as_ref(), code).await;
    let request = rejected.map_err(CliError::bug)?.ok_or_else(|| no_request(&desk, code))?;
    if args.json {
        output::json(&json!({ "channel": desk.channel, "rejected": request }));
    } else {
        output::line(t!("pairing.rejected", channel = desk.channel, peer = request.id));
    }
    Ok(())
}

async fn approvals(args: PairingListArgs, state: &State) -> Result<(), CliError> {
    let channel = args.channel.or(args.named_channel);
    let desk = Desk::open(state, channel.as_deref(), args.account.as_deref()).await?;
    let approvals = desk.pairing.approvals(&desk.channel, desk.account.as_ref()).await;
    let approvals = approvals.map_err(CliError::bug)?;
    if args.json {
        output::json(&json!({ "channel": desk.channel, "approvals": approvals }));
    } else if approvals.is_empty() {
        output::line(t!("pairing.no_approvals", channel = desk.channel));
    } else {
        let header = [t!("pairing.user"), t!("pairing.account"), t!("pairing.approved_at")];
        let rows = approvals.iter().map(|it| {
            [it.id.to_string(), it.account_id.clone(), output::ago(Some(it.approved_at_ms))]
        });
        output::table(header, rows);
    }
    Ok(())
}

async fn revoke(args: PairingRevokeArgs, state: &State) -> Result<(), CliError> {
    let desk = Desk::open(state, args.channel.as_deref(), Some(&args.account)).await?;
    let Desk { pairing, channel, account } = desk;
    let account = account.unwrap_or_else(|| AccountId::new(args.account));
    let conversation = Conversation { channel, account, peer: PeerId::new(args.peer) };
    if !pairing.remove_approval(&conversation).await.map_err(CliError::bug)? {
        let Conversation { account, peer, .. } = &conversation;
        let message = t!("pairing.not_approved", peer = peer, account = account);
        return Err(CliError::new(Kind::NotDone, message));
    }
    if args.json {
        output::json(&json!({ "revoked": conversation }));
    } else {
        output::line(t!("pairing.revoked", peer = conversation.peer));
    }
    Ok(())
}

/// Tells the channel from the code: the channel stands first, or in its option,
/// or there is but one.
fn channel_and_code(args: &PairingCodeArgs) -> Result<(Option<&str>, &str), CliError> {
    match (args.channel.as_deref(), args.words.as_slice()) {
        (channel, [code]) => Ok((channel, code)),
        (None, [channel, code]) => Ok((Some(channel), code)),
        (None | Some(_), _) => Err(CliError::new(Kind::NotDone, t!("pairing.usage"))),
    }
}

fn no_request(desk: &Desk, code: &str) -> CliError {
    let message = t!("pairing.no_request", code = code, channel = desk.channel);
    CliError::new(Kind::NotDone, message)
}

fn channel_id(name: &str) -> Result<ChannelId, CliError> {
    let plain = rules::channel_name(name);
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !plain.starts_with(|c: char| c.is_ascii_lowercase()) || !plain.chars().all(is_part) {
        return Err(CliError::new(Kind::NotDone, t!("pairing.bad_channel", name = name)));
    }
    Ok(ChannelId::new(plain))
}

/// Finds the account of the WeChat channel that a person means. What is none,
/// such as one that was removed, stands for itself.
fn account_id(state: &State, channel: &ChannelId, name: &str) -> Result<AccountId, CliError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(CliError::new(Kind::NotDone, t!("pairing.blank_account")));
    }
    if channel.as_str() == weixin::CHANNEL_ID
        && let Ok(found) = state.weixin().registry().find(name)
    {
        return Ok(AccountId::new(found.as_str()));
    }
    Ok(AccountId::new(name))
}
