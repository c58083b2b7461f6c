//! What is wrong with the plugins.

use crate::inventory::{Finding, Inventory, Shadowed};
use crate::origin::Origin;
use crate::roots::Blocked;
use crate::settings::PluginSettings;

/// What is wrong with the plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Plugins that are there but cannot run: id and reason.
    pub errors: Vec<(String, Blocked)>,
    /// What else is wrong on the disk or in the settings.
    pub findings: Vec<Finding>,
    /// Plugins that another of the same id goes before.
    pub shadowed: Vec<Shadowed>,
    /// Plugins that lie there without having been installed.
    pub untracked: Vec<String>,
    /// Names in the settings that no plugin has: where and which.
    pub unknown: Vec<(&'static str, String)>,
}

impl Report {
    /// Examines what was found.
    #[must_use]
    pub fn of(inventory: &Inventory, settings: &PluginSettings) -> Self {
        let plugins = &inventory.plugins;
        let blocked = plugins.iter().filter_map(|found| {
            found.standing.as_ref().err().map(|blocked| (found.id.clone(), blocked.clone()))
        });
        let untracked = plugins.iter().filter(|found| found.origin == Origin::Untracked);
        Self {
            errors: blocked.collect(),
            findings: inventory.findings.clone(),
            shadowed: inventory.shadowed.clone(),
            untracked: untracked.map(|found| found.id.clone()).collect(),
            unknown: unknown(inventory, settings),
        }
    }

    /// Whether everything that is there can run. What is only odd does not count.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.errors.is_empty() && self.findings.is_empty()
    }
}

fn unknown(inventory: &Inventory, settings: &PluginSettings) -> Vec<(&'static str, String)> {
    let named = [
        ("plugins.allow", settings.allow.iter().collect::<Vec<_>>()),
        ("plugins.deny", settings.deny.iter().collect()),
        ("plugins.entries", settings.entries.keys().collect()),
    ];
    let mut unknown = Vec::new();
    for (place, names) in named {
        let strangers = names.into_iter().filter(|name| inventory.find(name).is_none());
        unknown.extend(strangers.map(|name| (place, name.clone())));
    }
    unknown
}
