//! Carrying accounts to another machine.

use contract::AccountId;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{Accounts, AccountsError, ArchiveError, archive};
use crate::credentials::files::create_private_dir;
use crate::credentials::{Credentials, CredentialsError, Registry};
use crate::store::{Carried, Store};

/// What became of one account of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// The account.
    pub account: AccountId,
    /// What became of it.
    #[serde(flatten)]
    pub import: Import,
}

/// What became of an account of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "import", rename_all = "snake_case")]
pub enum Import {
    /// It is here now, and starts where a channel runs.
    Added {
        /// Accounts of the same person that it replaces.
        replaced: Vec<AccountId>,
        /// Whether its name was taken already, so that it has none.
        name_taken: bool,
    },
    /// It was here already, with the same token; only what was missing was added.
    Known,
    /// What is here was saved later, for the same account or the same person, and stays.
    Older {
        /// What is here.
        newer: AccountId,
    },
}

/// The content of an archive. Holds credentials, so it has no `Debug`.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    exported_at: String,
    accounts: Vec<Carrying>,
    /// Credentials that newer logins had replaced.
    #[serde(default)]
    replaced: Vec<Superseded>,
}

#[derive(Serialize, Deserialize)]
struct Carrying {
    account: AccountId,
    credentials: Credentials,
    #[serde(default)]
    kept: Carried,
}

#[derive(Serialize, Deserialize)]
struct Superseded {
    account: AccountId,
    credentials: Credentials,
}

impl Accounts {
    /// Packs accounts into an archive: credentials, how far each was read,
    /// context tokens and names, and with `with_replaced` what newer logins had
    /// replaced. Messages and media stay.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or the passphrase is too short.
    pub async fn export(
        &self,
        accounts: &[AccountId],
        with_replaced: bool,
        passphrase: Zeroizing<String>,
    ) -> Result<Vec<u8>, AccountsError> {
        let registry = self.registry();
        let store = self.existing_store()?;
        let exported_at = jiff::Timestamp::now().to_string();
        let mut content = Content { exported_at, ..Content::default() };
        for account in accounts {
            let Some(credentials) = registry.load(account)? else { continue };
            let kept = match &store {
                Some(store) => store.carried(account).await?,
                None => Carried::default(),
            };
            content.accounts.push(Carrying { account: account.clone(), credentials, kept });
        }
        if let Some(store) = store {
            store.close().await;
        }
        if with_replaced {
            content.replaced = replaced(&registry)?;
        }
        let content = serde_json::to_vec(&content).map_err(|_| ArchiveError::Damaged)?;
        let sealed = spawn_blocking(move || archive::seal(content, &passphrase)).await;
        Ok(sealed.unwrap_or(Err(ArchiveError::Damaged))?)
    }

    /// Unpacks an archive. What is here and newer stays, unless `overwrites`; a
    /// running channel starts what is added within a second or two.
    ///
    /// # Errors
    ///
    /// When the archive cannot be opened (then nothing has changed), or something
    /// cannot be written (then what was unpacked before it stays, and the import
    /// can be repeated).
    pub async fn import(
        &self,
        archive: Vec<u8>,
        passphrase: Zeroizing<String>,
        overwrites: bool,
    ) -> Result<Vec<Imported>, AccountsError> {
        let opened = spawn_blocking(move || archive::open(&archive, &passphrase)).await;
        let opened = opened.unwrap_or(Err(ArchiveError::Damaged))?;
        let content: Content =
            serde_json::from_slice(&opened).map_err(|_| ArchiveError::Damaged)?;
        let registry = self.registry();
        create_private_dir(&self.settings.dir)?;
        let store = Store::open(&self.settings.store())?;
        let mut imported = Vec::new();
        for Carrying { account, credentials, kept } in content.accounts {
            let import = match newer(&registry, &account, &credentials)? {
                Some(newer) if !overwrites => Import::Older { newer },
                Some(_) | None => {
                    // First, so that the account goes on where it was read to.
                    store.bring(&account, kept).await?;
                    add(&registry, &account, credentials)?
                }
            };
            imported.push(Imported { account, import });
        }
        store.close().await;
        for Superseded { account, credentials } in content.replaced {
            registry.keep_replaced(&account, &credentials)?;
        }
        Ok(imported)
    }
}

fn replaced(registry: &Registry) -> Result<Vec<Superseded>, AccountsError> {
    let mut replaced = Vec::new();
    for path in registry.quarantined() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(credentials) = registry.credentials_at(&path)? {
            replaced.push(Superseded { account: AccountId::new(name), credentials });
        }
    }
    Ok(replaced)
}

/// Returns an account here that stands against an import: the same one, or one
/// of the same person, with another token and saved later.
pub(super) fn newer(
    registry: &Registry,
    account: &AccountId,
    credentials: &Credentials,
) -> Result<Option<AccountId>, AccountsError> {
    for known in registry.accounts()? {
        let Some(here) = registry.load(&known).ok().flatten() else { continue };
        let is_same =
            known == *account || (here.user_id.is_some() && here.user_id == credentials.user_id);
        // ISO 8601 text in UTC sorts by time.
        if is_same && here.token != credentials.token && here.saved_at > credentials.saved_at {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

/// Says whether an account is here already, with this token. One whose
/// credentials are here and that is not listed was cut when it was saved.
pub(super) fn is_known(
    registry: &Registry,
    account: &AccountId,
    credentials: &Credentials,
) -> Result<bool, CredentialsError> {
    let here = registry.load(account).ok().flatten();
    let has_token = here.is_some_and(|here| here.token == credentials.token);
    Ok(has_token && registry.accounts()?.contains(account))
}

pub(super) fn add(
    registry: &Registry,
    account: &AccountId,
    mut credentials: Credentials,
) -> Result<Import, AccountsError> {
    if is_known(registry, account, &credentials)? {
        return Ok(Import::Known);
    }
    let alias = credentials.alias.take();
    let free = alias.as_ref().and_then(|it| registry.free_alias(Some(account), it).ok());
    let name_taken = alias.is_some() && free.is_none();
    credentials.alias = free;
    let replaced = registry.save(account, &credentials)?;
    Ok(Import::Added { replaced, name_taken })
}
