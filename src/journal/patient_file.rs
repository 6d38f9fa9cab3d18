//! A file that is appended to, whatever the disk is like: what finds no room now waits for it.

use std::fs::File;
use std::io;
use std::io::Write;

/// Bytes that may wait: far more than the events of any run.
const MOST: usize = 64 << 20;

/// A file, and what is still to be written to it.
#[derive(Debug)]
pub(super) struct PatientFile {
    file: File,
    waiting: Vec<u8>,
}

impl PatientFile {
    pub(super) fn new(file: File) -> Self {
        Self { file, waiting: Vec::new() }
    }

    /// Appends a line. It is written now or, after an error, with a later one.
    ///
    /// # Errors
    ///
    /// When something could not be written, or too much waits.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.waiting.len() + line.len() > MOST {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.waiting.extend_from_slice(line);
        self.catch_up()
    }

    /// Writes what waits.
    ///
    /// # Errors
    ///
    /// When something of it still can't be written.
    pub(super) fn catch_up(&mut self) -> io::Result<()> {
        let mut written = 0;
        let done = loop {
            if written == self.waiting.len() {
                break Ok(());
            }
            match self.file.write(&self.waiting[written..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.waiting.drain(..written);
        done
    }

    /// Writes what waits, and makes all of it last.
    ///
    /// # Errors
    ///
    /// When something of it can't be written.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.catch_up()?;
        self.file.sync_data()
    }
}
