//! What the sources that speak HTTP share.

use std::error::Error;

use zeroize::Zeroizing;

/// Why the body of an answer was not read to its end.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is longer than any answer.
    TooLong,
    /// The connection broke.
    Broken(reqwest::Error),
}

/// Reads the body of an answer, of at most `longest` bytes, into memory that is wiped.
pub(super) async fn body(
    response: &mut reqwest::Response,
    longest: usize,
) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let mut body = Zeroizing::new(Vec::with_capacity(16 << 10));
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > longest {
            return Err(Unread::TooLong);
        }
        // A vector that grows leaves its old bytes behind, so it is moved by hand.
        if body.capacity() - body.len() < chunk.len() {
            let room = (body.len() + chunk.len()).next_power_of_two();
            let mut longer = Zeroizing::new(Vec::with_capacity(room));
            longer.extend_from_slice(&body);
            body = longer;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The innermost cause, which says most: "connection refused", "invalid peer certificate".
pub(super) fn innermost(error: &dyn Error) -> String {
    let Some(mut innermost) = error.source() else { return error.to_string() };
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Words of a server as one short line.
pub(super) fn one_line(words: &str) -> String {
    words.chars().filter(|character| !character.is_control()).take(600).collect()
}
