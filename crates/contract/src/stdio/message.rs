//! One line: a request, a notification or an answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// What errors are numbered by.
pub mod code {
    /// The line is no JSON.
    pub const NO_JSON: i64 = -32700;
    /// The line is no request, notification or answer.
    pub const NO_MESSAGE: i64 = -32600;
    /// There is no such method.
    pub const NO_METHOD: i64 = -32601;
    /// The parameters are not those of the method.
    pub const BAD_PARAMS: i64 = -32602;
    /// Whoever works on it has failed in an unforeseen way.
    pub const INTERNAL: i64 = -32603;
    /// What the method itself answers; `data` says which error it is.
    pub const REFUSED: i64 = -32000;
    /// No version of the contract is common to both sides.
    pub const NO_COMMON_VERSION: i64 = -32001;
    /// Asked before the handshake, or before `start`.
    pub const TOO_EARLY: i64 = -32002;
    /// Too much is in work already.
    pub const TOO_MANY: i64 = -32003;
}

/// What one line says.
#[derive(Debug)]
pub enum Message {
    /// Wants an answer.
    Request {
        /// What the answer is told by.
        id: Id,
        /// What to do.
        method: String,
        /// With what: an object.
        params: Box<RawValue>,
    },
    /// Wants none.
    Notice {
        /// What to hear.
        method: String,
        /// With what: an object.
        params: Box<RawValue>,
    },
    /// Answers a request.
    Answer {
        /// Which.
        id: Id,
        /// How it went.
        outcome: Result<Box<RawValue>, WireError>,
    },
    /// Says that a line could not be read.
    Complaint(WireError),
}

/// What ties an answer to a request: a whole number, or a text of at most 128
/// bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// A number; we number our requests.
    Number(i64),
    /// A text.
    Text(String),
}

/// An error as it travels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct WireError {
    /// Its kind, by number: see [`code`].
    pub code: i64,
    /// What happened, for people.
    pub message: String,
    /// Its kind and fields, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// A line that is no message.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Malformed {
    /// The request that it was meant to be, if that can be told.
    pub id: Option<Id>,
    /// Why it is none.
    #[source]
    pub why: WireError,
}

/// How long the text of an id may be.
const MAX_ID: usize = 128;

/// Everything that may stand in a line.
#[derive(Deserialize)]
struct Line {
    jsonrpc: Option<String>,
    id: Option<Value>,
    method: Option<String>,
    params: Option<Box<RawValue>>,
    result: Option<Box<RawValue>>,
    error: Option<WireError>,
}

impl Message {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// When it is no JSON, or none of the three kinds of message.
    pub fn read(line: &str) -> Result<Self, Malformed> {
        let bad = |id, code, message: String| Malformed { id, why: WireError::new(code, message) };
        let is_json = |err: &serde_json::Error| err.is_data();
        let line: Line = serde_json::from_str(line).map_err(|err| {
            let code = if is_json(&err) { code::NO_MESSAGE } else { code::NO_JSON };
            bad(None, code, format!("not a message: {err}"))
        })?;
        let Line { jsonrpc, id, method, params, result, error } = line;
        let id = match id {
            None => None,
            Some(id) => match Id::of(&id) {
                Some(id) => Some(id),
                None => return Err(bad(None, code::NO_MESSAGE, "not an id".to_owned())),
            },
        };
        if jsonrpc.as_deref() != Some("2.0") {
            return Err(bad(id, code::NO_MESSAGE, "`jsonrpc` must be \"2.0\"".to_owned()));
        }
        match (method, id, error) {
            (Some(method), Some(id), _) => {
                Ok(Self::Request { id, method, params: params.unwrap_or_else(nothing) })
            }
            (Some(method), None, _) => {
                Ok(Self::Notice { method, params: params.unwrap_or_else(nothing) })
            }
            (None, Some(id), Some(error)) => Ok(Self::Answer { id, outcome: Err(error) }),
            (None, Some(id), None) => {
                Ok(Self::Answer { id, outcome: Ok(result.unwrap_or_else(null)) })
            }
            (None, None, Some(error)) => Ok(Self::Complaint(error)),
            (None, None, None) => {
                Err(bad(None, code::NO_MESSAGE, "neither `method` nor `id`".to_owned()))
            }
        }
    }
}

impl Id {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64().map(Self::Number),
            Value::String(text) if text.len() <= MAX_ID => Some(Self::Text(text.clone())),
            Value::String(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }
}

impl WireError {
    /// Makes an error without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }
}

/// Writes a request, or a notification where there is no id.
pub(super) fn request(
    id: Option<&Id>,
    method: &str,
    params: &Value,
) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Request<'a> {
        jsonrpc: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Id>,
        method: &'a str,
        params: &'a Value,
    }
    serde_json::to_string(&Request { jsonrpc: "2.0", id, method, params })
}

/// Writes an answer; without an id, a complaint.
pub(super) fn answer(
    id: Option<&Id>,
    outcome: &Result<Box<RawValue>, WireError>,
) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Answer<'a> {
        jsonrpc: &'a str,
        id: Option<&'a Id>,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a WireError>,
    }
    let (result, error) = match outcome {
        Ok(result) => (Some(&**result), None),
        Err(error) => (None, Some(error)),
    };
    serde_json::to_string(&Answer { jsonrpc: "2.0", id, result, error })
}

pub(super) fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

fn nothing() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_else(|_| null())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> (Option<Id>, i64) {
        let malformed = Message::read(line).expect_err(line);
        (malformed.id, malformed.why.code)
    }

    #[test]
    fn each_kind_of_message_is_told_from_the_others() {
        let kind = |line: &str| match Message::read(line).expect(line) {
            Message::Request { id, method, params } => format!("{id:?} {method} {params}"),
            Message::Notice { method, params } => format!("{method} {params}"),
            Message::Answer { id, outcome } => format!("{id:?} {outcome:?}"),
            Message::Complaint(error) => error.to_string(),
        };
        assert_eq!(
            kind(r#"{"jsonrpc":"2.0","id":7,"method":"ping","more":1}"#),
            "Number(7) ping {}"
        );
        assert_eq!(
            kind(r#"{"jsonrpc":"2.0","method":"cancel","params":{"id":7}}"#),
            "cancel {\"id\":7}"
        );
        assert_eq!(
            kind(r#"{"jsonrpc":"2.0","id":"a","result":null}"#),
            "Text(\"a\") Ok(RawValue(null))"
        );
        let no = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}"#;
        assert_eq!(kind(no), "what? (-32700)");
    }

    #[test]
    fn what_is_no_message_is_refused_and_says_which_request_it_was() {
        assert_eq!(refused("Traceback (most recent call last):"), (None, code::NO_JSON));
        assert_eq!(refused("[]"), (None, code::NO_MESSAGE));
        assert_eq!(refused("{\"jsonrpc\":\"2.0\"}"), (None, code::NO_MESSAGE));
        assert_eq!(refused(r#"{"id":3,"method":"ping"}"#), (Some(Id::Number(3)), code::NO_MESSAGE));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#), (None, code::NO_MESSAGE));
        let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"x"}}"#, "x".repeat(129));
        assert_eq!(refused(&long), (None, code::NO_MESSAGE));
        assert_eq!(refused(&"[".repeat(100_000)), (None, code::NO_MESSAGE));
    }
}
