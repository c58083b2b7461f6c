//! What a field takes. Pure.

use std::path::Path;

use mediafile::remote::network::Network;
use serde_json::{Value, json};

/// What a field takes.
#[derive(Clone, Copy)]
pub(in crate::settings) enum Kind {
    Flag,
    Text,
    /// A text, or a number that is taken as its digits.
    Tag,
    Url,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number, at least this one.
    Count(u64),
    /// A whole number that may be large; never none.
    Bytes,
    /// A whole number of milliseconds.
    Millis,
    /// A whole number, or `false` where there is no limit.
    Limit,
    /// Only `false`, in place of an object.
    Off,
    /// Days, with fractions; more than none, at most a hundred years.
    Days,
    Texts,
    /// Whole paths of folders.
    Folders,
    Networks,
}

const MOST_DAYS: f64 = 36_500.0;
/// The most that is counted.
const MOST: u64 = u32::MAX as u64;
/// The most bytes and milliseconds.
const MOST_BYTES: u64 = 1 << 50;

impl Kind {
    /// Returns the value as it is kept, or what would do instead.
    pub(in crate::settings) fn check(self, value: &Value) -> Result<Value, String> {
        let checked = match self {
            Self::Flag => value.as_bool().map(Value::from),
            Self::Text => value.as_str().map(Value::from),
            Self::Tag => {
                let digits = value.as_number().map(|number| number.to_string().into());
                digits.or_else(|| value.as_str().map(Value::from))
            }
            Self::Url => value.as_str().and_then(base_url).map(Value::from),
            Self::Word(words) => value.as_str().filter(|it| words.contains(it)).map(Value::from),
            Self::Count(least) => whole(value, least, MOST),
            Self::Bytes => whole(value, 1, MOST_BYTES),
            Self::Millis => whole(value, 0, MOST_BYTES),
            Self::Limit if *value == Value::Bool(false) => Some(Value::Null),
            Self::Limit => whole(value, 1, MOST),
            Self::Off => (*value == Value::Bool(false)).then_some(Value::Null),
            Self::Days => {
                let days = value.as_f64().filter(|days| *days > 0.0 && *days <= MOST_DAYS);
                days.map(Value::from)
            }
            Self::Texts => texts(value, |text| !text.trim().is_empty()),
            Self::Folders => texts(value, |text| Path::new(text).is_absolute()),
            Self::Networks => texts(value, |text| text.parse::<Network>().is_ok()),
        };
        checked.ok_or_else(|| format!("it must be {}, and is {}", self.wanted(), shown(value)))
    }

    fn wanted(self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Text => "a text in quotation marks".to_owned(),
            Self::Tag => "a text or a number".to_owned(),
            Self::Url => "an address such as https://example.org".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Count(least) => format!("a whole number from {least} to {MOST}"),
            Self::Bytes => format!("a whole number from 1 to {MOST_BYTES}"),
            Self::Millis => format!("a whole number of milliseconds, at most {MOST_BYTES}"),
            Self::Limit => format!("a whole number from 1 to {MOST}, or false for no limit"),
            Self::Off => "an object in braces, or false for none".to_owned(),
            Self::Days => format!("a number of days, more than 0 and at most {MOST_DAYS}"),
            Self::Texts => "a list of texts in brackets, none of them empty".to_owned(),
            Self::Folders => "a list of whole paths in brackets".to_owned(),
            Self::Networks => "a list of networks such as 10.0.0.0/8 in brackets".to_owned(),
        }
    }

    pub(super) fn schema(self) -> Value {
        let whole = |least, most| json!({"type": "integer", "minimum": least, "maximum": most});
        let texts = |item| json!({"type": "array", "items": item});
        match self {
            Self::Flag => json!({"type": "boolean"}),
            Self::Text => json!({"type": "string"}),
            Self::Tag => json!({"type": ["string", "number"]}),
            Self::Url => json!({"type": "string", "format": "uri", "pattern": "^https?://"}),
            Self::Word(words) => json!({"type": "string", "enum": words}),
            Self::Count(least) => whole(least, MOST),
            Self::Bytes => whole(1, MOST_BYTES),
            Self::Millis => whole(0, MOST_BYTES),
            Self::Limit => json!({"anyOf": [whole(1, MOST), {"const": false}]}),
            Self::Off => json!({"const": false}),
            Self::Days => json!({"type": "number", "exclusiveMinimum": 0, "maximum": MOST_DAYS}),
            Self::Texts | Self::Folders | Self::Networks => {
                texts(json!({"type": "string", "minLength": 1}))
            }
        }
    }
}

fn whole(value: &Value, least: u64, most: u64) -> Option<Value> {
    value.as_u64().filter(|n| (least..=most).contains(n)).map(Value::from)
}

fn texts(value: &Value, is_usable: impl Fn(&str) -> bool) -> Option<Value> {
    let all = value.as_array()?.iter().all(|item| item.as_str().is_some_and(&is_usable));
    all.then(|| value.clone())
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
