//! One person who writes to one account, and knows what has to come back.

use std::collections::VecDeque;
use std::time::Duration;

use backend::{Seen, SeenItem, User};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::tally::Tally;

/// How long an answer may take: a crash, a lost answer and a pause that the
/// backend asks for, one after another.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many messages at most are said without waiting for an answer.
const MOST_AHEAD: usize = 6;
/// How many lines a long message has; too many for one message back.
const LONG: usize = 80;

/// A person, what was said and what has to be answered.
pub(super) struct Conversation {
    user: User,
    chance: StdRng,
    n_said: u64,
    /// What has been heard, as it should have been: compared with the phone
    /// at the end.
    heard: Vec<String>,
    wanted: VecDeque<Wanted>,
    /// Files that it sent.
    n_files: usize,
    /// Files that it asked for.
    n_wishes: usize,
}

/// What has to be heard next.
#[derive(Clone, Debug)]
enum Wanted {
    /// This line, in a text of its own or beside its neighbours. The last
    /// line of a message answers it.
    Line { line: String, is_last: bool },
    /// A text that names this, by itself.
    Naming(String),
}

/// What is said at once.
enum Said {
    Words,
    Long,
    File,
    /// Asks for a file.
    Wish,
    /// Asks for something that takes seconds and shows who is typing.
    Tools,
}

impl Conversation {
    pub(super) fn new(user: User, chance: StdRng) -> Self {
        Self {
            user,
            chance,
            n_said: 0,
            heard: Vec::new(),
            wanted: VecDeque::new(),
            n_files: 0,
            n_wishes: 0,
        }
    }

    /// Returns how many files were sent to the account.
    pub(super) fn n_files(&self) -> usize {
        self.n_files
    }

    /// Says `n` messages, several at a time, and hears all answers. What takes
    /// long is asked for only if there is time: a turn that is cut again and
    /// again is set aside.
    pub(super) async fn goes_on(&mut self, n: u64, has_time: bool, tally: &Tally) {
        let end = self.n_said + n;
        while self.n_said < end {
            let said = self.pick(has_time);
            if !matches!(said, Said::Words | Said::Long) {
                // What is joined with other messages is no request any more.
                self.hears_until(0, tally).await;
            }
            self.says(&said, tally).await;
            tally.say();
            let ahead = match said {
                Said::Words | Said::Long => self.chance.random_range(0..MOST_AHEAD),
                Said::File | Said::Wish | Said::Tools => 0,
            };
            self.hears_until(ahead, tally).await;
        }
        self.hears_until(0, tally).await;
    }

    fn pick(&mut self, has_time: bool) -> Said {
        match self.chance.random_range(0..1000) {
            0..10 => Said::Long,
            10..25 => Said::File,
            25..40 => Said::Wish,
            40..43 if has_time => Said::Tools,
            _ => Said::Words,
        }
    }

    async fn says(&mut self, said: &Said, tally: &Tally) {
        self.n_said += 1;
        let name = format!("{} says {}", self.user.name(), self.n_said);
        match said {
            Said::Words => {
                self.wanted.push_back(Wanted::Line { line: name.clone(), is_last: true });
                self.user.says(&name).await;
            }
            Said::Long => {
                let line = |n| format!("{name} in line {n} of many, which takes its time to say");
                let lines: Vec<_> = (1..=LONG).map(line).collect();
                self.user.says(&lines.join("\n")).await;
                self.wanted.extend(
                    (1..).zip(lines).map(|(n, line)| Wanted::Line { line, is_last: n == LONG }),
                );
            }
            Said::File => {
                self.n_files += 1;
                let name = format!("{name}.txt");
                self.user.sends_file(name.as_bytes(), &name).await;
                self.wanted.push_back(Wanted::Naming(name));
            }
            Said::Wish => {
                self.n_wishes += 1;
                self.user.says("file").await;
                self.sees_files().await;
                tally.answer();
            }
            Said::Tools => {
                self.user.says("tools").await;
                self.wanted.push_back(Wanted::Naming("Verdict: a good day".to_owned()));
            }
        }
    }

    /// Hears until so many messages or fewer wait for their answer.
    async fn hears_until(&mut self, n: usize, tally: &Tally) {
        let is_last = |it: &&Wanted| !matches!(it, Wanted::Line { is_last: false, .. });
        while self.wanted.iter().filter(is_last).count() > n {
            let text = self.user.hears_within(PATIENCE).await;
            self.check(&text, tally);
            self.heard.push(text);
        }
    }

    /// Waits until the phone shows all files that were asked for.
    async fn sees_files(&self) {
        let shown = async {
            while n_files(&self.user.sees().await) < self.n_wishes {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let shown = tokio::time::timeout(PATIENCE, shown).await;
        assert!(shown.is_ok(), "{} sees {} files or fewer", self.user.name(), self.n_wishes - 1);
    }

    /// Compares a text with what has to come.
    fn check(&mut self, text: &str, tally: &Tally) {
        if let Some(Wanted::Naming(name)) = self.wanted.front() {
            assert!(text.contains(name.as_str()), "{name:?} was wanted, and this came: {text:?}");
            self.wanted.pop_front();
            return tally.answer();
        }
        for heard in text.lines().filter(|line| !line.trim().is_empty()) {
            let Some(Wanted::Line { line, is_last }) = self.wanted.pop_front() else {
                panic!("nothing like this was wanted: {heard:?} in {text:?}");
            };
            assert_eq!(heard, line, "of {text:?}");
            if is_last {
                tally.answer();
            }
        }
    }

    /// Compares the phone with what was heard: nothing came behind it, and
    /// each file once.
    pub(super) async fn assert_shown(&self) {
        let seen = self.user.sees().await;
        let from_bot = seen.iter().filter(|seen| !seen.from_me);
        let texts: Vec<_> = from_bot.filter_map(Seen::text).collect();
        assert_eq!(texts, self.heard, "{}", self.user.name());
        assert_eq!(n_files(&seen), self.n_wishes, "{}", self.user.name());
    }
}

/// Counts the files that came from a bot.
fn n_files(seen: &[Seen]) -> usize {
    let from_bot = seen.iter().filter(|seen| !seen.from_me);
    from_bot.flat_map(|seen| &seen.items).filter(|it| matches!(it, SeenItem::File(_))).count()
}
