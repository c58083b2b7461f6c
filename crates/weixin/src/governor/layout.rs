//! How a long answer is laid out when sends are short.

use super::{Gate, Limits, Overflow};

/// What an answer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// In how many parts it splits at the usual size.
    pub n_parts: u32,
    /// How long it is, in characters.
    pub n_chars: usize,
    /// How many sends other messages need that must not be taken from them,
    /// such as the files of the same answer.
    pub n_waiting: u32,
}

/// How an answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// In parts of the usual size.
    Parts {
        /// The most characters of a part.
        limit_chars: usize,
    },
    /// In fewer, larger parts.
    Larger {
        /// The most characters of a part.
        limit_chars: usize,
    },
    /// As a file behind a short text: two sends.
    File,
    /// So many parts of the usual size now, the last one with a hint that the
    /// peer has to write; the rest is parked. With none, all of it is parked.
    Park {
        /// How many parts leave now.
        send_now: u32,
    },
}

/// What a file needs: a lead and the file.
const SENDS_OF_A_FILE: u32 = 2;

impl Gate<'_> {
    /// Decides how an answer leaves with the sends that are left.
    ///
    /// In this order, unless [`Limits::overflow`] forces one: parts of the
    /// usual size, larger parts, a file, what fits now and the rest when the
    /// peer writes.
    pub fn plan(&mut self, need: &Need, now_ms: i64) -> Layout {
        let now = self.wind(now_ms);
        let limits = self.limits;
        let left = match self.peer.closed(limits, now) {
            Some(_) => 0,
            None => self.peer.left(limits, now).unwrap_or(u32::MAX),
        };
        lay_out(need, left.saturating_sub(need.n_waiting), limits)
    }
}

fn lay_out(need: &Need, left: u32, limits: &Limits) -> Layout {
    if need.n_parts <= left {
        return Layout::Parts { limit_chars: limits.part() };
    }
    let (may_enlarge, may_file) = match limits.overflow {
        Overflow::Auto => (true, true),
        Overflow::Parts => (true, false),
        Overflow::File => (false, true),
        Overflow::Park => (false, false),
    };
    if may_enlarge && n_larger(need, limits) <= left {
        return Layout::Larger { limit_chars: limits.larger() };
    }
    if may_file && SENDS_OF_A_FILE <= left {
        return Layout::File;
    }
    Layout::Park { send_now: left }
}

/// Returns how many larger parts an answer makes, with a tenth of each for
/// breaks that come early, fences that are closed and opened again, and numbers.
fn n_larger(need: &Need, limits: &Limits) -> u32 {
    let useful = (limits.larger() - limits.larger() / 10).max(1);
    u32::try_from(need.n_chars.div_ceil(useful)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Layout = Layout::Parts { limit_chars: 1_800 };
    const LARGER: Layout = Layout::Larger { limit_chars: 4_000 };

    fn check(overflow: Overflow, n_parts: u32, n_chars: usize, left: u32, expected: Layout) {
        let limits = Limits { overflow, larger_part_chars: 4_000, ..Limits::tencent() };
        let need = Need { n_parts, n_chars, n_waiting: 0 };
        assert_eq!(
            lay_out(&need, left, &limits),
            expected,
            "{overflow:?}: {n_parts} parts, {left} left"
        );
    }

    #[test]
    fn an_answer_that_does_not_fit_grows_then_becomes_a_file_then_waits() {
        let auto = Overflow::Auto;
        check(auto, 1, 5, 1, USUAL);
        check(auto, 5, 8_000, 5, USUAL);
        check(auto, 5, 7_100, 2, LARGER);
        check(auto, 5, 7_300, 2, Layout::File);
        check(auto, 17, 30_000, 2, Layout::File);
        check(auto, 17, 30_000, 1, Layout::Park { send_now: 1 });
        check(auto, 1, 5, 0, Layout::Park { send_now: 0 });
    }

    #[test]
    fn settings_force_what_happens_to_an_overflow() {
        check(Overflow::Parts, 5, 7_100, 2, LARGER);
        check(Overflow::Parts, 17, 30_000, 8, Layout::Park { send_now: 8 });
        check(Overflow::File, 5, 7_100, 2, Layout::File);
        check(Overflow::File, 2, 3_000, 1, Layout::Park { send_now: 1 });
        check(Overflow::Park, 5, 7_100, 2, Layout::Park { send_now: 2 });
        for overflow in [Overflow::Parts, Overflow::File, Overflow::Park] {
            check(overflow, 3, 4_000, 3, USUAL);
        }
    }
}
