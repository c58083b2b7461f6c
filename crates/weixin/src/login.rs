//! A login, from the first QR code to an account that polls.
//!
//! ```text
//! Qr ⟲ Refreshed → Scanned → Confirmed → Saved → Checking → Polling
//!  │ Idle           │ VerifyCodeNeeded ⟲ wrong     └────────▶ Failed
//!  └ AlreadyBound → Checking → Polling
//! ```
//!
//! [`Flow`] is the whole of it as a stream of events: a terminal, a program that
//! reads JSON and a page drive the same one. [`keep`] alone is what remains of a
//! login: files that a running channel notices.

use contract::AccountId;
use ilink::login::Credentials as Issued;

use crate::account_id::account_id;
use crate::credentials::{Credentials, CredentialsError, NameError, Registry};

mod event;
mod first_poll;
mod flow;

pub use self::event::{Event, Failure, Poller, Reason};
pub use self::flow::{Flow, FlowOptions};

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
    keep_as(registry, issued, None)
}

/// Keeps what a login has issued, under a name unless another person's account
/// has it.
fn keep_as(
    registry: &Registry,
    issued: Issued,
    alias: Option<String>,
) -> Result<LoggedIn, CredentialsError> {
    let account = account_id(&issued.bot_id);
    // Another version's fields outlive a new token; a damaged file does not stop a login.
    let known = registry.load(&account).ok().flatten();
    let alias = alias.filter(|alias| is_theirs(registry, alias, &account, &issued));
    let credentials = Credentials {
        token: issued.token,
        saved_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        base_url: Some(issued.base_url),
        user_id: issued.user_id,
        alias,
        disabled: false,
        other: known.map(|known| known.other).unwrap_or_default(),
    };
    let replaced = registry.save(&account, &credentials)?;
    Ok(LoggedIn { account, replaced })
}

/// Says whether a name is free, or that of an account that the login replaces.
fn is_theirs(registry: &Registry, alias: &str, account: &AccountId, issued: &Issued) -> bool {
    let Err(NameError::Taken { account: holder, .. }) = registry.free_alias(Some(account), alias)
    else {
        return true;
    };
    let user = registry.load(&holder).ok().flatten().and_then(|found| found.user_id);
    user.is_some() && user == issued.user_id
}
