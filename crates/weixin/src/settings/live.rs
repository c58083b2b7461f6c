//! The settings of the channel as they are now.

use std::collections::HashMap;
use std::sync::Arc;

use contract::AccountId;
use parking_lot::Mutex;

use super::{AccountSettings, ChannelSettings, Settings};
use crate::intake::IntakeSettings;
use crate::sending::SendSettings;
use crate::switch::Switch;

/// The settings as they are now: as a whole, and resolved for each account
/// that runs. Clones share them.
#[derive(Clone)]
pub(crate) struct LiveSettings {
    whole: Switch<Settings>,
    // Held for a map look-up, never across an await.
    running: Arc<Mutex<HashMap<AccountId, Told>>>,
}

/// What the tasks of one account are told. Clones share it.
#[derive(Clone)]
pub(crate) struct Told {
    /// How messages leave.
    pub(crate) sending: Switch<SendSettings>,
    /// How messages are received.
    pub(crate) receiving: Switch<IntakeSettings>,
}

impl LiveSettings {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { whole: Switch::new(settings), running: Arc::default() }
    }

    /// Returns the settings of the channel.
    pub(crate) fn now(&self) -> Arc<Settings> {
        self.whole.now()
    }

    /// Replaces what the configuration says. Accounts that run are told by
    /// [`Self::tell`].
    pub(crate) fn configure(&self, section: ChannelSettings) {
        let settings = Settings { section, ..(*self.now()).clone() };
        self.whole.set(settings);
    }

    /// Returns what an account is told. One that does not run is looked up anew.
    pub(crate) fn of(&self, account: &AccountId) -> Told {
        if let Some(told) = self.running.lock().get(account) {
            return told.clone();
        }
        let settings = self.now();
        let found = settings.registry().load(account).ok().flatten();
        Told::new(settings.for_account(account, found.as_ref()))
    }

    /// Tells an account that runs, or is about to.
    pub(crate) fn tell(&self, account: &AccountId, settings: AccountSettings) {
        let mut running = self.running.lock();
        if let Some(told) = running.get(account) {
            told.sending.set(settings.sending);
            told.receiving.set(settings.receiving);
        } else {
            running.insert(account.clone(), Told::new(settings));
        }
    }

    /// Forgets an account that does not run any more.
    pub(crate) fn forget(&self, account: &AccountId) {
        self.running.lock().remove(account);
    }
}

impl Told {
    fn new(settings: AccountSettings) -> Self {
        Self { sending: Switch::new(settings.sending), receiving: Switch::new(settings.receiving) }
    }
}
