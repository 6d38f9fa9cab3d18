//! `show`: one machine.

use jiff::Timestamp;

use doppio_rented::Endpoint;
use doppio_rented::EndpointKind;
use doppio_rented::Machine;
use doppio_rented::VendorName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::account::machine;
use crate::cli::rented::words;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The machine, by its id
    machine: String,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, name: VendorName, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine, name)?;
    let machine = args.account.vendor(name, context).await?.show(&id).await?;
    if args.output.is_json() { output::json(&machine) } else { output::table(&table(&machine)) }
}

fn table(machine: &Machine) -> Table<1> {
    let mut table = Table::new([Column::Whole]);
    let mut add = |name: &str, text: &str| {
        if !text.is_empty() {
            table.row([name], text);
        }
    };
    let intended = machine.intended.as_ref().filter(|intended| **intended != machine.state);
    let intended = intended.map(|intended| format!(", to become {}", intended.as_str())).unwrap_or_default();
    add("machine", &machine.id.to_string());
    add("state", &format!("{}{intended}", machine.state.as_str()));
    add("message", machine.message.as_deref().unwrap_or_default());
    add("label", machine.label.as_deref().unwrap_or_default());
    add("image", machine.image.as_deref().unwrap_or_default());
    let gpu_ram = machine.gpu_ram_gb.map(|ram| format!(", {ram:.0} GB each")).unwrap_or_default();
    add("GPU", &format!("{}{gpu_ram}", words::gpus(machine.gpu_count, machine.gpu.as_deref())));
    add("disk", &words::whole(machine.disk_gb, " GB"));
    add("region", machine.region.as_deref().unwrap_or_default());
    let kind = if machine.is_interruptible { " (can be taken away by a higher bid)" } else { "" };
    add("price", &format!("{} an hour{kind}", words::sum(machine.per_hour)));
    let stopped = machine.stopped_per_day.map(|day| format!("{day} a day for its disk"));
    add("stopped", &stopped.unwrap_or_default());
    let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    add("started", &machine.started.map(time).unwrap_or_default());
    let left = words::left(machine, Timestamp::now());
    add("ends", &machine.ends.map(|ends| format!("{} (left: {left})", time(ends))).unwrap_or_default());
    for way in &machine.endpoints {
        let name = match way.kind {
            EndpointKind::Direct => "direct",
            EndpointKind::Proxy => "proxy",
        };
        add(name, &ssh(way));
    }
    table
}

/// The command that opens a session there.
fn ssh(way: &Endpoint) -> String {
    format!("ssh -p {} {}@{}", way.port, way.user, way.host)
}
