//! `doppio vast create`.

use std::fs;
use std::path::PathBuf;

use doppio_rented::Dollars;
use doppio_rented::Label;
use doppio_rented::Order;
use doppio_rented::RentedError;
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
#[command(after_help = "The machine costs money from then on, also while nothing runs on it: \
                        `doppio vast destroy` ends that.\n\n\
                        Examples:\n  doppio vast create 7291023 --image pytorch/pytorch --disk 80\n  \
                        doppio vast create 7291023 --image pytorch/pytorch --max-price 2 --ssh-key ~/.ssh/id_ed25519.pub --yes")]
pub(in crate::cli) struct Args {
    /// The offer, by the number that `doppio vast search` shows
    offer: String,
    /// The image that it runs
    #[arg(long, value_name = "IMAGE", required_unless_present = "template")]
    image: Option<String>,
    /// A template of vast.ai, by its hash
    #[arg(long, value_name = "HASH")]
    template: Option<String>,
    /// Its disk, in GB
    #[arg(long, value_name = "GB", default_value_t = offers::DISK, value_parser = positive)]
    disk: f64,
    /// Bid this much an hour, in dollars; somebody who bids more can take it away
    #[arg(long, value_name = "DOLLARS", value_parser = positive)]
    bid: Option<f64>,
    /// Refuse it if an hour costs more, in dollars, disk included
    #[arg(long, value_name = "DOLLARS", value_parser = positive)]
    max_price: Option<f64>,
    /// A label of your own
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Shell text that it runs when it starts
    #[arg(long, value_name = "FILE")]
    on_start: Option<PathBuf>,
    /// Let the owner of this public key in
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let public_key = args.ssh_key.as_deref().map(public_key::read).transpose()?;
    let order = order(args)?;
    let vast = args.account.vendor(VendorName::Vast, context).await?;
    let price = price(args, &order, vast.as_ref()).await?;
    let costs = price
        .map_or_else(|| "at a price that is not known".to_owned(), |price| format!("for {price} an hour"));
    if !args.yes.allows(&format!("hire offer {} {costs}, until it is destroyed?", order.offer), context)? {
        return Ok(());
    }
    let id = vast.create(&order).await?;
    let shown = id.to_string();
    output::line(&format!("created `{shown}` {costs}"));
    // It exists and costs: what fails from here on does not hide that.
    if let Some(key) = &public_key
        && let Err(error) = vast.attach_key(&id, key).await
    {
        output::line(&format!("warning: the key was not attached: {error}"));
        output::hint(&format!("try again: {}", typed(["doppio", "vast", "ssh-key", "attach", &shown])));
    }
    if let Some(label) = &args.label
        && let Err(error) = vast.set_label(&id, label).await
    {
        output::line(&format!("warning: it keeps the label `{}`: {error}", order.label));
    }
    if args.output.is_json() {
        output::json(&serde_json::json!({ "id": id, "per_hour": price }))?;
    }
    output::hint(&format!("see whether it runs: {}", typed(["doppio", "vast", "show", &shown])));
    output::hint(&format!("end its costs: {}", typed(["doppio", "vast", "destroy", &shown])));
    Ok(())
}

fn order(args: &Args) -> Result<Order, CliError> {
    let label = Label::by_hand().or_world("cannot make a label")?.to_string();
    let on_start = args
        .on_start
        .as_deref()
        .map(|path| fs::read_to_string(path).or_world(format!("cannot read `{}`", path.display())));
    Ok(Order {
        bid: args.bid.map(Dollars),
        on_start: on_start.transpose()?,
        template: args.template.clone(),
        ..Order::new(&args.offer, args.image.as_deref().unwrap_or_default(), args.disk, &label)
    })
}

/// What an hour costs; refused if that is more than is allowed. An offer that can't be seen has no price.
async fn price(args: &Args, order: &Order, vast: &dyn Vendor) -> Result<Option<Dollars>, CliError> {
    let is_bid = order.bid.is_some();
    let found = match vast.offers(&offers::of_offer(&order.offer, order.disk_gb, is_bid)).await {
        Ok(found) => found,
        Err(RentedError::SearchQuota { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let price = found.first().and_then(|offer| offers::price(offer, order.bid));
    if let (Some(bid), Some(least)) = (order.bid, found.first().and_then(|offer| offer.min_bid))
        && bid < least
    {
        return Err(CliError::usage(format!("a bid of {bid} is too low: the least is {least}"))
            .hint("what is hired for less is stopped at once, and its disk costs"));
    }
    let Some(most) = args.max_price.map(Dollars) else { return Ok(price) };
    match price {
        Some(price) if price <= most => Ok(Some(price)),
        price => Err(CliError::world(format!(
            "an hour of offer {} costs {}, and `--max-price` allows {most}",
            order.offer,
            words::sum(price)
        ))
        .hint("`doppio vast search` shows what is on offer now")),
    }
}
