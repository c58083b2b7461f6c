//! Names that people give to accounts, and finding an account by one.

use std::fmt;

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
        if let Some(it) = known.iter().find(|it| it.id.as_str() == name) {
            return Ok(it.id.clone());
        }
        let bot = account_id(&BotId::from(name));
        let ways: [&dyn Fn(&Known) -> bool; 3] =
            [&|it| it.is_called(name), &|it| it.id == bot, &|it| it.begins_with(name)];
        for is_meant in ways {
            match known.iter().filter(|it| is_meant(it)).collect::<Vec<_>>().as_slice() {
                [] => {}
                [it] => return Ok(it.id.clone()),
                several => {
                    let among = several.iter().map(ToString::to_string).collect();
                    return Err(NameError::Ambiguous { name: name.to_owned(), among });
                }
            }
        }
        let known = known.iter().map(ToString::to_string).collect();
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
            let known = self.aliases()?.iter().map(ToString::to_string).collect();
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
        let taken = self.aliases()?.into_iter().find(|it| {
            same(it.id.as_str(), &name) || (Some(&it.id) != account && it.is_called(&name))
        });
        match taken {
            Some(Known { id: account, .. }) => Err(NameError::Taken { name, account }),
            None => Ok(name),
        }
    }

    /// Returns each account with its alias; one that cannot be read has none.
    fn aliases(&self) -> Result<Vec<Known>, CredentialsError> {
        let alias = |id: &AccountId| self.load(id).ok().flatten().and_then(|found| found.alias);
        Ok(self.accounts()?.into_iter().map(|id| Known { alias: alias(&id), id }).collect())
    }
}

/// An account and what it is called.
struct Known {
    id: AccountId,
    alias: Option<String>,
}

impl Known {
    fn is_called(&self, name: &str) -> bool {
        self.alias.as_ref().is_some_and(|alias| same(alias, name))
    }

    fn begins_with(&self, name: &str) -> bool {
        name.len() >= SHORTEST_BEGINNING && self.id.as_str().starts_with(&name.to_lowercase())
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.alias {
            Some(alias) => write!(f, "{} ({alias})", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
