//! `[target]`.

use toml::Spanned;
use toml::de::DeValue;

use doppio_text::Diagnostic;
use doppio_text::closest;

use crate::recipe::Target;
use crate::recipe::TargetKind;
use crate::step::Reader;

const KEYS: [&str; 5] = ["type", "min_gpus", "min_memory_gb", "gpu_type", "max_price"];

const KINDS: [(&str, TargetKind); 5] = [
    ("any", TargetKind::Any),
    ("local", TargetKind::Local),
    ("vast", TargetKind::Vast),
    ("colab", TargetKind::Colab),
    ("custom", TargetKind::Custom),
];

/// Reads the table.
pub(super) fn read(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Target {
    let mut target = Target::default();
    let Some(table) = reader.table("`[target]`", value) else { return target };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "type" => target.kind = kind(reader, value),
            "min_gpus" => target.min_gpus = reader.whole("`min_gpus`", value),
            "min_memory_gb" => target.min_memory_gb = reader.number("`min_memory_gb`", value),
            "gpu_type" => target.gpu_type = reader.string("`gpu_type`", value),
            "max_price" => target.max_price = reader.number("`max_price`", value),
            other => reader.unknown_key(other, key.span(), "`[target]`", KEYS),
        }
    }
    target
}

fn kind(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> TargetKind {
    let Some(found) = reader.string("`type`", value) else { return TargetKind::default() };
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == found) {
        return *kind;
    }
    let fault = Diagnostic::error(
        "recipe::unknown-target",
        format!("`{found}` is not a type of target"),
        value.span(),
    )
    .help("write one of `any`, `local`, `vast`, `colab`, `custom`");
    reader.fault(match closest(&found, KINDS.map(|(name, _)| name)) {
        Some(near) => fault.edit(value.span(), format!("\"{near}\"")),
        None => fault,
    });
    TargetKind::default()
}
