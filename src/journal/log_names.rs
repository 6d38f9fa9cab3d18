//! Which file holds a step's output.

use std::collections::HashMap;
use std::fmt::Write as _;

use doppio_text::name::StepId;

/// Bytes of an id that a file name keeps; file systems allow 255.
const KEPT: usize = 180;

/// The file names of a run's steps: the same for writer and reader, since both make them of the
/// run's first event.
#[derive(Debug, Clone, Default)]
pub(super) struct LogNames(HashMap<StepId, String>);

impl LogNames {
    /// Names for all steps of a run, in the order of its first event.
    pub(super) fn new<'a>(steps: impl IntoIterator<Item = &'a StepId>) -> Self {
        let mut taken: HashMap<String, u32> = HashMap::new();
        let mut names = HashMap::new();
        for step in steps {
            let safe = safe(step.as_str());
            // Some file systems take `Train` and `train` for the same.
            let count = taken.entry(safe.to_lowercase()).or_default();
            *count += 1;
            let name = if *count == 1 { format!("{safe}.log") } else { format!("{safe}~{count}.log") };
            names.insert(step.clone(), name);
        }
        Self(names)
    }

    /// The file of one step.
    pub(super) fn get(&self, step: &StepId) -> Option<&str> {
        self.0.get(step).map(String::as_str)
    }
}

/// The id with every character that is more than itself to some shell or file system as `%XX`.
fn safe(id: &str) -> String {
    let mut name = String::new();
    for byte in id.bytes() {
        if name.len() >= KEPT {
            break;
        }
        if byte.is_ascii_alphanumeric() || b"_-.=,@+[]".contains(&byte) {
            name.push(char::from(byte));
        } else {
            write!(name, "%{byte:02X}").expect("a string takes what is written to it");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ids: &[&str]) -> Vec<String> {
        let ids: Vec<StepId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        let names = LogNames::new(&ids);
        ids.iter().map(|id| names.get(id).unwrap().to_owned()).collect()
    }

    #[test]
    fn names_are_safe_and_differ() {
        assert_eq!(names(&["train[lr=1e-3]"]), ["train[lr=1e-3].log"]);
        assert_eq!(names(&["t[a/../b]", "t[é ~]"]), ["t[a%2F..%2Fb].log", "t[%C3%A9%20%7E].log"]);
        assert_eq!(names(&["train", "Train"]), ["train.log", "Train~2.log"]);
        let long = format!("t[{}a]", "x".repeat(400));
        let other = format!("t[{}b]", "x".repeat(400));
        let found = names(&[&long, &other]);
        assert_ne!(found[0], found[1]);
        assert!(found.iter().all(|name| name.len() < 200));
    }
}
