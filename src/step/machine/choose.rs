//! Which offer is taken: what the step wants, what `[target]` asks for, the cheapest first.

use serde::Deserialize;
use serde::Serialize;
use serde_json::json;

use doppio_hosts::HostError;
use doppio_rented::Dollars;
use doppio_rented::Offer;
use doppio_rented::Query;
use doppio_rented::Search;
use doppio_rented::Vendor;
use doppio_rented::VendorName;

use crate::rentals::told;
use crate::step::Asked;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::FieldType;
use crate::step::is_called;

/// Offers that are tried of one search, where others take them first.
const MOST: usize = 8;

/// Offers that are asked for where most of them may be of another GPU.
const MANY: usize = 200;

/// What one try looks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::step) struct Wish {
    /// This very offer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offer: Option<String>,
    /// The vendor's own query.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub query: Option<String>,
    /// The name of the GPUs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gpu: Option<String>,
    /// How many GPUs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gpus: Option<u64>,
    /// At most so many dollars an hour.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_price: Option<f64>,
    /// Dollars an hour that are bid for a machine which who pays more can take away.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bid: Option<f64>,
}

/// `offers`: wishes that are tried in turn, and what `[target]` asks of all of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::step) struct Wishes {
    /// In the order in which they are tried.
    pub wishes: Vec<Wish>,
    /// What the recipe asks of its target.
    pub asked: Asked,
}

const KEYS: [&str; 6] = ["offer", "query", "gpu", "gpus", "max_price", "bid"];

impl Field for Wishes {
    type Parsed = Vec<Wish>;

    const TYPE: FieldType = FieldType::List(&FieldType::Table(&FieldType::Literal));

    const DOC: &'static str = "What is tried in turn when nothing is left: tables with `offer`, `query`, `gpu`, `gpus`, \
                               `max_price`, `bid`, as above.";

    const ABSENT: Option<fn() -> Self::Parsed> = Some(Vec::new);

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Vec<Wish>> {
        let tables = reader.list(entry.what, entry.value, "a list of tables")?;
        let wishes: Vec<Option<Wish>> = tables
            .iter()
            .map(|value| {
                let what = format!("each of {}", entry.what);
                let table = reader.table(&what, value)?;
                let mut wish = Wish::default();
                let mut is_whole = true;
                for (key, value) in table {
                    match key.get_ref().as_ref() {
                        "offer" => wish.offer = reader.string("`offer`", value),
                        "query" => wish.query = reader.string("`query`", value),
                        "gpu" => wish.gpu = reader.string("`gpu`", value),
                        "gpus" => wish.gpus = reader.whole("`gpus`", value),
                        "max_price" => wish.max_price = reader.number("`max_price`", value),
                        "bid" => wish.bid = reader.number("`bid`", value),
                        other => {
                            reader.unknown_key(other, key.span(), &what, KEYS);
                            is_whole = false;
                        }
                    }
                }
                is_whole.then_some(wish)
            })
            .collect();
        wishes.into_iter().collect()
    }

    fn plan(parsed: &Vec<Wish>, _: &str, planner: &mut dyn Planner) -> Self {
        Self { wishes: parsed.clone(), asked: planner.asked() }
    }

    fn show(&self, _: &str, lines: &mut Vec<String>) {
        lines.extend(self.wishes.iter().map(|wish| format!("or {}", wish.words())));
    }
}

impl Wish {
    /// What it looks for, in words.
    pub(super) fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.offer.as_ref().map(|offer| format!("offer {offer}")));
        let gpu = self.gpu.as_deref();
        words.extend(match (self.gpus, gpu) {
            (Some(count), gpu) => Some(format!("{count} × {}", gpu.unwrap_or("GPU"))),
            (None, gpu) => gpu.map(str::to_owned),
        });
        words.extend(self.query.as_ref().map(|query| format!("`{query}`")));
        words.extend(self.bid.map(|bid| format!("a bid of {} an hour", Dollars(bid))));
        words.extend(self.max_price.map(|most| format!("at most {} an hour", Dollars(most))));
        if words.is_empty() { "the cheapest offer".to_owned() } else { words.join(", ") }
    }

    /// The most that an hour may cost: its own limit, else that of `[target]`.
    pub(super) fn most(&self, asked: &Asked) -> Option<f64> {
        match (self.max_price, asked.max_price) {
            (Some(own), Some(all)) => Some(own.min(all)),
            (own, all) => own.or(all),
        }
    }

    /// The vendor's conditions.
    pub(super) fn search(&self, vendor: VendorName, asked: &Asked, disk_gb: f64) -> Result<Search, String> {
        let mut query = if vendor == VendorName::Vast { Query::default() } else { Query::bare() };
        if let Some(count) = self.gpus {
            query.add("num_gpus", "eq", json!(count));
        } else if let Some(least) = asked.min_gpus.filter(|least| *least > 0) {
            query.add("num_gpus", "gte", json!(least));
        }
        let by_words = self.by_words(vendor, asked).is_some();
        if let Some(gpu) = self.gpu.as_ref().or(asked.gpu_type.as_ref()).filter(|_| !by_words) {
            query.add("gpu_name", "eq", json!(gpu.replace('_', " ")));
        }
        if let Some(least) = asked.min_memory_gb {
            // Vendors count in MiB, and a card of "24 GB" has a few less.
            query.add("gpu_ram", "gte", json!(least * 1000.0 / 1.048_576));
        }
        if let Some(most) = self.most(asked) {
            query.add("dph_total", "lte", json!(most));
        }
        query.add("disk_space", "gte", json!(disk_gb));
        query.parse(self.query.as_deref().unwrap_or_default()).map_err(|error| error.to_string())?;
        let sort = vec![(if self.bid.is_some() { "min_bid" } else { "dph_total" }.to_owned(), false)];
        Ok(Search {
            filters: query.into_filters(),
            disk_gb,
            limit: if by_words { MANY } else { MOST },
            sort,
            interruptible: self.bid.is_some(),
        })
    }

    /// The GPU that only `[target]` names, which vast.ai can't look for: `A100` is `A100 SXM4` and
    /// `A100 PCIE` there. The other vendors are compared by words anyway.
    fn by_words<'a>(&self, vendor: VendorName, asked: &'a Asked) -> Option<&'a str> {
        let is_left_to_us = vendor == VendorName::Vast && self.gpu.is_none();
        asked.gpu_type.as_deref().filter(|_| is_left_to_us)
    }
}

/// The offers that fit a wish, the cheapest first.
pub(super) async fn offers(
    cx: &StepContext,
    vendor: &dyn Vendor,
    wish: &Wish,
    asked: &Asked,
    disk_gb: f64,
) -> Result<Vec<Offer>, StepError> {
    let search = match &wish.offer {
        Some(offer) => {
            let id = offer.parse::<u64>().map_or_else(|_| json!(offer), |id| json!(id));
            let mut filters = serde_json::Map::new();
            filters.insert("id".to_owned(), json!({ "eq": id }));
            Search { filters, disk_gb, limit: 1, sort: Vec::new(), interruptible: wish.bid.is_some() }
        }
        None => wish.search(vendor.name(), asked, disk_gb).map_err(StepError::failed)?,
    };
    let mut found = cx.unless_stopped(vendor.offers(&search)).await?.map_err(|error| told(&error))?;
    if let Some(name) = wish.by_words(vendor.name(), asked).filter(|_| wish.offer.is_none()) {
        found.retain(|offer| offer.gpu.as_deref().is_some_and(|gpu| is_called(gpu, name)));
    }
    found.truncate(MOST);
    // The limit is the user's money: the vendor's own filter is not trusted with it.
    let most = wish.most(asked);
    let price = |offer: &Offer| wish.bid.or(offer.per_hour.map(|price| price.0));
    let before = found.len();
    found.retain(|offer| match (price(offer), most) {
        (_, None) => true,
        (Some(price), Some(most)) => price <= most,
        (None, Some(_)) => false,
    });
    if let (0, Some(most), true) = (found.len(), most, before > 0) {
        return Err(StepError::Host(
            HostError::new(format!("every offer costs more than {} an hour", Dollars(most)))
                .hint("raise `max_price`, or ask for less"),
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_becomes_the_vendors_conditions_and_the_lower_limit_counts() {
        let asked = Asked {
            min_gpus: Some(2),
            min_memory_gb: Some(24.0),
            gpu_type: Some("RTX_4090".to_owned()),
            max_price: Some(1.5),
        };
        let filters = |wish: &Wish| wish.search(VendorName::Vast, &asked, 40.0).unwrap().filters;
        let found = filters(&Wish { max_price: Some(2.0), ..Wish::default() });
        assert_eq!(found["num_gpus"], json!({ "gte": 2 }));
        assert!(found.get("gpu_name").is_none(), "its words are compared here");
        assert_eq!(found["dph_total"], json!({ "lte": 1.5 }));
        assert_eq!(found["disk_space"], json!({ "gte": 40.0 }));
        let own = Wish { gpus: Some(4), gpu: Some("H100_SXM".to_owned()), ..Wish::default() };
        assert_eq!(filters(&own)["num_gpus"], json!({ "eq": 4 }));
        assert_eq!(filters(&own)["gpu_name"], json!({ "eq": "H100 SXM" }));
        assert_eq!(own.words(), "4 × H100_SXM");
    }
}
