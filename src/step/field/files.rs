//! Secrets that a step gets as files.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use doppio_secrets::vendor::FileForm;
use doppio_text::name::EnvName;

use crate::step::Planner;
use crate::step::Reader;
use crate::step::Template;
use crate::step::field::Entry;
use crate::step::field::Env;
use crate::step::field::Field;
use crate::step::field::FieldType;

/// Files in memory, by the variables that have their paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Files(pub Env);

/// How each goes: alone in a folder of its own, its path in the variable.
pub(in crate::step) static FORM: FileForm =
    FileForm { variable: "", file: "secret", before: "", after: "", names_folder: false };

impl Field for Files {
    type Parsed = BTreeMap<EnvName, Template>;

    const TYPE: FieldType = Env::TYPE;

    const DOC: &'static str = "Variables that get the path of a file in memory, and what is in it; the files are \
                               removed when the command has ended.";

    const ABSENT: Option<fn() -> Self::Parsed> = Env::ABSENT;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        Env::read(reader, entry)
    }

    fn plan(parsed: &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self {
        Self(Env::plan(parsed, name, planner))
    }

    fn show(&self, _: &str, lines: &mut Vec<String>) {
        lines.extend(self.0.0.iter().map(|(variable, value)| format!("file ${variable}={value}")));
    }
}
