//! Names that people give to accounts, and finding an account by one.

use contract::AccountId;
use ilink::BotId;

use super::files::Changing;
use super::{Credentials, CredentialsError, Registry};
use crate::account_id::account_id;

/// The longest alias, in characters.
const LONGEST: usize = 64;
/// The shortest beginning of an id that stands for it.
const SHORTEST_BEGINNING: usize = 4;

/// A name means no account, or cannot be given to one.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// No account has that name or id.
    #[error("there is no account {name:?}; there is {}", listed(known))]
    NotFound {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// More than one account could be meant.
    #[error("{name:?} could be any of {}", among.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What it could be.
        among: Vec<String>,
    },
    /// Another account has that name already, or it is an id.
    #[error("the name {name:?} belongs to the account {account}")]
    Taken {
        /// The name.
        name: String,
        /// Whose it is.
        account: AccountId,
    },
    /// The name cannot be a name.
    #[error(
        "{name:?} cannot be a name: use 1 to {LONGEST} characters, none of them a control \
         character, a slash or a quotation mark"
    )]
    Unusable {
        /// The name.
        name: String,
    },
    /// The credentials cannot be read or written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "none at all".to_owned() } else { known.join(", ") }
}

impl Registry {
    /// Finds the account that a person means: by its id, its alias in any case,
    /// its bot's id (`b0f5…@im.bot`), or the beginning of its id.
    ///
    /// # Errors
    ///
    /// When no account is meant or several could be, or the list cannot be read.
    pub fn find(&self, name: &str) -> Result<AccountId, NameError> {
        let known = self.aliases()?;
        let name = name.trim();
        if let Some((id, _)) = known.iter().find(|(id, _)| id.as_str() == name) {
            return Ok(id.clone());
        }
        let named = |alias: &Option<String>| alias.as_ref().is_some_and(|it| same(it, name));
        let bot = account_id(&BotId::from(name));
        let begins = |id: &AccountId| {
            name.len() >= SHORTEST_BEGINNING && id.as_str().starts_with(&name.to_lowercase())
        };
        let ways: [&dyn Fn(&(AccountId, Option<String>)) -> bool; 3] =
            [&|(_, alias)| named(alias), &|(id, _)| *id == bot, &|(id, _)| begins(id)];
        for is_meant in ways {
            match known.iter().filter(|it| is_meant(it)).collect::<Vec<_>>().as_slice() {
                [] => {}
                [(id, _)] => return Ok(id.clone()),
                several => {
                    let among = several.iter().map(|it| shown(it)).collect();
                    return Err(NameError::Ambiguous { name: name.to_owned(), among });
                }
            }
        }
        let known = known.iter().map(shown).collect();
        Err(NameError::NotFound { name: name.to_owned(), known })
    }

    /// Gives an account a name, or takes it away. A running channel notices
    /// within a second or two and goes on undisturbed.
    ///
    /// # Errors
    ///
    /// When the name cannot be one or is taken, or files cannot be used.
    pub fn rename(&self, account: &AccountId, alias: Option<&str>) -> Result<(), NameError> {
        let _changing = Changing::begin(&self.dir)?;
        let alias = alias.map(|alias| self.free_alias(Some(account), alias)).transpose()?;
        let Some(credentials) = self.load(account)? else {
            let known = self.aliases()?.iter().map(shown).collect();
            return Err(NameError::NotFound { name: account.to_string(), known });
        };
        self.write(account, &Credentials { alias, ..credentials })?;
        // What runs watches the list.
        self.write_list(&self.accounts()?)?;
        Ok(())
    }

    /// Returns a name as it will be stored, if an account may have it: `account`
    /// itself, or one that is still to come.
    ///
    /// # Errors
    ///
    /// When the name cannot be one or is taken, or files cannot be read.
    pub fn free_alias(
        &self,
        account: Option<&AccountId>,
        alias: &str,
    ) -> Result<String, NameError> {
        let name = alias.trim().to_owned();
        let is_bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | '"' | '\'' | '`');
        if name.is_empty() || name.chars().count() > LONGEST || name.contains(is_bad) {
            return Err(NameError::Unusable { name });
        }
        let taken = self.aliases()?.into_iter().find(|(id, alias)| {
            same(id.as_str(), &name)
                || (Some(id) != account && alias.as_ref().is_some_and(|it| same(it, &name)))
        });
        match taken {
            Some((account, _)) => Err(NameError::Taken { name, account }),
            None => Ok(name),
        }
    }

    /// Returns each account with its alias; one that cannot be read has none.
    fn aliases(&self) -> Result<Vec<(AccountId, Option<String>)>, CredentialsError> {
        let alias = |id: &AccountId| self.load(id).ok().flatten().and_then(|found| found.alias);
        Ok(self.accounts()?.into_iter().map(|id| (id.clone(), alias(&id))).collect())
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

fn shown((id, alias): &(AccountId, Option<String>)) -> String {
    match alias {
        Some(alias) => format!("{id} ({alias})"),
        None => id.to_string(),
    }
}
