use super::*;

const PROGRAM: &str = "p 1";

fn opened(dir: &Path) -> Claims {
    Claims::open(dir, PROGRAM, None).unwrap()
}

fn taken(claims: &Claims, name: &str) -> Result<Claim, LockError> {
    claims.take([name]).unwrap().remove(0)
}

fn names(dir: &Path) -> Vec<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<_> = files(dir).unwrap().map(name).collect();
    names.sort();
    names
}

/// Leaves what a process leaves that is killed: its files, and no lock.
fn killed(dir: &Path, name: &str) -> PathBuf {
    let claims = opened(dir);
    let claim = taken(&claims, name).unwrap();
    let list = claims.shared.path.clone();
    let left = [list.clone(), list.with_extension(VOUCHER)]
        .map(|path| (std::fs::read(&path).unwrap(), path));
    drop((claim, claims));
    left.into_iter().for_each(|(bytes, path)| std::fs::write(path, bytes).unwrap());
    list
}

#[test]
fn what_one_has_claimed_the_other_learns_by_whom_also_in_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("locks");
    assert!(claimants(dir).is_empty());
    assert!(!dir.exists(), "looking makes a folder");
    let one = Claims::open(dir, PROGRAM, Some(Path::new("/one"))).unwrap();
    let other = opened(dir);
    let held = taken(&one, "a").unwrap();

    let refused = taken(&other, "a").unwrap_err();
    assert_eq!(refused.to_string(), one.shared.owner.to_string());
    let refused = taken(&one, "a").unwrap_err();
    assert_eq!(refused.to_string(), one.shared.owner.to_string());
    assert_eq!(claimants(dir), [("a".to_owned(), one.shared.owner.clone())].into());
    taken(&other, "b").unwrap();

    drop(held);
    assert!(claimants(dir).is_empty());
    taken(&other, "a").unwrap();
    drop((one, other));
    assert_eq!(names(dir), [TURN], "given back in order");
}

#[test]
fn claims_outlive_the_right_to_make_more() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("locks");
    let held = taken(&opened(dir), "a").unwrap();
    let other = opened(dir);
    assert!(taken(&other, "a").is_err());
    drop(held);
    taken(&other, "a").unwrap();
}

#[test]
fn some_of_many_are_had_by_others() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("locks");
    let (one, other) = (opened(dir), opened(dir));
    let _held = taken(&one, "b").unwrap();
    let got = other.take(["a", "b", "c", "c"]).unwrap();
    assert_eq!(got.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
    let all = claimants(dir);
    assert_eq!(all.keys().map(String::as_str).collect::<HashSet<_>>(), ["a", "b", "c"].into());
}

#[test]
fn what_a_killed_process_had_is_free_at_once_and_tidied_later() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("locks");
    let before = opened(dir);
    let _held = taken(&before, "held").unwrap();
    let list = killed(dir, "a");
    assert_eq!(claimants(dir).len(), 1);
    let _a = taken(&before, "a").unwrap();

    let voucher_is_gone = killed(dir, "b");
    std::fs::remove_file(voucher_is_gone.with_extension(VOUCHER)).unwrap();
    let n_before = names(dir).len();
    let after = opened(dir);
    assert!(!list.exists() && !voucher_is_gone.exists(), "{n_before}: {:?}", names(dir));
    assert!(taken(&after, "held").is_err(), "tidying frees what is held");
}

/// Killed between its voucher and its list, and in the midst of that: while the
/// voucher is locked, a line counts when it is whole.
#[test]
fn a_claim_that_was_never_finished_is_nobodys() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("locks");
    let (one, other) = (opened(dir), opened(dir));
    let _held = taken(&one, "a").unwrap();
    let whole = text(&one.shared.path).unwrap();
    for n in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        std::fs::write(&one.shared.path, &whole[..n]).unwrap();
        drop(taken(&other, "a").unwrap());
    }
    std::fs::write(&one.shared.path, &whole).unwrap();
    assert!(taken(&other, "a").is_err());
}

#[test]
fn a_list_does_not_grow_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("locks");
    let claims = opened(dir);
    let _held = taken(&claims, "held").unwrap();
    let many: Vec<_> = (0..300).map(|n| n.to_string()).collect();
    for _ in 0..4 {
        drop(claims.take(many.iter().map(String::as_str)).unwrap());
    }
    let n_lines = text(&claims.shared.path).unwrap().lines().count();
    assert!(n_lines < 4 * 2 * many.len(), "{n_lines}");
    assert_eq!(claimants(dir).len(), 1);
}

#[test]
fn what_could_not_be_written_is_not_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("locks");
    let claims = opened(dir);
    std::fs::create_dir(&claims.shared.path).unwrap();
    assert!(claims.take(["a"]).is_err());
    std::fs::remove_dir(&claims.shared.path).unwrap();
    let _a = taken(&claims, "a").unwrap();
    assert_eq!(claimants(dir).len(), 1);
}

#[cfg(unix)]
#[test]
fn only_the_person_can_read_what_is_written() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Claims::open(dir.path(), PROGRAM, None).is_err());
    let dir = &dir.path().join("locks");
    let claims = opened(dir);
    let _claim = taken(&claims, "a").unwrap();
    claims.refresh();
    for path in files(dir).unwrap() {
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600, "{}", path.display());
    }
}

/// Ten thousand accounts poll with one open file for all their tokens.
#[cfg(target_os = "linux")]
#[test]
fn thousands_of_claims_are_one_open_file() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("locks");
    let opened_here = || {
        let fds = std::fs::read_dir("/proc/self/fd").unwrap();
        let targets = fds.filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok());
        targets.filter(|target| target.starts_with(dir)).count()
    };
    let claims = opened(dir);
    let all: Vec<_> = (0..10_000).map(|n| n.to_string()).collect();
    let held = claims.take(all.iter().map(String::as_str)).unwrap();
    assert!(held.iter().all(Result::is_ok));
    assert_eq!(opened_here(), 1);
}
