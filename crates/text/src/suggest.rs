//! Did you mean …?

/// The candidate that is most similar to `found`, if one is similar enough to be worth naming:
/// never `found` itself, and for a name of one or two letters only one in other case, or one that
/// is longer.
pub fn closest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = found.to_lowercase();
    // A longer text is not a slip of the finger, and would take long to compare.
    if found.len() > 200 {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| *candidate != found)
        .filter(|candidate| candidate.len().abs_diff(found.len()) <= candidate.len().max(9) / 3)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let letters = candidate.chars().count();
            // More than half of the longer name must be right.
            *distance <= letters.max(3) / 3 && distance * 2 < letters.max(found.chars().count())
        })
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
        assert_eq!(closest("train", ["train"]), None);
    }

    #[test]
    fn short_names_are_not_near_to_each_other() {
        for (found, candidate) in [("q", "e"), ("q", "lr"), ("lr", "ls"), ("lr", "rl"), ("", "a")] {
            assert_eq!(closest(found, [candidate]), None, "{found} {candidate}");
        }
        for (found, candidate) in [("q", "Q"), ("lr", "LR"), ("lr", "lrs"), ("abc", "abd"), ("ab", "abc")] {
            assert_eq!(closest(found, [candidate]), Some(candidate), "{found} {candidate}");
        }
    }
}
