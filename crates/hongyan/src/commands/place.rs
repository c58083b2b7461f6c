//! Where a command does its work.

use crate::composition::State;
use crate::control::Client;
use crate::error::CliError;

/// The gateway that runs on the folder, or the folder itself.
///
/// A gateway answers at once and needs nothing of us: neither the settings, which
/// may be broken by now, nor a connection pool, nor a second hand on its store.
pub(super) enum Place {
    Gateway(Client),
    Folder(Box<State>),
}

impl Place {
    /// Looks for a gateway; reads the settings by `load` when there is none.
    pub(super) async fn find(
        found: &State,
        load: impl FnOnce() -> Result<State, CliError>,
    ) -> Result<Self, CliError> {
        match Client::find(found).await? {
            Some(client) => Ok(Self::Gateway(client)),
            None => load().map(|state| Self::Folder(Box::new(state))),
        }
    }
}
