//! What the bootstrap reads and evaluates: the environment, the directory, and the script.
//!
//! Every line is prefixed with `+`; `,` joins what has come so far and `.` ends the frame, so
//! that a frame cut short is never evaluated. Values are in single quotes, where a POSIX shell
//! changes no byte. The script is handed on as an argument, for no value is in it.

use zeroize::Zeroizing;

use crate::host::EnvVar;
use crate::host::Exec;
use crate::host::HostError;
use crate::host::Interpreter;
use crate::shell;

/// Values above this travel as files: Linux refuses a string of 128 KiB in an environment.
pub(in crate::host) const VALUE_LIMIT: usize = 100_000;

/// All values of an environment together; more go as files.
const ENVIRONMENT_LIMIT: usize = 1 << 20;

/// Scripts above this are handed on in several arguments, for the same reason.
const ARGUMENT_LIMIT: usize = 100_000;

/// The longest script.
const SCRIPT_LIMIT: usize = 1 << 20;

/// Bytes between two joins.
const JOIN_EVERY: usize = 8 << 10;

/// A frame, ready to be sent.
pub(in crate::host) struct Frame {
    /// All its lines.
    pub bytes: Zeroizing<Vec<u8>>,
    /// The folder that its files are in, if it has any: a name to be found in one of
    /// [`FOLDERS`].
    pub folder: Option<String>,
}

/// Where the folder of a frame's files may be, in the order in which it is tried.
pub(in crate::host) const FOLDERS: [&str; 3] =
    [r#""${XDG_RUNTIME_DIR:-/dev/shm}""#, "/dev/shm", r#""$HOME/.doppio/run""#];

/// Which way each variable goes that isn't sent otherwise.
#[derive(Debug, Default)]
pub(in crate::host) struct Load<'a> {
    /// As variables.
    pub exports: Vec<&'a EnvVar>,
    /// As files, with the path in `NAME_FILE`.
    pub files: Vec<&'a EnvVar>,
}

impl<'a> Load<'a> {
    /// Tells large values from others. Of two variables of one name, the later one counts.
    ///
    /// # Errors
    ///
    /// When a value has a NUL byte, which no environment can hold.
    pub(in crate::host) fn sort(env: &'a [EnvVar]) -> Result<Self, HostError> {
        let mut load = Self::default();
        let mut total = 0;
        for (at, var) in env.iter().enumerate() {
            if env[at + 1..].iter().any(|later| later.name == var.name) {
                continue;
            }
            let (size, has_nul) = measure(var);
            if has_nul {
                return Err(HostError {
                    message: format!("the value of `{}` can't be handed over", var.name),
                    causes: vec!["it has a NUL byte, and an environment can't hold one".to_owned()],
                    hint: Some("encode the value, as with base64".to_owned()),
                });
            }
            if size > VALUE_LIMIT || total + size > ENVIRONMENT_LIMIT {
                load.files.push(var);
            } else {
                total += size;
                load.exports.push(var);
            }
        }
        Ok(load)
    }
}

fn measure(var: &EnvVar) -> (usize, bool) {
    #[expect(
        clippy::disallowed_methods,
        reason = "only its length is looked at, and whether it has a NUL byte"
    )]
    var.value.reveal(|bytes| (bytes.len(), bytes.contains(&0)))
}

/// Writes the frame of a script.
///
/// # Errors
///
/// When the script is too long or has a NUL byte.
pub(in crate::host) fn write(exec: &Exec, load: &Load<'_>) -> Result<Frame, HostError> {
    check(exec)?;
    let files: usize = load.files.iter().map(|var| measure(var).0).sum();
    let exports: usize = load.exports.iter().map(|var| measure(var).0 + 64).sum();
    // A quote becomes four bytes. With the room there from the start, the buffer never moves,
    // so that no copy of a value is left behind.
    let room = 4 * (files + exports + exec.script.len()) + 256 * load.files.len() + (16 << 10);
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let capacity = text.capacity();
    // Neither a trace nor a history may see the assignments.
    text.extend_from_slice(b"{ set +xv;command set +o history;} 2>/dev/null\n");
    for var in &load.exports {
        text.extend_from_slice(format!("export {}=", var.name).as_bytes());
        quote_value(&mut text, var);
        text.push(b'\n');
    }
    let folder = write_files(&mut text, &load.files)?;
    text.extend_from_slice(b"unset _N _l _e _c _k _t _g\n");
    if let Some(dir) = &exec.workdir {
        let (path, shown) = (shell::quote_path(dir), shell::quote(dir));
        text.extend_from_slice(
            format!("CDPATH= cd -- {path} 2>/dev/null||{{ printf 'doppio: no directory %s\\n' {shown} >&2;exit 98;}}\n")
                .as_bytes(),
        );
    }
    text.extend_from_slice(launch(exec, load, folder.is_some()).as_bytes());
    debug_assert_eq!(text.capacity(), capacity, "a buffer that moves leaves a copy behind");
    Ok(Frame { bytes: encode(&text), folder })
}

/// Whether a frame can be written, as far as that does not depend on values.
///
/// # Errors
///
/// When the script is too long or has a NUL byte.
pub(in crate::host) fn check(exec: &Exec) -> Result<(), HostError> {
    let cause = if exec.script.len() > SCRIPT_LIMIT {
        format!("it is longer than {} KiB", SCRIPT_LIMIT >> 10)
    } else if exec.script.contains('\0') {
        "it has a NUL byte".to_owned()
    } else if exec.script.len() > ARGUMENT_LIMIT && !is_posix(&exec.interpreter) {
        format!(
            "it is longer than {ARGUMENT_LIMIT} bytes, and `{}` can't take it in pieces",
            exec.interpreter.shell
        )
    } else {
        return Ok(());
    };
    Err(HostError {
        message: "the script can't be run".to_owned(),
        causes: vec![cause],
        hint: Some("put it into a file, upload that, and run it".to_owned()),
    })
}

/// The shells whose language is not that of POSIX.
fn is_posix(interpreter: &Interpreter) -> bool {
    let name = interpreter.shell.rsplit('/').next().unwrap_or_default();
    !matches!(name, "fish" | "csh" | "tcsh" | "nu" | "pwsh" | "xonsh" | "elvish")
}

fn quote_value(text: &mut Vec<u8>, var: &EnvVar) {
    #[expect(clippy::disallowed_methods, reason = "the frame is what carries the value to the process")]
    var.value.reveal(|bytes| shell::quote_bytes(text, bytes));
}

/// Puts each value into a file of a folder that nobody else can enter.
fn write_files(text: &mut Vec<u8>, files: &[&EnvVar]) -> Result<Option<String>, HostError> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).map_err(|error| HostError {
        message: "no name for a folder could be made".to_owned(),
        causes: vec![error.to_string()],
        hint: None,
    })?;
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
        text.extend_from_slice(b"printf %s ");
        quote_value(text, var);
        text.extend_from_slice(
            format!(" >\"$_f/{name}\"||exit 96\nexport {name}_FILE=\"$_f/{name}\"\n", name = var.name)
                .as_bytes(),
        );
    }
    text.extend_from_slice(b"umask \"$_u\";unset _u\n");
    Ok(Some(folder))
}

/// The last lines: the interpreter with the script. It takes the place of the shell, unless
/// that has files to remove when the script has ended.
fn launch(exec: &Exec, load: &Load<'_>, has_files: bool) -> String {
    let name = shell::quote(&exec.interpreter.shell);
    let is_bash = exec.interpreter.shell.rsplit('/').next() == Some("bash");
    // Bash believes that sshd started it, and would read ~/.bashrc, which the login shell has
    // done already and whose noise would be output here.
    let norc = if is_bash { "--norc" } else { "" };
    let mut text = if exec.interpreter.shell == "bash" {
        "_s=bash _o=--norc;command -v bash >/dev/null 2>&1||_s=sh _o=\n".to_owned()
    } else {
        format!(
            "_s={name} _o={norc};command -v {name} >/dev/null 2>&1||\
             {{ printf 'doppio: %s is not installed\\n' {name} >&2;exit 127;}}\n"
        )
    };
    let login = if exec.interpreter.login { " -l" } else { "" };
    let script = script(exec, load);
    let command = if script.len() <= ARGUMENT_LIMIT {
        format!("\"$_s\" $_o{login} -c {}", shell::quote(&script))
    } else {
        let pieces: Vec<String> = pieces(&script).map(shell::quote).collect();
        let join =
            r#"_doppio=;for _piece do _doppio=$_doppio$_piece;done;set --;unset _piece;eval "$_doppio""#;
        format!("\"$_s\" $_o{login} -c '{join}' \"$_s\" {}", pieces.join(" "))
    };
    if has_files {
        text.push_str(&command);
        text.push_str("\nexit $?\n");
    } else {
        text.push_str("exec ");
        text.push_str(&command);
        text.push('\n');
    }
    text
}

/// The script with what comes before it in the same shell.
fn script(exec: &Exec, load: &Load<'_>) -> String {
    let mut text = String::new();
    let posix = is_posix(&exec.interpreter);
    if posix {
        // The script itself sees large values too; only its children must read the file.
        text.extend(load.files.iter().map(|var| {
            let name = &var.name;
            format!("{name}=$(cat \"${name}_FILE\";printf .);{name}=${{{name}%.}}\n")
        }));
    }
    for file in &exec.source {
        text.push_str(&source(file, posix));
    }
    text.push_str(&exec.script);
    text
}

fn source(file: &str, posix: bool) -> String {
    let has_place = file.contains('/') || file.starts_with('~');
    let word = shell::quote_path(&if has_place { file.to_owned() } else { format!("./{file}") });
    if !posix {
        return format!("source {word}\n");
    }
    let shown = shell::quote(file);
    let check =
        format!("[ -r {word} ]||{{ printf 'doppio: no file %s to source\\n' {shown} >&2;exit 98;}}\n");
    // Files of plain assignments, like /etc/environment, say nothing of exporting them.
    let name = file.rsplit('/').next().unwrap_or_default();
    let is_plain = name == "environment" || name.split('.').skip(1).any(|part| part == "env");
    if is_plain { format!("{check}set -a;. {word};set +a\n") } else { format!("{check}. {word}\n") }
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut at = rest.len().min(ARGUMENT_LIMIT);
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        let (piece, after) = rest.split_at(at);
        rest = after;
        Some(piece)
    })
}

fn encode(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    #[expect(clippy::naive_bytecount, reason = "once per step")]
    let lines = 1 + text.iter().filter(|&&byte| byte == b'\n').count();
    let mut frame =
        Zeroizing::new(Vec::with_capacity(text.len() + 2 * lines + 2 * (text.len() / JOIN_EVERY + 2)));
    let capacity = frame.capacity();
    let mut since_join = 0;
    for line in text.split(|&byte| byte == b'\n') {
        frame.push(b'+');
        frame.extend_from_slice(line);
        frame.push(b'\n');
        since_join += line.len() + 1;
        if since_join > JOIN_EVERY {
            frame.extend_from_slice(b",\n");
            since_join = 0;
        }
    }
    frame.extend_from_slice(b".\n");
    debug_assert_eq!(frame.capacity(), capacity, "a buffer that moves leaves a copy behind");
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretValue;

    fn var(name: &str, value: &[u8]) -> EnvVar {
        EnvVar { name: name.parse().unwrap(), value: SecretValue::new(value.to_vec()), secret: None }
    }

    fn text(exec: &Exec) -> String {
        let load = Load::sort(&exec.env).unwrap();
        String::from_utf8(write(exec, &load).unwrap().bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_frame_is_lines_with_a_prefix_and_an_end() {
        let exec = Exec { env: vec![var("A", b"it's\n.\n")], ..Exec::new("true") };
        let text = text(&exec);
        assert!(text.contains("+export A='it'\\''s\n+.\n+'\n"), "{text}");
        assert!(text.ends_with("+exec \"$_s\" $_o -c true\n.\n"), "{text}");
        assert!(text.lines().all(|line| line.starts_with('+') || line == "."), "{text}");
    }

    #[test]
    fn the_buffers_never_move() {
        let exec =
            Exec { env: vec![var("A", &[b'\''; 90_000]), var("B", &[b'\n'; 300_000])], ..Exec::new("'''''") };
        let load = Load::sort(&exec.env).unwrap();
        assert_eq!((load.exports.len(), load.files.len()), (1, 1));
        let frame = write(&exec, &load).unwrap();
        assert!(frame.folder.is_some_and(|name| name.starts_with("doppio-")));
        assert!(frame.bytes.ends_with(b".\n"));
    }

    #[test]
    fn the_later_of_two_variables_counts() {
        let env = [var("A", b"1"), var("B", b"2"), var("A", b"3")];
        let load = Load::sort(&env).unwrap();
        let names: Vec<_> = load.exports.iter().map(|var| var.name.as_str()).collect();
        assert_eq!(names, ["B", "A"]);
    }

    #[test]
    fn a_value_with_a_nul_byte_is_refused_without_showing_it() {
        let env = [var("A", b"hunter2\0")];
        let error = Load::sort(&env).unwrap_err();
        assert!(error.message.contains("`A`") && !format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn long_scripts_are_cut_at_characters() {
        let script = "ä".repeat(ARGUMENT_LIMIT);
        let joined: String = pieces(&script).collect();
        assert_eq!(joined, script);
        assert!(pieces(&script).all(|piece| piece.len() <= ARGUMENT_LIMIT));
    }

    #[test]
    fn a_script_that_no_shell_could_take_is_refused() {
        let load = Load::default();
        assert!(write(&Exec::new("x".repeat(SCRIPT_LIMIT + 1)), &load).is_err());
        let mut exec = Exec::new("x".repeat(ARGUMENT_LIMIT + 1));
        assert!(write(&exec, &load).is_ok());
        exec.interpreter.shell = "/usr/bin/fish".to_owned();
        assert!(write(&exec, &load).is_err());
    }
}
