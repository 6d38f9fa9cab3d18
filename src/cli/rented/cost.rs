//! `cost`: what is left, what runs, and what was spent.

use std::collections::BTreeMap;

use jiff::Timestamp;

use doppio_rented::Charge;
use doppio_rented::Dollars;
use doppio_rented::Machine;
use doppio_rented::RentedError;
use doppio_rented::VendorName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::words;
use crate::cli::secret::time;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// How far back, as in `12h`, `7d`, `4w`
    #[arg(long, value_name = "AGE", default_value = "7d")]
    since: String,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, name: VendorName, context: &Context) -> Result<(), CliError> {
    let since = time::ago(&args.since, Timestamp::now()).ok_or_else(|| {
        CliError::usage(format!("`{}` is not an age: expected a number and a unit", args.since))
            .hint("write it as in `--since 30d`; units are `h`, `d`, `w` and `y`")
    })?;
    let vendor = args.account.vendor(name, context).await?;
    let credit = match vendor.balance().await {
        Ok(balance) => Some(balance.credit),
        Err(RentedError::Unable { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let machines = vendor.list().await?;
    let charges = vendor.charges(since).await?;
    let rises = vendor.price_rises().await?;
    if args.output.is_json() {
        return output::json(&serde_json::json!({
            "credit": credit, "machines": machines, "charges": charges, "price_rises": rises,
        }));
    }
    let mut lines = Vec::new();
    lines.extend(credit.map(|credit| format!("credit: {credit}")));
    lines.push(format!("{}: {}", words::machines(machines.len()), words::costs(machines.iter())));
    let hour: Dollars = machines.iter().map(Machine::costs_per_hour).sum();
    if let Some(credit) = credit.filter(|credit| hour.0 > 0.0 && credit.0 > 0.0) {
        #[expect(clippy::cast_possible_truncation, reason = "it is shown in days")]
        let seconds = (credit.0 / hour.0 * 3600.0).min(1e12) as i64;
        lines.push(format!("the credit lasts {}", words::span(seconds)));
    }
    let spent: Dollars = charges.iter().map(|charge| charge.sum).sum();
    lines.push(format!("spent since {}: {spent}", since.strftime("%Y-%m-%d %H:%M UTC")));
    output::text(&(lines.join("\n") + "\n"))?;
    output::table(&by_machine(&charges))?;
    for rise in rises {
        output::line(&format!(
            "warning: the host of `{}` wants {} an hour in place of {}: accept or reject that at https://cloud.vast.ai/instances/",
            rise.machine, rise.to, rise.from
        ));
    }
    Ok(())
}

/// What each machine cost, the dearest first.
fn by_machine(charges: &[Charge]) -> Table<1> {
    let mut sums: BTreeMap<String, Dollars> = BTreeMap::new();
    for charge in charges {
        let whose = charge.machine.as_ref().map_or_else(|| charge.what.clone(), ToString::to_string);
        let sum = sums.entry(whose).or_default();
        *sum = *sum + charge.sum;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|(_, one), (_, other)| other.0.total_cmp(&one.0));
    let mut table = Table::new([Column::Right]).indented(2);
    for (whose, sum) in &sums {
        table.row([&sum.to_string()], whose);
    }
    table
}
