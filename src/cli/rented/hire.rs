//! `create` where a vendor has a list of what it hires out: the key that is let in goes along with the order.

use std::path::PathBuf;

use doppio_rented::Dollars;
use doppio_rented::Label;
use doppio_rented::Order;
use doppio_rented::Vendor;
use doppio_rented::VendorName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::account::YesArg;
use crate::cli::rented::offers;
use crate::cli::rented::positive;
use crate::cli::rented::public_key;
use crate::cli::rented::words;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The offer, as `search` shows it
    offer: String,
    /// Refuse it if an hour costs more, in dollars
    #[arg(long, value_name = "DOLLARS", value_parser = positive)]
    max_price: Option<f64>,
    /// Let the owner of this public key in; the first of your usual ones if left out
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

/// What runs on a machine that is a container.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Container {
    /// The image that it runs
    #[arg(long, value_name = "IMAGE")]
    image: String,
    /// Its disk, in GB
    #[arg(long, value_name = "GB", default_value_t = offers::DISK, value_parser = positive)]
    disk: f64,
}

pub(super) async fn run(
    args: &Args,
    container: Option<&Container>,
    name: VendorName,
    context: &Context,
) -> Result<(), CliError> {
    let public_key = public_key::key(args.ssh_key.as_deref(), context)?;
    let label = Label::by_hand().or_world("cannot make a label")?.to_string();
    let (image, disk) = container.map_or(("", offers::DISK), |container| (&container.image, container.disk));
    let order = Order { public_key: Some(public_key), ..Order::new(&args.offer, image, disk, &label) };
    let vendor = args.account.vendor(name, context).await?;
    let price = price(args, &order, vendor.as_ref()).await?;
    if !args
        .yes
        .allows(&format!("hire {} for {price} an hour, until it is destroyed?", order.offer), context)?
    {
        return Ok(());
    }
    let id = vendor.create(&order).await?;
    let shown = id.to_string();
    output::line(&format!("created `{shown}` for {price} an hour"));
    if args.output.is_json() {
        output::json(&serde_json::json!({ "id": id, "per_hour": price }))?;
    }
    output::hint(&format!("see whether it runs: {}", typed(["doppio", name.as_str(), "show", &shown])));
    output::hint(&format!("end its costs: {}", typed(["doppio", name.as_str(), "destroy", &shown])));
    Ok(())
}

/// What an hour costs; refused if that is more than is allowed, or there is no such offer now.
async fn price(args: &Args, order: &Order, vendor: &dyn Vendor) -> Result<Dollars, CliError> {
    let found = vendor.offers(&offers::of_offer(&order.offer, order.disk_gb, false)).await?;
    let search = typed(["doppio", vendor.name().as_str(), "search"]);
    let hint = format!("{search} shows what is on offer now");
    let Some(price) = found.first().and_then(|offer| offers::price(offer, None)) else {
        let what = format!("{} has no offer `{}` now", vendor.name().shown(), order.offer);
        return Err(CliError::world(what).hint(hint));
    };
    match args.max_price.map(Dollars) {
        Some(most) if price > most => Err(CliError::world(format!(
            "an hour of {} costs {}, and `--max-price` allows {most}",
            order.offer,
            words::sum(Some(price))
        ))
        .hint(hint)),
        _ => Ok(price),
    }
}
