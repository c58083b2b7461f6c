//! Trouble, scripted: per endpoint, for any bot or one, for the next calls.

use std::time::Duration;

use ilink::{BotId, Code};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::endpoint::Endpoint;
use crate::policy::millis;

mod hold;

pub use self::hold::{Gate, Hold};

/// One kind of trouble.
///
/// "Before" means that the request has no effect; "after" means that its effect
/// is on disk when the trouble begins. A call that is held open when the fault
/// is scripted meets it too: a "before" fault at once, an "after" fault with
/// the answer. On getupdates, "after" faults wait for an answer that carries
/// messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// After: the answer comes this much later, in real time.
    Late {
        /// By how much.
        #[serde(rename = "by_ms", with = "millis")]
        by: Duration,
    },
    /// Before: the connection is closed without an answer.
    DropRequest,
    /// After: the connection is closed without an answer.
    DropAnswer,
    /// Before: the connection is reset.
    Reset,
    /// After: half of the body, then silence until the client gives up.
    HalfBody,
    /// After, or never if the work takes longer: HTTP 524 with an HTML page,
    /// this much later in real time, as from an edge that gave up.
    EdgeTimeout {
        /// After how long.
        #[serde(rename = "after_ms", with = "millis")]
        after: Duration,
    },
    /// As an edge that has only so much patience: an answer that comes in time
    /// passes, else HTTP 524 with an HTML page. What is behind the edge goes on,
    /// except for a poll, which acknowledges nothing by it.
    EdgeCut {
        /// After how long, in real time.
        #[serde(rename = "after_ms", with = "millis")]
        after: Duration,
    },
    /// Before: HTTP 502 with an HTML page.
    BadGateway,
    /// After: a complete answer whose JSON, or media, ends in the middle.
    TruncatedJson,
    /// After: HTTP 200 without a body.
    EmptyBody,
    /// Before: HTTP 200 with this code. Code 0 is a suppressed message:
    /// accepted, without an id, never shown. On the CDN: HTTP 500 with
    /// `errmsg` as its `x-error-message`.
    Refuse {
        /// The code.
        code: i64,
        /// The backend's words.
        #[serde(default)]
        errmsg: String,
    },
    /// After, getupdates only: each message of the batch comes twice.
    Duplicate,
    /// After, getupdates only: the batch comes in reverse order.
    Reorder,
    /// The CDN moves so many bytes per second.
    SlowCdn {
        /// The speed.
        bytes_per_second: u64,
    },
    /// After, CDN upload only: HTTP 200 without `x-encrypted-param`.
    NoEncryptedParam,
    /// The request waits for the test, before or after its effect.
    #[serde(skip)]
    Hold(Hold),
}

impl Fault {
    /// Refuses with a code and words.
    #[must_use]
    pub fn refuse(code: Code, errmsg: &str) -> Self {
        Self::Refuse { code: code.0, errmsg: errmsg.to_owned() }
    }

    /// Accepts a message without an id and shows it to nobody.
    #[must_use]
    pub fn suppress() -> Self {
        Self::refuse(Code::OK, "")
    }

    /// Makes a request wait before it has any effect; the gate tells when it
    /// has arrived and lets it go on.
    #[must_use]
    pub fn hold_before() -> (Self, Gate) {
        let (hold, gate) = Hold::new(false);
        (Self::Hold(hold), gate)
    }

    /// Makes a request wait when its effect is on disk, before it is answered.
    #[must_use]
    pub fn hold_after() -> (Self, Gate) {
        let (hold, gate) = Hold::new(true);
        (Self::Hold(hold), gate)
    }

    /// Says whether the trouble can begin at a moment.
    fn fits(&self, moment: Moment) -> bool {
        match moment {
            Moment::Arrival => true,
            Moment::ArrivalHeld => !self.is_after(),
            Moment::Held => {
                !self.is_after() && !matches!(self, Self::Hold(_) | Self::SlowCdn { .. })
            }
            Moment::Answer => self.is_after(),
        }
    }

    fn is_after(&self) -> bool {
        match self {
            Self::DropRequest
            | Self::Reset
            | Self::BadGateway
            | Self::Refuse { .. }
            | Self::EdgeTimeout { .. }
            | Self::EdgeCut { .. }
            | Self::SlowCdn { .. } => false,
            Self::Hold(hold) => hold.is_after(),
            Self::Late { .. }
            | Self::DropAnswer
            | Self::HalfBody
            | Self::TruncatedJson
            | Self::EmptyBody
            | Self::Duplicate
            | Self::Reorder
            | Self::NoEncryptedParam => true,
        }
    }
}

/// When a fault is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A request has come that is answered at once.
    Arrival,
    /// A request has come that may be held open.
    ArrivalHeld,
    /// A request is held open and has had no effect yet.
    Held,
    /// A request that was held open is about to be answered with news.
    Answer,
}

/// A scripted fault with its scope.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Scripted {
    /// Names the entry.
    pub(crate) id: u64,
    /// For this bot only.
    pub(crate) bot: Option<BotId>,
    /// For this endpoint.
    pub(crate) endpoint: Endpoint,
    /// For so many more calls.
    pub(crate) times: u32,
    /// What happens.
    pub(crate) fault: Fault,
}

/// The script of a backend.
#[derive(Debug)]
pub(crate) struct Faults {
    // Held for a look through the list, never across an await.
    script: Mutex<Script>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Script {
    last_id: u64,
    entries: Vec<Scripted>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { script: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Faults {
    /// The most entries that a script has.
    pub(crate) const MOST: usize = 1_000;

    /// Appends an entry and returns its id, or `None` when the script is full.
    pub(crate) fn add(
        &self,
        bot: Option<BotId>,
        endpoint: Endpoint,
        times: u32,
        fault: Fault,
    ) -> Option<u64> {
        let mut script = self.script.lock();
        if script.entries.len() >= Self::MOST {
            return None;
        }
        script.last_id += 1;
        let id = script.last_id;
        script.entries.push(Scripted { id, bot, endpoint, times, fault });
        drop(script);
        self.changed.send_modify(|n| *n += 1);
        Some(id)
    }

    /// Takes the first fault for a call, if it can begin now.
    pub(crate) fn take(
        &self,
        endpoint: Endpoint,
        bot: Option<&BotId>,
        moment: Moment,
    ) -> Option<Fault> {
        let mut script = self.script.lock();
        let is_meant =
            |it: &Scripted| it.endpoint == endpoint && (it.bot.is_none() || it.bot.as_ref() == bot);
        let at = script.entries.iter().position(is_meant)?;
        if !script.entries[at].fault.fits(moment) {
            return None;
        }
        script.entries[at].times -= 1;
        if script.entries[at].times == 0 {
            return Some(script.entries.remove(at).fault);
        }
        Some(script.entries[at].fault.clone())
    }

    /// Says whether an endpoint has faults for single bots.
    pub(crate) fn ask_for_bot(&self, endpoint: Endpoint) -> bool {
        self.script.lock().entries.iter().any(|it| it.endpoint == endpoint && it.bot.is_some())
    }

    /// Returns the script as it stands.
    pub(crate) fn list(&self) -> Vec<Scripted> {
        self.script.lock().entries.clone()
    }

    /// Removes one entry, or all. Returns how many.
    pub(crate) fn clear(&self, id: Option<u64>) -> usize {
        let mut script = self.script.lock();
        let before = script.entries.len();
        script.entries.retain(|it| id.is_some_and(|id| it.id != id));
        before - script.entries.len()
    }

    /// Returns a mark that changes with every new entry.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot(name: &str) -> BotId {
        BotId::from(name)
    }

    #[test]
    fn faults_come_in_order_and_only_where_they_are_meant() {
        let faults = Faults::default();
        faults.add(Some(bot("b1")), Endpoint::SendMessage, 2, Fault::DropAnswer);
        faults.add(None, Endpoint::SendMessage, 1, Fault::Reset);
        let take = |name: &str| {
            let bot = bot(name);
            faults.take(Endpoint::SendMessage, Some(&bot), Moment::Arrival)
        };
        assert!(faults.take(Endpoint::GetUpdates, None, Moment::Arrival).is_none());
        assert!(matches!(take("b1"), Some(Fault::DropAnswer)));
        assert!(matches!(take("b2"), Some(Fault::Reset)));
        assert!(matches!(take("b1"), Some(Fault::DropAnswer)));
        assert!(take("b1").is_none());
    }

    #[test]
    fn a_held_call_takes_only_what_can_still_begin() {
        let faults = Faults::default();
        faults.add(None, Endpoint::GetUpdates, 1, Fault::DropAnswer);
        assert!(faults.take(Endpoint::GetUpdates, None, Moment::Held).is_none());
        assert!(faults.take(Endpoint::GetUpdates, None, Moment::Answer).is_some());
        faults.add(None, Endpoint::GetUpdates, 1, Fault::BadGateway);
        assert!(faults.take(Endpoint::GetUpdates, None, Moment::Answer).is_none());
        assert!(faults.take(Endpoint::GetUpdates, None, Moment::Held).is_some());
    }

    #[test]
    fn a_fault_reads_as_json() {
        let fault: Fault = serde_json::from_str(r#"{"kind":"late","by_ms":1500}"#).unwrap();
        assert!(matches!(fault, Fault::Late { by } if by == Duration::from_millis(1500)));
        let fault: Fault = serde_json::from_str(r#"{"kind":"refuse","code":-2}"#).unwrap();
        assert!(matches!(fault, Fault::Refuse { code: -2, .. }));
    }
}
