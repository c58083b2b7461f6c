//! What was taken, what was left, and why.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use contract::AccountId;
use serde::Serialize;
use serde_json::{Value, json};

use crate::output;
use crate::texts::t;

/// Collects what becomes of each thing.
pub(super) struct Report {
    from: PathBuf,
    is_dry: bool,
    items: Vec<Item>,
    warnings: Vec<String>,
}

struct Item {
    part: Part,
    name: String,
    outcome: Outcome,
}

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    Config,
    Approval,
    Account,
    Cursor,
    Tokens,
    Debug,
    Quotes,
    Files,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Taken,
    /// It was here already.
    Known,
    Left(Why),
}

/// Why something was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Something stands here already.
    Ours,
    /// No such key is known here.
    Unknown,
    /// OpenClaw has it for a part that is not here.
    NotHere,
    /// It is about a channel that is not here.
    OtherChannel,
    /// The gateway here has its own.
    OwnGateway,
    /// Plugins are installed here by hand.
    OwnPlugins,
    /// Memories stay with the agents that have them.
    OwnSessions,
    /// Variables are given to the process.
    OwnEnvironment,
    /// Its section could not be used here.
    Wrong(String),
    /// It cannot be read.
    Unreadable(String),
    /// What is here was saved later.
    Newer(AccountId),
    /// There is no token.
    NoToken,
    /// It is about an account that is neither here nor there.
    NoAccount,
    /// It would let everybody in.
    Everybody,
    /// The store is of another shape.
    NoTable(i64),
}

impl Report {
    pub(super) fn new(from: &Path, is_dry: bool) -> Self {
        Self { from: from.to_owned(), is_dry, items: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn add(&mut self, part: Part, name: impl Display, outcome: Outcome) {
        self.items.push(Item { part, name: name.to_string(), outcome });
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    pub(super) fn print(&self, json: bool) {
        if json {
            output::json(&self.to_json());
            return;
        }
        let header = [t!("import.part"), t!("import.name"), t!("import.outcome"), t!("import.why")];
        output::table(header, self.items.iter().map(Item::row));
        for warning in &self.warnings {
            output::note(t!("import.warning", text = warning));
        }
        let taken = self.items.iter().filter(|item| item.outcome == Outcome::Taken).count();
        let from = self.from.display();
        if self.is_dry {
            output::note(t!("import.dry", n = taken, from = from));
        } else {
            output::done(t!("import.done", n = taken, from = from));
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "from": self.from,
            "dryRun": self.is_dry,
            "items": self.items.iter().map(Item::to_json).collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
    }
}

impl Item {
    fn row(&self) -> [String; 4] {
        let (outcome, why) = match &self.outcome {
            Outcome::Taken => (t!("import.taken"), String::new()),
            Outcome::Known => (t!("import.known"), String::new()),
            Outcome::Left(why) => (t!("import.left"), why.text().into_owned()),
        };
        [self.part.text().into_owned(), self.name.clone(), outcome.into_owned(), why]
    }

    fn to_json(&self) -> Value {
        let (outcome, why) = match &self.outcome {
            Outcome::Taken => ("taken", None),
            Outcome::Known => ("known", None),
            Outcome::Left(why) => ("left", Some(why)),
        };
        let mut item = json!({ "part": self.part, "name": self.name, "outcome": outcome });
        if let Some(why) = why {
            item["reason"] = why.code().into();
            item["why"] = why.text().into();
        }
        item
    }
}

impl Part {
    fn text(self) -> Cow<'static, str> {
        match self {
            Self::Config => t!("import.part.config"),
            Self::Approval => t!("import.part.approval"),
            Self::Account => t!("import.part.account"),
            Self::Cursor => t!("import.part.cursor"),
            Self::Tokens => t!("import.part.tokens"),
            Self::Debug => t!("import.part.debug"),
            Self::Quotes => t!("import.part.quotes"),
            Self::Files => t!("import.part.files"),
        }
    }
}

impl Why {
    /// Returns the name by which programs know it.
    fn code(&self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Unknown => "unknown",
            Self::NotHere => "not_here",
            Self::OtherChannel => "other_channel",
            Self::OwnGateway => "own_gateway",
            Self::OwnPlugins => "own_plugins",
            Self::OwnSessions => "own_sessions",
            Self::OwnEnvironment => "own_environment",
            Self::Wrong(_) => "wrong",
            Self::Unreadable(_) => "unreadable",
            Self::Newer(_) => "newer_here",
            Self::NoToken => "no_token",
            Self::NoAccount => "no_account",
            Self::Everybody => "everybody",
            Self::NoTable(_) => "no_table",
        }
    }

    fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Ours => t!("import.why.ours"),
            Self::Unknown => t!("import.why.unknown"),
            Self::NotHere => t!("import.why.not_here"),
            Self::OtherChannel => t!("import.why.other_channel"),
            Self::OwnGateway => t!("import.why.own_gateway"),
            Self::OwnPlugins => t!("import.why.own_plugins"),
            Self::OwnSessions => t!("import.why.own_sessions"),
            Self::OwnEnvironment => t!("import.why.own_environment"),
            Self::Wrong(what) => t!("import.why.wrong", what = what),
            Self::Unreadable(what) => t!("import.why.unreadable", what = what),
            Self::Newer(account) => t!("import.why.newer", account = account),
            Self::NoToken => t!("import.why.no_token"),
            Self::NoAccount => t!("import.why.no_account"),
            Self::Everybody => t!("import.why.everybody"),
            Self::NoTable(version) => t!("import.why.no_table", version = version),
        }
    }
}
