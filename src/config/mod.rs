//! The user's side: where Doppio keeps its files, and what the settings say.

mod dirs;
mod settings;

pub use dirs::Dirs;
pub use settings::Settings;
pub use settings::SettingsError;
