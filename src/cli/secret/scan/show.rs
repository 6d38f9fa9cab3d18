//! Findings, a line each.

use std::fmt::Write as _;

use data_encoding::BASE64;

use doppio_secrets::scan::Finding;
use doppio_secrets::scan::Report;
use doppio_secrets::scan::Scanner;
use doppio_secrets::scan::What;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::scan::allow::Allowed;

/// The form of the JSON lines; raised when an older reader would misread one.
const FORM: u32 = 1;

/// Digits of a commit's id that people see.
const COMMIT: usize = 12;

/// How many there were.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    pub real: usize,
    pub allowed: usize,
}

/// Prints the findings that are not allowed.
///
/// # Errors
///
/// When stdout can't be written to.
pub(super) fn findings(
    report: &Report,
    scanner: &Scanner,
    allowed: &Allowed,
    json: bool,
) -> Result<Found, CliError> {
    let mut found = Found::default();
    let mut text = String::new();
    for finding in &report.findings {
        if allowed.covers(finding) {
            found.allowed += 1;
            continue;
        }
        found.real += 1;
        if json {
            text.push_str(&as_json(finding, scanner).to_string());
        } else {
            text.push_str(&line(finding, scanner));
        }
        text.push('\n');
    }
    output::data(&text)?;
    Ok(found)
}

/// `PATH:LINE:COLUMN  NAME (FORM)`, the commit before it where the history was searched.
fn line(finding: &Finding, scanner: &Scanner) -> String {
    let commit = finding
        .commit
        .as_ref()
        .map_or_else(String::new, |commit| format!("{}:", &commit[..commit.len().min(COMMIT)]));
    let object = match (&finding.commit, &finding.object) {
        (None, Some(object)) if finding.path.starts_with(b"(") => {
            format!("{}:", &object[..object.len().min(COMMIT)])
        }
        _ => String::new(),
    };
    let path = printable(&finding.path);
    let name = scanner.name(finding.hit.what);
    let form = match (finding.hit.what, &finding.hit.fingerprint) {
        (What::Value(_, encoding), _) => encoding.word().to_owned(),
        (What::Shape(_), Some(print)) => format!("not stored; {print}"),
        (What::Shape(_), None) => "not stored".to_owned(),
    };
    if finding.in_path {
        return format!("{commit}{object}{path}  {name} ({form}, in the name of the file)");
    }
    format!("{commit}{object}{path}:{}:{}  {name} ({form})", finding.hit.line, finding.hit.column)
}

fn as_json(finding: &Finding, scanner: &Scanner) -> serde_json::Value {
    let (path, bytes) = match std::str::from_utf8(&finding.path) {
        Ok(path) => (Some(path), None),
        // No text of JSON can hold them.
        Err(_) => (None, Some(BASE64.encode(&finding.path))),
    };
    let name = scanner.name(finding.hit.what);
    let (secret, form, kind) = match finding.hit.what {
        What::Value(_, encoding) => (Some(name), Some(encoding.word()), None),
        What::Shape(_) => (None, None, Some(name)),
    };
    serde_json::json!({
        "schema": FORM,
        "path": path,
        "path_base64": bytes,
        "line": (!finding.in_path).then_some(finding.hit.line),
        "column": (!finding.in_path).then_some(finding.hit.column),
        "offset": (!finding.in_path).then_some(finding.hit.offset),
        "in_path": finding.in_path,
        "secret": secret,
        "form": form,
        "kind": kind,
        "fingerprint": finding.hit.fingerprint,
        "commit": finding.commit,
        "object": finding.object,
    })
}

/// A path or another text of unknown make as a line of a terminal can hold it: what would command
/// the terminal or turn the line around, and bytes that are not UTF-8, as escapes.
pub(in crate::cli::secret) fn printable(path: &[u8]) -> String {
    let mut shown = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for char in chunk.valid().chars() {
            let is_bidi = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if char.is_control() || is_bidi {
                write!(shown, "{}", char.escape_default()).expect("a text takes all");
            } else {
                shown.push(char);
            }
        }
        for byte in chunk.invalid() {
            write!(shown, "\\x{byte:02x}").expect("a text takes all");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_cant_command_a_terminal() {
        assert_eq!(printable("a/ä b".as_bytes()), "a/ä b");
        assert_eq!(printable(b"a\x1b[2J\n\xff"), "a\\u{1b}[2J\\n\\xff");
    }
}
