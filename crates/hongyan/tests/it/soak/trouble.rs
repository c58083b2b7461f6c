//! Faults at random, one at a time for each endpoint.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use backend::{Backend, Endpoint, Fault};
use ilink::Code;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use super::policy;
use super::size::Size;
use super::tally::Tally;

/// After how many answers there is another fault at the latest.
const EVERY: u64 = 20;
/// Where there is trouble; the ways of messages more often than the others.
const ENDPOINTS: [Endpoint; 16] = [
    Endpoint::GetUpdates,
    Endpoint::GetUpdates,
    Endpoint::GetUpdates,
    Endpoint::GetUpdates,
    Endpoint::SendMessage,
    Endpoint::SendMessage,
    Endpoint::SendMessage,
    Endpoint::SendMessage,
    Endpoint::GetUploadUrl,
    Endpoint::CdnUpload,
    Endpoint::CdnUpload,
    Endpoint::CdnDownload,
    Endpoint::GetConfig,
    Endpoint::SendTyping,
    Endpoint::NotifyStart,
    Endpoint::NotifyStop,
];

/// One fault after another.
pub(super) struct Trouble {
    chance: StdRng,
    /// Whether nothing may take long.
    is_quick: bool,
    /// What was scripted last for each endpoint.
    scripted: BTreeMap<String, String>,
    played: BTreeMap<String, u32>,
}

impl Trouble {
    pub(super) fn new(chance: StdRng, size: &Size) -> Self {
        Self { chance, is_quick: size.is_small, scripted: BTreeMap::new(), played: BTreeMap::new() }
    }

    /// Makes trouble until it is dropped: as much as there is work, so that
    /// the last who waits for an answer is not hit again and again.
    pub(super) async fn make(&mut self, backend: &Backend, tally: &Tally) -> Infallible {
        loop {
            let next = tally.answered.get() + self.chance.random_range(1..=EVERY);
            while tally.answered.get() < next {
                tally.changed().await;
            }
            let endpoint = ENDPOINTS[self.chance.random_range(0..ENDPOINTS.len())];
            if backend.faults_left_at(endpoint) > 0 {
                continue;
            }
            if let Some(played) = self.scripted.remove(&format!("{endpoint:?}")) {
                *self.played.entry(played).or_default() += 1;
            }
            let fault = self.pick(endpoint);
            let name = format!("{fault:?}");
            let name = name.split([' ', '{', '(']).next().unwrap_or_default();
            self.scripted.insert(format!("{endpoint:?}"), format!("{endpoint:?} {name}"));
            backend.next(endpoint, fault);
            // The copies come at another pace, too.
            backend.set_policy(policy(self.moment(3_000)));
        }
    }

    /// Returns how often each fault has happened.
    pub(super) fn played(&self) -> &BTreeMap<String, u32> {
        &self.played
    }

    fn moment(&mut self, most_ms: u64) -> Duration {
        Duration::from_millis(self.chance.random_range(0..most_ms))
    }

    fn pick(&mut self, endpoint: Endpoint) -> Fault {
        let mut faults = vec![
            Fault::Late { by: self.moment(300) },
            Fault::DropRequest,
            Fault::DropAnswer,
            Fault::Reset,
            Fault::BadGateway,
            Fault::EdgeTimeout { after: self.moment(300) },
            Fault::EdgeCut { after: self.moment(300) },
            Fault::TruncatedJson,
            Fault::EmptyBody,
        ];
        faults.extend(self.own(endpoint));
        if !self.is_quick && self.chance.random_bool(0.02) {
            return self.slow(endpoint);
        }
        faults.choose(&mut self.chance).unwrap().clone()
    }

    /// Trouble that only this endpoint can have.
    fn own(&mut self, endpoint: Endpoint) -> Vec<Fault> {
        match endpoint {
            Endpoint::GetUpdates => vec![
                Fault::Duplicate,
                Fault::Reorder,
                Fault::Duplicate,
                Fault::Reorder,
                Fault::refuse(Code::STALE_TOKEN, "session timeout"),
            ],
            Endpoint::SendMessage => vec![Fault::refuse(Code::REFUSED, "busy")],
            Endpoint::CdnUpload => vec![
                Fault::NoEncryptedParam,
                Fault::SlowCdn { bytes_per_second: 100_000 },
                Fault::refuse(Code(503), "busy"),
            ],
            Endpoint::CdnDownload => vec![Fault::SlowCdn { bytes_per_second: 1_000 }],
            Endpoint::GetConfig | Endpoint::SendTyping | Endpoint::NotifyStart => {
                vec![Fault::refuse(Code::REFUSED, "busy")]
            }
            Endpoint::GetUploadUrl
            | Endpoint::NotifyStop
            | Endpoint::GetBotQrcode
            | Endpoint::GetQrcodeStatus => Vec::new(),
        }
    }

    /// Trouble that lasts a quarter of a minute.
    fn slow(&mut self, endpoint: Endpoint) -> Fault {
        if endpoint == Endpoint::SendMessage && self.chance.random_bool(0.5) {
            return Fault::refuse(Code::REFUSED, "rate limited");
        }
        Fault::HalfBody
    }
}
