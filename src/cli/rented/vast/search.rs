//! `doppio vast search`.

use serde_json::json;

use doppio_rented::Offer;
use doppio_rented::Query;
use doppio_rented::Search;
use doppio_rented::VendorName;
use doppio_rented::parse_order;
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
#[command(after_help = "The query is that of `vastai search offers`: FIELD OP VALUE, with the operators \
                        `= != > >= < <= in notin`; `_` in a value is a blank, and `FIELD=any` drops a usual \
                        condition (verified, rentable). Usual fields: gpu_name, num_gpus, gpu_ram, dph, \
                        disk_space, reliability, geolocation, inet_down, cuda_vers, cpu_ram, duration.\n\n\
                        Examples:\n  doppio vast search --gpus 4 --gpu RTX_4090 --max-price 2 --disk 80\n  \
                        doppio vast search --sort dlperf_usd- 'gpu_ram>=24 geolocation in [DE,FR]'\n  \
                        doppio vast search --interruptible --limit 5 --json")]
pub(in crate::cli) struct Args {
    /// How many GPUs
    #[arg(long, value_name = "N")]
    gpus: Option<u32>,
    /// The name of the GPU, with `_` for blanks; may be given several times
    #[arg(long, value_name = "NAME")]
    gpu: Vec<String>,
    /// The most that an hour may cost, in dollars, disk included
    #[arg(long, value_name = "DOLLARS", value_parser = positive)]
    max_price: Option<f64>,
    /// The disk that the machine will get, in GB; it is part of the price
    #[arg(long, value_name = "GB", default_value_t = DISK, value_parser = positive)]
    disk: f64,
    /// Fields to sort by, with `-` behind one for the largest first
    #[arg(long, value_name = "FIELD", default_value = "price")]
    sort: String,
    /// How many offers at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Machines that somebody who bids more can take away
    #[arg(long)]
    interruptible: bool,
    /// Comparisons of fields
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let search = search(args)?;
    let offers = args.account.vendor(VendorName::Vast, context).await?.offers(&search).await?;
    if args.output.is_json() {
        return output::json(&offers);
    }
    if offers.is_empty() {
        output::line("no machine on offer fits");
        output::hint("drop a condition, raise `--max-price`, or look at unverified ones with `verified=any`");
        return Ok(());
    }
    output::coloured_table(&table(&offers, args.interruptible))?;
    if let Some(first) = offers.first() {
        let mut words = vec!["doppio", "vast", "create", first.id.as_str(), "--image", "IMAGE", "--disk"];
        let disk = args.disk.to_string();
        words.push(&disk);
        let bid = first.min_bid.map(|bid| format!("{:.3}", bid.0));
        if let Some(bid) = bid.as_deref().filter(|_| args.interruptible) {
            words.extend(["--bid", bid]);
        }
        output::hint(&format!("hire one: {}", typed(words)));
    }
    Ok(())
}

/// What the arguments look for.
fn search(args: &Args) -> Result<Search, CliError> {
    let mut query = Query::default();
    if let Some(count) = args.gpus {
        query.add("num_gpus", "eq", json!(count));
    }
    let names: Vec<String> = args.gpu.iter().map(|name| name.replace('_', " ")).collect();
    match names.as_slice() {
        [] => {}
        [name] => query.add("gpu_name", "eq", json!(name)),
        names => query.add("gpu_name", "in", json!(names)),
    }
    if let Some(price) = args.max_price {
        query.add("dph_total", "lte", json!(price));
    }
    if !(args.disk.is_finite() && args.disk > 0.0) {
        return Err(CliError::usage("`--disk` takes a number of GB").hint("write it as in `--disk 80`"));
    }
    query.add("disk_space", "gte", json!(args.disk));
    query.parse(&args.query.join(" "))?;
    let sort = parse_order(&args.sort)?;
    let (disk_gb, limit) = (args.disk, args.limit.max(1));
    Ok(Search { filters: query.into_filters(), disk_gb, limit, sort, interruptible: args.interruptible })
}

fn table(offers: &[Offer], is_bid: bool) -> Table<11> {
    let mut columns = [Column::Right; 11];
    columns[1] = Column::Whole;
    let mut table = Table::new(columns);
    let price = if is_bid { "BID $/H" } else { "$/H" };
    table.row(
        ["OFFER", "GPU", "VRAM", price, "$/DAY STOPPED", "CPU", "RAM", "DISK", "DOWN", "RELIABLE", "FOR"],
        "REGION",
    );
    for column in 0..11 {
        table.paint(column, Colour::Dim);
    }
    for offer in offers {
        let reliable =
            offer.reliability.map_or_else(|| "–".to_owned(), |part| format!("{:.1} %", part * 100.0));
        #[expect(clippy::cast_possible_truncation, reason = "years have not so many seconds")]
        let longest = offer.longest_secs.map_or_else(|| "–".to_owned(), |secs| words::span(secs as i64));
        let region = offer.region.as_deref().unwrap_or_default();
        let unverified = if offer.is_verified { "" } else { " (unverified)" };
        let price = if is_bid { offer.min_bid.or(offer.per_hour) } else { offer.per_hour };
        table.row(
            [
                &offer.id,
                &words::gpus(offer.gpu_count, offer.gpu.as_deref()),
                &words::whole(offer.gpu_ram_gb, " GB"),
                &words::sum(price),
                &words::sum(offer.stopped_per_day),
                &words::whole(offer.cpu_cores, ""),
                &words::whole(offer.ram_gb, " GB"),
                &words::whole(offer.disk_gb, " GB"),
                &words::whole(offer.network_mbps.0, " Mbit/s"),
                &reliable,
                &longest,
            ],
            &format!("{region}{unverified}"),
        );
    }
    table
}
