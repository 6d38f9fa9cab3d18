//! What a search means where a vendor has a list of what it hires out and no queries: the conditions are
//! compared here, and one that can't be is refused.

use serde_json::Value;

use crate::error::RentedError;
use crate::fields::Fields;
use crate::machine_id::VendorName;
use crate::offer::Offer;
use crate::offer::Search;

/// The conditions that are compared, with their operators.
const COMPARED: [(&str, &[&str]); 6] = [
    ("id", &["eq"]),
    ("num_gpus", &["eq", "gte"]),
    ("gpu_name", &["eq", "in"]),
    ("gpu_ram", &["gte"]),
    ("dph_total", &["lte"]),
    ("disk_space", &["gte"]),
];

/// MiB in a GiB: the memory of a GPU is asked for in MiB.
const MIB: f64 = 1024.0;

impl Search {
    /// Refuses what can't be compared.
    pub(crate) fn check(&self, vendor: VendorName) -> Result<(), RentedError> {
        let bad = |what: String| Err(RentedError::BadOrder(format!("{} {what}", vendor.shown())));
        if self.interruptible {
            return bad("takes no bids".to_owned());
        }
        for (field, conditions) in &self.filters {
            let known = COMPARED.iter().find(|(known, _)| known == field);
            let Some((_, operators)) = known else {
                return bad(format!("can't be searched by `{field}`"));
            };
            let mut asked = conditions.as_object().into_iter().flat_map(|all| all.keys());
            if let Some(odd) = asked.find(|operator| !operators.contains(&operator.as_str())) {
                return bad(format!("can't be searched by `{field}` with `{odd}`"));
            }
        }
        match self.sort.iter().find(|(field, falls)| field != "dph_total" || *falls) {
            Some((field, _)) => bad(format!("can't be sorted by `{field}`, only from the cheapest up")),
            None => Ok(()),
        }
    }

    /// How many GPUs are wanted: so many, or at least so many.
    pub(crate) fn gpu_count(&self) -> Option<u32> {
        let count = Fields(self.filters.get("num_gpus").unwrap_or(&Value::Null));
        count.whole("eq").or_else(|| count.whole("gte"))
    }

    /// The offer that is meant, if it is a certain one.
    pub(crate) fn id(&self) -> Option<&str> {
        self.filters.get("id")?["eq"].as_str()
    }

    /// Whether a GPU of this name is wanted: each word that is asked for begins a word of it. `A10` is not
    /// wanted where there is an `A100`.
    pub(crate) fn wants_gpu(&self, name: &str) -> bool {
        let words = |text: &str| -> Vec<String> {
            let text = text.to_ascii_lowercase();
            let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
            parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let has = words(name);
        let begins = |word: &str, of: &str| {
            let rest = of.strip_prefix(word);
            let is_number = word.ends_with(|c: char| c.is_ascii_digit());
            rest.is_some_and(|rest| !(is_number && rest.starts_with(|c: char| c.is_ascii_digit())))
        };
        let fits = |wanted: &str| words(wanted).iter().all(|word| has.iter().any(|of| begins(word, of)));
        let Some(wanted) = self.filters.get("gpu_name") else { return true };
        let several = wanted["in"].as_array().into_iter().flatten();
        let mut all = several.chain(wanted.get("eq")).filter_map(Value::as_str).peekable();
        all.peek().is_none() || all.any(fits)
    }

    /// The offers that fit in all but the name of their GPUs, the cheapest first. What the vendor does not say
    /// does not fit, but for a disk, which is made as large as it is asked for.
    pub(crate) fn choose(&self, mut offers: Vec<Offer>) -> Vec<Offer> {
        let number = |field: &str, operator: &str| {
            Fields(self.filters.get(field).unwrap_or(&Value::Null)).number(operator)
        };
        let (exactly, least) = (number("num_gpus", "eq"), number("num_gpus", "gte"));
        let (memory, most) = (number("gpu_ram", "gte"), number("dph_total", "lte"));
        let disk = number("disk_space", "gte");
        offers.retain(|offer| {
            let count = offer.gpu_count.map(f64::from);
            self.id().is_none_or(|id| offer.id == id)
                && exactly.is_none_or(|exactly| count.is_some_and(|count| (count - exactly).abs() < 0.5))
                && least.is_none_or(|least| count.is_some_and(|count| count >= least))
                && memory.is_none_or(|least| offer.gpu_ram_gb.is_some_and(|gb| gb * MIB >= least))
                && most.is_none_or(|most| offer.per_hour.is_some_and(|price| price.0 <= most))
                && disk.is_none_or(|least| offer.disk_gb.is_none_or(|disk| disk >= least))
        });
        let price = |offer: &Offer| offer.per_hour.map_or(f64::MAX, |price| price.0);
        offers.sort_by(|one, other| price(one).total_cmp(&price(other)));
        offers.truncate(self.limit);
        offers
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn search(filters: &Value) -> Search {
        let filters = filters.as_object().unwrap().clone();
        Search { filters, disk_gb: 20.0, limit: 9, sort: Vec::new(), interruptible: false }
    }

    #[test]
    fn what_can_not_be_compared_is_refused_by_its_name() {
        let error = |search: Search| search.check(VendorName::Runpod).unwrap_err().to_string();
        assert_eq!(
            error(search(&json!({ "reliability": { "gt": 0.9 } }))),
            "the order can't be placed: RunPod can't be searched by `reliability`"
        );
        assert_eq!(
            error(search(&json!({ "gpu_ram": { "lt": 9 } }))),
            "the order can't be placed: RunPod can't be searched by `gpu_ram` with `lt`"
        );
        let by_speed = Search { sort: vec![("dlperf".to_owned(), true)], ..search(&json!({})) };
        assert!(error(by_speed).contains("sorted by `dlperf`"));
        let bid = Search { interruptible: true, ..search(&json!({})) };
        assert!(error(bid).contains("takes no bids"));
        let fine = search(&json!({ "num_gpus": { "gte": 2 }, "gpu_name": { "eq": "H100" } }));
        fine.check(VendorName::Lambda).unwrap();
    }

    #[test]
    fn a_gpu_is_not_taken_for_another_whose_name_begins_as_its_does() {
        let wants =
            |wanted: &str, name: &str| search(&json!({ "gpu_name": { "eq": wanted } })).wants_gpu(name);
        assert!(wants("A10", "A10 (24 GB PCIe)") && !wants("A10", "A100 (40 GB SXM4)"));
        assert!(wants("A100_SXM", "A100 (40 GB SXM4)") && wants("RTX_4090", "NVIDIA GeForce RTX 4090"));
        assert!(!wants("L4", "NVIDIA L40S") && !wants("RTX 4090", "NVIDIA GeForce RTX 3090"));
        assert!(search(&json!({ "gpu_name": { "in": ["H100", "L4"] } })).wants_gpu("NVIDIA L4"));
    }
}
