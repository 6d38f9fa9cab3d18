//! What the texts of a step send to its host: secrets and environment variables.

use std::collections::HashMap;
use std::collections::HashSet;

use doppio_secrets::SecretRef;
use doppio_text::Span;
use doppio_text::name::EnvName;

use crate::step::Part;
use crate::step::Reference;

/// What one step's texts came to.
#[derive(Debug, Default)]
pub(in crate::plan) struct Travel {
    /// The secrets, each once.
    pub secrets: Vec<SecretRef>,
    pub env_names: Vec<EnvName>,
    /// Names that shell texts use and do not set.
    pub unset: Vec<(String, Span)>,
    /// Pipes of shell texts that hide failures, by their last command.
    pub pipes: Vec<(String, Span)>,
    variables: HashSet<EnvName>,
    seen: HashSet<SecretRef>,
    /// The variables of the shell texts so far, by what they carry.
    holes: HashMap<String, EnvName>,
    hole_counts: (usize, usize),
}

impl Travel {
    /// The variable in which a reference's value travels; the same one for the same reference.
    pub(super) fn hole(&mut self, reference: &Reference) -> EnvName {
        let carried = unquoted(reference).to_string();
        if let Some(variable) = self.holes.get(&carried) {
            return variable.clone();
        }
        let (secrets, values) = &mut self.hole_counts;
        let (kind, count) =
            if matches!(reference, Reference::Secret(_)) { ("SECRET", secrets) } else { ("VALUE", values) };
        *count += 1;
        let variable: EnvName = format!("DOPPIO_{kind}_{count}").parse().expect("it is a name");
        self.holes.insert(carried, variable.clone());
        self.env_names.push(variable.clone());
        variable
    }

    /// Notes a variable of an `env` table, which may stand in several.
    pub(super) fn note_variable(&mut self, name: &EnvName) {
        if self.variables.insert(name.clone()) {
            self.env_names.push(name.clone());
        }
    }

    /// Notes the secrets of a text.
    pub(super) fn note_secrets(&mut self, parts: &[Part]) {
        for part in parts {
            if let Part::Reference(Reference::Secret(secret), _) = part
                && self.seen.insert(secret.clone())
            {
                self.secrets.push(secret.clone());
            }
        }
    }
}

/// A value that travels by itself needs no quotes.
pub(super) fn unquoted(reference: &Reference) -> Reference {
    match reference {
        Reference::Variable { name, .. } => Reference::Variable { name: name.clone(), quoted: false },
        other => other.clone(),
    }
}
