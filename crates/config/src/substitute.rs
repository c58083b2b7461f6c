//! `${NAME}` in texts. No I/O.

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Substituted {
    pub(crate) text: String,
    /// Names without a value. They stay as they were written.
    pub(crate) missing: Vec<String>,
    /// Whether a value was put in.
    pub(crate) is_filled: bool,
}

/// Puts values for `${NAME}`; `$${NAME}` stands for itself without one `$`.
/// Values are not looked into again.
pub(crate) fn substitute<'v>(
    text: &str,
    value_of: impl Fn(&str) -> Option<&'v str>,
) -> Substituted {
    let mut done = Substituted { text: String::new(), missing: Vec::new(), is_filled: false };
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        done.text.push_str(before);
        if let Some((literal, after)) = from.strip_prefix('$').and_then(braced) {
            if let Some(value) = value_of(literal) {
                done.text.push_str(value);
                done.is_filled = true;
            } else {
                done.text.push_str(&from[..from.len() - after.len()]);
                done.missing.push(literal.to_owned());
            }
            rest = after;
        } else if let Some((_, after)) = from.strip_prefix("$$").and_then(braced) {
            done.text.push_str(&from[1..from.len() - after.len()]);
            rest = after;
        } else {
            done.text.push('$');
            rest = &from[1..];
        }
    }
    done.text.push_str(rest);
    done
}

/// Splits `{NAME}` off.
fn braced(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = name.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
        && name.starts_with(|first: char| !first.is_ascii_digit());
    is_name.then_some((name, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(text: &str) -> (String, Vec<String>) {
        let done = substitute(text, |name| (name == "KEY").then_some("${KEY} v"));
        (done.text, done.missing)
    }

    #[test]
    fn names_are_filled_in_and_what_is_missing_stays() {
        for (text, expected, missing) in [
            ("a ${KEY} b", "a ${KEY} v b", vec![]),
            ("$${KEY}", "${KEY}", vec![]),
            ("$$${KEY}", "$${KEY}", vec![]),
            ("${GONE}-${KEY}", "${GONE}-${KEY} v", vec!["GONE".to_owned()]),
            ("${key} ${1A} ${} $KEY ${KEY", "${key} ${1A} ${} $KEY ${KEY", vec![]),
            ("5 $", "5 $", vec![]),
        ] {
            assert_eq!(filled(text), (expected.to_owned(), missing), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_without_names_stays_as_it_is(text in "[^$]{0,20}|(\\$[a-z ]){0,5}") {
            prop_assert_eq!(filled(&text), (text, Vec::new()));
        }
    }
}
