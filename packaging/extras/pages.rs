//! Man pages and completions, from what clap knows of the command line.

use std::fs;
use std::io;
use std::path::Path;

use clap_complete::Generator;
use clap_complete::Shell;

/// The shells that completions are made for.
pub(crate) const SHELLS: [Shell; 5] =
    [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh];

/// Writes `man/*.1`, a page for each command that is not hidden, and `completions/*`, named as each
/// shell looks for them.
///
/// # Errors
///
/// When a file can't be written.
pub(crate) fn write(folder: &Path) -> io::Result<()> {
    let man = folder.join("man");
    fs::create_dir_all(&man)?;
    let mut root = doppio::cli::command().disable_help_subcommand(true);
    root.build();
    man_pages(&root, &man)?;
    let completions = folder.join("completions");
    fs::create_dir_all(&completions)?;
    for shell in SHELLS {
        fs::write(completions.join(shell.file_name("doppio")), doppio::cli::completions(shell))?;
    }
    Ok(())
}

/// The page of a command and those of all below it, named `doppio-secret-set.1`.
fn man_pages(command: &clap::Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        man_pages(below, folder)?;
    }
    clap_mangen::Man::new(command.clone())
        .source(concat!("doppio ", env!("CARGO_PKG_VERSION")))
        .manual("Doppio")
        .generate_to(folder)
        .map(drop)
}
