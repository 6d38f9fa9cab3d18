//! Reads the bytes that wait until it is known whether they are an escape.

use crate::mask::escapes;
use crate::mask::escapes::Escape;
use crate::mask::normalised::Normalised;
use crate::mask::normalised::waiting::Waiting;

impl Normalised {
    /// Reads what waits, as far as it is known what that is; at the `end` all of it.
    pub(super) fn read_escape(&mut self, end: bool) {
        while self.waits > 0 {
            let first = self.waiting[0];
            match escapes::read(&self.escape[..self.waits]) {
                Escape::Open if !end => return,
                Escape::Open if self.escape[0] == b'\\' => self.drop_waiting(1),
                Escape::Open | Escape::Text => {
                    let byte = self.escape[0];
                    self.emit(&[byte], first);
                    self.shift(1);
                }
                Escape::Nothing(len) => self.drop_waiting(len),
                Escape::Byte(byte, len) => self.emit_escaped(&[byte], len),
                Escape::Character(character, len) => {
                    self.emit_escaped(character.encode_utf8(&mut [0; 4]).as_bytes(), len);
                }
            }
        }
    }

    fn shift(&mut self, len: usize) {
        self.escape.copy_within(len..self.waits, 0);
        self.waiting.copy_within(len..self.waits, 0);
        self.waits -= len;
    }

    /// Leaves out the first bytes that wait, which are not seen.
    fn drop_waiting(&mut self, len: usize) {
        let broken = self.waiting[..len].iter().any(|waiting| waiting.broken);
        self.shift(len);
        self.leave_out(len, broken);
    }

    /// Counts bytes before those that wait as not seen, among which was a break or not.
    fn leave_out(&mut self, len: usize, broken: bool) {
        let waits = self.waits;
        self.unseen += len as u64;
        for waiting in &mut self.waiting[..waits] {
            waiting.unseen += len as u64;
        }
        if let Some(next) = self.waiting[..waits].first_mut() {
            next.skipped = true;
            next.broken |= broken;
        } else {
            self.skipped = true;
            self.broken |= broken;
        }
    }

    /// Puts what the first bytes that wait stand for at the end. It stands where they begin, or
    /// after the last break among them: what stood before that may be shown already.
    fn emit_escaped(&mut self, bytes: &[u8], len: usize) {
        let escape = &self.waiting[..len];
        let start = escape.iter().rposition(|waiting| waiting.broken).unwrap_or(0);
        let skipped = escape[..=start].iter().any(|waiting| waiting.skipped);
        let from = Waiting { skipped, ..escape[start] };
        self.escaped.push((from.place, escape[len - 1].place + 1));
        self.emit(bytes, from);
        self.shift(len);
        self.leave_out(len - 1, false);
    }
}
