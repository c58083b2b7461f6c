//! What the backend allows and what this channel allows itself, as settings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of one account. Serialises with the names of a configuration; an
/// absent field means the value of [`Limits::tencent`], `null` means no limit.
///
/// Most numbers come from single live tests that disagree with each other, so
/// each is a setting; what the backend's answers teach is kept beside them, in
/// the state of the account and the peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Whether nobody chose these numbers, so that a backend of one's own gets
    /// those of [`Limits::open`] instead.
    #[serde(skip)]
    pub is_unchosen: bool,
    /// How long after a peer's message the bot may still write (a Tencent
    /// maintainer: 24 h).
    #[serde(rename = "windowMs", with = "millis::option")]
    pub window: Option<Duration>,
    /// How long the window is surely open, so that a refusal means the quota
    /// (one live test: 11 h).
    #[serde(rename = "windowSureMs", with = "millis")]
    pub window_sure: Duration,
    /// How many messages may follow one message of the peer (quoted article and
    /// several live tests: 10).
    pub sends_per_inbound: Option<u32>,
    /// Whether tool items count among them, which nobody has shown.
    pub tools_count: bool,
    /// How many of them scheduled messages leave alone while a turn runs: one for
    /// the end of the answer, one for a notice that there is none.
    pub reserve: u32,
    /// How many of them progress leaves alone, and never fewer than the reserve:
    /// an answer of three parts with a file, and a notice.
    pub progress_reserve: u32,
    /// With so many left, a message says that an answer of the peer is needed.
    pub warn_left: u32,
    /// The pause between two messages in a row to one peer; closer ones have
    /// been seen to swap places. The first after a peer's message never waits.
    #[serde(rename = "paceMs", with = "millis")]
    pub pace: Duration,
    /// The pause between two messages of progress to one peer.
    #[serde(rename = "progressEveryMs", with = "millis")]
    pub progress_every: Duration,
    /// The pause between two typing calls for one peer; they are limited, too.
    #[serde(rename = "typingEveryMs", with = "millis")]
    pub typing_every: Duration,
    /// How bursts of the account are held back.
    pub burst: Option<Burst>,
    /// How long nothing leaves after the first answer `rate limited`; doubles
    /// with each further one (several live tests: windows of 15 to 30 s).
    #[serde(rename = "penaltyFirstMs", with = "millis")]
    pub penalty_first: Duration,
    /// How long nothing leaves at most, unless the backend asks for more.
    #[serde(rename = "penaltyMaxMs", with = "millis")]
    pub penalty_max: Duration,
    /// So many messages in a row without an id mean that the peer sees none.
    pub unconfirmed_alarm: Option<u32>,
    /// The pause between two tries while a peer sees none.
    #[serde(rename = "probeEveryMs", with = "millis")]
    pub probe_every: Duration,
    /// How many messages an account may send in a day (UTC).
    pub daily_cap: Option<u32>,
    /// How long a part of a long answer usually is, in characters.
    pub part_chars: usize,
    /// How long it may be when sends are short. The phone shows about 2,000.
    pub larger_part_chars: usize,
    /// The longest text that the backend is known to take, in characters.
    pub hard_chars: usize,
    /// The same in bytes of UTF-8.
    pub hard_bytes: usize,
    /// What becomes of an answer that needs more sends than are left.
    pub overflow: Overflow,
    /// How long a limit that an answer of the backend taught is believed.
    #[serde(rename = "learntForMs", with = "millis")]
    pub learnt_for: Duration,
}

/// How bursts of one account are held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Burst {
    /// So many messages …
    pub sends: u32,
    /// … within this time.
    #[serde(rename = "periodMs", with = "millis")]
    pub period: Duration,
    /// So many of them are left alone by progress and scheduled messages.
    pub spare: u32,
}

/// What becomes of an answer that needs more sends than are left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Overflow {
    /// Larger parts if they fit, else a file, else the rest waits.
    #[default]
    Auto,
    /// Larger parts if they fit, else the rest waits; never a file.
    Parts,
    /// A file at once, if two sends are left.
    File,
    /// The rest waits at once.
    Park,
}

impl Limits {
    /// What is known of Tencent's servers, on the careful side.
    #[must_use]
    pub fn tencent() -> Self {
        Self {
            is_unchosen: false,
            window: Some(hours(24)),
            window_sure: hours(11),
            sends_per_inbound: Some(10),
            tools_count: true,
            reserve: 2,
            progress_reserve: 5,
            warn_left: 2,
            pace: Duration::from_millis(400),
            progress_every: Duration::from_secs(3),
            typing_every: Duration::from_secs(5),
            burst: Some(Burst::default()),
            penalty_first: Duration::from_secs(15),
            penalty_max: Duration::from_secs(300),
            unconfirmed_alarm: Some(3),
            probe_every: Duration::from_secs(300),
            daily_cap: None,
            part_chars: 1_800,
            larger_part_chars: 2_000,
            hard_chars: 5_000,
            hard_bytes: 16_384,
            overflow: Overflow::Auto,
            learnt_for: hours(7 * 24),
        }
    }

    /// For a backend of one's own: no window, no quota, no pauses. What such a
    /// backend refuses all the same is still obeyed.
    #[must_use]
    pub fn open() -> Self {
        Self {
            window: None,
            sends_per_inbound: None,
            tools_count: false,
            pace: Duration::ZERO,
            progress_every: Duration::ZERO,
            burst: None,
            part_chars: 5_000,
            larger_part_chars: 5_000,
            ..Self::tencent()
        }
    }

    /// Returns the limits for an API: numbers that nobody chose are Tencent's for
    /// Tencent's hosts, and none for any other.
    #[must_use]
    pub(crate) fn for_api(self, is_tencents: bool) -> Self {
        if self.is_unchosen && !is_tencents { Self::open() } else { self }
    }

    /// Says whether it matters how many messages have left.
    pub(crate) fn counts_sends(&self) -> bool {
        self.sends_per_inbound.is_some() || self.burst.is_some() || self.daily_cap.is_some()
    }

    /// The longest part when sends are short, safe in bytes for any script.
    pub(super) fn larger(&self) -> usize {
        self.larger_part_chars.min(self.hard_chars).min(self.hard_bytes / 4).max(self.part())
    }

    pub(super) fn part(&self) -> usize {
        self.part_chars.max(1)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { is_unchosen: true, ..Self::tencent() }
    }
}

impl Default for Burst {
    /// Tencent's, on the careful side.
    fn default() -> Self {
        Self { sends: 16, period: Duration::from_secs(34), spare: 4 }
    }
}

fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

/// A duration as the state machine counts it.
pub(crate) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Durations as milliseconds in JSON.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(super::ms(*value))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }

    pub(super) mod option {
        use std::time::Duration;

        use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

        pub(crate) fn serialize<S: Serializer>(
            value: &Option<Duration>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            value.map(super::super::ms).serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_field_is_tencents_and_null_is_no_limit() {
        let read = |json| serde_json::from_str::<Limits>(json).unwrap();
        assert_eq!(read("{}"), Limits::default());
        assert_eq!(Limits { is_unchosen: false, ..read("{}") }, Limits::tencent());
        assert_eq!(
            read(r#"{"windowMs":null,"paceMs":500,"overflow":"file"}"#),
            Limits {
                window: None,
                pace: Duration::from_millis(500),
                overflow: Overflow::File,
                ..Limits::default()
            }
        );
        assert!(serde_json::from_str::<Limits>(r#"{"windows":1}"#).is_err());
    }

    #[test]
    fn both_sets_survive_being_written_and_read() {
        for limits in [Limits::tencent(), Limits::open()] {
            let json = serde_json::to_string(&limits).unwrap();
            let read = serde_json::from_str::<Limits>(&json).unwrap();
            assert_eq!(Limits { is_unchosen: false, ..read }, limits);
        }
    }

    #[test]
    fn only_numbers_that_nobody_chose_depend_on_the_api() {
        assert_eq!(Limits::default().for_api(false), Limits::open());
        assert_eq!(Limits::default().for_api(true), Limits::default());
        assert_eq!(Limits::tencent().for_api(false), Limits::tencent());
        assert_eq!(Limits::open().for_api(true), Limits::open());
    }

    #[test]
    fn a_larger_part_fits_in_characters_and_bytes_whatever_is_set() {
        let larger = |part_chars, larger_part_chars| {
            Limits { part_chars, larger_part_chars, ..Limits::tencent() }.larger()
        };
        assert_eq!(larger(1_800, 2_000), 2_000);
        assert_eq!(larger(1_800, 9_000), 4_096);
        assert_eq!(larger(1_800, 0), 1_800);
        assert_eq!(larger(0, 0), 1);
    }
}
