//! Installing, linking, updating, and switching on and off.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use contract::manifest::FILE_NAME;
use jiff::Timestamp;

use crate::archive;
use crate::bundled::Bundled;
use crate::edit::{self, ConfigEdit, Edit};
use crate::error::PluginError;
use crate::folder;
use crate::house::House;
use crate::inventory::Found;
use crate::origin::Origin;
use crate::package::Package;
use crate::records::{Record, Source, Surface};
use crate::roots::Owner;
use crate::settings::PluginSettings;
use crate::source;
use crate::stage::UnpackError;
use crate::standing::{Standing, decide};
use crate::transaction::{Lock, Transaction};

/// What can be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It is part of this program and only has to be switched on.
    Bundled(Bundled),
    /// A copy of what lies at a path.
    Copy {
        /// A folder or an archive.
        path: PathBuf,
        /// Which of both.
        source: Source,
    },
}

/// A package that lies ready and has been checked, but is not installed yet.
///
/// Nobody else can install meanwhile. Dropped, it leaves nothing.
pub struct Prepared {
    /// What is going to be installed.
    pub package: Package,
    /// Where it comes from.
    pub path: PathBuf,
    /// How.
    pub source: Source,
    /// What was agreed to when it was installed before.
    pub agreed: Option<Surface>,
    /// What lies in its place and will be replaced.
    pub replaces: Option<PathBuf>,
    work: Work,
}

/// What still has to be done.
enum Work {
    /// The package lies in the transaction and goes to its place.
    Put(Transaction),
    /// The package stays where it is.
    Link(Lock),
}

impl Work {
    fn lock(&self) -> &Lock {
        match self {
            Self::Put(transaction) => transaction.lock(),
            Self::Link(lock) => lock,
        }
    }
}

/// What has been installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its id.
    pub id: String,
    /// Where it lies.
    pub root: PathBuf,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// The version before, if there was one.
    pub before: Option<String>,
    /// Whether the settings let it run.
    pub standing: Standing,
}

impl House {
    /// Finds out what is meant by the word after `plugins install`.
    ///
    /// # Errors
    ///
    /// There is nothing at that path, or it would have to be fetched.
    pub fn wanted(&self, spec: &str) -> Result<Wanted, PluginError> {
        let path = match source::read(spec, self.home.as_deref(), &self.bundled) {
            source::Source::Bundled(bundled) => return Ok(Wanted::Bundled(bundled.clone())),
            source::Source::Remote => return Err(PluginError::Remote(spec.to_owned())),
            source::Source::Path(path) => std::path::absolute(&path).unwrap_or(path),
        };
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => Ok(Wanted::Copy { path, source: Source::Path }),
            Ok(found) if found.is_file() => Ok(Wanted::Copy { path, source: Source::Archive }),
            Ok(_) | Err(_) => Err(PluginError::NoPath(path)),
        }
    }

    /// Unpacks or copies a package beside the plugins and checks it.
    ///
    /// With `replace` it may take the place of one that is installed.
    ///
    /// # Errors
    ///
    /// It is dangerous, for another host, or there already; or somebody else
    /// is installing. Nothing is left behind then.
    pub fn prepare(
        &self,
        path: &Path,
        source: Source,
        replace: bool,
    ) -> Result<Prepared, PluginError> {
        match source {
            Source::Path | Source::Archive => self.prepare_copy(path, source, replace),
            Source::Link => self.prepare_link(path, replace),
        }
    }

    fn prepare_copy(
        &self,
        path: &Path,
        source: Source,
        replace: bool,
    ) -> Result<Prepared, PluginError> {
        let transaction = Transaction::begin(Lock::take(&self.state)?)?;
        let stage = transaction.stage();
        if source == Source::Path {
            // Said before a folder is copied that may be large.
            self.fit(Package::read(path)?)?;
        }
        self.fill(path, &stage, source)
            .map_err(|source| PluginError::Unpack { path: path.to_owned(), source })?;
        let package = self.fit(Package::read(&root_of(&stage))?)?;
        Prepared::new(package, path, source, Work::Put(transaction), replace)
    }

    fn prepare_link(&self, path: &Path, replace: bool) -> Result<Prepared, PluginError> {
        if !path.is_dir() {
            return Err(PluginError::NotLinkable(path.to_owned()));
        }
        let lock = Lock::take(&self.state)?;
        Owner::of(&self.state).check_plugin(path, None)?;
        let package = self.fit(Package::read(path)?)?;
        Prepared::new(package, path, Source::Link, Work::Link(lock), replace)
    }

    /// Prepares the update of a plugin from where it was installed from.
    ///
    /// # Errors
    ///
    /// It was not installed, or what lies there now cannot be installed.
    pub fn prepare_update(&self, found: &Found) -> Result<Prepared, PluginError> {
        let record = installed(found)?;
        let path = &record.source_path;
        if !path.exists() {
            return Err(PluginError::NoPath(path.clone()));
        }
        let prepared = self.prepare(path, record.source, true)?;
        if prepared.package.manifest.id != found.id {
            return Err(PluginError::OtherPlugin {
                path: path.clone(),
                found: prepared.package.manifest.id.clone(),
                wanted: found.id.clone(),
            });
        }
        Ok(prepared)
    }

    fn fill(&self, path: &Path, stage: &Path, source: Source) -> Result<(), UnpackError> {
        if source != Source::Archive {
            return folder::copy(path, stage, &self.limits);
        }
        let disk = |source| UnpackError::Disk { path: path.to_owned(), source };
        archive::unpack(File::open(path).map_err(disk)?, stage, &self.limits)
    }

    /// Lets through what runs here and does not pose as part of this program.
    fn fit(&self, package: Package) -> Result<Package, PluginError> {
        package.check(self.version)?;
        let id = &package.manifest.id;
        if self.bundled.iter().any(|bundled| bundled.answers_to(id)) {
            return Err(PluginError::Reserved(id.clone()));
        }
        Ok(package)
    }
}

impl Prepared {
    fn new(
        package: Package,
        path: &Path,
        source: Source,
        work: Work,
        replace: bool,
    ) -> Result<Self, PluginError> {
        let id = &package.manifest.id;
        let place = work.lock().place(id);
        let replaces = fs::symlink_metadata(&place).is_ok().then_some(place);
        if let Some(place) = replaces.as_ref().filter(|_| !replace) {
            return Err(PluginError::Exists(place.clone()));
        }
        let agreed = work.lock().records().get(id).map(|record| record.accepted.clone());
        Ok(Self { package, path: path.to_owned(), source, agreed, replaces, work })
    }

    /// Returns what the package asks for.
    #[must_use]
    pub fn surface(&self) -> Surface {
        Surface::of(&self.package.manifest)
    }

    /// Whether somebody has to agree: it asks for something for the first time.
    #[must_use]
    pub fn asks_for_more(&self) -> bool {
        self.agreed.as_ref().is_none_or(|agreed| !self.surface().is_within(agreed))
    }

    /// Installs it: all of it or nothing.
    ///
    /// What is installed for the first time is switched on. What takes the
    /// place of another stays as that was.
    ///
    /// # Errors
    ///
    /// The configuration or the disk refuses; then everything is as before,
    /// but for a setting of a plugin that is not there.
    pub fn install(
        self,
        settings: &PluginSettings,
        config: &mut dyn ConfigEdit,
    ) -> Result<Installed, PluginError> {
        let id = self.package.manifest.id.clone();
        let mut records = self.work.lock().records().clone();
        let before = records.get(&id).cloned();
        let root = match &self.work {
            Work::Put(transaction) => {
                transaction.put(&id, &self.package.root)?;
                transaction.lock().place(&id)
            }
            Work::Link(_) => self.path.clone(),
        };
        let is_first = before.is_none();
        let edits = self.edits(settings, before.as_ref());
        config.apply(&edits).map_err(PluginError::Config)?;
        let after =
            if is_first { edit::switched(settings, &[&id], true) } else { settings.clone() };
        let version = self.package.version.clone();
        records.insert(&id, self.record(&root));
        // Done, and not before.
        self.work.lock().write(&records)?;
        match self.work {
            Work::Put(transaction) => drop(transaction),
            Work::Link(lock) => {
                // A copy that was installed before would lie there for nothing.
                lock.remove(&id)?;
            }
        }
        let standing = decide(&after, &[&id], Origin::Installed);
        let before = before.and_then(|record| record.version);
        Ok(Installed { id, root, version, before, standing })
    }

    fn edits(&self, settings: &PluginSettings, before: Option<&Record>) -> Vec<Edit> {
        let mut edits = Vec::new();
        if before.is_none() {
            edits.extend(edit::switch(settings, &[&self.package.manifest.id], true));
        }
        let was_linked = before.filter(|record| record.source == Source::Link);
        edits.extend(was_linked.map(|record| edit::without_load_path(&record.install_path)));
        match self.source {
            Source::Link => edits.push(edit::load_path(&self.path)),
            Source::Path | Source::Archive => {}
        }
        edits
    }

    fn record(&self, root: &Path) -> Record {
        let token = match &self.work {
            Work::Put(transaction) => transaction.token().to_owned(),
            Work::Link(_) => String::new(),
        };
        Record {
            source: self.source,
            source_path: self.path.clone(),
            install_path: root.to_owned(),
            version: self.package.version.clone(),
            installed_at: Timestamp::now().to_string(),
            accepted: self.surface(),
            token,
        }
    }
}

/// Switches a plugin on or off and returns whether it runs then. Once more
/// changes nothing.
///
/// # Errors
///
/// It cannot run, or `plugins.deny` names it, or the configuration refuses.
pub fn switch(
    found: &Found,
    on: bool,
    settings: &PluginSettings,
    config: &mut dyn ConfigEdit,
) -> Result<Standing, PluginError> {
    let names = found.names();
    if on {
        if let Err(blocked) = &found.standing {
            return Err(blocked.clone().into());
        }
        if settings.deny.iter().any(|name| names.contains(&name.as_str())) {
            return Err(PluginError::Denied(found.id.clone()));
        }
    }
    config.apply(&edit::switch(settings, &names, on)).map_err(PluginError::Config)?;
    Ok(decide(&edit::switched(settings, &names, on), &names, found.origin))
}

/// Returns how a plugin was installed, or why it was not.
pub(crate) fn installed(found: &Found) -> Result<&Record, PluginError> {
    if found.origin == Origin::Bundled {
        return Err(PluginError::Bundled(found.id.clone()));
    }
    found.record.as_ref().ok_or_else(|| {
        let root = found.root.clone().unwrap_or_default();
        PluginError::Untracked { id: found.id.clone(), root }
    })
}

/// Returns the folder with the manifest: the archive's own or, as npm packs,
/// the only one in it.
fn root_of(stage: &Path) -> PathBuf {
    if stage.join(FILE_NAME).exists() {
        return stage.to_owned();
    }
    let mut entries = fs::read_dir(stage).into_iter().flatten().flatten();
    match (entries.next(), entries.next()) {
        (Some(only), None) if only.path().is_dir() => only.path(),
        _ => stage.to_owned(),
    }
}
