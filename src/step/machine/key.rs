//! The key that a machine must let in.

use doppio_rented::MachineId;
use doppio_rented::VendorName;

use crate::step::StepContext;
use crate::step::StepError;
use crate::step::machine::existing::host_of;

/// The public key, as a line of `authorized_keys`: the one that is named, as its text or its file, else the
/// one that would be offered first. A machine that nobody can log in to is not worth hiring, so this is asked
/// before there is one.
pub(super) async fn public_key(
    cx: &StepContext,
    named: Option<&str>,
    vendor: VendorName,
) -> Result<String, StepError> {
    let Some(named) = named else {
        // The key is wanted before there is a machine: any id of the vendor's stands for it.
        let any = MachineId { vendor, id: "1".to_owned() };
        return cx.pool.own_key(&host_of(&any)?).await?.ok_or_else(|| {
            StepError::hinted(
                format!("there is no SSH key that a machine of {} could let in", vendor.shown()),
                "make one with `ssh-keygen -t ed25519`, or name one with `ssh_key`",
            )
        });
    };
    if is_key(named) {
        return Ok(named.trim().to_owned());
    }
    let path = cx.pool.home().join(named.strip_prefix("~/").unwrap_or(named));
    // The private half is often named; the public one lies beside it.
    let path = if path.extension().is_some_and(|extension| extension == "pub") {
        path
    } else {
        let mut name = path.into_os_string();
        name.push(".pub");
        name.into()
    };
    let text = tokio::fs::read_to_string(&path).await.map_err(|error| {
        StepError::hinted(
            format!("cannot read the public key {}: {error}", path.display()),
            "`ssh_key` is a public key, or the path of one",
        )
    })?;
    match text.lines().map(str::trim).find(|line| is_key(line)) {
        Some(key) => Ok(key.to_owned()),
        None => Err(StepError::failed(format!("{} holds no public key", path.display()))),
    }
}

fn is_key(text: &str) -> bool {
    let kinds = ["ssh-ed25519 ", "ssh-rsa ", "ecdsa-sha2-", "sk-ssh-ed25519@openssh.com ", "sk-ecdsa-sha2-"];
    kinds.iter().any(|kind| text.trim_start().starts_with(kind))
}
