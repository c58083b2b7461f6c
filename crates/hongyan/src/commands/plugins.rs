//! `hongyan plugins`

use std::path::PathBuf;

use ::plugins::doctor::Report;
use ::plugins::install::{Installed, Prepared, Wanted, switch as switch_plugin};
use ::plugins::records::Source;
use ::plugins::uninstall::Removal;
use ::plugins::{Bundled, Found, House, Inventory, Origin, PluginError, Standing};
use serde_json::json;

use self::effect::Effect;
use self::runtime::Runtime;
use self::settings::Settings;
use crate::cli::{
    PluginArgs, PluginInstallArgs, PluginUninstallArgs, PluginUpdateArgs, PluginsCommand,
};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

mod effect;
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
        PluginsCommand::Install(args) => desk.install(args).await,
        PluginsCommand::Update(args) => desk.update(args).await,
        PluginsCommand::Enable(args) => desk.switch(args, true).await,
        PluginsCommand::Disable(args) => desk.switch(args, false).await,
        PluginsCommand::Uninstall(args) => desk.uninstall(args).await,
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
    state: State,
    house: House,
    settings: Settings,
}

impl Desk {
    fn open(state: &State, config: PathBuf) -> Result<Self, CliError> {
        let settings = Settings::read(config)?;
        Ok(Self { state: state.clone(), house: state.plugins(), settings })
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

    /// Tells the gateway that runs of what was saved.
    async fn effect(&self) -> Effect {
        Effect::of_change(&self.state, &self.settings).await
    }

    async fn install(&mut self, args: &PluginInstallArgs) -> Result<(), CliError> {
        let (path, source) = match self.house.wanted(&args.spec)? {
            Wanted::Bundled(bundled) => return self.enable_bundled(&bundled, args.json).await,
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
        let effect = self.effect().await;
        if args.json {
            output::json(&effect.added_to(shown::installed(&installed)));
            return Ok(());
        }
        output::line(t!("plugins.installed", id = installed.id));
        standing_after(&installed, &effect);
        Ok(())
    }

    /// What is part of this program is there already and only switched on.
    async fn enable_bundled(&mut self, bundled: &Bundled, json: bool) -> Result<(), CliError> {
        let found = self.find(bundled.id)?;
        let mut effect = None;
        if !found.is_enabled() {
            let before = self.settings.plugins.clone();
            switch_plugin(&found, true, &before, &mut self.settings)?;
            effect = Some(self.effect().await);
        }
        if json {
            let said = json!({ "id": bundled.id, "bundled": true, "enabled": true });
            output::json(&effect.iter().fold(said, |said, effect| effect.added_to(said)));
            return Ok(());
        }
        output::line(t!("plugins.installed.bundled", id = bundled.id));
        if let Some(effect) = effect {
            output::line(t!("plugins.enabled", id = bundled.id, effect = effect.words()));
        }
        Ok(())
    }

    async fn update(&mut self, args: &PluginUpdateArgs) -> Result<(), CliError> {
        let Some(name) = &args.plugin else { return self.update_all(args).await };
        let found = self.find(name)?;
        match self.update_one(&found, args) {
            Err(PluginsFailure::Plugin(PluginError::Bundled(id))) => {
                output::note(t!("plugins.update.bundled", id = id));
                Ok(())
            }
            Err(failure) => Err(failure.into()),
            Ok(installed) => {
                self.tell_updated(&[installed], args).await;
                Ok(())
            }
        }
    }

    /// One that cannot be updated does not keep the others from it.
    async fn update_all(&mut self, args: &PluginUpdateArgs) -> Result<(), CliError> {
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
        self.tell_updated(&done, args).await;
        first_failure.map_or(Ok(()), Err)
    }

    async fn tell_updated(&self, all: &[Installed], args: &PluginUpdateArgs) {
        let is_done = !all.is_empty() && !args.dry_run;
        let effect = if is_done { Some(self.effect().await) } else { None };
        if args.json {
            let said = |it| effect.iter().fold(shown::installed(it), |said, it| it.added_to(said));
            output::json(&all.iter().map(said).collect::<Vec<_>>());
            return;
        }
        for installed in all {
            let version = |it: &Option<String>| it.clone().unwrap_or_else(|| "–".to_owned());
            let (from, to) = (version(&installed.before), version(&installed.version));
            output::line(if args.dry_run {
                t!("plugins.would_update", id = installed.id, from = from, to = to)
            } else {
                t!("plugins.updated", id = installed.id, from = from, to = to)
            });
        }
        effect.iter().for_each(|effect| output::line(effect.words()));
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

    async fn switch(&mut self, args: &PluginArgs, on: bool) -> Result<(), CliError> {
        let found = self.find(&args.plugin)?;
        let before = self.settings.plugins.clone();
        let standing = switch_plugin(&found, on, &before, &mut self.settings)?;
        let effect = self.effect().await;
        let id = &found.id;
        if args.json {
            let is_on = matches!(standing, Standing::Enabled(_));
            output::json(&effect.added_to(json!({ "id": id, "enabled": is_on })));
            return Ok(());
        }
        let effect = effect.words();
        output::line(if on {
            t!("plugins.enabled", id = id, effect = effect)
        } else {
            t!("plugins.disabled", id = id, effect = effect)
        });
        if let (true, Standing::Disabled(reason)) = (on, standing) {
            output::note(t!("plugins.still_off", reason = shown::disabled_by(reason)));
        }
        Ok(())
    }

    async fn uninstall(&mut self, args: &PluginUninstallArgs) -> Result<(), CliError> {
        let name = self.meant(&args.plugin);
        let found = self.inventory().find(name).cloned();
        if let Some(found) = found.filter(|found| found.origin == Origin::Bundled) {
            return self.disable_bundled(&found, args).await;
        }
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
        let effect = self.effect().await;
        if args.json {
            output::json(&effect.added_to(shown::removal(&removal, false)));
        } else {
            let what = shown::parts(&removal, false).join(", ");
            output::line(t!("plugins.uninstalled", id = removal.id, what = what));
            output::line(effect.words());
        }
        Ok(())
    }

    /// What is part of this program cannot be taken out of it, so it is switched
    /// off. Nothing is lost, so nobody is asked.
    async fn disable_bundled(
        &mut self,
        found: &Found,
        args: &PluginUninstallArgs,
    ) -> Result<(), CliError> {
        let id = &found.id;
        let mut effect = None;
        if !args.dry_run {
            let before = self.settings.plugins.clone();
            switch_plugin(found, false, &before, &mut self.settings)?;
            effect = Some(self.effect().await);
        }
        if args.json {
            let said = json!({ "id": id, "bundled": true, "dryRun": args.dry_run, "enabled": args.dry_run && found.is_enabled() });
            output::json(&effect.iter().fold(said, |said, effect| effect.added_to(said)));
            return Ok(());
        }
        output::line(t!("plugins.uninstalled.bundled", id = id));
        output::line(t!("plugins.uninstalled.bundled.way", id = id));
        output::line(effect.map_or_else(|| t!("plugins.dry_run"), |effect| effect.words()));
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

fn standing_after(installed: &Installed, effect: &Effect) {
    match installed.standing {
        Standing::Enabled(_) => output::line(effect.words()),
        Standing::Disabled(reason) => {
            output::note(t!("plugins.still_off", reason = shown::disabled_by(reason)));
            output::note(t!("plugins.still_off.way", id = installed.id));
        }
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
