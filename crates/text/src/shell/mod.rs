//! POSIX shell text: quoting contexts and the rewriting of references. Pure.

mod frame;
mod lexer;
mod list;
mod placement;
mod quote;
mod rewrite;
mod survey;
mod word;

pub use quote::quote;
pub use quote::quote_bytes;
pub use quote::quote_path;
pub use quote::typed;
pub use rewrite::Piece;
pub use rewrite::RewriteError;
pub use rewrite::rewrite;
pub use survey::Pipe;
pub use survey::Survey;
pub use survey::Use;
pub use survey::survey;
