//! Which turns a crash counts against, and which of them wait for each other. Pure.
//!
//! A crash does not say which of the turns in work was its reason. So all of
//! them are suspected, up to a point; from then on suspects are worked on one
//! at a time, and the next crash shows which one it was. Only that one is
//! counted against further, until it is set aside.

/// Turns that so many crashes have cut are suspects. Where settings allow no more
/// failures than this, a crash takes all that was in work.
const SUSPICIOUS: u32 = 2;

/// Says whether a turn that was cut so often is worked on only while no other
/// suspect is.
pub(crate) fn is_suspect(failures: u32) -> bool {
    failures >= SUSPICIOUS
}

/// Returns how many failures each of the turns has that were in work when the
/// process died, given those that it had.
///
/// Turns beside a suspect are none the less counted against until they are
/// suspects themselves: a busy channel may never have one turn in work alone.
pub(crate) fn after_crash(failures: &[u32]) -> Vec<u32> {
    let n_suspects = failures.iter().filter(|n| is_suspect(**n)).count();
    let counts = |n: u32| !is_suspect(n) || n_suspects == 1;
    failures.iter().map(|n| n.saturating_add(u32::from(counts(*n)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_counted_up_to_a_suspicion_and_then_against_the_only_suspect() {
        let cases: &[(&[u32], &[u32])] = &[
            (&[], &[]),
            (&[0], &[1]),
            (&[0, 0, 1], &[1, 1, 2]),
            (&[2], &[3]),
            (&[4], &[5]),
            // Nobody knows which of the two it was.
            (&[2, 3], &[2, 3]),
            (&[2, 0, 1], &[3, 1, 2]),
        ];
        for (before, after) in cases {
            assert_eq!(after_crash(before), *after, "{before:?}");
        }
    }
}
