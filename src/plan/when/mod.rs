//! `when`: an expression that says whether a step runs.
//!
//! The grammar is that of `minijinja`'s expressions, and small: names, strings, numbers,
//! comparisons, `in`, `and`, `or`, `not`. Each name is replaced by a placeholder of its own, so
//! that its neighbours decide how its text is taken: as a number beside a number, as
//! yes or no where it stands alone, as text otherwise.

mod operand;
mod tokens;

use std::fmt;
use std::sync::LazyLock;

use minijinja::Environment;
use minijinja::UndefinedBehavior;
use serde::Deserialize;
use serde::Serialize;

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::name::HostId;

use crate::plan::fields::Resolver;
use crate::plan::when::operand::Facts;
use crate::plan::when::operand::Operand;
use crate::plan::when::operand::is_yes;
use crate::plan::when::tokens::ExpressionError;
use crate::step::HostFact;
use crate::step::Part;
use crate::step::Reference;
use crate::step::StepError;
use crate::step::Template;
use crate::step::Text;
use crate::step::Values;

/// A longer expression is refused: what reads it recurses.
const LONGEST: usize = 1000;

static EMPTY: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
});

/// A checked condition of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// All must hold: a step's own, and those of the groups around it.
    conditions: Vec<Condition>,
    host: Option<HostId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Condition {
    /// The old form: a text that is true or false.
    Text(Text),
    Expression(Expression),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Expression {
    source: String,
    /// With a placeholder for each operand.
    rewritten: String,
    operands: Vec<Operand>,
}

impl When {
    /// Checks a `when`; none if it is at fault.
    pub(super) fn check(resolver: &mut Resolver<'_>, node: usize, template: &Template) -> Option<Self> {
        let condition = if template.parts.iter().any(|part| matches!(part, Part::Reference(..))) {
            old_form(resolver, node, template)?
        } else {
            let text = template.parts.iter().map(|part| if let Part::Text(text) = part { text } else { "" });
            let text: String = text.collect();
            match Expression::check(&text, resolver, node, &template.span) {
                Ok(expression) => Condition::Expression(expression),
                Err(fault) => {
                    resolver.fault(diagnostic(fault, &text, &template.span));
                    return None;
                }
            }
        };
        Some(Self { conditions: vec![condition], host: resolver.graph.nodes[node].host.clone() })
    }

    #[must_use]
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.conditions.extend(other.conditions.iter().cloned());
        self
    }

    /// What it asks of the step's host.
    pub fn facts(&self) -> impl Iterator<Item = HostFact> {
        let expressions = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Expression(expression) => Some(expression),
            Condition::Text(_) => None,
        });
        expressions.flat_map(|expression| &expression.operands).filter_map(Operand::fact)
    }

    /// Whether the step runs; `facts` has what it asks of its host.
    ///
    /// # Errors
    ///
    /// What the evaluation ran into, in words.
    pub fn holds(&self, values: &Values, facts: &dyn Fn(HostFact) -> Option<String>) -> Result<bool, String> {
        for condition in &self.conditions {
            if !condition.holds(values, self.host.as_ref(), facts)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, condition) in self.conditions.iter().enumerate() {
            let and = if index == 0 { "" } else { ", and " };
            match condition {
                Condition::Text(text) => write!(f, "{and}{text}")?,
                Condition::Expression(expression) => write!(f, "{and}{}", expression.source)?,
            }
        }
        Ok(())
    }
}

impl Condition {
    fn holds(&self, values: &Values, host: Option<&HostId>, facts: Facts<'_>) -> Result<bool, String> {
        match self {
            Self::Text(text) => {
                let refused =
                    |reference: &Reference| StepError::failed(format!("`${{{reference}}}` is secret"));
                values.fill(text, host, refused).map(|text| is_yes(&text)).map_err(|error| error.to_string())
            }
            Self::Expression(expression) => expression.holds(values, host, facts),
        }
    }
}

impl Expression {
    fn check(
        text: &str,
        resolver: &mut Resolver<'_>,
        node: usize,
        span: &Span,
    ) -> Result<Self, ExpressionError> {
        let whole = |message: &str, help: Option<&str>| ExpressionError {
            start: 0,
            end: text.len(),
            message: message.to_owned(),
            help: help.map(str::to_owned),
        };
        if text.trim().is_empty() {
            return Err(whole("`when` is blank", Some("leave it out, or write an expression")));
        }
        if text.len() > LONGEST {
            return Err(whole("`when` is too long", Some("an expression can have at most 1000 bytes")));
        }
        let tokens = tokens::tokens(text)?;
        let (rewritten, operands) = operand::take(text, &tokens, |name, start, end| {
            let span = span_of(text, span, start, end);
            operand::look_up(name, resolver, node, &span)
        });
        if let Err(error) = EMPTY.compile_expression(&rewritten) {
            let detail = error.detail().unwrap_or("it can't be read");
            return Err(whole(&format!("`when` is not an expression: {detail}"), None));
        }
        Ok(Self { source: text.trim().to_owned(), rewritten, operands })
    }

    fn holds(&self, values: &Values, host: Option<&HostId>, facts: Facts<'_>) -> Result<bool, String> {
        let mut context = Vec::with_capacity(self.operands.len());
        for (index, operand) in self.operands.iter().enumerate() {
            context.push((format!("_{index}"), operand.value(values, host, facts)?));
        }
        let result = EMPTY
            .compile_expression(&self.rewritten)
            .and_then(|expression| expression.eval(minijinja::Value::from_pairs(context)))
            .map_err(|error| error.detail().unwrap_or("it has no value").to_owned())?;
        Ok(match result.as_str() {
            Some(text) => is_yes(text),
            None => result.is_true(),
        })
    }
}

/// `"${flag}"`, and nothing beside the one reference.
fn old_form(resolver: &mut Resolver<'_>, node: usize, template: &Template) -> Option<Condition> {
    let has_text =
        template.parts.iter().any(|part| matches!(part, Part::Text(text) if !text.trim().is_empty()));
    if has_text || template.parts.iter().filter(|part| matches!(part, Part::Reference(..))).count() > 1 {
        let message = "`when` is either one `${…}` or an expression";
        let fault = Diagnostic::error("plan::mixed-when", message, template.span.clone());
        resolver.fault(fault.help("write names without `${…}`, as in `mode == \"full\" and not dry`"));
        return None;
    }
    Some(Condition::Text(resolver.plain(node, template, "when")))
}

/// Where a part of the expression stands in the recipe; the whole string if that is not known.
fn span_of(text: &str, span: &Span, start: usize, end: usize) -> Span {
    // An ordinary one-line string without escapes has its text behind the one quote.
    if span.len() == text.len() + 2 { span.start + 1 + start..span.start + 1 + end } else { span.clone() }
}

fn diagnostic(fault: ExpressionError, text: &str, span: &Span) -> Diagnostic {
    let span = span_of(text, span, fault.start, fault.end);
    let diagnostic = Diagnostic::error("plan::invalid-when", fault.message, span);
    Diagnostic { help: fault.help, ..diagnostic }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use doppio_hosts::Gpu;
    use doppio_hosts::Hardware;
    use doppio_text::Source;

    use super::*;
    use crate::plan::Inputs;
    use crate::step::Asked;
    use crate::step::Cut;
    use crate::step::StepResult;
    use crate::step::Value;

    const RECIPE: &str = r#"
        [recipe]
        name = "r"
        [variables]
        n = 10
        mode = "full"
        off = false
        no = "No"
        empty = ""
        [[step]]
        id = "a"
        local_command = { command = "true", capture_output = "got" }
        [[step]]
        id = "b"
        depends_on = ["a"]
        when = '''WHEN'''
        sleep = { duration_secs = 1 }
    "#;

    /// Whether a step with this `when` runs after step `a` ended with 3.
    fn holds(when: &str) -> Result<bool, String> {
        let source = Source::new("r.toml", RECIPE.replace("WHEN", when));
        let env = [("CI".into(), "1".into())].into_iter().collect();
        let inputs = Inputs {
            vars: &[],
            env: &env,
            target: None,
            tagged: &|_| Vec::new(),
            host_env: &[],
            is_check: false,
        };
        let (plan, _) = crate::plan::build(crate::recipe::parse(&source), &inputs)
            .map_err(|faults| faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; "))?;
        let value = |text: &str| Value::Plain(text.to_owned());
        let result = StepResult {
            status: "failed".to_owned(),
            exit_code: Some(3),
            stdout: value("0.25"),
            stderr: value(""),
            cut: Cut::default(),
            outputs: HashMap::new(),
        };
        let values = Values {
            variables: HashMap::from([("got".to_owned(), value("0.25"))]),
            steps: HashMap::from([("a".parse().expect("an id"), Arc::new(result))]),
            run: "r-1".parse().expect("an id"),
            recipe: "r".to_owned(),
            now: String::new(),
            target: None,
            asked: Asked::default(),
        };
        let gpu =
            |is_free| Gpu { name: "NVIDIA A10".to_owned(), memory: 1, driver: "550".to_owned(), is_free };
        let hardware = Hardware {
            gpus: vec![gpu(true), gpu(false)],
            cuda: Some("12.4".to_owned()),
            ..Hardware::default()
        };
        let facts = |fact: HostFact| Some(fact.value(&hardware));
        let when = plan.steps()[1].when.as_ref().expect("it has one");
        let saved = serde_json::to_string(when).expect("it can be saved");
        let loaded: When = serde_json::from_str(&saved).expect("it can be read back");
        assert_eq!(loaded.holds(&values, &facts), when.holds(&values, &facts));
        when.holds(&values, &facts)
    }

    #[test]
    fn what_holds() {
        for when in [
            "n > 9",
            "n == 10 and mode == 'full'",
            "not off and not no and not empty",
            "mode in ['full', 'half'] and n in [1, 10]",
            "mode not in 'abc'",
            "steps.a.exit_code == 3 and steps.a.status != 'success'",
            "steps.a.output < 0.5 and got < 0.5 and got == '0.25'",
            "env.CI",
            "(n) >= (10)",
            "mode",
            "${mode}",
            "run.id == 'r-1' and recipe.name == 'r'",
            "host.gpus.count == 2 and host.gpus.free >= 1 and host.cuda > 12.1 and host.disk_gb < 50",
            "host.gpus.free and 'A10' in host.gpu and not host.disk_gb",
        ] {
            assert_eq!(holds(when), Ok(true), "{when}");
        }
    }

    #[test]
    fn what_does_not_hold() {
        for when in [
            "n < 9",
            "off",
            "${off}",
            "${no}",
            "${empty}",
            "mode == 'Full'",
            "n == '10 '",
            "steps.a.exit_code == 0",
        ] {
            assert_eq!(holds(when), Ok(false), "{when}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_said() {
        assert_eq!(holds("mode > 3"), Err("`mode` is `full`, which is not a number".to_owned()));
        assert!(holds("host.gpus == 2").is_err_and(|fault| fault.contains("a host has no `gpus`")));
        assert!(holds("n + 1 == 11").is_err_and(|fault| fault.contains("has no meaning")));
        assert!(holds("nn == 1").is_err_and(|fault| fault.contains("not defined")));
        assert!(holds("mode | upper == 'FULL'").is_err());
        assert!(holds("${mode} == 'x' or true").is_err_and(|fault| fault.contains("either one")));
        assert!(holds("steps.b.status == 'x'").is_err_and(|fault| fault.contains("its own result")));
    }
}
