//! Events and diagnostics → terminal. Nothing here opens a stream: what is written to is handed
//! in, and `cli` decides which view it is.

mod command_output;
mod json;
mod machines;
mod paint;
mod plain;
mod progress;
pub mod report;
mod screen;
mod summary;
pub mod table;
mod view;
mod words;

pub use command_output::CommandOutput;
pub use command_output::Passing;
pub use json::Json;
pub use machines::machines;
pub use machines::machines_left;
pub use paint::Paint;
pub use plain::Detail;
pub use plain::Plain;
pub use progress::Progress;
pub use screen::Guest;
pub use screen::Screen;
pub use screen::Voice;
pub use summary::Failure;
pub use summary::failures;
pub use summary::failures_of;
pub use summary::outcome;
pub use summary::summary;
pub use view::View;
pub use words::detail_lines;
pub use words::dollars;
pub use words::duration;
pub use words::end;
pub use words::flaky;
