//! Logins that somebody follows through the API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contract::{LoginEvent, LoginFace};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::mpsc;

use super::{Problem, ProblemKind};

/// How many logins may be in progress at once.
const MOST: usize = 16;
/// How many events may wait for whoever follows: more than any login has.
const MOST_EVENTS: usize = 256;

/// The logins in progress. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Logins {
    // Held for a look-up, never across an await.
    open: Arc<Mutex<BTreeMap<u64, mpsc::Sender<String>>>>,
    last: Arc<AtomicU64>,
}

/// What is told of a login.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Told {
    /// What happens.
    Event(LoginEvent),
    /// What only this face says.
    Own(Own),
}

/// What only this face says.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Own {
    /// The first of all: under which number digits are taken.
    Login { login: u64 },
    /// The digits that the phone shows are asked for.
    VerifyCodeNeeded { wrong: bool },
    /// It is over, and not as an event said.
    Ended { problem: Problem },
}

/// One login: shows what happens to whoever follows, and takes digits. Given up
/// when it is dropped.
pub(super) struct Following {
    pub(super) login: u64,
    logins: Logins,
    told: mpsc::Sender<Told>,
    digits: tokio::sync::Mutex<mpsc::Receiver<String>>,
}

impl Logins {
    /// Begins one; what it tells comes out of the receiver.
    pub(super) fn begin(&self) -> Result<(Arc<Following>, mpsc::Receiver<Told>), Problem> {
        let mut open = self.open.lock();
        if open.len() >= MOST {
            let message = format!("{MOST} logins are in progress already");
            let hint = "finish one, or wait until it expires";
            return Err(Problem::new(ProblemKind::Busy, "too_many_logins", message, hint));
        }
        let login = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (give, digits) = mpsc::channel(1);
        let (told, events) = mpsc::channel(MOST_EVENTS);
        open.insert(login, give);
        let digits = tokio::sync::Mutex::new(digits);
        let following = Following { login, logins: self.clone(), told, digits };
        following.say(Told::Own(Own::Login { login }));
        Ok((Arc::new(following), events))
    }

    /// Gives digits to a login in progress.
    pub(super) fn answer(&self, login: u64, digits: String) -> Result<(), Problem> {
        let give = self.open.lock().get(&login).cloned().ok_or_else(|| {
            let message = format!("there is no login {login} in progress");
            let hint = "begin another one";
            Problem::new(ProblemKind::NotFound, "unknown_login", message, hint)
        })?;
        give.try_send(digits).map_err(|_| {
            let message = "digits wait to be looked at already";
            Problem::new(ProblemKind::Busy, "busy", message, "wait until they are asked for again")
        })
    }
}

impl Following {
    pub(super) fn say(&self, told: Told) {
        // One who reads no more has gone, and the login ends with the connection.
        if self.told.try_send(told).is_err() {
            tracing::debug!(login = self.login, "nobody follows the login");
        }
    }
}

impl LoginFace for Following {
    fn tell(&self, event: LoginEvent) {
        self.say(Told::Event(event));
    }

    fn verify_code(&self, wrong: bool) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            let mut digits = self.digits.lock().await;
            self.say(Told::Own(Own::VerifyCodeNeeded { wrong }));
            digits.recv().await
        })
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.logins.open.lock().remove(&self.login);
    }
}
