//! `hongyan man`

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::error::CliError;
use crate::output;

pub(crate) fn run() -> Result<(), CliError> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(Cli::command());
    man.render(&mut page).map_err(CliError::bug)?;
    output::raw(&String::from_utf8_lossy(&page));
    Ok(())
}
