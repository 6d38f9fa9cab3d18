//! The descriptor on which the vault's passphrase is handed over.

use std::fs::OpenOptions;
use std::os::fd::IntoRawFd;
use std::os::fd::RawFd;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::fs::fcntl_setfl;
use rustix::io::fcntl_dupfd_cloexec;

use doppio_secrets::Environment;

/// Keeps the descriptor that `DOPPIO_PASSPHRASE_FD` names from every program that is started from
/// here on: a file, such as a shell's here-document, could be read there once more.
///
/// For the start, before anything is opened and any thread runs. The standard streams stay.
pub(super) fn keep(env: &Environment) {
    let named = env.text("DOPPIO_PASSPHRASE_FD").and_then(|number| number.parse::<RawFd>().ok());
    let Some(number) = named.filter(|number| *number > 2) else { return };
    // Whoever reads it waits for its writer.
    let own = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(format!("/dev/fd/{number}"))
        .and_then(|file| {
            fcntl_setfl(&file, OFlags::empty())?;
            Ok(file)
        });
    // A descriptor that is not ours can be closed and not be marked; ours takes its number.
    nix::unistd::close(number).ok();
    if let Ok(file) = own
        && let Ok(taken) = fcntl_dupfd_cloexec(&file, number)
    {
        // Open until the end.
        let _: RawFd = taken.into_raw_fd();
    }
}
