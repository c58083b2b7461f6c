//! Which process is which.

use serde::{Deserialize, Serialize};

/// How many generations are looked at: more than any real tree has.
const MOST_GENERATIONS: u32 = 64;

/// A process: numbers are used again, number and start together are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks since the machine did; `None` where the
    /// operating system does not say it in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<u64>,
}

impl Process {
    /// Describes this process.
    #[must_use]
    pub fn this() -> Self {
        let pid = std::process::id();
        Self { pid, start_time: Stat::of(pid).map(|stat| stat.start_time) }
    }

    /// Says whether two descriptions can be of the same process.
    fn is(self, other: Self) -> bool {
        let same_start = match (self.start_time, other.start_time) {
            (Some(one), Some(other)) => one == other,
            (Some(_) | None, None) | (None, Some(_)) => true,
        };
        self.pid == other.pid && same_start
    }
}

/// Says whether this process was started by that one, by a child of it, and so
/// on; `None` where the operating system does not say in files who started whom.
#[must_use]
pub fn is_ancestor(of_us: Process) -> Option<bool> {
    let mut pid = std::process::id();
    for _ in 0..MOST_GENERATIONS {
        let Some(stat) = Stat::of(pid) else {
            // Our own is not there: no such files here. Another's: beyond our view.
            return (pid != std::process::id()).then_some(false);
        };
        let parent = Stat::of(stat.parent)?;
        let found = Process { pid: stat.parent, start_time: Some(parent.start_time) };
        if found.is(of_us) {
            return Some(true);
        }
        if stat.parent <= 1 {
            break;
        }
        pid = stat.parent;
    }
    Some(false)
}

/// What `/proc/<pid>/stat` says of a process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    start_time: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads fields 4 and 22 of proc_pid_stat(5). The name, field 2, may hold
    /// spaces and parentheses of its own: the last one ends it.
    fn parse(text: &str) -> Option<Self> {
        let (_, behind_name) = text.rsplit_once(')')?;
        let mut fields = behind_name.split_whitespace();
        let parent = fields.nth(1)?.parse().ok()?;
        let start_time = fields.nth(17)?.parse().ok()?;
        Some(Self { parent, start_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = "7 (a) b) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9";
        assert_eq!(Stat::parse(text), Some(Stat { parent: 3, start_time: 12345 }));
        assert_eq!(Stat::parse("7 (a"), None);
    }

    #[test]
    fn a_number_that_was_used_again_is_another_process() {
        let old = Process { pid: 7, start_time: Some(1) };
        assert!(!old.is(Process { pid: 7, start_time: Some(2) }));
        assert!(!old.is(Process { pid: 8, start_time: Some(1) }));
        assert!(old.is(Process { pid: 7, start_time: None }));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_parent_is_an_ancestor_and_we_ourselves_are_not() {
        let ours = Process::this();
        let parent = Stat::of(ours.pid).unwrap().parent;
        let parent =
            Process { pid: parent, start_time: Stat::of(parent).map(|stat| stat.start_time) };
        assert_eq!(is_ancestor(parent), Some(true));
        assert_eq!(is_ancestor(ours), Some(false));
        let imposter = Process { start_time: Some(u64::MAX), ..parent };
        assert_eq!(is_ancestor(imposter), Some(false));
    }
}
