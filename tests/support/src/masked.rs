//! Texts through the mask, whole and in pieces, and what is left to see of them.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::process::Stdio;

use doppio_secrets::Mask;
use doppio_secrets::SecretValue;

/// A mask that knows these values.
#[must_use]
pub fn mask_of(secrets: &[&[u8]]) -> Mask {
    let mask = Mask::default();
    for (index, secret) in secrets.iter().enumerate() {
        mask.register(&format!("secret/{index}"), &SecretValue::new(secret.to_vec()))
            .expect("it can be masked");
    }
    mask
}

/// A whole text through the mask.
#[must_use]
pub fn whole(mask: &Mask, text: &[u8]) -> Vec<u8> {
    pieces(mask, [text])
}

/// A text in pieces through the mask.
pub fn pieces<'a>(mask: &Mask, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut stream = mask.stream();
    let mut out = Vec::new();
    for piece in pieces {
        out.extend(stream.push_bytes(piece));
    }
    out.extend(stream.finish_bytes());
    out
}

/// A text through the mask in pieces of these sizes, over and over.
#[must_use]
pub fn in_pieces(mask: &Mask, text: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut rest = text;
    let mut sizes = sizes.iter().cycle();
    let next = std::iter::from_fn(|| {
        let size = sizes.next().filter(|_| !rest.is_empty())?;
        let (piece, after) = rest.split_at(rest.len().min(*size));
        rest = after;
        Some(piece)
    });
    pieces(mask, next)
}

/// Bytes as text.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// What is left to see: no escape sequences that a test puts in, no white space, no masks.
#[must_use]
pub fn residue(bytes: &[u8]) -> Vec<u8> {
    let text =
        String::from_utf8_lossy(bytes).replace("\x1b[31m", "").replace("\x1b[0m", "").replace("***", "");
    text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// Runs a program with the value in `V` and on its standard input; what it prints.
#[must_use]
pub fn printed_by(program: &str, args: &[&str], value: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    if !value.contains(&0) {
        command.env("V", OsStr::from_bytes(value));
    }
    let mut child = command
        .args(args)
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`{program}` must be installed: {error}"));
    // A program that reads none of it closes its end.
    drop(child.stdin.take().expect("it is piped").write_all(value));
    let output = child.wait_with_output().expect("it can be waited for");
    assert!(output.status.success(), "`{program} {args:?}`: {}", shown(&output.stderr));
    [output.stdout, output.stderr].concat()
}
