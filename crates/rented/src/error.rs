//! Why a vendor did not do what was asked, and what to do about it.

use std::time::Duration;

use jiff::Timestamp;

use doppio_text::shell::typed;

use crate::machine_id::MachineId;
use crate::machine_id::VendorName;

/// Why it was not done. What a vendor said is on one line, and its keys are masked in it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RentedError {
    /// There is no key.
    #[error("there is no key for {}", .0.shown())]
    NoKey(VendorName),
    /// The key is not accepted, or has expired.
    #[error("{} does not accept the key `{}`: {words}", .vendor.shown(), .vendor.secret())]
    BadKey {
        /// Whose.
        vendor: VendorName,
        /// What it said.
        words: String,
    },
    /// The key is good, but not for this.
    #[error("the key `{}` may not {what}: {words}", .vendor.secret())]
    NotAllowed {
        /// Whose.
        vendor: VendorName,
        /// What was asked for.
        what: String,
        /// What it said.
        words: String,
    },
    /// The account has no money left.
    #[error("the account at {} lacks credit: {words}", .vendor.shown())]
    NoCredit {
        /// Whose.
        vendor: VendorName,
        /// What it said.
        words: String,
    },
    /// There is no such machine, or no longer.
    #[error("`{0}` does not exist, or no longer")]
    NoMachine(MachineId),
    /// It can't be done as the machine stands.
    #[error("`{id}` can't do that as it stands: {words}")]
    WrongState {
        /// Which.
        id: MachineId,
        /// What the vendor said.
        words: String,
    },
    /// Somebody else has taken the offer, or it has ended.
    #[error("offer {offer} of {} is taken or has ended", .vendor.shown())]
    OfferTaken {
        /// Whose.
        vendor: VendorName,
        /// Which.
        offer: String,
    },
    /// The searches of the day are used up.
    #[error("the daily searches at {} are used up{}", .vendor.shown(), resets_at(.resets.as_ref()))]
    SearchQuota {
        /// Whose.
        vendor: VendorName,
        /// When there are new ones.
        resets: Option<Timestamp>,
    },
    /// Too many requests, and the wait that is asked for is too long, or waiting did not help.
    #[error("{} has had too many requests (429){}", .vendor.shown(), waits(.wait.as_ref()))]
    Busy {
        /// Whose.
        vendor: VendorName,
        /// How long to wait, if that was said.
        wait: Option<Duration>,
    },
    /// Something else answers.
    #[error("what answered at `{base}` is not the API of {} (status {status})", .vendor.shown())]
    NotApi {
        /// Whose.
        vendor: VendorName,
        /// The address.
        base: String,
        /// HTTP's status.
        status: u16,
    },
    /// The address can't be used.
    #[error("`{base}` can't be the address of {}: {why}", .vendor.shown())]
    BadBase {
        /// Whose.
        vendor: VendorName,
        /// The address.
        base: String,
        /// Why.
        why: &'static str,
    },
    /// No connection.
    #[error("{} can't be reached: {cause}", .vendor.shown())]
    Unreachable {
        /// Whose.
        vendor: VendorName,
        /// The innermost cause.
        cause: String,
    },
    /// No answer in time.
    #[error("{} did not answer within {seconds} s", .vendor.shown())]
    Late {
        /// Whose.
        vendor: VendorName,
        /// The deadline.
        seconds: u64,
    },
    /// It says no, or failed, in its own words.
    #[error("{} refuses to {what} ({status}): {words}", .vendor.shown())]
    Refused {
        /// Whose.
        vendor: VendorName,
        /// What was asked for.
        what: String,
        /// HTTP's status.
        status: u16,
        /// What it said.
        words: String,
    },
    /// This vendor has no such thing.
    #[error("{} can't {what}", .vendor.shown())]
    Unable {
        /// Whose.
        vendor: VendorName,
        /// What was asked for.
        what: &'static str,
    },
    /// The order contradicts the vendor's rules; nothing was sent.
    #[error("the order can't be placed: {0}")]
    BadOrder(String),
    /// Creating failed, but left a machine that costs money and could not be destroyed.
    #[error("creating failed, and left `{id}`, which could not be destroyed: {cause}")]
    LeftOver {
        /// Which.
        id: MachineId,
        /// Why creating failed.
        cause: Box<RentedError>,
    },
    /// Whether a machine was created is not known.
    #[error("whether a machine was created is not known (its label would be `{label}`): {cause}")]
    CreateUnclear {
        /// The label of the machine, if there is one.
        label: String,
        /// Why it is not known.
        cause: Box<RentedError>,
        /// Whose.
        vendor: VendorName,
    },
}

fn resets_at(resets: Option<&Timestamp>) -> String {
    resets.map(|time| format!(" until {}", time.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default()
}

fn waits(wait: Option<&Duration>) -> String {
    wait.map(|wait| format!(", and asks to wait {} s", wait.as_secs_f64().ceil())).unwrap_or_default()
}

impl RentedError {
    /// What to do, with the command to type.
    pub fn hint(&self) -> String {
        let command = |vendor: &VendorName, rest: &[&str]| {
            typed(["doppio", vendor.as_str()].iter().chain(rest).copied())
        };
        match self {
            Self::NoKey(vendor) | Self::BadKey { vendor, .. } => format!(
                "get one at {} and store it: {}",
                keys_page(*vendor),
                typed(["doppio", "secret", "set", &vendor.secret()])
            ),
            Self::NotAllowed { vendor, .. } => format!(
                "create a key with that permission at {} and store it: {}",
                keys_page(*vendor),
                typed(["doppio", "secret", "set", &vendor.secret()])
            ),
            // Its API does not say what was spent.
            Self::NoCredit { vendor: vendor @ VendorName::Lambda, .. } => {
                format!("add credit at {}", billing_page(*vendor))
            }
            Self::NoCredit { vendor, .. } => format!(
                "add credit at {}; {} shows what is spent on what",
                billing_page(*vendor),
                command(vendor, &["cost"])
            ),
            Self::NoMachine(id) => format!("see what there is: {}", command(&id.vendor, &["list"])),
            Self::WrongState { id, .. } => {
                format!("see how it stands: {}", command(&id.vendor, &["show", &id.to_string()]))
            }
            Self::OfferTaken { vendor, .. } => format!("choose another: {}", command(vendor, &["search"])),
            Self::SearchQuota { vendor, .. } => format!(
                "searches are counted by the day; what you have hired can still be used: {}",
                command(vendor, &["list"])
            ),
            Self::Busy { wait: Some(wait), .. } => format!("try again in {} s", wait.as_secs_f64().ceil()),
            Self::Busy { .. } => {
                "all that uses this key is counted together; try again in a minute".to_owned()
            }
            Self::Late { vendor, .. } | Self::Unreachable { vendor, .. } => {
                format!("check the network, and {} for an outage; then try again", status_page(*vendor))
            }
            Self::NotApi { vendor, .. } | Self::BadBase { vendor, .. } => {
                let variable = vendor.as_str().to_ascii_uppercase();
                format!("check `{variable}_URL`, and the proxy of this network")
            }
            Self::Refused { vendor, .. } => format!("see what there is: {}", command(vendor, &["list"])),
            Self::Unable { vendor, what } if what.starts_with("stop") => {
                format!("destroying ends the costs: {}", command(vendor, &["destroy", "ID"]))
            }
            Self::Unable { vendor, .. } => {
                format!("see what doppio can do there: {}", command(vendor, &["--help"]))
            }
            Self::BadOrder(_) => "change the order; `--help` shows what it takes".to_owned(),
            Self::LeftOver { id, .. } => {
                format!(
                    "it costs money until it is gone: {}",
                    command(&id.vendor, &["destroy", &id.to_string()])
                )
            }
            Self::CreateUnclear { vendor, .. } => {
                format!("look whether it is there before you try again: {}", command(vendor, &["list"]))
            }
        }
    }

    /// Whether the same request may succeed a little later.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::Late { .. }
                | Self::Unreachable { .. }
                | Self::Refused { status: 500.., .. }
                | Self::NotApi { status: 500.., .. }
        )
    }
}

fn keys_page(vendor: VendorName) -> &'static str {
    match vendor {
        VendorName::Vast => "https://cloud.vast.ai/manage-keys/",
        VendorName::Runpod => "https://console.runpod.io/user/settings",
        VendorName::Lambda => "https://cloud.lambda.ai/api-keys",
    }
}

fn billing_page(vendor: VendorName) -> &'static str {
    match vendor {
        VendorName::Vast => "https://cloud.vast.ai/billing/",
        VendorName::Runpod => "https://console.runpod.io/user/billing",
        VendorName::Lambda => "https://cloud.lambda.ai/settings/billing",
    }
}

fn status_page(vendor: VendorName) -> &'static str {
    match vendor {
        VendorName::Vast => "https://status.vast.ai",
        VendorName::Runpod => "https://uptime.runpod.io",
        VendorName::Lambda => "https://status.lambda.ai",
    }
}
