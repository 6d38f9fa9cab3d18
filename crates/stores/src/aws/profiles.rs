//! The profiles of the user, whose programs (`credential_process`) the SDK starts by itself, with all
//! of Doppio's environment: they are told to forget what is Doppio's own.

use std::io::ErrorKind;

use aws_runtime::env_config::file::EnvConfigFileKind;
use aws_runtime::env_config::file::EnvConfigFiles;

use doppio_process::OWN;
use doppio_secrets::source::Setup;

/// The key of a program that prints credentials.
const PROGRAM: &str = "credential_process";

/// The files of the profiles as the SDK is to read them: where they are, or with their programs
/// changed.
pub(super) fn files(setup: &Setup) -> EnvConfigFiles {
    // In this order: what the second says goes before what the first does.
    let texts = [
        (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", ".aws/config"),
        (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
    ]
    .map(|(kind, variable, usual)| {
        let path = setup.path("", &[variable]).unwrap_or_else(|| setup.home.join(usual));
        (kind, std::fs::read_to_string(&path), path)
    });
    if !texts.iter().any(|(_, text, _)| text.as_ref().is_ok_and(|text| text.contains(PROGRAM))) {
        return EnvConfigFiles::default();
    }
    let mut files = EnvConfigFiles::builder();
    for (kind, text, path) in texts {
        files = match text {
            Ok(text) => files.with_contents(kind, forgetful(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => files,
            // What can't be read is left to the SDK, which says why.
            Err(_) => files.with_file(kind, path),
        };
    }
    files.build()
}

/// The text with programs, which are lines for `sh -c`, that forget Doppio's variables first.
fn forgetful(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| match line.split_once('=') {
        Some((key, program)) if key.trim().eq_ignore_ascii_case(PROGRAM) && !program.trim().is_empty() => {
            format!("{key}= unset {} && {}", OWN.join(" "), program.trim_start())
        }
        _ => line.to_owned(),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_forget_what_is_our_own() {
        let text =
            "[profile a]\nregion = x\ncredential_process = cat a=b | tail\n# credential_process\n[b]\nk=v";
        let wanted = format!(
            "[profile a]\nregion = x\ncredential_process = unset {} && cat a=b | tail\n# credential_process\n[b]\nk=v",
            OWN.join(" ")
        );
        assert_eq!(forgetful(text), wanted);
        for same in ["", "credential_process =\n", "  credential_process_x = y\n"] {
            assert_eq!(forgetful(same), same);
        }
    }
}
