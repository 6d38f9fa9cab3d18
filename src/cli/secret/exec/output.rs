//! The output of a command on its way through the mask: byte for byte but for the secrets.

use std::io;
use std::io::Read;
use std::io::Write;
use std::process::Child;
use std::thread;

use tokio::sync::mpsc;

use doppio_secrets::Mask;
use doppio_secrets::MaskStream;

/// What is read at once. In bytes.
const CHUNK: usize = 64 * 1024;

/// Copies stdout and stderr, each on a thread of its own. The receiver hears of output that is
/// lost, and is closed when both are at their end.
pub(super) fn follow(child: &mut Child, mask: &Mask) -> mpsc::Receiver<io::Error> {
    let (alive, over) = mpsc::channel(2);
    if let Some(from) = child.stdout.take() {
        copy_apart(from, io::stdout(), mask.stream(), alive.clone());
    }
    if let Some(from) = child.stderr.take() {
        copy_apart(from, io::stderr(), mask.stream(), alive);
    }
    over
}

fn copy_apart(
    from: impl Read + Send + 'static,
    to: impl Write + Send + 'static,
    stream: MaskStream,
    alive: mpsc::Sender<io::Error>,
) {
    thread::spawn(move || match copy(from, to, stream) {
        // Where nobody reads any more, the command's end of the pipe is closed too: it hears of it.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => alive.blocking_send(error).ok(),
        _ => None,
    });
}

fn copy(mut from: impl Read, mut to: impl Write, mut stream: MaskStream) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => {
                to.write_all(&stream.push_bytes(&chunk[..count]))?;
                to.flush()?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    to.write_all(&stream.finish_bytes())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use doppio_secrets::SecretValue;

    use super::*;

    #[test]
    fn bytes_stay_what_they_are_around_a_secret() {
        let mask = Mask::default();
        mask.register("a", &SecretValue::new(b"hunter2 one".to_vec())).unwrap();
        let mut written = Vec::new();
        copy(&b"\xff\x00 hunter2 one \xc3\r\n"[..], &mut written, mask.stream()).unwrap();
        assert_eq!(written, b"\xff\x00 *** \xc3\r\n");
    }
}
