//! The new state into the place of the old one, as one step.
//!
//! What is going to be moved is written down first, beside the new state: from
//! then on the swap is decided, and whoever finds it cut carries it out. Each
//! file or folder is moved by one rename, so it can be seen which were.
//!
//! ```text
//! <state>/.restore-x/swap.json           what is moved
//! <state>/.restore-x/files/state/…   ─▶  <state>/…  ─▶  <state>/before-restore-…/…
//! ```

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempDir};
use weixin::CHANNEL_ID;

use super::contents::{ASIDE, STAGE};
use super::manifest::{Manifest, STATE};
use super::{BackupError, io, make_private};
use crate::error::CliError;

/// The lock of a gateway stays where it is: this process holds it.
const LOCK: &str = "gateway.lock";
/// Where it is written down, in the stage.
const PLAN: &str = "swap.json";

/// What is moved.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    /// The backup that is restored.
    manifest: Manifest,
    /// What is there, in the order in which it goes.
    old: Vec<String>,
    /// Where it goes; `None` if nothing is there.
    aside: Option<String>,
}

/// A swap that has been made.
pub(super) struct Swapped {
    pub(super) manifest: Manifest,
    /// Where the old state is now.
    pub(super) aside: Option<PathBuf>,
}

/// Returns where the new state lies in a stage.
pub(super) fn folder(stage: &Path) -> PathBuf {
    stage.join("files").join(STATE)
}

/// Puts what is in the stage in the place of the old state.
///
/// The channel's folder goes first and comes in last: a kill in between leaves a
/// state without accounts.
pub(super) fn swap(stage: TempDir, manifest: &Manifest, dir: &Path) -> Result<Swapped, CliError> {
    let mut old: Vec<_> = state_of(dir)?.iter().map(|path| name(path)).collect();
    old.sort_by_key(|name| name != CHANNEL_ID);
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    let mark = name(stage.path()).trim_start_matches(STAGE).to_owned();
    let aside = (!old.is_empty()).then(|| format!("{ASIDE}{now}-{mark}"));
    let plan = Plan { manifest: manifest.clone(), old, aside };
    // A power cut must not find the old state gone and the new one not written.
    #[cfg(unix)]
    rustix::fs::sync();
    write(&plan, stage.path()).map_err(io(stage.path()))?;
    // It is decided: also when something fails from here on, the stage is needed.
    carry_out(plan, &stage.keep(), dir)
}

/// Carries out a swap that was cut, and removes what was cut before one was
/// decided.
pub(super) fn finish(dir: &Path) -> Result<Option<Swapped>, CliError> {
    let mut finished = None;
    for stage in stages(dir)? {
        match read(&stage)? {
            Some(plan) => finished = Some(carry_out(plan, &stage, dir)?),
            None => std::fs::remove_dir_all(&stage).map_err(io(&stage))?,
        }
    }
    Ok(finished)
}

/// Says whether a swap was cut, so that what lies there is half of two states.
pub(super) fn is_cut(dir: &Path) -> bool {
    stages(dir).is_ok_and(|stages| stages.iter().any(|stage| stage.join(PLAN).exists()))
}

/// Returns what is in a state folder and would be replaced.
pub(super) fn state_of(dir: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = entries(dir)?;
    found.retain(|path| {
        let name = name(path);
        name != LOCK && !name.starts_with(ASIDE) && !name.starts_with(STAGE)
    });
    Ok(found)
}

pub(super) fn entries(dir: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let read = std::fs::read_dir(dir).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut paths = read.map_err(io(dir))?;
    paths.sort();
    Ok(paths)
}

fn carry_out(plan: Plan, stage: &Path, dir: &Path) -> Result<Swapped, CliError> {
    let aside = plan.aside.map(|name| dir.join(name));
    if let Some(aside) = &aside {
        make_private(aside)?;
        // What has a place there already has been moved; of that name is new.
        for name in plan.old.iter().filter(|name| !aside.join(name).exists()) {
            let path = dir.join(name);
            std::fs::rename(&path, aside.join(name)).map_err(io(&path))?;
        }
    }
    let new = folder(stage);
    let mut new = if new.exists() { entries(&new)? } else { Vec::new() };
    new.sort_by_key(|path| name(path) == CHANNEL_ID);
    for path in new {
        std::fs::rename(&path, dir.join(name(&path))).map_err(io(&path))?;
    }
    #[cfg(unix)]
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir))?;
    // What is written down goes last: until then it can be carried out again.
    let files = stage.join("files");
    for path in [&*files, stage].into_iter().filter(|path| path.exists()) {
        std::fs::remove_dir_all(path).map_err(io(path))?;
    }
    Ok(Swapped { manifest: plan.manifest, aside })
}

fn stages(dir: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = entries(dir)?;
    found.retain(|path| name(path).starts_with(STAGE));
    Ok(found)
}

fn write(plan: &Plan, stage: &Path) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(stage)?;
    serde_json::to_writer(&mut file, plan)?;
    file.flush()?;
    file.as_file().sync_all()?;
    file.persist(stage.join(PLAN))?;
    // The name, too, before the first move.
    #[cfg(unix)]
    std::fs::File::open(stage)?.sync_all()?;
    Ok(())
}

fn read(stage: &Path) -> Result<Option<Plan>, CliError> {
    let path = stage.join(PLAN);
    match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(CliError::bug),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(io(&path)(err).into()),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
