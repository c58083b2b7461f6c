//! What a gateway says that it has not done, for a person.

use axum::http::StatusCode;
use gateway::control::{Problem, ProblemKind};

use crate::error::{CliError, Kind};
use crate::texts::t;

/// Turns the answer into the error of a command.
pub(super) fn error(status: StatusCode, bytes: &[u8]) -> CliError {
    let Ok(problem) = serde_json::from_slice::<Problem>(bytes) else {
        return CliError::new(Kind::Bug, t!("error.gateway_status", status = status))
            .hinted(t!("hint.bug"));
    };
    refusal(problem)
}

/// Turns what a gateway says into the error of a command.
pub(crate) fn refusal(problem: Problem) -> CliError {
    let hint = match problem.code.as_str() {
        "unknown_target" | "ambiguous_target" => t!("hint.peers").into_owned(),
        "starting" | "draining" => t!("hint.gateway_soon").into_owned(),
        _ => problem.hint,
    };
    CliError::new(kind(problem.kind), problem.message).hinted(hint)
}

fn kind(kind: ProblemKind) -> Kind {
    match kind {
        ProblemKind::Usage | ProblemKind::NotFound => Kind::Usage,
        ProblemKind::Busy => Kind::Busy,
        ProblemKind::Unavailable => Kind::Unavailable,
        ProblemKind::NeedsLogin => Kind::NeedsLogin,
        ProblemKind::Config | ProblemKind::Unauthorized | ProblemKind::Forbidden => Kind::Config,
        ProblemKind::Bug => Kind::Bug,
    }
}
