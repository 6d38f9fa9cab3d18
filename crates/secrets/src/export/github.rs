//! GitHub Actions: workflow commands that mask, and the file that sets variables.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use doppio_text::name::EnvName;

use crate::SecretValue;
use crate::export::Unwritable;
use crate::mask;

/// What goes where.
pub struct Github {
    /// For stdout, before anything else: `::add-mask::` commands, which the runner does not show.
    pub masks: Zeroizing<Vec<u8>>,
    /// For the end of the file that `GITHUB_ENV` names.
    pub variables: Zeroizing<Vec<u8>>,
}

/// What the runner reads as the order to mask the rest of the line.
const COMMAND: &[u8] = b"::add-mask::";

/// Shorter lines are no secret of their own: the runner would blank out ordinary text.
const SHORTEST: usize = 4;

/// Writes both. The runner masks line by line, each as it is: it is told the lines of a value, and
/// all parts that the mask of a run knows by themselves. `random` makes the delimiter one that no
/// value can guess.
///
/// # Errors
///
/// When a value is not UTF-8, which the runner's files must be, or nothing of it can be masked.
pub fn github(secrets: &[(EnvName, SecretValue)], random: [u8; 16]) -> Result<Github, Unwritable> {
    let delimiter = format!("ghadelimiter_{}", HEXLOWER.encode(&random));
    let size: usize =
        secrets.iter().map(|(name, value)| value.plain().len() + 2 * name.as_str().len() + 128).sum();
    let mut variables = Zeroizing::new(Vec::with_capacity(size));
    let mut all = Vec::new();
    for (name, value) in secrets {
        let bytes = value.plain();
        if std::str::from_utf8(bytes).is_err() {
            let why = "it is not UTF-8, which the files of GitHub Actions must be";
            return Err(Unwritable { variable: name.clone(), why });
        }
        let before = all.len();
        all.extend(lines(bytes));
        if all.len() == before {
            let why = "each of its lines is too short for the runner to mask";
            return Err(Unwritable { variable: name.clone(), why });
        }
        // A part of several lines is no line; its own lines are parts as well.
        let parts = mask::parts(bytes).into_iter().filter(|part| !part.bytes.contains(&b'\n'));
        all.extend(parts.flat_map(|part| lines(&part.bytes)));
        variables.extend_from_slice(format!("{name}<<{delimiter}\n").as_bytes());
        variables.extend_from_slice(bytes);
        variables.extend_from_slice(format!("\n{delimiter}\n").as_bytes());
    }
    Ok(Github { masks: masks(&all), variables })
}

/// The lines that are long enough to be masked.
fn lines(bytes: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines = lines.filter(|line| line.trim_ascii().len() >= SHORTEST);
    lines.map(|line| Zeroizing::new(line.to_vec())).collect()
}

/// A command for each line, each once.
fn masks(lines: &[Zeroizing<Vec<u8>>]) -> Zeroizing<Vec<u8>> {
    let size = lines.iter().map(|line| 3 * line.len() + COMMAND.len() + 1).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(size));
    let mut known = HashSet::new();
    for line in lines.iter().filter(|line| known.insert(line.as_slice())) {
        out.extend_from_slice(COMMAND);
        for byte in line.iter() {
            match byte {
                b'%' => out.extend_from_slice(b"%25"),
                b'\r' => out.extend_from_slice(b"%0D"),
                other => out.push(*other),
            }
        }
        out.push(b'\n');
    }
    out
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
        assert_eq!(written.masks.as_slice(), b"::add-mask::  hunter2%250A\n::add-mask::hunter2%250A\n");
        insta::assert_snapshot!(std::str::from_utf8(&written.variables).unwrap().replace('\r', "<CR>"), @"
        KEY<<ghadelimiter_07070707070707070707070707070707
        {
          hunter2%0A<CR>
        }
        ghadelimiter_07070707070707070707070707070707
        ");
    }

    // case B7
    #[test]
    fn every_part_of_a_value_is_masked_line_by_line() {
        let value = r#"{"username": "dbadmin", "private_key": "-----BEGIN K-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END K-----\n",
            "url": "postgres://app:p%40ss-word@db/x", "note": "training"}"#;
        let value = SecretValue::new(value.replace("\n            ", " ").into_bytes());
        let written = github(&[("KEY".parse().unwrap(), value)], [7; 16]).unwrap();
        let masks = std::str::from_utf8(&written.masks).unwrap();
        let masks: Vec<&str> = masks.lines().skip(1).collect();
        assert_eq!(
            masks,
            [
                "::add-mask::MIIEvQIBADANBg",
                "::add-mask::kqhkiG9w0BAQEF",
                "::add-mask::postgres://app:p%2540ss-word@db/x",
                "::add-mask::p%2540ss-word",
                "::add-mask::p@ss-word",
            ]
        );
    }
}
