//! Draws faults with the lines they stand on. The one file that knows the renderer.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::Annotation;
use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Origin;
use annotate_snippets::Patch;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;

use doppio_text::Diagnostic;
use doppio_text::ENOUGH;
use doppio_text::Label;
use doppio_text::Lines;
use doppio_text::Severity;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::exact_lines;
use doppio_text::page;
use doppio_text::shown;

/// Faults beyond these are counted and not drawn.
const MOST: usize = 50;

/// The form of a line of [`json`]; raised when a reader must know.
const SCHEMA: u32 = 1;

/// Lines between two labels that are still drawn in one piece.
const NEAR: usize = 40;

/// A longer line is cut around its label, in bytes.
const LONGEST_LINE: usize = 400;

/// What is kept of a cut line on either side of the label.
const MARGIN: usize = 60;

/// All faults of a text in its order, and how many they are, with colours.
pub fn draw(source: &Source, faults: &[Diagnostic]) -> String {
    let mut faults: Vec<&Diagnostic> = faults.iter().collect();
    faults.sort_by_key(|fault| fault.primary.span.start);
    let page = Page { source, lines: Lines::new(source.text()) };
    let renderer = Renderer::styled();
    let mut drawn = String::new();
    for fault in faults.iter().take(MOST) {
        let mut groups = page.groups(fault);
        drawn.push_str(&renderer.render(&std::mem::take(&mut groups)));
        drawn.push_str("\n\n");
    }
    if faults.len() > MOST {
        write!(drawn, "… and {} more\n\n", faults.len() - MOST).ok();
    }
    let errors = faults.iter().filter(|fault| fault.severity == Severity::Error).count();
    let title = closing(&shown(source.name()), errors, faults.len() - errors);
    let level = if errors > 0 { Level::ERROR } else { Level::WARNING };
    drawn.push_str(&renderer.render(&[Group::with_title(level.primary_title(title))]));
    drawn
}

/// All faults of a text in its order, one JSON object a line.
pub fn json(source: &Source, faults: &[Diagnostic]) -> String {
    let lines = Lines::new(source.text());
    let mut faults: Vec<&Diagnostic> = faults.iter().collect();
    faults.sort_by_key(|fault| fault.primary.span.start);
    let mut written = String::new();
    for fault in faults {
        let (line, column) = lines.line_column(source.text(), fault.primary.span.start);
        let mut object =
            serde_json::json!({ "schema": SCHEMA, "file": source.name(), "line": line, "column": column });
        if let (Some(object), Ok(serde_json::Value::Object(rest))) =
            (object.as_object_mut(), serde_json::to_value(fault))
        {
            object.extend(rest);
        }
        writeln!(written, "{object}").ok();
    }
    written
}

/// The last line.
fn closing(name: &str, errors: usize, warnings: usize) -> String {
    if errors + warnings > ENOUGH {
        return format!("{name} has more than {ENOUGH} faults");
    }
    let count = |number: usize, what: &str| {
        (number > 0).then(|| format!("{number} {what}{}", if number == 1 { "" } else { "s" }))
    };
    let counts: Vec<String> =
        [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    format!("{name} has {}", counts.join(" and "))
}

struct Page<'a> {
    source: &'a Source,
    lines: Lines,
}

/// A stretch of the text that is drawn in one piece.
struct Window<'a> {
    text: &'a str,
    /// As it is drawn: what is not seen is written out.
    drawn: Cow<'a, str>,
    /// Where it begins in the text.
    start: usize,
    /// The number of its first line, from 1.
    line: usize,
    /// It is a part of one long line.
    is_cut: bool,
}

impl<'a> Window<'a> {
    fn new(text: &'a str, start: usize, line: usize, is_cut: bool) -> Self {
        Self { text, drawn: exact_lines(text), start, line, is_cut }
    }
}

impl<'a> Page<'a> {
    fn groups(&self, fault: &'a Diagnostic) -> Vec<Group<'a>> {
        let level = match fault.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let home = self.lines.line(fault.primary.span.start);
        let is_near = |label: &&Label| self.lines.line(label.span.start).abs_diff(home) <= NEAR;
        let (near, far): (Vec<&Label>, Vec<&Label>) = fault.others.iter().partition(is_near);
        let mut group =
            level.primary_title(shown(&fault.message)).elements(self.cause(&fault.primary, &near));
        for label in far {
            group = group.elements(self.cause(label, &[]));
        }
        let mut groups = Vec::new();
        let window = fault.edit.as_ref().map(|edit| (edit, self.window(&edit.span, &[])));
        match (window, &fault.help) {
            (Some((edit, window)), help) if !window.is_cut => {
                groups.push(group);
                let span = self.within(&edit.span, &window);
                let snippet = Snippet::source(window.drawn.clone())
                    .line_start(window.line)
                    .patch(Patch::new(span, exact_lines(&edit.replacement)));
                let title = help.as_deref().map_or(Cow::Borrowed("write this instead"), page);
                groups.push(Level::HELP.secondary_title(title).element(snippet));
            }
            (_, Some(help)) => groups.push(group.element(Level::HELP.message(page(help)))),
            (_, None) => groups.push(group),
        }
        groups
    }

    /// The lines around a label, with those near it.
    fn cause(&self, first: &'a Label, near: &[&'a Label]) -> Vec<annotate_snippets::Element<'a>> {
        let spans: Vec<Span> = near.iter().map(|label| label.span.clone()).collect();
        let window = self.window(&first.span, &spans);
        let mark = |kind: AnnotationKind, label: &'a Label| -> Annotation<'a> {
            let text = (!label.text.is_empty()).then(|| shown(&label.text));
            kind.span(self.within(&label.span, &window)).label(text)
        };
        let mut snippet = Snippet::source(window.drawn.clone())
            .line_start(window.line)
            .annotation(mark(AnnotationKind::Primary, first));
        if window.is_cut {
            let (line, column) = self.lines.line_column(self.source.text(), first.span.start);
            let origin = Origin::path(shown(self.source.name())).line(line).char_column(column);
            return vec![origin.into(), snippet.into()];
        }
        for label in near {
            snippet = snippet.annotation(mark(AnnotationKind::Context, label));
        }
        vec![snippet.path(shown(self.source.name())).into()]
    }

    /// Whole lines that hold all spans; a part of the first span's line where lines are too long.
    fn window(&self, first: &Span, others: &[Span]) -> Window<'a> {
        let text = self.source.text();
        let lines = others.iter().chain([first]).map(|span| self.lines.line(span.start));
        let (low, high) = lines.fold((usize::MAX, 0), |(low, high), line| (low.min(line), high.max(line)));
        let range = self.lines.start(low)..self.lines.end(high, text);
        if range.len() <= LONGEST_LINE * (high - low + 1) {
            return Window::new(&text[range.clone()], range.start, low + 1, false);
        }
        let home = self.lines.line(first.start);
        let line = self.lines.start(home)..self.lines.end(home, text);
        let start = text.floor_char_boundary(first.start.saturating_sub(MARGIN).max(line.start));
        let end = text.ceil_char_boundary((first.start + 2 * MARGIN).min(line.end)).max(start);
        Window::new(&text[start..end], start, home + 1, true)
    }

    /// A span as offsets in a window, cut to its first line.
    fn within(&self, span: &Span, window: &Window<'_>) -> Range<usize> {
        let text = self.source.text();
        let line_end = self.lines.end(self.lines.line(span.start), text);
        let last = window.start + window.text.len();
        let start = text.floor_char_boundary(span.start.clamp(window.start, last));
        let end = text.floor_char_boundary(span.end.min(line_end).clamp(start, last));
        let place = |at: usize| exact_lines(&text[window.start..at]).len().min(window.drawn.len());
        place(start)..place(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(source: &Source, faults: &[Diagnostic]) -> String {
        anstream::adapter::strip_str(&draw(source, faults)).to_string()
    }

    #[test]
    fn a_fault_is_drawn_with_its_mend() {
        let source = Source::new("llama.toml", "id = \"eval\"\ndepends_on = [\"trian\"]\n");
        let fault = Diagnostic::error("x", "step `eval` needs `trian`, but no step has that id", 26..33)
            .label("not a step in this recipe")
            .help("a step with a similar name exists")
            .edit(26..33, "\"train\"");
        insta::assert_snapshot!(plain(&source, &[fault]), @r#"
            error: step `eval` needs `trian`, but no step has that id
             --> llama.toml:2:15
              |
            2 | depends_on = ["trian"]
              |               ^^^^^^^ not a step in this recipe
              |
            help: a step with a similar name exists
              |
            2 - depends_on = ["trian"]
            2 + depends_on = ["train"]
              |

            error: llama.toml has 1 error
            "#);
    }

    #[test]
    fn far_labels_and_long_lines_are_cut() {
        let text = format!("a = 1\n{}b = \"{}\"\n", "\n".repeat(100), "x".repeat(5000));
        let at = text.find("xxx").unwrap() + 2000;
        let source = Source::new("long.toml", text);
        let fault = Diagnostic::warning("x", "too long", at..at + 3).other(0..1, "first here").help("cut it");
        insta::assert_snapshot!(plain(&source, &[fault]), @r#"
            warning: too long
               --> long.toml:102:2006
                |
               ::: 
            102 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
                |                                                             ^^^
                |
               ::: long.toml:1:1
                |
              1 | a = 1
                | ^ first here
                |
                = help: cut it

            warning: long.toml has 1 warning
            "#);
    }

    #[test]
    fn many_faults_are_counted() {
        let source = Source::new("many.toml", "x\n".repeat(200));
        let faults: Vec<_> = (0..120).map(|n| Diagnostic::error("x", "no", n * 2..n * 2 + 1)).collect();
        let drawn = plain(&source, &faults);
        assert_eq!(drawn.matches("error: no\n").count(), MOST);
        assert!(drawn.contains("… and 70 more\n"));
        assert!(drawn.ends_with("error: many.toml has 120 errors"), "{drawn}");
    }

    #[test]
    fn any_span_can_be_drawn() {
        let text = "ä\r\n\t\"ö\u{1b}[31m\n\n";
        let source = Source::new("odd.toml", text);
        for start in 0..text.len() + 3 {
            for end in 0..text.len() + 3 {
                let fault = Diagnostic::error("x", "odd", start..end).label("here").edit(start..end, "y");
                assert!(!plain(&source, &[fault]).contains('\u{1b}'));
            }
        }
    }
}
