//! Finds, installs and runs plugins that bring channels.
