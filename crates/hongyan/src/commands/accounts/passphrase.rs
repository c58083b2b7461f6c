//! Where a passphrase comes from: never from the command line, where every
//! process of the machine could see it.

use zeroize::Zeroizing;

use crate::agents::secret_from_env;
use crate::cli::PassphraseArgs;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

/// Returns the passphrase: from the environment, a file, or the terminal, which
/// asks twice for a new one.
pub(in crate::commands) fn of(
    args: &PassphraseArgs,
    is_new: bool,
) -> Result<Zeroizing<String>, CliError> {
    if let Some(name) = &args.passphrase_env {
        return secret_from_env(name).map(Zeroizing::new);
    }
    if let Some(file) = &args.passphrase_file {
        let text = std::fs::read_to_string(file).map(Zeroizing::new).map_err(|err| {
            let message = t!("error.accounts.not_read", file = file.display());
            CliError::new(Kind::Usage, message).caused_by(err)
        })?;
        return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let missing = || {
        CliError::new(Kind::Usage, t!("error.accounts.no_passphrase"))
            .hinted(t!("hint.accounts.passphrase"))
    };
    if !output::can_ask() {
        return Err(missing());
    }
    let ask = |question: &str| output::ask_secret(question).map(Zeroizing::new).ok_or_else(missing);
    let passphrase = ask(&t!("accounts.passphrase"))?;
    if is_new && *ask(&t!("accounts.passphrase.again"))? != *passphrase {
        return Err(CliError::new(Kind::Usage, t!("error.accounts.passphrases_differ")));
    }
    Ok(passphrase)
}
