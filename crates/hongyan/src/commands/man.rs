//! `hongyan man`

use std::path::Path;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

/// Prints the first page or, given a folder, writes all pages there.
pub(crate) fn run(dir: Option<&Path>) -> Result<(), CliError> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        let man = clap_mangen::Man::new(Cli::command());
        man.render(&mut page).map_err(CliError::bug)?;
        output::raw(&String::from_utf8_lossy(&page));
        return Ok(());
    };
    let written =
        std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
    written.map_err(|err| {
        CliError::new(Kind::Usage, t!("error.not_written", file = dir.display())).caused_by(err)
    })?;
    output::done(t!("man.written", dir = dir.display()));
    Ok(())
}
