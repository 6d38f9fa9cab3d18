//! What is known while a run goes on: variables, results of steps, the run itself.

use std::collections::HashMap;
use std::sync::Arc;

use doppio_text::name::HostId;
use doppio_text::name::RunId;
use doppio_text::name::StepId;

use crate::step::Asked;
use crate::step::Cut;
use crate::step::Ended;
use crate::step::HostText;
use crate::step::Outcome;
use crate::step::Reference;
use crate::step::StepError;
use crate::step::StepField;
use crate::step::Text;
use crate::step::TextPart;
use crate::step::Value;
use crate::step::value::LONGEST;

/// What of an output can be referred to, in mebibytes.
pub(in crate::step) const KEPT_MIB: usize = Ended::KEPT >> 20;

/// What a finished step left behind.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// `success`, `failed`, `skipped`, `cancelled` or `lost`.
    pub status: String,
    /// Its exit code, if it ran a command to its end.
    pub exit_code: Option<i32>,
    /// Standard output without its last newline.
    pub stdout: Value,
    /// Standard error, likewise.
    pub stderr: Value,
    /// Which of them is not whole, and so can't be referred to.
    pub cut: Cut,
    /// Its `outputs`.
    pub outputs: HashMap<String, Value>,
}

/// A snapshot for one attempt; the dispatcher owns the original.
#[derive(Debug, Clone)]
pub struct Values {
    /// Variables that steps have set, and all those of the recipe.
    pub variables: HashMap<String, Value>,
    /// Results of finished steps.
    pub steps: HashMap<StepId, Arc<StepResult>>,
    /// The run.
    pub run: RunId,
    /// The recipe's name.
    pub recipe: String,
    /// When the run began, in RFC 3339.
    pub now: String,
    /// The run's target.
    pub target: Option<HostId>,
    /// What the recipe asks of its target.
    pub asked: Asked,
}

/// What steps leave behind for others may be this long, all of it together, in bytes.
const MOST: usize = 256 << 20;

impl Values {
    /// Why a step can't leave this behind, if all of the run together would be too long then.
    pub(crate) fn refuses(&self, outcome: &Outcome) -> Option<String> {
        let size = outcome.size();
        if size == 0 {
            return None;
        }
        let results = self.steps.values().map(|result| {
            let outputs = result.outputs.values().map(Value::size).sum::<usize>();
            result.stdout.size() + result.stderr.size() + outputs
        });
        let variables = self.variables.values().map(Value::size);
        let held = results.chain(variables).sum::<usize>();
        (size > MOST.saturating_sub(held)).then(|| {
            format!("the variables and results of this run would be over {} MiB together", MOST >> 20)
        })
    }

    /// What a reference stands for in a step that runs on `host`. Not for `${secret:…}`, which
    /// only the secret session can answer.
    pub(crate) fn look_up(&self, reference: &Reference, host: Option<&HostId>) -> Result<Value, StepError> {
        let found = match reference {
            Reference::Variable { name, quoted } => self.variable(name, *quoted)?,
            Reference::Step { id, field } if self.steps.get(id).is_some_and(|result| result.lacks(field)) => {
                return Err(StepError::hinted(
                    format!("`${{{reference}}}` has no value: step `{id}` printed more than {KEPT_MIB} MiB"),
                    "let the step write to a file, and print its path",
                ));
            }
            Reference::Step { id, field } => self.steps.get(id).and_then(|result| result.field(field)),
            Reference::Target => self.target.as_ref().map(|id| plain(id.as_str())),
            Reference::Host => host.or(self.target.as_ref()).map(|id| plain(id.as_str())),
            Reference::RunId => Some(plain(self.run.as_str())),
            Reference::RecipeName => Some(plain(&self.recipe)),
            Reference::Now => Some(plain(&self.now)),
            Reference::Secret(_) | Reference::Env(_) | Reference::Matrix(_) | Reference::HostFact(_) => None,
        };
        found.ok_or_else(|| unknown(reference))
    }

    /// The id of the host that a field names, or that of the step itself, or the run's target.
    pub(crate) fn host_id(
        &self,
        field: Option<&HostText>,
        own: Option<&HostId>,
        refused: impl Fn(&Reference) -> StepError,
    ) -> Result<HostId, StepError> {
        if let Some(field) = field {
            return self
                .fill(&field.0.0, own, refused)?
                .parse()
                .map_err(|error: doppio_text::name::InvalidName| StepError::failed(error.to_string()));
        }
        own.or(self.target.as_ref()).cloned().ok_or_else(|| {
            StepError::hinted(
                "the step names no host, and the run has no target",
                "name one with `--host HOST`",
            )
        })
    }

    /// A text with its references resolved; `refused` is the error where one stands for a secret.
    pub(crate) fn fill(
        &self,
        text: &Text,
        host: Option<&HostId>,
        refused: impl Fn(&Reference) -> StepError,
    ) -> Result<String, StepError> {
        let mut whole = String::new();
        for part in &text.parts {
            match part {
                TextPart::Text(text) => whole.push_str(text),
                TextPart::Reference(reference @ Reference::Secret(_)) => return Err(refused(reference)),
                TextPart::Reference(reference) => match self.look_up(reference, host)? {
                    Value::Plain(text) => whole.push_str(&text),
                    Value::Secret(_) => return Err(refused(reference)),
                },
            }
            within_limit(whole.len())?;
        }
        Ok(whole)
    }

    fn variable(&self, name: &str, quoted: bool) -> Result<Option<Value>, StepError> {
        match self.variables.get(name) {
            Some(Value::Plain(text)) if quoted => Ok(Some(Value::Plain(doppio_text::shell::quote(text)))),
            Some(Value::Secret(_)) if quoted => Err(StepError::hinted(
                format!("variable `{name}` is secret and can't be quoted into text"),
                format!("write `${{{name}}}`: its value is never split in shell text"),
            )),
            found => Ok(found.cloned()),
        }
    }
}

impl StepResult {
    /// Whether it ran and could have printed something. An empty text instead would fail open.
    fn has_run(&self) -> bool {
        !matches!(self.status.as_str(), "skipped" | "cancelled")
    }

    /// Whether the field was too long to be kept.
    fn lacks(&self, field: &StepField) -> bool {
        match field {
            StepField::Stdout => self.cut.stdout,
            StepField::Stderr => self.cut.stderr,
            _ => false,
        }
    }

    fn field(&self, field: &StepField) -> Option<Value> {
        match field {
            StepField::Stdout => self.has_run().then(|| self.stdout.clone()),
            StepField::Stderr => self.has_run().then(|| self.stderr.clone()),
            StepField::ExitCode => self.exit_code.map(|code| Value::Plain(code.to_string())),
            StepField::Status => Some(plain(&self.status)),
            StepField::Output(name) => self.outputs.get(name).cloned(),
        }
    }
}

/// Refuses a text that is longer than one may be.
pub(super) fn within_limit(len: usize) -> Result<(), StepError> {
    if len <= LONGEST {
        return Ok(());
    }
    Err(StepError::hinted(
        format!("a text is over {} MiB with its references resolved", LONGEST >> 20),
        "pass what is that long in a file",
    ))
}

fn plain(text: &str) -> Value {
    Value::Plain(text.to_owned())
}

fn unknown(reference: &Reference) -> StepError {
    let failed = |why: &str| StepError::failed(format!("`${{{reference}}}` has no value: {why}"));
    let hinted = |why: &str, hint| StepError::hinted(format!("`${{{reference}}}` has no value: {why}"), hint);
    match reference {
        Reference::Variable { .. } => {
            hinted("no step has set it", "make the step depend on the one that sets it")
        }
        Reference::Step { id, field: StepField::ExitCode } => {
            failed(&format!("step `{id}` did not run a command to its end"))
        }
        Reference::Step { id, field: StepField::Output(_) } => {
            failed(&format!("step `{id}` did not give it"))
        }
        Reference::Step { id, .. } => failed(&format!("step `{id}` has not run")),
        Reference::Target | Reference::Host => hinted("the run has no target", "name one with `--host HOST`"),
        _ => failed("it is not known while a step runs"),
    }
}

#[cfg(test)]
mod tests {
    use doppio_secrets::Mask;
    use doppio_secrets::Registered;
    use doppio_secrets::SecretValue;

    use super::*;

    fn values() -> Values {
        let token = SecretValue::new(b"hunter22".to_vec());
        let token = Registered::new(&Mask::default(), "token", token).unwrap();
        let result = StepResult {
            status: "success".to_owned(),
            exit_code: None,
            stdout: plain("out"),
            stderr: plain("err"),
            cut: Cut::default(),
            outputs: HashMap::from([("loss".to_owned(), plain("0.5"))]),
        };
        Values {
            variables: HashMap::from([
                ("dir".to_owned(), plain("a b")),
                ("token".to_owned(), Value::Secret(token)),
            ]),
            steps: HashMap::from([("a".parse().unwrap(), Arc::new(result))]),
            run: "r-1".parse().unwrap(),
            recipe: "train".to_owned(),
            now: "2026-11-22T00:00:00Z".to_owned(),
            target: Some("gpu-a".parse().unwrap()),
            asked: Asked::default(),
        }
    }

    fn text(reference: &Reference) -> String {
        match values().look_up(reference, None) {
            Ok(Value::Plain(text)) => text,
            Ok(Value::Secret(_)) => "(secret)".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn variable(name: &str, quoted: bool) -> Reference {
        Reference::Variable { name: name.to_owned(), quoted }
    }

    fn step(field: StepField) -> Reference {
        Reference::Step { id: "a".parse().unwrap(), field }
    }

    #[test]
    fn references_find_what_they_name() {
        assert_eq!(text(&variable("dir", false)), "a b");
        assert_eq!(text(&variable("dir", true)), "'a b'");
        assert_eq!(text(&variable("token", false)), "(secret)");
        assert_eq!(text(&step(StepField::Stdout)), "out");
        assert_eq!(text(&step(StepField::Stderr)), "err");
        assert_eq!(text(&step(StepField::Status)), "success");
        assert_eq!(text(&step(StepField::Output("loss".to_owned()))), "0.5");
        assert_eq!(text(&Reference::RunId), "r-1");
        assert_eq!(text(&Reference::Target), "gpu-a");
        assert_eq!(text(&Reference::Host), "gpu-a");
        let own: HostId = "gpu-b".parse().unwrap();
        let Ok(Value::Plain(host)) = values().look_up(&Reference::Host, Some(&own)) else {
            panic!("no host")
        };
        assert_eq!(host, "gpu-b");
    }

    #[test]
    fn what_has_no_value_is_an_error_that_says_why() {
        assert_eq!(text(&variable("dri", false)), "`${dri}` has no value: no step has set it");
        assert_eq!(
            text(&step(StepField::ExitCode)),
            "`${step.a.exit_code}` has no value: step `a` did not run a command to its end"
        );
        assert!(text(&variable("token", true)).contains("can't be quoted"));
    }
}
