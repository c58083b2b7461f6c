//! A login that a running gateway does, in the words of one that is done here.

use contract::{ChannelError, LoginEvent, LoginRequest};
use gateway::control::Problem;
use ilink::login::QrEnd;
use serde::Deserialize;
use serde_json::{Value, json};
use weixin::login::{Event, Failure, FlowOptions, Poller, Reason};

use crate::control::{Client, Events, refusal};
use crate::error::CliError;
use crate::texts::spoken;

/// After how long without a scan advice comes, in seconds.
const IDLE_SECS: u64 = 30;

/// A login in progress. Dropping it gives it up.
pub(super) struct Remote {
    client: Client,
    events: Option<Events>,
    /// Under which number digits are taken.
    login: Option<u64>,
    n_codes: u32,
    /// Told before the end.
    last: Option<Event>,
}

/// What the gateway tells.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Own(Own),
    Event(LoginEvent),
}

/// What does not come from the channel.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Own {
    Login { login: u64 },
    VerifyCodeNeeded { wrong: bool },
    Ended { problem: Problem },
}

impl Remote {
    pub(super) async fn begin(
        client: Client,
        channel: &str,
        options: FlowOptions,
    ) -> Result<Self, CliError> {
        let language = match spoken() {
            weixin::codes::Language::Zh => "zh",
            weixin::codes::Language::En => "en",
        };
        let request = LoginRequest {
            name: options.alias,
            base_url: options.base_url.map(String::from),
            fresh: options.fresh,
            language: Some(language.to_owned()),
        };
        let path = format!("/v1/channels/{channel}/login");
        let events = client.follow(&path, &request).await?;
        Ok(Self { client, events: Some(events), login: None, n_codes: 0, last: None })
    }

    /// Waits for what happens next; `None` at the end. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, CliError> {
        loop {
            let Some(events) = &mut self.events else { return Ok(self.last.take()) };
            let told = events.next::<Told>().await.map_err(|err| self.client.lost(err))?;
            match told {
                Some(Told::Own(Own::Login { login })) => self.login = Some(login),
                Some(Told::Own(Own::VerifyCodeNeeded { wrong })) => {
                    return Ok(Some(Event::VerifyCodeNeeded { wrong }));
                }
                Some(Told::Own(Own::Ended { problem })) => return Err(refusal(problem)),
                Some(Told::Event(event)) => return self.event(event).map(Some),
                None => self.events = None,
            }
        }
    }

    /// Gives the digits that the phone shows.
    pub(super) async fn answer(&self, digits: &str) -> Result<(), CliError> {
        let path = format!("/v1/logins/{}/code", self.login.unwrap_or_default());
        let _: Value = self.client.post(&path, &json!({ "code": digits })).await?;
        Ok(())
    }

    /// Ends it, for this reason.
    pub(super) fn give_up(&mut self, reason: Reason) {
        self.events = None;
        self.last = Some(Event::Failed { failure: Failure { code: reason, detail: None } });
    }

    fn event(&mut self, event: LoginEvent) -> Result<Event, CliError> {
        Ok(match event {
            LoginEvent::Qr { text, url: _, expires_in_secs } => {
                self.n_codes += 1;
                Event::Qr { url: text, lives_secs: expires_in_secs, n_refresh: self.n_codes - 1 }
            }
            LoginEvent::QrEnded { blocked } => {
                Event::Refreshed { why: if blocked { QrEnd::Blocked } else { QrEnd::Expired } }
            }
            // Our own advice names our own words.
            LoginEvent::Advice { text: _ } => Event::Idle { secs: IDLE_SECS },
            LoginEvent::Scanned => Event::Scanned,
            LoginEvent::Redirected { host } => Event::Redirected { host },
            LoginEvent::Confirmed { account } => Event::Confirmed { account },
            LoginEvent::Saved { account, name, name_taken, replaced } => {
                Event::Saved { account, name, name_taken, replaced }
            }
            LoginEvent::AlreadyConnected => Event::AlreadyBound,
            LoginEvent::Checking { account, at_most_secs } => {
                Event::Checking { account, by: Poller::Channel, at_most_secs }
            }
            LoginEvent::Polling { account, name } => {
                Event::Polling { account, name, by: Poller::Channel }
            }
            LoginEvent::Failed(failure) => match reason(&failure.code) {
                Some(code) => Event::Failed { failure: Failure { code, detail: failure.detail } },
                None => return Err(ChannelError::Login(failure).into()),
            },
        })
    }
}

fn reason(code: &str) -> Option<Reason> {
    Reason::ALL.into_iter().find(|reason| json!(reason) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_known_by_its_word() {
        for expected in Reason::ALL {
            assert_eq!(reason(json!(expected).as_str().unwrap()), Some(expected));
        }
        assert_eq!(reason("new_in_another_version"), None);
    }

    #[test]
    fn what_only_the_gateway_says_is_told_from_what_the_channel_says() {
        let told = |value: Value| serde_json::from_value::<Told>(value);
        let own = told(json!({"event": "verify_code_needed", "wrong": true})).unwrap();
        assert!(matches!(own, Told::Own(Own::VerifyCodeNeeded { wrong: true })));
        let event = told(json!({"event": "scanned"})).unwrap();
        assert!(matches!(event, Told::Event(LoginEvent::Scanned)));
        assert!(told(json!({"event": "unheard_of"})).is_err());
    }
}
