//! `noisefit completions` and `noisefit manual`.

use std::path::Path;

use noisefit::data::write::write_atomically;

use crate::outcome::{Failure, Outcome};
use crate::output::print;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell, mut command: clap::Command) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "noisefit", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}

/// Prints the manual page of the program, or writes one page a command.
pub(crate) fn manual(folder: Option<&Path>, mut command: clap::Command) -> Result<Outcome, Failure> {
    command.build();
    let page = |command: &clap::Command| -> Result<Vec<u8>, Failure> {
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone()).render(&mut page).map_err(Failure::Io)?;
        Ok(page)
    };
    let Some(folder) = folder else {
        print(&String::from_utf8_lossy(&page(&command)?))?;
        return Ok(Outcome::Done);
    };
    std::fs::create_dir_all(folder).map_err(Failure::Io)?;
    for command in std::iter::once(&command).chain(command.get_subcommands()) {
        let name = command.get_display_name().unwrap_or("noisefit").to_owned();
        let bytes = page(command)?;
        write_atomically(&folder.join(format!("{name}.1")), |file| file.write_all(&bytes))?;
    }
    Ok(Outcome::Done)
}
