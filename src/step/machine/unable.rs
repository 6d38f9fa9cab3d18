//! What a step asks for and a vendor can't do: it is refused before anything is hired, never left out.

use doppio_rented::VendorName;

/// Why a vendor can't honour this field; none if it can.
pub(super) fn unable(vendor: VendorName, field: &str) -> Option<String> {
    let name = vendor.shown();
    let why = match (vendor, field) {
        (VendorName::Vast, _) => return None,
        (_, "query") => "has no query language: use `gpu`, `gpus` and `max_price`".to_owned(),
        (_, "bid") => "takes no bids: leave `bid` out".to_owned(),
        (VendorName::Runpod, "onstart") => {
            "runs no start script beside the image's own: put it into the first step".to_owned()
        }
        (VendorName::Lambda, "onstart") => "runs no start script: put it into the first step".to_owned(),
        (VendorName::Lambda, "env") => "sets no environment: set it on the steps".to_owned(),
        (VendorName::Lambda, "image") => "runs its own system and no image: leave `image` out".to_owned(),
        (VendorName::Runpod, "max_hours" | "idle_below") => {
            format!(
                "can't stop a pod by itself: leave `{field}` out, and use `machine_destroy` with `run_if = \"always\"`"
            )
        }
        (VendorName::Lambda, "max_hours" | "idle_below") => {
            format!(
                "can't stop an instance: leave `{field}` out, and use `machine_destroy` with `run_if = \"always\"`"
            )
        }
        _ => return None,
    };
    Some(format!("{name} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_vendor_can_not_do_is_said_by_its_name() {
        let said = unable(VendorName::Lambda, "env").unwrap();
        assert_eq!(said, "Lambda sets no environment: set it on the steps");
        assert!(unable(VendorName::Runpod, "env").is_none() && unable(VendorName::Runpod, "image").is_none());
        assert!(unable(VendorName::Runpod, "bid").unwrap().starts_with("RunPod takes no bids"));
        assert!(unable(VendorName::Vast, "query").is_none());
    }
}
