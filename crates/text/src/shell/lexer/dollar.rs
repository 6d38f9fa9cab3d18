//! `$`: parameters, substitutions and arithmetic.

use crate::shell::frame::ArithmeticEnd;
use crate::shell::frame::Frame;
use crate::shell::frame::Open;
use crate::shell::frame::Parameter;
use crate::shell::frame::ParameterPart;
use crate::shell::lexer::Lexer;
use crate::shell::lexer::Read;
use crate::shell::lexer::VALUE;
use crate::shell::list::ListKind;
use crate::shell::placement::Quoting;
use crate::shell::placement::Refusal;

impl Lexer<'_> {
    /// What begins with this `$`; `quoted` within double quotes and the like.
    pub(super) fn dollar(&mut self, quoted: bool) -> Read {
        self.opaque();
        let at = self.pos;
        match self.peek(1) {
            Some(VALUE) => {
                self.place(Err(Refusal::Dollar));
                self.pos += 2;
            }
            Some(b'(') if self.peek(2) == Some(b'(') => {
                self.push(at, Frame::Arithmetic { end: ArithmeticEnd::Parentheses, open: 0 })?;
                self.pos += 3;
            }
            Some(b'(') => {
                self.push_list(at, ListKind::Substitution)?;
                self.pos += 2;
            }
            Some(b'{') => self.parameter(quoted)?,
            Some(b'[') => {
                self.push(at, Frame::Arithmetic { end: ArithmeticEnd::Bracket, open: 0 })?;
                self.pos += 2;
            }
            Some(b'\'') if !quoted => self.ansi()?,
            Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' | b'0'..=b'9') => self.pos += 2,
            Some(_) | None => self.pos += 1,
        }
        Ok(())
    }

    /// `${` and the name after it.
    fn parameter(&mut self, quoted: bool) -> Read {
        let at = self.pos;
        self.pos += 2;
        if matches!(self.peek(0), Some(b' ' | b'\t' | b'\n' | b'|')) {
            return Err(self.fault(at, "`${ …; }` works in the newest shells only", "write `$(…)`"));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if matches!(self.peek(0), Some(b'#' | b'!'))
            && self.peek(1).is_some_and(|next| is_name(next) || matches!(next, VALUE | b'@' | b'*'))
        {
            self.pos += 1;
        }
        let name_at = self.pos;
        while self.peek(0).is_some_and(is_name) {
            self.pos += 1;
        }
        if self.pos == name_at && matches!(self.peek(0), Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!'))
        {
            self.pos += 1;
        }
        let mut around = self.open.iter().rev().take_while(|open| !matches!(open.frame, Frame::List(_)));
        let in_body = around.any(|open| matches!(open.frame, Frame::Body));
        self.push(at, Frame::Parameter(Parameter { quoted, in_body, part: ParameterPart::Head }))
    }

    /// Within `${…}`, after the name.
    pub(super) fn read_in_parameter(&mut self, byte: u8, parameter: Parameter) -> Read {
        let Parameter { quoted, in_body, part } = parameter;
        if byte == b'}' {
            self.open.pop();
            self.pos += 1;
            return Ok(());
        }
        if part == ParameterPart::Head {
            return self.operator(byte);
        }
        match byte {
            b'\\' => self.escape()?,
            b'$' => self.dollar(quoted)?,
            b'`' => self.backquote()?,
            b'"' | b'\'' if in_body => {
                let message = "shells read quotes differently in a `${…}` in a here-document";
                return Err(self.fault(self.pos, message, "put the text in a variable first"));
            }
            b'"' => {
                self.push(self.pos, Frame::Double)?;
                self.pos += 1;
            }
            b'\'' if quoted && !matches!(part, ParameterPart::Pattern | ParameterPart::Replace) => {
                self.literal_single()?;
            }
            b'\'' => self.single()?,
            VALUE => {
                let is_plain = quoted && part != ParameterPart::Pattern;
                self.place(Ok(if is_plain { Quoting::Plain } else { Quoting::Quoted }));
                self.pos += 1;
            }
            _ => self.pos += 1,
        }
        Ok(())
    }

    /// What follows the name.
    fn operator(&mut self, byte: u8) -> Read {
        let (part, length) = match byte {
            b'[' => {
                self.push(self.pos, Frame::Arithmetic { end: ArithmeticEnd::Bracket, open: 0 })?;
                self.pos += 1;
                return Ok(());
            }
            b':' => match self.peek(1) {
                Some(b'-' | b'+' | b'?') => (ParameterPart::Word, 2),
                Some(b'=') => (ParameterPart::Assign, 2),
                _ => (ParameterPart::Offset, 1),
            },
            b'-' | b'+' | b'?' => (ParameterPart::Word, 1),
            b'=' => (ParameterPart::Assign, 1),
            b'#' | b'%' | b'^' | b',' => {
                (ParameterPart::Pattern, if self.peek(1) == Some(byte) { 2 } else { 1 })
            }
            b'/' => (ParameterPart::Replace, 1),
            VALUE => {
                self.place(Err(Refusal::ParameterName));
                (ParameterPart::Other, 1)
            }
            _ => (ParameterPart::Other, 0),
        };
        if let Some(Open { frame: Frame::Parameter(parameter), .. }) = self.open.last_mut() {
            parameter.part = part;
        }
        self.pos += length;
        Ok(())
    }

    /// Single quotes in `"${x:-'…'}"`: they stand for themselves, yet bash wants them in pairs
    /// and skips what is between them when it looks for the `}`.
    fn literal_single(&mut self) -> Read {
        let at = self.pos;
        let rest = &self.text[at + 1..];
        let end =
            rest.iter().position(|byte| matches!(byte, b'\'' | b'}' | b'{' | b'"' | b'`' | b'\\' | b'('));
        match end.filter(|end| rest[*end] == b'\'') {
            Some(end) => {
                for byte in &rest[..end] {
                    if *byte == VALUE {
                        self.place(Ok(Quoting::Plain));
                    }
                }
                self.pos = at + end + 2;
                Ok(())
            }
            None => Err(self.fault(
                at,
                "shells read a single quote differently within `\"${…}\"`",
                "put the text in a variable first",
            )),
        }
    }
}
