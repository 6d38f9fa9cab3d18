//! Private files and folders: 0600 and 0700 from the moment they exist.

use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use crate::event::SinkError;

/// Makes a folder, and those above it that are missing.
pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    builder().recursive(true).create(path)
}

/// Makes a folder that must not be there yet.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    builder().create(path)
}

fn builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Opens a file for appending; makes it if it is missing.
pub(super) fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder's new entries last.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    // Elsewhere a folder can't be opened, and its entries last by themselves.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// An I/O error with the file it is about.
pub(super) fn failed(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> SinkError {
    let message = format!("can't {doing} `{}`", path.display());
    move |source| SinkError { message, source }
}

/// The same, with the file behind what can't be done.
pub(super) fn failed_at(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> SinkError {
    let message = format!("can't {doing} (`{}`)", path.display());
    move |source| SinkError { message, source }
}
