//! What a person can do when something cannot be done with a plugin.

use ::plugins::{PackageError, PluginError};

use crate::error::{CliError, Kind};
use crate::texts::t;

impl From<PluginError> for CliError {
    fn from(err: PluginError) -> Self {
        let refused = |message: String| Self::new(Kind::NotDone, message);
        match err {
            PluginError::NotFound(name) => {
                refused(t!("error.plugins.not_found", name = name).into_owned())
                    .hinted(t!("hint.plugins.list"))
            }
            PluginError::NoPath(path) => {
                refused(t!("error.plugins.no_path", path = path.display()).into_owned())
            }
            PluginError::Remote(spec) => {
                refused(t!("error.plugins.remote", spec = spec).into_owned())
                    .hinted(t!("hint.plugins.remote"))
            }
            PluginError::NotLinkable(path) => {
                refused(t!("error.plugins.not_linkable", path = path.display()).into_owned())
            }
            PluginError::Exists(path) => {
                refused(t!("error.plugins.exists", path = path.display()).into_owned())
                    .hinted(t!("hint.plugins.exists"))
            }
            PluginError::Reserved(id) => {
                refused(t!("error.plugins.reserved", id = id).into_owned())
            }
            PluginError::Bundled(id) => refused(t!("error.plugins.bundled", id = id).into_owned())
                .hinted(t!("hint.plugins.bundled", id = id)),
            PluginError::Untracked { id, root } => {
                refused(t!("error.plugins.untracked", id = id).into_owned())
                    .hinted(t!("hint.plugins.untracked", root = root.display()))
            }
            PluginError::Denied(id) => refused(t!("error.plugins.denied", id = id).into_owned())
                .hinted(t!("hint.plugins.denied")),
            PluginError::Package(err) => package(err),
            PluginError::Blocked(err) => {
                refused(t!("error.plugins.blocked").into_owned()).caused_by(err)
            }
            PluginError::Unpack { path, source } => {
                refused(t!("error.plugins.unpack", path = path.display()).into_owned())
                    .caused_by(source)
            }
            PluginError::OtherPlugin { .. } => refused(err.to_string()),
            PluginError::Busy => {
                Self::new(Kind::Busy, t!("error.plugins.busy")).hinted(t!("hint.plugins.busy"))
            }
            PluginError::Records(_) | PluginError::Disk { .. } => {
                Self::new(Kind::Config, err.to_string()).hinted(t!("hint.accounts.io"))
            }
            PluginError::Config(source) => {
                Self::new(Kind::Config, t!("error.plugins.config")).caused_by(source)
            }
        }
    }
}

fn package(err: PackageError) -> CliError {
    let refused = |message: String| CliError::new(Kind::NotDone, message);
    match err {
        PackageError::OnlyOpenClaw { id } => {
            refused(t!("error.plugins.only_openclaw", id = id).into_owned())
                .hinted(t!("hint.plugins.only_openclaw"))
        }
        PackageError::NeedsOpenClaw { .. } | PackageError::NeedsHongyan { .. } => {
            refused(err.to_string()).hinted(t!("hint.plugins.upgrade"))
        }
        PackageError::NoManifest { .. }
        | PackageError::Unreadable { .. }
        | PackageError::Manifest(_)
        | PackageError::Npm { .. }
        | PackageError::TooLong { .. }
        | PackageError::OtherContract { .. }
        | PackageError::BadFloor { .. }
        | PackageError::BadCommand { .. } => refused(err.to_string()),
    }
}
