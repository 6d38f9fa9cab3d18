//! Pinecone: the file of its command line.

use crate::format::Format;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::row::Looked;

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let Some(file) = Local::read(local.home(".config/pinecone/secrets.yaml"))? else { return Ok(None) };
    let found = file.member(Format::Yaml, "/api_key", "the YAML that `pc` writes")?;
    Ok(found.map(|key| file.found(vendor, key, format!("`api_key` in {}", file.place()))))
}
