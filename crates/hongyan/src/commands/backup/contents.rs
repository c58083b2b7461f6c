//! What of a state folder goes into a backup.

use std::path::{Path, PathBuf};

use ::config::File;

use super::{BackupError, io};

/// The configuration in the state folder.
const CONFIG: &str = "config.json5";
/// What a restore puts the old state into.
pub(super) const ASIDE: &str = "before-restore-";
/// What a restore unpacks into.
pub(super) const STAGE: &str = ".restore-";
/// Folders of media, and of what agents have made.
const MEDIA: [&str; 5] = [
    "backend/media/",
    "media/",
    "openclaw-weixin/quoted/",
    "openclaw-weixin/received/",
    "workspace/",
];
/// How deep folders are looked into.
const DEEPEST: usize = 24;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// Names, and where each is read from; stores as they are, too.
    pub(super) files: Vec<(String, PathBuf)>,
    /// What cannot be taken along.
    pub(super) left_out: Vec<String>,
}

/// What becomes of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    File,
    /// Copied as it is at one moment.
    Store,
    /// Taken along if media are.
    Media,
    /// It means something only where it is.
    Nothing,
}

/// Decides by a file's name in the state folder, with `/` between its parts.
pub(super) fn fate(name: &str) -> Fate {
    let last = name.rsplit('/').next().unwrap_or(name);
    let ends = [".lock", "-wal", "-shm", "-journal"];
    let begins = [".tmp", STAGE];
    let is_of_this_place = ends.iter().any(|end| last.ends_with(end))
        || begins.iter().any(|begin| last.starts_with(begin))
        || wholefile::is_unfinished(last)
        || name.starts_with(ASIDE)
        || name.starts_with(STAGE)
        || name == "control.json"
        || last.contains(".rejected.");
    if is_of_this_place {
        Fate::Nothing
    } else if MEDIA.iter().any(|folder| name.starts_with(folder)) {
        Fate::Media
    } else if last.ends_with(".sqlite") {
        Fate::Store
    } else {
        Fate::File
    }
}

/// Looks through a state folder, the configuration included wherever it lies.
pub(super) fn contents(
    dir: &Path,
    config: Option<&Path>,
    with_media: bool,
) -> Result<Contents, BackupError> {
    let mut found = Contents::default();
    let mut walk = Walk { with_media, found: &mut found };
    walk.folder(dir, "", 0)?;
    let used = config.map_or_else(|| dir.join(CONFIG), Path::to_owned);
    if !is_below(&used, dir) {
        found.files.retain(|(name, _)| name != CONFIG);
        found.files.push((CONFIG.to_owned(), used.clone()));
    }
    // What it includes from elsewhere stays there.
    if let Ok(loaded) = File::open(&used).read() {
        let elsewhere = loaded.files().skip(1).filter(|path| !is_below(path, dir));
        found.left_out.extend(elsewhere.map(|path| path.display().to_string()));
    }
    found.files.sort();
    Ok(found)
}

fn is_below(path: &Path, dir: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // The link, not what it leads to: that is read through it.
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    whole(parent).starts_with(whole(dir))
}

struct Walk<'a> {
    with_media: bool,
    found: &'a mut Contents,
}

impl Walk<'_> {
    fn folder(&mut self, dir: &Path, name: &str, depth: usize) -> Result<(), BackupError> {
        for entry in std::fs::read_dir(dir).map_err(io(dir))? {
            let path = entry.map_err(io(dir))?.path();
            let Some(last) = path.file_name().and_then(|it| it.to_str()).filter(|it| is_plain(it))
            else {
                self.found.left_out.push(path.display().to_string());
                continue;
            };
            let name = if name.is_empty() { last.to_owned() } else { format!("{name}/{last}") };
            self.one(path, name, depth)?;
        }
        Ok(())
    }

    fn one(&mut self, path: PathBuf, name: String, depth: usize) -> Result<(), BackupError> {
        let Ok(kind) = std::fs::symlink_metadata(&path) else { return Ok(()) };
        if kind.is_dir() {
            let is_wanted = match fate(&format!("{name}/")) {
                Fate::Nothing => false,
                Fate::Media => self.with_media,
                Fate::File | Fate::Store => true,
            };
            if is_wanted && depth < DEEPEST {
                return self.folder(&path, &name, depth + 1);
            }
            return Ok(());
        }
        match fate(&name) {
            Fate::Nothing => {}
            Fate::Media if !self.with_media => {}
            // What a link leads to, if that is a file.
            Fate::File | Fate::Store | Fate::Media if path.is_file() => {
                self.found.files.push((name, path));
            }
            Fate::File | Fate::Store | Fate::Media => self.found.left_out.push(name),
        }
        Ok(())
    }
}

/// Says whether a name means the same on every system.
fn is_plain(name: &str) -> bool {
    !name.chars().any(|c| c.is_control() || c == '\\' || c == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_fate() {
        for (name, expected) in [
            ("config.json5", Fate::File),
            ("config.json5.bak.1", Fate::File),
            ("config.json5.lock", Fate::Nothing),
            ("config.json5.rejected.17", Fate::Nothing),
            ("gateway.sqlite", Fate::Store),
            ("gateway.sqlite-wal", Fate::Nothing),
            ("control.json", Fate::Nothing),
            ("openclaw-weixin/accounts/a.json", Fate::File),
            ("openclaw-weixin/outbox/x.png", Fate::File),
            ("openclaw-weixin/received/x.sqlite", Fate::Media),
            ("openclaw-weixin/.accounts.json.new", Fate::Nothing),
            ("workspace/notes.md", Fate::Media),
            ("before-restore-x/gateway.sqlite", Fate::Nothing),
            (".restore-x/gateway.sqlite", Fate::Nothing),
        ] {
            assert_eq!(fate(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_not_a_file_and_what_lies_elsewhere_is_told() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (dir, other) = (dir.path(), other.path());
        for name in ["a.json", "config.json5"] {
            std::fs::write(dir.join(name), "{}").unwrap();
        }
        std::fs::create_dir_all(dir.join("media")).unwrap();
        std::fs::write(dir.join("media/m"), "m").unwrap();
        let config = other.join("mine.json5");
        std::fs::write(&config, "{}").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(other, dir.join("link")).unwrap();

        let found = contents(dir, Some(&config), false).unwrap();
        let files =
            |found: &Contents| found.files.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
        assert_eq!(files(&found), ["a.json", "config.json5"]);
        assert_eq!(found.files[1].1, config);
        #[cfg(unix)]
        assert_eq!(found.left_out, ["link"]);
        assert_eq!(
            files(&contents(dir, None, true).unwrap()),
            ["a.json", "config.json5", "media/m"]
        );
    }
}
