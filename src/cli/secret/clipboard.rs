//! The clipboard: by the desktop's own programs, or by the terminal (OSC 52).
//!
//! A value goes to a program's stdin, never into its arguments. A second `doppio` stays behind to
//! empty the clipboard; it knows no more than a keyed hash of what is in there, and leaves alone
//! what somebody else has copied since.

use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;
use zeroize::Zeroizing;

use doppio_process::Heard;
use doppio_process::Limits;
use doppio_process::Program;
use doppio_secrets::Environment;
use doppio_secrets::SecretValue;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;

/// A terminal takes no more than this in one sequence. In bytes, before base64.
const TERMINAL_TAKES: usize = 74_994;

/// No clipboard takes longer to answer, or holds more than this.
const LIMITS: Limits = Limits { longest: 64 << 20, deadline: Duration::from_secs(30) };

/// A clipboard that programs write and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tool {
    name: &'static str,
    copy: &'static [&'static str],
    paste: &'static [&'static str],
    clear: &'static [&'static str],
}

const WAYLAND: Tool = Tool {
    name: "wl-copy",
    copy: &["wl-copy", "--type", "text/plain"],
    paste: &["wl-paste", "--no-newline"],
    clear: &["wl-copy", "--clear"],
};
const XCLIP: Tool = Tool {
    name: "xclip",
    copy: &["xclip", "-selection", "clipboard", "-in"],
    paste: &["xclip", "-selection", "clipboard", "-out"],
    clear: &["xclip", "-selection", "clipboard", "-in", "/dev/null"],
};
const XSEL: Tool = Tool {
    name: "xsel",
    copy: &["xsel", "--clipboard", "--input"],
    paste: &["xsel", "--clipboard", "--output"],
    clear: &["xsel", "--clipboard", "--clear"],
};
const MAC: Tool = Tool { name: "pbcopy", copy: &["pbcopy"], paste: &["pbpaste"], clear: &["pbcopy"] };

/// Which clipboard this session has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clipboard {
    /// The desktop's.
    Tool(Tool),
    /// The one of the terminal, wherever that is.
    Terminal,
}

/// Puts a value on the clipboard, and has it emptied after `keep`, if that is some time.
pub(super) fn copy(
    context: &Context,
    label: &str,
    value: &SecretValue,
    keep: Option<Duration>,
) -> Result<(), CliError> {
    match find(&context.env, context.stderr_is_terminal)? {
        Clipboard::Tool(tool) => {
            pipe(tool.copy, value).map_err(|error| {
                CliError::world(format!("`{}` did not accept the value", tool.name))
                    .cause(error.to_string())
                    .hint(format!("run `echo test | {}` to see what it says", tool.copy.join(" ")))
            })?;
            let Some(keep) = keep else {
                output::line(&format!("copied `{label}`; it stays on the clipboard"));
                return Ok(());
            };
            leave_watch(tool, value, keep).map_err(|error| unwatched(tool, &error))?;
            output::line(&format!("copied `{label}`; the clipboard will be cleared in {} s", keep.as_secs()));
            Ok(())
        }
        Clipboard::Terminal => {
            by_terminal(label, value, keep).or_world("the terminal did not accept the value")
        }
    }
}

/// No process could clear the clipboard later, so it is cleared now.
fn unwatched(tool: Tool, error: &io::Error) -> CliError {
    match clear(tool) {
        Ok(()) => {
            CliError::world("no process could be started to clear the clipboard later, so it was cleared now")
                .cause(error.to_string())
        }
        Err(kept) => CliError::world("the value is on the clipboard, and nothing will clear it")
            .cause(error.to_string())
            .cause(format!("`{}`: {kept}", tool.clear.join(" ")))
            .hint("copy something else over it"),
    }
}

fn find(env: &Environment, has_terminal: bool) -> Result<Clipboard, CliError> {
    let path = env.get("PATH").unwrap_or_default().to_owned();
    let is_installed = |tool: &Tool| {
        tool.copy
            .first()
            .is_some_and(|name| std::env::split_paths(&path).any(|folder| is_program(&folder.join(name))))
    };
    let desktops: [(bool, &[Tool], &str); 3] = [
        (cfg!(target_os = "macos"), &[MAC], "pbcopy"),
        (env.get("WAYLAND_DISPLAY").is_some(), &[WAYLAND], "wl-clipboard"),
        (env.get("DISPLAY").is_some(), &[XCLIP, XSEL], "xclip"),
    ];
    let mut missing = None;
    for (is_here, tools, package) in desktops {
        if is_here {
            if let Some(tool) = tools.iter().find(|tool| is_installed(tool)) {
                return Ok(Clipboard::Tool(*tool));
            }
            missing.get_or_insert(package);
        }
    }
    match missing {
        Some(package) => Err(CliError::world("no program for this desktop's clipboard is installed")
            .hint(format!("install `{package}`"))),
        None if has_terminal => Ok(Clipboard::Terminal),
        None => Err(CliError::world("there is no clipboard: neither a desktop nor a terminal")
            .hint("print it with `--reveal --force`")),
    }
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Runs a program with the value on its stdin. What it prints is dropped: `xclip` stays behind to
/// serve the clipboard, and would keep a pipe open.
fn pipe(command: &[&str], value: &SecretValue) -> io::Result<()> {
    let program = program(command)?.without_stdout();
    #[expect(clippy::disallowed_methods, reason = "the clipboard is where the user wants it")]
    value.reveal(|bytes| ended_well(program, Some(bytes))).map(drop)
}

fn ended_well(program: Program, stdin: Option<&[u8]>) -> io::Result<Heard> {
    let heard = program.hear_blocking(stdin, LIMITS).map_err(io::Error::other)?;
    let status = heard.status;
    if status.success() { Ok(heard) } else { Err(io::Error::other(format!("it ended with {status}"))) }
}

fn program(command: &[&str]) -> io::Result<Program> {
    let (program, arguments) = command.split_first().ok_or_else(|| io::Error::other("no program"))?;
    Ok(Program::new(program).args(arguments).without_stderr())
}

fn clear(tool: Tool) -> io::Result<()> {
    ended_well(program(tool.clear)?.without_stdout(), None).map(drop)
}

/// Starts the `doppio` that empties the clipboard, in a process group of its own so that Ctrl-C
/// at the prompt does not end it. What it must know goes through its stdin.
fn leave_watch(tool: Tool, value: &SecretValue, keep: Duration) -> io::Result<()> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key).map_err(|error| io::Error::other(error.to_string()))?;
    #[expect(clippy::disallowed_methods, reason = "only the hash leaves")]
    let hash = value.reveal(|bytes| hash(&*key, bytes));
    let words =
        format!("{} {} {} {}\n", tool.name, keep.as_secs(), HEXLOWER.encode(&*key), HEXLOWER.encode(&hash));
    let own = Program::new(std::env::current_exe()?);
    own.args(["secret", "clear-clipboard"]).dir("/").leave(Zeroizing::new(words).as_bytes())
}

fn hash(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// `doppio secret clear-clipboard`: waits, then empties the clipboard if it still holds what was
/// put there.
pub(super) fn watch() -> Result<(), CliError> {
    let garbled = || CliError::usage("this is for `doppio secret get --copy` to start");
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(|_| garbled())?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, seconds, key, expected] = words[..] else { return Err(garbled()) };
    let tools = [WAYLAND, XCLIP, XSEL, MAC];
    let tool = tools.into_iter().find(|tool| tool.name == name).ok_or_else(garbled)?;
    let seconds = seconds.parse().map_err(|_| garbled())?;
    let key = HEXLOWER.decode(key.as_bytes()).map_err(|_| garbled())?;
    std::thread::sleep(Duration::from_secs(seconds));
    let failed = |error: io::Error| CliError::world("cannot read the clipboard").cause(error.to_string());
    let found = program(tool.paste).and_then(|program| {
        program.hear_blocking(None, LIMITS).map_err(io::Error::other).map(|heard| heard.stdout)
    });
    if HEXLOWER.encode(&hash(&key, &found.map_err(failed)?)) == expected {
        clear(tool).map_err(failed)?;
    }
    Ok(())
}

/// Hands the value to the terminal. It can't be asked what it holds, so the clipboard is emptied
/// only while the user can see that it will be.
fn by_terminal(label: &str, value: &SecretValue, keep: Option<Duration>) -> io::Result<()> {
    let mut terminal = OpenOptions::new().write(true).open("/dev/tty")?;
    #[expect(clippy::disallowed_methods, reason = "the clipboard is where the user wants it")]
    let text = value.reveal(|bytes| {
        if bytes.len() > TERMINAL_TAKES {
            return Err(io::Error::other("the value is longer than a terminal accepts"));
        }
        Ok(Zeroizing::new(BASE64.encode(bytes)))
    })?;
    terminal.write_all(b"\x1b]52;c;")?;
    terminal.write_all(text.as_bytes())?;
    terminal.write_all(b"\x07")?;
    terminal.flush()?;
    let Some(keep) = keep else {
        output::line(&format!("gave `{label}` to the terminal's clipboard, if it has one; it stays there"));
        return Ok(());
    };
    output::line(&format!(
        "gave `{label}` to the terminal's clipboard, if it has one; in {} s it will be cleared, whatever it holds",
        keep.as_secs()
    ));
    output::line("Ctrl-C leaves it as it is");
    std::thread::sleep(keep);
    terminal.write_all(b"\x1b]52;c;!\x07")?;
    terminal.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_the_clipboard_is_told() {
        let words = |clear| {
            let tool = Tool { name: "x", copy: &[], paste: &[], clear };
            unwatched(tool, &io::Error::other("no process")).message.unwrap()
        };
        assert!(words(&["true"]).ends_with("so it was cleared now"));
        assert!(words(&["false"]).starts_with("the value is on the clipboard"));
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn the_session_says_which_clipboard() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["wl-copy", "xsel"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let path = folder.path().to_str().unwrap();
        let find = |variables: &[(&str, &str)], terminal| {
            let mut all = vec![("PATH", path)];
            all.extend(variables);
            find(&environment(&all), terminal)
        };
        let both = [("WAYLAND_DISPLAY", "wayland-0"), ("DISPLAY", ":0")];
        assert_eq!(find(&both, true).unwrap(), Clipboard::Tool(WAYLAND));
        assert_eq!(find(&[("DISPLAY", ":0")], true).unwrap(), Clipboard::Tool(XSEL));
        assert_eq!(find(&[], true).unwrap(), Clipboard::Terminal);
        assert!(find(&[], false).is_err());
        std::fs::remove_file(folder.path().join("xsel")).unwrap();
        assert!(find(&[("DISPLAY", ":0")], true).unwrap_err().hints[0].contains("install `xclip`"));
    }
}
