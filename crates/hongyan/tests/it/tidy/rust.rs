//! Tells code, comments and string literals of a Rust file apart.
//!
//! No parser: just enough to know that a word in a comment is not code, and
//! that a word in a string is not either.

/// A Rust file, taken apart.
pub(super) struct Rust {
    /// The file with comments and the insides of literals blanked; as many
    /// lines as the file has.
    pub(super) code: String,
    /// The string literals, each with the line it begins on.
    pub(super) strings: Vec<(usize, String)>,
}

impl Rust {
    pub(super) fn read(text: &str) -> Self {
        let mut scan = Scan {
            rest: text,
            line: 1,
            rust: Self { code: String::with_capacity(text.len()), strings: Vec::new() },
        };
        while scan.step() {}
        scan.rust
    }

    /// Returns the lines of code with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Returns the names and punctuation of the code, without white space, each
    /// with its line.
    pub(super) fn tokens(&self) -> Vec<(usize, &str)> {
        let mut tokens = Vec::new();
        for (number, line) in self.lines() {
            let mut rest = line.trim_start();
            while let Some(first) = rest.chars().next() {
                let len = if is_name(first) {
                    rest.find(|c| !is_name(c)).unwrap_or(rest.len())
                } else if rest.starts_with("::") {
                    2
                } else {
                    first.len_utf8()
                };
                tokens.push((number, &rest[..len]));
                rest = rest[len..].trim_start();
            }
        }
        tokens
    }

    /// Returns every path into a crate or module that the code names, without
    /// `name` itself, `use` groups resolved. All of it under another name is `*`.
    pub(super) fn paths_into(&self, name: &str) -> Vec<(usize, String)> {
        let tokens = self.tokens();
        let mut found = Vec::new();
        for (index, window) in tokens.windows(2).enumerate() {
            let is_start = window[0].1 == name && (index == 0 || tokens[index - 1].1 != "::");
            if is_start && window[1].1 == "::" {
                paths_from(&tokens, index + 2, "", &mut found);
            } else if is_start && window[1].1 == "as" {
                found.push((window[0].0, "*".to_owned()));
            }
        }
        found
    }
}

/// Collects the paths that begin at token `at`; returns the token behind them.
fn paths_from(
    tokens: &[(usize, &str)],
    mut at: usize,
    prefix: &str,
    found: &mut Vec<(usize, String)>,
) -> usize {
    let token = |at: usize| tokens.get(at).map_or("}", |(_, token)| *token);
    if token(at) == "{" {
        at += 1;
        while token(at) != "}" {
            at = paths_from(tokens, at, prefix, found);
            // The new name of an `as`.
            while !matches!(token(at), "," | "}") {
                at += 1;
            }
            at += usize::from(token(at) == ",");
        }
        return at + 1;
    }
    let path = format!("{prefix}{}", token(at));
    if token(at + 1) == "::" {
        return paths_from(tokens, at + 2, &format!("{path}::"), found);
    }
    found.push((tokens.get(at).map_or(0, |(line, _)| *line), path));
    at + 1
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Scan<'a> {
    rest: &'a str,
    line: usize,
    rust: Rust,
}

impl Scan<'_> {
    /// Takes the next piece; says whether there was one.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment(self.rest));
        } else if let Some(literal) = Literal::at(self.rest) {
            if literal.is_string {
                let text = self.rest[literal.open..literal.len - literal.close].to_owned();
                self.rust.strings.push((self.line, text));
            }
            self.blank(literal.len);
        } else if is_name(first) {
            // As a whole, so that the end of a name is not taken for the prefix of a string.
            self.keep(self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len()));
        } else {
            self.keep(first.len_utf8());
        }
        true
    }

    fn keep(&mut self, len: usize) {
        let (taken, rest) = self.rest.split_at(len);
        self.line += taken.matches('\n').count();
        self.rust.code.push_str(taken);
        self.rest = rest;
    }

    fn blank(&mut self, len: usize) {
        let (taken, rest) = self.rest.split_at(len);
        let breaks = taken.matches('\n').count();
        self.line += breaks;
        self.rust.code.push(' ');
        self.rust.code.push_str(&"\n".repeat(breaks));
        self.rest = rest;
    }
}

/// Where a literal begins and ends.
struct Literal {
    /// All of it, quotes included.
    len: usize,
    /// Before its text.
    open: usize,
    /// Behind its text.
    close: usize,
    is_string: bool,
}

impl Literal {
    fn at(rest: &str) -> Option<Self> {
        let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
            let behind = rest.strip_prefix(prefix).unwrap_or_default();
            behind.starts_with('"') || (prefix.ends_with('r') && opens_raw(behind))
        });
        match prefix {
            Some(prefix) if prefix.ends_with('r') => Some(Self::raw(rest, prefix.len())),
            Some(prefix) => Some(Self::quoted(rest, prefix.len())),
            None => Self::character(rest),
        }
    }

    fn raw(rest: &str, prefix: usize) -> Self {
        let hashes = rest[prefix..].bytes().take_while(|byte| *byte == b'#').count();
        let open = prefix + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        let close = end.len();
        let len = rest[open..].find(&end).map_or(rest.len(), |at| open + at + close);
        Self { len, open, close: close.min(len - open), is_string: true }
    }

    fn quoted(rest: &str, prefix: usize) -> Self {
        let open = prefix + 1;
        let mut escaped = false;
        for (at, c) in rest[open..].char_indices() {
            match c {
                '"' if !escaped => {
                    return Self { len: open + at + 1, open, close: 1, is_string: true };
                }
                '\\' if !escaped => escaped = true,
                _ => escaped = false,
            }
        }
        Self { len: rest.len(), open, close: 0, is_string: true }
    }

    /// A character, which is not a lifetime.
    fn character(rest: &str) -> Option<Self> {
        let behind = rest.strip_prefix('\'')?;
        let inside = if let Some(escape) = behind.strip_prefix('\\') {
            // The escaped character itself may be a quote.
            let first = escape.chars().next()?.len_utf8();
            1 + first + escape[first..].find('\'')?
        } else {
            let first = behind.chars().next()?.len_utf8();
            behind[first..].starts_with('\'').then_some(first)?
        };
        Some(Self { len: inside + 2, open: 1, close: 1, is_string: false })
    }
}

fn opens_raw(behind: &str) -> bool {
    let text = behind.trim_start_matches('#');
    text.len() < behind.len() && text.starts_with('"')
}

/// The length of a block comment, which may contain others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(next) = rest[at..].find(['/', '*']).map(|found| at + found) {
        at = next + 1;
        if rest[next..].starts_with("/*") {
            depth += 1;
            at += 1;
        } else if rest[next..].starts_with("*/") {
            depth -= 1;
            at += 1;
            if depth == 0 {
                return at;
            }
        }
    }
    rest.len()
}

#[test]
fn comments_and_literals_are_not_code() {
    let check = |text: &str, code: &str, strings: &[(usize, &str)]| {
        let rust = Rust::read(text);
        let words: Vec<&str> = rust.code.split_whitespace().collect();
        assert_eq!(words.join(" "), code, "{text}");
        let found: Vec<(usize, &str)> =
            rust.strings.iter().map(|(line, text)| (*line, text.as_str())).collect();
        assert_eq!(found, strings, "{text}");
    };
    check("a // b \"c\"\nd", "a d", &[]);
    check("a /* b /* c */ \" */ d", "a d", &[]);
    check("let a = \"b // \\\" c\"; d", "let a = ; d", &[(1, "b // \\\" c")]);
    check("a\n  r#\"b \" c\"# d", "a d", &[(2, "b \" c")]);
    check("b\"x\" br\"y\" cr#\"z\"# r\"\\\"", "", &[(1, "x"), (1, "y"), (1, "z"), (1, "\\")]);
    check("for\"x\"", "for", &[(1, "x")]);
    check("fn f<'a>(x: &'a str) { '\"' }", "fn f<'a>(x: &'a str) { }", &[]);
    check("['\\'', '\\\\', '\\u{7f}', b'\"'] \"s\"", "[ , , , b ]", &[(1, "s")]);
    check("r#type \"open", "r#type", &[(1, "open")]);
}

#[test]
fn lines_and_tokens_keep_their_numbers() {
    let rust = Rust::read("use a::b; // c\n\"x\ny\" d!\n");
    assert_eq!(
        rust.tokens(),
        [(1, "use"), (1, "a"), (1, "::"), (1, "b"), (1, ";"), (3, "d"), (3, "!")]
    );
}

#[test]
fn paths_are_found_through_groups_and_names() {
    let rust = Rust::read("use a::{b::{self, c}, d as e};\nx::a::y; a::f();\nuse a as z;");
    let found = rust.paths_into("a");
    let found: Vec<(usize, &str)> =
        found.iter().map(|(line, path)| (*line, path.as_str())).collect();
    assert_eq!(found, [(1, "b::self"), (1, "b::c"), (1, "d"), (2, "f"), (3, "*")]);
    assert_eq!(Rust::read("use a::{b").paths_into("a"), [(1, "b".to_owned())]);
}
