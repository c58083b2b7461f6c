//! What holds for every order of events.

use ilink::MessageId;
use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_795_000_000_000;

/// Something that happens to a conversation.
#[derive(Clone, Debug)]
enum Event {
    Passes(i64),
    Heard,
    Asks(Class, bool, u32, bool),
    /// The oldest send under way is answered.
    Answered(Answer),
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Queued,
    Unconfirmed,
    Limited,
    WindowClosed,
    QuotaSpent,
    Lost,
    NotSent,
}

impl Answer {
    fn outcome(self) -> Outcome {
        match self {
            Self::Queued => Outcome::Queued { id: MessageId::from(1) },
            Self::Unconfirmed => Outcome::Unconfirmed,
            Self::Limited => Outcome::RateLimited { until_ms: None },
            Self::WindowClosed => Outcome::WindowClosed,
            Self::QuotaSpent => Outcome::QuotaSpent,
            Self::Lost => Outcome::Transport { unknown: true, after: None },
            Self::NotSent => Outcome::Transport { unknown: false, after: None },
        }
    }
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![
        Just(Class::Answer),
        Just(Class::Question),
        Just(Class::Notice),
        Just(Class::Progress),
        Just(Class::Scheduled),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        12 => Just(Answer::Queued),
        1 => Just(Answer::Unconfirmed),
        1 => Just(Answer::Limited),
        1 => Just(Answer::WindowClosed),
        1 => Just(Answer::QuotaSpent),
        2 => Just(Answer::Lost),
        2 => Just(Answer::NotSent),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let asks = (class(), any::<bool>(), 0..4_u32, any::<bool>());
    prop_oneof![
        4 => (0..5_000_i64).prop_map(Event::Passes),
        1 => (-40_000_000..40_000_000_i64).prop_map(Event::Passes),
        1 => Just(Event::Heard),
        10 => asks.prop_map(|(class, tool, waiting, turn)| Event::Asks(class, tool, waiting, turn)),
        9 => answer().prop_map(Event::Answered),
    ]
}

#[derive(Default)]
struct Run {
    peer: Peer,
    line: Line,
    now: i64,
    under_way: Vec<Begun>,
    /// Sends after the newest message that were not certainly lost.
    counted: u32,
}

impl Run {
    fn gate<'a>(&'a mut self, limits: &'a Limits) -> Gate<'a> {
        Gate { peer: &mut self.peer, line: &mut self.line, limits }
    }

    fn happens(&mut self, event: &Event, limits: &Limits) -> Result<(), TestCaseError> {
        let now = self.now;
        match event {
            Event::Passes(ms) => self.now += ms,
            Event::Heard => {
                self.peer.heard(now, now);
                // What is under way belongs to the message before.
                self.under_way.clear();
                self.counted = 0;
            }
            Event::Asks(class, is_tool, n_waiting, is_turn_running) => {
                let ask = Ask {
                    class: *class,
                    is_tool: *is_tool && *class == Class::Progress,
                    n_waiting: *n_waiting,
                    is_turn_running: *is_turn_running,
                    earlier: None,
                };
                self.asks(&ask, limits)?;
            }
            Event::Answered(answer) => {
                if !self.under_way.is_empty() {
                    let begun = self.under_way.remove(0);
                    let outcome = answer.outcome();
                    self.gate(limits).settle(&begun, &outcome, now);
                    let is_counted = outcome.is_sent()
                        || matches!(outcome, Outcome::Transport { unknown: true, .. });
                    self.counted -= u32::from(!is_counted);
                }
            }
        }
        Ok(())
    }

    fn asks(&mut self, ask: &Ask, limits: &Limits) -> Result<(), TestCaseError> {
        let now = self.now;
        let decision = self.gate(limits).decide(ask, now);
        let numbers = self.gate(limits).numbers(now);
        match decision {
            Decision::Send => {
                let quota = limits.sends_per_inbound.unwrap_or(u32::MAX);
                prop_assert!(self.counted < quota, "{} sent", self.counted);
                prop_assert_eq!(numbers.penalty_until_ms, None);
                prop_assert_ne!(numbers.burst_left, Some(0));
                if ask.class == Class::Progress {
                    let spare = limits.progress_reserve + ask.n_waiting;
                    prop_assert!(numbers.sends_left.is_none_or(|left| left > spare));
                }
                let begun = self.gate(limits).begin(ask, now);
                self.under_way.push(begun);
                self.counted += 1;
            }
            Decision::Wait { until_ms, .. } => {
                prop_assert!(until_ms > now);
                prop_assert!(
                    until_ms - now <= ms(limits.probe_every).max(ms(limits.penalty_max)) + 1_000
                );
                prop_assert_ne!(ask.class, Class::Progress);
            }
            Decision::Park(_) => prop_assert_ne!(ask.class, Class::Progress),
            Decision::Drop => prop_assert_eq!(ask.class, Class::Progress),
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn quota_reserve_burst_and_penalty_hold_in_any_order(
        events in prop::collection::vec(event(), 1..160),
    ) {
        let limits = Limits::tencent();
        let mut run = Run { now: NOW, ..Run::default() };
        for event in &events {
            run.happens(event, &limits)?;
        }
    }

    #[test]
    fn the_state_survives_being_stored_at_any_moment(
        events in prop::collection::vec(event(), 1..60),
    ) {
        let limits = Limits::tencent();
        let mut run = Run { now: NOW, ..Run::default() };
        for event in &events {
            run.happens(event, &limits)?;
            let stored = serde_json::to_string(&(&run.peer, &run.line)).unwrap();
            let (peer, line): (Peer, Line) = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!((&peer, &line), (&run.peer, &run.line));
        }
    }

    #[test]
    fn progress_never_keeps_an_answer_from_leaving(
        gaps in prop::collection::vec(0..10_000_i64, 1..80),
    ) {
        // However much progress is told, the sends of its reserve still leave,
        // and not later than the pace.
        let limits = Limits::tencent();
        let mut run = Run { now: NOW, ..Run::default() };
        run.happens(&Event::Heard, &limits)?;
        for gap in gaps {
            run.now += gap;
            run.happens(&Event::Asks(Class::Progress, true, 0, true), &limits)?;
            run.happens(&Event::Answered(Answer::Queued), &limits)?;
        }
        for _ in 0..limits.progress_reserve {
            let now = run.now + ms(limits.pace);
            run.now = now;
            prop_assert_eq!(run.gate(&limits).decide(&Ask::of(Class::Answer), now), Decision::Send);
            run.happens(&Event::Asks(Class::Answer, false, 0, true), &limits)?;
            run.happens(&Event::Answered(Answer::Queued), &limits)?;
        }
    }
}

mod busy_day;
