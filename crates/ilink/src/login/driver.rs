//! A login that does its own I/O.

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::{Event, Login, LoginEvent, LoginOptions, Outcome, Poll, Step, Trouble};
use crate::BotToken;
use crate::client::{Client, ClientError, Recovery};

/// A QR login in progress.
///
/// ```no_run
/// # async fn example(client: ilink::Client) {
/// use ilink::login::{LoginEvent, LoginOptions, Outcome, QrLogin};
///
/// let mut login = QrLogin::new(&client, Vec::new(), LoginOptions::default());
/// while let Some(event) = login.next().await {
///     match event {
///         LoginEvent::QrShown { link, .. } => println!("scan {link}"),
///         LoginEvent::VerifyCodeNeeded { .. } => login.enter("123456"),
///         other => println!("{other:?}"),
///     }
/// }
/// let Outcome::Confirmed(credentials) = login.into_outcome() else { return };
/// # }
/// ```
///
/// Nothing runs between two calls of [`next`](Self::next), and dropping the
/// login ends it.
#[derive(Debug)]
pub struct QrLogin {
    client: Client,
    known: Vec<BotToken>,
    login: Login,
    began_at: Instant,
    /// What is to be done; stays until it is done, so that a dropped call of
    /// `next` loses nothing.
    step: Step,
    told_ending: bool,
    codes: mpsc::Sender<String>,
    entered: mpsc::Receiver<String>,
}

/// Digits that may wait to be read; more are of no use.
const MOST_CODES: usize = 4;

impl QrLogin {
    /// Begins a login with a client that needs no token. `known` are the tokens
    /// of accounts that this machine has, newest first.
    #[must_use]
    pub fn new(client: &Client, known: Vec<BotToken>, options: LoginOptions) -> Self {
        let mut login = Login::new(options, client.endpoints().qr.clone());
        let step = login.handle(Event::Continue, std::time::Duration::ZERO);
        let (codes, entered) = mpsc::channel(MOST_CODES);
        let began_at = Instant::now();
        Self {
            client: client.clone(),
            known,
            login,
            began_at,
            step,
            told_ending: false,
            codes,
            entered,
        }
    }

    /// Enters the digits that [`LoginEvent::VerifyCodeNeeded`] asks for.
    pub fn enter(&self, digits: impl Into<String>) {
        if self.codes.try_send(digits.into()).is_err() {
            tracing::debug!("digits dropped: others are waiting to be read");
        }
    }

    /// Returns where digits can be entered from elsewhere while
    /// [`next`](Self::next) waits.
    #[must_use]
    pub fn codes(&self) -> mpsc::Sender<String> {
        self.codes.clone()
    }

    /// Gives the login up; the next event says so.
    pub fn cancel(&mut self) {
        self.handle(Event::Cancel);
    }

    /// Goes on until there is something to tell; `None` when all is told.
    ///
    /// Cancel safe: what was cut is done again by the next call.
    pub async fn next(&mut self) -> Option<LoginEvent> {
        loop {
            match self.step.clone() {
                Step::Done(_) if self.told_ending => return None,
                Step::Done(outcome) => {
                    self.told_ending = true;
                    return Some(LoginEvent::Done(outcome.ending()));
                }
                Step::Tell(event) => {
                    // Only digits that are entered after the question count.
                    while self.entered.try_recv().is_ok() {}
                    self.handle(Event::Continue);
                    return Some(event);
                }
                step @ (Step::FetchQr | Step::Poll(_) | Step::Wait(_) | Step::AwaitVerifyCode) => {
                    let left = self.login.remaining(self.began_at.elapsed());
                    let event = timeout(left, self.perform(step)).await;
                    self.handle(event.unwrap_or(Event::Continue));
                }
            }
        }
    }

    /// Returns how it ended, [`Outcome::Cancelled`] when it has not.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        if let Step::Done(outcome) = self.step {
            return outcome;
        }
        Outcome::Cancelled
    }

    fn handle(&mut self, event: Event) {
        self.step = self.login.handle(event, self.began_at.elapsed());
    }

    async fn perform(&mut self, step: Step) -> Event {
        match step {
            Step::FetchQr => {
                let answer = self.client.get_qr_code(&self.known).await;
                Event::Qr(answer.map_err(Trouble::from))
            }
            Step::Poll(Poll { base, qr, verify_code }) => {
                let answer = self.client.qr_status(&base, &qr, verify_code.as_deref()).await;
                Event::Status(answer.map_err(Trouble::from))
            }
            Step::Wait(pause) => {
                sleep(pause).await;
                Event::Continue
            }
            Step::AwaitVerifyCode => match self.entered.recv().await {
                Some(digits) => Event::VerifyCode(digits),
                None => Event::Cancel,
            },
            Step::Tell(_) | Step::Done(_) => Event::Continue,
        }
    }
}

impl From<ClientError> for Trouble {
    fn from(err: ClientError) -> Self {
        if err.is_timeout() {
            return Self::TimedOut;
        }
        let reason = err.to_string();
        match err.recovery() {
            Recovery::Retry { after } => Self::Passing { after, reason },
            Recovery::Relogin | Recovery::GiveUp => Self::Lasting { reason },
        }
    }
}
