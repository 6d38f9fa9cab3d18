//! What the sources that speak HTTP share.

#[cfg(any(feature = "gcp", feature = "kubernetes"))]
use std::error::Error;

use zeroize::Zeroizing;

/// Why the body of an answer was not read to its end.
#[cfg(any(feature = "gcp", feature = "vault"))]
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is longer than any answer.
    TooLong,
    /// The connection broke.
    Broken(reqwest::Error),
}

/// Reads the body of an answer, of at most `longest` bytes, into memory that is wiped.
#[cfg(any(feature = "gcp", feature = "vault"))]
pub(crate) async fn body(
    response: &mut reqwest::Response,
    longest: usize,
) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let mut body = Zeroizing::new(Vec::with_capacity(16 << 10));
    while let Some(part) = response.chunk().await.map_err(Unread::Broken)? {
        if !append(&mut body, &part, longest) {
            return Err(Unread::TooLong);
        }
    }
    Ok(body)
}

/// Adds a part to a body; false if that would be longer than `longest`. A vector that grows leaves
/// its old bytes behind, so it is moved by hand.
pub(crate) fn append(body: &mut Zeroizing<Vec<u8>>, part: &[u8], longest: usize) -> bool {
    if body.len() + part.len() > longest {
        return false;
    }
    if body.capacity() - body.len() < part.len() {
        let room = (body.len() + part.len()).next_power_of_two();
        let mut longer = Zeroizing::new(Vec::with_capacity(room));
        longer.extend_from_slice(body);
        *body = longer;
    }
    body.extend_from_slice(part);
    true
}

#[cfg(any(feature = "gcp", feature = "kubernetes"))]
/// The innermost cause, which says most: "connection refused", "invalid peer certificate".
pub(crate) fn innermost(error: &dyn Error) -> String {
    let Some(mut innermost) = error.source() else { return error.to_string() };
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
