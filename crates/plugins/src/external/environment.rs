//! Which variables a program is given: what programs need to run and to find
//! their way to the network, and none of the host's secrets.

use std::ffi::{OsStr, OsString};

/// Names that are passed on. With a `*` behind it, all that begin so.
const PASSED: [&str; 17] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TMPDIR",
    "TMP",
    "TEMP",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    // Where the certificates of the system lie.
    "SSL_CERT_*",
];
/// Without these hardly anything runs on Windows.
#[cfg(windows)]
const OF_SYSTEM: [&str; 12] = [
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "USERNAME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "PROGRAMFILES*",
    "PROCESSOR_ARCHITECTURE",
];
#[cfg(not(windows))]
const OF_SYSTEM: [&str; 0] = [];

/// Returns the variables of this process that a program is given.
pub(super) fn passed() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_passed(name))
}

/// Names of proxies are written in both cases, and on Windows all names are.
fn is_passed(name: &OsStr) -> bool {
    let Some(name) = name.to_str().map(str::to_ascii_uppercase) else { return false };
    PASSED.iter().chain(&OF_SYSTEM).any(|passed| match passed.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *passed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_need_is_passed_on_and_nothing_else() {
        for name in ["PATH", "LC_CTYPE", "https_proxy", "NO_PROXY", "TZ", "SSL_CERT_FILE"] {
            assert!(is_passed(OsStr::new(name)), "{name}");
        }
        for name in ["OPENAI_API_KEY", "HONGYAN_GATEWAY_TOKEN", "PATHS", "LD_PRELOAD", "XPATH"] {
            assert!(!is_passed(OsStr::new(name)), "{name}");
        }
    }
}
