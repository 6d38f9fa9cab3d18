//! `search` where a vendor has a list of what it hires out, and no query language.

use serde_json::json;

use doppio_rented::Offer;
use doppio_rented::Query;
use doppio_rented::Search;
use doppio_rented::VendorName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::offers::DISK;
use crate::cli::rented::positive;
use crate::cli::rented::words;
use crate::ui::table::Colour;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// How many GPUs
    #[arg(long, value_name = "N")]
    gpus: Option<u32>,
    /// The name of the GPU, or a part of it, with `_` for blanks; may be given several times
    #[arg(long, value_name = "NAME")]
    gpu: Vec<String>,
    /// The most that an hour may cost, in dollars
    #[arg(long, value_name = "DOLLARS", value_parser = positive)]
    max_price: Option<f64>,
    /// How many offers at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, name: VendorName, context: &Context) -> Result<(), CliError> {
    let offers = args.account.vendor(name, context).await?.offers(&search(args)).await?;
    if args.output.is_json() {
        return output::json(&offers);
    }
    let Some(first) = offers.first() else {
        output::line("nothing on offer fits");
        output::hint("drop a condition, or raise `--max-price`");
        return Ok(());
    };
    output::coloured_table(&table(&offers))?;
    let mut words = vec!["doppio", name.as_str(), "create", first.id.as_str()];
    if name == VendorName::Runpod {
        words.extend(["--image", "IMAGE"]);
    }
    output::hint(&format!("hire one: {}", typed(words)));
    Ok(())
}

fn search(args: &Args) -> Search {
    let mut query = Query::bare();
    if let Some(count) = args.gpus {
        query.add("num_gpus", "eq", json!(count));
    }
    if !args.gpu.is_empty() {
        query.add("gpu_name", "in", json!(args.gpu));
    }
    if let Some(price) = args.max_price {
        query.add("dph_total", "lte", json!(price));
    }
    let filters = query.into_filters();
    Search { filters, disk_gb: DISK, limit: args.limit.max(1), sort: Vec::new(), interruptible: false }
}

fn table(offers: &[Offer]) -> Table<7> {
    let mut columns = [Column::Right; 7];
    columns[0] = Column::Whole;
    columns[1] = Column::Whole;
    let mut table = Table::new(columns);
    table.row(["OFFER", "GPU", "VRAM", "$/H", "CPU", "RAM", "DISK"], "REGION");
    for column in 0..7 {
        table.paint(column, Colour::Dim);
    }
    for offer in offers {
        table.row(
            [
                &offer.id,
                &words::gpus(offer.gpu_count, offer.gpu.as_deref()),
                &words::whole(offer.gpu_ram_gb, " GB"),
                &words::sum(offer.per_hour),
                &words::whole(offer.cpu_cores, ""),
                &words::whole(offer.ram_gb, " GB"),
                &words::whole(offer.disk_gb, " GB"),
            ],
            offer.region.as_deref().unwrap_or_default(),
        );
    }
    table
}
