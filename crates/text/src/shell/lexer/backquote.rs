//! `` `…` ``: the text within loses one level of backslashes before a shell reads it.

use crate::shell::frame::Frame;
use crate::shell::lexer::DEEPEST_TEXT;
use crate::shell::lexer::Lexer;
use crate::shell::lexer::Origin;
use crate::shell::lexer::Read;
use crate::shell::lexer::VALUE;
use crate::shell::list::List;
use crate::shell::list::ListKind;

impl Lexer<'_> {
    /// Reads what stands between backquotes. Every form that a value can take has no backslash
    /// and no backquote in it, so it means the same on every level.
    pub(super) fn backquote(&mut self) -> Read {
        self.opaque();
        let at = self.pos;
        let in_double = matches!(self.top().frame, Frame::Double);
        let in_command = match self.top().frame {
            Frame::List(_) => true,
            Frame::Parameter(parameter) => !parameter.quoted,
            Frame::Double | Frame::Body | Frame::Arithmetic { .. } => false,
        };
        let mut inner = Vec::new();
        let mut has_escaped_quote = false;
        self.pos += 1;
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return Err(self.fault(at, "a backquote is never closed", "close it")),
                (Some(b'`'), _) => break,
                (Some(b'\\'), Some(b'"')) => {
                    has_escaped_quote = true;
                    inner.extend_from_slice(if in_double { b"\"" } else { b"\\\"" });
                    self.pos += 2;
                }
                (Some(b'\\'), Some(next @ (b'$' | b'`' | b'\\'))) => {
                    inner.push(next);
                    self.pos += 2;
                }
                (Some(byte), _) => {
                    inner.push(byte);
                    self.pos += 1;
                }
            }
        }
        self.pos += 1;
        if !in_command && inner.contains(&VALUE) {
            self.refuse_ambiguous_quotes(at, &inner, has_escaped_quote && !in_double)?;
        }
        if self.depth >= DEEPEST_TEXT {
            return Err(self.fault(at, "this is nested too deeply", "move some of it into a script"));
        }
        let origin = match self.origin {
            Origin::Exact(base) => Origin::Decoded(base + at),
            decoded @ Origin::Decoded(_) => decoded,
        };
        let number = self.placed.number_list();
        let list = Frame::List(List::new(ListKind::Whole, number, number));
        Lexer::new(&inner, origin, list, self.placed, self.depth + 1).read()
    }

    /// Within double quotes, shells read double quotes in backquotes in different ways; bash even
    /// misses the end of the backquotes after a lone one, in single quotes too.
    fn refuse_ambiguous_quotes(&self, at: usize, inner: &[u8], has_escaped_quote: bool) -> Read {
        let help = "write `$(…)` instead of backquotes";
        if has_escaped_quote {
            return Err(self.fault(
                at,
                "shells read `\\\"` differently within backquotes at this place",
                help,
            ));
        }
        if !inner.split(|byte| *byte == b'"').count().is_multiple_of(2) {
            return Ok(());
        }
        Err(self.fault(at, "shells read a lone `\"` differently within backquotes in double quotes", help))
    }
}
