//! A hired machine, as its vendor describes it.

use jiff::Timestamp;
use serde::Serialize;

use crate::machine_id::MachineId;
use crate::money::Dollars;

/// What a machine does right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MachineState {
    /// It was ordered; nothing runs yet.
    Creating,
    /// It loads its image, boots or restarts.
    Loading,
    /// It runs. Whether it lets anybody in is another matter.
    Running,
    /// It is on its way to a halt or to its end.
    Stopping,
    /// It is stopped, and its disk is kept and paid for.
    Stopped,
    /// What it ran ended by itself, or its owner took it away.
    Exited,
    /// It does not exist any more.
    Gone,
    /// Something else, in the vendor's word.
    #[serde(untagged)]
    Unknown(String),
}

impl MachineState {
    /// In one word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creating => "creating",
            Self::Loading => "loading",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Exited => "exited",
            Self::Gone => "gone",
            Self::Unknown(word) => word,
        }
    }

    /// Whether its hours are paid for, not only its disk.
    pub fn is_billed_by_the_hour(&self) -> bool {
        matches!(self, Self::Running | Self::Stopping | Self::Unknown(_))
    }
}

/// How an address leads to a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointKind {
    /// To a port of the machine's own host.
    Direct,
    /// By way of the vendor's servers.
    Proxy,
}

/// Where an SSH server of a machine can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Directly or not.
    pub kind: EndpointKind,
    /// Name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
}

/// A machine. What the vendor did not say is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// Which.
    pub id: MachineId,
    /// What it does.
    pub state: MachineState,
    /// What it is meant to do, where the vendor distinguishes that: `stopped` of one that has not begun
    /// means that it never will by itself.
    pub intended: Option<MachineState>,
    /// The vendor's own message, on one line.
    pub message: Option<String>,
    /// Its label; [`crate::Label`] reads those of Doppio.
    pub label: Option<String>,
    /// The name of its GPUs.
    pub gpu: Option<String>,
    /// How many GPUs.
    pub gpu_count: Option<u32>,
    /// Memory of each, in GiB.
    pub gpu_ram_gb: Option<f64>,
    /// Disk, in GB.
    pub disk_gb: Option<f64>,
    /// What an hour of it costs while it runs, its disk included.
    pub per_hour: Option<Dollars>,
    /// What a day costs while it is stopped: its disk.
    pub stopped_per_day: Option<Dollars>,
    /// When it was created or last started.
    pub started: Option<Timestamp>,
    /// When the contract ends: then it is stopped, and can't be started again.
    pub ends: Option<Timestamp>,
    /// Its image.
    pub image: Option<String>,
    /// Where it stands, in the vendor's words.
    pub region: Option<String>,
    /// Whether somebody who pays more can take it away.
    pub is_interruptible: bool,
    /// The ways to its SSH server, the direct one first.
    pub endpoints: Vec<Endpoint>,
}

impl Machine {
    /// What it costs as it stands, by the hour: all of it while it runs, its disk while it doesn't.
    pub fn costs_per_hour(&self) -> Dollars {
        let disk = self.stopped_per_day.map(|day| day * (1.0 / 24.0));
        let now = match self.state {
            MachineState::Gone => None,
            ref state if state.is_billed_by_the_hour() => self.per_hour,
            _ => disk,
        };
        now.unwrap_or_default()
    }
}
