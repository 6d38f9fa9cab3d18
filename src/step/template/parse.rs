//! Finding the references in a string.

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;

use crate::step::Part;
use crate::step::Template;
use crate::step::template::form::Braced;
use crate::step::template::form::braced;
use crate::step::template::place::Places;

/// What else may stand in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: whatever begins with `${` is a reference.
    Plain,
    /// A shell's own expansions, which pass untouched.
    Shell,
}

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
    fn what_is_not_closed_is_a_fault() {
        for mode in [Mode::Plain, Mode::Shell] {
            assert!(fault("a ${secret:a/b", mode).starts_with("`${` is never closed on its line"));
            assert!(fault("${secret:}", mode).contains("empty"));
        }
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
