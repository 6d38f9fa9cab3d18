//! A program that a thread reads.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::process::Child;
use std::process::ChildStdout;
use std::thread;
use std::thread::JoinHandle;

use crate::process_group::Group;

/// What is read at once, in bytes.
const CHUNK: usize = 1 << 18;

/// What a program prints, while it is fed by a thread of its own: it may answer before it has read
/// all. It is ended when this is dropped.
#[derive(Debug)]
pub struct Stream {
    output: Option<BufReader<ChildStdout>>,
    child: Child,
    group: Group,
    feeder: Option<JoinHandle<()>>,
}

impl Stream {
    pub(crate) fn new(mut child: Child, group: Group, text: Vec<u8>) -> io::Result<Self> {
        let output = child.stdout.take().map(|output| BufReader::with_capacity(CHUNK, output));
        let mut stream = Self { output, child, group, feeder: None };
        if let Some(mut stdin) = stream.child.stdin.take() {
            let feed = move || {
                // One that went away is told by what it did not print.
                stdin.write_all(&text).ok();
            };
            stream.feeder = Some(thread::Builder::new().name("feeder".to_owned()).spawn(feed)?);
        }
        Ok(stream)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.output.as_mut().map_or(Ok(0), |output| output.read(buffer))
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.output.as_mut().map_or(Ok(&[]), BufRead::fill_buf)
    }

    fn consume(&mut self, count: usize) {
        if let Some(output) = &mut self.output {
            output.consume(count);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // One that is still at it writes to nobody from here on.
        self.output = None;
        if matches!(self.child.try_wait(), Ok(None)) {
            self.group.end(self.child.id());
            self.child.wait().ok();
        }
        if let Some(feeder) = self.feeder.take() {
            feeder.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::Instant;

    use crate::Program;

    use super::*;

    #[test]
    fn much_goes_both_ways() {
        let much = vec![b'x'; 1 << 20];
        let mut printed = Vec::new();
        let mut stream = Program::new("cat").stream(much.clone()).unwrap();
        stream.read_to_end(&mut printed).unwrap();
        assert!(printed == much);
    }

    #[test]
    fn one_that_is_let_go_is_ended() {
        let start = Instant::now();
        let mut stream = Program::shell("echo a; sleep 600 | cat").stream(Vec::new()).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        drop(stream);
        assert_eq!(line, "a\n");
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
