//! `doppio secret audit`.

use jiff::Timestamp;

use doppio_secrets::AuditAction;
use doppio_secrets::AuditError;
use doppio_secrets::AuditLog;
use doppio_secrets::Entry;
use doppio_secrets::Use;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::secret::time;
use crate::cli::secret::uses;
use crate::config::Dirs;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Each use is a line of `audit.jsonl` in the state directory, chained to the line before. \
                  A value appears only as a fingerprint under a key of this machine.\n\n\
                  Examples:\n  \
                  doppio secret audit --secret huggingface/token\n  \
                  doppio secret audit --host vast-12345 --json\n  \
                  doppio secret audit verify"
)]
pub(in crate::cli) struct Args {
    /// Of this secret: its name, its path in a source, or a reference with it
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,
    /// On this host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// In this run, by its id or the start of it
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check that every line is unchanged; exit 1 and name the first that is not
    Verify,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let log = AuditLog::new(Dirs::new(&context.env, &context.home).state());
    if args.command.is_some() {
        return verify(&log);
    }
    let wanted: Vec<Entry> = log
        .entries()
        .map_err(|error| cannot(&error))?
        .into_iter()
        .filter(|entry| is_wanted(args, entry))
        .collect();
    if args.output.is_json() {
        for entry in &wanted {
            output::json(entry)?;
        }
        return Ok(());
    }
    let now = Timestamp::now();
    let mut table = Table::new([Column::Whole, Column::Whole]);
    for Entry { time, what, .. } in &wanted {
        let time_shown = time.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        table.row([&time_shown, what.action.word()], &words(what, *time, now));
    }
    output::table(&table)?;
    if wanted.is_empty() {
        output::line("no use is recorded");
    }
    Ok(())
}

fn is_wanted(args: &Args, entry: &Entry) -> bool {
    let what = &entry.what;
    args.secret.as_ref().is_none_or(|wanted| uses::is_of(&what.secret, wanted))
        && args.host.as_ref().is_none_or(|host| what.host.as_ref() == Some(host))
        && args.run.as_ref().is_none_or(|run| what.run.as_ref().is_some_and(|found| found.starts_with(run)))
}

/// What was used, where and how, for people.
fn words(what: &Use, time: Timestamp, now: Timestamp) -> String {
    let mut line = what.secret.clone();
    let parts = [
        ("to", &what.host),
        ("as", &what.variable),
        ("by", &what.carrier),
        ("step", &what.step),
        ("run", &what.run),
        (what.action.place_word(), &what.source),
        ("value", &what.fingerprint),
    ];
    for (word, text) in parts {
        if let Some(text) = text {
            line.extend([" ", word, " ", text]);
        }
    }
    match what.action {
        AuditAction::Healed => line.push_str("the line before was cut short by a crash"),
        AuditAction::Gap => line.push_str("lines before this one are missing or changed"),
        _ if what.failed => line.extend(["  (failed, ", &time::age(time, now), ")"]),
        _ => line.extend(["  (", &time::age(time, now), ")"]),
    }
    line
}

fn verify(log: &AuditLog) -> Result<(), CliError> {
    let verdict = log.verify().map_err(|error| cannot(&error))?;
    for line in &verdict.torn {
        output::line(&format!("note: line {line} was cut short by a crash"));
    }
    let path = log.path().display().to_string();
    match verdict.wrong {
        None => {
            output::text(&format!("{} lines of `{path}` are unchanged\n", verdict.lines))?;
            Ok(())
        }
        Some(wrong) => {
            Err(CliError::new(Kind::StepFailed, format!("`{path}`: line {} {}", wrong.line, wrong.why))
                .hint("the lines before it are unchanged; those after it prove nothing"))
        }
    }
}

fn cannot(error: &AuditError) -> CliError {
    CliError::world("cannot read the audit log").cause(error.to_string())
}
