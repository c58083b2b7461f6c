//! How plugins are shown.

use ::plugins::doctor::Report;
use ::plugins::install::Installed;
use ::plugins::standing::{DisabledBy, EnabledBy};
use ::plugins::uninstall::Removal;
use ::plugins::{Found, Inventory, Origin, PluginSettings, Standing};
use serde_json::{Value, json};

use super::runtime::Runtime;
use crate::cli::{PluginDoctorArgs, PluginInspectArgs, PluginListArgs};
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

pub(super) fn list(inventory: &Inventory, args: &PluginListArgs) -> Result<(), CliError> {
    let shown = inventory.plugins.iter().filter(|found| !args.enabled || found.is_enabled());
    if args.json {
        output::json(&listing(inventory, shown));
        return Ok(());
    }
    let (on, all) = (inventory.enabled().count(), inventory.plugins.len());
    output::line(t!("plugins.list.title", on = on, all = all));
    let header = [
        t!("plugins.name"),
        t!("plugins.id"),
        t!("plugins.status"),
        t!("plugins.origin"),
        t!("plugins.version"),
    ];
    let row = |found: &Found| {
        let version = found.version.clone().unwrap_or_default();
        [found.name.clone(), found.id.clone(), status(found), origin(found.origin), version]
    };
    output::table(header.map(String::from), shown.map(row));
    Ok(())
}

/// Returns plugins as a program reads them.
pub(crate) fn listing<'f>(inventory: &Inventory, shown: impl Iterator<Item = &'f Found>) -> Value {
    let findings: Vec<String> = inventory.findings.iter().map(ToString::to_string).collect();
    json!({
        "workspaceDir": null,
        "registry": { "source": "derived", "diagnostics": findings },
        "plugins": shown.map(facts).collect::<Vec<_>>(),
    })
}

pub(super) fn inspect(found: Found, runtime: Option<Runtime>, args: &PluginInspectArgs) {
    if args.json {
        let mut facts = facts(&found);
        if let Some(runtime) = runtime {
            facts["runtime"] = json!(runtime);
        }
        output::json(&facts);
        return;
    }
    output::line(format!("{} ({})", found.name, found.id));
    let description = found.package.as_ref().and_then(|it| it.manifest.description.clone());
    let command = found.package.as_ref().and_then(|it| it.manifest.run.as_ref());
    let lines = [
        (t!("plugins.description"), description),
        (t!("plugins.status"), Some(status(&found))),
        (t!("plugins.origin"), Some(origin(found.origin))),
        (t!("plugins.version"), found.version.clone()),
        (t!("plugins.channels"), Some(found.channels.join(", "))),
        (t!("plugins.aliases"), Some(found.aliases.join(", "))),
        (t!("plugins.command"), command.map(|run| run.command.join(" "))),
        (t!("plugins.folder"), found.root.as_ref().map(|root| root.display().to_string())),
        (
            t!("plugins.source"),
            found.record.as_ref().map(|record| record.source_path.display().to_string()),
        ),
        (t!("plugins.installed_at"), found.record.map(|record| record.installed_at)),
    ];
    for (label, value) in lines {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            output::line(format!("{label}: {value}"));
        }
    }
    if let Some(runtime) = runtime {
        running(&runtime);
    }
}

fn running(runtime: &Runtime) {
    if !runtime.gateway {
        output::note(t!("gateway.not_running"));
    }
    for row in &runtime.channels {
        output::line(t!(
            "gateway.channel",
            channel = row["channel"].as_str().unwrap_or_default(),
            n = row["accounts"],
            polling = row["polling"],
            needs_login = row["needs_login"]
        ));
    }
}

pub(super) fn doctor(
    inventory: &Inventory,
    settings: &PluginSettings,
    args: &PluginDoctorArgs,
) -> Result<(), CliError> {
    let report = Report::of(inventory, settings);
    if args.json {
        output::json(&told(&report));
    } else {
        complaints(&report);
    }
    if report.is_fine() {
        if !args.json {
            output::line(t!("plugins.doctor.fine"));
        }
        return Ok(());
    }
    let n = report.errors.len() + report.findings.len();
    Err(CliError::new(Kind::NotDone, t!("plugins.doctor.bad", n = n)))
}

/// The report in OpenClaw's shape.
fn told(report: &Report) -> Value {
    let errors =
        report.errors.iter().map(|(id, why)| json!({ "id": id, "error": why.to_string() }));
    let findings = report.findings.iter().map(ToString::to_string);
    let shadowed = report.shadowed.iter().map(|it| {
        let blocked = it.blocked.as_ref().map(ToString::to_string);
        json!({ "id": it.id, "origin": it.origin, "source": it.root, "by": it.by, "blocked": blocked })
    });
    let unknown = report.unknown.iter().map(|(place, name)| json!({ "path": place, "id": name }));
    json!({
        "ok": report.is_fine(),
        "pluginErrors": errors.collect::<Vec<_>>(),
        "diagnostics": findings.collect::<Vec<_>>(),
        "sourceShadowing": shadowed.collect::<Vec<_>>(),
        "compatibility": [],
        "configurationWarnings": unknown.collect::<Vec<_>>(),
        "untracked": report.untracked,
    })
}

fn complaints(report: &Report) {
    for (id, why) in &report.errors {
        output::line(format!("✗ {id}: {why}"));
    }
    for finding in &report.findings {
        output::line(format!("✗ {finding}"));
    }
    for it in &report.shadowed {
        let (by, hidden) = (origin(it.by), origin(it.origin));
        output::line(t!("plugins.doctor.shadowed", id = it.id, by = by, hidden = hidden));
    }
    for id in &report.untracked {
        output::line(t!("plugins.doctor.untracked", id = id));
    }
    for (place, name) in &report.unknown {
        output::line(t!("plugins.doctor.unknown", place = place, name = name));
    }
}

/// One plugin for programs.
fn facts(found: &Found) -> Value {
    let (status, reason) = match &found.standing {
        Ok(Standing::Enabled(reason)) => ("enabled", json!(reason)),
        Ok(Standing::Disabled(reason)) => ("disabled", json!(reason)),
        Err(blocked) => ("blocked", json!(blocked.to_string())),
    };
    let run = found.package.as_ref().and_then(|package| package.manifest.run.as_ref());
    json!({
        "id": found.id,
        "name": found.name,
        "version": found.version,
        "description": found.package.as_ref().and_then(|it| it.manifest.description.clone()),
        "enabled": found.is_enabled(),
        "status": status,
        "reason": reason,
        "origin": found.origin,
        "source": found.root,
        "channels": found.channels,
        "aliases": found.aliases,
        "command": run.map(|run| &run.command),
        "install": found.record,
    })
}

pub(super) fn installed(installed: &Installed) -> Value {
    json!({
        "id": installed.id,
        "installPath": installed.root,
        "version": installed.version,
        "previousVersion": installed.before,
        "enabled": matches!(installed.standing, Standing::Enabled(_)),
    })
}

pub(super) fn removal(removal: &Removal, dry_run: bool) -> Value {
    json!({
        "id": removal.id,
        "dryRun": dry_run,
        "settings": removal.settings,
        "channels": removal.channels,
        "directory": removal.folder,
        "linked": removal.linked,
    })
}

/// Names what uninstalling takes away, with places or without.
pub(super) fn parts(removal: &Removal, with_places: bool) -> Vec<String> {
    let mut parts = Vec::new();
    if removal.settings {
        parts.push(t!("plugins.part.settings").into_owned());
    }
    parts.push(t!("plugins.part.record").into_owned());
    let channels: Vec<String> =
        removal.channels.iter().map(|it| format!("channels.{it}")).collect();
    if !channels.is_empty() {
        let place = if with_places { format!(" ({})", channels.join(", ")) } else { String::new() };
        parts.push(format!("{}{place}", t!("plugins.part.channels")));
    }
    if let Some(folder) = &removal.folder {
        let place = if with_places { format!(": {}", folder.display()) } else { String::new() };
        parts.push(format!("{}{place}", t!("plugins.part.folder")));
    }
    parts
}

fn status(found: &Found) -> String {
    match &found.standing {
        Ok(Standing::Enabled(reason)) => t!("plugins.on", reason = enabled_by(*reason)),
        Ok(Standing::Disabled(reason)) => t!("plugins.off", reason = disabled_by(*reason)),
        Err(blocked) => t!("plugins.blocked", reason = blocked),
    }
    .into_owned()
}

fn enabled_by(reason: EnabledBy) -> String {
    match reason {
        EnabledBy::Entry => t!("plugins.by.entry"),
        EnabledBy::Allowlist => t!("plugins.by.allow"),
        EnabledBy::Bundled => t!("plugins.by.bundled"),
    }
    .into_owned()
}

pub(super) fn disabled_by(reason: DisabledBy) -> String {
    match reason {
        DisabledBy::AllPlugins => t!("plugins.by.all_off"),
        DisabledBy::Denylist => t!("plugins.by.deny"),
        DisabledBy::Entry => t!("plugins.by.entry_off"),
        DisabledBy::Allowlist => t!("plugins.by.not_allowed"),
        DisabledBy::NotChosen => t!("plugins.by.nobody"),
    }
    .into_owned()
}

fn origin(origin: Origin) -> String {
    match origin {
        Origin::LoadPath => t!("plugins.origin.load_path"),
        Origin::Installed => t!("plugins.origin.installed"),
        Origin::Bundled => t!("plugins.origin.bundled"),
        Origin::Untracked => t!("plugins.origin.untracked"),
    }
    .into_owned()
}
