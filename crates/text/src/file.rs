//! Opening a file to read it whole.

use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Where the files that the process was started with are found by name: what `<(…)` of a shell
/// comes to.
const DESCRIPTORS: [&str; 3] = ["/dev/fd", "/proc/self/fd", "/dev/stdin"];

/// Opens a file that is to be read to its end, and refuses what may have none: a FIFO without a
/// writer, a device. What the process was handed under a descriptor is taken as it is.
///
/// # Errors
///
/// When it can't be opened, or is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    if !is_handed(path) {
        // Looked at before it is opened, because opening a FIFO waits for its writer.
        let found = path.metadata()?;
        // A folder is refused by the system, in its own words.
        if !found.is_file() && !found.is_dir() {
            return Err(io::Error::other(format!("it is {}, not a regular file", kind(&found))));
        }
    }
    File::open(path)
}

/// Whether the process was started with the file.
pub(crate) fn is_handed(path: &Path) -> bool {
    DESCRIPTORS.iter().any(|place| path.starts_with(place))
}

fn kind(found: &Metadata) -> &'static str {
    let kind = found.file_type();
    if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
