//! Questions that turns ask their peers, and whether something said is the answer.
//!
//! A question belongs to a session and a conversation: only that peer can
//! answer it, there. One is open at a time, the next waits. What the peer says
//! is looked at before it comes to a command or a lane, so an answer overtakes
//! the turn that waits for it; anything that is no answer goes its usual way.
//!
//! The store has a question before it is asked, and an answer before the turn
//! hears it. After a crash the turn runs again and asks under the same number:
//! the channel does not say it twice, an answer that was given holds, and one
//! that is given before the turn has come to its question again holds, too.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{Conversation, Inbound, TurnId};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::StoreError;
use crate::language::Language;
use crate::store::{Asked, QuestionId, Store, now_ms};

/// How long a question waits when nothing else is said.
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest that a question waits.
const MOST_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
const YES: [&str; 13] = [
    "同意", "允许", "批准", "可以", "好", "是", "yes", "y", "ok", "allow", "approve", "agree",
    "/approve",
];
const NO: [&str; 13] = [
    "拒绝",
    "不同意",
    "不允许",
    "不可以",
    "不",
    "否",
    "no",
    "n",
    "deny",
    "reject",
    "refuse",
    "disagree",
    "/deny",
];

/// Something that an agent wants to know before it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked, in markdown. What can be answered is put below it.
    pub text: String,
    /// What can be answered, at least two; empty for an approval, which is
    /// answered by yes (0) or no (1).
    pub choices: Vec<String>,
    /// How long it waits, a day at most.
    pub expires: Duration,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The choice with this index.
    Chosen(usize),
    /// Nobody answered in time. The peer has been told that it counts as no.
    Expired,
}

impl Question {
    /// Asks for an approval, for five minutes.
    #[must_use]
    pub fn approval(text: impl Into<String>) -> Self {
        Self { text: text.into(), choices: Vec::new(), expires: PATIENCE }
    }

    /// Asks for a choice, for five minutes.
    #[must_use]
    pub fn choice(text: impl Into<String>, choices: Vec<String>) -> Self {
        Self { text: text.into(), choices, expires: PATIENCE }
    }

    /// Returns how long it waits.
    pub(crate) fn patience(&self) -> Duration {
        self.expires.min(MOST_PATIENCE)
    }

    /// Puts all of it into words.
    pub(crate) fn words(&self, language: Language) -> String {
        let mut words = self.text.clone();
        words.push('\n');
        let approval = language.pick(["同意", "拒绝"], ["Allow", "Deny"]).map(str::to_owned);
        let choices = if self.choices.is_empty() { &approval[..] } else { &self.choices[..] };
        for (at, choice) in choices.iter().enumerate() {
            words.push_str(&format!("\n{}. {choice}", at + 1));
        }
        let time = length(self.patience(), language);
        words.push_str(&match language {
            Language::Chinese => format!("\n\n（回复数字；{time}内没有回复按拒绝处理）"),
            Language::English => {
                format!("\n\n(Reply with the number; no answer in {time} means no.)")
            }
        });
        words
    }
}

impl Resolution {
    /// Says whether an approval was given.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Chosen(0)
    }
}

/// Tells the peer that a question has expired.
pub(crate) fn expired(language: Language) -> &'static str {
    language.pick("没有等到回复，按拒绝处理。", "No answer came, so I take it as a no.")
}

fn length(time: Duration, language: Language) -> String {
    let (secs, mins) = (time.as_secs(), time.as_secs() / 60);
    match (language, mins) {
        (Language::Chinese, 0) => format!("{secs} 秒"),
        (Language::Chinese, _) => format!("{mins} 分钟"),
        (Language::English, 0) => format!("{secs} s"),
        (Language::English, _) => format!("{mins} min"),
    }
}

/// Says which of the choices a text is; `None` if it is none of them. An
/// approval has no choices of its own.
pub(crate) fn answer(text: &str, choices: &[String]) -> Option<usize> {
    let said: String = text.trim().chars().map(half_width).collect::<String>().to_lowercase();
    let said = said.trim_end_matches(['.', '。', '!', '、', ',']).trim();
    let most = if choices.is_empty() { 2 } else { choices.len() };
    let is_number = !said.is_empty() && said.len() <= 3 && said.bytes().all(|b| b.is_ascii_digit());
    if is_number {
        let number: usize = said.parse().ok()?;
        return number.checked_sub(1).filter(|at| *at < most);
    }
    if choices.is_empty() {
        let yes = YES.contains(&said).then_some(0);
        return yes.or_else(|| NO.contains(&said).then_some(1));
    }
    choices.iter().position(|choice| choice.trim().to_lowercase() == said)
}

/// Full-width digits and letters are what Chinese keyboards write.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Whose question it is.
type Place = (String, Conversation);

/// The questions that are open. Clones share them.
#[derive(Clone)]
pub(crate) struct Questions {
    store: Store,
    // Held for a look-up, never across an await.
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    open: HashMap<Place, Open>,
    /// One turn asks at a time in each place; empty ones are removed.
    turns: HashMap<Place, Arc<Semaphore>>,
}

struct Open {
    asked: Asked,
    /// Missing when its turn has not come to it again after a restart.
    told: Option<oneshot::Sender<usize>>,
}

/// A question that has been asked. Dropped, it can no longer be answered.
pub(crate) struct Pending {
    questions: Questions,
    place: Place,
    id: QuestionId,
    told: oneshot::Receiver<usize>,
    _turn: OwnedSemaphorePermit,
}

impl Questions {
    /// Finds what was asked before a restart.
    pub(crate) async fn load(store: Store) -> Result<Self, StoreError> {
        let mut inner = Inner::default();
        for asked in store.open_questions().await? {
            let place = (asked.session.clone(), asked.conversation.clone());
            inner.open.entry(place).or_insert(Open { asked, told: None });
        }
        Ok(Self { store, inner: Arc::new(Mutex::new(inner)) })
    }

    /// Waits until no other question is open in its place, and opens it. One
    /// that was open before a restart may have been answered meanwhile, so its
    /// answer is to be looked up after this.
    pub(crate) async fn open(&self, asked: Asked) -> Result<Pending, StoreError> {
        let place = (asked.session.clone(), asked.conversation.clone());
        let turns = {
            let mut inner = self.inner.lock();
            let turns =
                inner.turns.entry(place.clone()).or_insert_with(|| Arc::new(Semaphore::new(1)));
            Arc::clone(turns)
        };
        let turn = turns.acquire_owned().await.map_err(|err| StoreError(Box::new(err)))?;
        self.store.ask(asked.clone()).await?;
        let (tell, told) = oneshot::channel();
        let id = asked.id.clone();
        self.inner.lock().open.insert(place.clone(), Open { asked, told: Some(tell) });
        Ok(Pending { questions: self.clone(), place, id, told, _turn: turn })
    }

    /// Takes a message that answers an open question, and says whether it was
    /// one. The answer is on disk then.
    pub(crate) async fn take(&self, session: &str, inbound: &Inbound) -> Result<bool, StoreError> {
        let Conversation { channel, .. } = &inbound.conversation;
        if inbound.offers > 1 && self.store.was_answer(channel, &inbound.turn)? {
            return Ok(true);
        }
        let Some((index, open)) = self.claim(session, inbound) else {
            return Ok(false);
        };
        self.store.answered(&open.asked.id, Some((index, inbound.turn.clone()))).await?;
        // Its turn may have come to it again while the answer was written.
        let told = open.told.or_else(|| self.reopened(session, inbound, &open.asked.id));
        if let Some(told) = told
            && told.send(index).is_err()
        {
            tracing::debug!(turn = %open.asked.id.turn, "answered when its turn had ended");
        }
        Ok(true)
    }

    fn reopened(
        &self,
        session: &str,
        inbound: &Inbound,
        id: &QuestionId,
    ) -> Option<oneshot::Sender<usize>> {
        let mut inner = self.inner.lock();
        let place = (session.to_owned(), inbound.conversation.clone());
        inner.open.get(&place).filter(|open| open.asked.id == *id)?;
        inner.open.remove(&place)?.told
    }

    fn claim(&self, session: &str, inbound: &Inbound) -> Option<(usize, Open)> {
        if !inbound.attachments.is_empty() {
            return None;
        }
        let mut inner = self.inner.lock();
        if inner.open.is_empty() {
            return None;
        }
        let place = (session.to_owned(), inbound.conversation.clone());
        let open = inner.open.get(&place)?;
        if open.told.is_none() && open.asked.expires_at_ms < now_ms() {
            inner.open.remove(&place);
            return None;
        }
        let index = answer(&inbound.text, &open.asked.choices)?;
        inner.open.remove(&place).map(|open| (index, open))
    }

    /// Forgets what a turn that has ended asked in vain.
    pub(crate) async fn forget(
        &self,
        conversation: &Conversation,
        turn: &TurnId,
    ) -> Result<(), StoreError> {
        self.inner.lock().open.retain(|_, open| open.asked.id.turn != *turn);
        self.store.forget_questions(&conversation.channel, turn).await
    }
}

impl Pending {
    /// Waits for the answer until `patience` is over.
    pub(crate) async fn answer(mut self, patience: Duration) -> Result<Resolution, StoreError> {
        if let Ok(Ok(index)) = tokio::time::timeout(patience, &mut self.told).await {
            return Ok(Resolution::Chosen(index));
        }
        if !self.close() {
            // It is being answered in this moment.
            if let Ok(index) = (&mut self.told).await {
                return Ok(Resolution::Chosen(index));
            }
        }
        self.questions.store.answered(&self.id, None).await?;
        Ok(Resolution::Expired)
    }

    /// Takes the question back, and says whether it was still open.
    fn close(&self) -> bool {
        let mut inner = self.questions.inner.lock();
        let is_open = inner.open.get(&self.place).is_some_and(|open| open.asked.id == self.id);
        if is_open {
            inner.open.remove(&self.place);
        }
        is_open
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.close();
        let mut inner = self.questions.inner.lock();
        // This one's and the map's.
        let is_last =
            inner.turns.get(&self.place).is_some_and(|turns| Arc::strong_count(turns) <= 2);
        if is_last {
            inner.turns.remove(&self.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_is_answered_by_a_number_or_a_word_and_by_nothing_else() {
        for yes in ["1", " １ ", "1.", "同意", "允许", "YES", "ｙｅｓ", "好。", "ok", "/approve"]
        {
            assert_eq!(answer(yes, &[]), Some(0), "{yes}");
        }
        for no in ["2", "２", "拒绝", "No", "不", "deny!"] {
            assert_eq!(answer(no, &[]), Some(1), "{no}");
        }
        for other in ["", "0", "3", "11", "1000", "12 monkeys", "yes please", "同意吗", "1 2", "-1"]
        {
            assert_eq!(answer(other, &[]), None, "{other}");
        }
    }

    #[test]
    fn a_choice_is_answered_by_its_number_or_its_words() {
        let choices = ["Red".to_owned(), "蓝色".to_owned(), "Green".to_owned()];
        for (text, expected) in [
            ("1", Some(0)),
            ("３", Some(2)),
            ("4", None),
            ("red", Some(0)),
            ("蓝色", Some(1)),
            ("同意", None),
        ] {
            assert_eq!(answer(text, &choices), expected, "{text}");
        }
    }

    #[test]
    fn a_question_tells_how_to_answer_it() {
        let question = Question::approval("Delete it?");
        let english = "Delete it?\n\n1. Allow\n2. Deny\n\n(Reply with the number; no answer in 5 min means no.)";
        assert_eq!(question.words(Language::English), english);
        let question = Question {
            expires: Duration::from_secs(30),
            ..Question::choice("哪个？", vec!["红".to_owned(), "蓝".to_owned()])
        };
        let chinese = "哪个？\n\n1. 红\n2. 蓝\n\n（回复数字；30 秒内没有回复按拒绝处理）";
        assert_eq!(question.words(Language::Chinese), chinese);
    }
}
