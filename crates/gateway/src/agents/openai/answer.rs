//! Puts an answer together from what the server sends.

use serde::Deserialize;

use super::error::{ErrorBody, ModelError};

/// An answer on its way in.
#[derive(Debug)]
pub(super) struct Answer {
    text: String,
    most_bytes: usize,
    finish: Option<String>,
    /// Whether the server has said that nothing more comes.
    ended: bool,
}

impl Answer {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { text: String::new(), most_bytes, finish: None, ended: false }
    }

    /// Takes the data of one event, or a whole body of a server that does not
    /// stream.
    pub(super) fn take(&mut self, json: &str) -> Result<(), ModelError> {
        if json.trim() == "[DONE]" {
            self.ended = true;
            return Ok(());
        }
        let body: Body =
            serde_json::from_str(json).map_err(|err| ModelError::Unreadable(err.to_string()))?;
        if let Some(error) = body.error {
            return Err(ModelError::of_stream(ErrorBody::of(error)));
        }
        let Some(choice) = body.choices.into_iter().next() else {
            return Ok(());
        };
        if let Some(content) = choice.delta.or(choice.message).and_then(|said| said.content) {
            self.push(&content.text());
        }
        if choice.finish_reason.is_some() {
            self.finish = choice.finish_reason;
        }
        Ok(())
    }

    /// Says whether no more of the answer is wanted or expected.
    pub(super) fn is_complete(&self) -> bool {
        self.ended || self.text.len() >= self.most_bytes
    }

    /// Returns the words, or what is wrong with them.
    pub(super) fn words(self) -> Result<String, ModelError> {
        if !self.is_complete() && self.finish.is_none() {
            return Err(ModelError::CutOff);
        }
        if !self.text.trim().is_empty() {
            return Ok(self.text);
        }
        match self.finish.as_deref() {
            Some("content_filter") => Err(ModelError::Filtered),
            finish => Err(ModelError::Empty(finish.unwrap_or("none").to_owned())),
        }
    }

    fn push(&mut self, content: &str) {
        let room = self.most_bytes.saturating_sub(self.text.len());
        if content.len() <= room {
            self.text.push_str(content);
            return;
        }
        self.text.push_str(&content[..content.floor_char_boundary(room)]);
        self.text.push('…');
    }
}

/// A chunk of a stream (`chat.completion.chunk`) or a whole answer
/// (`chat.completion`).
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Said>,
    message: Option<Said>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<Content>,
}

/// Most servers send text, some a list of parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().map(|part| part.text).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(events: &[&str], expected: Result<&str, &str>) {
        let mut answer = Answer::new(64);
        let taken: Result<(), ModelError> = events.iter().try_for_each(|json| answer.take(json));
        let found = taken.and_then(|()| answer.words()).map_err(|err| err.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{events:?}");
    }

    #[test]
    fn an_answer_is_the_sum_of_its_chunks() {
        check(
            &[
                r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
                r#"{"choices":[{"delta":{"content":"Hel"},"finish_reason":null}]}"#,
                r#"{"choices":[{"delta":{"content":"lo"}}]}"#,
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"total_tokens":3}}"#,
                "[DONE]",
            ],
            Ok("Hello"),
        );
    }

    #[test]
    fn a_whole_answer_is_taken_in_either_form() {
        check(&[r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#], Ok("Hi"));
        check(
            &[
                r#"{"choices":[{"message":{"content":[{"type":"text","text":"Hi"}]},"finish_reason":"stop"}]}"#,
            ],
            Ok("Hi"),
        );
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        let chunk = r#"{"choices":[{"delta":{"content":"Hel"}}]}"#;
        check(&[chunk], Err("the answer broke off"));
        check(
            &[chunk, "{"],
            Err("the answer cannot be read: EOF while parsing an object at line 1 column 1"),
        );
        check(
            &[chunk, r#"{"error":{"message":"overloaded","code":503}}"#],
            Err("the server failed: overloaded"),
        );
        check(
            &[r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#],
            Err("the model's filter held the answer back"),
        );
        check(
            &[r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#],
            Err("the model said nothing (finish reason: length)"),
        );
    }

    #[test]
    fn an_endless_answer_is_cut_at_a_character() {
        let mut answer = Answer::new(5);
        answer.take(r#"{"choices":[{"delta":{"content":"鸿雁传书"}}]}"#).unwrap();
        assert!(answer.is_complete());
        assert_eq!(answer.words().unwrap(), "鸿…");
    }
}
