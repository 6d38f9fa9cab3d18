//! The public key whose owner a machine lets in.

use std::fs;
use std::path::Path;

use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;

/// The usual public keys, in ssh's order.
const USUAL: [&str; 3] = [".ssh/id_ed25519.pub", ".ssh/id_ecdsa.pub", ".ssh/id_rsa.pub"];

/// A longer file is not a public key, in bytes.
const LONGEST: u64 = 32 << 10;

/// The public key in this file, else the first of the usual ones.
pub(super) fn key(file: Option<&Path>, context: &Context) -> Result<String, CliError> {
    if let Some(file) = file {
        return read(file);
    }
    let usual = USUAL.iter().map(|name| context.home.join(name)).find(|path| path.exists());
    let usual = usual.ok_or_else(|| {
        CliError::usage("there is no public key at the usual places in `~/.ssh`")
            .hint("name its file, or make one: `ssh-keygen -t ed25519`")
    })?;
    read(&usual)
}

/// The public key in a file; a private one is refused, since it would be sent.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let shown = path.display().to_string();
    let length = fs::metadata(path).or_world(format!("cannot read `{shown}`"))?.len();
    let text = if length > LONGEST {
        String::new()
    } else {
        fs::read_to_string(path).or_world(format!("cannot read `{shown}`"))?
    };
    let key = text.trim();
    if key.contains("PRIVATE KEY") {
        let public = format!("{shown}.pub");
        return Err(CliError::usage(format!("`{shown}` is a private key, which never leaves this machine"))
            .hint(format!("name the public one: {}", typed([public.as_str()]))));
    }
    let kind = key.split(' ').next().unwrap_or_default();
    let is_known = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| kind.starts_with(start));
    if !is_known || key.lines().count() != 1 {
        return Err(CliError::usage(format!("`{shown}` is not a public key"))
            .hint("it is one line that begins with `ssh-ed25519` or the like"));
    }
    Ok(key.to_owned())
}
