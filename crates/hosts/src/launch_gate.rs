//! What stands between the output of a payload's shell and that of the script.
//!
//! Until the shell says that the script begins, nothing on standard output is the script's: it is
//! noise of login files, or the echo of what was sent. It is dropped, never shown. A process that
//! ends before that has not run the script, whatever its exit code.

use doppio_text::shell::quote_path;

use crate::Exec;
use crate::Exit;
use crate::HostError;
use crate::Output;

/// Bytes of standard error that are kept until the script begins.
const HELD: usize = 64 << 10;

/// The longest line that says whether the script begins, after its mark.
const WORD: usize = 64;

/// Lets the script's own output through.
#[derive(Debug)]
pub(crate) struct LaunchGate {
    mark: Vec<u8>,
    wants: Wants,
    /// None from the script's beginning on.
    held: Option<Held>,
}

/// What a script needs of its host, to say what of it is missing.
#[derive(Debug)]
pub(crate) struct Wants {
    /// Where it was to run, as in "on `box`".
    at: String,
    workdir: Option<String>,
    shell: String,
    source: Option<String>,
}

#[derive(Debug, Default)]
struct Held {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Why the shell gave up.
    word: Option<String>,
}

impl Wants {
    /// Those of a script. `at` is where it is to run.
    pub(crate) fn of(exec: &Exec, at: String) -> Self {
        Self {
            at,
            workdir: exec.workdir.clone(),
            shell: exec.interpreter.shell.clone(),
            source: exec.source.first().cloned(),
        }
    }
}

impl LaunchGate {
    /// One that opens at a word behind this mark.
    pub(crate) fn new(mark: Vec<u8>, wants: Wants) -> Self {
        Self { mark, wants, held: Some(Held::default()) }
    }

    /// What of it may be handed on, in this order.
    pub(crate) fn pass(&mut self, output: Output) -> Vec<Output> {
        let Some(held) = &mut self.held else { return vec![output] };
        match output {
            Output::Stderr(bytes) => {
                let room = HELD.saturating_sub(held.stderr.len());
                held.stderr.extend_from_slice(&bytes[..bytes.len().min(room)]);
                Vec::new()
            }
            Output::Stdout(bytes) => {
                held.stdout.extend_from_slice(&bytes);
                let Some((word, rest)) = word(&mut held.stdout, &self.mark) else { return Vec::new() };
                if word != "run" {
                    held.word = Some(word);
                    return Vec::new();
                }
                let stderr = std::mem::take(&mut held.stderr);
                self.held = None;
                let whole = [Output::Stderr(stderr), Output::Stdout(rest)];
                let is_empty = |output: &Output| matches!(output, Output::Stdout(bytes) | Output::Stderr(bytes) if bytes.is_empty());
                whole.into_iter().filter(|output| !is_empty(output)).collect()
            }
            Output::Exit(exit) => vec![Output::Exit(self.end(exit))],
        }
    }

    fn end(&self, exit: Exit) -> Exit {
        let Some(held) = &self.held else { return exit };
        let word = held.word.as_deref();
        let ended = match &exit {
            // It is not known how far it came.
            Exit::Lost(_) if word.is_none() => return exit,
            Exit::Code(code) => format!("its shell ended with exit status {code}"),
            Exit::Signal(name) => format!("its shell was ended by {name}"),
            Exit::Lost(_) | Exit::NotStarted(_) => String::new(),
        };
        let Wants { at, workdir, shell, source } = &self.wants;
        let error = HostError::new(format!("the script was not started {at}"));
        Exit::NotStarted(match word {
            Some("directory") => {
                let dir = workdir.as_deref().unwrap_or_default();
                let hint = format!("make it there: `mkdir -p {}`", quote_path(dir));
                error.cause(format!("there is no directory `{dir}` that can be entered")).hint(hint)
            }
            Some("shell") => error.cause(format!("`{shell}` is not installed there")).hint(format!(
                "install it there, as in `apt-get install -y {shell}`, or name another `shell`"
            )),
            Some("source") => {
                let file = source.as_deref().unwrap_or_default();
                let hint = format!("look on the host: `ls -l {}`", quote_path(file));
                error.cause(format!("there is no file `{file}` to source that can be read")).hint(hint)
            }
            Some("printf") => error
                .cause(
                    "the host's `sh` has no `printf` of its own, and another program's arguments can be seen",
                )
                .hint("make `sh` a usual shell there: `ln -sf dash /bin/sh`"),
            Some("folder") => error
                .cause(
                    "no folder there takes its files: /dev/shm and $XDG_RUNTIME_DIR are full or unfit, and \
                     ~/.doppio/run can't be made or is full",
                )
                .hint("look for room on the host: `df /dev/shm ~`"),
            Some("torn") => error.cause("what was sent to it did not arrive whole").hint(
                "look for a background program in the host's login files (~/.bashrc) that reads standard \
                 input, and give it another: `PROGRAM </dev/null &`",
            ),
            _ => {
                let said = crate::error::words(&held.stderr);
                let error = error.cause(ended);
                if said.is_empty() { error } else { error.cause(said) }
            }
        })
    }
}

/// The word behind the mark, and what follows its line. Of what can't be part of it, nothing is kept.
fn word(heard: &mut Vec<u8>, mark: &[u8]) -> Option<(String, Vec<u8>)> {
    let Some(at) = heard.windows(mark.len()).position(|window| window == mark) else {
        let keep = heard.len().saturating_sub(mark.len() + WORD);
        heard.drain(..keep);
        return None;
    };
    let start = at + mark.len();
    let end = start + heard[start..].iter().position(|&byte| byte == b'\n')?;
    let rest = heard.split_off(end + 1);
    let word = String::from_utf8_lossy(&heard[start..end]).trim_end_matches(['\r', ':']).to_owned();
    heard.clear();
    Some((word, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> LaunchGate {
        let exec = Exec { workdir: Some("/x y".to_owned()), ..Exec::new("true") };
        LaunchGate::new(b"doppio:3:n:".to_vec(), Wants::of(&exec, "on `box`".to_owned()))
    }

    fn out(text: &str) -> Output {
        Output::Stdout(text.as_bytes().to_vec())
    }

    fn shown(outputs: &[Output]) -> String {
        let text = |output: &Output| match output {
            Output::Stdout(bytes) => format!("out {}\n", String::from_utf8_lossy(bytes)),
            Output::Stderr(bytes) => format!("err {}\n", String::from_utf8_lossy(bytes)),
            Output::Exit(exit) => format!("{exit:?}\n"),
        };
        outputs.iter().map(text).collect()
    }

    #[test]
    fn what_comes_before_the_script_is_dropped_and_its_errors_come_first() {
        let mut gate = gate();
        assert!(gate.pass(out("echo of a secret, noise without end dop")).is_empty());
        assert!(gate.pass(Output::Stderr(b"e".to_vec())).is_empty());
        assert!(gate.pass(out("pio:3:n:ru")).is_empty());
        assert_eq!(shown(&gate.pass(out("n:\nhello"))), "err e\nout hello\n");
        assert_eq!(shown(&gate.pass(out("doppio:3:n:torn:\n"))), "out doppio:3:n:torn:\n\n");
        assert_eq!(shown(&gate.pass(Output::Exit(Exit::Code(96)))), "Code(96)\n");
    }

    // case H2
    #[test]
    fn no_end_before_the_script_is_a_success_or_the_scripts_own() {
        for exit in [Exit::Code(0), Exit::Code(97), Exit::Signal("KILL".to_owned())] {
            let passed = gate().pass(Output::Exit(exit));
            assert!(matches!(passed[..], [Output::Exit(Exit::NotStarted(_))]), "{passed:?}");
        }
        let lost = gate().pass(Output::Exit(Exit::Lost("cable".to_owned())));
        assert!(matches!(lost[..], [Output::Exit(Exit::Lost(_))]), "it may have begun: {lost:?}");
    }

    #[test]
    fn a_shell_that_gives_up_says_why() {
        let mut gate = gate();
        assert!(gate.pass(out("doppio:3:n:directory:\n")).is_empty());
        let ended = gate.pass(Output::Exit(Exit::Code(96)));
        let [Output::Exit(Exit::NotStarted(error))] = &ended[..] else { panic!("{ended:?}") };
        assert_eq!(error.message, "the script was not started on `box`");
        assert_eq!(error.causes, ["there is no directory `/x y` that can be entered"]);
        assert_eq!(error.hint.as_deref(), Some("make it there: `mkdir -p '/x y'`"));
    }
}
