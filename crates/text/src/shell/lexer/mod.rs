//! Reads a shell text for its quoting and finds out what must become of each value in it.
//!
//! A value stands in the text as one NUL byte, which no shell text can hold otherwise. Values are
//! met in the order of the text, so that a place is all that must be recorded of each, also
//! within backquotes, where the text that a shell reads is not the one that was written.

mod backquote;
mod body;
mod commands;
mod document;
mod dollar;

use crate::shell::frame::ArithmeticEnd;
use crate::shell::frame::Frame;
use crate::shell::frame::Open;
use crate::shell::frame::Parameter;
use crate::shell::frame::ParameterPart;
use crate::shell::lexer::document::Document;
use crate::shell::list::List;
use crate::shell::list::ListKind;
use crate::shell::placement::Placement;
use crate::shell::placement::Placements;
use crate::shell::placement::Quoting;
use crate::shell::placement::Refusal;
use crate::shell::placement::Unreadable;

/// Stands for a value.
pub(super) const VALUE: u8 = 0;

/// How many things may be open at once in one text, and how many texts within texts (backquotes
/// and here-documents) there may be. Recipes need a handful.
const DEEPEST: usize = 200;
const DEEPEST_TEXT: usize = 24;

/// How offsets of a text are shown to the user.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// The text begins here.
    Exact(usize),
    /// The text was decoded; what it came from begins here.
    Decoded(usize),
}

pub(super) struct Lexer<'a> {
    text: &'a [u8],
    pos: usize,
    origin: Origin,
    open: Vec<Open>,
    documents: Vec<Document>,
    placed: &'a mut Placements,
    depth: usize,
}

type Read = Result<(), Unreadable>;

/// Places every value of a script.
pub(super) fn place_values(text: &[u8], placed: &mut Placements) -> Read {
    let number = placed.number_list();
    let list = List::new(ListKind::Whole, number, number);
    Lexer::new(text, Origin::Exact(0), Frame::List(list), placed, 0).read()
}

impl<'a> Lexer<'a> {
    fn new(text: &'a [u8], origin: Origin, base: Frame, placed: &'a mut Placements, depth: usize) -> Self {
        let open = vec![Open { at: 0, frame: base }];
        Self { text, pos: 0, origin, open, documents: Vec::new(), placed, depth }
    }

    fn read(&mut self) -> Read {
        while let Some(byte) = self.peek(0) {
            match &self.top().frame {
                Frame::List(_) => self.read_in_list(byte)?,
                Frame::Double | Frame::Body => self.read_in_quotes(byte)?,
                Frame::Parameter(parameter) => self.read_in_parameter(byte, *parameter)?,
                Frame::Arithmetic { end, open } => self.read_in_arithmetic(byte, *end, *open)?,
            }
        }
        if self.open.len() > 1 {
            let message = format!("`{}` is never closed", self.top().frame.opening());
            return Err(self.fault(self.top().at, message, "close it"));
        }
        if let Frame::List(_) = self.top().frame {
            self.end_word();
        }
        self.refuse_pending("here-document never begins", "put its lines below")
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.pos + ahead).copied()
    }

    fn at(&self, text: &[u8]) -> bool {
        self.text[self.pos..].starts_with(text)
    }

    fn before(&self) -> Option<u8> {
        self.pos.checked_sub(1).map(|before| self.text[before])
    }

    fn fault(&self, at: usize, message: impl Into<String>, help: impl Into<String>) -> Unreadable {
        let at = match self.origin {
            Origin::Exact(base) => base + at,
            Origin::Decoded(base) => base,
        };
        Unreadable { at, message: message.into(), help: help.into() }
    }

    fn top(&self) -> &Open {
        self.open.last().expect("the base is never closed")
    }

    fn push(&mut self, at: usize, frame: Frame) -> Read {
        if self.open.len() >= DEEPEST {
            return Err(self.fault(at, "this is nested too deeply", "move some of it into a script"));
        }
        self.open.push(Open { at, frame });
        Ok(())
    }

    /// Opens a list; one whose commands are run apart has newlines of its own.
    fn push_list(&mut self, at: usize, kind: ListKind) -> Read {
        let number = self.placed.number_list();
        let is_apart = matches!(kind, ListKind::Substitution | ListKind::Process);
        let scope = if is_apart { number } else { self.list().map_or(number, |list| list.scope) };
        self.push(at, Frame::List(List::new(kind, number, scope)))
    }

    /// The list on top, if it is one.
    fn list(&mut self) -> Option<&mut List> {
        match self.open.last_mut() {
            Some(Open { frame: Frame::List(list), .. }) => Some(list),
            _ => None,
        }
    }

    /// Notes that the word on top has something in it that is quoted or expanded.
    fn opaque(&mut self) {
        if let Some(Open { frame: Frame::List(list), .. }) = self.open.last_mut() {
            list.word.push_opaque(self.placed);
        }
    }

    fn end_word(&mut self) {
        if let Some(Open { frame: Frame::List(list), .. }) = self.open.last_mut() {
            list.end_word(self.placed);
        }
    }

    /// Records what becomes of the next value; what it stands in may refuse it yet.
    fn place(&mut self, form: Result<Quoting, Refusal>) {
        let mut number = 0;
        let mut refusal = None;
        for open in self.open.iter().rev() {
            let refused = match &open.frame {
                Frame::List(list) => {
                    number = list.number;
                    list.word.in_subscript().then_some(Refusal::Subscript)
                }
                Frame::Arithmetic { end: ArithmeticEnd::Parentheses, .. } => Some(Refusal::Arithmetic),
                Frame::Arithmetic { end: ArithmeticEnd::Bracket, .. } => Some(Refusal::Subscript),
                Frame::Parameter(parameter) => refused_in(*parameter),
                Frame::Double | Frame::Body => None,
            };
            refusal = refusal.or(refused);
            if matches!(open.frame, Frame::List(_)) {
                break;
            }
        }
        let form = match (form, refusal) {
            (Ok(Quoting::Omitted) | Err(_), _) | (_, None) => form,
            (Ok(_), Some(why)) => Err(why),
        };
        self.placed.all.push(Placement { form, list: number });
    }

    /// A backslash and what it quotes.
    fn escape(&mut self) -> Read {
        match self.peek(1) {
            Some(VALUE) => {
                self.opaque();
                self.place(Err(Refusal::Backslash));
            }
            Some(b'\n') => {
                self.refuse_split_operator()?;
                self.pos += 2;
                return Ok(());
            }
            Some(_) | None => self.opaque(),
        }
        self.pos = (self.pos + 2).min(self.text.len());
        Ok(())
    }

    /// Shells join lines even in the middle of an operator, which is never intended.
    fn refuse_split_operator(&self) -> Read {
        let in_list = matches!(self.top().frame, Frame::List(_));
        let is_operator = match (self.before(), self.peek(2)) {
            (Some(b'$'), Some(_)) => true,
            _ if !in_list => false,
            (Some(b'<'), Some(next)) => matches!(next, b'<' | b'(' | b'-' | b'\\'),
            (Some(b'>' | b'('), Some(next)) => matches!(next, b'(' | b'\\'),
            (Some(b')'), Some(next)) => matches!(next, b')' | b'\\'),
            (Some(b';'), Some(next)) => matches!(next, b';' | b'&' | b'\\'),
            _ => false,
        };
        if is_operator {
            return Err(self.fault(self.pos, "the line ends in the middle of an operator", "join the lines"));
        }
        Ok(())
    }

    /// `'…'`
    fn single(&mut self) -> Read {
        self.opaque();
        let at = self.pos;
        self.pos += 1;
        while let Some(byte) = self.peek(0) {
            self.pos += 1;
            match byte {
                b'\'' => return Ok(()),
                VALUE => self.place(Ok(Quoting::InSingle)),
                _ => {}
            }
        }
        Err(self.fault(at, "`'` is never closed", "close it"))
    }

    /// `$'…'`
    fn ansi(&mut self) -> Read {
        self.opaque();
        let at = self.pos;
        // bash reads these wrongly in `"$(echo ${x:-$'…'})"`, with or without a value.
        let in_parameter = matches!(self.top().frame, Frame::Parameter(_));
        let form = if in_parameter { Err(Refusal::AnsiInParameter) } else { Ok(Quoting::InAnsi) };
        self.pos += 2;
        while let Some(byte) = self.peek(0) {
            self.pos += 1;
            match byte {
                b'\'' => return Ok(()),
                VALUE => self.place(form),
                b'\\' => {
                    if self.peek(0) == Some(VALUE) {
                        self.place(Err(Refusal::Backslash));
                    }
                    self.pos += 1;
                }
                _ => {}
            }
        }
        Err(self.fault(at, "`$'` is never closed", "close it"))
    }

    /// Within `"…"`, or in the body of a here-document, where a `"` is nothing special.
    fn read_in_quotes(&mut self, byte: u8) -> Read {
        match byte {
            b'"' if matches!(self.top().frame, Frame::Double) => {
                self.open.pop();
                self.pos += 1;
            }
            b'\\' => self.escape()?,
            b'$' => self.dollar(true)?,
            b'`' => self.backquote()?,
            VALUE => {
                self.place(Ok(Quoting::Plain));
                self.pos += 1;
            }
            _ => self.pos += 1,
        }
        Ok(())
    }

    fn read_in_arithmetic(&mut self, byte: u8, end: ArithmeticEnd, open: usize) -> Read {
        let (opening, closing) = match end {
            ArithmeticEnd::Parentheses => (b'(', b')'),
            ArithmeticEnd::Bracket => (b'[', b']'),
        };
        match byte {
            b'"' => {
                self.push(self.pos, Frame::Double)?;
                self.pos += 1;
            }
            b'\'' if end == ArithmeticEnd::Bracket => self.single()?,
            b'\'' => {
                return Err(self.fault(self.pos, "a single quote is not allowed in arithmetic", "remove it"));
            }
            b'\\' => self.escape()?,
            b'$' => self.dollar(true)?,
            b'`' => self.backquote()?,
            VALUE => {
                self.place(Ok(Quoting::Plain));
                self.pos += 1;
            }
            _ if byte == opening => self.count_brackets(open + 1),
            _ if byte == closing && open > 0 => self.count_brackets(open - 1),
            b']' if end == ArithmeticEnd::Bracket => {
                self.open.pop();
                self.pos += 1;
            }
            b')' if end == ArithmeticEnd::Parentheses => {
                if !self.at(b"))") {
                    let message = "it is not clear whether `((` begins arithmetic or two lists of commands";
                    return Err(self.fault(self.top().at, message, "for commands, write `( (`"));
                }
                self.open.pop();
                self.pos += 2;
            }
            _ => self.pos += 1,
        }
        Ok(())
    }

    fn count_brackets(&mut self, now: usize) {
        if let Some(Open { frame: Frame::Arithmetic { open, .. }, .. }) = self.open.last_mut() {
            *open = now;
        }
        self.pos += 1;
    }
}

/// Why a value is not allowed at this place of a `${…}`, however quoted within.
fn refused_in(parameter: Parameter) -> Option<Refusal> {
    match parameter.part {
        ParameterPart::Offset => Some(Refusal::Arithmetic),
        ParameterPart::Other | ParameterPart::Head => Some(Refusal::Operator),
        ParameterPart::Assign if !parameter.quoted => Some(Refusal::AssignedDefault),
        ParameterPart::Replace if parameter.quoted => Some(Refusal::Replacement),
        ParameterPart::Pattern if parameter.in_body => Some(Refusal::PatternInBody),
        ParameterPart::Word | ParameterPart::Assign | ParameterPart::Pattern | ParameterPart::Replace => None,
    }
}
