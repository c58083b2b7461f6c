//! The test face: what tests, the demo and the admin API do with a backend.

use std::time::Duration;

use ilink::{BotId, BotToken, UserId};

use crate::backend::Backend;
use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::problem::Problem;
use crate::recorder::Request;

mod seen;
mod user;

pub(crate) use self::seen::key_of;
pub use self::seen::{Seen, SeenItem, SeenMedia};
pub use self::user::User;

/// How long a test waits for something that should happen, in real time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What a client needs to speak for a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The bot.
    pub bot_id: BotId,
    /// Its token.
    pub token: BotToken,
    /// Base URL of the iLink API.
    pub base_url: String,
    /// Base URL of the CDN.
    pub cdn_url: String,
    /// Who bound the bot.
    pub user_id: UserId,
}

impl Backend {
    /// Returns the user of this name, created if need be.
    ///
    /// # Panics
    ///
    /// When the store fails or the name is no name.
    pub async fn user(&self, name: &str) -> User {
        let found = match self.core.find_person(name).await {
            Err(Problem::NotFound(_)) => self.core.create_person(name).await,
            found => found,
        };
        let person = found.unwrap_or_else(|err| panic!("user {name:?}: {err}"));
        User::new(&self.core, person)
    }

    /// Binds a bot to a user, without a QR code. The user's older bot becomes
    /// stale.
    ///
    /// # Panics
    ///
    /// When the store fails or is full.
    pub async fn bind(&self, user: &User) -> Credentials {
        let bound = self.core.bind(user.id()).await;
        let bot = bound.unwrap_or_else(|err| panic!("{} could not be bound: {err}", user.name()));
        self.credentials(&bot).unwrap_or_else(|| panic!("bot {bot} was just bound"))
    }

    /// Returns the credentials of a bot, good or stale.
    #[must_use]
    pub fn credentials(&self, bot: &BotId) -> Option<Credentials> {
        let live = self.core.registry.get(bot)?;
        Some(Credentials {
            bot_id: bot.clone(),
            token: self.core.secret.bot_token(bot),
            base_url: self.url().to_owned(),
            cdn_url: self.cdn_url().to_owned(),
            user_id: live.user.clone(),
        })
    }

    /// Makes a bot's token refused (−14) from now on.
    ///
    /// # Panics
    ///
    /// When there is no such bot.
    pub async fn make_stale(&self, bot: &BotId) {
        let done = self.core.make_stale(bot).await;
        done.unwrap_or_else(|err| panic!("bot {bot} could not be made stale: {err}"));
    }

    /// Says whether a bot shows as being there.
    #[must_use]
    pub fn is_online(&self, bot: &BotId) -> bool {
        self.core.registry.get(bot).is_some_and(|bot| bot.is_online(self.core.now()))
    }

    /// Scripts a fault for the next call of an endpoint, whichever bot's.
    ///
    /// # Panics
    ///
    /// When a thousand faults wait already.
    pub fn next(&self, endpoint: Endpoint, fault: Fault) {
        self.next_times(endpoint, 1, fault);
    }

    /// Scripts a fault for the next `times` calls of an endpoint.
    ///
    /// # Panics
    ///
    /// When a thousand faults wait already, or `times` is 0.
    pub fn next_times(&self, endpoint: Endpoint, times: u32, fault: Fault) {
        self.script(None, endpoint, times, fault);
    }

    /// Scripts a fault for the next call of an endpoint by one bot.
    ///
    /// # Panics
    ///
    /// When a thousand faults wait already.
    pub fn next_of(&self, bot: &BotId, endpoint: Endpoint, fault: Fault) {
        self.script(Some(bot.clone()), endpoint, 1, fault);
    }

    fn script(&self, bot: Option<BotId>, endpoint: Endpoint, times: u32, fault: Fault) {
        assert!(times > 0, "a fault happens at least once");
        let added = self.core.faults.add(bot, endpoint, times, fault);
        assert!(added.is_some(), "there are too many faults");
    }

    /// Returns how many faults have not happened yet.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.core.faults.list().len()
    }

    /// Returns how many faults of one endpoint have not happened yet.
    #[must_use]
    pub fn faults_left_at(&self, endpoint: Endpoint) -> usize {
        self.core.faults.list().iter().filter(|it| it.endpoint == endpoint).count()
    }

    /// Forgets the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.core.faults.clear(None);
    }

    /// Returns the last requests of the iLink API and the CDN, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.core.recorder.list()
    }

    /// Returns the last requests of one endpoint, oldest first.
    #[must_use]
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|it| it.endpoint == endpoint);
        requests
    }

    /// Returns everything that a bot sent and was accepted, shown or not, oldest
    /// first.
    ///
    /// # Panics
    ///
    /// When the store fails.
    pub async fn sent_by(&self, bot: &BotId) -> Vec<Seen> {
        let sent = self.core.store.sent_by(bot, u32::MAX).await;
        let sent = sent.unwrap_or_else(|err| panic!("what {bot} sent: {err}"));
        sent.iter().map(|stored| Seen::new(&self.core, stored)).collect()
    }
}
