//! The file that tells `git filter-repo` what to replace. It holds the value, in the forms in
//! which it was found, so that the value is in no argument list.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use doppio_process::Ignored;
use doppio_process::Repository;
use doppio_secrets::SecretValue;

use crate::cli::error::CliError;
use crate::cli::secret::incident::story::Story;

/// What stands in place of the value afterwards.
const REMOVED: &[u8] = b"==>***REMOVED***\n";

/// Refuses a file that git would see: with the next `git add` the value would be in it once more.
pub(super) fn can_be_written(path: &Path) -> Result<(), CliError> {
    let shown = path.display();
    let fault = match Repository::ignores_blocking(path) {
        Ignored::Yes | Ignored::Nowhere => return Ok(()),
        Ignored::No => {
            CliError::usage(format!("`{shown}` would be in a git working tree, with the value in it"))
        }
        Ignored::Unknown(why) => {
            CliError::world(format!("whether git ignores `{shown}` is not known")).cause(why)
        }
    };
    Err(fault.hint("name a file outside of the repository: `--write-replacements /dev/shm/replacements`"))
}

/// Writes a new file of mode 0600, a line for each form, and says how many there are.
pub(super) fn write(path: &Path, story: &Story<'_>) -> Result<usize, CliError> {
    let mut lines: Vec<Zeroizing<Vec<u8>>> = story.texts().map(line).collect();
    lines.sort_unstable_by(|one, other| one.as_slice().cmp(other));
    lines.dedup_by(|one, other| one.as_slice() == other.as_slice());
    let cannot = |error: std::io::Error| {
        let shown = path.display();
        CliError::world(format!("cannot write `{shown}`"))
            .cause(error.to_string())
            .hint("name a file that does not exist yet, outside of the repository")
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(cannot)?;
    for line in &lines {
        file.write_all(line).map_err(cannot)?;
    }
    file.sync_all().map_err(cannot)?;
    Ok(lines.len())
}

/// One expression: every byte that is not a letter or digit by its number, so that line breaks and
/// `==>` stand for themselves.
fn line(value: &SecretValue) -> Zeroizing<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "the file is what the user asked for, and theirs alone")]
    value.reveal(|bytes| {
        let mut line = Zeroizing::new(Vec::with_capacity(bytes.len() * 4 + 32));
        line.extend_from_slice(b"regex:");
        for &byte in bytes {
            if byte.is_ascii_alphanumeric() {
                line.push(byte);
            } else {
                line.extend_from_slice(b"\\x");
                line.extend_from_slice(data_encoding::HEXLOWER.encode(&[byte]).as_bytes());
            }
        }
        line.extend_from_slice(REMOVED);
        line
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_stands_for_itself() {
        let value = SecretValue::new(b"a==>b\nc.d".to_vec());
        assert_eq!(line(&value).as_slice(), b"regex:a\\x3d\\x3d\\x3eb\\x0ac\\x2ed==>***REMOVED***\n");
    }
}
