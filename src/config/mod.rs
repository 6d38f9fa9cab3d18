//! The user's side: where Doppio keeps its files, and what the settings say.

mod dirs;
mod project;
mod settings;

pub use dirs::Dirs;
pub use project::project_file;
pub use project::project_folder;
pub use settings::Settings;
pub use settings::SettingsError;
