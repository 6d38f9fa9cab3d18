//! The memory of this process holds secrets while steps run: nothing may take a picture of it.

use rustix::process::Resource;
use rustix::process::Rlimit;
use rustix::process::getrlimit;
use rustix::process::setrlimit;

use doppio_secrets::is_memory_locked;

/// What holds of this process.
pub(super) struct Held {
    /// No core dump is written.
    pub no_cores: bool,
    /// Other processes of the user can't attach to it.
    pub not_dumpable: bool,
    /// Values stay out of swap.
    pub locked: bool,
}

/// Asks the system what [`close`] came to.
pub(super) fn held() -> Held {
    #[cfg(target_os = "linux")]
    let not_dumpable = {
        use rustix::process::DumpableBehavior;
        rustix::process::dumpable_behavior().is_ok_and(|is| is == DumpableBehavior::NotDumpable)
    };
    #[cfg(not(target_os = "linux"))]
    let not_dumpable = false;
    Held { no_cores: getrlimit(Resource::Core).current == Some(0), not_dumpable, locked: is_memory_locked() }
}

/// Forbids core dumps, and on Linux also that other processes of the user attach to this one or
/// read its `/proc` files. As far as the system allows: a failure here does not stop a run.
///
/// The programs that steps start can still be traced, for that ends with `exec`; and whoever
/// wants their cores can raise the limit again with `ulimit -c`, as its hard half is left alone.
pub(super) fn close() {
    let hard = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: hard }).ok();
    #[cfg(target_os = "linux")]
    {
        use rustix::process::DumpableBehavior;
        // A limit does not hold for cores that the kernel hands to a program.
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    }
}
