//! What can be done: one file a step type, one line of [`KINDS`] each.
//!
//! A step type declares its fields once, and says what to do with them. `field` has what may stand
//! in a field; from the declaration come two forms of the operation: [`Parsed`], which has the
//! recipe's locations, and [`Planned`], which runs.

mod asked;
mod assert;
mod condition;
mod context;
pub mod credentials;
mod error;
mod exec;
mod field;
mod follow;
mod group;
mod host_fact;
mod job;
mod kind;
mod loaded;
mod machine;
mod masked_output;
mod members;
mod open_ports;
mod operation;
mod outcome;
mod patience;
mod planner;
mod ports;
mod reader;
mod set_var;
mod shell;
mod site;
mod sleep;
mod stop;
mod synonym;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod tmux;
mod unended;
mod value;
mod values;
mod wait_condition;

pub use asked::Asked;
pub(in crate::step) use asked::is_called;
pub use condition::conditions;
pub use context::Report;
pub use context::StepContext;
pub use error::StepError;
pub use field::FieldSpec;
pub use field::FieldType;
pub use field::Presence;
pub use field::Spec;
pub use host_fact::HostFact;
pub use job::list_jobs;
pub use kind::StepKind;
pub use members::Members;
pub(crate) use open_ports::OpenPorts;
use operation::Operation;
pub use operation::Parsed;
pub use operation::Planned;
pub use outcome::Cut;
pub use outcome::Ended;
pub use outcome::Outcome;
pub use planner::Planner;
pub use ports::forwarded_port;
pub use reader::LONGEST;
pub use reader::Reader;
pub use reader::described;
pub use reader::secret_in;
pub use site::Site;
pub use stop::Stop;
pub(crate) use stop::stopped;
pub use synonym::Level;
pub use synonym::foreign;
pub use synonym::meant;
pub use synonym::of_operation;
pub use template::Mode;
pub use template::Part;
pub use template::Reference;
pub use template::StepField;
pub use template::Template;
pub use text::Binding;
pub use text::HostText;
pub use text::PlainText;
pub use text::Script;
pub use text::SecretText;
pub use text::ShellText;
pub use text::Text;
pub use text::TextPart;
pub(crate) use unended::Unended;
pub use value::Value;
pub use values::StepResult;
pub use values::Values;

/// All step types, in the order in which help lists them.
pub static KINDS: &[StepKind] = &[
    StepKind::of::<shell::SshCommand>(),
    StepKind::of::<shell::RunCommands>(),
    StepKind::of::<shell::LocalCommand>(),
    StepKind::of::<tmux::TmuxNew>(),
    StepKind::of::<tmux::TmuxWait>(),
    StepKind::of::<tmux::TmuxSend>(),
    StepKind::of::<tmux::TmuxCapture>(),
    StepKind::of::<tmux::TmuxKill>(),
    StepKind::of::<machine::MachineCreate>(),
    StepKind::of::<machine::MachineStart>(),
    StepKind::of::<machine::MachineStop>(),
    StepKind::of::<machine::MachineDestroy>(),
    StepKind::of::<machine::VastCreate>(),
    StepKind::of::<machine::VastStart>(),
    StepKind::of::<machine::VastStop>(),
    StepKind::of::<machine::VastDestroy>(),
    StepKind::of::<sleep::Sleep>(),
    StepKind::of::<wait_condition::WaitCondition>(),
    StepKind::of::<assert::Assert>(),
    StepKind::of::<set_var::SetVar>(),
    StepKind::of::<group::Group>(),
];

const COPY_UP: &str = "copy from here: `local_command = { command = \"rsync -a data/ gpu-box:data/\" }`";
const COPY_DOWN: &str = "copy from here: `local_command = { command = \"rsync -a gpu-box:out/ out/\" }`";
const HF: &str = "load it there: `ssh_command = { command = \"hf download REPO\", env = { HF_TOKEN = \"${secret:huggingface/token}\" } }`";
const VAST: &str = "call its own tool: `local_command = { command = \"vastai …\", env = { VAST_API_KEY = \"${secret:vast/api_key}\" } }`";
const RCLONE: &str = "call rclone there: `ssh_command = { command = \"rclone mount …\" }`";
const CAPTURE: &str =
    "capture it at the command: `capture_output = \"name\"`, or `outputs = { name = \"(pattern)\" }`";

/// Step types that the language has and this version does not, and what does their work until then.
pub static NOT_YET: &[(&str, &str)] = &[
    ("transfer", COPY_UP),
    ("rsync_upload", COPY_UP),
    ("rsync_download", COPY_DOWN),
    ("git_clone", "clone there: `ssh_command = { command = \"git clone URL\" }`"),
    ("hf_download", HF),
    ("vast_copy", VAST),
    ("gdrive_mount", RCLONE),
    ("gdrive_unmount", RCLONE),
    ("get_value", CAPTURE),
    ("http_request", "call curl: `local_command = { command = \"curl -fsS URL\" }`"),
    ("notify", "call your own tool: `local_command = { command = \"notify-send 'training is done'\" }`"),
];
