//! Why a conversation gets what it gets.

use contract::Conversation;
use serde::{Deserialize, Serialize};

use super::{Binding, MatchedBy, Mismatch, Route, RouteError, RouteSettings};

/// Who answers a conversation, and all that was considered for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteExplanation {
    /// What the conversation gets, if anybody answers it.
    pub route: Option<Route>,
    /// Why nobody does.
    pub error: Option<String>,
    /// Each binding, in the order of the file.
    pub bindings: Vec<Considered>,
}

/// A binding, and what it says about a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Considered {
    /// Its place in the file, from 0.
    pub index: usize,
    /// The binding.
    pub binding: Binding,
    /// By what it holds.
    pub matched_by: Option<MatchedBy>,
    /// Why it does not.
    pub mismatch: Option<Mismatch>,
    /// Whether it is the one that decides.
    pub wins: bool,
}

impl RouteSettings {
    /// Says who answers a conversation, and why.
    #[must_use]
    pub fn explain(&self, conversation: &Conversation) -> RouteExplanation {
        let winner = self.winner(conversation).map(|(index, _)| index);
        let considered = self.bindings.iter().enumerate().map(|(index, binding)| {
            let matching = binding.matching(conversation);
            Considered {
                index,
                binding: binding.clone(),
                matched_by: matching.ok(),
                mismatch: matching.err(),
                wins: winner == Some(index),
            }
        });
        let bindings = considered.collect();
        let route = self.route(conversation);
        let error = route.as_ref().err().map(RouteError::to_string);
        RouteExplanation { route: route.ok(), error, bindings }
    }
}
