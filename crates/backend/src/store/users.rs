//! People.

use ilink::UserId;
use ledger::LedgerError;
use rusqlite::{OptionalExtension as _, Row};

use super::Store;

/// Someone with a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) created_at: u64,
}

impl Store {
    /// Adds a person, unless there are `most` already.
    pub(crate) async fn add_person(&self, person: &Person, most: u64) -> Result<bool, LedgerError> {
        const SQL: &str = "INSERT INTO users (id, name, created_at)
            SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM users) < ?4";
        let person = person.clone();
        self.ledger
            .write(move |tx| {
                let row = (person.id.as_str(), &person.name, person.created_at, most);
                Ok(tx.prepare_cached(SQL)?.execute(row)? == 1)
            })
            .await
    }

    pub(crate) async fn person(&self, id: &UserId) -> Result<Option<Person>, LedgerError> {
        const SQL: &str = "SELECT id, name, created_at FROM users WHERE id = ?1";
        let id = id.clone();
        self.ledger
            .read(move |conn| conn.prepare_cached(SQL)?.query_row([id.as_str()], person).optional())
            .await
    }

    /// Finds the oldest person of a name.
    pub(crate) async fn person_named(&self, name: &str) -> Result<Option<Person>, LedgerError> {
        const SQL: &str = "SELECT id, name, created_at FROM users WHERE name = ?1
            ORDER BY created_at, id LIMIT 1";
        let name = name.to_owned();
        self.ledger
            .read(move |conn| conn.prepare_cached(SQL)?.query_row([name], person).optional())
            .await
    }

    /// Returns everybody, the newest first.
    pub(crate) async fn people(&self, most: u32) -> Result<Vec<Person>, LedgerError> {
        const SQL: &str = "SELECT id, name, created_at FROM users
            ORDER BY created_at DESC, id LIMIT ?1";
        self.ledger
            .read(move |conn| conn.prepare_cached(SQL)?.query_map([most], person)?.collect())
            .await
    }
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        id: UserId::new(row.get::<_, String>(0)?),
        name: row.get(1)?,
        created_at: row.get(2)?,
    })
}
