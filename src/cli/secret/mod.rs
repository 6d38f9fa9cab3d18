//! `doppio secret`: one file a subcommand.

mod arguments;
mod audit;
pub(in crate::cli) mod bindings;
mod clipboard;
mod copy;
mod discover;
mod document;
mod exec;
mod export;
mod get;
mod history;
mod ignore;
mod import;
mod incident;
mod init;
mod input;
mod list;
pub(in crate::cli) mod lookup;
mod mv;
mod names;
mod needs;
mod rm;
mod rollback;
mod rotate;
mod scan;
mod set;
mod sources;
mod status;
mod suggest;
pub(in crate::cli) mod time;
mod transfer;
mod uses;
mod validate;
mod why;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;

pub(super) use arguments::refuse_tokens;
pub(super) use names::names;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Store a secret: type it, or take it from stdin, a file or a variable
    Set(set::Args),
    /// Show where a secret comes from; print it with --reveal
    Get(get::Args),
    /// List what is stored: in the keychain, the age vault and other sources
    List(list::Args),
    /// Store many secrets: from a dotenv, JSON, YAML or TOML file, or from another source
    Import(import::Args),
    /// Write secrets, or references to them, in another program's format
    Export(export::Args),
    /// Copy secrets from one source to another
    Copy(copy::Args),
    /// Write doppio.toml, and rules that keep files with secrets out of git
    Init(init::Args),
    /// Run a command with secrets in its environment, its output masked
    Exec(exec::Args),
    /// Remove a secret
    Rm(rm::Args),
    /// Give a secret another name
    Mv(mv::Args),
    /// Replace a value with a new one, verified, with a way back
    Rotate(rotate::Args),
    /// List the versions of a secret
    History(history::Args),
    /// Go back to an older version of a secret
    Rollback(rollback::Args),
    /// Show where every secret that the recipes here need would come from
    Status(status::Args),
    /// Show every source that is asked for a secret, which one wins, and what it shadows
    Why(why::Args),
    /// Search files, staged changes or the history for stored values and for tokens
    Scan(scan::Args),
    /// Show what to do about a leaked secret, and where it is
    Incident(incident::Args),
    /// Show who used which secret, when and where
    Audit(audit::Args),
    /// List the credentials that providers' own tools keep on this machine, never their values
    Discover(discover::Args),
    /// List the well-known secrets, what is set, and where to get them
    Suggest(suggest::Args),
    /// Clear the clipboard later; `get --copy` starts it
    #[command(hide = true)]
    ClearClipboard,
}

pub(super) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Set(args) => done(context, set::run(args, context)),
        Command::Get(args) => done(context, get::run(args, context)),
        Command::List(args) => done(context, list::run(args, context)),
        Command::Rm(args) => done(context, rm::run(args, context)),
        Command::Import(args) => done(context, import::run(args, context)),
        Command::Export(args) => done(context, export::run(args, context)),
        Command::Copy(args) => done(context, copy::run(args, context)),
        Command::Init(args) => init::run(args, context),
        Command::Exec(args) => done(context, exec::run(args, context)),
        Command::Mv(args) => done(context, mv::run(args, context)),
        Command::Rotate(args) => done(context, rotate::run(args, context)),
        Command::History(args) => done(context, history::run(args, context)),
        Command::Rollback(args) => done(context, rollback::run(args, context)),
        Command::ClearClipboard => clipboard::watch(),
        Command::Status(args) => done(context, status::run(args, context)),
        Command::Why(args) => done(context, why::run(args, context)),
        Command::Scan(args) => scan::run(args, context),
        Command::Incident(args) => incident::run(args, context),
        Command::Audit(args) => audit::run(args, context),
        Command::Discover(args) => done(context, discover::run(args, context)),
        Command::Suggest(args) => done(context, suggest::run(args, context)),
    }
}

fn done(context: &Context, work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    block_on(context, work)?
}
