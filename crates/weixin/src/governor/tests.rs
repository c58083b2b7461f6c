use std::time::Duration;

use ilink::MessageId;

use super::*;

const NOW: i64 = 1_795_000_000_000;
const HOUR: i64 = 3_600_000;

/// A conversation of one account, with a clock that the test moves.
struct Talk {
    peer: Peer,
    line: Line,
    limits: Limits,
    now: i64,
}

impl Talk {
    fn new(limits: Limits) -> Self {
        let mut talk = Self { peer: Peer::default(), line: Line::default(), limits, now: NOW };
        talk.heard();
        talk
    }

    /// Nothing but window and quota.
    fn calm() -> Self {
        Self::new(Limits { pace: Duration::ZERO, burst: None, ..Limits::tencent() })
    }

    fn gate(&mut self) -> Gate<'_> {
        Gate { peer: &mut self.peer, line: &mut self.line, limits: &self.limits }
    }

    fn heard(&mut self) {
        self.peer.heard(self.now, self.now);
    }

    fn decides(&mut self, class: Class) -> Decision {
        self.decides_on(&Ask::of(class))
    }

    fn decides_on(&mut self, ask: &Ask) -> Decision {
        let now = self.now;
        self.gate().decide(ask, now)
    }

    /// Sends although nobody asked, and settles.
    fn gets(&mut self, outcome: &Outcome) -> Option<Alarm> {
        let now = self.now;
        let begun = self.gate().begin(&Ask::of(Class::Answer), now);
        self.gate().settle(&begun, outcome, now)
    }

    /// Sends so many answers, each let through.
    fn sends(&mut self, n: u32) {
        for _ in 0..n {
            assert_eq!(self.decides(Class::Answer), Decision::Send);
            assert_eq!(self.gets(&queued()), None);
        }
    }

    fn numbers(&mut self) -> Numbers {
        let now = self.now;
        self.gate().numbers(now)
    }
}

fn queued() -> Outcome {
    Outcome::Queued { id: MessageId::from(1) }
}

fn wait(until_ms: i64, why: Why) -> Decision {
    Decision::Wait { until_ms, why }
}

const CLASSES: [Class; 5] =
    [Class::Answer, Class::Question, Class::Notice, Class::Progress, Class::Scheduled];

#[test]
fn each_class_is_kept_dropped_or_sent_by_what_is_left() {
    let (spent, send, drop) = (Decision::Park(Parked::QuotaSpent), Decision::Send, Decision::Drop);
    // Sends used; then answer, question, notice, progress, scheduled while a turn runs.
    let cases = [
        (0, [send, send, send, send, send]),
        (4, [send, send, send, send, send]),
        (5, [send, send, send, drop, send]),
        (7, [send, send, send, drop, send]),
        (8, [send, send, send, drop, spent]),
        (9, [send, send, send, drop, spent]),
        (10, [spent, spent, spent, drop, spent]),
    ];
    for (used, expected) in cases {
        let mut talk = Talk::calm();
        talk.sends(used);
        let decided =
            CLASSES.map(|class| talk.decides_on(&Ask { is_turn_running: true, ..Ask::of(class) }));
        assert_eq!(decided, expected, "{used} used");
    }
}

#[test]
fn what_is_known_to_wait_is_left_alone_too() {
    let mut talk = Talk::calm();
    talk.sends(2);
    let ask = |class, n_waiting| Ask { n_waiting, ..Ask::of(class) };
    assert_eq!(talk.decides_on(&ask(Class::Progress, 2)), Decision::Send);
    assert_eq!(talk.decides_on(&ask(Class::Progress, 3)), Decision::Drop);
    assert_eq!(talk.decides_on(&ask(Class::Scheduled, 7)), Decision::Send);
    let spent = Decision::Park(Parked::QuotaSpent);
    assert_eq!(talk.decides_on(&ask(Class::Scheduled, 8)), spent);
    assert_eq!(talk.decides_on(&ask(Class::Answer, 9)), Decision::Send);
}

/// Demand 6: progress never uses what the answer needs.
#[test]
fn sixty_tool_events_leave_a_three_part_answer_complete() {
    let mut talk = Talk::new(Limits::tencent());
    let tool = Ask { is_tool: true, is_turn_running: true, ..Ask::of(Class::Progress) };
    let mut told = 0;
    for _ in 0..60 {
        talk.now += 1_000;
        if talk.decides_on(&tool) == Decision::Send {
            let now = talk.now;
            let begun = talk.gate().begin(&tool, now);
            talk.gate().settle(&begun, &Outcome::Accepted, now);
            told += 1;
        }
    }
    assert_eq!(told, 5);
    let now = talk.now;
    let need = Need { n_parts: 3, n_chars: 5_000, n_waiting: 1 };
    assert_eq!(talk.gate().plan(&need, now), Layout::Parts { limit_chars: 1_800 });
    for _ in 0..3 {
        talk.now += 500;
        talk.sends(1);
    }
    talk.now += 500;
    assert_eq!(talk.decides(Class::Notice), Decision::Send);
}

#[test]
fn nothing_leaves_before_the_peer_wrote_or_long_after() {
    let mut talk = Talk::calm();
    talk.peer = Peer::default();
    assert_eq!(talk.decides(Class::Answer), Decision::Park(Parked::NeverWrote));
    assert_eq!(talk.decides(Class::Progress), Decision::Drop);
    talk.heard();
    assert_eq!(talk.decides(Class::Answer), Decision::Send);
    talk.now += 24 * HOUR - 1;
    assert_eq!(talk.decides(Class::Scheduled), Decision::Send);
    talk.now += 1;
    assert_eq!(talk.decides(Class::Answer), Decision::Park(Parked::WindowClosed));
    talk.heard();
    assert_eq!(talk.decides(Class::Answer), Decision::Send);
}

#[test]
fn a_message_that_was_long_under_way_opens_what_is_left_of_its_window() {
    let mut talk = Talk::calm();
    talk.now += 30 * HOUR;
    talk.peer.heard(talk.now - 23 * HOUR, talk.now);
    assert_eq!(talk.numbers().window_left_ms, Some(HOUR));
    // A copy of an older one comes late.
    talk.sends(3);
    talk.peer.heard(NOW, talk.now);
    assert_eq!(talk.numbers().sends_left, Some(7));
    // The backend's clock is ahead of ours.
    talk.peer.heard(talk.now + HOUR, talk.now);
    assert_eq!(talk.numbers().window_left_ms, Some(24 * HOUR));
}

/// Demand 36: messages too close to each other could change places.
#[test]
fn sends_in_a_row_are_paced_and_the_first_after_a_message_is_not() {
    let mut talk = Talk::new(Limits::tencent());
    talk.sends(1);
    assert_eq!(talk.decides(Class::Answer), wait(NOW + 400, Why::Pace));
    assert_eq!(talk.decides(Class::Progress), Decision::Drop);
    talk.heard();
    talk.sends(1);
    talk.now += 400;
    assert_eq!(talk.decides(Class::Answer), Decision::Send);
    // The pause begins with the answer, not with the request.
    let begun = talk.gate().begin(&Ask::of(Class::Answer), NOW + 400);
    talk.now += 2_000;
    let now = talk.now;
    talk.gate().settle(&begun, &queued(), now);
    assert_eq!(talk.decides(Class::Answer), wait(now + 400, Why::Pace));
}

#[test]
fn progress_is_told_now_and_then() {
    let mut talk = Talk::new(Limits::tencent());
    let mut told = Vec::new();
    for second in 0..8 {
        talk.now = NOW + second * 1_000;
        if talk.decides(Class::Progress) == Decision::Send {
            told.push(second);
            let now = talk.now;
            let begun = talk.gate().begin(&Ask::of(Class::Progress), now);
            talk.gate().settle(&begun, &queued(), now);
        }
    }
    assert_eq!(told, [0, 3, 6]);
}

#[test]
fn a_burst_ends_with_room_for_those_who_wait() {
    let limits = Limits {
        pace: Duration::ZERO,
        sends_per_inbound: None,
        burst: Some(Burst { sends: 6, period: Duration::from_secs(34), spare: 2 }),
        ..Limits::tencent()
    };
    let mut talk = Talk::new(limits);
    talk.sends(2);
    talk.now += 4_000;
    talk.sends(2);
    // Four of six: scheduled ones wait for the first to leave the period.
    assert_eq!(talk.decides(Class::Scheduled), wait(NOW + 34_000, Why::Burst));
    assert_eq!(talk.decides(Class::Progress), Decision::Drop);
    talk.sends(2);
    assert_eq!(talk.numbers().burst_left, Some(0));
    assert_eq!(talk.decides(Class::Answer), wait(NOW + 34_000, Why::Burst));
    talk.now = NOW + 34_000;
    talk.sends(2);
    assert_eq!(talk.decides(Class::Notice), wait(NOW + 38_000, Why::Burst));
}

#[test]
fn a_penalty_stops_everything_doubles_and_ends_with_success() {
    let mut talk = Talk::calm();
    let limited = Outcome::RateLimited { until_ms: None };
    let mut pauses = Vec::new();
    for _ in 0..6 {
        talk.gets(&limited);
        let until = talk.numbers().penalty_until_ms.unwrap();
        pauses.push((until - talk.now) / 1_000);
        talk.now = until - 1;
        for class in [Class::Answer, Class::Question, Class::Notice, Class::Scheduled] {
            assert_eq!(talk.decides(class), wait(until, Why::Penalty), "{class:?}");
        }
        assert_eq!(talk.decides(Class::Progress), Decision::Drop);
        let now = talk.now;
        assert!(!talk.gate().may_type(Typing::Show, now));
        assert!(!talk.gate().may_type(Typing::Hide, now));
        talk.now = until;
        assert_eq!(talk.decides(Class::Answer), Decision::Send);
    }
    assert_eq!(pauses, [15, 30, 60, 120, 240, 300]);
    // None of these counted, and the doubling begins anew after a success.
    assert_eq!(talk.numbers().sends_left, Some(10));
    talk.gets(&queued());
    talk.gets(&limited);
    assert_eq!(talk.numbers().penalty_until_ms, Some(talk.now + 15_000));
}

#[test]
fn what_the_answer_asks_for_wins_within_reason() {
    let asks = [(7_000, 7_000), (30 * 60_000, 30 * 60_000), (9 * HOUR, HOUR), (-5, 0)];
    for (asked, given) in asks {
        let mut talk = Talk::calm();
        talk.gets(&Outcome::RateLimited { until_ms: Some(NOW + asked) });
        let expected = Some(NOW + given).filter(|_| given > 0);
        assert_eq!(talk.numbers().penalty_until_ms, expected, "{asked}");
    }
}

#[test]
fn requests_that_were_under_way_together_are_one_offence() {
    let mut talk = Talk::calm();
    let ask = Ask::of(Class::Answer);
    let both = [0, 1].map(|_| talk.gate().begin(&ask, NOW));
    for begun in both {
        talk.now += 1_000;
        let now = talk.now;
        talk.gate().settle(&begun, &Outcome::RateLimited { until_ms: None }, now);
    }
    // Every refused try may prolong the backend's patience: it counts from the last.
    assert_eq!(talk.numbers().penalty_until_ms, Some(NOW + 2_000 + 15_000));
}

#[test]
fn a_refused_burst_makes_smaller_ones_until_time_has_passed() {
    let mut talk =
        Talk::new(Limits { pace: Duration::ZERO, sends_per_inbound: None, ..Limits::tencent() });
    let room = |talk: &mut Talk| talk.numbers().burst_left;
    talk.sends(11);
    talk.gets(&Outcome::RateLimited { until_ms: None });
    talk.now += HOUR;
    assert_eq!(room(&mut talk), Some(9));
    talk.sends(1);
    talk.now += 60_000;
    assert_eq!(room(&mut talk), Some(10));
    talk.sends(1);
    talk.now += 60_000;
    assert_eq!(room(&mut talk), Some(10));
    // Where the burst was small already, a short answer still fits.
    talk.gets(&Outcome::RateLimited { until_ms: None });
    talk.now += HOUR;
    assert_eq!(room(&mut talk), Some(4));
}

#[test]
fn only_what_certainly_did_not_arrive_is_given_back() {
    let refused = Outcome::Refused { code: ilink::Code(9), errmsg: String::new() };
    let cases = [
        (queued(), 9),
        (Outcome::Accepted, 9),
        (Outcome::Unconfirmed, 9),
        (Outcome::Transport { unknown: true, after: None }, 9),
        (Outcome::Transport { unknown: false, after: None }, 10),
        (Outcome::TooLong, 10),
        (Outcome::StaleToken, 10),
        (refused, 10),
    ];
    for (outcome, left) in cases {
        let mut talk = Talk::calm();
        talk.gets(&outcome);
        assert_eq!(talk.numbers().sends_left, Some(left), "{outcome:?}");
    }
}

/// Demand 17: a try whose outcome is unknown and the one behind it are one message.
#[test]
fn a_message_that_is_tried_again_counts_once() {
    let mut talk = Talk::calm();
    talk.sends(9);
    let lost = Outcome::Transport { unknown: true, after: None };
    let mut earlier = None;
    for _ in 0..5 {
        let ask = Ask { earlier, ..Ask::of(Class::Answer) };
        assert_eq!(talk.decides_on(&ask), Decision::Send);
        let begun = talk.gate().begin(&ask, NOW);
        let known = talk.gate().knowledge(Some(&begun), TextSize::of("hi"), true, NOW).sends_used;
        assert_eq!(known, 9);
        talk.gate().settle(&begun, &lost, NOW);
        earlier = Some(begun);
    }
    assert_eq!(talk.decides(Class::Answer), Decision::Park(Parked::QuotaSpent));
    // An earlier try may have arrived, whatever becomes of the last.
    let again = Ask { earlier, ..Ask::of(Class::Answer) };
    let begun = talk.gate().begin(&again, NOW);
    talk.gate().settle(&begun, &Outcome::Transport { unknown: false, after: None }, NOW);
    assert_eq!(talk.numbers().sends_left, Some(0));
    // After another message of the peer it counts anew.
    talk.heard();
    let begun = talk.gate().begin(&again, NOW);
    talk.gate().settle(&begun, &queued(), NOW);
    assert_eq!(talk.numbers().sends_left, Some(9));
}

#[test]
fn a_backend_without_limits_needs_no_message_first() {
    let mut talk = Talk::new(Limits::open());
    talk.peer = Peer::default();
    talk.sends(100);
    let open = talk.numbers();
    assert_eq!((open.window_left_ms, open.sends_left, open.burst_left), (None, None, None));
}

#[test]
fn a_refusal_closes_the_conversation_until_the_peer_writes() {
    let cases = [
        (Outcome::WindowClosed, Parked::WindowClosed),
        (Outcome::QuotaSpent, Parked::QuotaSpent),
        (Outcome::StaleContext, Parked::StaleContext),
    ];
    for (outcome, why) in cases {
        let mut talk = Talk::calm();
        talk.gets(&outcome);
        assert_eq!(talk.decides(Class::Answer), Decision::Park(why));
        assert_eq!(talk.numbers().parked, Some(why));
        talk.heard();
        assert_eq!(talk.decides(Class::Answer), Decision::Send);
        // The peer wrote while the request was under way: it was about before.
        let now = talk.now;
        let begun = talk.gate().begin(&Ask::of(Class::Answer), now);
        talk.heard();
        talk.gate().settle(&begun, &outcome, now);
        assert_eq!(talk.decides(Class::Answer), Decision::Send);
    }
}

#[test]
fn a_renewed_context_reopens_what_a_stale_one_closed_and_a_person_everything() {
    let spent = Decision::Park(Parked::QuotaSpent);
    let mut talk = Talk::calm();
    talk.gets(&Outcome::StaleContext);
    talk.peer.context_renewed();
    talk.sends(3);
    talk.gets(&Outcome::QuotaSpent);
    talk.peer.context_renewed();
    assert_eq!(talk.decides(Class::Answer), spent);
    assert_eq!(talk.numbers().learnt_quota, Some(3));
    talk.peer.reopen();
    assert_eq!(talk.numbers().learnt_quota, None);
    talk.sends(7);
    talk.peer.reopen();
    assert_eq!(talk.decides(Class::Answer), spent);
}

#[test]
fn a_send_that_crossed_a_message_of_the_peer_counts_after_it() {
    let mut talk = Talk::calm();
    let crossing = talk.gate().begin(&Ask::of(Class::Answer), NOW);
    talk.heard();
    assert_eq!(talk.numbers().sends_left, Some(10));
    talk.gate().settle(&crossing, &queued(), NOW);
    assert_eq!(talk.numbers().sends_left, Some(9));
}

#[test]
fn a_smaller_window_is_learnt_and_unlearnt() {
    let mut talk = Talk::calm();
    talk.now += 15 * HOUR;
    talk.gets(&Outcome::WindowClosed);
    assert_eq!(talk.numbers().learnt_window_ms, Some(15 * HOUR));
    talk.heard();
    talk.now += 15 * HOUR;
    assert_eq!(talk.decides(Class::Scheduled), Decision::Park(Parked::WindowClosed));
    // A send that was begun before the refusal, and came through later than that.
    talk.gets(&queued());
    assert_eq!(talk.decides(Class::Scheduled), Decision::Send);
    assert_eq!(talk.numbers().learnt_window_ms, None);
    // What is not disproved gets old.
    talk.now += HOUR;
    talk.gets(&Outcome::WindowClosed);
    assert_eq!(talk.numbers().learnt_window_ms, Some(16 * HOUR));
    talk.now += 7 * 24 * HOUR;
    assert_eq!(talk.numbers().learnt_window_ms, None);
    // A refusal right after a message teaches nothing about the window.
    talk.heard();
    talk.now += HOUR - 1;
    talk.gets(&Outcome::WindowClosed);
    assert_eq!(talk.numbers().learnt_window_ms, None);
}

#[test]
fn a_smaller_quota_is_learnt_and_unlearnt() {
    let mut talk = Talk::calm();
    talk.sends(4);
    talk.gets(&Outcome::QuotaSpent);
    talk.heard();
    assert_eq!(talk.numbers().sends_left, Some(4));
    talk.sends(4);
    assert_eq!(talk.decides(Class::Answer), Decision::Park(Parked::QuotaSpent));
    // One more was under way and came through.
    talk.gets(&queued());
    assert_eq!(talk.numbers().sends_left, Some(5));
    assert_eq!(talk.numbers().learnt_quota, None);
    // The first send was refused: that is not about the quota.
    talk.heard();
    talk.gets(&Outcome::QuotaSpent);
    assert_eq!(talk.numbers().learnt_quota, None);
    // However early it comes, a short answer has to fit.
    talk.heard();
    talk.sends(1);
    talk.gets(&Outcome::QuotaSpent);
    assert_eq!(talk.numbers().learnt_quota, Some(3));
}

/// Demands 2 and 58: who sees nothing is noticed soon, and not shouted at.
#[test]
fn three_sends_without_an_id_raise_one_alarm_and_slow_everything_down() {
    let mut talk = Talk::calm();
    assert_eq!(talk.gets(&Outcome::Unconfirmed), None);
    assert_eq!(talk.gets(&Outcome::Unconfirmed), None);
    // Tool items have no id by nature.
    assert_eq!(talk.gets(&Outcome::Accepted), None);
    assert_eq!(talk.gets(&Outcome::Unconfirmed), Some(Alarm::Suppressed { in_a_row: 3 }));
    assert_eq!(talk.gets(&Outcome::Unconfirmed), None);

    assert_eq!(talk.decides(Class::Scheduled), Decision::Park(Parked::Suppressed));
    assert_eq!(talk.decides(Class::Progress), Decision::Drop);
    talk.heard();
    assert_eq!(talk.decides(Class::Answer), wait(NOW + 300_000, Why::Probe));
    talk.now += 300_000;
    assert_eq!(talk.decides(Class::Answer), Decision::Send);

    assert_eq!(talk.gets(&queued()), Some(Alarm::Recovered));
    assert_eq!(talk.gets(&queued()), None);
    assert_eq!(talk.decides(Class::Scheduled), Decision::Send);
}

#[test]
fn the_end_of_a_day_is_for_people_who_wait() {
    let mut talk = Talk::new(Limits { daily_cap: Some(10), ..Limits::open() });
    talk.sends(7);
    assert_eq!(talk.gets(&queued()), Some(Alarm::DailyCapNear { sent: 8, cap: 10 }));
    assert_eq!(talk.decides(Class::Scheduled), Decision::Park(Parked::DailyCap));
    talk.sends(2);
    assert_eq!(talk.decides(Class::Answer), Decision::Park(Parked::DailyCap));
    talk.now += 24 * HOUR;
    talk.sends(7);
    assert_eq!(talk.gets(&queued()), Some(Alarm::DailyCapNear { sent: 8, cap: 10 }));
}

/// Demand 35: no flood, and no indicator that stays.
#[test]
fn typing_shows_at_most_every_five_seconds_and_always_hides() {
    let mut talk = Talk::calm();
    let may = |talk: &mut Talk, what| {
        let now = talk.now;
        talk.gate().may_type(what, now)
    };
    assert!(may(&mut talk, Typing::Show));
    talk.gate().typed(NOW);
    talk.now += 4_999;
    assert!(!may(&mut talk, Typing::Show));
    assert!(may(&mut talk, Typing::Hide));
    talk.now += 1;
    assert!(may(&mut talk, Typing::Show));
    assert_eq!(talk.numbers().sends_left, Some(10));
    let now = talk.now;
    talk.gate().limited(now, None, now);
    assert_eq!(talk.decides(Class::Answer), wait(now + 15_000, Why::Penalty));
}

#[test]
fn the_last_sends_carry_a_hint_while_more_is_to_come() {
    let mut talk = Talk::calm();
    let mut hints = Vec::new();
    for _ in 0..10 {
        let now = talk.now;
        hints.push(talk.gate().hint(true, now));
        assert_eq!(talk.gate().hint(false, now), None);
        talk.sends(1);
    }
    assert_eq!(hints[7..], [None, Some(1), Some(0)]);
    assert_eq!(talk.gate().hint(true, NOW), None);
}

#[test]
fn an_answer_is_laid_out_by_what_the_conversation_has_left() {
    let mut talk = Talk::calm();
    let need = |n_waiting| Need { n_parts: 3, n_chars: 5_000, n_waiting };
    let usual = Layout::Parts { limit_chars: 1_800 };
    talk.sends(7);
    assert_eq!(talk.gate().plan(&need(0), NOW), usual);
    assert_eq!(talk.gate().plan(&need(1), NOW), Layout::File);
    assert_eq!(talk.gate().plan(&need(2), NOW), Layout::Park { send_now: 1 });
    assert_eq!(talk.gate().plan(&need(9), NOW), Layout::Park { send_now: 0 });
    talk.gets(&Outcome::StaleContext);
    assert_eq!(talk.gate().plan(&need(0), NOW), Layout::Park { send_now: 0 });
    let mut open = Talk::new(Limits::open());
    let need = Need { n_parts: 99, n_chars: 495_000, n_waiting: 0 };
    assert_eq!(open.gate().plan(&need, NOW), Layout::Parts { limit_chars: 5_000 });
}

#[test]
fn the_numbers_say_where_things_stand() {
    let mut talk = Talk::new(Limits { daily_cap: Some(500), ..Limits::tencent() });
    let fresh = Numbers {
        window_left_ms: Some(24 * HOUR),
        sends_left: Some(10),
        burst_left: Some(16),
        penalty_until_ms: None,
        unconfirmed: 0,
        suppressed: false,
        parked: None,
        learnt_window_ms: None,
        learnt_quota: None,
        sent_today: 0,
        daily_cap: Some(500),
    };
    assert_eq!(talk.numbers(), fresh);
    talk.gets(&Outcome::Unconfirmed);
    talk.gets(&Outcome::RateLimited { until_ms: None });
    talk.now += 5_000;
    let limited = Numbers {
        window_left_ms: Some(24 * HOUR - 5_000),
        sends_left: Some(9),
        // The refused burst was of two, which teaches one of four.
        burst_left: Some(2),
        penalty_until_ms: Some(NOW + 15_000),
        unconfirmed: 1,
        sent_today: 2,
        ..fresh
    };
    assert_eq!(talk.numbers(), limited);
}

#[test]
fn a_clock_that_is_set_back_changes_nothing_but_the_time() {
    let mut talk = Talk::new(Limits::tencent());
    talk.sends(1);
    talk.now += 600;
    talk.gets(&Outcome::RateLimited { until_ms: None });
    talk.now += 5_000;
    let before = talk.numbers();
    talk.now -= 50 * HOUR;
    let after = talk.numbers();
    let penalty_until_ms = before.penalty_until_ms.map(|until| until - 50 * HOUR);
    assert_eq!(after, Numbers { penalty_until_ms, ..before });
    talk.now += 10_000;
    assert_eq!(talk.decides(Class::Answer), Decision::Send);
}

#[test]
fn callers_who_read_the_clock_and_come_late_do_no_harm() {
    let mut talk = Talk::new(Limits::tencent());
    talk.sends(1);
    let before = (talk.peer.clone(), talk.line.clone());
    talk.now -= 900;
    assert_eq!(talk.decides(Class::Answer), wait(NOW + 400, Why::Pace));
    assert_eq!((talk.peer, talk.line), before);
}
