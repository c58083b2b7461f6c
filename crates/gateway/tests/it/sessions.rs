//! Sessions: their windows, and what whoever runs the gateway sees of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::{
    HistoryLimit, ResetMode, ResetReason, ResetRule, Role, Rules, SessionSettings, Sessions,
    SessionsError, Which,
};
use rusqlite::Connection;

use crate::agent::does;
use crate::channel::{TestChannel, config, start, start_with, text};

const KEY: &str = "agent:main:post:bot:direct:ann";
const ALL: HistoryLimit = HistoryLimit { entries: 100, chars: 10_000 };

/// Says how much it remembers.
fn remembering() -> Arc<impl gateway::Agent> {
    does(|turn, replies| async move {
        let n = turn.history(ALL).await?.len();
        replies.text(format!("{n} before {}", turn.inbound.text)).await
    })
}

fn store(dir: &Path) -> PathBuf {
    dir.join("state/gateway.sqlite")
}

async fn check(channel: &TestChannel, said: &str, answer: &str) {
    let turn = channel.says("ann", said).await;
    assert_eq!(channel.answer_to(&turn).await, [text(answer)]);
}

/// Makes a session older than it is.
fn age(dir: &Path, hours: i64) {
    let conn = Connection::open(store(dir)).unwrap();
    let ms = hours * 3_600_000;
    let sql = "UPDATE session SET started_at = started_at - ?1, \
               last_interaction_at = last_interaction_at - ?1";
    assert_eq!(conn.execute(sql, [ms]).unwrap(), 1);
}

#[tokio::test]
async fn a_reset_opens_a_window_and_the_old_one_stays_readable() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, remembering()).await;
    check(&channel, "a", "0 before a").await;
    check(&channel, "/reset", "A fresh start. What shall we talk about?").await;
    check(&channel, "b", "0 before b").await;
    check(&channel, "c", "2 before c").await;

    // Beside the gateway that runs, as another program does it.
    let sessions = Sessions::open(&store(dir.path())).await.unwrap();
    let listed = sessions.list().await.unwrap();
    assert_eq!(listed.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), [KEY]);
    assert_eq!((listed[0].to.as_deref(), listed[0].window), (Some("ann"), 1));
    let open = sessions.show("direct:ann", Which::Open).await.unwrap();
    let said: Vec<_> = open.lines.iter().map(|it| (it.role, it.text.as_str())).collect();
    let expected = [
        (Role::User, "b"),
        (Role::Assistant, "0 before b"),
        (Role::User, "c"),
        (Role::Assistant, "2 before c"),
    ];
    assert_eq!(said, expected);
    let old = sessions.show(KEY, Which::Number(0)).await.unwrap();
    assert_eq!(old.lines.len(), 2);
    assert_eq!(old.windows[0].closed.as_ref().unwrap().reason, ResetReason::Asked);
    assert_eq!(sessions.show(&listed[0].session_id, Which::All).await.unwrap().lines.len(), 6);
    let missing = sessions.show(KEY, Which::Number(7)).await;
    assert!(matches!(missing, Err(SessionsError::NoWindow(7))), "{missing:?}");
    let unknown = sessions.show("bob", Which::Open).await;
    assert!(matches!(unknown, Err(SessionsError::Unknown(_))), "{unknown:?}");

    sessions.reset(KEY).await.unwrap();
    check(&channel, "d", "0 before d").await;
    let reset = sessions.show(KEY, Which::Open).await.unwrap();
    assert_eq!(reset.session.session_id, listed[0].session_id);
    assert_eq!(reset.windows[1].closed.as_ref().unwrap().reason, ResetReason::Operator);
}

#[tokio::test]
async fn a_session_that_was_silent_for_too_long_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let rule =
        ResetRule { mode: Some(ResetMode::Idle), idle_minutes: Some(60.0), ..ResetRule::default() };
    let sessions = SessionSettings { reset: Some(rule), ..SessionSettings::default() };
    let mut config = config(dir.path(), remembering());
    config.rules.sessions = sessions;
    let gateway = start_with(config, &channel).await;
    check(&channel, "a", "0 before a").await;
    check(&channel, "b", "2 before b").await;
    age(dir.path(), 2);
    check(&channel, "c", "0 before c").await;
    check(&channel, "d", "2 before d").await;

    age(dir.path(), 2);
    let sets = |sessions| {
        gateway.configure(Rules { sessions, ..(*gateway.rules()).clone() }).unwrap();
    };
    sets(SessionSettings::default());
    check(&channel, "e", "4 before e").await;
    let daily = ResetRule::default();
    let by_channel = [("post".to_owned(), daily)].into();
    age(dir.path(), 48);
    sets(SessionSettings { reset_by_channel: by_channel, ..SessionSettings::default() });
    check(&channel, "f", "0 before f").await;
    let seen =
        Sessions::open(&store(dir.path())).await.unwrap().show(KEY, Which::All).await.unwrap();
    let reasons: Vec<_> =
        seen.windows.iter().filter_map(|it| it.closed.as_ref()).map(|it| it.reason).collect();
    assert_eq!(reasons, [ResetReason::Idle, ResetReason::Daily]);
}

#[tokio::test]
async fn other_words_can_ask_for_a_reset() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let reset_triggers = vec!["重来".to_owned()];
    let sessions = SessionSettings { reset_triggers, ..SessionSettings::default() };
    let mut config = config(dir.path(), remembering());
    config.rules.sessions = sessions;
    let _gateway = start_with(config, &channel).await;
    check(&channel, "a", "0 before a").await;
    check(&channel, "重来", "好，我们重新开始。").await;
    check(&channel, "/new", "0 before /new").await;
}

#[tokio::test]
async fn old_windows_are_forgotten_and_the_open_one_never() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let gateway = start(dir.path(), &channel, remembering()).await;
    check(&channel, "a", "0 before a").await;
    check(&channel, "/new", "A fresh start. What shall we talk about?").await;
    check(&channel, "b", "0 before b").await;
    gateway.stop(Duration::from_secs(5)).await;
    let conn = Connection::open(store(dir.path())).unwrap();
    conn.execute("UPDATE session_window SET ended_at = ended_at - 91 * 86400000", ()).unwrap();
    conn.execute("UPDATE transcript SET at = 1", ()).unwrap();
    drop(conn);

    let _gateway = start(dir.path(), &channel, remembering()).await;
    let sessions = Sessions::open(&store(dir.path())).await.unwrap();
    let all = sessions.show(KEY, Which::All).await.unwrap();
    let said: Vec<_> = all.lines.iter().map(|it| it.text.as_str()).collect();
    assert_eq!((said, all.windows.len()), (vec!["b", "0 before b"], 1));
}

#[tokio::test]
async fn a_transcript_is_exported_for_programs_and_for_people() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, remembering()).await;
    check(&channel, "你好", "0 before 你好").await;
    let sessions = Sessions::open(&store(dir.path())).await.unwrap();
    let mut shown = sessions.show(KEY, Which::All).await.unwrap();
    shown.session.session_id = "id".to_owned();
    (shown.session.started_at_ms, shown.session.last_interaction_at_ms) = (1, 2);
    shown.windows[0].started_at_ms = 1;
    shown.lines[1].at_ms = 86_400_000;
    let jsonl = concat!(
        r#"{"type":"session","key":"agent:main:post:bot:direct:ann","sessionId":"id","window":0,"#,
        r#""sessionStartedAt":1,"lastInteractionAt":2,"label":null,"agent":null,"model":null,"#,
        r#""channel":"post","accountId":"bot","to":"ann"}"#,
        "\n",
        r#"{"type":"window","number":0,"startedAt":1}"#,
        "\n",
        r#"{"type":"message","window":0,"turn":"turn-1","role":"user","at":1,"text":"你好"}"#,
        "\n",
        r#"{"type":"message","window":0,"turn":"turn-1","role":"assistant","at":86400000,"text":"0 before 你好"}"#,
        "\n",
    );
    assert_eq!(shown.to_jsonl(), jsonl);
    let markdown = "# agent:main:post:bot:direct:ann\n\n## 0\n\n\
        **ann** · 1970-01-01T00:00:00.001Z\n\n你好\n\n\
        **agent** · 1970-01-02T00:00:00Z\n\n0 before 你好\n";
    assert_eq!(shown.to_markdown(), markdown);
}

/// A store of the first version: what was said is there, in its windows.
#[tokio::test]
async fn a_store_of_the_first_version_keeps_its_sessions() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("state")).unwrap();
    let conn = Connection::open(store(dir.path())).unwrap();
    conn.execute_batch(include_str!("../../src/store/0001-transcript.sql")).unwrap();
    conn.execute_batch(
        "INSERT INTO session VALUES ('renewed', 1, 't1');
         INSERT INTO transcript VALUES (1, 'renewed', 0, 't0', 'user', 0, 'old', 5),
             (2, 'renewed', 1, 't2', 'user', 0, 'new', 7), (3, 'plain', 0, 't3', 'user', 0, 'x', 9);
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(conn);
    let sessions = Sessions::open(&store(dir.path())).await.unwrap();
    let listed = sessions.list().await.unwrap();
    let seen: Vec<_> = listed
        .iter()
        .map(|it| (it.key.as_str(), it.window, it.started_at_ms, it.session_id.len()))
        .collect();
    assert_eq!(seen, [("plain", 0, 9, 32), ("renewed", 1, 7, 32)]);
    let old = sessions.show("renewed", Which::Number(0)).await.unwrap();
    assert_eq!(old.lines[0].text, "old");
    assert_eq!(old.windows[0].started_at_ms, 5);
}
