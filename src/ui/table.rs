//! Tables for people, and the one measure of how wide a text is on a terminal.

use std::array;
use std::collections::HashMap;
use std::iter;

use unicode_width::UnicodeWidthStr;

use doppio_text::name::StepId;
use doppio_text::shown;

use crate::ui::Paint;

/// What stands between two columns.
const GAP: &str = "  ";

/// A cell of [`Column::Name`] that is wider pushes its own row to the right, not all of them.
const WIDEST: usize = 40;

/// How a column before the last one is laid out. None is cut on a narrow terminal: names are there to be
/// copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// As wide as its widest cell.
    Whole,
    /// The same, and aligned to the right.
    Right,
    /// The same up to 40 columns.
    Name,
}

/// Rows of `N` cells in columns, each with a last cell that is neither cut nor padded.
#[derive(Debug)]
pub struct Table<const N: usize> {
    indent: usize,
    columns: [Column; N],
    /// The cells, and the last one. A line below a row has fewer of them.
    rows: Vec<(Vec<String>, String)>,
    /// Colours of cells, by row and column.
    colours: HashMap<(usize, usize), Colour>,
}

/// What colour a cell has where there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// All is well.
    Good,
    /// It is not.
    Bad,
    /// Neither, or both.
    Between,
    /// Less important than the rest.
    Dim,
}

impl<const N: usize> Table<N> {
    /// A table of these columns and a last one.
    pub fn new(columns: [Column; N]) -> Self {
        Self { indent: 0, columns, rows: Vec::new(), colours: HashMap::new() }
    }

    /// Moves it to the right.
    #[must_use]
    pub fn indented(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    /// Adds a row; what others wrote in it is made fit to be shown. Further lines of the last cell stand
    /// below its first.
    pub fn row(&mut self, cells: [&str; N], last: &str) {
        let mut lines = last.lines();
        let cells = cells.map(|cell| shown(cell).into_owned()).to_vec();
        self.rows.push((cells, shown(lines.next().unwrap_or_default()).into_owned()));
        lines.for_each(|line| self.below(line));
    }

    /// Gives a cell of the row before a colour.
    pub fn paint(&mut self, column: usize, colour: Colour) {
        self.colours.insert((self.rows.len().saturating_sub(1), column), colour);
    }

    /// Adds lines below the last cell of the row before.
    pub fn below(&mut self, text: &str) {
        self.below_column(N, text);
    }

    /// Adds lines that begin below a cell of the row before.
    pub fn below_column(&mut self, column: usize, text: &str) {
        for line in text.trim_end().split('\n') {
            self.rows.push((vec![String::new(); column], shown(line).into_owned()));
        }
    }

    /// The rows as lines.
    pub fn draw(&self) -> String {
        self.draw_in(Paint(false))
    }

    /// The same in colour, where there is colour.
    pub fn draw_in(&self, paint: Paint) -> String {
        let widths: [usize; N] = array::from_fn(|at| {
            let cells = self.rows.iter().filter_map(|(cells, _)| cells.get(at));
            let widest = cells.map(|cell| width(cell)).max().unwrap_or(0);
            if self.columns[at] == Column::Name { widest.min(WIDEST) } else { widest }
        });
        let mut text = String::new();
        for (row, (cells, last)) in self.rows.iter().enumerate() {
            let mut line = " ".repeat(self.indent);
            for (at, cell) in cells.iter().enumerate() {
                let pad = if self.columns[at] == Column::Right { right } else { left };
                let cell = pad(cell, widths[at]);
                line += &match self.colours.get(&(row, at)) {
                    Some(Colour::Good) => paint.green(&cell),
                    Some(Colour::Bad) => paint.red(&cell),
                    Some(Colour::Between) => paint.yellow(&cell),
                    Some(Colour::Dim) => paint.dim(&cell),
                    None => cell,
                };
                line += GAP;
            }
            line += last;
            text += line.trim_end();
            text += "\n";
        }
        text
    }
}

/// Columns for the ids of steps before the lines that they print. A wider id pushes its own lines to the
/// right.
pub fn prefix<'a>(steps: impl Iterator<Item = &'a StepId>) -> usize {
    steps.map(|step| width(step.as_str())).max().unwrap_or(0).min(24)
}

/// Columns that the widest of some texts takes.
pub fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(width).max().unwrap_or(0)
}

/// Columns of a terminal that a text takes.
fn width(text: &str) -> usize {
    text.width()
}

/// The text, and spaces up to `to` columns.
pub fn left(text: &str, to: usize) -> String {
    text.chars().chain(iter::repeat_n(' ', to.saturating_sub(width(text)))).collect()
}

/// Spaces, and the text up to the column `to`.
pub fn right(text: &str, to: usize) -> String {
    iter::repeat_n(' ', to.saturating_sub(width(text))).chain(text.chars()).collect()
}

/// The text in at most `most` columns. An id with brackets keeps its end, which distinguishes it from
/// its siblings.
pub fn cut(text: &str, most: usize) -> String {
    let text = shown(text);
    if width(&text) <= most {
        return text.into_owned();
    }
    let kept = most.saturating_sub(1);
    let head = if text.ends_with(']') { kept / 3 } else { kept };
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    let end = ends.take_while(|end| width(&text[..*end]) <= head).last().unwrap_or(0);
    let starts = text.char_indices().rev().map(|(at, _)| at);
    let start = starts.take_while(|start| width(&text[*start..]) <= kept - head).last().unwrap_or(text.len());
    format!("{}…{}", &text[..end], &text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_can_still_be_told_apart() {
        assert_eq!(cut("setup", 8), "setup");
        assert_eq!(cut("prepare the machine", 8), "prepare…");
        assert_eq!(cut("sweep[lr=1e-3]", 10), "swe…=1e-3]");
        assert_eq!(cut("é[ü]", 3), "…ü]");
        assert_eq!(cut("\u{1b}[2Jx", 3), "x");
        assert_eq!(cut("模型训练", 5), "模型…");
        assert_eq!(cut("模型训练", 4), "模…");
    }

    fn table() -> Table<3> {
        let mut table = Table::new([Column::Whole, Column::Name, Column::Right]).indented(1);
        table.row(["new", "team/模型", "1 s"], "first");
        table.below("hint: a line below it that is long enough to be wider than a narrow terminal");
        table.row(["differs", &"x".repeat(25), "10 s"], "\u{1b}[2Jlast");
        table.row(["same", "sweep[learning_rate=1,long_name=2]", ""], "");
        table.row(["same", "sweep[learning_rate=2,long_name=2]", ""], "");
        table.below_column(1, "below the name");
        table
    }

    #[test]
    fn columns_are_as_wide_as_a_terminal_shows_them() {
        insta::assert_snapshot!(table().draw(), @"
        new      team/模型                            1 s  first
                                                           hint: a line below it that is long enough to be wider than a narrow terminal
        differs  xxxxxxxxxxxxxxxxxxxxxxxxx           10 s  last
        same     sweep[learning_rate=1,long_name=2]
        same     sweep[learning_rate=2,long_name=2]
                 below the name
        ");
    }

    #[test]
    fn each_line_of_a_text_has_its_own() {
        let mut table = Table::new([Column::Whole]);
        table.row(["error"], "not known:\n\n[hosts.gpu]");
        table.below("fix: add it\n  to hosts.toml");
        insta::assert_snapshot!(table.draw(), @"
        error  not known:

               [hosts.gpu]
               fix: add it
                 to hosts.toml
        ");
    }

    #[test]
    fn one_long_name_does_not_move_all_rows() {
        let mut table = Table::new([Column::Name]);
        table.row([&"y".repeat(WIDEST + 5)], "a");
        table.row(["short"], "b");
        let drawn = table.draw();
        let at: Vec<usize> = drawn.lines().map(|line| line.len() - 1).collect();
        assert_eq!(at, [WIDEST + 5 + GAP.len(), WIDEST + GAP.len()]);
    }
}
