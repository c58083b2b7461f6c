//! `hongyan send`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use contract::{
    Channel as _, Content, Conversation, Delivery, Media, MediaKind, Outgoing, SendClass,
    SendReport, Source, Target,
};
use serde::Deserialize;
use serde_json::json;
use weixin::WeixinChannel;

use super::place::Place;
use super::which::{There, Which};
use crate::cli::{SendArgs, SendClassName};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

/// The most that is read from stdin: what no chat should carry.
const MOST_INPUT: u64 = 1 << 20;

pub(crate) async fn run(
    args: SendArgs,
    which: Which,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let mouth = Mouth::open(&args, which, found, load).await?;
    let target = Target { to: args.to.clone(), account: args.account.clone() };
    if args.dry_run {
        let conversation = mouth.resolve(target).await?;
        if args.json {
            output::json(&conversation);
        } else {
            output::line(t!("send.would", to = conversation));
        }
        return Ok(());
    }
    let mut failed = None;
    for content in contents(&args)? {
        let outgoing = Outgoing {
            target: target.clone(),
            class: class(args.class),
            content,
            key: args.key.clone(),
            ttl: args.ttl,
        };
        let report = mouth.say(outgoing).await?;
        if args.json {
            output::json(&report);
        } else {
            tell(&report);
        }
        if let Delivery::Failed { code, reason } = report.delivery {
            failed = Some((code, reason));
        }
    }
    match failed {
        None => Ok(()),
        Some((code, reason)) => {
            let err = CliError::new(Kind::Unavailable, t!("send.failed", reason = reason));
            Err(err.hinted(t!("hint.explain", code = code)))
        }
    }
}

/// By whom something is said.
struct Mouth {
    /// The gateway that runs, and the channel there.
    gateway: Option<There>,
    /// The channel in this process. Files are given to it where it is there: a
    /// gateway may not see what we see, for one that systemd has shut in.
    here: Option<WeixinChannel>,
}

/// What a gateway answers.
#[derive(Deserialize)]
struct Said {
    conversation: Conversation,
    report: Option<SendReport>,
}

impl Mouth {
    async fn open(
        args: &SendArgs,
        which: Which,
        found: &State,
        load: impl Fn() -> Result<State, CliError>,
    ) -> Result<Self, CliError> {
        if let Which::Plugin(there) = which {
            return Ok(Self { gateway: Some(*there), here: None });
        }
        let (gateway, here) = match Place::find(found, &load).await? {
            Place::Gateway(client) => {
                let here = (!args.file.is_empty()).then(|| load()?.channel()).transpose()?;
                (Some(There { client, channel: weixin::CHANNEL_ID.to_owned() }), here)
            }
            Place::Folder(state) => (None, Some(state.channel()?)),
        };
        Ok(Self { gateway, here })
    }

    async fn resolve(&self, target: Target) -> Result<Conversation, CliError> {
        let Some(There { client, channel }) = &self.gateway else {
            return Ok(self.here()?.resolve(target).await?);
        };
        let Target { to, account } = target;
        let body = json!({ "channel": channel, "account": account, "to": to, "dry_run": true });
        let said: Said = client.post("/v1/messages", &body).await?;
        Ok(said.conversation)
    }

    async fn say(&self, outgoing: Outgoing) -> Result<SendReport, CliError> {
        let Outgoing { target: Target { to, account }, class, key, ttl, content } = &outgoing;
        let ttl = ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        let mut body =
            json!({ "account": account, "to": to, "class": class, "key": key, "ttl_ms": ttl });
        let gateway = match (&self.gateway, content) {
            (Some(gateway), Content::Text(text)) => {
                body["text"] = json!(text);
                gateway
            }
            (Some(gateway), Content::Media(Media { source: Source::File(path), as_file, .. }))
                if self.here.is_none() =>
            {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                body["media"] = json!(path);
                body["as_file"] = json!(as_file);
                gateway
            }
            _ => return Ok(self.here()?.send(outgoing).await?),
        };
        let There { client, channel } = gateway;
        body["channel"] = json!(channel);
        let said: Said = client.post("/v1/messages", &body).await?;
        said.report
            .ok_or_else(|| CliError::new(Kind::Bug, t!("error.gateway_status", status = 200)))
    }

    fn here(&self) -> Result<&WeixinChannel, CliError> {
        let none = || CliError::new(Kind::Unavailable, t!("error.no_gateway"));
        self.here.as_ref().ok_or_else(none)
    }
}

fn tell(report: &SendReport) {
    let (id, to) = (report.id, &report.conversation.peer);
    match &report.delivery {
        Delivery::Queued => output::note(t!("send.queued", id = id, to = to)),
        Delivery::Sent => output::done(t!("send.sent", to = to)),
        Delivery::Unconfirmed => output::note(t!("send.unconfirmed", to = to)),
        Delivery::Parked { code, until } => {
            output::note(t!("send.parked", id = id, until = until, code = code));
        }
        Delivery::Failed { .. } => {}
    }
}

/// Puts what was given into messages: the text first, then each file.
fn contents(args: &SendArgs) -> Result<Vec<Content>, CliError> {
    let mut contents = Vec::new();
    let text = match args.text.as_deref() {
        Some("-") => Some(from_stdin()?),
        text => text.map(str::to_owned),
    };
    contents.extend(text.filter(|text| !text.trim().is_empty()).map(Content::Text));
    contents.extend(args.file.iter().map(|path| media(path, args.as_file)));
    if contents.is_empty() {
        return Err(CliError::new(Kind::Usage, t!("send.nothing")));
    }
    if args.key.is_some() && contents.len() > 1 {
        return Err(CliError::new(Kind::Usage, t!("send.one_per_key")));
    }
    Ok(contents)
}

fn media(path: &Path, as_file: bool) -> Content {
    let kind = as_file.then_some(MediaKind::File);
    let source = Source::File(PathBuf::from(path));
    Content::Media(Media { source, kind, name: None, caption: None, as_file })
}

fn from_stdin() -> Result<String, CliError> {
    let mut text = String::new();
    let read = std::io::stdin().take(MOST_INPUT + 1).read_to_string(&mut text);
    read.map_err(|err| CliError::new(Kind::Usage, t!("send.stdin")).caused_by(err))?;
    if text.len() as u64 > MOST_INPUT {
        return Err(CliError::new(Kind::Usage, t!("send.too_much")));
    }
    Ok(text)
}

fn class(name: SendClassName) -> SendClass {
    match name {
        SendClassName::Notice => SendClass::Notice,
        SendClassName::Reminder => SendClass::Reminder,
        SendClassName::Report => SendClass::Report,
    }
}
