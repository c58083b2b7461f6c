//! Taking over what the official plugin keeps in a folder of its own.
//!
//! ```text
//! cursor, context tokens ─▶ store ─▶ the files of the same name here
//! credentials ────────────▶ the registry, sealed if ours are
//! debug mode, quotes and their media
//! ```
//!
//! The other folder is only read. All of it can be done again: an account is
//! where it was read to before its credentials appear.

use std::path::{Path, PathBuf};

use contract::AccountId;

use super::carrying::{add, is_known, newer};
use super::{Accounts, AccountsError, Import};
use crate::commands::DebugMode;
use crate::credentials::files::create_private_dir;
use crate::credentials::{Credentials, CredentialsError, Registry, safe};
use crate::lock::Lock;
use crate::official;
use crate::quotes::Quotes;
use crate::settings::{LiveSettings, Settings};
use crate::store::{Adopted, Store};

/// How a folder is taken over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Takeover {
    /// Whether what is here and was saved later gives way.
    pub overwrites: bool,
    /// Whether nothing is written, and only told what would be.
    pub is_dry: bool,
}

/// What was taken over.
#[derive(Debug)]
pub struct TakenOver {
    /// What became of each account, in the order of their logins.
    pub accounts: Vec<TakenAccount>,
    /// Accounts whose debug mode is on there and was off here.
    pub debugging: Vec<AccountId>,
    /// How many messages can be quoted that could not be before, or why none.
    pub quotes: Result<usize, String>,
}

/// What became of one account of the other folder.
#[derive(Debug)]
pub struct TakenAccount {
    /// The account.
    pub account: AccountId,
    /// What became of its credentials: `None` when there are none, or why they
    /// cannot be read.
    pub import: Result<Option<Import>, CredentialsError>,
    /// Whether it goes on where it was read to there.
    pub cursor: bool,
    /// How many context tokens came with it.
    pub tokens: usize,
}

impl Accounts {
    /// Takes over a folder of the official plugin, which is left as it is.
    ///
    /// What is here and was saved later stays, unless `overwrites`. A cursor
    /// counts when it was written after our last answered poll, a context token
    /// when it was written after ours came.
    ///
    /// # Errors
    ///
    /// When a channel runs on this folder, or something here cannot be read or
    /// written; then what was taken before it stays, and it can be repeated.
    pub async fn take_over(&self, from: &Path, how: Takeover) -> Result<TakenOver, AccountsError> {
        if Lock::is_held(&self.settings.dir) {
            return Err(AccountsError::Running);
        }
        let there = Settings::new(from);
        let store = if how.is_dry {
            self.existing_store()?
        } else {
            create_private_dir(&self.settings.dir)?;
            Some(Store::open(&self.settings.store())?)
        };
        let listed = there.registry().accounts()?;
        let mut accounts = Vec::new();
        for account in &listed {
            accounts.push(self.take_one(&there, account, store.as_ref(), how).await?);
        }
        let debugging = self.take_debugging(&there, &listed, how)?;
        let quotes = self.take_quotes(&there, store.as_ref(), how).await;
        if let Some(store) = store {
            store.close().await;
        }
        Ok(TakenOver { accounts, debugging, quotes })
    }

    async fn take_one(
        &self,
        there: &Settings,
        listed: &AccountId,
        store: Option<&Store>,
        how: Takeover,
    ) -> Result<TakenAccount, AccountsError> {
        let account = safe(listed);
        let nothing =
            |import| TakenAccount { account: account.clone(), import, cursor: false, tokens: 0 };
        let credentials = match credentials(there, listed) {
            Ok(Some(credentials)) => credentials,
            Ok(None) => return Ok(nothing(Ok(None))),
            Err(err) => return Ok(nothing(Err(err))),
        };
        let here = self.registry();
        // Of two logins of one person there, too, the later one counts.
        let elsewhere = newer(&there.registry(), &account, &credentials)?;
        let newer = if how.overwrites { None } else { newer(&here, &account, &credentials)? };
        if let Some(newer) = elsewhere.or(newer) {
            return Ok(nothing(Ok(Some(Import::Older { newer }))));
        }
        // First, so that the account goes on where it was read to.
        let Adopted { cursor, tokens } = self.take_place(there, &account, store, how).await?;
        let import = match how.is_dry {
            true => would_add(&here, &account, &credentials)?,
            false => add(&here, &account, credentials)?,
        };
        Ok(TakenAccount { import: Ok(Some(import)), cursor, tokens, ..nothing(Ok(None)) })
    }

    /// Takes the cursor and the context tokens of an account.
    async fn take_place(
        &self,
        there: &Settings,
        account: &AccountId,
        store: Option<&Store>,
        how: Takeover,
    ) -> Result<Adopted, AccountsError> {
        let foreign = official::foreign(there, account);
        let Some(store) = store else {
            let tokens = foreign.tokens.0.len();
            return Ok(Adopted { cursor: foreign.cursor.is_some(), tokens });
        };
        if how.is_dry {
            return Ok(store.would_adopt(account, foreign).await?);
        }
        let adopted = store.adopt(account, foreign).await?;
        // Older files of our own would count at the next start.
        official::renew(&self.settings, store, account).await?;
        Ok(adopted)
    }

    fn take_debugging(
        &self,
        there: &Settings,
        accounts: &[AccountId],
        how: Takeover,
    ) -> Result<Vec<AccountId>, AccountsError> {
        let here = DebugMode::load(&self.settings.dir);
        let on = official::read(there, accounts).debugging.into_iter();
        let news: Vec<_> = on.map(|it| safe(&it)).filter(|it| !here.is_on(it)).collect();
        for account in news.iter().filter(|_| !how.is_dry) {
            here.toggle(account)?;
        }
        Ok(news)
    }

    async fn take_quotes(
        &self,
        there: &Settings,
        store: Option<&Store>,
        how: Takeover,
    ) -> Result<usize, String> {
        let path = there.dir.join("ref-messages.sqlite");
        if !path.exists() {
            return Ok(0);
        }
        let taken = match store {
            Some(store) if !how.is_dry => {
                let live = LiveSettings::new(self.settings.clone());
                let quotes = Quotes::open(store.clone(), live).map_err(|err| err.to_string())?;
                quotes.copy_from(&path).await
            }
            Some(_) | None => Quotes::would_copy(&path, store).await,
        };
        taken.map_err(|err| chain(&err))
    }
}

/// Returns the credentials of an account that is listed there. Old versions
/// have named files by the bot's id.
fn credentials(
    there: &Settings,
    listed: &AccountId,
) -> Result<Option<Credentials>, CredentialsError> {
    let registry = there.registry();
    let found = registry.load(listed)?;
    match (found, old_file(there, listed)) {
        (None, Some(old)) => registry.credentials_at(&old),
        (found, _) => Ok(found),
    }
}

fn old_file(there: &Settings, listed: &AccountId) -> Option<PathBuf> {
    let id = safe(listed);
    let bot = [("-im-bot", "@im.bot"), ("-im-wechat", "@im.wechat")];
    let bot = bot
        .into_iter()
        .find_map(|(end, old)| Some(id.as_str().strip_suffix(end)?.to_owned() + old));
    Some(there.dir.join("accounts").join(format!("{}.json", bot?)))
}

/// Says what adding would do.
fn would_add(
    here: &Registry,
    account: &AccountId,
    credentials: &Credentials,
) -> Result<Import, CredentialsError> {
    if is_known(here, account, credentials)? {
        return Ok(Import::Known);
    }
    let is_of_same = |other: &AccountId| {
        let other = here.load(other).ok().flatten().and_then(|other| other.user_id);
        other.is_some() && other == credentials.user_id
    };
    let others = here.accounts()?.into_iter().filter(|other| other != account);
    Ok(Import::Added { replaced: others.filter(is_of_same).collect(), name_taken: false })
}

/// Says an error with its causes.
fn chain(err: &dyn std::error::Error) -> String {
    match err.source() {
        Some(source) => format!("{err}: {}", chain(source)),
        None => err.to_string(),
    }
}
