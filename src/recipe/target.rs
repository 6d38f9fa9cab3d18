//! `[target]`.

use doppio_text::TomlValue;

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
pub(super) fn read(reader: &mut Reader<'_>, value: &TomlValue<'_>) -> Target {
    let mut target = Target::default();
    let Some(table) = reader.table("`[target]`", value) else { return target };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "type" => target.kind = reader.one_of("`type`", value, &KINDS).unwrap_or_default(),
            "min_gpus" => target.min_gpus = reader.whole("`min_gpus`", value),
            "min_memory_gb" => target.min_memory_gb = reader.number("`min_memory_gb`", value),
            "gpu_type" => target.gpu_type = reader.string("`gpu_type`", value),
            "max_price" => target.max_price = reader.number("`max_price`", value),
            other => reader.unknown_key(other, key.span(), "`[target]`", KEYS),
        }
    }
    target
}
