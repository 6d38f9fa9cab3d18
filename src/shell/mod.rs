//! POSIX shell text: quoting contexts and the rewriting of references. Pure.

mod quote;
mod rewrite;

pub use quote::quote;
pub use rewrite::Piece;
pub use rewrite::RewriteError;
pub use rewrite::rewrite;
