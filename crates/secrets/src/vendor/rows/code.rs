//! Rows of programs for code and packages, and of logins.

use crate::vendor::accounts::Accounts;
use crate::vendor::exposure::Exposure;
use crate::vendor::git;
use crate::vendor::key::Key;
use crate::vendor::key::Sent;
use crate::vendor::netrc;
use crate::vendor::npm;
use crate::vendor::pypi;
use crate::vendor::row::Search;
use crate::vendor::row::Vendor;
use crate::vendor::ssh;
use crate::vendor::token::Token;

/// The rows, in the order in which `suggest` lists them.
pub(in crate::vendor) static ROWS: &[Vendor] = &[
    Vendor {
        name: "git",
        summary: "a login of git's credential store",
        exposure: Exposure::Personal,
        alternative: "create a token of that one repository, store it (`doppio secret set NAME`), and pass it \
                  in `env`",
        sets: &[&[
            Key {
                sent: Sent::As(&["DOPPIO_GIT_USERNAME"]),
                is_public: true,
                ..Key::variables("git/username", &[])
            },
            Key { sent: Sent::As(&["DOPPIO_GIT_PASSWORD"]), ..Key::variables("git/password", &[]) },
        ]],
        accounts: Some(Accounts::of("host", git::hosts)),
        tell: Some(git::tell),
        file: Some(git::file),
        search: Search::Own(git::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "netrc",
        summary: "one machine's login of a netrc",
        exposure: Exposure::Personal,
        alternative: "name the service itself where it is one of the providers, as `wandb`",
        sets: &[&[Key::file("netrc/machine", &netrc::FILE)]],
        accounts: Some(Accounts::of("machine", netrc::machines)),
        tell: Some(netrc::tell),
        file: Some(netrc::file),
        search: Search::Own(netrc::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "npm",
        summary: "npm registry token",
        exposure: Exposure::Scoped,
        alternative: "create a token that can only read: `npm token create --read-only`",
        sets: &[&[Key {
            tokens: &[Token::prefixed("npm-token", &["npm_"], "[A-Za-z0-9]{36}")],
            ..Key::variables("npm/token", &["NPM_TOKEN"])
        }]],
        accounts: Some(Accounts::of("registry", npm::registries)),
        tell: Some(npm::tell),
        file: Some(npm::file),
        search: Search::Own(npm::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "pypi",
        aliases: &["twine"],
        summary: "PyPI token",
        exposure: Exposure::Scoped,
        alternative: "create a token of one project in the settings of your account",
        sets: &[&[Key {
            tokens: &[Token::prefixed("pypi-token", &["pypi-AgEIcHlwaS5vcmc"], "[A-Za-z0-9_-]{50,}")],
            ..Key::variables("pypi/token", &["TWINE_PASSWORD"])
        }]],
        companions: &["TWINE_USERNAME", "TWINE_REPOSITORY", "TWINE_REPOSITORY_URL"],
        accounts: Some(Accounts::of("index", pypi::indexes)),
        tell: Some(pypi::tell),
        file: Some(pypi::file),
        search: Search::Then(pypi::look),
        ..Vendor::NONE
    },
    // uv publishes with a token of its own variable and keeps none in a file.
    Vendor {
        name: "uv",
        summary: "token that uv publishes with",
        exposure: Exposure::Scoped,
        alternative: "create a token of one project in the settings of your account",
        sets: &[&[Key::variables("uv/publish_token", &["UV_PUBLISH_TOKEN"])]],
        companions: &["UV_PUBLISH_URL"],
        search: Search::Environment,
        ..Vendor::NONE
    },
    Vendor {
        name: "ssh",
        summary: "SSH private key",
        exposure: Exposure::Personal,
        alternative: "create a deploy key of one repository (`ssh-keygen -t ed25519 -f deploy`), name it as \
                  `ssh:PATH`, and allow it with `--consent ssh`",
        sets: &[&[Key::file("ssh/key", &ssh::FILE)]],
        others: &[
            Key {
                summary: "passphrase of your SSH keys",
                get: "the one you gave to `ssh-keygen`",
                ..Key::variables("ssh/passphrase", &[])
            },
            Key {
                summary: "password for hosts that take no key",
                get: "the host's owner",
                ..Key::variables("ssh/password", &[])
            },
        ],
        tokens: &[Token::block(
            "private-key",
            "-----BEGIN ",
            r"(?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----(?:[\s\x22',]|\\+[nr]|[A-Za-z-]+: [^\n\\]*(?:\n|(?:\\+r)?\\+n))*(?:[A-Za-z0-9+/=]|\s|\\+[nr]|[\x22'+,]){60,}",
        )],
        accounts: Some(Accounts::of("key file", ssh::key_files)),
        tell: Some(ssh::tell),
        file: Some(ssh::file),
        search: Search::Own(ssh::look),
        ..Vendor::NONE
    },
];
