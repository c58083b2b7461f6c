//! Finds, installs and runs plugins that bring channels.
//!
//! settings + folders → [`inventory`] → [`standing`] → who runs
//! archive or folder → [`stage`] → [`package`] → [`install`] → [`records`]
//! who runs → [`external`]: a channel in a child process
//!
//! Invariants: nothing is fetched from a network; a folder that somebody else
//! could have changed is not run; a package that is not wholly installed is
//! not there.

pub mod archive;
pub mod bundled;
pub mod doctor;
pub mod edit;
pub mod error;
pub mod external;
pub mod house;
pub mod install;
pub mod inventory;
pub mod origin;
pub mod package;
pub mod records;
pub mod roots;
pub mod settings;
pub mod stage;
pub mod standing;
pub mod uninstall;
pub mod version;

mod folder;
mod member;
mod source;
mod transaction;

pub use bundled::Bundled;
pub use edit::{ConfigEdit, Edit};
pub use error::PluginError;
pub use house::House;
pub use inventory::{Found, Inventory};
pub use member::BadMember;
pub use origin::Origin;
pub use package::{Package, PackageError};
pub use settings::PluginSettings;
pub use stage::{Limits, UnpackError};
pub use standing::Standing;
pub use version::Version;
