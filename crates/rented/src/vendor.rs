//! What every vendor can do, or says that it can't.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use crate::error::RentedError;
use crate::machine::Machine;
use crate::machine_id::MachineId;
use crate::machine_id::VendorName;
use crate::money::Dollars;
use crate::offer::Offer;
use crate::offer::Order;
use crate::offer::Search;

/// What an account has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Balance {
    /// What is left, or owed if it is negative.
    pub credit: Dollars,
}

/// A public key that an account lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountKey {
    /// The vendor's id of it.
    pub id: String,
    /// The key itself, as a line of `authorized_keys`.
    pub public_key: String,
}

/// What was spent on one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Charge {
    /// The machine, if it was one.
    pub machine: Option<MachineId>,
    /// What it was, in the vendor's words.
    pub what: String,
    /// The day, or the beginning of the time.
    pub since: Option<Timestamp>,
    /// How much.
    pub sum: Dollars,
}

/// A host that wants more for a machine that is hired already.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PriceRise {
    /// The vendor's id of the wish.
    pub id: String,
    /// The machine.
    pub machine: MachineId,
    /// What an hour costs now, without its network.
    pub from: Dollars,
    /// What it is to cost.
    pub to: Dollars,
}

/// A vendor's API for one account. What a vendor lacks is [`RentedError::Unable`].
#[async_trait]
pub trait Vendor: Debug + Send + Sync {
    /// Which.
    fn name(&self) -> VendorName;

    /// All machines of the account.
    async fn list(&self) -> Result<Vec<Machine>, RentedError>;

    /// The machines with exactly this label.
    async fn labelled(&self, label: &str) -> Result<Vec<Machine>, RentedError> {
        let all = self.list().await?;
        Ok(all.into_iter().filter(|machine| machine.label.as_deref() == Some(label)).collect())
    }

    /// One machine.
    ///
    /// # Errors
    ///
    /// [`RentedError::NoMachine`] when it is gone.
    async fn show(&self, id: &MachineId) -> Result<Machine, RentedError>;

    /// What can be hired, in the order that was asked for.
    async fn offers(&self, search: &Search) -> Result<Vec<Offer>, RentedError>;

    /// Hires a machine. It costs money from then on. A request whose end is not known is not sent again:
    /// the machine is looked up by its label.
    async fn create(&self, order: &Order) -> Result<MachineId, RentedError>;

    /// Starts a machine that is stopped.
    async fn start(&self, _id: &MachineId) -> Result<(), RentedError> {
        Err(self.unable("start a machine again"))
    }

    /// Stops a machine; its disk is kept and paid for.
    async fn stop(&self, _id: &MachineId) -> Result<(), RentedError> {
        Err(self.unable("stop a machine without destroying it"))
    }

    /// Restarts a machine.
    async fn reboot(&self, id: &MachineId) -> Result<(), RentedError>;

    /// Destroys a machine with its disk. One that is gone already is destroyed.
    async fn destroy(&self, id: &MachineId) -> Result<(), RentedError>;

    /// Gives a machine another label.
    async fn set_label(&self, _id: &MachineId, _label: &str) -> Result<(), RentedError> {
        Err(self.unable("change the label of a machine"))
    }

    /// Lets the owner of this public key in, by the vendor's own means, so that it lasts.
    async fn attach_key(&self, _id: &MachineId, _public_key: &str) -> Result<(), RentedError> {
        Err(self.unable("give a key to a machine that exists"))
    }

    /// The public keys of the account, which new machines get.
    async fn account_keys(&self) -> Result<Vec<AccountKey>, RentedError> {
        Err(self.unable("list the keys of an account"))
    }

    /// Adds a public key to the account.
    async fn add_account_key(&self, _public_key: &str) -> Result<(), RentedError> {
        Err(self.unable("add a key to an account"))
    }

    /// Removes a public key from the account, by its id.
    async fn remove_account_key(&self, _id: &str) -> Result<(), RentedError> {
        Err(self.unable("remove a key of an account"))
    }

    /// The last lines of what a machine's container printed.
    async fn logs(&self, _id: &MachineId, _lines: usize) -> Result<String, RentedError> {
        Err(self.unable("show the log of a machine"))
    }

    /// What the account has.
    async fn balance(&self) -> Result<Balance, RentedError> {
        Err(self.unable("show the balance of an account"))
    }

    /// What was spent since then.
    async fn charges(&self, _since: Timestamp) -> Result<Vec<Charge>, RentedError> {
        Err(self.unable("show what was spent"))
    }

    /// What hosts want more of.
    async fn price_rises(&self) -> Result<Vec<PriceRise>, RentedError> {
        Ok(Vec::new())
    }

    /// The error of what this vendor lacks.
    fn unable(&self, what: &'static str) -> RentedError {
        RentedError::Unable { vendor: self.name(), what }
    }
}
