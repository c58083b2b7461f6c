//! Files of this machine that may be sent: those under a few folders.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::name::decoded;

mod open;

/// The folders that files may come from. None of them means no file at all.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    folders: Vec<PathBuf>,
    home: Option<PathBuf>,
}

/// A file that may be sent, open for reading.
#[derive(Debug)]
pub struct Opened {
    /// The file. What is read from it is what was checked, whatever happens to
    /// the path in the meantime.
    pub file: File,
    /// Where it lies, without links. For people and logs: not to be opened again.
    pub path: PathBuf,
    /// What it is called where it was asked for.
    pub name: String,
    /// Its length in bytes when it was opened.
    pub len: u64,
}

/// Why a file is not sent.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The reference names no file of this machine.
    #[error("`{0}` is not a path or file URL of this machine")]
    NotAPath(String),
    /// The reference begins with `~`, and no home folder is known.
    #[error("`{0}` begins with ~, but no home folder is known; write the whole path")]
    NoHome(String),
    /// There is no such file.
    #[error("there is no file `{}`", path.display())]
    NotFound {
        /// Where it was looked for first.
        path: PathBuf,
    },
    /// The file lies outside of the folders.
    #[error(
        "`{}` is outside of the folders that files may be sent from ({}); \
         copy it into one of them, or allow its folder in the configuration",
        path.display(),
        listed(allowed)
    )]
    Outside {
        /// Where it lies, links followed.
        path: PathBuf,
        /// The folders.
        allowed: Vec<PathBuf>,
    },
    /// A folder, a device, a pipe, or a file made up by the kernel.
    #[error("`{}` is not a regular file", path.display())]
    NotAFile {
        /// What it is not.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("`{}` cannot be opened: {source}", path.display())]
    Io {
        /// Where it lies.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Roots {
    /// Files may come from these folders and all below them. `~` in a reference
    /// is this home folder; a folder is allowed only if it is listed.
    ///
    /// Relative folders are ignored: they would move with the process.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>, home: Option<PathBuf>) -> Self {
        let folders = folders.into_iter().filter(|folder| folder.is_absolute()).collect();
        Self { folders, home }
    }

    /// Opens the file of a reference: a path, or a `file:` URL.
    ///
    /// Relative paths are looked for in each folder in turn, never where the
    /// process happens to run. Links are followed before it is decided, and on
    /// Unix no link is followed afterwards, so that nobody can put another file
    /// in the place of the one that was allowed. On Windows the path is resolved
    /// again behind the opening, which leaves a narrow gap. A hard link counts
    /// as the file that it is. Blocks; belongs on a blocking thread.
    ///
    /// # Errors
    ///
    /// See [`Refused`]; each names the place and the way out.
    pub fn open(&self, reference: &str) -> Result<Opened, Refused> {
        let asked = meant(reference, self.home.as_deref(), cfg!(windows))?;
        let mut missing = None;
        for path in asked.iter().flat_map(|path| self.whole(path)) {
            let opened = self.open_whole(&path);
            if !matches!(opened, Err(Refused::NotFound { .. })) {
                return opened;
            }
            missing.get_or_insert(opened);
        }
        // Without a folder a relative path leads nowhere.
        let nowhere = || Refused::Outside { path: reference.into(), allowed: self.folders.clone() };
        missing.unwrap_or_else(|| Err(nowhere()))
    }

    fn whole(&self, path: &Path) -> Vec<PathBuf> {
        if path.is_absolute() {
            return vec![path.to_owned()];
        }
        // `C:x` and `\x` depend on where the process runs, too.
        if path.components().any(|part| matches!(part, Component::Prefix(_) | Component::RootDir)) {
            return Vec::new();
        }
        self.folders.iter().map(|folder| folder.join(path)).collect()
    }

    fn open_whole(&self, asked: &Path) -> Result<Opened, Refused> {
        let path = std::fs::canonicalize(asked).map_err(|err| failed(asked, err))?;
        let allowed = self.folders.iter().filter_map(|folder| folder.canonicalize().ok());
        let Some(folder) = allowed.into_iter().find(|folder| path.starts_with(folder)) else {
            return Err(Refused::Outside { path, allowed: self.folders.clone() });
        };
        let not_a_file = |path: &Path| Refused::NotAFile { path: path.to_owned() };
        // Asked before opening: to open a device may already do something.
        let is_file = std::fs::metadata(&path).map_err(|err| failed(&path, err))?.is_file();
        if !is_file || is_made_up(&path) {
            return Err(not_a_file(&path));
        }
        let file = open::below(&folder, &path).map_err(|err| failed(&path, err))?;
        let metadata = file.metadata().map_err(|err| failed(&path, err))?;
        if !metadata.is_file() {
            return Err(not_a_file(&path));
        }
        let name = asked.file_name().or(path.file_name()).unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        Ok(Opened { file, len: metadata.len(), name, path })
    }
}

/// What a reference may mean, likeliest first. Pure; `~` is the only thing it
/// asks for.
fn meant(reference: &str, home: Option<&Path>, is_windows: bool) -> Result<Vec<PathBuf>, Refused> {
    let refused = || Refused::NotAPath(reference.to_owned());
    let reference = reference.trim();
    if reference.is_empty() || reference.contains('\0') {
        return Err(refused());
    }
    // To look at a share of another machine is to log in there.
    let is_share = |path: &str| path.starts_with("\\\\") || path.starts_with("//");
    if is_windows && is_share(&reference.replace('/', "\\")) {
        return Err(refused());
    }
    if let Some(rest) = strip_scheme(reference, "file:") {
        let path = match rest.strip_prefix("//") {
            Some(rest) => {
                let at = rest.find('/').ok_or_else(refused)?;
                let is_here = rest[..at].is_empty() || rest[..at].eq_ignore_ascii_case("localhost");
                if is_here { &rest[at..] } else { return Err(refused()) }
            }
            None => rest,
        };
        // Many write `file://` in front of a path as it is, `#` and `%` and all.
        let paths = [decoded(path), path.to_owned()];
        let local = paths.map(|path| if is_windows { without_slash(&path) } else { path });
        let is_safe = |path: &String| {
            path.starts_with('/') != is_windows && !path.contains('\0') && !is_share(path)
        };
        let mut local: Vec<PathBuf> =
            local.into_iter().filter(is_safe).map(PathBuf::from).collect();
        local.dedup();
        return if local.is_empty() { Err(refused()) } else { Ok(local) };
    }
    if reference.contains("://") {
        return Err(refused());
    }
    let below_home =
        reference.strip_prefix("~/").or(reference.strip_prefix("~\\").filter(|_| is_windows));
    match (below_home, home) {
        (Some(rest), Some(home)) => Ok(vec![home.join(rest.trim_start_matches('/'))]),
        (Some(_), None) => Err(Refused::NoHome(reference.to_owned())),
        (None, _) => Ok(vec![reference.into()]),
    }
}

fn strip_scheme<'a>(reference: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = reference.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// `/C:/x` of a URL is `C:/x` on Windows.
fn without_slash(path: &str) -> String {
    let is_drive =
        matches!(path.as_bytes(), [b'/', letter, b':', ..] if letter.is_ascii_alphabetic());
    path[usize::from(is_drive)..].to_owned()
}

/// Files of the kernel call themselves regular.
fn is_made_up(path: &Path) -> bool {
    cfg!(unix) && ["/proc", "/sys"].iter().any(|folder| path.starts_with(folder))
}

fn failed(path: &Path, source: io::Error) -> Refused {
    let path = path.to_owned();
    if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
        return Refused::NotFound { path };
    }
    Refused::Io { path, source }
}

fn listed(folders: &[PathBuf]) -> String {
    if folders.is_empty() {
        return "none".to_owned();
    }
    let folders: Vec<String> = folders.iter().map(|path| path.display().to_string()).collect();
    folders.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reference: &str, is_windows: bool, paths: &[&str]) {
        let found = meant(reference, Some(Path::new("/h/me")), is_windows).unwrap_or_default();
        let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
        assert_eq!(found, paths, "{reference}");
    }

    #[test]
    fn a_reference_means_a_path() {
        check("/a/报告 #1 100%20.pdf", false, &["/a/报告 #1 100%20.pdf"]);
        check("out/a.png", false, &["out/a.png"]);
        check("~/a.png", false, &["/h/me/a.png"]);
        check("~other/a.png", false, &["~other/a.png"]);
        check("file:///a/b%20c.pdf", false, &["/a/b c.pdf", "/a/b%20c.pdf"]);
        check("FILE://localhost/a/b.pdf", false, &["/a/b.pdf"]);
        check("file:/a/b.pdf", false, &["/a/b.pdf"]);
        check("file:///a/%E6%8A%A5%23.pdf", false, &["/a/报#.pdf", "/a/%E6%8A%A5%23.pdf"]);
        check("file:///a/报 #1?.pdf", false, &["/a/报 #1?.pdf"]);
        check("file:///a/100%.pdf", false, &["/a/100%.pdf"]);
        check("file:///C:/a%20b.pdf", true, &["C:/a b.pdf", "C:/a%20b.pdf"]);
        check("C:\\a\\b.pdf", true, &["C:\\a\\b.pdf"]);
    }

    #[test]
    fn what_is_no_path_of_this_machine_is_refused() {
        for (reference, is_windows) in [
            ("", false),
            ("  ", false),
            ("a\0b", false),
            ("file:///a%00b", true),
            ("file://server/share/a.png", false),
            ("file://server", false),
            ("file:a.png", false),
            ("https://a.example/a.png", false),
            ("\\\\server\\share\\a.png", true),
            ("//server/share/a.png", true),
            ("file:////server/share/a.png", true),
            ("file:///%5C%5Cserver/a.png", true),
        ] {
            let found = meant(reference, None, is_windows);
            assert!(matches!(found, Err(Refused::NotAPath(_))), "{reference}: {found:?}");
        }
        assert!(matches!(meant("~/a", None, false), Err(Refused::NoHome(_))));
    }
}
