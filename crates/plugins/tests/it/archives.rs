//! What is unpacked, and what never is.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use plugins::archive::unpack;
use plugins::{BadMember, Limits, UnpackError};

use crate::crafted::{Tar, Zip, gzip};

const LIMITS: Limits = Limits { members: 8, bytes: 64 << 20, ratio: 100 };

/// Unpacks and returns what lies there then, or the reason.
fn unpacked(bytes: &[u8]) -> Result<Vec<String>, String> {
    unpacked_within(bytes, &LIMITS)
}

fn unpacked_within(bytes: &[u8], limits: &Limits) -> Result<Vec<String>, String> {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("a/b");
    fs::create_dir(dir.path().join("a")).unwrap();
    let result = unpack(Cursor::new(bytes), &into, limits).map_err(|err| err.to_string());
    // Whatever comes of it: there is nothing beside the folder.
    assert_eq!(names(dir.path()), ["a"]);
    assert!(names(&dir.path().join("a")).len() <= 1);
    result.map(|()| listed(&into, &into))
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn listed(root: &Path, dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for name in names(dir) {
        let path = dir.join(name);
        let shown = path.strip_prefix(root).unwrap().display().to_string();
        if let Ok(target) = fs::read_link(&path) {
            all.push(format!("{shown} -> {}", target.display()));
        } else if path.is_dir() {
            all.push(format!("{shown}/"));
            all.extend(listed(root, &path));
        } else {
            let content = fs::read(&path).unwrap();
            all.push(format!("{shown}: {}", String::from_utf8_lossy(&content)));
        }
    }
    all
}

fn refused(bytes: &[u8], reason: &UnpackError) {
    assert_eq!(unpacked(bytes), Err(reason.to_string()));
}

fn bad(name: &str, why: BadMember) -> UnpackError {
    UnpackError::Member { name: name.to_owned(), why }
}

fn kind(name: &str, kind: &'static str) -> UnpackError {
    UnpackError::Kind { name: name.to_owned(), kind }
}

#[test]
fn honest_archives_are_unpacked_whatever_their_format() {
    let tar = || Tar::default().folder("package/").file("package/bin/run", b"hi").file("b", b"");
    let expected =
        Ok(["b: ", "package/", "package/bin/", "package/bin/run: hi"].map(str::to_owned));
    let expected = expected.map(|lines| lines.to_vec());
    assert_eq!(unpacked(&tar().bytes()), expected);
    assert_eq!(unpacked(&tar().gzipped()), expected);
    let zip = Zip::default()
        .file("package/", 0o040_755, b"")
        .deflated("package/bin/run", b"hi")
        .file("b", 0o100_644, b"");
    assert_eq!(unpacked(&zip.bytes()), expected);
}

#[test]
fn long_names_are_read_as_gnu_and_pax_write_them() {
    let name = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    let expected = Ok(vec![format!("{}/", "d".repeat(120)), format!("{name}: x")]);
    let gnu = Tar::default().member("././@LongLink", b'L', 0, "", name.as_bytes());
    assert_eq!(unpacked(&gnu.file("short", b"x").bytes()), expected);
    let record = format!(" path={name}\n");
    let record = format!("{}{record}", record.len() + 3);
    let pax = Tar::default().member("pax", b'x', 0, "", record.as_bytes());
    assert_eq!(unpacked(&pax.file("short", b"x").bytes()), expected);
}

#[test]
fn names_that_lead_out_are_refused_however_they_are_written() {
    for (name, why) in [
        ("/etc/cron.d/x", BadMember::Absolute),
        ("../x", BadMember::Upwards),
        ("a/../../x", BadMember::Upwards),
        ("a\\..\\..\\x", BadMember::Characters),
        ("C:x", BadMember::Characters),
    ] {
        refused(&Tar::default().file(name, b"x").bytes(), &bad(name, why));
        refused(&Tar::default().folder(name).gzipped(), &bad(name, why));
        refused(&Tar::default().link(name, "a").bytes(), &bad(name, why));
        refused(&Zip::default().file(name, 0o644, b"x").bytes(), &bad(name, why));
        let long = Tar::default().member("././@LongLink", b'L', 0, "", name.as_bytes());
        refused(&long.file("harmless", b"x").bytes(), &bad(name, why));
        let record = format!(" path={name}\n");
        let record = format!("{}{record}", record.len() + 2);
        let pax = Tar::default().member("pax", b'x', 0, "", record.as_bytes());
        refused(&pax.file("harmless", b"x").bytes(), &bad(name, why));
    }
}

#[cfg(unix)]
#[test]
fn links_may_lead_within_the_folder_only() {
    let within = Tar::default().file("lib/so.1", b"x").link("lib/so", "so.1").link("l", "lib");
    let expected = ["l -> lib", "lib/", "lib/so -> so.1", "lib/so.1: x"].map(str::to_owned);
    assert_eq!(unpacked(&within.bytes()), Ok(expected.to_vec()));

    let link = |name: &str| UnpackError::Link { name: name.to_owned() };
    refused(&Tar::default().link("l", "/etc").bytes(), &link("l"));
    refused(&Tar::default().link("l", "..").bytes(), &link("l"));
    refused(&Tar::default().link("l", "nowhere").bytes(), &link("l"));
    refused(&Tar::default().link("l", "l").bytes(), &link("l"));
    refused(&Zip::default().file("l", 0o120_777, b"/etc").bytes(), &link("l"));
    // Each link looks harmless for itself; together they lead out.
    let pair = Tar::default().folder("a/b/c").link("a/b/c/root", "../../..");
    refused(&pair.link("z", "a/b/c/root/../..").bytes(), &link("z"));
}

#[test]
fn nothing_is_written_through_a_link() {
    let through = Tar::default().link("l", "..").file("l/x", b"x");
    refused(&through.bytes(), &UnpackError::Twice { name: "l".to_owned() });
    let through = Tar::default().link("l", "..").link("l/x", "y");
    let reason = unpacked(&through.bytes()).unwrap_err();
    assert!(reason.contains("\"l\""), "{reason}");
}

#[test]
fn only_files_folders_and_symbolic_links_come_out() {
    let tar = |kind: u8| Tar::default().member("x", kind, 0o644, "/etc/passwd", b"").bytes();
    refused(&tar(b'1'), &kind("x", "hard link"));
    refused(&tar(b'3'), &kind("x", "device"));
    refused(&tar(b'4'), &kind("x", "device"));
    refused(&tar(b'6'), &kind("x", "pipe"));
    refused(&tar(b'S'), &kind("x", "thing of an unknown kind"));
    let zip = Zip::default().file("x", 0o020_644, b"");
    refused(&zip.bytes(), &kind("x", "device or pipe"));
}

#[test]
fn two_things_do_not_share_a_place() {
    let twice = UnpackError::Twice { name: "a".to_owned() };
    refused(&Tar::default().file("a", b"1").file("a", b"2").bytes(), &twice);
    refused(&Tar::default().file("a", b"1").file("./a/b", b"2").bytes(), &twice);
    refused(&Tar::default().file("a", b"1").folder("a").bytes(), &twice);
    refused(&Zip::default().file("a", 0, b"1").file("a", 0, b"2").bytes(), &twice);
}

#[cfg(unix)]
#[test]
fn of_a_mode_only_the_bit_that_makes_a_program_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let tar = Tar::default().mode("setuid", 0o6755).mode("open", 0o666).mode("closed", 0o000);
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("x");
    unpack(Cursor::new(tar.bytes()), &into, &LIMITS).unwrap();
    let mode = |name: &str| fs::metadata(into.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!([mode("setuid"), mode("open"), mode("closed")], [0o755, 0o644, 0o644]);
    assert_eq!(fs::metadata(&into).unwrap().permissions().mode() & 0o7777, 0o700);
}

#[test]
fn bombs_do_not_go_off() {
    let zeros = vec![0; 9 << 20];
    refused(&Tar::default().file("x", &zeros).gzipped(), &UnpackError::Bomb(100));
    refused(&Zip::default().deflated("x", &zeros).bytes(), &UnpackError::Bomb(100));
    // Behind the end of the archive, where no member is.
    let mut tail = Tar::default().file("x", b"").bytes();
    tail.extend(&zeros);
    refused(&gzip(&tail), &UnpackError::Bomb(100));
    // In a header that is read into memory.
    let name = vec![b'n'; 9 << 20];
    let header = Tar::default().member("././@LongLink", b'L', 0, "", &name).gzipped();
    assert!(unpacked(&header).unwrap_err().contains("a header is too long"));

    let few = |bytes| Limits { members: 8, bytes, ratio: u64::MAX };
    let large = Tar::default().file("x", &[7; 101]).bytes();
    assert_eq!(unpacked_within(&large, &few(101)).unwrap().len(), 1);
    let reason = unpacked_within(&large, &few(100)).unwrap_err();
    assert_eq!(reason, UnpackError::TooLarge(100).to_string());

    let many = (0..9).fold(Tar::default(), |tar, n| tar.file(&n.to_string(), b""));
    refused(&many.bytes(), &UnpackError::TooMany(8));
    let folders = (0..9).fold(Tar::default(), |tar, _| tar.folder("same"));
    refused(&folders.bytes(), &UnpackError::TooMany(8));
}

#[test]
fn damage_is_noticed() {
    let whole = Tar::default().file("x", b"some content").gzipped();
    for n in [4, whole.len() / 2, whole.len() - 1] {
        assert!(unpacked(&whole[..n]).is_err(), "{n} of {} bytes", whole.len());
    }
    let mut wrong_sum = whole.clone();
    let last = wrong_sum.len() - 5;
    wrong_sum[last] ^= 1;
    assert!(unpacked(&wrong_sum).unwrap_err().contains("damaged"));
    let cut = Tar::default().file("x", &[1; 600]).bytes();
    assert!(unpacked(&cut[..1000]).unwrap_err().contains("damaged"));

    let zip = Zip::default().member("x", 0, 0, b"content", 7, 0).bytes();
    assert!(unpacked(&zip).unwrap_err().contains("not what the directory says"));
    let zip = Zip::default().file("x", 0, b"content").bytes();
    assert!(unpacked(&zip[..zip.len() - 1]).unwrap_err().contains("directory"));
    for nothing in [&b""[..], b"hello", &[0; 2048], b"Rar!\x1a\x07"] {
        refused(nothing, &UnpackError::NoArchive);
    }
}

#[test]
fn a_second_size_is_refused_because_readers_differ_on_it() {
    let tar = Tar::default().member("pax", b'x', 0, "", b"12 size=512\n").file("x", b"");
    assert!(unpacked(&tar.bytes()).unwrap_err().contains("second size"));
}

#[test]
fn a_byte_that_is_wrong_is_never_a_way_out() {
    let tar = Tar::default().folder("a/").file("a/x", b"content").link("a/l", "x").bytes();
    let zip = Zip::default().file("a/x", 0o100_755, b"content").deflated("y", b"more").bytes();
    for (archive, step) in [(tar, 29), (zip, 5)] {
        for at in (0..archive.len().min(2_048)).step_by(step) {
            for wrong in [b'/', 0xff] {
                let mut damaged = archive.clone();
                damaged[at] = wrong;
                // Whether it is refused or not, nothing may lie beside the folder,
                // and all that lies in it can be listed.
                drop(unpacked(&damaged));
            }
        }
    }
}
