//! How far a streaming reader may look ahead.

/// Returns the line that `rest` starts with, its newline included, once it is
/// whole; a line longer than `most` bytes is cut there.
///
/// The answer for a longer `rest` is the same, so that a stream gives the same
/// result wherever it is cut.
pub(crate) fn line_of(rest: &str, most: usize, end: bool) -> Option<&str> {
    let near = &rest[..rest.floor_char_boundary(most)];
    if let Some(newline) = near.find('\n') {
        return Some(&rest[..=newline]);
    }
    // A character is at most four bytes long.
    if rest.len() >= most + 4 {
        return Some(near);
    }
    end.then_some(rest)
}
