//! `orphans`: machines that a run created and nobody destroyed.

use jiff::Timestamp;
use serde_json::json;

use doppio_rented::Dollars;
use doppio_rented::Label;
use doppio_rented::Machine;
use doppio_rented::MachineId;
use doppio_rented::VendorName;
use doppio_text::name::RunId;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::account::YesArg;
use crate::cli::rented::destroy;
use crate::cli::rented::words;
use crate::cli::runs::record::standing;
use crate::config::Dirs;
use crate::journal::Store;
use crate::ui::table::Colour;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Destroy them
    #[arg(long)]
    destroy: bool,
    /// Destroy those, too, whose run this machine does not know
    #[arg(long, requires = "destroy")]
    unknown: bool,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

/// A machine whose run does not go on.
struct Orphan {
    machine: Machine,
    run: RunId,
    step: String,
    /// How the run stands; none if this machine does not know it.
    standing: Option<&'static str>,
}

pub(super) async fn run(args: &Args, name: VendorName, context: &Context) -> Result<(), CliError> {
    let store = Store::new(Dirs::new(&context.env, &context.home).runs());
    let vendor = args.account.vendor(name, context).await?;
    let orphans: Vec<Orphan> =
        vendor.list().await?.into_iter().filter_map(|machine| orphan(machine, &store)).collect();
    if args.output.is_json() {
        output::json_array(orphans.iter().map(to_json))?;
    } else if orphans.is_empty() {
        output::line("there are no orphans: every machine that a run created belongs to a run that goes on");
    } else {
        output::coloured_table(&table(&orphans))?;
        let hour: Dollars = orphans.iter().map(|orphan| orphan.machine.costs_per_hour()).sum();
        output::line(&format!("{} without a run: {hour} an hour", words::machines(orphans.len())));
    }
    let again = ["doppio", name.as_str(), "orphans", "--destroy"];
    if !args.destroy {
        if !orphans.is_empty() {
            output::hint(&format!("end their costs: {}", typed(again)));
        }
        return Ok(());
    }
    let (doomed, spared): (Vec<_>, Vec<_>) =
        orphans.into_iter().partition(|orphan| args.unknown || orphan.standing.is_some());
    if !spared.is_empty() {
        output::line(&format!(
            "{} left alone: this machine does not know the run",
            words::machines(spared.len())
        ));
        let again = again.into_iter().chain(["--unknown"]);
        output::hint(&format!("if no other computer runs it: {}", typed(again)));
    }
    let ids: Vec<MachineId> = doomed.into_iter().map(|orphan| orphan.machine.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    if args.yes.allows(&format!("destroy {} with all that is on them?", names.join(", ")), context)? {
        destroy::destroy(vendor.as_ref(), &ids).await?;
    }
    Ok(())
}

/// The machine as an orphan, if it is one. A run whose journal can't be read is not known.
fn orphan(machine: Machine, store: &Store) -> Option<Orphan> {
    let (run, step) = machine.label.as_deref()?.parse::<Label>().ok()?.of_run?;
    let record = store.folder(&run).is_dir().then(|| store.read(&run)).and_then(Result::ok);
    if record.as_ref().is_some_and(|record| record.is_live) {
        return None;
    }
    Some(Orphan { machine, run, step, standing: record.as_ref().map(standing) })
}

fn table(orphans: &[Orphan]) -> Table<6> {
    let columns = [Column::Whole, Column::Whole, Column::Right, Column::Right, Column::Whole, Column::Name];
    let mut table = Table::new(columns);
    table.row(["MACHINE", "STATE", "$/H NOW", "SINCE", "RUN", "STEP"], "THE RUN");
    for column in 0..6 {
        table.paint(column, Colour::Dim);
    }
    let now = Timestamp::now();
    for Orphan { machine, run, step, standing } in orphans {
        let since = machine.started.map(|started| words::span(now.as_second() - started.as_second()));
        table.row(
            [
                &machine.id.to_string(),
                machine.state.as_str(),
                &machine.costs_per_hour().to_string(),
                since.as_deref().unwrap_or("–"),
                run.as_str(),
                step,
            ],
            standing.unwrap_or("is not in this machine's journal"),
        );
        table.paint(1, words::colour(&machine.state));
    }
    table
}

fn to_json(orphan: &Orphan) -> serde_json::Value {
    json!({
        "machine": orphan.machine,
        "run": orphan.run,
        "step": orphan.step,
        "run_status": orphan.standing,
        "per_hour_now": orphan.machine.costs_per_hour(),
    })
}
