//! How polls live with the way to the backend, and with each other.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backend::{Backend, Endpoint, Fault};
use contract::{AccountState, Channel as _};
use ilink::{Backoff, Code};
use weixin::{Clocks, Pace, Reading, Settings};

use crate::host::{PATIENCE, Scene, TestHost, channel, log_in};
use crate::receiving::wait_until;

/// A poll that nothing ends would outlast every test.
const ENDLESS: Duration = Duration::from_secs(100);
const ALWAYS: u32 = u32::MAX;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Settings of someone who cannot wait.
pub(crate) fn hasty(dir: &Path) -> Settings {
    let quick = Backoff { min: ms(1), max: ms(20) };
    let pace = Pace {
        margin: ms(100),
        shortest_hold: ms(50),
        trouble: quick,
        unreachable: quick,
        refused: quick,
        tick: ms(5),
        takeover: ms(5),
        ..Pace::default()
    };
    Settings { hold: ms(100), pace, locks: Some(dir.join("locks")), ..Settings::new(dir) }
}

/// A backend that answers idle polls soon.
pub(crate) async fn brisk_scene() -> Scene {
    Scene::with(Backend::builder().hold(ms(100))).await
}

/// Demand 15: an edge that cuts polls is no trouble, and once it is known,
/// polls are over before it loses patience; also after a restart.
#[tokio::test]
async fn an_edge_that_cuts_polls_is_met_once_and_remembered() {
    let scene = Scene::with(Backend::builder().hold(ENDLESS)).await;
    let settings = Settings { hold: ENDLESS, ..hasty(scene.dir.path()) };
    scene.backend.next_times(Endpoint::GetUpdates, ALWAYS, Fault::EdgeCut { after: ms(400) });

    let host = TestHost::start_on(settings.clone()).await;
    scene.polled_times(12).await;
    wait_until(&host, |status| status["state"] == "polling").await;
    scene.alice.says("through the edge").await;
    assert_eq!(host.answers("and back").await.text, "through the edge");
    assert_eq!(scene.alice.hears().await, "and back");
    host.stops().await;

    // Now nothing cuts, so polls end only if the client leaves them.
    scene.backend.clear_faults();
    let before = scene.polls();
    let host = TestHost::start_on(settings).await;
    scene.polled_times(before + 4).await;
    wait_until(&host, |status| status["state"] == "polling").await;

    // The eighth is a trial and is left open.
    scene.polled_times(before + 8).await;
    scene.alice.says("still there?").await;
    assert_eq!(host.hears().await.text, "still there?");
}

/// Demand 16: silence is not an empty answer. It shows after three polls, and
/// goes when the backend is heard again; nothing is lost.
#[tokio::test]
async fn a_silent_way_shows_and_heals() {
    let scene = brisk_scene().await;
    let host = TestHost::start_on(hasty(scene.dir.path())).await;
    wait_until(&host, |status| status["state"] == "polling").await;

    let (silence, gate) = Fault::hold_before();
    scene.backend.next_times(Endpoint::GetUpdates, ALWAYS, silence);
    let status = wait_until(&host, |status| status["state"] == "degraded").await;
    assert_eq!(status["reason"], "getupdates: no complete answer within 200ms");
    scene.alice.says("can you hear me?").await;

    scene.backend.clear_faults();
    drop(gate);
    assert_eq!(host.hears().await.text, "can you hear me?");
    wait_until(&host, |status| status["state"] == "polling").await;
}

/// Demand 16: where polls are left early, silence shows as soon as elsewhere:
/// one trial that nobody answers makes the next polls trials, too.
#[tokio::test]
async fn a_silent_way_with_an_edge_is_not_mistaken_for_a_quiet_one() {
    let scene = Scene::with(Backend::builder().hold(ms(1_000))).await;
    scene.backend.next(Endpoint::GetUpdates, Fault::EdgeCut { after: ms(400) });
    let settings = Settings { hold: ms(1_000), ..hasty(scene.dir.path()) };
    let host = TestHost::start_on(settings).await;
    scene.polled_times(2).await;

    let (silence, _gate) = Fault::hold_before();
    let before = scene.polls();
    scene.backend.next_times(Endpoint::GetUpdates, ALWAYS, silence);
    wait_until(&host, |status| status["state"] == "degraded").await;
    let n_polls = scene.polls() - before;
    assert!(n_polls < 16, "{n_polls} polls before anybody noticed");
}

/// Demand 16: an answer that stops in the middle is given up in hold + margin,
/// and comes again.
#[tokio::test]
async fn half_an_answer_is_asked_for_again() {
    let scene = brisk_scene().await;
    let host = TestHost::start_on(hasty(scene.dir.path())).await;
    scene.backend.next_times(Endpoint::GetUpdates, 2, Fault::HalfBody);
    scene.alice.says("whole").await;
    assert_eq!(host.answers("thanks").await.text, "whole");
    assert_eq!(scene.alice.hears().await, "thanks");
    assert_eq!(scene.backend.faults_left(), 0);
}

/// Demand 16: after a sleep the poll in flight is dropped and begun anew.
#[tokio::test]
async fn a_machine_that_wakes_up_polls_at_once() {
    let scene = Scene::with(Backend::builder().hold(ENDLESS)).await;
    let slept_s = Arc::new(AtomicU64::new(0));
    let (start, slept) = (std::time::Instant::now(), Arc::clone(&slept_s));
    let clocks = Clocks::new(move || Reading {
        monotonic: start.elapsed(),
        wall: start.elapsed() + Duration::from_secs(slept.load(Ordering::Relaxed)),
    });
    let hasty = hasty(scene.dir.path());
    let pace = Pace { clocks, ..hasty.pace.clone() };
    let host = TestHost::start_on(Settings { hold: ENDLESS, pace, ..hasty }).await;
    scene.polled().await;

    slept_s.store(3_600, Ordering::Relaxed);
    scene.polled_times(2).await;
    scene.alice.says("good morning").await;
    assert_eq!(host.hears().await.text, "good morning");
    scene.polled_times(3).await;
    assert!(scene.polls() < 6, "one sleep, one poll more; and one behind the message");
}

/// Demand 10: what fails shows as degraded with its reason, and goes when it heals.
#[tokio::test]
async fn every_lasting_fault_shows_and_goes() {
    let scene = brisk_scene().await;
    let host = TestHost::start_on(hasty(scene.dir.path())).await;
    let faults = [
        (Fault::BadGateway, "getupdates: answered with HTTP status 502"),
        (Fault::Reset, "getupdates: the connection broke"),
        (Fault::DropRequest, "getupdates: the connection broke"),
        (Fault::refuse(Code::REFUSED, "rate limited"), "getupdates: refused with code -2"),
        (Fault::refuse(Code(77), "surprise"), "getupdates: refused with code 77"),
    ];
    for (fault, reason) in faults {
        wait_until(&host, |status| status["state"] == "polling").await;
        scene.backend.next_times(Endpoint::GetUpdates, ALWAYS, fault);
        wait_until(&host, |status| {
            let shown = status["reason"].as_str().unwrap_or_default();
            status["state"] == "degraded" && shown.starts_with(reason)
        })
        .await;
        scene.backend.clear_faults();
    }
    wait_until(&host, |status| status["state"] == "polling").await;
}

/// Demands 3 and 40: refused polls ask for a login and keep trying; replies
/// leave meanwhile, because no clock holds them back.
#[tokio::test]
async fn refused_polls_ask_for_a_login_and_hold_back_no_reply() {
    let scene = brisk_scene().await;
    let host = TestHost::start_on(hasty(scene.dir.path())).await;
    scene.alice.says("one moment").await;
    let inbound = host.hears().await;
    let starts = scene.backend.requests_to(Endpoint::NotifyStart).len();

    let stale = Fault::refuse(Code::STALE_TOKEN, "session timeout");
    scene.backend.next_times(Endpoint::GetUpdates, ALWAYS, stale);
    let status = wait_until(&host, |status| status["state"] == "needs_login").await;
    let reason = "the backend refuses the login: bound elsewhere, or expired";
    assert_eq!(status["reason"], reason);
    host.replies(&inbound.turn, 0, "here you are").await;
    assert_eq!(scene.alice.hears().await, "here you are");

    scene.backend.clear_faults();
    wait_until(&host, |status| status["state"] == "polling").await;
    let announced = scene.backend.requests_to(Endpoint::NotifyStart).len() - starts;
    assert_eq!(announced, 1, "announced once for all refusals in a row");
}

/// Demand 10: another process, such as a command that asks for the status,
/// sees the state, too.
#[tokio::test]
async fn who_looks_from_outside_sees_the_state() {
    let scene = brisk_scene().await;
    let host = TestHost::start_on(hasty(scene.dir.path())).await;
    wait_until(&host, |status| status["state"] == "polling").await;
    let outside = channel(scene.dir.path());
    let seen = async {
        loop {
            let statuses = outside.status().await.unwrap();
            if statuses[0].state == AccountState::Polling {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("the state was not noted");
}

/// Demand 12: a stop does not wait for a pause either.
#[tokio::test]
async fn a_stop_does_not_wait_for_a_pause() {
    let scene = brisk_scene().await;
    let endless = Backoff { min: ENDLESS, max: ENDLESS };
    let hasty = hasty(scene.dir.path());
    let pace = Pace { trouble: endless, ..hasty.pace.clone() };
    scene.backend.next_times(Endpoint::GetUpdates, ALWAYS, Fault::BadGateway);
    let host = TestHost::start_on(Settings { pace, ..hasty }).await;
    wait_until(&host, |status| status["state"] == "degraded").await;
    tokio::time::timeout(ENDLESS / 10, host.stops()).await.expect("the stop waited for the pause");
}

/// Demand 4: a turn that never ends does not keep the monitor from polling.
#[tokio::test]
async fn polls_go_on_while_a_turn_takes_for_ever() {
    let scene = brisk_scene().await;
    let host = TestHost::start_on(hasty(scene.dir.path())).await;
    scene.alice.says("think").await;
    host.hears().await;
    scene.polled_times(scene.polls() + 3).await;
}

/// Demand 12: one account gets new credentials, and the poll of the other
/// stays open.
#[tokio::test]
async fn a_login_anew_of_one_account_does_not_touch_the_poll_of_another() {
    let scene = Scene::with(Backend::builder().hold(ENDLESS)).await;
    let bob = scene.backend.user("bob").await;
    log_in(scene.dir.path(), &scene.backend.bind(&bob).await);
    let settings = Settings { hold: ENDLESS, ..hasty(scene.dir.path()) };
    let host = TestHost::start_on(settings).await;
    scene.polled_times(2).await;

    log_in(scene.dir.path(), &scene.backend.bind(&bob).await);
    bob.says("on a new phone").await;
    assert_eq!(host.answers("welcome back").await.text, "on a new phone");
    assert_eq!(bob.hears().await, "welcome back");
    let polls = scene.backend.requests_to(Endpoint::GetUpdates);
    let alices = polls.iter().filter(|poll| poll.bot.as_ref() == Some(&scene.bot.bot_id));
    assert_eq!(alices.count(), 1, "the poll of the other account was cut");

    scene.alice.says("me too").await;
    assert_eq!(host.hears().await.text, "me too");
}

/// Demand 12: two folders with one token, as after a copy: one polls, the
/// other says who does, and takes over.
#[tokio::test]
async fn a_copied_folder_waits_for_the_token_and_takes_over() {
    let scene = brisk_scene().await;
    let copy = tempfile::tempdir().unwrap();
    log_in(copy.path(), &scene.bot);
    let settings = hasty(scene.dir.path());
    let first = TestHost::start_on(settings.clone()).await;
    wait_until(&first, |status| status["state"] == "polling").await;

    let second = Settings { dir: copy.path().to_owned(), ..settings };
    let second = TestHost::start_on(second).await;
    let status = wait_until(&second, |status| status["state"] == "degraded").await;
    let reason = status["reason"].as_str().unwrap();
    let owner = format!("held elsewhere: process {} since ", std::process::id());
    assert!(reason.starts_with(&owner), "{reason}");
    assert!(reason.ends_with(&format!(" in {}", scene.dir.path().display())), "{reason}");

    first.stops().await;
    wait_until(&second, |status| status["state"] == "polling").await;
    scene.alice.says("who is there?").await;
    assert_eq!(second.hears().await.text, "who is there?");
}
