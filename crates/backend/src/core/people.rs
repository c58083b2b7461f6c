//! People: creating and finding them, and what their phones list.

use ilink::{BotId, UserId};

use super::Core;
use crate::ident;
use crate::problem::Problem;
use crate::store::{Contact, Person, Stored};

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

impl Core {
    /// Creates a person with a phone. Names need not be unique.
    pub(crate) async fn create_person(&self, name: &str) -> Result<Person, Problem> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(Problem::Invalid(format!("a name has 1 to {LONGEST_NAME} characters")));
        }
        if name.chars().any(char::is_control) {
            return Err(Problem::Invalid("a name has no control characters".to_owned()));
        }
        let person = Person { id: ident::user_id(), name: name.to_owned(), created_at: self.now() };
        if !self.store.add_person(&person, self.limits.users).await? {
            return Err(Problem::Full("there are too many users"));
        }
        Ok(person)
    }

    pub(crate) async fn person(&self, id: &UserId) -> Result<Person, Problem> {
        self.store.person(id).await?.ok_or(Problem::NotFound("user"))
    }

    /// Finds a person by id or by name.
    pub(crate) async fn find_person(&self, id_or_name: &str) -> Result<Person, Problem> {
        if let Some(person) = self.store.person(&UserId::from(id_or_name)).await? {
            return Ok(person);
        }
        self.store.person_named(id_or_name).await?.ok_or(Problem::NotFound("user"))
    }

    /// Lets a user talk to a bot that someone else has bound.
    pub(crate) async fn meet(&self, user: &UserId, bot: &BotId) -> Result<(), Problem> {
        let live = self.registry.get(bot).ok_or(Problem::NotFound("bot"))?;
        if live.user != *user && !self.policy().strangers {
            return Err(Problem::Conflict(
                "only the user who bound a bot can talk to it".to_owned(),
            ));
        }
        self.store.meet(user, bot).await?;
        self.tell_contact(user, bot);
        Ok(())
    }

    pub(crate) async fn contact(&self, user: &UserId, bot: &BotId) -> Result<Contact, Problem> {
        let found = self.store.contacts(user, Some(bot)).await?;
        found.into_iter().next().ok_or(Problem::NotFound("contact"))
    }

    pub(crate) async fn mark_read(&self, user: &UserId, bot: &BotId) -> Result<(), Problem> {
        if self.store.mark_read(user, bot).await? {
            self.tell_contact(user, bot);
        }
        Ok(())
    }

    pub(crate) async fn message(&self, user: &UserId, id: u64) -> Result<Stored, Problem> {
        self.store.message(user, id).await?.ok_or(Problem::NotFound("message"))
    }
}
