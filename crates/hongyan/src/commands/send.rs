//! `hongyan send`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use contract::{
    Channel as _, Content, Delivery, Media, MediaKind, Outgoing, SendClass, SendReport, Source,
    Target,
};

use crate::cli::{SendArgs, SendClassName};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

/// The most that is read from stdin: what no chat should carry.
const MOST_INPUT: u64 = 1 << 20;

pub(crate) async fn run(args: SendArgs, state: &State) -> Result<(), CliError> {
    let channel = state.channel()?;
    let target = Target { to: args.to.clone(), account: args.account.clone() };
    if args.dry_run {
        let conversation = channel.resolve(target).await?;
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
        let report = channel.send(outgoing).await?;
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
