//! Which way each variable goes: as a variable, or as a file where it is too large.

use std::collections::HashMap;

use crate::EnvVar;
use crate::HostError;

/// Values above this travel as files: Linux refuses a string of 128 KiB in an environment.
const VALUE_LIMIT: usize = 100_000;

/// All values of an environment together; more go as files.
const ENVIRONMENT_LIMIT: usize = 1 << 20;

/// Which way each variable goes that isn't sent otherwise.
#[derive(Debug, Default)]
pub(crate) struct EnvSplit<'a> {
    /// As variables.
    pub exports: Vec<&'a EnvVar>,
    /// As files, with the path in `NAME_FILE`, or in the variable itself where it has a form.
    pub files: Vec<&'a EnvVar>,
}

impl<'a> EnvSplit<'a> {
    /// Tells large values from others. Of two variables of one name, the later one counts.
    ///
    /// # Errors
    ///
    /// When a value has a NUL byte, which no environment can hold.
    pub(crate) fn sort(env: &'a [EnvVar]) -> Result<Self, HostError> {
        let mut split = Self::default();
        let mut total = 0;
        let last: HashMap<_, _> = env.iter().enumerate().map(|(at, var)| (&var.name, at)).collect();
        for (at, var) in env.iter().enumerate() {
            if last[&var.name] != at {
                continue;
            }
            let (size, has_nul) = measure(var);
            if has_nul {
                return Err(HostError::new(format!("the value of `{}` can't be passed on", var.name))
                    .cause("it has a NUL byte, and an environment can't hold one")
                    .hint("encode the value, as with base64"));
            }
            if var.file.is_some() || size > VALUE_LIMIT || total + size > ENVIRONMENT_LIMIT {
                split.files.push(var);
            } else {
                total += size;
                split.exports.push(var);
            }
        }
        Ok(split)
    }
}

/// The size of a value, and whether it has a NUL byte.
pub(super) fn measure(var: &EnvVar) -> (usize, bool) {
    #[expect(
        clippy::disallowed_methods,
        reason = "only its length is looked at, and whether it has a NUL byte"
    )]
    var.value.reveal(|bytes| (bytes.len(), bytes.contains(&0)))
}

#[cfg(test)]
mod tests {
    use doppio_secrets::SecretValue;

    use super::*;

    fn var(name: &str, value: &[u8]) -> EnvVar {
        EnvVar::new(name.parse().unwrap(), SecretValue::new(value.to_vec()))
    }

    #[test]
    fn the_later_of_two_variables_counts() {
        let env = [var("A", b"1"), var("B", b"2"), var("A", b"3")];
        let split = EnvSplit::sort(&env).unwrap();
        let names: Vec<_> = split.exports.iter().map(|var| var.name.as_str()).collect();
        assert_eq!(names, ["B", "A"]);
    }

    #[test]
    fn a_value_with_a_nul_byte_is_refused_without_showing_it() {
        let env = [var("A", b"hunter2\0")];
        let error = EnvSplit::sort(&env).unwrap_err();
        assert!(error.message.contains("`A`") && !format!("{error:?}").contains("hunter2"));
    }
}
