//! Names of what lies in an archive.

use std::path::{Path, PathBuf};

/// The deepest folder.
const DEEPEST: usize = 32;
/// The longest name of a file, as on common file systems.
const LONGEST_PART: usize = 255;
const LONGEST: usize = 1_024;

/// A name that leads to a place below the folder it is unpacked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member(PathBuf);

/// What is wrong with the name of something in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMember {
    /// It starts at the root of the machine or of a drive.
    #[error("is absolute")]
    Absolute,
    /// It has `..` in it.
    #[error("leads upwards")]
    Upwards,
    /// It is longer or deeper than file systems like.
    #[error("is too long or too deep")]
    TooLong,
    /// It has what no name should have: control characters, backslashes,
    /// colons, or bytes that are no text.
    #[error("has characters that names must not have")]
    Characters,
}

impl Member {
    /// Reads a name; `None` for the folder itself.
    pub(crate) fn parse(name: &[u8]) -> Result<Option<Self>, BadMember> {
        if name.len() > LONGEST {
            return Err(BadMember::TooLong);
        }
        let name = std::str::from_utf8(name).map_err(|_| BadMember::Characters)?;
        if name.starts_with('/') {
            return Err(BadMember::Absolute);
        }
        // A backslash or a drive is a way out where those mean something.
        if name.chars().any(|c| c.is_control() || c == '\\' || c == ':') {
            return Err(BadMember::Characters);
        }
        let parts: Vec<&str> =
            name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.contains(&"..") {
            return Err(BadMember::Upwards);
        }
        if parts.len() > DEEPEST || parts.iter().any(|part| part.len() > LONGEST_PART) {
            return Err(BadMember::TooLong);
        }
        Ok((!parts.is_empty()).then(|| Self(parts.iter().collect())))
    }

    /// Returns the place below a folder.
    pub(crate) fn below(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Result<Option<&str>, BadMember>) {
        let expected = expected.map(|path| path.map(|path| Member(PathBuf::from(path))));
        assert_eq!(Member::parse(name.as_bytes()), expected, "{name:?}");
    }

    #[test]
    fn a_name_leads_below_the_folder_or_nowhere() {
        check("package/a.json", Ok(Some("package/a.json")));
        check("./a//b/./c/", Ok(Some("a/b/c")));
        check("..a/b..", Ok(Some("..a/b..")));
        check("./", Ok(None));
        check("", Ok(None));
        check("/etc/passwd", Err(BadMember::Absolute));
        check("..", Err(BadMember::Upwards));
        check("a/../../b", Err(BadMember::Upwards));
        check("a/../b", Err(BadMember::Upwards));
        check("a\\..\\b", Err(BadMember::Characters));
        check("C:/windows", Err(BadMember::Characters));
        check("a\0b", Err(BadMember::Characters));
        check("a\nb", Err(BadMember::Characters));
        check(&"d/".repeat(33), Err(BadMember::TooLong));
        check(&"n".repeat(256), Err(BadMember::TooLong));
        assert_eq!(Member::parse(b"\xff"), Err(BadMember::Characters));
    }
}
