//! Doppio runs a TOML recipe, a DAG of steps, on hosts over SSH, and hands secrets over without
//! ever making text of them.
//!
//! One direction of flow, a type per stage: [`doppio_text::Source`] is parsed by [`recipe`] into a
//! `Recipe`, [`plan`] makes a `Plan` of it, and [`engine`] runs the plan, writing events
//! ([`event`]) to a sink: the [`journal`] first, then [`ui`]. A step ([`step`]) runs on a
//! [`doppio_hosts::Host`]; what it prints passes the mask of [`doppio_secrets`] before anything else sees it.
//! Programs of this machine are started by [`doppio_process`] only.

pub mod cli;
pub mod config;
pub mod engine;
pub mod event;
pub mod journal;
pub mod plan;
pub mod recipe;
pub mod rentals;
pub mod sources;
pub mod step;
pub mod ui;
