//! What a character is, where it matters for showing and cutting.

/// Whether a character belongs to Chinese, Japanese or Korean writing, its
/// punctuation and full-width forms included. WeChat shows no italics of these.
pub(crate) fn is_cjk(c: char) -> bool {
    is_han(c)
        || matches!(c,
            '\u{3000}'..='\u{30FF}'     // punctuation, kana
            | '\u{3130}'..='\u{318F}'   // Hangul letters
            | '\u{31F0}'..='\u{31FF}'   // more kana
            | '\u{AC00}'..='\u{D7AF}'   // Hangul syllables
            | '\u{FF00}'..='\u{FFEF}') // full-width forms
}

/// Whether a character is a Han character.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3007}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// Whether a character ends a sentence wherever it stands.
pub(crate) fn ends_wide_sentence(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '…' | '｡')
}

/// Whether a character ends a sentence if white space follows.
pub(crate) fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '?') || ends_wide_sentence(c)
}

/// Whether a character closes what came before it and so never starts a line.
pub(crate) fn is_closer(c: char) -> bool {
    matches!(
        c,
        ')' | ']' | '}' | '"' | '\'' | '”' | '’' | '」' | '』' | '）' | '】' | '》' | '〉' | '］'
    )
}

/// Whether a character opens what comes after it and so never ends a line.
pub(crate) fn is_opener(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '“' | '‘' | '「' | '『' | '（' | '【' | '《' | '〈' | '［')
}

/// Whether a character is punctuation that clings to the word before it.
pub(crate) fn clings(c: char) -> bool {
    is_closer(c)
        || ends_sentence(c)
        || matches!(
            c,
            ',' | ';' | ':' | '，' | '、' | '；' | '：' | '·' | '~' | '～' | '—' | '*' | '`'
        )
}
