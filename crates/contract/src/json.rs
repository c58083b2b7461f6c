//! What JSON errors say.

/// Returns what an error says without its line and column.
pub(crate) fn plain(err: &serde_json::Error) -> String {
    let text = err.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}
