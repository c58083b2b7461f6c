//! Which files of this machine may be sent.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use mediafile::local::{Opened, Refused, Roots};
use tempfile::TempDir;

/// A folder that is allowed, `out`, and one that is not, `secret`.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        for folder in ["out/deep", "secret"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("secret/key.txt"), "secret").unwrap();
        Self { dir }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn with(self, path: &str) -> Self {
        fs::write(self.path(path), "allowed").unwrap();
        self
    }

    fn open(&self, reference: &str) -> Result<Opened, Refused> {
        Roots::new(vec![self.path("out")], Some(self.path(""))).open(reference)
    }

    /// Opens `path`, given whole.
    fn open_at(&self, path: &str) -> Result<Opened, Refused> {
        self.open(self.path(path).to_str().unwrap())
    }
}

fn text(opened: Opened) -> String {
    let mut text = String::new();
    { opened.file }.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_file_below_a_root_is_opened_however_it_is_named() {
    let name = "年度 报告 #1 100%20 🎉.pdf";
    let place = Place::new().with(&format!("out/deep/{name}"));
    let whole = place.path("out/deep").join(name);
    let url = url::Url::from_file_path(&whole).unwrap();
    let naive = format!("file://{}", whole.display());
    let home = format!("~/out/deep/{name}");
    let relative = format!("deep/{name}");
    let around = format!("deep/../deep/./{name}");
    for reference in [whole.to_str().unwrap(), url.as_str(), &naive, &home, &relative, &around] {
        let opened = place.open(reference).unwrap_or_else(|err| panic!("{reference}: {err}"));
        assert_eq!((opened.name.as_str(), opened.len), (name, 7), "{reference}");
        assert_eq!(text(opened), "allowed");
    }
}

#[test]
fn a_file_outside_is_refused_with_the_way_out() {
    let place = Place::new();
    for path in ["secret/key.txt", "out/../secret/key.txt", "out/deep/../../secret/key.txt"] {
        assert!(matches!(place.open_at(path), Err(Refused::Outside { .. })), "{path}");
    }
    let said = place.open("../secret/key.txt").unwrap_err().to_string();
    assert!(said.contains("key.txt") && said.contains("out); copy it"), "{said}");
    // A folder beside a root whose name begins alike is not below it.
    fs::create_dir(place.path("outside")).unwrap();
    fs::write(place.path("outside/a"), "").unwrap();
    assert!(matches!(place.open_at("outside/a"), Err(Refused::Outside { .. })));
}

#[test]
fn without_roots_nothing_is_sent() {
    let place = Place::new().with("out/a");
    let whole = place.path("out/a");
    let relative_root = Roots::new(vec![".".into(), "".into()], None);
    for roots in [Roots::default(), relative_root] {
        for reference in [whole.to_str().unwrap(), "a", "Cargo.toml"] {
            let refused = roots.open(reference).unwrap_err();
            assert!(matches!(refused, Refused::Outside { .. }), "{reference}: {refused}");
        }
    }
}

#[test]
fn a_relative_path_never_means_where_the_process_runs() {
    assert!(fs::exists("Cargo.toml").unwrap());
    assert!(matches!(Place::new().open("Cargo.toml"), Err(Refused::NotFound { .. })));
}

#[test]
fn a_relative_path_is_looked_for_in_each_root() {
    let place = Place::new().with("out/deep/a");
    let roots = Roots::new(vec![place.path("missing"), place.path("out/deep")], None);
    assert_eq!(text(roots.open("a").unwrap()), "allowed");
}

#[test]
fn a_folder_is_no_file() {
    let place = Place::new();
    assert!(matches!(place.open_at("out/deep"), Err(Refused::NotAFile { .. })));
    assert!(matches!(place.open_at("out"), Err(Refused::NotAFile { .. })));
    assert!(matches!(place.open_at("out/missing"), Err(Refused::NotFound { .. })));
    assert!(matches!(place.open_at("out/missing/a"), Err(Refused::NotFound { .. })));
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn links_are_followed_before_it_is_decided() {
        let place = Place::new().with("out/deep/a");
        symlink(place.path("secret/key.txt"), place.path("out/link")).unwrap();
        symlink(place.path("secret"), place.path("out/folder")).unwrap();
        symlink(place.path("out/link"), place.path("out/link to link")).unwrap();
        for path in ["out/link", "out/folder/key.txt", "out/link to link"] {
            assert!(matches!(place.open_at(path), Err(Refused::Outside { .. })), "{path}");
        }
        symlink("deep/a", place.path("out/latest.txt")).unwrap();
        let opened = place.open("latest.txt").unwrap();
        assert_eq!(opened.name, "latest.txt");
        assert_eq!(opened.path, place.path("out/deep/a").canonicalize().unwrap());
        assert_eq!(text(opened), "allowed");
        symlink(place.path("out"), place.path("root")).unwrap();
        let linked = Roots::new(vec![place.path("root")], None);
        assert_eq!(text(linked.open("deep/a").unwrap()), "allowed");
    }

    #[test]
    fn pipes_sockets_devices_and_files_of_the_kernel_are_no_files() {
        let place = Place::new();
        let _socket = std::os::unix::net::UnixListener::bind(place.path("out/socket")).unwrap();
        assert!(matches!(place.open_at("out/socket"), Err(Refused::NotAFile { .. })));
        let mode = rustix::fs::Mode::from(0o600);
        let pipe = place.path("out/pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(matches!(place.open_at("out/pipe"), Err(Refused::NotAFile { .. })));
        let everything = Roots::new(vec!["/".into()], None);
        for path in ["/dev/zero", "/proc/self/environ", "/proc/self/fd/0"] {
            if fs::exists(path).unwrap() {
                let refused = everything.open(path).unwrap_err();
                assert!(matches!(refused, Refused::NotAFile { .. }), "{path}: {refused}");
            }
        }
    }

    #[test]
    fn a_link_that_comes_and_goes_never_leads_outside() {
        let place = Place::new().with("out/deep/key.txt");
        fs::create_dir(place.path("evil")).unwrap();
        fs::rename(place.path("out/deep"), place.path("evil/good")).unwrap();
        symlink(place.path("secret"), place.path("evil/bad")).unwrap();
        let is_over = AtomicBool::new(false);
        let n_opened = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (at, good, bad) =
                    (place.path("out/deep"), place.path("evil/good"), place.path("evil/bad"));
                while !is_over.load(Ordering::Relaxed) {
                    fs::rename(&good, &at).unwrap();
                    fs::rename(&at, &good).unwrap();
                    fs::rename(&bad, &at).unwrap();
                    fs::rename(&at, &bad).unwrap();
                }
            });
            let opened = (0..20_000).filter_map(|_| place.open("deep/key.txt").ok());
            let texts: Vec<String> = opened.map(text).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(texts.iter().all(|text| text == "allowed"), "a secret came out");
            texts.len()
        });
        assert!(n_opened > 0);
    }
}
