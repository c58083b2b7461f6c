//! `hongyan plugins`

use std::path::PathBuf;

use ::plugins::doctor::Report;
use ::plugins::install::{Installed, Prepared, Wanted, switch as switch_plugin};
use ::plugins::records::Source;
use ::plugins::uninstall::Removal;
use ::plugins::{Bundled, Found, House, Inventory, PluginError, Standing};
use serde_json::json;

use self::runtime::Runtime;
use self::settings::Settings;
use crate::cli::{
    PluginArgs, PluginInstallArgs, PluginUninstallArgs, PluginUpdateArgs, PluginsCommand,
};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

mod refusal;
mod runtime;
mod settings;
pub(crate) mod shown;

/// Does what is asked. Blocks on the disk, as one-off commands may.
pub(crate) async fn run(
    command: &PluginsCommand,
    state: &State,
    config: Option<PathBuf>,
) -> Result<(), CliError> {
    let mut desk = Desk::open(state, crate::config::path(config, state.dir()))?;
    match command {
        PluginsCommand::List(args) => shown::list(&desk.inventory(), args),
        PluginsCommand::Install(args) => desk.install(args),
        PluginsCommand::Update(args) => desk.update(args),
        PluginsCommand::Enable(args) => desk.switch(args, true),
        PluginsCommand::Disable(args) => desk.switch(args, false),
        PluginsCommand::Uninstall(args) => desk.uninstall(args),
        PluginsCommand::Inspect(args) => {
            let found = desk.find(&args.plugin)?;
            let runtime =
                if args.runtime { Some(Runtime::ask(&found, state).await?) } else { None };
            shown::inspect(found, runtime, args);
            Ok(())
        }
        PluginsCommand::Doctor(args) => {
            shown::doctor(&desk.inventory(), &desk.settings.plugins, args)
        }
    }
}

/// Says what is wrong with the plugins, for another command.
pub(super) fn report(state: &State, config: PathBuf) -> Result<Report, CliError> {
    let desk = Desk::open(state, config)?;
    Ok(Report::of(&desk.inventory(), &desk.settings.plugins))
}

/// Where the plugins are and what is said about them.
struct Desk {
    house: House,
    settings: Settings,
}

impl Desk {
    fn open(state: &State, config: PathBuf) -> Result<Self, CliError> {
        let settings = Settings::read(config)?;
        Ok(Self { house: state.plugins(), settings })
    }

    fn inventory(&self) -> Inventory {
        self.house.inventory(&self.settings.plugins)
    }

    fn find(&self, name: &str) -> Result<Found, CliError> {
        let found = self.inventory().find(self.meant(name)).cloned();
        found.ok_or_else(|| PluginError::NotFound(name.to_owned()).into())
    }

    /// Returns the id of what is part of this program where a package is named
    /// whose work it does, with or without a version.
    fn meant<'a>(&self, name: &'a str) -> &'a str {
        match self.house.wanted(name) {
            Ok(Wanted::Bundled(bundled)) => bundled.id,
            Ok(Wanted::Copy { .. }) | Err(_) => name,
        }
    }

    fn install(&mut self, args: &PluginInstallArgs) -> Result<(), CliError> {
        let (path, source) = match self.house.wanted(&args.spec)? {
            Wanted::Bundled(bundled) => return self.enable_bundled(&bundled, args.json),
            Wanted::Copy { path, .. } if args.link => (path, Source::Link),
            Wanted::Copy { path, source } => (path, source),
        };
        // A link is made by somebody who writes the plugin.
        if !args.force && source != Source::Link {
            output::note(t!("plugins.install.warning", path = path.display()));
            output::note(t!("plugins.install.warning.more"));
            agree(args.json, &t!("plugins.install.sure"), || {
                CliError::new(Kind::NotDone, t!("plugins.install.cancelled"))
            })?;
        }
        let prepared = self.house.prepare(&path, source, args.force)?;
        consent(&prepared, args.accept_capabilities, args.json)?;
        let installed = prepared.install(&self.settings.plugins.clone(), &mut self.settings)?;
        if args.json {
            output::json(&shown::installed(&installed));
            return Ok(());
        }
        output::line(t!("plugins.installed", id = installed.id));
        standing_after(&installed);
        Ok(())
    }

    /// What is part of this program is there already and only switched on.
    fn enable_bundled(&mut self, bundled: &Bundled, json: bool) -> Result<(), CliError> {
        let found = self.find(bundled.id)?;
        if !found.is_enabled() {
            let before = self.settings.plugins.clone();
            switch_plugin(&found, true, &before, &mut self.settings)?;
        }
        if json {
            output::json(&json!({ "id": bundled.id, "bundled": true, "enabled": true }));
            return Ok(());
        }
        output::line(t!("plugins.installed.bundled", id = bundled.id));
        if !found.is_enabled() {
            output::line(t!("plugins.enabled", id = bundled.id));
        }
        Ok(())
    }

    fn update(&mut self, args: &PluginUpdateArgs) -> Result<(), CliError> {
        let Some(name) = &args.plugin else { return self.update_all(args) };
        let found = self.find(name)?;
        match self.update_one(&found, args) {
            Err(PluginsFailure::Plugin(PluginError::Bundled(id))) => {
                output::note(t!("plugins.update.bundled", id = id));
                Ok(())
            }
            Err(failure) => Err(failure.into()),
            Ok(installed) => {
                updated(&[installed], args);
                Ok(())
            }
        }
    }

    /// One that cannot be updated does not keep the others from it.
    fn update_all(&mut self, args: &PluginUpdateArgs) -> Result<(), CliError> {
        let mut done = Vec::new();
        let mut first_failure = None;
        for found in self.inventory().plugins.iter().filter(|found| found.record.is_some()) {
            match self.update_one(found, args) {
                Ok(installed) => done.push(installed),
                Err(failure) => {
                    let failure = CliError::from(failure);
                    output::note(format!("{}: {}", found.id, failure.message));
                    first_failure.get_or_insert(failure);
                }
            }
        }
        if done.is_empty() && first_failure.is_none() && !args.json {
            output::note(t!("plugins.update.none"));
        }
        updated(&done, args);
        first_failure.map_or(Ok(()), Err)
    }

    fn update_one(
        &mut self,
        found: &Found,
        args: &PluginUpdateArgs,
    ) -> Result<Installed, PluginsFailure> {
        let prepared = self.house.prepare_update(found)?;
        if args.dry_run {
            return Ok(Installed {
                id: found.id.clone(),
                root: found.root.clone().unwrap_or_default(),
                version: prepared.package.version.clone(),
                before: found.version.clone(),
                standing: found.standing.clone().map_err(PluginError::from)?,
            });
        }
        consent(&prepared, args.accept_capabilities, args.json)?;
        Ok(prepared.install(&self.settings.plugins.clone(), &mut self.settings)?)
    }

    fn switch(&mut self, args: &PluginArgs, on: bool) -> Result<(), CliError> {
        let found = self.find(&args.plugin)?;
        let before = self.settings.plugins.clone();
        let standing = switch_plugin(&found, on, &before, &mut self.settings)?;
        let id = &found.id;
        if args.json {
            output::json(&json!({ "id": id, "enabled": matches!(standing, Standing::Enabled(_)) }));
            return Ok(());
        }
        output::line(if on {
            t!("plugins.enabled", id = id)
        } else {
            t!("plugins.disabled", id = id)
        });
        if let (true, Standing::Disabled(reason)) = (on, standing) {
            output::note(t!("plugins.still_off", reason = shown::disabled_by(reason)));
        }
        Ok(())
    }

    fn uninstall(&mut self, args: &PluginUninstallArgs) -> Result<(), CliError> {
        let name = self.meant(&args.plugin);
        let removal = self.house.removal(&self.inventory(), name, &self.settings)?;
        if !args.json {
            preview(&removal);
        }
        if args.dry_run {
            if args.json {
                output::json(&shown::removal(&removal, true));
            } else {
                output::line(t!("plugins.dry_run"));
            }
            return Ok(());
        }
        if !args.force {
            agree(args.json, &t!("plugins.uninstall.sure", id = removal.id), || {
                CliError::new(Kind::NotDone, t!("plugins.uninstall.unsure"))
            })?;
        }
        self.house.uninstall(&removal, &mut self.settings)?;
        if args.json {
            output::json(&shown::removal(&removal, false));
        } else {
            let what = shown::parts(&removal, false).join(", ");
            output::line(t!("plugins.uninstalled", id = removal.id, what = what));
            output::line(t!("plugins.saved"));
        }
        Ok(())
    }
}

/// Why an update was not made: the plugin, or that nobody agreed to it.
enum PluginsFailure {
    Plugin(PluginError),
    Said(CliError),
}

impl From<PluginError> for PluginsFailure {
    fn from(err: PluginError) -> Self {
        Self::Plugin(err)
    }
}

impl From<CliError> for PluginsFailure {
    fn from(err: CliError) -> Self {
        Self::Said(err)
    }
}

impl From<PluginsFailure> for CliError {
    fn from(failure: PluginsFailure) -> Self {
        match failure {
            PluginsFailure::Plugin(err) => err.into(),
            PluginsFailure::Said(err) => err,
        }
    }
}

/// Asks whoever is there; where nobody is, or somebody says no, it is refused.
fn agree(json: bool, question: &str, refused: impl Fn() -> CliError) -> Result<(), CliError> {
    if json || !output::can_ask() {
        return Err(refused());
    }
    let is_yes =
        |answer: String| ["y", "yes", "是", "好"].contains(&answer.trim().to_lowercase().as_str());
    if output::ask(question).is_some_and(is_yes) { Ok(()) } else { Err(refused()) }
}

/// Has somebody agree to what a package asks for, unless that was agreed to.
fn consent(prepared: &Prepared, accepted: bool, json: bool) -> Result<(), CliError> {
    if accepted || !prepared.asks_for_more() {
        return Ok(());
    }
    let id = &prepared.package.manifest.id;
    let surface = prepared.surface();
    output::note(t!("plugins.consent.asks", id = id));
    output::note(t!("plugins.consent.channels", channels = surface.channels.join(", ")));
    output::note(t!("plugins.consent.command", command = surface.command.join(" ")));
    agree(json, &t!("plugins.consent.sure"), || {
        CliError::new(Kind::NotDone, t!("plugins.consent.missing", id = id))
            .hinted(t!("hint.plugins.consent"))
    })
}

fn standing_after(installed: &Installed) {
    match installed.standing {
        Standing::Enabled(_) => output::line(t!("plugins.saved")),
        Standing::Disabled(reason) => {
            output::note(t!("plugins.still_off", reason = shown::disabled_by(reason)));
            output::note(t!("plugins.still_off.way", id = installed.id));
        }
    }
}

fn updated(all: &[Installed], args: &PluginUpdateArgs) {
    if args.json {
        output::json(&all.iter().map(shown::installed).collect::<Vec<_>>());
        return;
    }
    for installed in all {
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "–".to_owned());
        let (from, to) = (version(&installed.before), version(&installed.version));
        output::line(if args.dry_run {
            t!("plugins.would_update", id = installed.id, from = from, to = to)
        } else {
            t!("plugins.updated", id = installed.id, from = from, to = to)
        });
    }
}

fn preview(removal: &Removal) {
    output::line(t!("plugins.uninstall.plugin", name = removal.name, id = removal.id));
    let what = shown::parts(removal, true).join(", ");
    output::line(t!("plugins.uninstall.removes", what = what));
    if let Some(folder) = &removal.linked {
        output::line(t!("plugins.uninstall.stays", folder = folder.display()));
    }
}
