//! What the bootstrap reads and evaluates: the environment, the directory, and the script.
//!
//! Every line is prefixed with `+`; `,` joins what has come so far and `.` ends the payload, so
//! that a payload cut short is never evaluated. Values are in single quotes, where a POSIX shell
//! changes no byte. The script is handed on as an argument, for no value is in it.

mod env_split;
mod interpreter;

use std::io;

use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use zeroize::Zeroizing;

use doppio_text::shell;

use crate::EnvVar;
use crate::Exec;
use crate::HostError;
use crate::Stdin;
use crate::payload::env_split::measure;
use crate::payload::interpreter::invocation;

pub(crate) use env_split::EnvSplit;
pub(crate) use interpreter::check;

/// Bytes between two joins.
const JOIN_EVERY: usize = 8 << 10;

/// A payload, ready to be sent.
pub(crate) struct Payload {
    /// All its lines.
    pub bytes: Zeroizing<Vec<u8>>,
    /// The folder that its files are in, if it has any: a name to be found in one of
    /// [`FOLDERS`].
    pub folder: Option<String>,
}

impl Payload {
    /// Writes it, and what is meant for the script. A script may end without reading it all.
    pub(crate) async fn feed(
        self,
        pipe: &mut (impl AsyncWrite + Unpin),
        rest: Option<Stdin>,
    ) -> io::Result<()> {
        pipe.write_all(&self.bytes).await?;
        drop(self);
        let Some(rest) = rest else { return Ok(()) };
        #[expect(
            clippy::disallowed_methods,
            reason = "the standard input of the process is where the bytes are meant to go"
        )]
        let bytes = rest.bytes.reveal(|bytes| Zeroizing::new(bytes.to_vec()));
        pipe.write_all(&bytes).await
    }
}

/// Where the folder of a payload's files may be, in the order in which it is tried.
pub(crate) const FOLDERS: [&str; 3] =
    [r#""${XDG_RUNTIME_DIR:-/dev/shm}""#, "/dev/shm", r#""$HOME/.doppio/run""#];

/// Writes the payload of a script.
///
/// # Errors
///
/// When the script is too long or has a NUL byte.
pub(crate) fn write(exec: &Exec, split: &EnvSplit<'_>) -> Result<Payload, HostError> {
    check(exec)?;
    let files: usize = split.files.iter().map(|var| measure(var).0).sum();
    let exports: usize = split.exports.iter().map(|var| measure(var).0 + 64).sum();
    // A quote becomes four bytes. With the room there from the start, the buffer never moves,
    // so that no copy of a value is left behind.
    let room = 4 * (files + exports + exec.script.len()) + 768 * split.files.len() + (16 << 10);
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let capacity = text.capacity();
    for var in &split.exports {
        text.extend_from_slice(format!("export {}=", var.name).as_bytes());
        quote_value(&mut text, var);
        text.push(b'\n');
    }
    let folder = write_files(&mut text, &split.files)?;
    if let Some(dir) = &exec.workdir {
        let (path, shown) = (shell::quote_path(dir), shell::quote(dir));
        text.extend_from_slice(
            format!("CDPATH= cd -- {path} 2>/dev/null||{{ printf 'doppio: no directory %s\\n' {shown} >&2;exit 98;}}\n")
                .as_bytes(),
        );
    }
    text.extend_from_slice(invocation(exec, split, folder.is_some()).as_bytes());
    debug_assert_eq!(text.capacity(), capacity, "a buffer that moves leaves a copy behind");
    Ok(Payload { bytes: encode(&text), folder })
}

fn quote_value(text: &mut Vec<u8>, var: &EnvVar) {
    #[expect(clippy::disallowed_methods, reason = "the payload is what carries the value to the process")]
    var.value.reveal(|bytes| shell::quote_bytes(text, bytes));
}

/// Puts each value into a file of a folder that nobody else can enter.
fn write_files(text: &mut Vec<u8>, files: &[&EnvVar]) -> Result<Option<String>, HostError> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce)
        .map_err(|error| HostError::new("no name for a folder could be made").cause(error.to_string()))?;
    let folder = format!("doppio-{}", data_encoding::HEXLOWER.encode(&nonce));
    let [first, second, last] = FOLDERS;
    // An external `printf` would take the value as an argument.
    let head = format!(
        "case $(command -v printf) in /*) echo 'doppio: sh has no printf of its own' >&2;exit 96;;esac\n\
         _u=$(umask);umask 077\n\
         for _f in {first} {second} {last};do\n\
         [ \"$_f\" = \"$HOME/.doppio/run\" ]&&mkdir -p \"$_f\"&&\
         echo 'doppio: no memory file system here: a large value lies on disk while the step runs' >&2\n\
         [ -d \"$_f\" ]&&[ -w \"$_f\" ]&&break\n\
         done\n\
         _f=$_f/{folder}\n\
         mkdir \"$_f\"||exit 96\n\
         trap 'rm -rf \"$_f\"' EXIT\n\
         trap 'exit 129' HUP;trap 'exit 130' INT;trap 'exit 143' TERM\n",
    );
    text.extend_from_slice(head.as_bytes());
    for var in files {
        let name = &var.name;
        let (file, export) = match var.file {
            None => (format!("$_f/{name}"), format!("{name}_FILE=\"$_f/{name}\"")),
            Some(form) => {
                text.extend_from_slice(format!("mkdir \"$_f/{name}\"||exit 96\n").as_bytes());
                let file = format!("$_f/{name}/{}", form.file);
                let named = if form.names_folder { format!("$_f/{name}") } else { file.clone() };
                let (before, after) = (shell::quote(form.before), shell::quote(form.after));
                (file, format!("{name}={before}\"{named}\"{after}"))
            }
        };
        text.extend_from_slice(b"printf %s ");
        quote_value(text, var);
        text.extend_from_slice(format!(" >\"{file}\"||exit 96\nexport {export}\n").as_bytes());
    }
    text.extend_from_slice(b"umask \"$_u\";unset _u\n");
    Ok(Some(folder))
}

fn encode(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    #[expect(clippy::naive_bytecount, reason = "once per step")]
    let lines = 1 + text.iter().filter(|&&byte| byte == b'\n').count();
    let mut payload =
        Zeroizing::new(Vec::with_capacity(text.len() + 2 * lines + 2 * (text.len() / JOIN_EVERY + 2)));
    let capacity = payload.capacity();
    let mut since_join = 0;
    for line in text.split(|&byte| byte == b'\n') {
        payload.push(b'+');
        payload.extend_from_slice(line);
        payload.push(b'\n');
        since_join += line.len() + 1;
        if since_join > JOIN_EVERY {
            payload.extend_from_slice(b",\n");
            since_join = 0;
        }
    }
    payload.extend_from_slice(b".\n");
    debug_assert_eq!(payload.capacity(), capacity, "a buffer that moves leaves a copy behind");
    payload
}

#[cfg(test)]
mod tests {
    use doppio_secrets::SecretValue;
    use doppio_secrets::vendor::FileForm;

    use super::*;

    fn var(name: &str, value: &[u8]) -> EnvVar {
        EnvVar::new(name.parse().unwrap(), SecretValue::new(value.to_vec()))
    }

    fn text(exec: &Exec) -> String {
        let split = EnvSplit::sort(&exec.env).unwrap();
        String::from_utf8(write(exec, &split).unwrap().bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_payload_is_lines_with_a_prefix_and_an_end() {
        let exec = Exec { env: vec![var("A", b"it's\n.\n")], ..Exec::new("true") };
        let text = text(&exec);
        assert!(text.contains("+export A='it'\\''s\n+.\n+'\n"), "{text}");
        assert!(text.ends_with("+exec \"$_s\" $_o -c true\n.\n"), "{text}");
        assert!(text.lines().all(|line| line.starts_with('+') || line == "."), "{text}");
    }

    #[test]
    fn a_credential_that_is_a_file_is_named_by_its_own_variable() {
        static FORM: FileForm =
            FileForm { variable: "V", file: "key", before: "ssh -i ", after: " -o X=y", names_folder: false };
        let text =
            text(&Exec { env: vec![EnvVar { file: Some(&FORM), ..var("V", b"a\n") }], ..Exec::new("true") });
        assert!(
            text.contains("+mkdir \"$_f/V\"||exit 96\n+printf %s 'a\n+' >\"$_f/V/key\"||exit 96\n"),
            "{text}"
        );
        assert!(text.contains("+export V='ssh -i '\"$_f/V/key\"' -o X=y'\n"), "{text}");
        assert!(!text.contains("V_FILE"), "{text}");
    }

    #[test]
    fn the_buffers_never_move() {
        let exec =
            Exec { env: vec![var("A", &[b'\''; 90_000]), var("B", &[b'\n'; 300_000])], ..Exec::new("'''''") };
        let split = EnvSplit::sort(&exec.env).unwrap();
        assert_eq!((split.exports.len(), split.files.len()), (1, 1));
        let payload = write(&exec, &split).unwrap();
        assert!(payload.folder.is_some_and(|name| name.starts_with("doppio-")));
        assert!(payload.bytes.ends_with(b".\n"));
    }
}
