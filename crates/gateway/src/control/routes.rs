//! What is answered. Each file has the operations of one subject, with the
//! rows of the table that they make.

use super::table::Operation;

mod about;
mod accounts;
mod operating;
mod saying;

/// Returns the table of all operations.
pub(super) fn operations() -> Vec<Operation> {
    [about::operations(), accounts::operations(), saying::operations(), operating::operations()]
        .into_iter()
        .flatten()
        .collect()
}
