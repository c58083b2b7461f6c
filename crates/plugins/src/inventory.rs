//! Which plugins there are, and which of them run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use contract::manifest::FILE_NAME;

use crate::bundled::Bundled;
use crate::house::House;
use crate::origin::Origin;
use crate::package::{Package, is_name};
use crate::records::{Record, Records, Source};
use crate::roots::{Blocked, Owner};
use crate::settings::PluginSettings;
use crate::source::expanded;
use crate::standing::{Standing, decide};
use crate::transaction::leftovers;

/// More plugins in one folder are not looked at.
const MOST: usize = 256;

/// All plugins of a host.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// One for each id, in the order in which they go before each other.
    pub plugins: Vec<Found>,
    /// Those of the same id that another goes before.
    pub shadowed: Vec<Shadowed>,
    /// What else is not as it should be.
    pub findings: Vec<Finding>,
}

/// One plugin that is there.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Other names by which the settings may know it.
    pub aliases: Vec<String>,
    /// Its name for people.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// The channels it brings.
    pub channels: Vec<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// Its folder, unless it is part of this program.
    pub root: Option<PathBuf>,
    /// Whether it runs, or what blocks it whatever the settings say.
    pub standing: Result<Standing, Blocked>,
    /// Its papers, if they can be read and it is not part of this program.
    pub package: Option<Package>,
    /// How it was installed, if it was.
    pub record: Option<Record>,
}

/// A plugin that another of the same id goes before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// The id of both.
    pub id: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Its folder, unless it is part of this program.
    pub root: Option<PathBuf>,
    /// Where the one comes from that runs instead.
    pub by: Origin,
    /// What would block it anyway.
    pub blocked: Option<Blocked>,
}

/// Something that is not as it should be, and no plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// `plugins.load.paths` names what is not there.
    #[error("plugins.load.paths: {} does not exist", .0.display())]
    NoLoadPath(PathBuf),
    /// `plugins.load.paths` names a folder without plugins.
    #[error("plugins.load.paths: {} holds no plugin", .0.display())]
    EmptyLoadPath(PathBuf),
    /// Something was installed that is no longer there.
    #[error("plugin {id:?} was installed into {}, which is gone", root.display())]
    Gone {
        /// Its id.
        id: String,
        /// Where it was.
        root: PathBuf,
    },
    /// The records of installations cannot be used.
    #[error("{0}")]
    Records(String),
    /// An installation is under way, or was cut off; the next one clears up.
    #[error("an installation was cut off: {}", .0.display())]
    CutOff(PathBuf),
}

impl Found {
    /// Whether it runs.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        matches!(self.standing, Ok(Standing::Enabled(_)))
    }

    /// Returns its id and then its aliases.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str)).collect()
    }

    /// Whether it is meant by a name: its id, an alias or its package.
    fn answers_to(&self, name: &str) -> bool {
        self.names().contains(&name)
            || self.package.as_ref().is_some_and(|package| package.names().contains(&name))
    }
}

impl Inventory {
    /// Finds a plugin by its id, an alias, or the name of its package.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Found> {
        let by_id = self.plugins.iter().find(|found| found.id == name);
        by_id.or_else(|| self.plugins.iter().find(|found| found.answers_to(name)))
    }

    /// Returns those that run.
    pub fn enabled(&self) -> impl Iterator<Item = &Found> {
        self.plugins.iter().filter(|found| found.is_enabled())
    }
}

impl House {
    /// Looks at all plugins. Blocks on the disk; writes nothing.
    #[must_use]
    pub fn inventory(&self, settings: &PluginSettings) -> Inventory {
        let mut inventory = Inventory::default();
        let records = Records::read(&self.state).unwrap_or_else(|err| {
            inventory.findings.push(Finding::Records(err.to_string()));
            Records::default()
        });
        let look = Look { house: self, settings, records: &records, owner: Owner::of(&self.state) };
        let mut candidates = look.load_paths(&mut inventory.findings);
        candidates.extend(look.extensions());
        candidates.extend(self.bundled.iter().map(|bundled| look.bundled(bundled)));
        candidates.sort_by_key(|found| found.origin);
        look.gone(&candidates, &mut inventory.findings);
        let cut_off = leftovers(&self.extensions());
        inventory.findings.extend(cut_off.into_iter().map(Finding::CutOff));
        choose(candidates, &mut inventory);
        one_channel_each(&mut inventory.plugins);
        inventory
    }
}

/// One look at everything.
struct Look<'a> {
    house: &'a House,
    settings: &'a PluginSettings,
    records: &'a Records,
    owner: Owner,
}

impl Look<'_> {
    fn bundled(&self, bundled: &Bundled) -> Found {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Found {
            id: bundled.id.to_owned(),
            aliases: texts(bundled.aliases),
            name: bundled.name.to_owned(),
            version: Some(bundled.version.to_owned()),
            channels: texts(bundled.channels),
            origin: Origin::Bundled,
            root: None,
            standing: Ok(decide(self.settings, &bundled.names(), Origin::Bundled)),
            package: None,
            record: None,
        }
    }

    /// Looks into the folder of installed plugins.
    fn extensions(&self) -> Vec<Found> {
        let folder = self.house.extensions();
        let folders = children(&folder);
        folders.iter().filter_map(|root| self.at(root, Some(&folder), self.origin(root))).collect()
    }

    fn origin(&self, root: &Path) -> Origin {
        let name = root.file_name().unwrap_or_default().to_string_lossy();
        let is_copy = |record: &Record| record.source != Source::Link;
        if self.records.get(&name).is_some_and(is_copy) {
            Origin::Installed
        } else {
            Origin::Untracked
        }
    }

    fn load_paths(&self, findings: &mut Vec<Finding>) -> Vec<Found> {
        let mut all = Vec::new();
        for path in &self.settings.load.paths {
            let path = expanded(&path.to_string_lossy(), self.house.home.as_deref());
            let path = self.house.state.join(path);
            if !path.is_dir() {
                findings.push(Finding::NoLoadPath(path));
                continue;
            }
            if path.join(FILE_NAME).exists() {
                all.extend(self.at(&path, None, Origin::LoadPath));
                continue;
            }
            let roots = children(&path).into_iter().filter(|root| root.join(FILE_NAME).exists());
            let found = roots.filter_map(|root| self.at(&root, Some(&path), Origin::LoadPath));
            let before = all.len();
            all.extend(found);
            if all.len() == before {
                findings.push(Finding::EmptyLoadPath(path));
            }
        }
        all
    }

    /// Looks at one folder; `None` if not even its name could be that of a plugin.
    fn at(&self, root: &Path, within: Option<&Path>, origin: Origin) -> Option<Found> {
        let trusted = within.map_or(Ok(()), |within| self.owner.check(within));
        let trusted = trusted.and_then(|()| self.owner.check_plugin(root, within));
        let package = Package::read(root);
        let folder = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let id = package.as_ref().map_or(folder, |package| package.manifest.id.clone());
        if !is_name(&id) {
            return None;
        }
        let fit = |package: &Package| package.check(self.house.version);
        let fit = match &package {
            Ok(package) => fit(package).map_err(|err| Blocked::Unfit(err.to_string())),
            Err(err) => Err(Blocked::Unfit(err.to_string())),
        };
        let standing = trusted.and(fit).map(|()| decide(self.settings, &[&id], origin));
        let package = package.ok();
        let manifest = package.as_ref().map(|package| &package.manifest);
        let wants_record = |record: &&Record| match origin {
            Origin::LoadPath => record.source == Source::Link,
            Origin::Installed => true,
            Origin::Bundled | Origin::Untracked => false,
        };
        Some(Found {
            aliases: Vec::new(),
            name: manifest.and_then(|it| it.name.clone()).unwrap_or_else(|| id.clone()),
            version: package.as_ref().and_then(|package| package.version.clone()),
            channels: manifest
                .iter()
                .flat_map(|it| &it.channels)
                .map(ToString::to_string)
                .collect(),
            origin,
            root: Some(root.to_owned()),
            standing,
            record: self.records.get(&id).filter(wants_record).cloned(),
            package,
            id,
        })
    }

    fn gone(&self, candidates: &[Found], findings: &mut Vec<Finding>) {
        for (id, record) in self.records.iter() {
            if !candidates.iter().any(|found| found.id == id && found.record.is_some()) {
                let root = record.install_path.clone();
                findings.push(Finding::Gone { id: id.to_owned(), root });
            }
        }
    }
}

/// Of each id the first that could run goes before the others, which are in
/// the order of their origins.
fn choose(candidates: Vec<Found>, inventory: &mut Inventory) {
    let mut by_id: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    for found in candidates {
        by_id.entry(found.id.clone()).or_default().push(found);
    }
    for (id, mut same) in by_id {
        let winner = same.iter().position(|found| found.standing.is_ok()).unwrap_or(0);
        let winner = same.remove(winner);
        let by = winner.origin;
        inventory.shadowed.extend(same.into_iter().map(|found| Shadowed {
            id: id.clone(),
            origin: found.origin,
            root: found.root,
            by,
            blocked: found.standing.err(),
        }));
        inventory.plugins.push(winner);
    }
    inventory.plugins.sort_by(|a, b| (a.origin, &a.id).cmp(&(b.origin, &b.id)));
}

/// Blocks those whose channel another brings already.
fn one_channel_each(plugins: &mut [Found]) {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for found in plugins.iter_mut().filter(|found| found.is_enabled()) {
        let clash = found.channels.iter().find_map(|channel| taken.get_key_value(channel));
        if let Some((channel, by)) = clash {
            let (channel, by) = (channel.clone(), by.clone());
            found.standing = Err(Blocked::ChannelTaken { channel, by });
            continue;
        }
        let id = &found.id;
        taken.extend(found.channels.iter().map(|channel| (channel.clone(), id.clone())));
    }
}

/// Returns what lies in a folder and is not hidden, by name.
fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let seen = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let mut folders: Vec<PathBuf> =
        seen.map(|entry| entry.path()).filter(|path| path.is_dir()).take(MOST).collect();
    folders.sort();
    folders
}
