//! What is answered. Each file has the operations of one subject, with the
//! rows of the table that they make.

use super::table::Operation;

mod about;
mod accounts;
mod login;
mod operating;
mod saying;

/// Returns the table of all operations.
pub(super) fn operations() -> Vec<Operation> {
    let subjects = [
        about::operations(),
        accounts::operations(),
        login::operations(),
        saying::operations(),
        operating::operations(),
    ];
    subjects.into_iter().flatten().collect()
}
