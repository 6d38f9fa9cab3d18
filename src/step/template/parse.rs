//! Finding the references in a string.

use crate::name::EnvName;
use crate::name::StepId;
use crate::secret::SecretRef;
use crate::step::Part;
use crate::step::Reference;
use crate::step::StepField;
use crate::step::Template;
use crate::step::template::place::Places;
use crate::text::Diagnostic;
use crate::text::Source;
use crate::text::Span;
use crate::text::closest;

/// What else may stand in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: whatever begins with `${` is a reference.
    Plain,
    /// A shell's own expansions, which pass untouched.
    Shell,
}

/// What can stand before a dot or a colon.
const HEADS: [&str; 6] = ["secret", "step", "env", "matrix", "run", "recipe"];

/// What can stand after `step.ID.`.
const FIELDS: [&str; 6] = ["output", "stdout", "stderr", "exit_code", "status", "outputs"];

const FORMS: &str = "write `${name}`, `${name|q}`, `${secret:NAME}`, `${step.ID.output}`, `${env.NAME}`, \
                     `${target}`, `${host}`, `${matrix.NAME}`, `${run.id}`, `${recipe.name}` or `${now}`; \
                     `$${` is a literal `${`";

impl Template {
    /// Cuts a string of the recipe at its references. `span` is the place of the whole string
    /// literal in the source. Faulty references are left out of the template and reported.
    pub fn parse(text: &str, span: Span, source: &Source, mode: Mode) -> (Self, Vec<Diagnostic>) {
        let mut parser = Parser {
            mode,
            places: Places::new(source, span.clone()),
            literal: String::new(),
            parts: Vec::new(),
            faults: Vec::new(),
        };
        parser.parse(text);
        parser.flush();
        (Self { parts: parser.parts, span }, parser.faults)
    }
}

struct Parser<'a> {
    mode: Mode,
    places: Places<'a>,
    literal: String,
    parts: Vec<Part>,
    faults: Vec<Diagnostic>,
}

/// A fault of a reference before it has a place: message, help, and what was probably meant.
struct Fault {
    message: String,
    help: String,
    /// The whole reference, mended.
    meant: Option<String>,
}

impl Fault {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), meant: None }
    }
}

/// What a brace turned out to hold.
enum Braced {
    Reference(Reference),
    /// The shell's own business.
    Shell,
    Fault(Fault),
}

impl Parser<'_> {
    fn parse(&mut self, text: &str) {
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            self.literal.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            let used = if rest.starts_with("$${") {
                self.places.find("$${");
                self.literal.push_str("${");
                3
            } else if rest.starts_with("$<secret:") {
                self.reference(rest, '>')
            } else if rest.starts_with("${") {
                self.reference(rest, '}')
            } else {
                self.literal.push('$');
                1
            };
            rest = &rest[used..];
        }
        self.literal.push_str(rest);
    }

    /// Handles the reference that `rest` begins with and tells how much of it is done.
    fn reference(&mut self, rest: &str, close: char) -> usize {
        let opening = if close == '}' { "${" } else { "$<" };
        let end = match end_of_reference(&rest[2..], close) {
            Ok(length) => length + 2,
            Err(why) => {
                let place = self.places.find(opening);
                if self.mode == Mode::Plain || rest[2..].starts_with("secret:") {
                    let message = format!("`{opening}` {why}");
                    let help = format!("close it with `{close}`; `$${{` is a literal `${{`");
                    self.faults.push(Diagnostic::error("recipe::bad-reference", message, place).help(help));
                }
                self.literal.push_str(opening);
                return opening.len();
            }
        };
        let whole = &rest[..=end];
        match braced(&rest[2..end], self.mode) {
            Braced::Reference(reference) => {
                let place = self.places.find(whole);
                self.flush();
                self.parts.push(Part::Reference(reference, place));
                whole.len()
            }
            Braced::Shell => {
                self.places.find(opening);
                self.literal.push_str(opening);
                opening.len()
            }
            Braced::Fault(fault) => {
                let place = self.places.find(whole);
                let mut diagnostic =
                    Diagnostic::error("recipe::bad-reference", fault.message, place.clone()).help(fault.help);
                if let Some(meant) = fault.meant.filter(|_| self.places.text(&place) == Some(whole)) {
                    diagnostic = diagnostic.edit(place, format!("${{{meant}}}"));
                }
                self.faults.push(diagnostic);
                whole.len()
            }
        }
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.literal)));
        }
    }
}

/// How long a reference is that ends with `close`. Looks no further than the next reference, so that
/// the time stays linear.
fn end_of_reference(text: &str, close: char) -> Result<usize, &'static str> {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if char::from(*byte) == close => return Ok(at),
            b'\n' => break,
            b'$' if matches!(bytes.get(at + 1), Some(b'{' | b'<')) => return Err("holds another reference"),
            _ => {}
        }
    }
    Err("is never closed on its line")
}

/// Reads what stands between `${` and `}`.
fn braced(inner: &str, mode: Mode) -> Braced {
    if let Some(reference) = inner.strip_prefix("secret:") {
        return match reference.parse::<SecretRef>() {
            Ok(reference) => Braced::Reference(Reference::Secret(reference)),
            Err(fault) => Braced::Fault(Fault::new(
                fault.to_string(),
                "write `${secret:NAME}`, as in `${secret:huggingface/token}`",
            )),
        };
    }
    if let Some((head, rest)) = inner.split_once(':')
        && rest.starts_with(|c: char| c.is_ascii_alphabetic())
        && closest(head, ["secret"]).is_some()
    {
        return Braced::Fault(Fault {
            message: format!("`{head}:` is no kind of reference"),
            help: format!("did you mean `${{secret:{rest}}}`?"),
            meant: Some(format!("secret:{rest}")),
        });
    }
    if let Some((head, rest)) = inner.split_once('.')
        && is_name(head)
        && !rest.contains(['$', '`', '"', '\''])
    {
        return match dotted(head, rest) {
            Ok(reference) => Braced::Reference(reference),
            Err(fault) => Braced::Fault(fault),
        };
    }
    let (name, quoted) = inner.strip_suffix("|q").map_or((inner, false), |name| (name, true));
    match name {
        "target" if !quoted => Braced::Reference(Reference::Target),
        "host" if !quoted => Braced::Reference(Reference::Host),
        "now" if !quoted => Braced::Reference(Reference::Now),
        _ if is_name(name) => Braced::Reference(Reference::Variable { name: name.to_owned(), quoted }),
        _ if mode == Mode::Shell => Braced::Shell,
        _ => Braced::Fault(Fault::new(format!("`${{{inner}}}` is no reference"), FORMS)),
    }
}

fn is_name(text: &str) -> bool {
    text.parse::<EnvName>().is_ok()
}

/// Reads `HEAD.REST`.
fn dotted(head: &str, rest: &str) -> Result<Reference, Fault> {
    match head {
        "step" => step(rest),
        "env" => rest
            .parse()
            .map(Reference::Env)
            .map_err(|fault| Fault::new(format!("{fault}"), "write `${env.NAME}`, as in `${env.HOME}`")),
        "matrix" if is_key(rest) => Ok(Reference::Matrix(rest.to_owned())),
        "matrix" => Err(Fault::new(format!("`{rest}` is no key of a matrix"), "write `${matrix.NAME}`")),
        "run" => only(head, rest, "id", Reference::RunId),
        "recipe" => only(head, rest, "name", Reference::RecipeName),
        _ => {
            let near = closest(head, HEADS).filter(|near| *near != "secret");
            Err(Fault {
                message: format!("`{head}.` is no kind of reference"),
                help: near
                    .map_or_else(|| FORMS.to_owned(), |near| format!("did you mean `${{{near}.{rest}}}`?")),
                meant: near.map(|near| format!("{near}.{rest}")),
            })
        }
    }
}

/// `HEAD.NAME`, where there is but one name.
fn only(head: &str, found: &str, name: &str, reference: Reference) -> Result<Reference, Fault> {
    if found == name {
        return Ok(reference);
    }
    Err(Fault {
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
fn step(rest: &str) -> Result<Reference, Fault> {
    const HELP: &str =
        "write `${step.ID.output}`, `.stdout`, `.stderr`, `.exit_code`, `.status` or `.outputs.NAME`";
    let after_brackets =
        rest.find('.').filter(|dot| !rest[..*dot].contains('[')).or_else(|| rest.rfind("]."));
    let Some(dot) = after_brackets.map(|at| if rest[at..].starts_with(']') { at + 1 } else { at }) else {
        return Err(Fault::new(format!("`step.{rest}` does not say what of the step"), HELP));
    };
    let (id, field) = (&rest[..dot], &rest[dot + 1..]);
    let step_id = id.parse::<StepId>().map_err(|fault| Fault::new(fault.to_string(), HELP))?;
    let (head, name) = field.split_once('.').map_or((field, None), |(head, name)| (head, Some(name)));
    let field = match (head, name) {
        ("output" | "stdout", None) => StepField::Stdout,
        ("stderr", None) => StepField::Stderr,
        ("exit_code", None) => StepField::ExitCode,
        ("status", None) => StepField::Status,
        ("outputs", Some(name)) if is_key(name) => StepField::Output(name.to_owned()),
        ("outputs", _) => {
            return Err(Fault::new(format!("`step.{id}.outputs` needs the name of an output"), HELP));
        }
        _ => {
            let meant = closest(head, FIELDS).filter(|near| *near != head).map(|near| {
                let name = name.map_or_else(String::new, |name| format!(".{name}"));
                format!("step.{id}.{near}{name}")
            });
            return Err(Fault {
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

    fn parse(text: &str, mode: Mode) -> (Vec<Part>, Vec<Diagnostic>) {
        let source = Source::new("recipe.toml", format!("command = '''{text}'''"));
        let (template, faults) = Template::parse(text, 10..source.text().len(), &source, mode);
        for part in &template.parts {
            if let Part::Reference(_, place) = part {
                assert!(source.text()[place.clone()].starts_with('$'), "{place:?}");
            }
        }
        (template.parts, faults)
    }

    /// The parts, references in guillemets.
    fn show(text: &str, mode: Mode) -> String {
        let (parts, faults) = parse(text, mode);
        assert_eq!(faults, [], "{text}");
        let show = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Reference(reference, _) => format!("«{reference}»"),
        };
        parts.iter().map(show).collect()
    }

    fn fault(text: &str, mode: Mode) -> String {
        let (_, faults) = parse(text, mode);
        let [fault] = &faults[..] else { panic!("{text}: {faults:?}") };
        format!("{}; {}", fault.message, fault.help.as_deref().unwrap_or_default())
    }

    #[test]
    fn every_form_is_read() {
        let forms = "name HOME name|q secret:huggingface/token secret:a/b?none env.HOME target host matrix.lr \
                     run.id recipe.name now step.a.output step.a.stderr step.a.exit_code step.a.status \
                     step.a.outputs.loss step.train[lr=1.5].outputs.a-b";
        for mode in [Mode::Plain, Mode::Shell] {
            for form in forms.split(' ') {
                assert_eq!(show(&format!("a ${{{form}}} b"), mode), format!("a «{form}» b"));
            }
            assert_eq!(show("${step.a.stdout}", mode), "«step.a.output»");
            assert_eq!(show("$<secret:a/b>}", mode), "«secret:a/b»}");
            assert_eq!(show("$${name} $ $x 5$ ${name}", mode), "${name} $ $x 5$ «name»");
            assert_eq!(show("", mode), "");
        }
    }

    #[test]
    fn the_shells_own_expansions_pass() {
        let own = "$HOME ${X:-1} ${#x} ${x[0]} ${!x} ${1} ${@} ${x##*/} ${x/a/b} $(a) $((1+2)) ${ a; } ${";
        assert_eq!(show(own, Mode::Shell), own);
        assert_eq!(show("${X:-${secret:a/b}}", Mode::Shell), "${X:-«secret:a/b»}");
        assert_eq!(show("${${secret:a/b}}", Mode::Shell), "${«secret:a/b»}");
        assert_eq!(show("${x%.gz} ${x:?no. of x}", Mode::Shell), "${x%.gz} ${x:?no. of x}");
    }

    #[test]
    fn faults_say_what_was_meant() {
        for mode in [Mode::Plain, Mode::Shell] {
            let secrets = "`secrets:` is no kind of reference; did you mean `${secret:a/b}`?";
            assert_eq!(fault("${secrets:a/b}", mode), secrets);
            let output = "a step has no `ouput`; did you mean `${step.a.output}`?";
            assert_eq!(fault("${step.a.ouput}", mode), output);
            let steps = "`steps.` is no kind of reference; did you mean `${step.a.output}`?";
            assert_eq!(fault("${steps.a.output}", mode), steps);
            assert_eq!(fault("${run.ID}", mode), "`run` has no `ID`; write `${run.id}`");
            assert!(fault("a ${secret:a/b", mode).starts_with("`${` is never closed on its line"));
            assert!(fault("${secret:}", mode).contains("empty"));
            assert!(fault("${step.a}", mode).contains("does not say what"));
            assert!(fault("${foo.bar}", mode).starts_with("`foo.` is no kind of reference"));
        }
        assert!(fault("${X:-1}", Mode::Plain).starts_with("`${X:-1}` is no reference; write `${name}`"));
        assert!(fault("${", Mode::Plain).starts_with("`${` is never closed on its line; close it with `}`"));
        assert!(fault("${a ${b}", Mode::Plain).starts_with("`${` holds another reference"));
    }

    #[test]
    fn places_are_those_in_the_file() {
        let text = r#"c = "\"$${x}\" ${x} ç ${x} ${y.z}""#;
        let source = Source::new("recipe.toml", text);
        let (template, faults) =
            Template::parse("\"$${x}\" ${x} ç ${x} ${y.z}", 4..text.len(), &source, Mode::Plain);
        let place = |part: &Part| match part {
            Part::Reference(_, place) => Some(place.start),
            Part::Text(_) => None,
        };
        let places: Vec<_> = template.parts.iter().filter_map(place).collect();
        let written: Vec<_> = text.match_indices("${x}").map(|(at, _)| at).skip(1).collect();
        assert_eq!(places, written);
        assert_eq!(&text[faults[0].primary.span.clone()], "${y.z}");
    }

    #[test]
    fn a_reference_that_escapes_hide_has_the_place_of_the_string() {
        let source = Source::new("recipe.toml", r#"c = "\u0024{x}""#);
        for whole in [4..source.text().len(), 5..999] {
            let (template, _) = Template::parse("${x}", whole.clone(), &source, Mode::Plain);
            assert!(matches!(&template.parts[..], [Part::Reference(_, place)] if *place == whole));
        }
    }

    #[test]
    fn long_texts_take_linear_time() {
        for unit in ["${", "$<secret:", "${secret:", "${a:-", "$${", "${a} ", "${steps.a.b"] {
            let text = unit.repeat((1 << 18) / unit.len());
            let source = Source::new("recipe.toml", text.as_str());
            for mode in [Mode::Shell, Mode::Plain] {
                let started = std::time::Instant::now();
                let (template, faults) = Template::parse(&text, 0..text.len(), &source, mode);
                assert!(!template.parts.is_empty() || !faults.is_empty());
                assert!(started.elapsed().as_secs() < 5, "{unit}");
            }
        }
    }
}
