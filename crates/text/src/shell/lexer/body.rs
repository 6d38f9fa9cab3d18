//! Here-documents.

use crate::shell::frame::Frame;
use crate::shell::lexer::DEEPEST_TEXT;
use crate::shell::lexer::Lexer;
use crate::shell::lexer::Origin;
use crate::shell::lexer::Read;
use crate::shell::lexer::VALUE;
use crate::shell::lexer::document::Document;
use crate::shell::placement::Refusal;
use crate::shell::placement::Unreadable;

impl Lexer<'_> {
    /// `<<` or `<<-` and the delimiter.
    pub(super) fn document(&mut self, scope: usize) -> Read {
        let at = self.pos;
        self.pos += 2;
        let strips_tabs = self.peek(0) == Some(b'-');
        self.pos += usize::from(strips_tabs);
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.pos += 1;
        }
        let (delimiter, quoted) = self.delimiter(at)?;
        self.documents.push(Document { at, delimiter, quoted, strips_tabs, scope });
        Ok(())
    }

    fn delimiter(&mut self, at: usize) -> Result<(Vec<u8>, bool), Unreadable> {
        let (mut delimiter, mut quoted) = (Vec::new(), false);
        while let Some(byte) = self.peek(0).filter(|byte| !b" \t\n;&|()<>".contains(byte)) {
            match byte {
                b'\'' | b'"' => {
                    quoted = true;
                    let rest = &self.text[self.pos + 1..];
                    let inner = rest.split(|other| *other == byte).next().unwrap_or_default();
                    if inner.len() == rest.len() || inner.iter().any(|byte| b"\\$`\n\0".contains(byte)) {
                        break;
                    }
                    delimiter.extend_from_slice(inner);
                    self.pos += inner.len() + 2;
                }
                b'\\' if self.peek(1).is_some_and(|next| next != b'\n' && next != VALUE) => {
                    quoted = true;
                    delimiter.extend(self.peek(1));
                    self.pos += 2;
                }
                b'\\' | b'$' | b'`' | VALUE => break,
                _ => {
                    delimiter.push(byte);
                    self.pos += 1;
                }
            }
        }
        let stopped_early = matches!(self.peek(0), Some(b'\'' | b'"' | b'\\' | b'$' | b'`' | VALUE));
        if stopped_early || (delimiter.is_empty() && !quoted) {
            return Err(self.fault(
                at,
                "the delimiter of this here-document is not a plain word",
                "write one such as `EOF`",
            ));
        }
        Ok((delimiter, quoted))
    }

    /// A newline of the list `scope` was read: the lines of its here-documents follow.
    pub(super) fn bodies(&mut self, scope: usize) -> Read {
        for document in std::mem::take(&mut self.documents) {
            if document.scope != scope {
                return Err(self.fault(
                    document.at,
                    "a line ends within a substitution before this here-document has begun",
                    "put the here-document's operator last on its line",
                ));
            }
            self.body(&document)?;
        }
        Ok(())
    }

    fn body(&mut self, document: &Document) -> Read {
        let start = self.pos;
        let mut is_continued = false;
        let end = loop {
            if self.pos >= self.text.len() {
                let name = String::from_utf8_lossy(&document.delimiter);
                let message = format!("the here-document `{name}` never ends");
                return Err(self.fault(document.at, message, format!("end it with a line `{name}`")));
            }
            let line_start = self.pos;
            let rest = &self.text[line_start..];
            let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            self.pos = (line_start + line.len() + 1).min(self.text.len());
            let tabs = line.iter().take_while(|byte| document.strips_tabs && **byte == b'\t').count();
            if !is_continued && line[tabs..] == document.delimiter {
                break line_start;
            }
            let backslashes = line.iter().rev().take_while(|byte| **byte == b'\\').count();
            is_continued = !document.quoted && backslashes % 2 == 1;
        };
        let body = &self.text[start..end];
        if document.quoted {
            for _ in body.iter().filter(|byte| **byte == VALUE) {
                self.place(Err(Refusal::QuotedDelimiter));
            }
            return Ok(());
        }
        if self.depth >= DEEPEST_TEXT {
            return Err(self.fault(start, "this is nested too deeply", "move some of it into a script"));
        }
        let origin = match self.origin {
            Origin::Exact(base) => Origin::Exact(base + start),
            decoded @ Origin::Decoded(_) => decoded,
        };
        Lexer::new(body, origin, Frame::Body, self.placed, self.depth + 1).read()
    }

    /// Here-documents that were announced and can't begin any more.
    pub(super) fn refuse_pending(&self, what: &str, help: &str) -> Read {
        match self.documents.first() {
            None => Ok(()),
            Some(document) => {
                let name = String::from_utf8_lossy(&document.delimiter);
                Err(self.fault(document.at, format!("`<<{name}`: the {what}"), help))
            }
        }
    }
}
