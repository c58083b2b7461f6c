//! Every field of the channel's section, in one table: the parser, the
//! defaults and the schema are made of it.

use serde_json::{Map, Value, json};

/// One field. Its path has dots where the section has objects.
pub(super) struct Field {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// Whether `accounts.<id>` may have it, too, for that account only.
    pub(super) per_account: bool,
    /// What stands where nothing is configured, as JSON.
    default: &'static str,
    doc: &'static str,
}

/// What a field takes.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Flag,
    Text,
    /// A text, or a number that is taken as its digits.
    Tag,
    Url,
    /// A whole number within bounds.
    Count(u64, u64),
    /// Days, with fractions; more than none, at most a hundred years.
    Days,
}

const MOST_DAYS: f64 = 36_500.0;
const MOST: u64 = 1 << 50;

const fn field(
    path: &'static str,
    kind: Kind,
    per_account: bool,
    default: &'static str,
    doc: &'static str,
) -> Field {
    Field { path, kind, per_account, default, doc }
}

/// The fields. Names and defaults up to the empty line are the official
/// plugin's (its source).
pub(super) const FIELDS: &[Field] = &[
    field("name", Kind::Text, true, "null", "How the account is called where it has no alias."),
    field("enabled", Kind::Flag, true, "true", "Whether the account runs."),
    field(
        "baseUrl",
        Kind::Url,
        true,
        "null",
        "For the channel: where logins begin. For an account: the API in place of the one that its login gave.",
    ),
    field(
        "cdnBaseUrl",
        Kind::Url,
        true,
        "null",
        "The CDN; by default the one that belongs to the API.",
    ),
    field("routeTag", Kind::Tag, true, "null", "Sent along as SKRouteTag."),
    field("botAgent", Kind::Text, true, "null", "What the bot says it is: Name/Version tokens."),
    field("replyProgressMessages", Kind::Flag, true, "true", "Whether the use of tools is shown."),
    field(
        "quoteCache.enabled",
        Kind::Flag,
        true,
        "true",
        "Whether messages are kept to resolve quotes.",
    ),
    field(
        "quoteCache.retentionDays",
        Kind::Days,
        true,
        "30",
        "How long messages are kept for quotes.",
    ),
    field(
        "quoteCache.maxMessagesPerAccount",
        Kind::Count(1, MOST),
        true,
        "10000",
        "The most messages that are kept.",
    ),
    field(
        "quoteCache.mediaRetentionDays",
        Kind::Days,
        true,
        "7",
        "How long media are kept for quotes.",
    ),
    field(
        "quoteCache.maxMediaBytesPerAccount",
        Kind::Count(1, MOST),
        true,
        "268435456",
        "The most bytes of media that are kept.",
    ),
    field(
        "quoteCache.maxSingleMediaBytes",
        Kind::Count(1, MOST),
        true,
        "26214400",
        "The largest media that is kept.",
    ),
    field(
        "credentialsKeyFile",
        Kind::Text,
        false,
        "null",
        "A file whose content encrypts the credentials on disk.",
    ),
];

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
    /// Returns what stands where nothing is configured.
    pub(super) fn default(&self) -> Value {
        serde_json::from_str(self.default).unwrap_or_default()
    }

    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Text => json!({"type": "string"}),
            Kind::Tag => json!({"type": ["string", "number"]}),
            Kind::Url => json!({"type": "string", "format": "uri", "pattern": "^https?://"}),
            Kind::Count(least, most) => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Kind::Days => {
                json!({"type": "number", "exclusiveMinimum": 0, "maximum": MOST_DAYS})
            }
        };
        schema["description"] = self.doc.into();
        if !self.default().is_null() {
            schema["default"] = self.default();
        }
        schema
    }
}

impl Kind {
    /// Returns the value as it is kept, or what would do instead.
    pub(super) fn check(self, value: &Value) -> Result<Value, String> {
        let checked = match (self, value) {
            (Self::Flag, Value::Bool(_)) | (Self::Text | Self::Tag, Value::String(_)) => {
                Some(value.clone())
            }
            (Self::Tag, Value::Number(number)) => Some(number.to_string().into()),
            (Self::Url, Value::String(text)) => base_url(text).map(Value::from),
            (Self::Count(least, most), Value::Number(number)) => {
                let n = number.as_u64().filter(|n| (least..=most).contains(n));
                n.map(Value::from)
            }
            (Self::Days, Value::Number(number)) => {
                let days = number.as_f64().filter(|days| *days > 0.0 && *days <= MOST_DAYS);
                days.map(Value::from)
            }
            (
                _,
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_),
            ) => None,
        };
        checked.ok_or_else(|| format!("it must be {}, and is {}", self.wanted(), shown(value)))
    }

    fn wanted(self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Text => "a text in quotation marks".to_owned(),
            Self::Tag => "a text or a number".to_owned(),
            Self::Url => "an address such as https://example.org".to_owned(),
            Self::Count(least, most) => format!("a whole number from {least} to {most}"),
            Self::Days => format!("a number of days, more than 0 and at most {MOST_DAYS}"),
        }
    }
}

fn base_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let is_usable = matches!(url.scheme(), "http" | "https") && url.has_host();
    is_usable.then(|| url.to_string())
}

/// Shows the beginning of a value, on one line.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 40;
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// Returns the JSON Schema of a section.
pub(super) fn schema() -> Value {
    let mut section = object(FIELDS.iter());
    let account = object(FIELDS.iter().filter(|field| field.per_account));
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
    let mut properties = Map::new();
    for field in fields {
        match field.path.split_once('.') {
            None => {
                properties.insert(field.path.to_owned(), field.schema());
            }
            Some((outer, inner)) => {
                let group = properties
                    .entry(outer)
                    .or_insert_with(|| json!({"type": "object", "properties": {}}));
                group["properties"][inner] = field.schema();
            }
        }
    }
    json!({"type": "object", "properties": properties})
}
