//! `doppio runs logs`.

use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::IsTerminal;
use std::io::Write;

use doppio_text::Printed;
use doppio_text::closest;
use doppio_text::name::StepId;
use doppio_text::shown;

use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::runs::record::find;
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
    let (run, record) = find(store, args.run.as_deref())?;
    let all: Vec<&StepId> = record.state.steps.iter().map(|step| &step.outline.id).collect();
    let steps: Vec<&StepId> = match &args.step {
        None => all,
        Some(name) => match all.iter().find(|id| id.as_str() == name) {
            Some(id) => vec![*id],
            None => return Err(no_step(name, &all)),
        },
    };
    let with_prefix = args.step.is_none();
    let width = table::prefix(steps.iter().copied());
    let stdout = std::io::stdout();
    // What a rented host printed must not control the terminal; a file gets it byte for byte.
    let is_terminal = stdout.is_terminal();
    let mut to = std::io::BufWriter::new(stdout.lock());
    for step in steps {
        let Some(path) = store.log(&run, &record, step) else { continue };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(
                    CliError::world(format!("cannot read `{}`", path.display())).cause(error.to_string())
                );
            }
        };
        let name = table::left(&shown(step.as_str()), width);
        let head = if with_prefix { format!("{name} | ") } else { String::new() };
        let mut printed = Printed::default();
        let copied = each_line(BufReader::new(file), |line| {
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

fn each_line(
    mut from: impl BufRead,
    mut write: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        write(&line)?;
    }
}

fn no_step(name: &str, all: &[&StepId]) -> CliError {
    let error = CliError::usage(format!("the run has no step `{name}`"));
    match closest(name, all.iter().map(|id| id.as_str())) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!(
            "its steps are {}",
            all.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
        )),
    }
}
