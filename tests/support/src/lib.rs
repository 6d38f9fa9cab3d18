//! What the two integration tests share: `tests/it`, which needs nothing but a Rust toolchain, git and
//! a shell, and `tests/servers`, which needs what `tests/run.sh` installs.

#![expect(clippy::missing_panics_doc, reason = "a set-up that fails fails the test")]
#![expect(clippy::disallowed_methods, reason = "tests hand their own PATH on")]

mod doppio;
mod masked;
mod repository;
mod waiting;

pub use doppio::Doppio;
pub use doppio::Ran;
pub use masked::in_pieces;
pub use masked::mask_of;
pub use masked::pieces;
pub use masked::printed_by;
pub use masked::residue;
pub use masked::shown;
pub use masked::whole;
pub use repository::Repository;
pub use waiting::is_alive;
pub use waiting::send;
pub use waiting::wait_for;
pub use waiting::wait_for_line;
pub use waiting::wait_until;
