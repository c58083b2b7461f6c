//! What waits in one lane. Pure.

use std::collections::VecDeque;

use super::settings::{DropPolicy, QueueMode};

/// Something that can wait beside others of its kind.
pub(crate) trait Waits {
    /// Says whether it may be one turn with another, and be left out when
    /// there are too many.
    fn is_loose(&self) -> bool;

    /// Says whether both came from one conversation.
    fn is_beside(&self, other: &Self) -> bool;
}

/// What waits, the oldest first.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    groups: VecDeque<Group<T>>,
}

/// What makes one turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group<T> {
    /// In the order in which they came; never empty.
    pub(crate) members: Vec<T>,
    /// How many of them, from the first, are shortened.
    pub(crate) n_short: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { groups: VecDeque::new() }
    }
}

impl<T: Waits> Queue<T> {
    /// Puts something behind the rest. Returns what is left out for it.
    pub(crate) fn put(&mut self, new: T, cap: usize, policy: DropPolicy) -> Option<T> {
        let n_loose = self.groups.iter().filter(|group| group.is_loose()).count();
        if !new.is_loose() || n_loose < cap.max(1) {
            self.push(new);
            return None;
        }
        match policy {
            DropPolicy::New => Some(new),
            DropPolicy::Old => {
                let oldest = self.groups.iter().position(Group::is_loose);
                let dropped = oldest.and_then(|at| self.groups.remove(at));
                self.push(new);
                dropped.and_then(|group| group.members.into_iter().next())
            }
            DropPolicy::Summarize => {
                self.push(new);
                self.shorten();
                None
            }
        }
    }

    /// Takes what makes the next turn.
    pub(crate) fn take(&mut self, mode: QueueMode) -> Option<Group<T>> {
        let mut group = self.groups.pop_front()?;
        while mode.joins() && self.groups.front().is_some_and(|next| group.is_beside(next)) {
            let Some(next) = self.groups.pop_front() else { break };
            group.add(next);
        }
        Some(group)
    }

    /// Returns what came last.
    pub(crate) fn newest(&self) -> Option<&T> {
        self.groups.back().and_then(|group| group.members.last())
    }

    /// Returns the next turn's first member.
    pub(crate) fn next(&self) -> Option<&T> {
        self.groups.front().and_then(|group| group.members.first())
    }

    /// Returns how many messages wait.
    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }

    fn push(&mut self, new: T) {
        self.groups.push_back(Group { members: vec![new], n_short: 0 });
    }

    /// Joins the oldest two that can be joined.
    fn shorten(&mut self) {
        let pairs = self.groups.iter().zip(self.groups.iter().skip(1));
        let Some(at) = pairs.into_iter().position(|(a, b)| a.is_beside(b)) else {
            return;
        };
        if let Some(next) = self.groups.remove(at + 1) {
            let group = &mut self.groups[at];
            group.members.extend(next.members);
            group.n_short = group.members.len();
        }
    }
}

impl<T: Waits> Group<T> {
    fn is_loose(&self) -> bool {
        self.members.iter().all(Waits::is_loose)
    }

    fn is_beside(&self, next: &Self) -> bool {
        let ends = self.members.last().zip(next.members.first());
        self.is_loose() && next.is_loose() && ends.is_some_and(|(a, b)| a.is_beside(b))
    }

    fn add(&mut self, next: Self) {
        if self.n_short == self.members.len() {
            self.n_short += next.n_short;
        }
        self.members.extend(next.members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A digit is of the first conversation, a letter of the second, and a sign
    /// stays by itself.
    impl Waits for char {
        fn is_loose(&self) -> bool {
            self.is_alphanumeric()
        }

        fn is_beside(&self, other: &Self) -> bool {
            self.is_numeric() == other.is_numeric()
        }
    }

    /// Puts all of it, and returns the turns that it makes and what is left out.
    fn turns(said: &str, cap: usize, policy: DropPolicy, mode: QueueMode) -> (String, String) {
        let mut queue = Queue::default();
        let left_out = said.chars().filter_map(|c| queue.put(c, cap, policy)).collect();
        let mut turns = Vec::new();
        while let Some(group) = queue.take(mode) {
            let (short, whole) = group.members.split_at(group.n_short);
            let (short, whole): (String, String) = (short.iter().collect(), whole.iter().collect());
            turns.push(if short.is_empty() { whole } else { format!("({short}){whole}") });
        }
        (turns.join(" "), left_out)
    }

    #[test]
    fn what_waits_is_joined_within_a_conversation_and_never_around_a_command() {
        let check = |said, mode, expected: &str| {
            let (turns, left_out) = turns(said, 20, DropPolicy::Summarize, mode);
            assert_eq!((turns.as_str(), left_out.as_str()), (expected, ""), "{said}");
        };
        check("123", QueueMode::Followup, "1 2 3");
        check("123", QueueMode::Steer, "1 2 3");
        check("123", QueueMode::Collect, "123");
        check("123", QueueMode::Interrupt, "123");
        check("12/34", QueueMode::Collect, "12 / 34");
        check("12ab3", QueueMode::Collect, "12 ab 3");
    }

    #[test]
    fn what_is_too_much_is_shortened_or_left_out() {
        let check = |said, policy, mode, expected: (&str, &str)| {
            let (turns, left_out) = turns(said, 3, policy, mode);
            assert_eq!((turns.as_str(), left_out.as_str()), expected, "{said}");
        };
        check("12345", DropPolicy::Summarize, QueueMode::Followup, ("(123) 4 5", ""));
        check("12345", DropPolicy::Summarize, QueueMode::Collect, ("(123)45", ""));
        check("12345", DropPolicy::Old, QueueMode::Followup, ("3 4 5", "12"));
        check("12345", DropPolicy::New, QueueMode::Followup, ("1 2 3", "45"));
        check("/12345", DropPolicy::Old, QueueMode::Followup, ("/ 3 4 5", "12"));
        check("123//", DropPolicy::New, QueueMode::Followup, ("1 2 3 / /", ""));
        // Nothing to join: the lane's own bound holds.
        check("1a2b", DropPolicy::Summarize, QueueMode::Followup, ("1 a 2 b", ""));
    }
}
