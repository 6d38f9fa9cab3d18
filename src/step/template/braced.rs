//! The forms of a reference: what may stand between `${` and `}`.

use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_secrets::looks_like_value;
use doppio_text::closest;
use doppio_text::name::EnvName;
use doppio_text::name::StepId;

use crate::sources::SOURCES;
use crate::step::Mode;
use crate::step::Reference;
use crate::step::StepField;

/// What can stand before a dot or a colon.
const HEADS: [&str; 6] = ["secret", "step", "env", "matrix", "run", "recipe"];

/// What can stand after `step.ID.`.
const FIELDS: [&str; 6] = ["output", "stdout", "stderr", "exit_code", "status", "outputs"];

const FORMS: &str = "write `${name}`, `${name|q}`, `${secret:NAME}`, `${step.ID.output}`, `${env.NAME}`, \
                     `${target}`, `${host}`, `${matrix.NAME}`, `${run.id}`, `${recipe.name}` or `${now}`; \
                     `$${` is a literal `${`";

/// What is wrong with a reference, without its location: message, help, and what was probably meant.
pub(super) struct BadReference {
    pub message: String,
    pub help: String,
    /// The whole reference, corrected.
    pub meant: Option<String>,
}

impl BadReference {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), meant: None }
    }
}

/// What a brace turned out to hold.
pub(super) enum Braced {
    Reference(Reference),
    /// For the shell to expand.
    Shell,
    Bad(BadReference),
}

/// Whether the source that a reference names is one of this build.
fn known_source(reference: &SecretRef) -> Result<(), BadReference> {
    let Origin::Source { scheme, .. } = &reference.origin else { return Ok(()) };
    let known = SOURCES.find(scheme).map(drop);
    known.map_err(|unknown| {
        BadReference::new(
            unknown.to_string(),
            "a name without a source, `${secret:NAME}`, is looked up everywhere",
        )
    })
}

/// Reads what stands between `${` and `}`.
pub(super) fn braced(inner: &str, mode: Mode) -> Braced {
    if let Some(reference) = inner.strip_prefix("secret:") {
        return match reference.parse::<SecretRef>() {
            Ok(_) if looks_like_value(reference.split('?').next().unwrap_or_default()) => {
                Braced::Bad(BadReference::new(
                    "this looks like a value, and a recipe holds references only",
                    "replace it where it was issued, store it with `doppio secret set NAME`, and write `${secret:NAME}`",
                ))
            }
            Ok(reference) => match known_source(&reference) {
                Ok(()) => Braced::Reference(Reference::Secret(reference)),
                Err(fault) => Braced::Bad(fault),
            },
            Err(fault) => Braced::Bad(BadReference::new(
                fault.to_string(),
                "write `${secret:NAME}`, as in `${secret:huggingface/token}`",
            )),
        };
    }
    if inner.trim_start_matches('{').trim_start().starts_with("secrets.") {
        return Braced::Bad(BadReference::new(
            format!("`${{{inner}` is a form of GitHub Actions and amlt"),
            "write `${secret:NAME}`; `doppio secret suggest` lists the usual names",
        ));
    }
    if let Some((head, rest)) = inner.split_once(':')
        && rest.starts_with(|c: char| c.is_ascii_alphabetic())
        && closest(head, ["secret"]).is_some()
    {
        return Braced::Bad(BadReference {
            message: format!("`{head}:` is not a kind of reference"),
            help: format!("did you mean `${{secret:{rest}}}`?"),
            meant: Some(format!("secret:{rest}")),
        });
    }
    if let Some((head, rest)) = inner.split_once('.')
        && is_name(head)
        && (HEADS.contains(&head) || !rest.contains(['$', '`', '"', '\'']))
    {
        return match dotted(head, rest) {
            Ok(reference) => Braced::Reference(reference),
            Err(fault) => Braced::Bad(fault),
        };
    }
    let (name, quoted) = inner.strip_suffix("|q").map_or((inner, false), |name| (name, true));
    match name {
        "target" if !quoted => Braced::Reference(Reference::Target),
        "host" if !quoted => Braced::Reference(Reference::Host),
        "now" if !quoted => Braced::Reference(Reference::Now),
        _ if is_name(name) => Braced::Reference(Reference::Variable { name: name.to_owned(), quoted }),
        _ if mode == Mode::Shell => Braced::Shell,
        _ => Braced::Bad(BadReference::new(format!("`${{{inner}}}` is not a reference"), FORMS)),
    }
}

/// Whether a text after `${` begins one of our own references, which no shell knows.
pub(super) fn is_own(text: &str) -> bool {
    let head = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let sign = if head == "secret" { ':' } else { '.' };
    HEADS.contains(&head) && text[head.len()..].starts_with(sign)
}

fn is_name(text: &str) -> bool {
    text.parse::<EnvName>().is_ok()
}

/// Reads `HEAD.REST`.
fn dotted(head: &str, rest: &str) -> Result<Reference, BadReference> {
    match head {
        "step" => step(rest),
        "env" => rest.parse().map(Reference::Env).map_err(|fault| {
            BadReference::new(format!("{fault}"), "write `${env.NAME}`, as in `${env.HOME}`")
        }),
        "matrix" if is_key(rest) => Ok(Reference::Matrix(rest.to_owned())),
        "matrix" => {
            Err(BadReference::new(format!("`{rest}` is not a key of a matrix"), "write `${matrix.NAME}`"))
        }
        "run" => only(head, rest, "id", Reference::RunId),
        "recipe" => only(head, rest, "name", Reference::RecipeName),
        _ => {
            let near = closest(head, HEADS).filter(|near| *near != "secret");
            Err(BadReference {
                message: format!("`{head}.` is not a kind of reference"),
                help: near
                    .map_or_else(|| FORMS.to_owned(), |near| format!("did you mean `${{{near}.{rest}}}`?")),
                meant: near.map(|near| format!("{near}.{rest}")),
            })
        }
    }
}

/// `HEAD.NAME`, where there is but one name.
fn only(head: &str, found: &str, name: &str, reference: Reference) -> Result<Reference, BadReference> {
    if found == name {
        return Ok(reference);
    }
    Err(BadReference {
        message: format!("`{head}` has no `{found}`"),
        help: format!("write `${{{head}.{name}}}`"),
        meant: Some(format!("{head}.{name}")),
    })
}

/// A key of a TOML table that needs no quotes.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Reads what follows `step.`: an id, which may have dots within brackets, and a field.
fn step(rest: &str) -> Result<Reference, BadReference> {
    const HELP: &str =
        "write `${step.ID.output}`, `.stdout`, `.stderr`, `.exit_code`, `.status` or `.outputs.NAME`";
    let after_brackets =
        rest.find('.').filter(|dot| !rest[..*dot].contains('[')).or_else(|| rest.rfind("]."));
    let Some(dot) = after_brackets.map(|at| if rest[at..].starts_with(']') { at + 1 } else { at }) else {
        return Err(BadReference::new(
            format!("`step.{rest}` does not say which of the step's results"),
            HELP,
        ));
    };
    let (id, field) = (&rest[..dot], &rest[dot + 1..]);
    let step_id = id.parse::<StepId>().map_err(|fault| BadReference::new(fault.to_string(), HELP))?;
    let (head, name) = field.split_once('.').map_or((field, None), |(head, name)| (head, Some(name)));
    let field = match (head, name) {
        ("output" | "stdout", None) => StepField::Stdout,
        ("stderr", None) => StepField::Stderr,
        ("exit_code", None) => StepField::ExitCode,
        ("status", None) => StepField::Status,
        ("outputs", Some(name)) if is_key(name) => StepField::Output(name.to_owned()),
        ("outputs", _) => {
            return Err(BadReference::new(format!("`step.{id}.outputs` needs the name of an output"), HELP));
        }
        _ => {
            let meant = closest(head, FIELDS).filter(|near| *near != head).map(|near| {
                let name = name.map_or_else(String::new, |name| format!(".{name}"));
                format!("step.{id}.{near}{name}")
            });
            return Err(BadReference {
                message: format!("a step has no `{field}`"),
                help: meant
                    .as_ref()
                    .map_or_else(|| HELP.to_owned(), |meant| format!("did you mean `${{{meant}}}`?")),
                meant,
            });
        }
    };
    Ok(Reference::Step { id: step_id, field })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(inner: &str, mode: Mode) -> String {
        let Braced::Bad(fault) = braced(inner, mode) else { panic!("{inner} has no fault") };
        format!("{}; {}", fault.message, fault.help)
    }

    #[test]
    fn faults_say_what_was_meant() {
        for mode in [Mode::Plain, Mode::Shell] {
            let secrets = "`secrets:` is not a kind of reference; did you mean `${secret:a/b}`?";
            assert_eq!(fault("secrets:a/b", mode), secrets);
            let output = "a step has no `ouput`; did you mean `${step.a.output}`?";
            assert_eq!(fault("step.a.ouput", mode), output);
            let steps = "`steps.` is not a kind of reference; did you mean `${step.a.output}`?";
            assert_eq!(fault("steps.a.output", mode), steps);
            assert_eq!(fault("run.ID", mode), "`run` has no `ID`; write `${run.id}`");
            assert!(fault("secret:", mode).contains("empty"));
            assert!(fault("step.a", mode).contains("does not say which"));
            assert!(fault("foo.bar", mode).starts_with("`foo.` is not a kind of reference"));
        }
        assert!(fault("X:-1", Mode::Plain).starts_with("`${X:-1}` is not a reference; write `${name}`"));
    }

    #[test]
    fn a_mended_reference_can_be_read() {
        for inner in ["secrets:a/b", "step.a.ouput", "steps.a.output", "run.ID", "step.a.output.loss"] {
            let Braced::Bad(BadReference { meant, .. }) = braced(inner, Mode::Plain) else {
                panic!("{inner} has no fault")
            };
            if let Some(meant) = meant {
                assert!(matches!(braced(&meant, Mode::Plain), Braced::Reference(_)), "{meant}");
            }
        }
    }
}
