//! The labels of machines that Doppio creates: whose they are can be read from them later.

use std::fmt;
use std::str::FromStr;

use doppio_text::name::RunId;
use doppio_text::name::StepId;

/// What begins every label of Doppio's.
const OURS: &str = "doppio";

/// Stands for the run of a machine that was created by hand.
const BY_HAND: &str = "by-hand";

/// The most characters of a step's id in a label: vast.ai takes 256 in all.
const LONGEST_STEP: usize = 120;

/// The most characters of a recipe's name in a label.
const LONGEST_RECIPE: usize = 40;

/// A label: `doppio:RUN:STEP:NONCE RECIPE`, or `doppio:by-hand:NONCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The run and the step that created the machine; none where a person did. Of the step's id, what
    /// is not a letter, digit, `_` or `-` is written as `.`.
    pub of_run: Option<(RunId, String)>,
    /// What distinguishes it from all others.
    pub nonce: String,
    /// The name of the recipe, what is not a letter, digit, `_` or `-` written as `.`.
    pub recipe: Option<String>,
}

/// A label that is not Doppio's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the label is not of a machine that doppio created")]
pub struct NotOurs;

impl Label {
    /// A new label for a machine that a step of a run creates.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn of_step(run: &RunId, step: &StepId) -> Result<Self, getrandom::Error> {
        Ok(Self {
            of_run: Some((run.clone(), fit(step.as_str(), LONGEST_STEP))),
            nonce: nonce()?,
            recipe: None,
        })
    }

    /// The same, with the name of the recipe.
    #[must_use]
    pub fn of_recipe(self, recipe: &str) -> Self {
        Self { recipe: Some(fit(recipe, LONGEST_RECIPE)).filter(|recipe| !recipe.is_empty()), ..self }
    }

    /// Whether it is of this step of this recipe, whatever the run.
    pub fn is_of(&self, recipe: &str, step: &StepId) -> bool {
        let own = self.of_run.as_ref().is_some_and(|(_, own)| *own == fit(step.as_str(), LONGEST_STEP));
        own && self.recipe.as_deref().unwrap_or_default() == fit(recipe, LONGEST_RECIPE)
    }

    /// Whether it is of this run.
    pub fn is_of_run(&self, run: &RunId) -> bool {
        self.of_run.as_ref().is_some_and(|(own, _)| own == run)
    }

    /// A new label for a machine that a person creates.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn by_hand() -> Result<Self, getrandom::Error> {
        Ok(Self { of_run: None, nonce: nonce()?, recipe: None })
    }
}

fn fit(text: &str, longest: usize) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '.' };
    text.chars().map(fit).take(longest).collect()
}

fn nonce() -> Result<String, getrandom::Error> {
    Ok(format!("{:08x}", getrandom::u32()?))
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of_run {
            Some((run, step)) => write!(f, "{OURS}:{run}:{step}:{}", self.nonce)?,
            None => write!(f, "{OURS}:{BY_HAND}:{}", self.nonce)?,
        }
        self.recipe.iter().try_for_each(|recipe| write!(f, " {recipe}"))
    }
}

impl FromStr for Label {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let (text, recipe) = match text.split_once(' ') {
            Some((text, recipe)) => (text, Some(recipe.to_owned())),
            None => (text, None),
        };
        let (of_run, nonce) = match text.split(':').collect::<Vec<_>>()[..] {
            [OURS, BY_HAND, nonce] => (None, nonce),
            [OURS, run, step, nonce] => (Some((run.parse().map_err(|_| NotOurs)?, step.to_owned())), nonce),
            _ => return Err(NotOurs),
        };
        let is_nonce = !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_nonce { Ok(Self { of_run, nonce: nonce.to_owned(), recipe }) } else { Err(NotOurs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_later_whose_machine_it_is() {
        let run: RunId = "20261124-101500-7f3a".parse().unwrap();
        let label = Label::of_step(&run, &"train[lr=1e-3:a]".parse().unwrap()).unwrap();
        assert!(label.to_string().starts_with("doppio:20261124-101500-7f3a:train.lr.1e-3.a.:"));
        assert_eq!(label.to_string().parse(), Ok(label.clone()));
        let label = label.of_recipe("fine tune: v2");
        assert!(label.to_string().ends_with(" fine.tune..v2"), "{label}");
        assert!(label.is_of("fine tune: v2", &"train[lr=1e-3:a]".parse().unwrap()) && label.is_of_run(&run));
        assert!(!label.is_of("other", &"train[lr=1e-3:a]".parse().unwrap()));
        assert_eq!(label.to_string().parse(), Ok(label));
        let by_hand = Label::by_hand().unwrap();
        assert_eq!(by_hand.to_string().parse(), Ok(by_hand));
        for other in ["", "train", "doppio", "doppio:a", "doppio::train:x", "doppio:a b:train:x", "x:a:b:c"] {
            assert_eq!(other.parse::<Label>(), Err(NotOurs), "{other}");
        }
    }

    #[test]
    fn a_label_fits_and_no_two_are_equal() {
        let run: RunId = "r".repeat(64).parse().unwrap();
        let step: StepId = "s".repeat(300).parse().unwrap();
        let [one, other] = [(); 2].map(|()| Label::of_step(&run, &step).unwrap().to_string());
        assert!(one.len() <= 256, "{}", one.len());
        assert_ne!(one, other);
    }
}
