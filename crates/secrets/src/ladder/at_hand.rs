//! What can be read without a question to anybody: the environment, and a vault that is open.

use doppio_text::name::SecretName;

use crate::Ladder;
use crate::Origin;
use crate::SecretRef;
use crate::SecretValue;
use crate::ladder::ask::Question;
use crate::ladder::ask::ask;
use crate::source::Source;

impl Ladder {
    /// The values that a reference may have in sources that are at hand. Others are passed over, so the
    /// value that a lookup finds need not be among them.
    pub(crate) async fn at_hand(&self, reference: &SecretRef) -> Vec<SecretValue> {
        let mut values = Vec::new();
        let bound = reference.name().into_iter().flat_map(|name| self.bindings(name));
        for meant in bound.map(|bound| &bound.reference).chain([reference]) {
            let own = meant.property.iter().chain(&reference.property).map(String::as_str);
            // A binding adds its own property before that of the reference.
            let mut properties: Vec<&str> = own.collect();
            properties.dedup();
            let version = reference.version.as_deref().or(meant.version.as_deref());
            for (source, path, first) in self.places_of(meant) {
                let properties: Vec<&str> =
                    first.as_deref().into_iter().chain(properties.iter().copied()).collect();
                let question = Question { properties: &properties, version, read: true };
                if source.is_at_hand().await
                    && let Ok(found) = ask(source, &path, question).await
                {
                    values.extend(found.value);
                }
            }
        }
        values
    }

    /// Where a reference is looked for, bindings aside.
    fn places_of(&self, reference: &SecretRef) -> Vec<(&dyn Source, String, Option<String>)> {
        let of_name = |name: &SecretName| self.rungs.iter().flat_map(|rung| rung.places(name)).collect();
        match &reference.origin {
            Origin::Name(name) => of_name(name),
            Origin::Source { scheme, path } => {
                self.source(scheme).ok().map(|source| (source, path.clone(), None)).into_iter().collect()
            }
        }
    }
}
