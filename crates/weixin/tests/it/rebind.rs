//! One person, bound here, elsewhere, and here again.

use std::time::Duration;

use backend::{Backend, Credentials, Endpoint, Fault, Policy};
use contract::{AccountState, Channel as _, Content, Reply, ReplyClass, TurnEnd};
use ilink::Code;

use crate::host::{Scene, log_in};
use crate::polling::{brisk_scene, hasty};
use crate::witness::Witness;

/// How long a token lives on after its user was bound elsewhere, as measured.
const GRACE: Duration = Duration::from_secs(30);

fn polling(state: &AccountState) -> bool {
    *state == AccountState::Polling
}

fn needs_login(state: &AccountState) -> bool {
    matches!(state, AccountState::NeedsLogin { .. })
}

fn polls_of(scene: &Scene, bot: &Credentials) -> usize {
    let polls = scene.backend.requests_to(Endpoint::GetUpdates);
    polls.iter().filter(|poll| poll.bot.as_ref() == Some(&bot.bot_id)).count()
}

async fn polls_on(scene: &Scene, bot: &Credentials, times: usize) {
    let enough = polls_of(scene, bot) + times;
    scene.until("more polls", || polls_of(scene, bot) >= enough).await;
}

fn alerts(witness: &Witness) -> Vec<String> {
    witness.look(|told| told.alerts.iter().map(|alert| alert.code.clone()).collect())
}

/// Takes the host's newest message and answers it.
async fn answers(witness: &Witness, nth: usize, text: &str) -> String {
    witness.told("a message", |told| told.messages.len() == nth).await;
    let inbound = witness.look(|told| told.messages[nth - 1].clone());
    let content = Content::Text(text.to_owned());
    let reply = Reply { number: 0, class: ReplyClass::Answer, content };
    witness.channel.reply(&inbound.turn, reply).await.unwrap();
    witness.channel.finish(&inbound.turn, TurnEnd::Answered).await.unwrap();
    inbound.text
}

/// Demands 3 and 14: whom the same person binds elsewhere is told so once, and
/// goes on without a restart when the person comes back. How long the default
/// pauses are until it is told is asserted where they are decided.
#[tokio::test]
async fn a_bot_that_is_bound_elsewhere_and_back_alerts_once_and_heals() {
    let tencent = Backend::builder().policy(Policy::tencent()).hold(Duration::from_millis(100));
    let scene = Scene::with(tencent).await;
    let here = Witness::start(hasty(scene.dir.path())).await;
    here.stands("polling", polling).await;

    let elsewhere = tempfile::tempdir().unwrap();
    let bound_there = scene.backend.bind(&scene.alice).await;
    log_in(elsewhere.path(), &bound_there);
    let there = Witness::start(hasty(elsewhere.path())).await;
    there.stands("polling", polling).await;
    // Within its grace the older token still works.
    polls_on(&scene, &scene.bot, 3).await;
    assert!(here.look(|told| polling(&told.changes.last().unwrap().state)));

    let before = polls_of(&scene, &scene.bot);
    scene.backend.clock().advance(GRACE);
    here.stands("needs a login", needs_login).await;
    let refused = polls_of(&scene, &scene.bot) - before;
    assert!(refused <= 8, "{refused} polls until somebody was told");
    scene.alice.says("who hears me?").await;
    assert_eq!(answers(&there, 1, "I, elsewhere").await, "who hears me?");
    assert_eq!(scene.alice.hears().await, "I, elsewhere");
    // It goes on trying, and says nothing more.
    polls_on(&scene, &scene.bot, 5).await;
    assert_eq!(alerts(&here), ["W105"]);
    assert_eq!(alerts(&there), [""; 0]);
    let status = here.channel.status().await.unwrap();
    assert!(needs_login(&status[0].state), "{status:?}");

    log_in(scene.dir.path(), &scene.backend.bind(&scene.alice).await);
    here.stands("polling again", polling).await;
    scene.backend.clock().advance(GRACE);
    there.stands("needs a login", needs_login).await;
    scene.alice.says("and now?").await;
    assert_eq!(answers(&here, 1, "I, here").await, "and now?");
    assert_eq!(scene.alice.hears().await, "I, here");
    assert_eq!((alerts(&here), alerts(&there)), (vec!["W105".to_owned()], vec!["W105".to_owned()]));
    assert!(there.look(|told| told.messages.len() == 1), "both heard it");
}

/// Demand 3: a refusal that passes wakes nobody; one that lasts does, once for
/// each time that it begins.
#[tokio::test]
async fn a_passing_refusal_is_no_alert_and_a_second_trouble_is_another() {
    let scene = brisk_scene().await;
    let witness = Witness::start(hasty(scene.dir.path())).await;
    witness.stands("polling", polling).await;
    let stale = || Fault::refuse(Code::STALE_TOKEN, "session timeout");

    scene.backend.next_times(Endpoint::GetUpdates, 3, stale());
    scene.alice.says("hello").await;
    assert_eq!(answers(&witness, 1, "still here").await, "hello");
    assert_eq!(scene.alice.hears().await, "still here");
    witness.stands("polling", polling).await;
    assert!(witness.look(|told| !told.changes.iter().any(|it| needs_login(&it.state))));
    assert_eq!(alerts(&witness), [""; 0]);

    for times in 1..=2 {
        scene.backend.next_times(Endpoint::GetUpdates, u32::MAX, stale());
        witness.stands("needs a login", needs_login).await;
        scene.backend.clear_faults();
        witness.stands("healed", polling).await;
        assert_eq!(alerts(&witness), vec!["W105"; times]);
    }
}
