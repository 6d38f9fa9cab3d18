//! `list`: the machines of an account.

use jiff::Timestamp;

use doppio_rented::Machine;
use doppio_rented::VendorName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::words;
use crate::ui::table::Colour;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, name: VendorName, context: &Context) -> Result<(), CliError> {
    let machines = args.account.vendor(name, context).await?.list().await?;
    if args.output.is_json() {
        return output::json(&machines);
    }
    if machines.is_empty() {
        let search = typed(["doppio", name.as_str(), "search"]);
        output::line(&format!("the account has no machines; {search} shows what can be hired"));
        return Ok(());
    }
    output::coloured_table(&table(&machines))?;
    output::line(&format!("{}: {}", words::machines(machines.len()), words::costs(machines.iter())));
    Ok(())
}

/// Machines, a line each.
pub(super) fn table(machines: &[Machine]) -> Table<7> {
    let mut table = Table::new([
        Column::Whole,
        Column::Whole,
        Column::Whole,
        Column::Right,
        Column::Right,
        Column::Right,
        Column::Right,
    ]);
    table.row(["MACHINE", "STATE", "GPU", "DISK", "$/H", "$/DAY STOPPED", "LEFT"], "LABEL");
    for column in 0..7 {
        table.paint(column, Colour::Dim);
    }
    let now = Timestamp::now();
    for machine in machines {
        table.row(
            [
                &machine.id.to_string(),
                machine.state.as_str(),
                &words::gpus(machine.gpu_count, machine.gpu.as_deref()),
                &words::whole(machine.disk_gb, " GB"),
                &words::sum(machine.per_hour),
                &words::sum(machine.stopped_per_day),
                &words::left(machine, now),
            ],
            machine.label.as_deref().unwrap_or_default(),
        );
        table.paint(1, words::colour(&machine.state));
    }
    table
}
