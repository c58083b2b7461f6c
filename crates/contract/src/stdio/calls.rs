//! What can be asked, each with its parameters: the methods of the two traits.

use std::iter::once;

use serde::de::DeserializeOwned;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::hello::Hello;
use super::message::{Id, WireError, code};
use crate::json::plain;
use crate::{
    AccountStatus, Alert, Conversation, Inbound, LoginEvent, LoginRequest, OutboxAction, Outgoing,
    Reply, Sender, Signal, Target, TurnEnd, TurnId,
};

/// What a host asks of a channel: a method of [`Channel`](crate::Channel), or a
/// word about the pipe itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the parameters of the trait's methods")]
pub enum ChannelCall {
    /// Before anything else.
    Hello(Hello),
    Start {},
    Reply {
        turn: TurnId,
        reply: Reply,
    },
    Signal {
        turn: TurnId,
        signal: Signal,
    },
    Finish {
        turn: TurnId,
        end: TurnEnd,
    },
    Send {
        outgoing: Outgoing,
    },
    Resolve {
        target: Target,
    },
    Outbox {},
    Act {
        action: OutboxAction,
        ids: Vec<i64>,
    },
    Peer {
        conversation: Conversation,
    },
    Peers {},
    NamePeer {
        target: Target,
        name: Option<String>,
    },
    Configure {
        section: Value,
    },
    Metrics {},
    Status {},
    Probe {},
    Login {
        request: LoginRequest,
    },
    Logout {
        account: String,
    },
    SetEnabled {
        account: String,
        enabled: bool,
    },
    Remove {
        account: String,
    },
    Stop {
        grace_ms: u64,
    },
}

impl ChannelCall {
    /// The names of all methods.
    pub const METHODS: [&str; 21] = [
        "hello",
        "start",
        "reply",
        "signal",
        "finish",
        "send",
        "resolve",
        "outbox",
        "act",
        "peer",
        "peers",
        "name_peer",
        "configure",
        "metrics",
        "status",
        "probe",
        "login",
        "logout",
        "set_enabled",
        "remove",
        "stop",
    ];

    /// Reads a request.
    ///
    /// # Errors
    ///
    /// When there is no such method, or its parameters are others: says where.
    pub fn read(method: &str, params: &RawValue) -> Result<Self, WireError> {
        read(&Self::METHODS, method, params)
    }
}

/// What a channel asks of a host: a method of [`Host`](crate::Host), or of the
/// [`LoginFace`](crate::LoginFace) of a login that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the parameters of the traits' methods")]
pub enum HostCall {
    Admit {
        sender: Sender,
    },
    Receive {
        inbound: Inbound,
    },
    Changed {
        status: AccountStatus,
    },
    Alert {
        alert: Alert,
    },
    /// `login` is the id of the request that runs.
    LoginEvent {
        login: Id,
        event: LoginEvent,
    },
    /// `login` is the id of the request that runs.
    LoginCode {
        login: Id,
        #[serde(default)]
        wrong: bool,
    },
}

impl HostCall {
    /// The names of all methods.
    pub const METHODS: [&str; 6] =
        ["admit", "receive", "changed", "alert", "login_event", "login_code"];

    /// Reads a request or a notification.
    ///
    /// # Errors
    ///
    /// When there is no such method, or its parameters are others: says where.
    pub fn read(method: &str, params: &RawValue) -> Result<Self, WireError> {
        read(&Self::METHODS, method, params)
    }
}

/// Says that a request is not worth working on any more; both sides may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cancel {
    pub(super) id: Id,
}

/// Reads the parameters of a method as the variant of that name.
fn read<T: DeserializeOwned>(
    methods: &[&str],
    method: &str,
    params: &RawValue,
) -> Result<T, WireError> {
    if !methods.contains(&method) {
        let shown: String = method.chars().take(64).collect();
        return Err(WireError::new(code::NO_METHOD, format!("there is no method {shown:?}")));
    }
    let call = MapAccessDeserializer::new(MapDeserializer::new(once((method, params))));
    serde_path_to_error::deserialize(call).map_err(|err| {
        let path = err.path().to_string();
        let place = path.strip_prefix(method).unwrap_or(&path);
        let message = format!("params{place} of `{method}`: {}", plain(err.inner()));
        WireError::new(code::BAD_PARAMS, message)
    })
}

/// Takes a call apart into its method and its parameters.
pub(super) fn parts(call: &impl Serialize) -> Result<(String, Value), serde_json::Error> {
    match serde_json::to_value(call)? {
        Value::Object(one) => Ok(one.into_iter().next().unwrap_or_default()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Ok((String::new(), Value::Null))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, params: &str) -> Result<ChannelCall, WireError> {
        let params = RawValue::from_string(params.to_owned()).expect("JSON");
        ChannelCall::read(method, &params)
    }

    #[test]
    fn wrong_parameters_are_refused_with_their_place() {
        let error = read("reply", r#"{"turn":"t","reply":{"number":-1}}"#).expect_err("negative");
        assert_eq!(error.code, code::BAD_PARAMS);
        assert!(error.message.starts_with("params.reply.number of `reply`: "), "{error}");
        let error = read("finish", r#"{"turn":"t"}"#).expect_err("no end");
        assert_eq!(error.message, "params of `finish`: missing field `end`");
        assert_eq!(read("dance", "{}").expect_err("no such").code, code::NO_METHOD);
        assert_eq!(read("start", "[1]").expect_err("no object").code, code::BAD_PARAMS);
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let call = read("finish", r#"{"turn":"t","end":"answered","mood":"good"}"#);
        assert_eq!(call, Ok(ChannelCall::Finish { turn: "t".into(), end: TurnEnd::Answered }));
        assert_eq!(read("start", r#"{"soon":true}"#), Ok(ChannelCall::Start {}));
    }

    #[test]
    fn a_call_is_written_as_it_is_read() {
        let call = ChannelCall::NamePeer {
            target: Target { to: "p".to_owned(), account: None },
            name: Some("Ann".to_owned()),
        };
        let (method, params) = parts(&call).expect("JSON");
        assert_eq!(read(&method, &params.to_string()), Ok(call));
    }
}
