//! What the bootstrap reads and evaluates: the environment, the directory, and the script.
//!
//! Every line is prefixed with `+`; `,` joins what has come so far, and `.` with the length of the
//! text ends the payload, so that one that lost bytes on its way is never evaluated. Values are in
//! single quotes, where a POSIX shell changes no byte. The script is handed on as an argument, for
//! no value is in it.

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
use crate::private_folder::PRIVATE_FOLDER;
use crate::private_folder::STALE_FOLDERS;
use crate::private_folder::fresh_name;

pub(crate) use env_split::EnvSplit;
pub(crate) use interpreter::Ending;
pub(crate) use interpreter::check;

/// Bytes between two joins.
const JOIN_EVERY: usize = 8 << 10;

/// A payload, ready to be sent.
pub(crate) struct Payload {
    /// All its lines.
    pub bytes: Zeroizing<Vec<u8>>,
    /// The folder that its files are in, if it has any: a name to be found in one of
    /// [`PARENTS`](crate::private_folder::PARENTS).
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

/// Writes the payload of a script.
///
/// # Errors
///
/// When the script is too long or has a NUL byte.
pub(crate) fn write(exec: &Exec, split: &EnvSplit<'_>) -> Result<Payload, HostError> {
    write_ending(exec, split, Ending::Told)
}

/// The same for a script whose end is known as `ending` says.
///
/// # Errors
///
/// As those of [`write()`].
pub(crate) fn write_ending(exec: &Exec, split: &EnvSplit<'_>, ending: Ending) -> Result<Payload, HostError> {
    check(exec)?;
    let files: usize = split.files.iter().map(|var| measure(var).0).sum();
    let exports: usize = split.exports.iter().map(|var| measure(var).0 + 64).sum();
    // A quote becomes four bytes. With the room there from the start, the buffer never moves,
    // so that no copy of a value is left behind.
    let room = 4 * (files + exports + exec.script.len()) + 768 * split.files.len() + (20 << 10);
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let capacity = text.capacity();
    for var in &split.exports {
        text.extend_from_slice(format!("export {}=", var.name).as_bytes());
        quote_value(&mut text, var);
        text.push(b'\n');
    }
    let folder = write_files(&mut text, &split.files)?;
    if let Some(dir) = &exec.workdir {
        let path = shell::quote_path(dir);
        text.extend_from_slice(format!("CDPATH= cd -- {path} 2>/dev/null||_x directory\n").as_bytes());
    }
    text.extend_from_slice(invocation(exec, split, folder.is_some(), ending).as_bytes());
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
    let folder = fresh_name()?;
    // An external `printf` would take the value as an argument.
    text.extend_from_slice(b"case $(command -v printf) in /*)_x printf;;esac\n");
    text.extend_from_slice(PRIVATE_FOLDER.as_bytes());
    text.extend_from_slice(STALE_FOLDERS.as_bytes());
    // On a full file system, not every `printf` says so.
    text.extend_from_slice(b"_z(){ [ \"$(($(wc -c <\"$1\")))\" = \"$2\" ];}\n_w(){ doppio_mark||return 1\n");
    let mut exports = Vec::new();
    for var in files {
        let name = &var.name;
        let file = match var.file {
            None => {
                exports.push(format!("export {name}_FILE=\"$_f/{name}\"\n"));
                name.to_string()
            }
            Some(form) => {
                text.extend_from_slice(format!("mkdir ./{name}||return 1\n").as_bytes());
                let file = format!("{name}/{}", form.file);
                let named = if form.names_folder { name.as_str() } else { &file };
                let (before, after) = (shell::quote(form.before), shell::quote(form.after));
                exports.push(format!("export {name}={before}\"$_f/{named}\"{after}\n"));
                file
            }
        };
        text.extend_from_slice(b"printf %s ");
        quote_value(text, var);
        let size = measure(var).0;
        text.extend_from_slice(format!(" >\"./{file}\"&&_z \"./{file}\" {size}||return 1\n").as_bytes());
    }
    let exports = exports.concat();
    let tail = format!(
        "}}\n_f=$(doppio_folder {folder} _w 2>/dev/null)||_x folder\n\
         case $_f in disk*)echo 'doppio: no memory file system here takes it: what goes as a file lies on \
         disk while the step runs' >&2;;esac\n\
         _f=${{_f#* }}\n\
         trap 'rm -rf \"$_f\"' EXIT\n\
         trap 'exit 129' HUP;trap 'exit 130' INT;trap 'exit 143' TERM\n\
         (for _p in \"${{_f%/*}}\" \"$HOME/.doppio/run\";do doppio_stale \"$_p\";done) >&2\n\
         {exports}"
    );
    text.extend_from_slice(tail.as_bytes());
    Ok(Some(folder))
}

fn encode(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let size = text.len();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    #[expect(clippy::naive_bytecount, reason = "once per step")]
    let lines = 1 + text.iter().filter(|&&byte| byte == b'\n').count();
    let mut payload =
        Zeroizing::new(Vec::with_capacity(text.len() + 2 * lines + 2 * (text.len() / JOIN_EVERY + 2) + 24));
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
    payload.extend_from_slice(format!(".{size}\n").as_bytes());
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
        let sizes = text.lines().filter_map(|line| line.strip_prefix('+')).map(|line| line.len() + 1);
        let end = format!("+exec \"$_s\" $_o -c true\n.{}\n", sizes.sum::<usize>());
        assert!(text.ends_with(&end), "{text}");
        assert!(text.lines().all(|line| line.starts_with(['+', '.'])), "{text}");
    }

    #[test]
    fn a_credential_that_is_a_file_is_named_by_its_own_variable() {
        static FORM: FileForm =
            FileForm { variable: "V", file: "key", before: "ssh -i ", after: " -o X=y", names_folder: false };
        let text =
            text(&Exec { env: vec![EnvVar { file: Some(&FORM), ..var("V", b"a\n") }], ..Exec::new("true") });
        assert!(
            text.contains(
                "+mkdir ./V||return 1\n+printf %s 'a\n+' >\"./V/key\"&&_z \"./V/key\" 2||return 1\n"
            ),
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
        assert!(payload.bytes.ends_with(b"\n"));
    }
}
