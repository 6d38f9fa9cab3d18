//! `forward` of a step: ports that some host must have, and one step alone.

use doppio_text::Diagnostic;
use doppio_text::Spanned;

/// The ports, and what is wrong with them. `has_host` says whether the step runs on a host, `is_many` whether
/// it exists more than once.
pub(super) fn ports(
    wanted: &[Spanned<String>],
    has_host: bool,
    is_many: bool,
) -> (Vec<String>, Option<Diagnostic>) {
    let ports = wanted.iter().map(|port| port.get_ref().clone()).collect();
    let fault = |code, message: &str, of: &Spanned<String>| Diagnostic::error(code, message, of.span());
    if let Some(first) = wanted.first().filter(|_| !has_host) {
        let fault = fault("plan::no-effect", "the step has no host whose ports could be open", first);
        return (Vec::new(), Some(fault.help("write `forward` at a step with a `host_id`")));
    }
    let fixed = wanted.iter().find(|port| is_many && !port.get_ref().starts_with("0:"));
    let fault = fixed.map(|fixed| {
        let (_, to) = fixed.get_ref().split_once(':').unwrap_or_default();
        let fault = fault("plan::one-port", "only one of the steps can have this port", fixed);
        fault.help(format!("let each have one that is free: `\"0:{to}\"`"))
    });
    (ports, fault)
}
