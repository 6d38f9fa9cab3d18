//! Random shell text with values in it, and what it must print.

use doppio_text::shell::Piece;

use super::values::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Posix,
    Bash,
}

/// Shell text that prints one text and a NUL.
pub(super) struct Statement {
    pub(super) pieces: Vec<Piece>,
    pub(super) values: Vec<(String, Vec<u8>)>,
    pub(super) prints: Vec<u8>,
}

/// A stretch of shell text and what it expands to.
#[derive(Clone, Default)]
struct Fragment {
    pieces: Vec<Piece>,
    means: Vec<u8>,
}

impl Fragment {
    /// Text that means something else, or nothing.
    fn text(text: &str, means: &[u8]) -> Self {
        Self { pieces: vec![Piece::Text(text.to_owned())], means: means.to_owned() }
    }

    fn then(mut self, next: Self) -> Self {
        self.pieces.extend(next.pieces);
        self.means.extend(next.means);
        self
    }

    /// The same within other text that adds nothing to its meaning.
    fn within(self, before: &str, after: &str) -> Self {
        Self::text(before, b"").then(self).then(Self::text(after, b""))
    }

    fn means(mut self, means: &[u8]) -> Self {
        means.clone_into(&mut self.means);
        self
    }

    fn adds(mut self, more: &[u8]) -> Self {
        self.means.extend(more);
        self
    }

    /// As it must be written between backquotes.
    fn for_backquotes(mut self, escape_quotes: bool) -> Self {
        for piece in &mut self.pieces {
            if let Piece::Text(text) = piece {
                *text = text.replace('\\', "\\\\").replace('`', "\\`").replace('$', "\\$");
                if escape_quotes {
                    *text = text.replace('"', "\\\"");
                }
            }
        }
        self
    }
}

/// What stands around a text that is quoted by something else than itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Double,
    Document,
    /// `"${x:-…}"`, where quotes are best left out.
    Parameter,
    /// The same in a here-document.
    DocumentParameter,
}

struct Maker<'a> {
    number: usize,
    dialect: Dialect,
    dice: &'a mut Dice,
    values: Vec<(String, Vec<u8>)>,
    documents: usize,
}

impl Statement {
    pub(super) fn generate(number: usize, dialect: Dialect, dice: &mut Dice) -> Self {
        let mut maker = Maker { number, dialect, dice, values: Vec::new(), documents: 0 };
        let Fragment { pieces, means } = maker.statement();
        Self { pieces, values: maker.values, prints: means }
    }
}

impl Maker<'_> {
    fn value(&mut self) -> Fragment {
        let name = format!("V_{}_{}", self.number, self.values.len());
        let value = self.dice.value();
        self.values.push((name.clone(), value.clone()));
        Fragment { pieces: vec![Piece::Value(name.parse().expect("it is a variable name"))], means: value }
    }

    fn statement(&mut self) -> Fragment {
        let of_bash = usize::from(self.dialect == Dialect::Bash) * 7;
        match self.dice.below(18 + of_bash) {
            0 => self.word(3).within("p ", ""),
            1 => self.word(3).within("x=", "; p \"$x\""),
            2 => self.word(3).within("export x=", "\np \"$x\""),
            3 => self.quoted(Around::Double, 3).within("p \"", "\""),
            4 => self.quoted(Around::Document, 3).within("cat <<E\n", "\nE\nprintf '\\0'").adds(b"\n"),
            5 => self
                .quoted(Around::Document, 2)
                .within("cat <<-\tE # it's\n\t", "\n\tE\nprintf '\\0'")
                .adds(b"\n"),
            6 => {
                let (first, second) = (self.quoted(Around::Document, 2), self.quoted(Around::Document, 2));
                let first = first.within("{ cat; cat <&3; } <<A 3<<'B B'\n", "\nA\n").adds(b"\n");
                let raw = Fragment::text("$x `\n", b"$x `\n").within("", "B B\n");
                let also_raw =
                    Fragment::text("$(\n", b"$(\n").within("cat <<\\B; cat <<C; printf '\\0'\n", "B\n");
                first.then(raw).then(also_raw).then(second.within("", "\nC").adds(b"\n"))
            }
            7 => {
                let word = self.word(2);
                let again = word.clone().within(" in (b) ;; a|", ") p same ;; *) p other ;; esac");
                word.within("case ", "").then(again).means(b"same")
            }
            8 => {
                let comment = self.value().within("# it's \" $( ", "\n");
                comment.means(b"").then(self.word(2).within("p ", " # don't"))
            }
            9 => self.word(2).within("for i in ", "; do p \"$i\"; done"),
            10 => self.word(2).within("f() { p \"$1\"; }; f ", ""),
            11 => {
                let word = self.word(2);
                let again = word.clone().within(" = x", " ]; then p same; else p other; fi");
                word.within("if [ x", "").then(again).means(b"same")
            }
            12 => {
                let value = self.value();
                let start = value.clone().within("y=Q", "z; ");
                let form = self.dice.pick(&["p \"${y#Q", "p \"${y##'Q'", "p ${y#Q", "y=${y#Q"]);
                let close = if form.starts_with("p \"") { "}\"" } else { "}" };
                let close = if form.starts_with('y') { "}; p \"$y\"" } else { close };
                start.then(value.within(form, close)).means(b"z")
            }
            13 => self.quoted(Around::Parameter, 2).within("unset u; : \"${u:=", "}\"; p \"$u\""),
            14 => self.word(2).within("/usr/bin/printf '%s\\0' ", ""),
            15 => self.word(2).within("{ p ", "; } 2>&1 | cat"),
            16 => self.word(2).within("(p ", ")"),
            17 => self.word(2).within("env X=", " sh -c 'printf \"%s\\0\" \"$X\"'"),
            18 => self.word(3).within("cat <<< ", "; printf '\\0'").adds(b"\n"),
            19 => {
                let word = self.word(2);
                let again = word.clone().within(" == ", " ]] && p same || p other");
                word.within("[[ ", "").then(again).means(b"same")
            }
            20 => self.word(2).within("a=(x ", " # )\n); p \"${a[1]}\""),
            21 => self.word(2).within("cat <(p ", ")"),
            22 => self.value().within("y=aQb; z=${y/Q/", "}; p \"${z:1:$((${#z} - 2))}\""),
            23 => {
                let value = self.value();
                let start = value.clone().within("y=aX", "b; ");
                start.then(value.within("z=${y/X", "/Q}; p \"$z\"")).means(b"aQb")
            }
            _ => self.quoted(Around::Double, 2).within("p $\"", "\""),
        }
    }

    /// One word, in pieces; nothing in it would be split.
    fn word(&mut self, depth: usize) -> Fragment {
        self.word_in(false, depth)
    }

    fn word_in(&mut self, in_parameter: bool, depth: usize) -> Fragment {
        let mut word = self.part_of_word(in_parameter, depth);
        for _ in 0..self.dice.below(3) {
            word = word.then(self.part_of_word(in_parameter, depth));
        }
        word
    }

    fn part_of_word(&mut self, in_parameter: bool, depth: usize) -> Fragment {
        let sides = if depth == 0 { 6 } else { 10 };
        match self.dice.below(sides) {
            0 | 1 => self.value(),
            2 => Fragment::text("b#", b"b#"),
            3 => Fragment::text("\\'\\$\\ ", b"'$ "),
            4 => {
                // bash as POSIX overlooks single quotes in `"$(echo ${x-${y-'`'}})"`, with or
                // without values.
                let text = if in_parameter { " \\\" #" } else { " $(\\\"`" };
                let start = self.value().then(Fragment::text(text, text.as_bytes()));
                start.then(self.value()).within("'", "'")
            }
            5 if self.dialect == Dialect::Bash && !in_parameter => {
                let text = Fragment::text("it\\'s \\\\\\n\"", b"it's \\\n\"");
                text.then(self.value()).then(Fragment::text("$", b"$")).then(self.value()).within("$'", "'")
            }
            5 => Fragment::text("\\\nc", b"c"),
            6 => self.word_in(true, depth - 1).within("${unset_-", "}"),
            _ => self.quoted(Around::Double, depth - 1).within("\"", "\""),
        }
    }

    /// Text within double quotes or the like.
    fn quoted(&mut self, around: Around, depth: usize) -> Fragment {
        let mut text = self.part_of_quoted(around, depth);
        for _ in 0..self.dice.below(3) {
            text = text.then(self.part_of_quoted(around, depth));
        }
        text
    }

    fn part_of_quoted(&mut self, around: Around, depth: usize) -> Fragment {
        let sides = if depth == 0 { 5 } else { 12 };
        match self.dice.below(sides) {
            0 | 1 => self.value(),
            2 => Fragment::text("\\\\\\$x\\`", b"\\$x`"),
            3 => match around {
                Around::Double => Fragment::text("it's # \\\"a\\\"", b"it's # \"a\""),
                Around::Document => Fragment::text("it's # \"a", b"it's # \"a"),
                Around::Parameter => self.value().within("", "").then(Fragment::text("'b'", b"'b'")),
                Around::DocumentParameter => Fragment::text("a b", b"a b"),
            },
            4 => Fragment::text("a  *\n", b"a  *\n"),
            5 => {
                let inner = match around {
                    Around::Double | Around::Parameter => Around::Parameter,
                    Around::Document | Around::DocumentParameter => Around::DocumentParameter,
                };
                self.quoted(inner, depth - 1).within("${unset_:-", "}")
            }
            6 | 7 => {
                let escape_quotes = around == Around::Double && self.dice.below(2) == 0;
                self.commands(depth - 1).for_backquotes(escape_quotes).within("`", "`")
            }
            _ => self.commands(depth - 1).within("$(", ")"),
        }
    }

    /// Commands that print a text ending in `.`
    fn commands(&mut self, depth: usize) -> Fragment {
        let word = self.word(depth);
        match self.dice.below(6) {
            0 => word.within("case x in (y) ;; x) printf '%s.' ", " ;; esac").adds(b"."),
            1 => word.within(" # it's )\nprintf '%s.' ", "\n").adds(b"."),
            2 => word.within(" (printf '%s.' ", ") ").adds(b"."),
            3 => {
                let body = self.quoted(Around::Document, depth);
                self.documents += 1;
                let name = format!("E{}", self.documents);
                body.within(&format!("cat <<{name}; printf .\n"), &format!("\n{name}\n")).adds(b"\n.")
            }
            4 => word.within("x=", "; if true; then printf '%s.' \"$x\"; fi").adds(b"."),
            _ => word.within("printf '%s.' ", "").adds(b"."),
        }
    }
}
