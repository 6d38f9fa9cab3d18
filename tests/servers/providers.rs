//! Credentials of providers: found where the vendors' own tools find them, handed over in
//! variables and files that are gone when the step has ended.

mod delivery;
mod vendors;
