//! The user's side: where Doppio keeps its files, and what the settings say.

mod dirs;

pub use dirs::Dirs;
