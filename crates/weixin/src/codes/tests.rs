use std::collections::BTreeSet;

use super::*;

const BOTH: [Language; 2] = [Language::Zh, Language::En];

fn catalogue() -> Vec<Explanation> {
    serde_json::from_str(include_str!("codes.json")).unwrap()
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

/// The codes that a source file names.
fn named(source: &str) -> BTreeSet<&str> {
    source.split('"').filter(|word| word.len() == 4 && word.starts_with('W')).collect()
}

#[test]
fn every_entry_says_everything_in_both_languages() {
    for entry in catalogue() {
        for words in [&entry.chat, &entry.meaning, &entry.cause, &entry.action] {
            assert!(!words.zh.is_empty() && !words.en.is_empty(), "{}", entry.code);
            assert!(!words.zh.is_ascii(), "{}: {}", entry.code, words.zh);
            assert!(words.en.is_ascii(), "{}: {}", entry.code, words.en);
            assert_eq!(placeholders(&words.zh), placeholders(&words.en), "{}", entry.code);
        }
    }
}

/// Demand 43: people in a chat get a sentence, not an error.
#[test]
fn a_sentence_for_a_chat_is_short_and_names_no_code() {
    for entry in catalogue() {
        for language in BOTH {
            let sentence = entry.chat.pick(language);
            assert!(sentence.chars().count() <= 80, "{}: {sentence}", entry.code);
            assert!(!sentence.contains(|c: char| c.is_ascii_digit()), "{}: {sentence}", entry.code);
        }
    }
}

#[test]
fn codes_are_in_order_and_nothing_is_found_twice() {
    let entries = catalogue();
    let codes: Vec<&str> = entries.iter().map(|entry| entry.code.as_str()).collect();
    assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    let mut found = BTreeSet::new();
    for entry in &entries {
        assert!(found.insert(entry.code.to_lowercase()), "{}", entry.code);
        for word in &entry.also {
            assert_eq!(&normal(word), word);
            assert!(found.insert(word.clone()), "{word}");
        }
    }
}

#[test]
fn every_code_that_is_assigned_is_explained() {
    let entries = catalogue();
    let known: BTreeSet<&str> = entries.iter().map(|entry| entry.code.as_str()).collect();
    let mut assigned = named(include_str!("assigned.rs"));
    assigned.extend(named(include_str!("notice.rs")));
    assert_eq!(assigned.len(), 46);
    assert_eq!(assigned.difference(&known).collect::<Vec<_>>(), [&""; 0]);
    // Those of accounts, and of two codes that no send is answered with.
    let others: Vec<&str> = known.difference(&assigned).copied().collect();
    assert_eq!(others, ["W101", "W102", "W103", "W104", "W106", "W107", "W220", "W221"]);
}

#[test]
fn people_find_an_entry_by_whatever_they_saw() {
    let found = |asked: &str| explain(asked).map(|entry| entry.code.as_str());
    let cases = [
        ("W203", Some("W203")),
        (" w203 ", Some("W203")),
        ("-14", Some("W209")),
        ("ret=-2", Some("W219")),
        ("-3", Some("W208")),
        ("2", Some("W221")),
        ("524", Some("W217")),
        ("HTTP 502", Some("W217")),
        ("599", Some("W217")),
        ("451", Some("W218")),
        ("429", Some("W203")),
        ("needs_login", Some("W105")),
        ("Needs-Login", Some("W105")),
        ("never wrote", Some("W301")),
        ("W999", None),
        ("-99", None),
        ("600", None),
        ("", None),
    ];
    for (asked, code) in cases {
        assert_eq!(found(asked), code, "{asked:?}");
    }
}

#[test]
fn the_word_of_every_account_state_is_found() {
    use contract::AccountState;
    let (reason, since_ms) = (String::new(), 0);
    let states = [
        AccountState::Stopped,
        AccountState::Starting,
        AccountState::Polling,
        AccountState::Degraded { reason: reason.clone(), since_ms },
        AccountState::NeedsLogin { reason, since_ms },
    ];
    let codes = states.map(|state| {
        let json = serde_json::to_value(&state).unwrap();
        explain(json["state"].as_str().unwrap()).map(|entry| entry.code.as_str())
    });
    assert_eq!(codes, ["W101", "W102", "W103", "W104", "W105"].map(Some));
}

/// Demand 43: in their language, with what an operator can look up.
#[test]
fn notices_speak_both_languages_and_trouble_names_its_code() {
    let file = || "报告 {max}.pdf".to_owned();
    let cases = [
        (
            Notice::RestWaits { n: 3 },
            "还有 3 条没发完，回复任意内容继续。",
            "3 more are waiting. Reply with anything to get them.",
        ),
        (
            Notice::FewLeft { left: 1 },
            "我还能发 1 条，回复任意内容可继续。",
            "I can send 1 more. Reply with anything to go on.",
        ),
        (
            Notice::FileTooLarge { name: file(), max: 100 << 20 },
            "文件 报告 {max}.pdf 超过 100 MB，没有发出。（W505）",
            "The file 报告 {max}.pdf is larger than 100 MB and was not sent. (W505)",
        ),
        (
            Notice::MediaTooLarge { max: 5 << 10 },
            "你发的文件超过 5 KB，没有接收。（W507）",
            "Your file is larger than 5 KB and was not taken. (W507)",
        ),
    ];
    for (notice, zh, en) in cases {
        assert_eq!(BOTH.map(|language| notice.say(language)), [zh, en]);
    }
    let others = [
        Notice::AsFile,
        Notice::FileNotSent { name: file() },
        Notice::MediaLost,
        Notice::VoiceUnread,
        Notice::Late { since: "11-22 08:00".to_owned() },
    ];
    for notice in others {
        for language in BOTH {
            let said = notice.say(language);
            assert!(placeholders(&said.replace(&file(), "")).is_empty(), "{said}");
        }
    }
}
