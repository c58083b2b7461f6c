//! What is answered. Each file has the operations of one subject, with the
//! rows of the table that they make.

use super::table::Operation;

mod about;
mod accounts;
mod login;
mod operating;
mod pairing;
mod plugins;
mod route;
mod saying;
mod sessions;

pub(super) use self::pairing::request_schema;
pub(super) use self::sessions::session_schema;

/// Returns the table of all operations.
pub(super) fn operations() -> Vec<Operation> {
    let subjects = [
        about::operations(),
        accounts::operations(),
        login::operations(),
        saying::operations(),
        sessions::operations(),
        pairing::operations(),
        route::operations(),
        plugins::operations(),
        operating::operations(),
    ];
    subjects.into_iter().flatten().collect()
}
