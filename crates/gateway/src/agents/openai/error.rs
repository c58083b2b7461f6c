//! What can go wrong with a model, and what to do about it.

use std::time::Duration;

use serde_json::Value;

use crate::AgentError;

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How much of what a server says is repeated.
const MOST_SAID: usize = 300;

/// Why the model gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ModelError {
    #[error("the server refuses the key ({status}): {said}")]
    Auth { status: u16, said: String },
    #[error("the account behind the key is used up: {said}")]
    UsedUp { said: String },
    #[error("too many requests: {said}")]
    RateLimit { said: String, retry_after: Option<Duration> },
    #[error("too long for the model: {said}")]
    TooLong { said: String },
    #[error("the server refuses the request ({status}): {said}")]
    Refused { status: u16, said: String },
    #[error("the server failed: {said}")]
    Server { said: String, retry_after: Option<Duration> },
    #[error("the server cannot be reached: {0}")]
    Network(String),
    #[error("the server was silent for {} s", .0.as_secs_f32())]
    Silent(Duration),
    #[error("the answer broke off")]
    CutOff,
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    #[error("the answer is too large")]
    TooLarge,
    #[error("the model's filter held the answer back")]
    Filtered,
    #[error("the model said nothing (finish reason: {0})")]
    Empty(String),
}

/// What to do about an error, as long as nothing has been said to the peer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Ask again, after a pause if the server named one.
    Retry {
        after: Option<Duration>,
    },
    /// Ask again with less history.
    Shorten,
    GiveUp,
}

impl ModelError {
    pub(super) fn recovery(&self) -> Recovery {
        match *self {
            // Who is to come back in an hour need not wait here.
            Self::RateLimit { retry_after: Some(after), .. }
            | Self::Server { retry_after: Some(after), .. }
                if after > LONGEST_PAUSE =>
            {
                Recovery::GiveUp
            }
            Self::RateLimit { retry_after: after, .. }
            | Self::Server { retry_after: after, .. } => Recovery::Retry { after },
            Self::Network(_) | Self::Silent(_) | Self::CutOff => Recovery::Retry { after: None },
            Self::TooLong { .. } => Recovery::Shorten,
            Self::Auth { .. }
            | Self::UsedUp { .. }
            | Self::Refused { .. }
            | Self::Unreadable(_)
            | Self::TooLarge
            | Self::Filtered
            | Self::Empty(_) => Recovery::GiveUp,
        }
    }

    /// Reads an answer whose status is not a success.
    pub(super) fn of_status(status: u16, body: ErrorBody, retry_after: Option<Duration>) -> Self {
        let is_too_long = body.is_too_long();
        let ErrorBody { said, code } = body;
        match status {
            401 | 403 => Self::Auth { status, said },
            402 => Self::UsedUp { said },
            429 if code == "insufficient_quota" => Self::UsedUp { said },
            429 => Self::RateLimit { said, retry_after },
            413 => Self::TooLong { said },
            _ if is_too_long => Self::TooLong { said },
            408 | 409 | 425 | 500.. => {
                Self::Server { said: format!("{status}: {said}"), retry_after }
            }
            _ => Self::Refused { status, said },
        }
    }

    /// Reads an error that came in the middle of an answer.
    pub(super) fn of_stream(body: ErrorBody) -> Self {
        if body.is_too_long() {
            return Self::TooLong { said: body.said };
        }
        match body.code.as_str() {
            "insufficient_quota" => Self::UsedUp { said: body.said },
            "429" | "rate_limit_exceeded" => Self::RateLimit { said: body.said, retry_after: None },
            _ => Self::Server { said: body.said, retry_after: None },
        }
    }
}

impl From<ModelError> for AgentError {
    fn from(err: ModelError) -> Self {
        let reason = err.to_string();
        match err {
            ModelError::Auth { .. }
            | ModelError::UsedUp { .. }
            | ModelError::Refused { status: 300..=399 | 404 | 405, .. } => Self::Setup(reason),
            ModelError::RateLimit { retry_after, .. } => Self::Busy { reason, retry_after },
            ModelError::TooLong { .. } => Self::TooLong(reason),
            ModelError::Server { .. }
            | ModelError::Network(_)
            | ModelError::Silent(_)
            | ModelError::CutOff => Self::Unreachable(reason),
            ModelError::Filtered => Self::Declined(reason),
            ModelError::Refused { .. }
            | ModelError::Unreadable(_)
            | ModelError::TooLarge
            | ModelError::Empty(_) => Self::Failed(reason),
        }
    }
}

pub(super) fn took_too_long(total: Duration) -> AgentError {
    AgentError::Unreachable(format!("no answer within {} s", total.as_secs_f32()))
}

/// Says how long to wait after a failed attempt, counted from 1.
pub(super) fn delay(attempt: u32, hint: Option<Duration>) -> Duration {
    let doubled = FIRST_PAUSE * (1 << attempt.saturating_sub(1).min(6));
    hint.unwrap_or(doubled).min(LONGEST_PAUSE)
}

/// What a server says about an error. Servers differ: `error` is an object or a
/// text, or there is only a `message` or a `detail`, or no JSON at all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// In words.
    pub(super) said: String,
    /// As a code or, for want of one, a type; may be empty.
    pub(super) code: String,
}

impl ErrorBody {
    pub(super) fn read(text: &str) -> Self {
        let Ok(Value::Object(mut body)) = serde_json::from_str(text) else {
            return Self { said: short(text), code: String::new() };
        };
        match body.remove("error") {
            Some(error) => Self::of(error),
            None => Self::of(Value::Object(body)),
        }
    }

    pub(super) fn of(error: Value) -> Self {
        let field = |name: &str| error.get(name).filter(|value| !value.is_null()).map(in_text);
        let said = field("message").or_else(|| field("detail"));
        Self {
            said: short(&said.unwrap_or_else(|| in_text(&error))),
            code: field("code").or_else(|| field("type")).unwrap_or_default(),
        }
    }

    /// Servers agree neither on a status nor on a code for this.
    fn is_too_long(&self) -> bool {
        let said = self.said.to_lowercase();
        let phrases = ["context length", "context window", "maximum context", "prompt is too long"];
        self.code == "context_length_exceeded" || phrases.iter().any(|phrase| said.contains(phrase))
    }
}

fn in_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn short(text: &str) -> String {
    text.trim().chars().take(MOST_SAID).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn check(status: u16, body: &str, said: &str, recovery: Recovery) {
        let err = ModelError::of_status(status, ErrorBody::read(body), Some(SECOND));
        assert_eq!(err.to_string(), said);
        assert_eq!(err.recovery(), recovery, "{said}");
    }

    #[test]
    fn an_error_says_what_to_do_next() {
        check(
            401,
            r#"{"error":{"message":"bad key","code":"invalid_api_key"}}"#,
            "the server refuses the key (401): bad key",
            Recovery::GiveUp,
        );
        check(
            429,
            r#"{"error":{"message":"slow down","code":null,"type":"requests"}}"#,
            "too many requests: slow down",
            Recovery::Retry { after: Some(SECOND) },
        );
        check(
            429,
            r#"{"error":{"message":"pay","code":"insufficient_quota"}}"#,
            "the account behind the key is used up: pay",
            Recovery::GiveUp,
        );
        check(
            400,
            r#"{"error":"This model's maximum context length is 8192 tokens"}"#,
            "too long for the model: This model's maximum context length is 8192 tokens",
            Recovery::Shorten,
        );
        check(
            404,
            r#"{"message":"no such model"}"#,
            "the server refuses the request (404): no such model",
            Recovery::GiveUp,
        );
        check(
            502,
            "<html>bad gateway</html>",
            "the server failed: 502: <html>bad gateway</html>",
            Recovery::Retry { after: Some(SECOND) },
        );
    }

    #[test]
    fn nobody_waits_for_an_hour() {
        let hour = Some(Duration::from_secs(3600));
        let err = ModelError::RateLimit { said: String::new(), retry_after: hour };
        assert_eq!(err.recovery(), Recovery::GiveUp);
    }

    #[test]
    fn pauses_double_unless_the_server_names_one() {
        let ms = Duration::from_millis;
        assert_eq!(delay(1, None), ms(500));
        assert_eq!(delay(2, None), ms(1000));
        assert_eq!(delay(2, Some(ms(20))), ms(20));
        assert_eq!(delay(99, None), LONGEST_PAUSE);
    }
}
