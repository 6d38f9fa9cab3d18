//! The scanner: stored values in all their forms, and texts that look like tokens, in files, in
//! the index and in the history of a git repository.
//!
//! A [`Scanner`] holds what is looked for; an [`Examiner`] takes one stream of bytes after
//! another through it and says where something stands. `tree`, `staged` and `history` feed
//! it. No value leaves this module, nor its length.

mod collect;
mod examine;
mod finding;
mod history;
mod hook;
mod lines;
mod needles;
mod normalised;
mod objects;
mod scanner;
mod shapes;
mod sieve;
mod staged;
mod tree;
mod work;

pub use collect::Collected;
pub use collect::Wanted;
pub use collect::collect;
pub use examine::Examiner;
pub use finding::Finding;
pub use finding::Hit;
pub use finding::Report;
pub use finding::Trouble;
pub use finding::What;
pub use history::history;
pub use hook::Hook;
pub use hook::install as install_hook;
pub use needles::Skipped;
pub use scanner::Scanner;
pub use shapes::tokens_in;
pub use staged::staged;
pub use tree::Tree;
pub use tree::tree;

#[cfg(test)]
mod tests;
