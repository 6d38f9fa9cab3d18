//! `doppio vast cost`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use doppio_rented::Charge;
use doppio_rented::Dollars;
use doppio_rented::Machine;
use doppio_rented::Vendor;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::secret::time;
use crate::cli::vast::account::AccountArgs;
use crate::cli::vast::words;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio vast cost\n  doppio vast cost --since 30d --json")]
pub(in crate::cli) struct Args {
    /// How far back, as in `12h`, `7d`, `4w`
    #[arg(long, value_name = "AGE", default_value = "7d")]
    since: String,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let since = time::ago(&args.since, Timestamp::now()).ok_or_else(|| {
        CliError::usage(format!("`{}` is not an age: expected a number and a unit", args.since))
            .hint("write it as in `--since 30d`; units are `h`, `d`, `w` and `y`")
    })?;
    let vast = args.account.vast(context).await?;
    let balance = vast.balance().await?;
    let machines = vast.list().await?;
    let charges = vast.charges(since).await?;
    let rises = vast.price_rises().await?;
    if args.output.is_json() {
        return output::json(&serde_json::json!({
            "credit": balance.credit, "machines": machines, "charges": charges, "price_rises": rises,
        }));
    }
    let mut lines = vec![
        format!("credit: {}", balance.credit),
        format!("{}: {}", words::machines(machines.len()), words::costs(machines.iter())),
    ];
    let hour: Dollars = machines.iter().map(Machine::costs_per_hour).sum();
    if hour.0 > 0.0 && balance.credit.0 > 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "it is shown in days")]
        let seconds = (balance.credit.0 / hour.0 * 3600.0).min(1e12) as i64;
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
