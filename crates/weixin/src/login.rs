//! What remains of a login: files that the running channel notices.

use contract::AccountId;
use ilink::login::Credentials as Issued;

use crate::account_id::account_id;
use crate::credentials::{Credentials, CredentialsError, Registry};

/// An account that a login has put on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// The account.
    pub account: AccountId,
    /// Older accounts of the same person, which it replaces.
    pub replaced: Vec<AccountId>,
}

/// Keeps what a login has issued. A channel that runs on the same folder, in
/// this process or another, starts the account within a second or two.
///
/// # Errors
///
/// When the files cannot be written; then the login is lost and must be
/// repeated.
pub fn keep(registry: &Registry, issued: Issued) -> Result<LoggedIn, CredentialsError> {
    let account = account_id(&issued.bot_id);
    let credentials = Credentials {
        token: issued.token,
        saved_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        base_url: Some(issued.base_url),
        user_id: issued.user_id,
        alias: None,
        disabled: false,
        other: std::collections::BTreeMap::new(),
    };
    let replaced = registry.save(&account, &credentials)?;
    Ok(LoggedIn { account, replaced })
}
