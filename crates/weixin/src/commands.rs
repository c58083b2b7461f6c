//! Words that are commands: those that overtake, and the channel's own.
//!
//! The channel answers two commands itself, as the official plugin does:
//! `/echo <text>` says the text and how long the way took, `/toggle-debug`
//! turns a report behind each turn on or off. Both only for admitted peers.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract::AccountId;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::inbound::Kind;

/// The words that are commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Words {
    /// Come at once, whatever the conversation is busy with. A word that begins
    /// with a slash may have something behind it, any other stands alone.
    pub aside: Vec<String>,
    /// Make a turn of their own, in their place.
    pub alone: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let aside =
            ["/stop", "/status", "/help", "/model", "/agent", "/more", "停止", "停", "取消"];
        Self { aside: owned(&aside), alone: owned(&["/new", "/reset"]) }
    }
}

impl Words {
    /// Says how a message of this one text comes to its turn.
    pub(crate) fn kind_of(&self, text: &str) -> Kind {
        let is_in = |words: &[String]| words.iter().any(|word| means(text, word));
        if Command::of(text).is_some() || is_in(&self.aside) {
            Kind::Aside
        } else if is_in(&self.alone) {
            Kind::Alone
        } else {
            Kind::Words
        }
    }
}

fn means(text: &str, word: &str) -> bool {
    let said = if word.starts_with('/') { split(text).0 } else { text.trim() };
    said.to_lowercase() == word.to_lowercase()
}

/// Parts a text into its first word and the rest.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// What the channel answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// Say this, and how long the way took.
    Echo(&'a str),
    /// Turn the report behind each turn on or off.
    ToggleDebug,
}

impl<'a> Command<'a> {
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let (word, rest) = split(text);
        match word.to_ascii_lowercase().as_str() {
            "/echo" => Some(Self::Echo(rest.trim())),
            "/toggle-debug" => Some(Self::ToggleDebug),
            _ => None,
        }
    }
}

/// Says a text back, with the times of its way.
pub(crate) fn echoed(text: &str, sent_at_ms: i64, received_at_ms: i64, now_ms: i64) -> Vec<String> {
    let times = format!(
        "⏱ 通道耗时\n├ 事件时间: {}\n├ 平台→插件: {}\n└ 插件处理: {}ms",
        instant(sent_at_ms),
        on_the_way(sent_at_ms, received_at_ms),
        now_ms - received_at_ms,
    );
    let said = Some(text.to_owned()).filter(|text| !text.is_empty());
    said.into_iter().chain([times]).collect()
}

/// What is reported of a turn in debug mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    /// What the message was, in lines.
    pub(crate) message: String,
    pub(crate) sent_at_ms: i64,
    pub(crate) received_at_ms: i64,
    /// When the host was given it.
    pub(crate) handed_at_ms: i64,
    /// How long its media took; `None` without media.
    pub(crate) media_ms: Option<i64>,
}

impl Trace {
    /// Puts the report into words, when the turn ends.
    pub(crate) fn report(&self, now_ms: i64) -> String {
        let Self { message, sent_at_ms, received_at_ms, handed_at_ms, media_ms } = self;
        let fetched = match media_ms {
            Some(ms) => format!("cost={ms}ms"),
            None => "none".to_owned(),
        };
        let since = if *sent_at_ms > 0 { sent_at_ms } else { received_at_ms };
        format!(
            "⏱ Debug 全链路\n── 收消息 ──\n{message}\n│ mediaDownload: {fetched}\n── 耗时 ──\n\
             ├ 平台→插件: {}\n├ 入站处理(auth+route+media): {}ms (mediaDownload: {}ms)\n\
             ├ AI生成+回复: {}ms\n├ 总耗时: {}ms\n└ eventTime: {}",
            on_the_way(*sent_at_ms, *received_at_ms),
            handed_at_ms - received_at_ms,
            media_ms.unwrap_or_default(),
            now_ms - handed_at_ms,
            now_ms - since,
            instant(*sent_at_ms),
        )
    }
}

fn on_the_way(sent_at_ms: i64, received_at_ms: i64) -> String {
    if sent_at_ms > 0 { format!("{}ms", received_at_ms - sent_at_ms) } else { "N/A".to_owned() }
}

fn instant(ms: i64) -> String {
    let known = Timestamp::from_millisecond(ms).ok().filter(|_| ms > 0);
    known.map_or("N/A".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// Which accounts are in debug mode. Kept in the official plugin's file, so
/// that it holds for whichever of the two runs. Clones share it.
#[derive(Clone)]
pub(crate) struct DebugMode {
    path: Arc<Path>,
    // Held for a look-up, or while the file is replaced; never across an await.
    accounts: Arc<Mutex<BTreeMap<String, bool>>>,
}

#[derive(Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    accounts: BTreeMap<String, bool>,
}

impl DebugMode {
    /// Reads the file; one that is missing or damaged turns nothing on.
    pub(crate) fn load(dir: &Path) -> Self {
        let path: PathBuf = dir.join("debug-mode.json");
        let file = match std::fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).unwrap_or_else(|err| {
                tracing::warn!(error = %err, "debug-mode.json is damaged; nothing is debugged");
                File::default()
            }),
            Err(err) if err.kind() == ErrorKind::NotFound => File::default(),
            Err(err) => {
                tracing::warn!(error = %err, "debug-mode.json cannot be read; nothing is debugged");
                File::default()
            }
        };
        Self { path: path.into(), accounts: Arc::new(Mutex::new(file.accounts)) }
    }

    pub(crate) fn is_on(&self, account: &AccountId) -> bool {
        self.accounts.lock().get(account.as_str()).copied().unwrap_or_default()
    }

    /// Turns the mode of an account over; on disk when it returns what it is now.
    pub(crate) fn toggle(&self, account: &AccountId) -> std::io::Result<bool> {
        let mut accounts = self.accounts.lock();
        let mut next = accounts.clone();
        let on = !next.get(account.as_str()).copied().unwrap_or_default();
        next.insert(account.as_str().to_owned(), on);
        let json = serde_json::to_vec(&File { accounts: next.clone() })?;
        wholefile::replace(&self.path, &json)?;
        *accounts = next;
        Ok(on)
    }
}

/// Tells whether debug mode is on now.
pub(crate) fn toggled(outcome: std::io::Result<bool>) -> String {
    match outcome {
        Ok(true) => "Debug 模式已开启".to_owned(),
        Ok(false) => "Debug 模式已关闭".to_owned(),
        Err(err) => {
            tracing::error!(error = %err, "debug mode not noted");
            "❌ 指令执行失败: debug-mode.json 无法写入".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_by_their_first_word_and_plain_words_by_standing_alone() {
        let cases = [
            ("/stop", Kind::Aside),
            (" /STOP \n", Kind::Aside),
            ("/model gpt", Kind::Aside),
            ("/stopping", Kind::Words),
            ("please /stop", Kind::Words),
            ("停止", Kind::Aside),
            ("停止这个项目", Kind::Words),
            ("/new", Kind::Alone),
            ("/Reset", Kind::Alone),
            ("/echo", Kind::Aside),
            ("/toggle-debug", Kind::Aside),
            ("", Kind::Words),
        ];
        for (text, kind) in cases {
            assert_eq!(Words::default().kind_of(text), kind, "{text}");
        }
        let own = Words { aside: vec!["halt".to_owned()], alone: Vec::new() };
        assert_eq!(own.kind_of("HALT"), Kind::Aside);
        assert_eq!(own.kind_of("/stop"), Kind::Words);
        assert_eq!(own.kind_of("/new"), Kind::Words);
    }

    #[test]
    fn the_channels_own_commands() {
        let cases = [
            ("/echo", Some(Command::Echo(""))),
            (" /Echo  one two ", Some(Command::Echo("one two"))),
            ("/echoes", None),
            ("/toggle-debug", Some(Command::ToggleDebug)),
            ("/TOGGLE-DEBUG now", Some(Command::ToggleDebug)),
            ("toggle-debug", None),
        ];
        for (text, command) in cases {
            assert_eq!(Command::of(text), command, "{text}");
        }
    }

    /// The texts are those that the official plugin keeps of its own replies.
    #[test]
    fn an_echo_tells_how_long_the_way_took() {
        let at = 1_795_294_107_189;
        assert_eq!(
            echoed("m180", at, at + 1238, at + 1242),
            [
                "m180",
                "⏱ 通道耗时\n├ 事件时间: 2026-11-21T20:48:27.189Z\n├ 平台→插件: 1238ms\n└ 插件处理: 4ms",
            ],
        );
        assert_eq!(
            echoed("", 0, 5, 5),
            ["⏱ 通道耗时\n├ 事件时间: N/A\n├ 平台→插件: N/A\n└ 插件处理: 0ms"],
        );
    }

    #[test]
    fn a_report_tells_where_the_time_went() {
        let trace = Trace {
            message: "│ seq=1".to_owned(),
            sent_at_ms: 1_795_294_107_189,
            received_at_ms: 1_795_294_107_200,
            handed_at_ms: 1_795_294_107_203,
            media_ms: Some(2),
        };
        assert_eq!(
            trace.report(1_795_294_107_300),
            "⏱ Debug 全链路\n── 收消息 ──\n│ seq=1\n│ mediaDownload: cost=2ms\n── 耗时 ──\n\
             ├ 平台→插件: 11ms\n├ 入站处理(auth+route+media): 3ms (mediaDownload: 2ms)\n\
             ├ AI生成+回复: 97ms\n├ 总耗时: 111ms\n└ eventTime: 2026-11-21T20:48:27.189Z",
        );
    }

    #[test]
    fn debug_mode_is_kept_in_the_official_plugins_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("debug-mode.json");
        std::fs::write(&path, r#"{"accounts":{"other":true}}"#).expect("written");
        let (account, debug) = (AccountId::from("mine"), DebugMode::load(dir.path()));
        assert!(debug.is_on(&AccountId::from("other")) && !debug.is_on(&account));
        assert!(debug.toggle(&account).expect("toggled"));
        assert!(DebugMode::load(dir.path()).is_on(&account));
        let json = std::fs::read_to_string(&path).expect("read");
        assert_eq!(json, r#"{"accounts":{"mine":true,"other":true}}"#);
        assert!(!debug.toggle(&account).expect("toggled"));
        std::fs::write(&path, "not json").expect("written");
        assert!(!DebugMode::load(dir.path()).is_on(&AccountId::from("other")));
    }
}
