//! Plugins that are part of the program.

/// A plugin that is part of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Its id, as in `plugins.entries`.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Other ids it goes by.
    pub aliases: &'static [&'static str],
    /// Packages whose work it does, by which people ask to install it.
    pub also_known_as: &'static [&'static str],
    /// The channels it brings.
    pub channels: &'static [&'static str],
}

impl Bundled {
    /// Returns its id and then its aliases.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        std::iter::once(self.id).chain(self.aliases.iter().copied()).collect()
    }

    /// Whether it is meant by a name, or by a package that it stands for.
    pub(crate) fn answers_to(&self, name: &str) -> bool {
        self.names().contains(&name) || self.also_known_as.contains(&name)
    }
}
