//! `hongyan route`

use contract::{AccountId, ChannelId, Conversation, PeerId, Sender};
use gateway::{
    AccessExplanation, Authority, BindingMatch, Considered, Decision, DmPolicy, Explanation,
    Ground, Mismatch, Reason,
};
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::cli::{RouteCommand, RouteExplainArgs};
use crate::composition::State;
use crate::error::CliError;
use crate::texts::t;
use crate::{output, rules};

/// Does what is asked, in the gateway or with what `load` returns.
pub(crate) async fn run(
    command: RouteCommand,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    match command {
        RouteCommand::Explain(args) => explain(args, found, load).await,
    }
}

/// Who was asked.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Asked {
    /// The gateway that runs, by the rules that hold there now.
    Gateway,
    /// The configuration file: no gateway runs.
    File,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Explained {
    asked: Asked,
    #[serde(flatten)]
    conversation: Conversation,
    #[serde(flatten)]
    explanation: Explanation,
    warnings: Vec<String>,
}

/// What either of them says.
#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    explanation: Explanation,
    faults: Vec<String>,
}

async fn explain(
    args: RouteExplainArgs,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let (sender, asked, answer) = match Place::find(found, &load).await? {
        Place::Gateway(client) => {
            // Who owns an account is in a file, which may need a key; a broken
            // configuration is no matter here.
            let state = load().unwrap_or_else(|_| found.clone());
            let sender = sender(&args, &state);
            let answer = client.get(&question(&sender)).await?;
            (sender, Asked::Gateway, answer)
        }
        Place::Folder(state) => {
            let sender = sender(&args, &state);
            let answer = by_file(&sender, &state).await?;
            (sender, Asked::File, answer)
        }
    };
    let Answer { explanation, faults } = answer;
    let warnings = warnings(&explanation.route.bindings);
    let warnings = faults.into_iter().chain(warnings).collect();
    let explained = Explained { asked, conversation: sender.conversation, explanation, warnings };
    if args.json {
        output::json(&explained);
    } else {
        tell(&explained);
    }
    Ok(())
}

fn question(sender: &Sender) -> String {
    let Sender { conversation: Conversation { channel, account, peer }, is_owner, .. } = sender;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("channel", channel.as_str())
        .append_pair("account", account.as_str())
        .append_pair("peer", peer.as_str())
        .append_pair("owner", if *is_owner { "true" } else { "false" })
        .finish();
    format!("/v1/route?{query}")
}

async fn by_file(sender: &Sender, state: &State) -> Result<Answer, CliError> {
    let (access, route) = (state.access()?, rules::route(&state.root())?);
    let pairing = state.pairing().await?;
    let approved = pairing.is_approved(&sender.conversation).map_err(CliError::bug)?;
    let explanation = Explanation {
        route: route.explain(&sender.conversation),
        access: AccessExplanation::new(&access, sender, approved),
    };
    Ok(Answer { explanation, faults: access.faults().collect() })
}

fn sender(args: &RouteExplainArgs, state: &State) -> Sender {
    let channel = rules::channel_name(&args.channel);
    let registry = state.weixin().registry();
    let found = (channel == weixin::CHANNEL_ID).then(|| registry.find(&args.account).ok());
    let account = found.flatten();
    let login = account.as_ref().and_then(|account| registry.load(account).ok().flatten());
    let owner = login.and_then(|login| login.user_id);
    let is_owner = owner.is_some_and(|owner| owner.as_str().eq_ignore_ascii_case(&args.peer));
    let account = account.map_or_else(|| args.account.clone(), |it| it.as_str().to_owned());
    let conversation = Conversation {
        channel: ChannelId::new(channel),
        account: AccountId::new(account),
        peer: PeerId::from(args.peer.as_str()),
    };
    // No turn is asked about.
    Sender { conversation, turn: "explain".into(), is_owner }
}

/// Warns of bindings that most probably do not do what they were made for.
fn warnings(bindings: &[Considered]) -> impl Iterator<Item = String> {
    let never = bindings.iter().filter(|it| it.mismatch == Some(Mismatch::OnlyDefaultAccount));
    never.map(|it| t!("route.only_default", index = it.index).into_owned())
}

fn tell(explained: &Explained) {
    let Explained { asked, conversation, explanation, warnings } = explained;
    output::line(conversation.to_string());
    output::line(match asked {
        Asked::Gateway => t!("route.asked.gateway"),
        Asked::File => t!("route.asked.file"),
    });
    match (&explanation.route.route, &explanation.route.error) {
        (Some(route), _) => {
            let by = route.matched_by.as_str();
            output::line(t!("route.answers", agent = route.agent, by = by));
            output::line(t!("route.session", key = route.session));
        }
        (None, error) => {
            output::line(t!("route.nobody", why = error.as_deref().unwrap_or_default()));
        }
    }
    let AccessExplanation { dm_policy, decision, approved, commands, .. } = &explanation.access;
    let why = why(*decision, *approved);
    output::line(t!("route.heard", why = why, policy = policy(*dm_policy)));
    output::line(t!("route.commands", which = which(*commands)));
    if !explanation.route.bindings.is_empty() {
        let header =
            [t!("agents.bindings"), t!("route.agent"), t!("route.where"), t!("route.outcome")];
        output::table(header, explanation.route.bindings.iter().map(row));
    }
    for warning in warnings {
        output::note(t!("route.warning", text = warning));
    }
}

fn row(considered: &Considered) -> [String; 4] {
    let Considered { index, binding, matched_by, mismatch, wins } = considered;
    let outcome = match (matched_by, mismatch) {
        (Some(by), _) if *wins => t!("route.wins", by = by.as_str()),
        (Some(by), _) => t!("route.outranked", by = by.as_str()),
        (None, mismatch) => mismatch.map_or("".into(), reason),
    };
    let agent = binding.agent_id.to_string();
    [format!("[{index}]"), agent, place(&binding.place), outcome.into_owned()]
}

/// Says where a binding holds, as OpenClaw does.
pub(super) fn place(place: &BindingMatch) -> String {
    let BindingMatch { channel, account_id, peer, guild_id, team_id, roles } = place;
    let mut words = vec![channel.clone()];
    words.extend(account_id.iter().map(|id| format!("accountId={id}")));
    words.extend(peer.iter().map(|peer| format!("peer={}:{}", peer.kind, peer.id)));
    words.extend(guild_id.iter().map(|id| format!("guild={id}")));
    words.extend(team_id.iter().map(|id| format!("team={id}")));
    words.extend(roles.iter().map(|role| format!("role={role}")));
    words.join(" ")
}

type Words = std::borrow::Cow<'static, str>;

fn reason(mismatch: Mismatch) -> Words {
    match mismatch {
        Mismatch::NotARoute => t!("route.not_a_route"),
        Mismatch::OtherChannel => t!("route.other_channel"),
        Mismatch::OnlyDefaultAccount => t!("route.default_account"),
        Mismatch::OtherAccount => t!("route.other_account"),
        Mismatch::OnlyGroups => t!("route.only_groups"),
        Mismatch::OtherPeer => t!("route.other_peer"),
    }
}

fn why(decision: Decision, approved: bool) -> Words {
    match decision {
        Decision::Admit(Ground::Owner) => t!("route.owner"),
        Decision::Admit(Ground::Listed) => t!("route.listed"),
        Decision::Admit(Ground::Anyone) => t!("route.anyone"),
        Decision::AskApproval if approved => t!("route.approved"),
        Decision::AskApproval | Decision::Refuse(Reason::AwaitsApproval | Reason::TooManyWait) => {
            t!("route.stranger")
        }
        Decision::Refuse(Reason::Disabled) => t!("route.disabled"),
        Decision::Refuse(Reason::NotListed) => t!("route.not_listed"),
    }
}

fn which(commands: Authority) -> Words {
    match commands {
        Authority::All => t!("route.commands.all"),
        Authority::ResetOnly => t!("route.commands.reset_only"),
        Authority::Nothing => t!("route.commands.nothing"),
    }
}

/// The word of the configuration.
fn policy(policy: DmPolicy) -> &'static str {
    match policy {
        DmPolicy::Pairing => "pairing",
        DmPolicy::Allowlist => "allowlist",
        DmPolicy::Open => "open",
        DmPolicy::Disabled => "disabled",
    }
}
