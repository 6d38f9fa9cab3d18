//! What a keeper reads from its FIFO: the environment, then the command.

use doppio_hosts::EnvVar;
use doppio_secrets::SecretValue;
use doppio_text::shell::quote;
use doppio_text::shell::quote_bytes;

/// Environment and command as shell text, which goes behind what the host adds itself. The user's
/// shell if the command is empty.
pub(in crate::step) fn frame(env: &[EnvVar], command: &str) -> SecretValue {
    let command = if command.trim().is_empty() { "" } else { command };
    SecretValue::new(after_exports(env, &format!("_doppio_c={}\n_doppio_go=1\n", quote(command))))
}

/// Shell text behind the environment as assignments, byte for byte.
fn after_exports(env: &[EnvVar], rest: &str) -> Vec<u8> {
    // A quote becomes four bytes. With the room there from the start, the buffer never moves,
    // so that no copy of a value is left behind.
    #[expect(clippy::disallowed_methods, reason = "only the length is looked at")]
    let exports: usize =
        env.iter().map(|v| v.name.as_str().len() + 4 * v.value.reveal(<[u8]>::len) + 16).sum();
    let mut text = Vec::with_capacity(16 + exports + rest.len());
    let capacity = text.capacity();
    text.extend_from_slice(b"set +x\n");
    for variable in env {
        text.extend_from_slice(format!("export {}=", variable.name).as_bytes());
        #[expect(clippy::disallowed_methods, reason = "the value goes to the keeper through a private FIFO")]
        variable.value.reveal(|bytes| quote_bytes(&mut text, bytes));
        text.push(b'\n');
    }
    text.extend_from_slice(rest.as_bytes());
    debug_assert_eq!(text.capacity(), capacity, "a buffer that moves leaves a copy behind");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_byte_for_byte_in_a_buffer_that_does_not_move() {
        let value = SecretValue::new(vec![b'\''; 1000]);
        let env = [EnvVar::new("A".parse().unwrap(), value)];
        let rest = "x".repeat(10_000);
        let text = String::from_utf8(after_exports(&env, &rest)).unwrap();
        assert_eq!(text, format!("set +x\nexport A='{}'\n{rest}", r"'\''".repeat(1000)));
    }
}
