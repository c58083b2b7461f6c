//! What the word after `plugins install` means.

use std::path::{Path, PathBuf};

use crate::bundled::Bundled;

/// Where a plugin is to be installed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    /// It is part of this program.
    Bundled(&'a Bundled),
    /// A folder or an archive of this machine, there or not.
    Path(PathBuf),
    /// Something that would have to be fetched.
    Remote,
}

/// What OpenClaw fetches packages from.
const REMOTE: [&str; 9] =
    ["npm:", "clawhub:", "git:", "git+", "git@", "github:", "marketplace:", "http://", "https://"];
const ARCHIVES: [&str; 4] = [".tgz", ".tar.gz", ".tar", ".zip"];

/// Reads a spec as OpenClaw does: a path if something lies there or if it
/// looks like one, else the name of a package.
pub(crate) fn read<'a>(spec: &str, home: Option<&Path>, bundled: &'a [Bundled]) -> Source<'a> {
    let spec = spec.trim();
    let package = without_version(spec.strip_prefix("npm:").unwrap_or(spec));
    let path = spec.strip_prefix("npm-pack:").or_else(|| spec.strip_prefix("file:"));
    if path.is_none()
        && let Some(bundled) = bundled.iter().find(|it| it.answers_to(package))
    {
        return Source::Bundled(bundled);
    }
    let place = expanded(path.unwrap_or(spec), home);
    if path.is_some() || looks_like_a_path(spec) {
        return Source::Path(place);
    }
    let is_remote = REMOTE.iter().any(|prefix| spec.starts_with(prefix));
    if is_remote || !place.exists() { Source::Remote } else { Source::Path(place) }
}

/// Replaces `~` by the home folder.
pub(crate) fn expanded(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix('~').map(|rest| rest.trim_start_matches('/')), home) {
        (Some(rest), Some(home)) if path == "~" || path.starts_with("~/") => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn looks_like_a_path(spec: &str) -> bool {
    let is_remote = REMOTE.iter().any(|prefix| spec.starts_with(prefix));
    let starts = ["./", "../", "/", "~/"].iter().any(|start| spec.starts_with(start));
    let ends = ARCHIVES.iter().any(|end| spec.to_lowercase().ends_with(end));
    starts || [".", "..", "~"].contains(&spec) || (ends && !is_remote)
}

/// Removes `@1.2.3` or `@latest` from behind the name of a package.
fn without_version(package: &str) -> &str {
    match package.rfind('@') {
        Some(at) if at > 0 => &package[..at],
        _ => package,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [Bundled; 1] = [Bundled {
        id: "chat",
        name: "Chat",
        version: "1.0.0",
        aliases: &["talk"],
        also_known_as: &["@vendor/openclaw-chat"],
        channels: &["chat"],
    }];

    fn check(spec: &str, expected: &Source<'_>) {
        assert_eq!(read(spec, Some(Path::new("/people/a")), &OURS), *expected, "{spec}");
    }

    #[test]
    fn a_package_that_this_program_stands_for_is_recognised_in_every_spelling() {
        for spec in [
            "chat",
            "talk",
            "@vendor/openclaw-chat",
            "@vendor/openclaw-chat@latest",
            "@vendor/openclaw-chat@2.4.9",
            "npm:@vendor/openclaw-chat",
            "npm:@vendor/openclaw-chat@1",
        ] {
            check(spec, &Source::Bundled(&OURS[0]));
        }
    }

    #[test]
    fn paths_are_told_from_packages() {
        for spec in ["/nowhere/at/all", "./x", "..", "x.tgz", "dir/x.tar.gz", "X.ZIP"] {
            check(spec, &Source::Path(PathBuf::from(spec)));
        }
        check("~/x", &Source::Path(PathBuf::from("/people/a/x")));
        check("npm-pack:./chat", &Source::Path(PathBuf::from("./chat")));
        for spec in [
            "npm:other",
            "@vendor/other",
            "other@1.0",
            "clawhub:other",
            "git:other.tgz",
            "https://example.com/x.tgz",
        ] {
            check(spec, &Source::Remote);
        }
    }
}
