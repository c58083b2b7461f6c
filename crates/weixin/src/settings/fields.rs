//! Every field of the channel's section, in one table: the parser and the
//! schema are made of it. The defaults are those of the structs that the
//! fields end up in.

use serde_json::{Map, Value, json};

use crate::intake::IntakeSettings;
use crate::sending::SendSettings;

mod kind;

pub(super) use self::kind::Kind;
use self::kind::Kind::{
    Bytes, Count, Days, Flag, Folders, Limit, Millis, Networks, Off, Tag, Text, Texts, Url, Word,
};

/// One field. Its path has dots where the section has objects.
pub(super) struct Field {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    doc: &'static str,
}

const fn field(path: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { path, kind, doc }
}

/// The word for numbers that fit the API.
pub(super) const PRESETS: &[&str] = &["auto", "tencent", "open"];
/// What an object stands for where a word is given in its place.
pub(super) const PRESET: &str = "preset";

/// The fields. Names and defaults up to the empty line are the official
/// plugin's (its source).
#[rustfmt::skip]
pub(super) const FIELDS: &[Field] = &[
    field("name", Text, "How the account is called where it has no alias."),
    field("enabled", Flag, "Whether the account runs."),
    field("baseUrl", Url, "For the channel: where logins begin. For an account: the API in place of the one that its login gave."),
    field("cdnBaseUrl", Url, "The CDN; by default the one that belongs to the API."),
    field("routeTag", Tag, "Sent along as SKRouteTag."),
    field("botAgent", Text, "What the bot says it is: Name/Version tokens."),
    field("replyProgressMessages", Flag, "Whether the use of tools is shown while a turn runs."),
    field("quoteCache.enabled", Flag, "Whether messages are kept to resolve quotes."),
    field("quoteCache.retentionDays", Days, "How long messages are kept for quotes."),
    field("quoteCache.maxMessagesPerAccount", Bytes, "The most messages that are kept."),
    field("quoteCache.mediaRetentionDays", Days, "How long media are kept for quotes."),
    field("quoteCache.maxMediaBytesPerAccount", Bytes, "The most bytes of media that are kept."),
    field("quoteCache.maxSingleMediaBytes", Bytes, "The largest media that is kept, in bytes."),

    field("credentialsKeyFile", Text, "A file whose content encrypts the credentials on disk."),
    field("sending.markdown", Word(&["wechat", "official", "plain"]), "Markdown: as WeChat shows it, as the official plugin does it mark for mark, or taken off."),
    field("sending.numberParts", Flag, "Whether the parts of a long text say which of how many they are."),
    field("sending.maxMediaBytes", Bytes, "The largest file that is sent, in bytes."),
    field("sending.mediaRoots", Folders, "Folders whose files an agent may send. Replaces the default list."),
    field("sending.mediaNetworks", Networks, "Networks beside the public one that media may be fetched from, such as 10.0.0.0/8."),
    field("sending.voiceBubbles", Flag, "Whether recordings leave as voice bubbles, which Tencent's servers never show for bots."),
    field("sending.lateAfterMs", Millis, "From which age on a message says that it is late."),
    field("sending.ttl.answerMs", Millis, "How long an answer that the backend does not take is tried."),
    field("sending.ttl.noticeMs", Millis, "How long a notice is worth sending."),
    field("sending.ttl.reminderMs", Millis, "How long a reminder is worth sending."),
    field("sending.ttl.reportMs", Millis, "How long a report is worth sending."),
    field("sending.ttl.parkedMs", Millis, "How long the rest of an answer waits for the peer to write."),
    field("sending.limits.preset", Word(PRESETS), "The numbers that hold where none is set: Tencent's, none at all, or by the API that the account uses."),
    field("sending.limits.windowMs", Limit, "How long after a peer's message the bot may still write."),
    field("sending.limits.windowSureMs", Millis, "How long that window is surely open, so that a refusal means the quota."),
    field("sending.limits.sendsPerInbound", Limit, "How many messages may follow one message of the peer."),
    field("sending.limits.toolsCount", Flag, "Whether shown tools count among them."),
    field("sending.limits.reserve", Count(0), "How many of them scheduled messages leave alone while a turn runs."),
    field("sending.limits.progressReserve", Count(0), "How many of them progress leaves alone."),
    field("sending.limits.warnLeft", Count(0), "With so many left, a message says that the peer has to write."),
    field("sending.limits.paceMs", Millis, "The pause between two messages in a row to one peer."),
    field("sending.limits.progressEveryMs", Millis, "The pause between two messages of progress to one peer."),
    field("sending.limits.typingEveryMs", Millis, "The pause between two typing calls for one peer."),
    field("sending.limits.burst.sends", Count(1), "How many messages the account may send within the period."),
    field("sending.limits.burst.periodMs", Millis, "The period of bursts."),
    field("sending.limits.burst.spare", Count(0), "How many of them progress and scheduled messages leave alone."),
    field("sending.limits.burst", Off, "How bursts of the account are held back; false lets them pass."),
    field("sending.limits.penaltyFirstMs", Millis, "How long nothing leaves after the first answer `rate limited`; doubles with each further one."),
    field("sending.limits.penaltyMaxMs", Millis, "How long nothing leaves at most, unless the backend asks for more."),
    field("sending.limits.unconfirmedAlarm", Limit, "So many messages in a row without an id mean that the peer sees none."),
    field("sending.limits.probeEveryMs", Millis, "The pause between two tries while a peer sees none."),
    field("sending.limits.dailyCap", Limit, "How many messages the account may send in a day (UTC)."),
    field("sending.limits.partChars", Count(1), "How long a part of a long answer usually is, in characters."),
    field("sending.limits.largerPartChars", Count(1), "How long a part may be when sends are short, in characters."),
    field("sending.limits.hardChars", Count(1), "The longest text that the backend takes, in characters."),
    field("sending.limits.hardBytes", Count(4), "The longest text that the backend takes, in bytes of UTF-8."),
    field("sending.limits.overflow", Word(&["auto", "parts", "file", "park"]), "An answer that needs more sends than are left: what fits best, larger parts only, a file at once, or the rest waits."),
    field("sending.limits.learntForMs", Millis, "How long a limit that the backend's answers taught is believed."),
    field("receiving.merge.whileBusy", Flag, "Whether what is said while a turn runs makes the next turn; otherwise messages come one by one."),
    field("receiving.merge.mediaWaitMs", Millis, "How long pictures, videos and files wait for the words that usually follow."),
    field("receiving.merge.most", Count(1), "The most messages that make one turn."),
    field("receiving.controlWords.aside", Texts, "Words that come at once, whatever the conversation is busy with. Replaces the default list."),
    field("receiving.controlWords.alone", Texts, "Words that make a turn of their own, in their place. Replaces the default list."),
    field("receiving.maxOffers", Count(1), "After how many crashes or failures of ours in it a message is set aside."),
    field("receiving.maxMediaBytes", Bytes, "The largest media that is fetched, in bytes."),
    field("receiving.mediaHosts", Texts, "Hosts beside the CDN's own that media may lie on; a leading dot stands for any subdomain."),
];

/// Fields that hold for the channel as a whole; all others may stand under
/// `accounts.<id>`, too.
pub(super) const CHANNEL_ONLY: &[&str] = &["credentialsKeyFile", "sending.mediaNetworks"];

/// Keys that belong to the host or to the official plugin's own bookkeeping:
/// they are no mistake, and mean nothing here.
pub(super) const NOT_OURS: &[&str] = &[
    "allowFrom",
    "channelConfigUpdatedAt",
    "configWrites",
    "defaultAccount",
    "dmPolicy",
    "groupAllowFrom",
    "groupPolicy",
    "healthMonitor",
    "streaming",
    "textChunkLimit",
];

impl Field {
    /// Says whether an account may have it for itself.
    pub(super) fn is_per_account(&self) -> bool {
        !CHANNEL_ONLY.contains(&self.path)
    }

    /// Returns where its value lies in the structs that it configures.
    pub(super) fn home(&self) -> String {
        if self.path.starts_with("quoteCache.") {
            return format!("receiving.{}", self.path);
        }
        if self.path == "replyProgressMessages" {
            return format!("sending.{}", self.path);
        }
        self.path.to_owned()
    }

    fn schema(&self, defaults: &Value) -> Value {
        let mut schema = self.kind.schema();
        schema["description"] = self.doc.into();
        let set = defaults.pointer(&pointer(&self.home())).cloned();
        let default = if matches!(self.kind, Limit) {
            set.map(|it| if it.is_null() { Value::Bool(false) } else { it })
        } else {
            set.filter(|it| !it.is_null())
        };
        if let Some(default) = default {
            schema["default"] = default;
        }
        schema
    }
}

/// Says whether fields lie below this path.
pub(super) fn is_group(path: &str) -> bool {
    FIELDS.iter().any(|field| field.path.strip_prefix(path).is_some_and(|it| it.starts_with('.')))
}

/// Returns a path as JSON writes pointers.
pub(super) fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// Returns what stands where nothing is configured, by home.
fn defaults() -> Value {
    json!({
        "enabled": true,
        "sending": SendSettings::default(),
        "receiving": IntakeSettings::default(),
    })
}

/// Returns the JSON Schema of a section.
pub(super) fn schema() -> Value {
    let mut section = object(FIELDS.iter());
    let account = object(FIELDS.iter().filter(|field| field.is_per_account()));
    section["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    section["properties"]["accounts"] = json!({
        "type": "object",
        "description": "What is different for single accounts, by id or alias.",
        "additionalProperties": account,
    });
    section
}

/// Unknown keys are allowed: they are warned of, and another version's.
fn object<'a>(fields: impl Iterator<Item = &'a Field>) -> Value {
    let (mut root, mut short, defaults) = (group(), Vec::new(), defaults());
    for field in fields {
        if is_group(field.path) {
            short.push((field.path, field.schema(&defaults)));
            continue;
        }
        if let Some(group) = field.path.strip_suffix(".preset") {
            short.push((group, field.kind.schema()));
        }
        *place(&mut root, field.path) = field.schema(&defaults);
    }
    // The innermost first, so that each is still where its path says.
    short.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    for (path, schema) in short {
        let node = place(&mut root, path);
        *node = json!({"anyOf": [node.take(), schema]});
    }
    root
}

fn group() -> Value {
    json!({"type": "object", "properties": Map::new()})
}

/// Returns where the schema of a path stands; makes the groups on the way.
fn place<'a>(root: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('.').fold(root, |node, key| {
        if node.is_null() {
            *node = group();
        }
        &mut node["properties"][key]
    })
}
