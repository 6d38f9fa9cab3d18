//! Variables that steer programs, and those that are for secrets: what others may set here, and what not.

use crate::mask;
use crate::vendor;

/// Variables, or how they begin, by which a program is told what to run or whom to trust.
const STEERING: [&str; 55] = [
    "PATH",
    "IFS",
    "ENV",
    "BASH",
    "ZDOTDIR",
    "SHELL",
    "LD_",
    "DYLD_",
    "GCONV_",
    "PYTHON",
    "PERL",
    "RUBY",
    "GEM_",
    "BUNDLE_",
    "LUA_",
    "PHP",
    "NODE_",
    "NPM_CONFIG",
    "JAVA_TOOL",
    "_JAVA",
    "JDK_JAVA",
    "DOTNET_",
    "GIT_",
    "SSH_",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "BROWSER",
    "HOME",
    "XDG_",
    "DOPPIO_",
    "TAR_",
    "GOFLAGS",
    "LESS",
    "MAKE",
    "MFLAGS",
    "RUSTC",
    "RUSTFLAGS",
    "CARGO",
    "MANPAGER",
    "CURL_",
    "WGETRC",
    "SSL_",
    "OPENSSL_",
    "PIP_",
    "UV_",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT",
    "DOCKER_",
    "CLOUDSDK_",
    "KUBECONFIG",
    "KUBE_",
    "KUBECTL_",
    "HF_ENDPOINT",
];

/// How others of them end.
const STEERING_ENDS: [&str; 10] = [
    "_PROXY",
    "_CA_BUNDLE",
    "_CACERT",
    "ASKPASS",
    "PASSCOMMAND",
    "_COMMAND",
    "_CMD",
    "_EDITOR",
    "_PAGER",
    "_BROWSER",
];

/// How variables end by which a program is told where to connect. Beside a secret of the user's own it is the
/// user's to say: documents of secrets have a `DB_HOST`.
const LEADING_ENDS: [&str; 8] =
    ["_ENDPOINT", "_ENDPOINT_URL", "_BASE_URL", "_API_BASE", "_API_URL", "_AUTH_URL", "_HOST", "_ADDR"];

/// How variables end that hold a secret and nothing else, as `CARGO_REGISTRY_TOKEN`, however they begin.
const SECRET_ENDS: [&str; 4] = ["_TOKEN", "_PASSWORD", "_PASSPHRASE", "_SECRET"];

/// How variables end that a secret's word stands in and that hold no secret: where it is, and how it is used.
const BESIDE_ENDS: [&str; 9] =
    ["_URL", "_URI", "_FILE", "_DIR", "_OPTS", "_OPTIONS", "_ARGS", "_PROGRAM", "_HELPER"];

/// Whether a variable tells programs what to run, where to connect or whom to trust. A recipe or a project
/// that comes from somebody else must not set it.
pub fn steers(variable: &str) -> bool {
    let leads = || LEADING_ENDS.iter().any(|end| variable.to_ascii_uppercase().ends_with(end));
    rules(variable) || leads() && !is_of_vendor(variable)
}

/// Whether a variable tells programs what to run or whom to trust, and so is never set because a secret happens
/// to have its name.
pub(crate) fn rules(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| upper.ends_with(end));
    let begins = STEERING.iter().any(|begin| upper.starts_with(begin));
    (ends(&STEERING_ENDS) || begins && !ends(&SECRET_ENDS)) && !is_of_vendor(variable)
}

/// Whether a variable is one for a secret: a vendor's own, or one whose name says so. A project that comes
/// from somebody else may set no other.
pub fn is_for_secret(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    let is_beside = mask::is_no_secret(variable) || BESIDE_ENDS.iter().any(|end| upper.ends_with(end));
    is_of_vendor(variable) || mask::telling(variable) && !is_beside && !steers(variable)
}

/// Whether a vendor's tools read a secret there, which is not public: the value, not the path of a file.
fn is_of_vendor(variable: &str) -> bool {
    vendor::of_variable(variable).is_some_and(|key| !key.is_public && key.sent_as().contains(&variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_programs_is_not_a_secrets_variable() {
        for variable in [
            "LD_PRELOAD",
            "path",
            "https_proxy",
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_ENDPOINT_URL_S3",
            "DOCKER_HOST",
            "DOCKER_AUTH_CONFIG",
            "CLOUDSDK_CONFIG",
            "KUBECONFIG",
            "KUBECTL_EXTERNAL_DIFF",
            "AWS_PAGER",
            "HF_ENDPOINT",
            "LANGSMITH_ENDPOINT",
            "S3_ENDPOINT_URL",
            "OPENAI_BASE_URL",
            "OPENAI_API_BASE",
            "GH_HOST",
            "VAULT_ADDR",
            "OS_AUTH_URL",
            "REQUESTS_CA_BUNDLE",
            "SUDO_ASKPASS",
            "BORG_PASSCOMMAND",
            "RESTIC_PASSWORD_COMMAND",
            "GIT_ASKPASS",
        ] {
            assert!(steers(variable) && !is_for_secret(variable), "{variable}");
        }
        for variable in [
            "HF_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AZURE_CLIENT_SECRET",
            "UV_PUBLISH_TOKEN",
            "CARGO_REGISTRY_TOKEN",
            "DOCKER_PASSWORD",
            "TWINE_PASSWORD",
            "MY_TOKEN",
            "OPENAI_KEY_PROD",
        ] {
            assert!(!steers(variable) && is_for_secret(variable), "{variable}");
        }
        // They steer nothing that is known, and a project has no business with them.
        for variable in [
            "X",
            "DATABASE_URL",
            "MODEL",
            "KAGGLE_USERNAME",
            "GOOGLE_APPLICATION_CREDENTIALS_DIR",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "PASSWORD_STORE_EXTENSIONS_DIR",
            "PASSWORD_STORE_GPG_OPTS",
            "OAUTH_TOKEN_URL",
        ] {
            assert!(!steers(variable) && !is_for_secret(variable), "{variable}");
        }
    }
}
