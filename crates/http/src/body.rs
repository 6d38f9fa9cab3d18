//! The body of an answer, in memory that is wiped.

use zeroize::Zeroizing;

/// Adds a part to a body; false if that would be longer than `longest`. A vector that grows leaves
/// its old bytes behind, so it is moved by hand.
pub fn append(body: &mut Zeroizing<Vec<u8>>, part: &[u8], longest: usize) -> bool {
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
