//! What the model is sent.

use std::borrow::Cow;

use serde::Serialize;

use crate::{Entry, Role};

/// The body of a request (`POST …/chat/completions`).
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Prompt<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
}

#[derive(Debug, PartialEq, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Cow<'a, str>,
}

impl<'a> Prompt<'a> {
    /// Puts the parts in order. Turns alternate, as strict servers demand: what
    /// one side said in several messages becomes one, and a history whose
    /// beginning was left out begins with the peer.
    pub(super) fn new(
        model: &'a str,
        system: Option<&'a str>,
        history: &'a [Entry],
        question: &'a str,
    ) -> Self {
        let system = system.map(|text| Message { role: "system", content: text.into() });
        let mut messages = Vec::from_iter(system);
        for entry in history.iter().skip_while(|entry| entry.role == Role::Assistant) {
            let role = match entry.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            push(&mut messages, role, &entry.text);
        }
        push(&mut messages, "user", question);
        Self { model, messages, stream: true }
    }
}

fn push<'a>(messages: &mut Vec<Message<'a>>, role: &'static str, text: &'a str) {
    match messages.last_mut() {
        Some(last) if last.role == role => {
            let content = last.content.to_mut();
            content.push_str("\n\n");
            content.push_str(text);
        }
        _ => messages.push(Message { role, content: text.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(role: Role, text: &str) -> Entry {
        Entry { role, text: text.to_owned() }
    }

    #[test]
    fn a_prompt_is_the_system_the_history_and_the_question_taking_turns() {
        let history = [
            said(Role::Assistant, "left over"),
            said(Role::User, "hi"),
            said(Role::Assistant, "hello"),
            said(Role::Assistant, "how are you?"),
        ];
        let prompt = Prompt::new("m", Some("be brief"), &history, "fine");
        let expected = serde_json::json!({
            "model": "m",
            "messages": [
                { "role": "system", "content": "be brief" },
                { "role": "user", "content": "hi" },
                { "role": "assistant", "content": "hello\n\nhow are you?" },
                { "role": "user", "content": "fine" },
            ],
            "stream": true,
        });
        assert_eq!(serde_json::to_value(&prompt).unwrap(), expected);
    }
}
