//! `set_var`: sets a variable for the steps that follow.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::SecretText;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::typed;

pub(super) static KIND: StepKind = StepKind {
    name: "set_var",
    summary: "Sets a variable for the steps that follow",
    example: "set_var = { name = \"stamp\", value = \"${now}\" }",
    keys: keys::<SetVar>,
    parse: typed::<SetVar>,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetVar {
    /// The variable.
    name: String,
    /// What it becomes; a secret in it makes the variable secret.
    value: SecretText,
}

impl Step for SetVar {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        vec![("value".to_owned(), FieldMut::Secret(&mut self.value))]
    }

    fn sets(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn show(&self) -> Vec<String> {
        vec![format!("{} = {}", self.name, self.value)]
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            let value = cx.value(&self.value).await?;
            // Later steps use it: its leases must last until the run ends.
            cx.secrets.keep(&cx.hold);
            Ok(Outcome { sets: vec![(self.name.clone(), value)], ..Outcome::success() })
        }
        .boxed()
    }
}
