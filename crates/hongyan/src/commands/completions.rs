//! `hongyan completions`

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::output;

pub(crate) fn run(shell: Shell) {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "hongyan", &mut script);
    output::raw(&String::from_utf8_lossy(&script));
}
