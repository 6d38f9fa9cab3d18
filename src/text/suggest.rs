//! Did you mean …?

/// The candidate that comes nearest to `found`, if one comes near enough to be worth naming.
pub fn closest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = found.to_lowercase();
    // A longer text is no slip of the finger, and would take long to compare.
    if found.len() > 200 {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(found.len()) <= candidate.len().max(9) / 3)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names_are_suggested() {
        assert_eq!(closest("trian", ["eval", "train"]), Some("train"));
        assert_eq!(closest("Train", ["eval", "train"]), Some("train"));
        assert_eq!(closest("deploy", ["eval", "train"]), None);
        assert_eq!(closest("x", []), None);
    }
}
