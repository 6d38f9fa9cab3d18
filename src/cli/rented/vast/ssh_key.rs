//! `doppio vast ssh-key`: who may log in.

use std::path::PathBuf;

use doppio_rented::VendorName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::account::machine;
use crate::cli::rented::public_key::key;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Let the owner of a public key into a machine that exists
    #[command(after_help = "Example: doppio vast ssh-key attach vast-12345 ~/.ssh/id_ed25519.pub")]
    Attach {
        /// The machine: `vast-12345`, or its number
        machine: String,
        /// The file with the public key; the first of your usual ones if left out
        file: Option<PathBuf>,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// Add a public key to the account: machines that are created later let its owner in
    #[command(after_help = "Example: doppio vast ssh-key add ~/.ssh/id_ed25519.pub")]
    Add {
        /// The file with the public key; the first of your usual ones if left out
        file: Option<PathBuf>,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// List the public keys of the account
    List {
        #[command(flatten)]
        output: OutputArgs,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// Remove a public key from the account
    #[command(after_help = "Example: doppio vast ssh-key rm 1234")]
    Rm {
        /// Its number, as `list` shows it
        key: u64,
        #[command(flatten)]
        account: AccountArgs,
    },
}

pub(super) async fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Attach { machine: text, file, account } => {
            let (id, key) = (machine(text, VendorName::Vast)?, key(file.as_deref(), context)?);
            account.vendor(VendorName::Vast, context).await?.attach_key(&id, &key).await?;
            output::line(&format!("`{id}` lets the key in; that may take it a minute"));
        }
        Command::Add { file, account } => {
            let key = key(file.as_deref(), context)?;
            account.vendor(VendorName::Vast, context).await?.add_account_key(&key).await?;
            output::line("added; machines that exist already don't have it: `doppio vast ssh-key attach`");
        }
        Command::List { output: format, account } => {
            let keys = account.vendor(VendorName::Vast, context).await?.account_keys().await?;
            if format.is_json() {
                let all =
                    keys.iter().map(|key| serde_json::json!({ "id": key.id, "public_key": key.public_key }));
                return output::json_array(all);
            }
            let mut table = Table::new([Column::Right]);
            table.row(["KEY"], "PUBLIC KEY");
            for key in &keys {
                table.row([&key.id], &key.public_key);
            }
            output::table(&table)?;
        }
        Command::Rm { key, account } => {
            account.vendor(VendorName::Vast, context).await?.remove_account_key(&key.to_string()).await?;
            output::line(&format!("removed key {key}; machines that exist keep it"));
        }
    }
    Ok(())
}
