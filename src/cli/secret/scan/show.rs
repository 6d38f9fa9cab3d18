//! Findings, a line each.

use data_encoding::BASE64;

use doppio_secrets::scan::Finding;
use doppio_secrets::scan::Report;
use doppio_secrets::scan::Scanner;
use doppio_secrets::scan::What;
use doppio_text::exact;

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
    /// How many of those are values that are stored.
    pub stored: usize,
    pub allowed: usize,
}

/// Prints the findings that are not allowed.
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
        found.stored += usize::from(matches!(finding.hit.what, What::Value(..)));
        if json {
            text.push_str(&as_json(finding, scanner).to_string());
        } else {
            text.push_str(&line(finding, scanner));
        }
        text.push('\n');
    }
    if json {
        output::data(text.as_bytes())?;
    } else {
        output::text(&text)?;
    }
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
    let path = exact(&finding.path);
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
