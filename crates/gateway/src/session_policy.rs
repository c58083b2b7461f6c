//! When a session begins anew by itself. Pure: the clock and the zone are given.
//!
//! The rules are those of OpenClaw's `session.reset`: a rule for the channel
//! goes before one for the kind of conversation, that before the general one.
//! Without any, a session is never reset. A rule without a mode means `daily`.
//! Under `daily` the session is stale when it began before the last time that
//! the clock struck `atHour`; when `idleMinutes` stands beside it, that counts
//! as well. Under `idle` only that counts, and 0 minutes never expire.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::ChannelId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::ResetReason;

/// The hour at which a day begins when none is said.
const AT_HOUR: i64 = 4;
/// The kind of a conversation of two, the only one here.
const DIRECT: &str = "direct";

/// When sessions begin anew and how long old windows are kept; `session` in a
/// configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SessionSettings {
    /// The general rule.
    pub reset: Option<ResetRule>,
    /// Rules for kinds of conversations; those here are `direct`.
    pub reset_by_type: BTreeMap<String, ResetRule>,
    /// Rules for single channels, by their ids.
    pub reset_by_channel: BTreeMap<String, ResetRule>,
    /// The words that ask for a reset.
    pub reset_triggers: Vec<String>,
    /// How many days a window is kept after it was closed; 0 for ever.
    pub keep_days: u32,
}

/// When a session begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResetRule {
    /// What counts; `daily` when left out.
    pub mode: Option<ResetMode>,
    /// The hour of local time at which a day begins, 0 to 23; 4 when left out.
    pub at_hour: Option<i64>,
    /// After how many minutes of silence.
    pub idle_minutes: Option<f64>,
}

/// What a reset depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetMode {
    /// Nothing: it never comes by itself.
    None,
    /// The day.
    Daily,
    /// How long nobody has said anything.
    Idle,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            reset: None,
            reset_by_type: BTreeMap::new(),
            reset_by_channel: BTreeMap::new(),
            reset_triggers: ["/new", "/reset"].map(str::to_owned).to_vec(),
            keep_days: 90,
        }
    }
}

impl SessionSettings {
    /// Returns the rule for sessions on a channel.
    #[must_use]
    pub fn rule_on(&self, channel: &ChannelId) -> Option<ResetRule> {
        let of_channel = self.reset_by_channel.get(channel.as_str());
        of_channel.or_else(|| self.reset_by_type.get(DIRECT)).copied().or(self.reset)
    }

    /// Returns how long windows are kept after they were closed.
    pub(crate) fn keeping(&self) -> Option<Duration> {
        let days = u64::from(self.keep_days);
        (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60))
    }
}

impl ResetRule {
    /// Says whether a session is stale, and why. Times are in milliseconds
    /// since 1970; what lies in the future counts as now.
    #[must_use]
    pub fn is_stale(
        &self,
        started_at_ms: i64,
        last_interaction_at_ms: i64,
        now_ms: i64,
        zone: &TimeZone,
    ) -> Option<ResetReason> {
        let mode = self.mode.unwrap_or(ResetMode::Daily);
        let day_began = (mode == ResetMode::Daily).then(|| self.day_began(now_ms, zone)).flatten();
        if day_began.is_some_and(|began| started_at_ms < began) {
            return Some(ResetReason::Daily);
        }
        let idle_ms = self.idle_ms().filter(|_| mode != ResetMode::None)?;
        let silent_ms = now_ms.saturating_sub(last_interaction_at_ms);
        (silent_ms > idle_ms).then_some(ResetReason::Idle)
    }

    /// Returns when the clock last struck the hour.
    fn day_began(&self, now_ms: i64, zone: &TimeZone) -> Option<i64> {
        let hour = i8::try_from(self.at_hour.unwrap_or(AT_HOUR).clamp(0, 23)).ok()?;
        let now = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(zone.clone());
        let at = |date: jiff::civil::Date| date.at(hour, 0, 0, 0).to_zoned(zone.clone()).ok();
        let today = at(now.date())?;
        let began = if today <= now { today } else { at(now.date().yesterday().ok()?)? };
        Some(began.timestamp().as_millisecond())
    }

    fn idle_ms(&self) -> Option<i64> {
        let minutes = self.idle_minutes.filter(|minutes| minutes.is_finite())?.floor().max(0.0);
        #[expect(clippy::cast_possible_truncation, reason = "whole, and floats saturate")]
        let ms = (minutes as i64).saturating_mul(60_000);
        (ms > 0).then_some(ms)
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::offset;

    use super::*;

    /// The hours are those of a zone eight hours before Greenwich.
    #[track_caller]
    fn check(rule: &str, started: &str, last: &str, now: &str, expected: Option<ResetReason>) {
        let rule: ResetRule = serde_json::from_str(rule).expect("a rule");
        let ms = |time: &str| {
            let time: Timestamp = format!("2026-05-{time}+08:00").parse().expect("a time");
            time.as_millisecond()
        };
        let zone = TimeZone::fixed(offset(8));
        let found = rule.is_stale(ms(started), ms(last), ms(now), &zone);
        assert_eq!(found, expected, "{rule:?} {started} {last} {now}");
    }

    #[test]
    fn a_day_begins_at_four_unless_another_hour_is_said() {
        let daily = Some(ResetReason::Daily);
        for rule in ["{}", r#"{"mode":"daily"}"#, r#"{"atHour":4}"#] {
            check(rule, "10T03:59", "11T03:00", "11T03:59", Some(ResetReason::Daily));
            check(rule, "10T04:00", "11T03:00", "11T03:59", None);
            check(rule, "10T04:00", "11T03:00", "11T04:00", daily);
            check(rule, "11T04:00", "11T04:00", "11T23:00", None);
        }
        check(r#"{"atHour":99}"#, "10T22:59", "10T22:59", "10T23:00", daily);
        check(r#"{"atHour":-7}"#, "10T23:59", "10T23:59", "11T00:00", daily);
        check(r#"{"atHour":0}"#, "11T00:00", "11T00:00", "11T23:59", None);
    }

    #[test]
    fn silence_counts_under_idle_and_beside_daily() {
        let idle = Some(ResetReason::Idle);
        let rule = r#"{"mode":"idle","idleMinutes":30.9}"#;
        check(rule, "01T00:00", "10T12:00", "10T12:30", None);
        check(rule, "01T00:00", "10T12:00", "10T12:31", idle);
        let both = r#"{"idleMinutes":30}"#;
        check(both, "10T11:00", "10T12:00", "10T12:31", idle);
        check(both, "10T11:00", "11T03:59", "11T04:01", Some(ResetReason::Daily));
        for never in [
            r#"{"mode":"idle"}"#,
            r#"{"mode":"idle","idleMinutes":0}"#,
            r#"{"mode":"idle","idleMinutes":-5}"#,
            r#"{"mode":"none","idleMinutes":1}"#,
        ] {
            check(never, "01T00:00", "01T00:00", "31T00:00", None);
        }
    }

    #[test]
    fn what_lies_in_the_future_is_not_stale() {
        check(r#"{"idleMinutes":1}"#, "12T00:00", "12T00:00", "11T05:00", None);
    }

    #[test]
    fn the_rule_of_the_channel_goes_before_that_of_the_kind_and_both_before_the_general_one() {
        let json = r#"{"reset":{"atHour":1},"resetByType":{"direct":{"atHour":2},"group":{"atHour":9}},
            "resetByChannel":{"post":{"mode":"none"}}}"#;
        let settings: SessionSettings = serde_json::from_str(json).expect("settings");
        let none = ResetRule { mode: Some(ResetMode::None), ..ResetRule::default() };
        assert_eq!(settings.rule_on(&"post".into()), Some(none));
        let of_kind = ResetRule { at_hour: Some(2), ..ResetRule::default() };
        assert_eq!(settings.rule_on(&"other".into()), Some(of_kind));
        let general = SessionSettings { reset_by_type: BTreeMap::new(), ..settings };
        let of_all = ResetRule { at_hour: Some(1), ..ResetRule::default() };
        assert_eq!(general.rule_on(&"other".into()), Some(of_all));
        assert_eq!(SessionSettings::default().rule_on(&"post".into()), None);
    }
}
