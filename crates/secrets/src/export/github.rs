//! GitHub Actions: workflow commands that mask, and the file that sets variables.

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use doppio_text::name::EnvName;

use crate::SecretValue;
use crate::export::Unwritable;

/// What goes where.
pub struct Github {
    /// For stdout, before anything else: `::add-mask::` commands, which the runner does not show.
    pub masks: Zeroizing<Vec<u8>>,
    /// For the end of the file that `GITHUB_ENV` names.
    pub variables: Zeroizing<Vec<u8>>,
}

/// Shorter lines are no secret of their own: the runner would blank out ordinary text.
const SHORTEST: usize = 4;

/// Writes both. `random` makes the delimiter one that no value can guess.
///
/// # Errors
///
/// When a value is not UTF-8, which the runner's files must be, or nothing of it can be masked.
pub fn github(secrets: &[(EnvName, SecretValue)], random: [u8; 16]) -> Result<Github, Unwritable> {
    let delimiter = format!("ghadelimiter_{}", HEXLOWER.encode(&random));
    let size: usize =
        secrets.iter().map(|(name, value)| 3 * value.plain().len() + name.as_str().len() + 128).sum();
    let lines: usize = secrets.iter().map(|(_, value)| value.plain().split(|b| *b == b'\n').count()).sum();
    let mut masks = Zeroizing::new(Vec::with_capacity(size + 16 * lines));
    let mut variables = Zeroizing::new(Vec::with_capacity(size));
    for (name, value) in secrets {
        let bytes = value.plain();
        if std::str::from_utf8(bytes).is_err() {
            let why = "it is not UTF-8, which the files of GitHub Actions must be";
            return Err(Unwritable { variable: name.clone(), why });
        }
        let before = masks.len();
        for line in bytes.split(|byte| *byte == b'\n') {
            mask(line.strip_suffix(b"\r").unwrap_or(line), &mut masks);
        }
        if masks.len() == before {
            let why = "each of its lines is too short for the runner to mask";
            return Err(Unwritable { variable: name.clone(), why });
        }
        variables.extend_from_slice(format!("{name}<<{delimiter}\n").as_bytes());
        variables.extend_from_slice(bytes);
        variables.extend_from_slice(format!("\n{delimiter}\n").as_bytes());
    }
    Ok(Github { masks, variables })
}

fn mask(line: &[u8], out: &mut Vec<u8>) {
    if line.trim_ascii().len() < SHORTEST {
        return;
    }
    out.extend_from_slice(b"::add-mask::");
    for byte in line {
        match byte {
            b'%' => out.extend_from_slice(b"%25"),
            b'\r' => out.extend_from_slice(b"%0D"),
            other => out.push(*other),
        }
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_masked_is_refused() {
        let value = SecretValue::new(b"ab\ncd\r\nef".to_vec());
        assert!(github(&[("KEY".parse().unwrap(), value)], [7; 16]).is_err());
    }

    #[test]
    fn every_line_is_masked() {
        let value = SecretValue::new(b"{\n  hunter2%0A\r\n}".to_vec());
        let written = github(&[("KEY".parse().unwrap(), value)], [7; 16]).unwrap();
        assert_eq!(written.masks.as_slice(), b"::add-mask::  hunter2%250A\n");
        insta::assert_snapshot!(std::str::from_utf8(&written.variables).unwrap().replace('\r', "<CR>"), @"
        KEY<<ghadelimiter_07070707070707070707070707070707
        {
          hunter2%0A<CR>
        }
        ghadelimiter_07070707070707070707070707070707
        ");
    }
}
