//! What a POSIX shell text uses and hides, for warnings. It is read loosely: what can't be read is left
//! out, and nothing is an error.

mod found;
mod line;
mod scanner;

pub use found::Pipe;
pub use found::Survey;
pub use found::Use;
pub use scanner::survey;

#[cfg(test)]
mod tests;
