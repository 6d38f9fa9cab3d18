//! Forms with values in them.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use doppio_text::name::EnvName;

use crate::SecretValue;
use crate::export::Unwritable;
use crate::export::Wrapping;
use crate::export::wrapping::head;

type Secrets = [(EnvName, SecretValue)];

/// A buffer that holds all without growing, which would leave copies behind.
fn buffer(secrets: &Secrets, extra: usize) -> Zeroizing<Vec<u8>> {
    // A byte takes six where JSON escapes it.
    let size =
        secrets.iter().map(|(name, value)| 6 * value.plain().len() + name.as_str().len() + 64).sum::<usize>();
    Zeroizing::new(Vec::with_capacity(size + extra))
}

pub(super) fn shell(secrets: &Secrets) -> Zeroizing<Vec<u8>> {
    let mut out = buffer(secrets, 0);
    for (name, value) in secrets {
        out.extend_from_slice(format!("export {name}='").as_bytes());
        for byte in value.plain() {
            match byte {
                b'\'' => out.extend_from_slice(br"'\''"),
                other => out.push(*other),
            }
        }
        out.extend_from_slice(b"'\n");
    }
    out
}

/// Readers differ in what `\`, `$` and quotes mean. What is written here means the same to all of
/// them, POSIX shells too.
pub(super) fn dotenv(secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, Unwritable> {
    let mut out = buffer(secrets, 0);
    for (name, value) in secrets {
        let bytes = value.plain();
        let why = "readers of dotenv files disagree on its value: use `--format shell` or `json`";
        let quote = quote_for(bytes).ok_or(Unwritable { variable: name.clone(), why })?;
        out.extend_from_slice(format!("{name}={quote}").as_bytes());
        out.extend_from_slice(bytes);
        out.extend_from_slice(quote.as_bytes());
        out.push(b'\n');
    }
    Ok(out)
}

/// No line that Docker reads may be longer. In bytes.
const DOCKER_LINE: usize = 64 * 1024;

/// Docker takes a line as it is, quotes and all, and knows no way to go on in the next (`docker/cli`,
/// `opts/file.go`, and Go's `bufio.ScanLines`).
pub(super) fn docker(secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, Unwritable> {
    let mut out = buffer(secrets, 0);
    for (name, value) in secrets {
        let bytes = value.plain();
        let refused = |why| Err(Unwritable { variable: name.clone(), why });
        if bytes.contains(&b'\n') || bytes.contains(&b'\r') {
            return refused(
                "`docker run --env-file` reads one line a variable: run it by `doppio secret exec` with `--env NAME`",
            );
        }
        if std::str::from_utf8(bytes).is_err() || bytes.len() + name.as_str().len() + 2 > DOCKER_LINE {
            return refused(
                "`docker run --env-file` reads lines of UTF-8 text under 64 KiB: use `--format k8s`, or a mounted file",
            );
        }
        out.extend_from_slice(format!("{name}=").as_bytes());
        out.extend_from_slice(bytes);
        out.push(b'\n');
    }
    Ok(out)
}

/// The quotes within which every reader takes these bytes as they are.
fn quote_for(bytes: &[u8]) -> Option<&'static str> {
    let has = |byte: u8| bytes.contains(&byte);
    // Some fill in `${NAME}` even between single quotes.
    if std::str::from_utf8(bytes).is_err() || has(b'\r') || bytes.windows(2).any(|pair| pair == b"${") {
        return None;
    }
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"_./:@%+,-".contains(b);
    if !bytes.is_empty() && bytes.iter().all(is_plain) {
        return Some("");
    }
    let has_escape = bytes.ends_with(b"\\") || bytes.windows(2).any(|pair| pair == b"\\\\");
    if !has(b'\'') && !has_escape {
        return Some("'");
    }
    if b"\"\\$`".iter().any(|byte| has(*byte)) { None } else { Some("\"") }
}

pub(super) fn json(secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, Unwritable> {
    let mut out = buffer(secrets, 8);
    out.extend_from_slice(b"{");
    for (place, (name, value)) in secrets.iter().enumerate() {
        let why = "it is not UTF-8, which JSON must be: use `--format shell` or `k8s`";
        let text =
            std::str::from_utf8(value.plain()).map_err(|_| Unwritable { variable: name.clone(), why })?;
        out.extend_from_slice(if place == 0 { b"\n  " } else { b",\n  " });
        out.extend_from_slice(format!("\"{name}\": ").as_bytes());
        serde_json::to_writer(&mut *out, text).expect("a text is written into memory");
    }
    out.extend_from_slice(b"\n}\n");
    Ok(out)
}

pub(super) fn k8s(secrets: &Secrets, wrapping: &Wrapping) -> Zeroizing<Vec<u8>> {
    let head = head("v1", "Secret", wrapping) + "type: Opaque\ndata:\n";
    let mut out = buffer(secrets, head.len());
    out.extend_from_slice(head.as_bytes());
    for (name, value) in secrets {
        out.extend_from_slice(format!("  \"{name}\": \"").as_bytes());
        let encoded = Zeroizing::new(BASE64.encode(value.plain()));
        out.extend_from_slice(encoded.as_bytes());
        out.extend_from_slice(b"\"\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format;
    use crate::format::Format;

    fn one(bytes: &[u8]) -> Vec<(EnvName, SecretValue)> {
        vec![("A".parse().unwrap(), SecretValue::new(bytes.to_vec()))]
    }

    // case G7
    #[test]
    fn docker_takes_a_line_as_it_is() {
        let written = |text: &str| docker(&one(text.as_bytes())).ok().map(|text| text.to_vec());
        assert_eq!(written("p$ss w0rd#1").unwrap(), b"A=p$ss w0rd#1\n");
        assert_eq!(written(" 'x' \"y\" ").unwrap(), b"A= 'x' \"y\" \n");
        for text in ["two\nlines", "end\r", &"x".repeat(64 * 1024)] {
            assert_eq!(written(text), None);
        }
        assert!(docker(&one(b"\xff")).is_err());
    }

    #[test]
    fn what_readers_would_not_agree_on_is_refused() {
        for (value, written) in [
            ("plain-1.2", Some("A=plain-1.2\n")),
            ("p$HOME `x` #", Some("A='p$HOME `x` #'\n")),
            ("it's\nso", Some("A=\"it's\nso\"\n")),
            ("a\\nb", Some("A='a\\nb'\n")),
            ("it's $5", None),
            ("pa${HOME}ss1", None),
            ("back\\", None),
            ("two\\\\", None),
            ("a\rb", None),
        ] {
            let found = dotenv(&one(value.as_bytes())).ok();
            assert_eq!(found.as_deref().map(|text| std::str::from_utf8(text).unwrap()), written, "{value:?}");
        }
        assert!(dotenv(&one(b"\xff\xff\xff\xff")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in "[ -~\n'\"\\\\$#é]{1,12}") {
            let secrets = one(value.as_bytes());
            for (form, text) in [(Format::Dotenv, dotenv(&secrets).ok()), (Format::Json, json(&secrets).ok())] {
                let Some(text) = text else { continue };
                prop_assert!(text.len() <= text.capacity());
                let entries = format::read(form, &text).unwrap();
                prop_assert_eq!(entries[0].value.as_ref().unwrap().plain(), value.as_bytes());
            }
        }
    }
}
