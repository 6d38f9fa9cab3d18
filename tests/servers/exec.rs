//! Scripts on hosts: what arrives, what comes back, how they end. Every case of [`cases`] holds
//! for this machine, the sandbox and real servers alike.

pub(crate) mod cases;
mod command;
mod files;
mod local;
mod login;
mod ssh;
