//! Finding the references in a string.

use std::ops::Range;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::StringLocations;
use doppio_text::shell::Survey;
use doppio_text::shell::survey;

use crate::step::Mode;
use crate::step::Part;
use crate::step::Template;
use crate::step::template::braced::Braced;
use crate::step::template::braced::braced;
use crate::step::template::braced::is_own;

impl Template {
    /// Cuts a string of the recipe at its references. `span` is the location of the whole string
    /// literal in the source. Faulty references are left out of the template and reported.
    pub fn parse(text: &str, span: Span, source: &Source, mode: Mode) -> (Self, Vec<Diagnostic>) {
        let locations = StringLocations::new(source.text(), span.clone(), text);
        let survey = if mode == Mode::Shell { survey(text) } else { Survey::default() };
        let located = |at: &Range<usize>| locations.span(at.clone());
        let unset = survey.unset().map(|of| (of.name.clone(), located(&of.at))).collect();
        let pipes = survey.pipes.iter().map(|pipe| (pipe.last.clone(), located(&pipe.at))).collect();
        let mut parser = Parser {
            mode,
            source,
            locations,
            survey,
            at: 0,
            literal: String::new(),
            parts: Vec::new(),
            faults: Vec::new(),
        };
        parser.parse(text);
        parser.flush();
        (Self { parts: parser.parts, span, unset, pipes }, parser.faults)
    }
}

struct Parser<'a> {
    mode: Mode,
    source: &'a Source,
    locations: StringLocations,
    survey: Survey,
    /// How much of the text is done.
    at: usize,
    literal: String,
    parts: Vec<Part>,
    faults: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn parse(&mut self, text: &str) {
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            self.literal.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            self.at = text.len() - rest.len();
            let used = if self.mode == Mode::Shell && is_of_ci(rest) && !self.survey.is_literal(self.at) {
                self.of_ci()
            } else if rest.starts_with("$${") {
                self.literal.push_str("${");
                3
            } else if let Some(length) = self.of_actions(rest) {
                length
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

    /// The location of what begins here and is so long.
    fn span(&self, length: usize) -> Span {
        self.locations.span(self.at..self.at + length)
    }

    /// Whether the source has a text at a location as it is.
    fn is_written(&self, span: &Span, text: &str) -> bool {
        self.source.text().get(span.clone()) == Some(text)
    }

    /// Handles an expression of GitHub Actions, `${{ … }}`, and tells how long it is.
    fn of_actions(&mut self, rest: &str) -> Option<usize> {
        let inner = rest.strip_prefix("${{")?;
        let line = inner.lines().next().unwrap_or_default();
        let length = line.find("}}")?;
        let whole = &rest[..length + 5];
        let span = self.span(whole.len());
        let fault = Diagnostic::error(
            "recipe::bad-reference",
            format!("`{whole}` is an expression of GitHub Actions"),
            span.clone(),
        );
        let ours = of_actions(inner[..length].trim());
        self.faults.push(match ours {
            Some(ours) if self.is_written(&span, whole) => {
                fault.help("here it is written").edit(span, format!("${{{ours}}}"))
            }
            Some(ours) => fault.help(format!("here it is written `${{{ours}}}`")),
            None => fault.help(
                "`${name}` is a variable here, `${env.NAME}` Doppio's environment, `${secret:NAME}` a secret",
            ),
        });
        Some(whole.len())
    }

    /// Handles the reference that `rest` begins with and tells how much of it is done.
    fn reference(&mut self, rest: &str, close: char) -> usize {
        let opening = if close == '}' { "${" } else { "$<" };
        let end = match end_of_reference(&rest[2..], close) {
            Ok(length) => length + 2,
            Err(why) => {
                let span = self.span(opening.len());
                if self.mode == Mode::Plain || is_own(&rest[2..]) {
                    let message = format!("`{opening}` {}", why.message());
                    let help = why.help(close);
                    self.faults.push(Diagnostic::error("recipe::bad-reference", message, span).help(help));
                }
                self.literal.push_str(opening);
                return opening.len();
            }
        };
        let whole = &rest[..=end];
        match braced(&rest[2..end], self.mode) {
            Braced::Reference(reference) => {
                let span = self.span(whole.len());
                self.flush();
                self.parts.push(Part::Reference(reference, span));
                whole.len()
            }
            Braced::Shell => {
                self.literal.push_str(opening);
                opening.len()
            }
            Braced::Bad(fault) => {
                let span = self.span(whole.len());
                let mut diagnostic =
                    Diagnostic::error("recipe::bad-reference", fault.message, span.clone()).help(fault.help);
                if let Some(meant) = fault.meant.filter(|_| self.is_written(&span, whole)) {
                    diagnostic = diagnostic.edit(span, format!("${{{meant}}}"));
                }
                self.faults.push(diagnostic);
                whole.len()
            }
        }
    }

    /// Reports a reference that amlt would look up, and tells how much of it is done.
    fn of_ci(&mut self) -> usize {
        const BEGIN: &str = "$${{";
        let span = self.span(BEGIN.len());
        let message = "`$${{secrets.NAME}}` is a form of amlt, and no shell knows it";
        self.faults.push(
            Diagnostic::error("recipe::bad-reference", message, span)
                .help("write `${secret:NAME}`; `doppio secret suggest` lists the usual names"),
        );
        BEGIN.len()
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.literal)));
        }
    }
}

/// What an expression of GitHub Actions is here, without `${` and `}`.
fn of_actions(expression: &str) -> Option<String> {
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if !expression.bytes().all(is_path) {
        return None;
    }
    let (context, name) = expression.split_once('.')?;
    Some(match context {
        "secrets" => format!("secret:{name}"),
        "env" | "matrix" => format!("{context}.{name}"),
        "inputs" | "vars" => name.to_owned(),
        "steps" => format!("step.{name}"),
        "github" if name == "run_id" => "run.id".to_owned(),
        _ => return None,
    })
}

/// Whether a text begins with `$${{ secrets.`, which the shell would see as `${{ secrets.`.
fn is_of_ci(text: &str) -> bool {
    text.strip_prefix("$${{").is_some_and(|inner| inner.trim_start().starts_with("secrets."))
}

/// Why a reference has no end.
#[derive(Debug, Clone, Copy)]
enum Endless {
    Open,
    /// Another one begins in it.
    Nested,
}

impl Endless {
    fn message(self) -> &'static str {
        match self {
            Self::Open => "is never closed on its line",
            Self::Nested => "holds another reference",
        }
    }

    fn help(self, close: char) -> String {
        match self {
            Self::Open => format!("close it with `{close}`; `$${{` is a literal `${{`"),
            Self::Nested => format!(
                "write the name out: only `${{matrix.NAME}}` may stand in a reference, in the brackets of \
                 `${{step.ID[NAME=${{matrix.NAME}}].output}}`; close it with `{close}`; `$${{` is a literal `${{`"
            ),
        }
    }
}

/// How long a reference is that ends with `close`. Looks no further than the next reference that may
/// not stand in it, so that the time stays linear.
fn end_of_reference(text: &str, close: char) -> Result<usize, Endless> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            _ if char::from(*byte) == close => return Ok(at),
            b'\n' => break,
            b'$' if matches!(bytes.get(at + 1), Some(b'{' | b'<')) => match nested(text, at) {
                Some(length) => at += length,
                None => return Err(Endless::Nested),
            },
            _ => at += 1,
        }
    }
    Err(Endless::Open)
}

/// How long a reference is that may stand in another: `${matrix.NAME}` in the brackets of a step's id.
fn nested(text: &str, at: usize) -> Option<usize> {
    let is_in_brackets = text.starts_with("step.") && text[..at].contains('[');
    let name = text[at..].strip_prefix("${matrix.").filter(|_| is_in_brackets)?;
    let length = name.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'))?;
    name[length..].starts_with('}').then_some("${matrix.".len() + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, mode: Mode) -> (Vec<Part>, Vec<Diagnostic>) {
        let source = Source::new("recipe.toml", format!("command = '''{text}'''"));
        let (template, faults) = Template::parse(text, 10..source.text().len(), &source, mode);
        for part in &template.parts {
            if let Part::Reference(_, span) = part {
                assert!(source.text()[span.clone()].starts_with('$'), "{span:?}");
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
    fn what_is_not_closed_is_a_fault() {
        for mode in [Mode::Plain, Mode::Shell] {
            assert!(fault("a ${secret:a/b", mode).starts_with("`${` is never closed on its line"));
            assert!(fault("${secret:}", mode).contains("empty"));
        }
        assert!(fault("${", Mode::Plain).starts_with("`${` is never closed on its line; close it with `}`"));
        assert!(fault("${a ${b}", Mode::Plain).starts_with("`${` holds another reference"));
    }

    // case K3
    #[test]
    fn our_own_references_never_pass_to_the_shell() {
        for mode in [Mode::Plain, Mode::Shell] {
            for text in ["${step.a", "${env.A\n}", "${matrix.a", "${run.id"] {
                assert!(fault(text, mode).starts_with("`${` is never closed on its line"), "{text}");
            }
            for text in ["${env.\"A\"}", "${step.'a'.output}", "${run.`id`}", "${matrix.$a}"] {
                assert!(!fault(text, mode).is_empty(), "{text}");
            }
            for text in ["${step.${b}.output}", "${env.${b}}", "${step.a[x=${b}].output}", "${matrix.${b}}"] {
                let (_, faults) = parse(text, mode);
                assert!(faults[0].message.starts_with("`${` holds another reference"), "{text}");
            }
            let member = "step.train[lr=${matrix.lr},n=${matrix.n}].outputs.m";
            assert_eq!(show(&format!("a ${{{member}}} b"), mode), format!("a «{member}» b"));
        }
    }

    #[test]
    fn locations_are_those_in_the_file() {
        let text = r#"c = "\"$${x}\" ${x} ç ${x} ${y.z}""#;
        let source = Source::new("recipe.toml", text);
        let (template, faults) =
            Template::parse("\"$${x}\" ${x} ç ${x} ${y.z}", 4..text.len(), &source, Mode::Plain);
        let span = |part: &Part| match part {
            Part::Reference(_, span) => Some(span.start),
            Part::Text(_) => None,
        };
        let starts: Vec<_> = template.parts.iter().filter_map(span).collect();
        let written: Vec<_> = text.match_indices("${x}").map(|(at, _)| at).skip(1).collect();
        assert_eq!(starts, written);
        assert_eq!(&text[faults[0].primary.span.clone()], "${y.z}");
    }

    #[test]
    fn a_reference_has_its_location_even_behind_escapes() {
        let source = Source::new("recipe.toml", r#"c = "\u0024{x}""#);
        for (whole, expected) in [(4..source.text().len(), 5..14), (5..999, 5..999)] {
            let (template, _) = Template::parse("${x}", whole, &source, Mode::Plain);
            assert!(matches!(&template.parts[..], [Part::Reference(_, span)] if *span == expected));
        }
    }

    #[test]
    fn warnings_point_at_what_is_meant() {
        let text = "echo '$DATA | tee' \"\t\"\nmake $DATA ${DATA} | tee log";
        let literal = "\"echo '$DATA | tee' \\\"\\t\\\"\\nmake $DATA ${DATA} | tee log\"";
        let source = Source::new("recipe.toml", literal);
        let (template, _) = Template::parse(text, 0..literal.len(), &source, Mode::Shell);
        let [(_, unset)] = &template.unset[..] else { panic!("{:?}", template.unset) };
        let [(_, pipe)] = &template.pipes[..] else { panic!("{:?}", template.pipes) };
        assert_eq!(unset.start, literal.rfind("$DATA").unwrap());
        assert_eq!((&literal[unset.clone()], &literal[pipe.clone()]), ("$DATA", "| tee"));
        assert!(pipe.start > unset.end);
    }

    #[test]
    fn text_that_no_shell_expands_may_hold_an_expression_of_amlt() {
        let literal =
            ["cat > x <<'E'\nkey: $${{ secrets.X }}\nE\n", "echo '$${{ secrets.X }}'", "# $${{ secrets.X }}"];
        for text in literal {
            assert_eq!(show(text, Mode::Shell), text.replace("$${", "${"));
        }
        for text in ["cat <<E\n$${{ secrets.X }}\nE\n", "echo \"$${{ secrets.X }}\""] {
            assert!(fault(text, Mode::Shell).contains("amlt"), "{text}");
        }
    }

    #[test]
    fn long_texts_get_an_answer() {
        for unit in ["${", "$<secret:", "${secret:", "${a:-", "$${", "${a} ", "${steps.a.b"] {
            let text = unit.repeat((1 << 18) / unit.len());
            let source = Source::new("recipe.toml", text.as_str());
            for mode in [Mode::Shell, Mode::Plain] {
                let started = std::time::Instant::now();
                let (template, faults) = Template::parse(&text, 0..text.len(), &source, mode);
                assert!(!template.parts.is_empty() || !faults.is_empty());
                assert!(started.elapsed().as_secs() < 60, "{unit}");
            }
        }
    }
}
