//! `doppio runs logs`.

use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::IsTerminal;
use std::io::Read;
use std::io::Write;

use doppio_text::Printed;
use doppio_text::closest;
use doppio_text::name::StepId;
use doppio_text::shown;

use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::runs::find;
use crate::event::RunState;
use crate::journal::Store;
use crate::ui::table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio runs logs\n  doppio runs logs 7f3a --step train")]
pub(in crate::cli) struct Args {
    /// The run: the beginning or the end of its id; the newest if left out
    run: Option<String>,
    /// Only what this step printed
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<(), CliError> {
    let (run, record) = find::record(store, args.run.as_deref())?;
    let steps = match &args.step {
        None => record.state.steps.iter().map(|step| &step.outline.id).collect(),
        Some(name) => named(&record.state, name)?,
    };
    let with_prefix = args.step.is_none() || steps.len() > 1;
    let width = table::prefix(steps.iter().copied());
    let stdout = io::stdout();
    // What a rented host printed must not control the terminal; a file gets it byte for byte.
    let is_terminal = stdout.is_terminal();
    let mut to = io::BufWriter::new(stdout.lock());
    for step in steps {
        let mut log: Box<dyn Read> = Box::new(io::empty());
        for path in store.log(&run, &record, step) {
            match File::open(&path) {
                Ok(piece) => log = Box::new(log.chain(piece)),
                // A run that goes on removes what it no longer keeps.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(
                        CliError::world(format!("cannot read `{}`", path.display())).cause(error.to_string())
                    );
                }
            }
        }
        let name = table::left(&shown(step.as_str()), width);
        let head = if with_prefix { format!("{name} | ") } else { String::new() };
        let mut printed = Printed::default();
        let copied = each_line(BufReader::new(log), |line| {
            if args.output.is_json() {
                let text = String::from_utf8_lossy(line);
                let object = serde_json::json!({ "step": step, "line": text.trim_end_matches(['\r', '\n']) });
                return writeln!(to, "{object}");
            }
            if !with_prefix && !is_terminal {
                return to.write_all(line);
            }
            let mut written = Ok(());
            printed.push(&String::from_utf8_lossy(line), |line| {
                if written.is_ok() {
                    written = writeln!(to, "{head}{line}");
                }
            });
            written
        });
        let copied =
            copied.and_then(|()| printed.finish().map_or(Ok(()), |last| writeln!(to, "{head}{last}")));
        match copied {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(CliError::world("cannot print the log").cause(error.to_string())),
        }
    }
    match to.flush() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::world("cannot print the log").cause(error.to_string()))
        }
        _ => Ok(()),
    }
}

fn each_line(mut from: impl BufRead, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        write(&line)?;
    }
}

/// The step of this name; of one that stands for others, these.
fn named<'a>(state: &'a RunState, name: &str) -> Result<Vec<&'a StepId>, CliError> {
    let step = state.steps.iter().find(|step| step.outline.id.as_str() == name);
    let Some(step) = step else { return Err(no_step(name, state)) };
    let mut open = vec![&step.outline];
    let mut steps = Vec::new();
    while let Some(step) = open.pop() {
        if step.members.is_empty() {
            steps.push(&step.id);
        }
        open.extend(step.members.iter().rev().filter_map(|id| Some(&state.step(id)?.outline)));
    }
    Ok(steps)
}

fn no_step(name: &str, state: &RunState) -> CliError {
    let error = CliError::usage(format!("the run has no step `{name}`"));
    let ids = || state.steps.iter().map(|step| step.outline.id.as_str());
    match closest(name, ids()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!(
            "its steps are {}",
            ids().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
        )),
    }
}
