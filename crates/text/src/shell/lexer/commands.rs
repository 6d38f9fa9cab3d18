//! Words, operators and comments.

use crate::shell::frame::ArithmeticEnd;
use crate::shell::frame::Frame;
use crate::shell::frame::Open;
use crate::shell::lexer::Lexer;
use crate::shell::lexer::Read;
use crate::shell::lexer::VALUE;
use crate::shell::list::Case;
use crate::shell::list::ListKind;
use crate::shell::placement::Quoting;
use crate::shell::placement::Refusal;

impl Lexer<'_> {
    pub(super) fn read_in_list(&mut self, byte: u8) -> Read {
        match byte {
            VALUE => {
                self.opaque();
                self.place(Ok(Quoting::Quoted));
                self.pos += 1;
            }
            b' ' | b'\t' => {
                self.end_word();
                self.pos += 1;
            }
            b'\n' => self.newline()?,
            b'\\' => self.escape()?,
            b'\'' => self.single()?,
            b'"' => {
                self.opaque();
                self.push(self.pos, Frame::Double)?;
                self.pos += 1;
            }
            b'`' => self.backquote()?,
            b'$' => self.dollar(false)?,
            b'#' if self.begins_comment() => self.comment(),
            b';' => self.semicolon(),
            b'&' if self.peek(1) == Some(b'>') => self.redirection(1),
            b'&' | b'|' => {
                self.end_word();
                self.end_command();
                self.pos += 1;
            }
            b'(' => self.opening()?,
            b')' => self.closing()?,
            b'<' | b'>' if self.peek(1) == Some(b'(') => {
                self.opaque();
                self.push_list(self.pos, ListKind::Process)?;
                self.pos += 2;
            }
            b'<' | b'>' => self.angle(byte)?,
            _ => {
                self.push_byte(byte);
                self.pos += 1;
            }
        }
        Ok(())
    }

    fn push_byte(&mut self, byte: u8) {
        if let Some(Open { frame: Frame::List(list), .. }) = self.open.last_mut() {
            list.push(byte, self.placed);
        }
    }

    fn end_command(&mut self) {
        if let Some(list) = self.list() {
            list.end_command();
        }
    }

    fn newline(&mut self) -> Read {
        self.end_word();
        self.pos += 1;
        let Some(list) = self.list() else { return Ok(()) };
        list.end_command();
        let (kind, scope) = (list.kind, list.scope);
        if matches!(kind, ListKind::Array | ListKind::Glob | ListKind::Test) {
            return self.refuse_pending(
                "line ends within parentheses before the here-document has begun",
                "put its operator last on its line",
            );
        }
        self.bodies(scope)
    }

    fn begins_comment(&mut self) -> bool {
        self.list()
            .is_some_and(|list| !list.word.begun && !matches!(list.kind, ListKind::Glob | ListKind::Test))
    }

    /// A comment, up to its newline. Values are left out of it.
    fn comment(&mut self) {
        while let Some(byte) = self.peek(0).filter(|byte| *byte != b'\n') {
            if byte == VALUE {
                let after_backslash = self.before() == Some(b'\\');
                self.place(if after_backslash { Err(Refusal::Backslash) } else { Ok(Quoting::Omitted) });
            }
            self.pos += 1;
        }
    }

    fn semicolon(&mut self) {
        self.end_word();
        self.end_command();
        let ends_pattern = matches!(self.peek(1), Some(b';' | b'&'));
        self.pos += 1 + usize::from(ends_pattern);
        if !ends_pattern {
            return;
        }
        if self.at(b"&") && self.before() == Some(b';') {
            self.pos += 1;
        }
        if let Some(case) =
            self.list().and_then(|list| list.cases.last_mut()).filter(|case| **case == Case::Commands)
        {
            *case = Case::Pattern { start: true };
        }
    }

    fn opening(&mut self) -> Read {
        let (at, before, next) = (self.pos, self.before(), self.peek(1));
        let Some(list) = self.list() else { return Ok(()) };
        if list.is_before_pattern() {
            self.pos += 1;
            return Ok(());
        }
        let kind = match (list.word.begun, before) {
            (true, Some(b'=')) => ListKind::Array,
            (true, Some(b'?' | b'*' | b'+' | b'@' | b'!')) if !list.is_bang() => ListKind::Glob,
            (_, _) if list.is_test() => ListKind::Test,
            (_, _) if matches!(list.kind, ListKind::Array | ListKind::Glob) => ListKind::Glob,
            (false, _) if next == Some(b'(') && list.may_begin_arithmetic() => {
                list.begin_command();
                self.pos += 2;
                return self.push(at, Frame::Arithmetic { end: ArithmeticEnd::Parentheses, open: 0 });
            }
            (_, _) => ListKind::Subshell,
        };
        if kind == ListKind::Subshell {
            self.end_word();
        } else {
            self.opaque();
        }
        self.pos += 1;
        self.push_list(at, kind)
    }

    fn closing(&mut self) -> Read {
        self.end_word();
        let at = self.pos;
        self.pos += 1;
        let Some(list) = self.list() else { return Ok(()) };
        if let Some(case @ Case::Pattern { .. }) = list.cases.last_mut() {
            *case = Case::Commands;
            list.begin_command();
            return Ok(());
        }
        let (kind, scope, has_case) = (list.kind, list.scope, !list.cases.is_empty());
        if has_case {
            return Err(self.fault(at, "`)` is inside an unfinished `case`", "end it with `esac`"));
        }
        match kind {
            ListKind::Whole => return Err(self.fault(at, "`)` closes nothing", "remove or quote it")),
            ListKind::Substitution | ListKind::Process => {
                if self.documents.iter().any(|document| document.scope == scope) {
                    return self.refuse_pending(
                        "here-document's lines would be outside its substitution",
                        "put them before the `)`",
                    );
                }
                self.open.pop();
            }
            ListKind::Subshell => {
                self.open.pop();
                if let Some(list) = self.list() {
                    list.begin_command();
                }
            }
            ListKind::Array | ListKind::Glob | ListKind::Test => {
                self.open.pop();
            }
        }
        Ok(())
    }

    /// `<` or `>`, alone or with what makes another operator of it.
    fn angle(&mut self, byte: u8) -> Read {
        let Some(list) = self.list() else { return Ok(()) };
        list.forget_descriptor();
        let (is_test, scope) = (list.is_test(), list.scope);
        if !is_test && self.at(b"<<<") {
            self.redirection(3);
        } else if !is_test && self.at(b"<<") {
            self.end_word();
            return self.document(scope);
        } else if is_test {
            self.end_word();
            self.pos += 1;
        } else {
            let is_long = matches!(
                (byte, self.peek(1)),
                (_, Some(b'&')) | (b'<', Some(b'>')) | (b'>', Some(b'>' | b'|'))
            );
            self.redirection(1 + usize::from(is_long));
        }
        Ok(())
    }

    /// An operator of so many bytes whose target follows.
    fn redirection(&mut self, length: usize) {
        self.end_word();
        self.pos += length;
        if let Some(list) = self.list() {
            list.redirect = true;
        }
    }
}
