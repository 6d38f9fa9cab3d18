//! A condition in words.

use std::fmt;

use crate::step::condition::kinds::Condition;

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileExists { path, .. } => write!(f, "file `{path}` exists"),
            Self::FileContains { path, pattern, .. } => write!(f, "file `{path}` contains `{pattern}`"),
            Self::CommandSucceeds { command, .. } => write!(f, "`{command}` succeeds"),
            Self::OutputMatches { command, pattern, .. } => {
                write!(f, "output of `{command}` matches `{}`", pattern.0)
            }
            Self::VarEquals { name, value } => write!(f, "variable `{name}` is `{value}`"),
            Self::VarMatches { name, pattern } => write!(f, "variable `{name}` matches `{}`", pattern.0),
            Self::HostOnline { .. } => f.write_str("the host is online"),
            Self::PortOpen { port, .. } => write!(f, "port {port} is open"),
            Self::TmuxAlive { session_name, .. } => write!(f, "tmux session `{session_name}` is alive"),
            Self::TmuxExited { session_name, .. } => write!(f, "tmux session `{session_name}` has ended"),
            Self::GpuAvailable { min_count, .. } => write!(f, "{min_count} GPU(s) are available"),
            Self::GdriveMounted { mount_path, .. } => write!(f, "`{mount_path}` is mounted"),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::And(all) => list(f, all, " and "),
            Self::Or(any) => list(f, any, " or "),
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, conditions: &[Condition], joint: &str) -> fmt::Result {
    for (index, condition) in conditions.iter().enumerate() {
        if index > 0 {
            f.write_str(joint)?;
        }
        write!(f, "({condition})")?;
    }
    Ok(())
}
