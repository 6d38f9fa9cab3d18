//! The mark that a payload's shell writes when its script has ended: `doppio:4:NONCE:CODE:`.
//!
//! A program that carries the output of another machine ends with a code of its own when the connection
//! breaks, 255 in the case of `ssh`, which may be the script's as well. The mark tells the two apart.
//! Nobody but the shell knows the nonce.

/// The longest code, with the colon and the line's end.
const TAIL: usize = 8;

/// Takes the mark out of standard output.
#[derive(Debug)]
pub(crate) struct EndMark {
    mark: Vec<u8>,
    /// What may be the beginning of the mark.
    held: Vec<u8>,
    code: Option<i32>,
}

impl EndMark {
    /// One that looks for these bytes with a code behind them.
    pub(crate) fn new(mark: Vec<u8>) -> Self {
        Self { mark, held: Vec::new(), code: None }
    }

    /// The script's exit code, once the mark has come.
    pub(crate) fn code(&self) -> Option<i32> {
        self.code
    }

    /// What of it is the script's.
    pub(crate) fn pass(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if self.code.is_some() {
            return bytes;
        }
        let mut text = std::mem::take(&mut self.held);
        if text.is_empty() {
            text = bytes;
        } else {
            text.extend_from_slice(&bytes);
        }
        let mut from = 0;
        while let Some(at) = text[from..].windows(self.mark.len()).position(|part| part == self.mark) {
            let start = from + at;
            let behind = &text[start + self.mark.len()..];
            match behind.iter().position(|&byte| byte == b'\n') {
                Some(end) if end < TAIL => {
                    let code = std::str::from_utf8(&behind[..end])
                        .ok()
                        .and_then(|code| code.trim_end_matches('\r').strip_suffix(':')?.parse().ok());
                    if code.is_some() {
                        self.code = code;
                        // What a process in the background has written meanwhile.
                        text.drain(start..=start + self.mark.len() + end);
                        return text;
                    }
                }
                None if behind.len() < TAIL => {
                    self.held = text.split_off(start);
                    return text;
                }
                _ => {}
            }
            from = start + 1;
        }
        let most = (self.mark.len() - 1).min(text.len() - from);
        let held = (1..=most).rev().find(|&length| text.ends_with(&self.mark[..length])).unwrap_or(0);
        self.held = text.split_off(text.len() - held);
        text
    }

    /// What was held back, at the end of the output.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_found_in_any_pieces_and_no_byte_is_lost() {
        let whole = b"a doppio:4:nope:1:\nno end of line doppio:4:abc:255:\nlate\n";
        for size in 1..=whole.len() {
            let mut mark = EndMark::new(b"doppio:4:abc:".to_vec());
            let mut passed = Vec::new();
            for piece in whole.chunks(size) {
                passed.extend(mark.pass(piece.to_vec()));
            }
            passed.extend(mark.rest());
            assert_eq!(passed, b"a doppio:4:nope:1:\nno end of line late\n", "in pieces of {size}");
            assert_eq!(mark.code(), Some(255));
        }
    }

    #[test]
    fn what_only_looks_like_it_goes_on() {
        let mut mark = EndMark::new(b"doppio:4:abc:".to_vec());
        assert_eq!(mark.pass(b"x doppio:4:ab".to_vec()), b"x ");
        assert_eq!(mark.pass(b"x".to_vec()), b"doppio:4:abx");
        assert_eq!(mark.pass(b"doppio:4:abc:x:\n".to_vec()), b"doppio:4:abc:x:\n");
        assert_eq!(mark.pass(b"doppio:4:abc:12".to_vec()), b"");
        assert_eq!((mark.rest(), mark.code()), (b"doppio:4:abc:12".to_vec(), None));
    }
}
