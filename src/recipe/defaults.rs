//! `[defaults]`: what steps and operations get if they leave it out.

use std::borrow::Cow;

use doppio_text::Diagnostic;
use doppio_text::Toml;
use doppio_text::TomlKey;
use doppio_text::TomlTable;
use doppio_text::TomlValue;

use crate::recipe::Defaults;
use crate::recipe::credentials;
use crate::recipe::retry;
use crate::step::Reader;
use crate::step::StepKind;

const KEYS: [&str; 10] = [
    "host_id",
    "workdir",
    "env",
    "shell",
    "errexit",
    "pipefail",
    "timeout_secs",
    "retry",
    "durable",
    "credentials",
];

/// `[defaults]` as read: what is about steps, and the entries for operations.
#[derive(Debug, Default)]
pub(super) struct Read<'i> {
    /// What is about steps.
    pub steps: Defaults,
    entries: Vec<(TomlKey<'i>, TomlValue<'i>)>,
}

/// Reads the table.
pub(super) fn read<'i>(reader: &mut Reader<'_>, value: &TomlValue<'i>) -> Read<'i> {
    let mut read = Read::default();
    let Some(table) = reader.table("`[defaults]`", value) else { return read };
    for (key, value) in table {
        let mut entry = || read.entries.push((key.clone(), value.clone()));
        match key.get_ref().as_ref() {
            "host_id" | "workdir" | "shell" => {
                if reader.string(&format!("`{}`", key.get_ref()), value).is_some() {
                    entry();
                }
            }
            "errexit" | "pipefail" => {
                if reader.boolean(&format!("`{}`", key.get_ref()), value).is_some() {
                    entry();
                }
            }
            "env" => {
                if reader.table("`env`", value).is_some() {
                    entry();
                }
            }
            "timeout_secs" => read.steps.timeout = reader.timeout("`timeout_secs`", value),
            "retry" => read.steps.retry = retry::read(reader, value),
            "durable" => durable(reader, value),
            "credentials" => read.steps.credentials = credentials::read(reader, value).unwrap_or_default(),
            other => reader.unknown_key(other, key.span(), "`[defaults]`", KEYS),
        }
    }
    read
}

/// `durable`: known, but not built yet.
pub(super) fn durable(reader: &mut Reader<'_>, value: &TomlValue<'_>) {
    if reader.boolean("`durable`", value) == Some(true) {
        reader.fault(
            Diagnostic::error("recipe::not-built-yet", "`durable` is not built yet", value.span()).help(
                "start it with `tmux_new` and follow it with `tmux_wait`: tmux survives a dropped connection",
            ),
        );
    }
}

impl<'i> Read<'i> {
    /// An operation's value with what it could have and leaves out.
    pub(super) fn complete<'v>(
        &self,
        kind: &StepKind,
        operation: &'v TomlValue<'i>,
        has_hosts: bool,
    ) -> Cow<'v, TomlValue<'i>> {
        let mut operation = Cow::Borrowed(operation);
        if !self.entries.is_empty()
            && let Toml::Table(table) = operation.to_mut().get_mut()
        {
            self.fill(kind, table, has_hosts);
        }
        operation
    }

    fn fill(&self, kind: &StepKind, operation: &mut TomlTable<'i>, has_hosts: bool) {
        for (key, value) in &self.entries {
            let name = key.get_ref().as_ref();
            // Where a step has `hosts`, those say where it runs.
            if kind.spec.keys().all(|known| known != name) || (has_hosts && name == "host_id") {
                continue;
            }
            match (operation.get_mut(name), value.get_ref()) {
                (None, _) => drop(operation.insert(key.clone(), value.clone())),
                (Some(own), Toml::Table(defaults)) => complete_table(own, defaults),
                (Some(_), _) => {}
            }
        }
    }
}

fn complete_table<'i>(own: &mut TomlValue<'i>, defaults: &TomlTable<'i>) {
    let Toml::Table(own) = own.get_mut() else { return };
    for (key, value) in defaults {
        if !own.contains_key(key.get_ref().as_ref()) {
            own.insert(key.clone(), value.clone());
        }
    }
}
