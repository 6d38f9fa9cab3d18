//! The end of a payload: the interpreter, and the script as its argument.

use doppio_text::shell;

use crate::Exec;
use crate::HostError;
use crate::payload::env_split::EnvSplit;

/// Scripts above this are handed on in several arguments: Linux refuses one of 128 KiB.
const ARGUMENT_LIMIT: usize = 100_000;

/// The longest script.
const SCRIPT_LIMIT: usize = 1 << 20;

/// How the end of a script is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Whoever runs the shell tells how it ended.
    Told,
    /// The shell writes [the mark](crate::end_mark) when the script has ended: what runs it ends in
    /// the same way when the connection breaks.
    Marked,
}

/// Whether a payload can be written, as far as that does not depend on values.
///
/// # Errors
///
/// When the script is too long or has a NUL byte.
pub(crate) fn check(exec: &Exec) -> Result<(), HostError> {
    let cause = if exec.script.len() > SCRIPT_LIMIT {
        format!("it is longer than {} KiB", SCRIPT_LIMIT >> 10)
    } else if exec.script.contains('\0') {
        "it has a NUL byte".to_owned()
    } else if exec.script.len() > ARGUMENT_LIMIT && !exec.interpreter.is_posix() {
        format!(
            "it is longer than {ARGUMENT_LIMIT} bytes, and `{}` can't take it in pieces",
            exec.interpreter.shell
        )
    } else {
        return Ok(());
    };
    Err(HostError::new("the script can't be run")
        .cause(cause)
        .hint("put it into a file, upload that, and run it"))
}

/// The last lines: the interpreter with the script. It takes the place of the shell, unless
/// that has something to do when the script has ended: to remove files, to write a mark.
pub(super) fn invocation(exec: &Exec, split: &EnvSplit<'_>, has_files: bool, ending: Ending) -> String {
    let name = shell::quote(&exec.interpreter.shell);
    let is_bash = exec.interpreter.name() == "bash";
    // Bash believes that sshd started it, and would read ~/.bashrc, which the login shell has
    // done already and whose noise would be output here.
    let norc = if is_bash { "--norc" } else { "" };
    let mut text = if exec.interpreter.shell == "bash" {
        "_b\n".to_owned()
    } else {
        format!("_u;_s={name} _o={norc};command -v {name} >/dev/null 2>&1||_x shell\n")
    };
    let is_posix = exec.interpreter.is_posix();
    // One that is not there yet may be the work of those before it.
    if let Some(file) = exec.source.first().filter(|_| is_posix) {
        for part in ["[ -r ", &source_word(file), " ]||_x source\n"] {
            text.push_str(part);
        }
    }
    if has_secrets(exec) {
        // Tracing that the host exports would write values down: in bash's way, and in fish's.
        text.push_str("{ command unset SHELLOPTS fish_trace;} 2>/dev/null\n");
    }
    let is_marked = ending == Ending::Marked;
    if is_marked {
        // The script must not know the number, so it stays in a variable that is not exported.
        text.push_str("_m=$_n\n");
    }
    text.push_str("_r\n");
    if is_marked && !has_files {
        // What ends the script by its group is to leave the shell that says so. A trap, unlike a
        // signal that is ignored, is not handed on.
        text.push_str("trap : HUP INT TERM\n");
    }
    let login = if exec.interpreter.login { " -l" } else { "" };
    let script = script(exec, split);
    let command = if script.len() <= ARGUMENT_LIMIT {
        format!("\"$_s\" $_o{login} -c {}", shell::quote(&script))
    } else {
        let pieces: Vec<String> = pieces(&script).map(shell::quote).collect();
        let join =
            r#"_doppio=;for _piece do _doppio=$_doppio$_piece;done;set --;unset _piece;eval "$_doppio""#;
        format!("\"$_s\" $_o{login} -c '{join}' \"$_s\" {}", pieces.join(" "))
    };
    if is_marked {
        text.push_str(&command);
        text.push_str("\n_d=$?;echo \"doppio:4:$_m:$_d:\";exit $_d\n");
    } else if has_files {
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
fn script(exec: &Exec, split: &EnvSplit<'_>) -> String {
    let mut text = String::new();
    let posix = exec.interpreter.is_posix();
    if posix && has_secrets(exec) {
        // What a login file or `$BASH_ENV` has set up would trace what comes next, into a file even.
        text.push_str("{ set +xv;unset BASH_XTRACEFD;} 2>/dev/null\n");
    }
    if posix {
        // The script itself sees large values too; only its children must read the file.
        let large = split.files.iter().filter(|var| var.file.is_none());
        text.extend(large.map(|var| {
            let name = &var.name;
            format!("{name}=$(cat \"${name}_FILE\";printf .);{name}=${{{name}%.}}\n")
        }));
    }
    for file in &exec.source {
        text.push_str(&source(file, posix));
    }
    if posix {
        // Behind the files: their author need not have thought of it.
        text.push_str(&exec.strict.opening());
    }
    text.push_str(&exec.script);
    text
}

/// Whether a value that must not be seen goes to the script.
fn has_secrets(exec: &Exec) -> bool {
    exec.env.iter().any(|var| !var.secrets.is_empty() || var.file.is_some())
}

fn source_word(file: &str) -> String {
    let has_folder = file.contains('/') || file.starts_with('~');
    shell::quote_path(&if has_folder { file.to_owned() } else { format!("./{file}") })
}

fn source(file: &str, posix: bool) -> String {
    let word = source_word(file);
    if !posix {
        return format!("source {word}\n");
    }
    let shown = shell::quote(file);
    let check = format!("[ -r {word} ]||{{ printf 'doppio: no file %s to source\\n' {shown} >&2;exit 1;}}\n");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_scripts_are_cut_at_characters() {
        let script = "ä".repeat(ARGUMENT_LIMIT);
        let joined: String = pieces(&script).collect();
        assert_eq!(joined, script);
        assert!(pieces(&script).all(|piece| piece.len() <= ARGUMENT_LIMIT));
    }

    #[test]
    fn a_script_that_no_shell_could_take_is_refused() {
        assert!(check(&Exec::new("x".repeat(SCRIPT_LIMIT + 1))).is_err());
        let mut exec = Exec::new("x".repeat(ARGUMENT_LIMIT + 1));
        assert!(check(&exec).is_ok());
        exec.interpreter.shell = "/usr/bin/fish".to_owned();
        assert!(check(&exec).is_err());
    }
}
