//! Who may name whom, and what has one place: the tables that the sources are held to.

/// A crate, the folder of its sources, and which of the others it may name. The root package is
/// not in it: it may name all.
pub(super) const CRATES: &[(&str, &str, &[&str])] = &[
    ("doppio_text", "crates/text/src/", &[]),
    ("doppio_process", "crates/process/src/", &[]),
    ("doppio_http", "crates/http/src/", &[]),
    ("doppio_secrets", "crates/secrets/src/", &["doppio_text", "doppio_process"]),
    (
        "doppio_stores",
        "crates/stores/src/",
        &["doppio_text", "doppio_process", "doppio_http", "doppio_secrets"],
    ),
    ("doppio_hosts", "crates/hosts/src/", &["doppio_text", "doppio_process", "doppio_secrets"]),
    ("doppio_rented", "crates/rented/src/", &["doppio_text", "doppio_http", "doppio_secrets"]),
];

/// A module of the root package, which crates it may name and which of the other modules.
/// `doppio_secrets::Masked` and its like are that one item.
pub(super) const MODULES: &[(&str, &[&str], &[&str])] = &[
    ("sources", &["doppio_secrets", "doppio_stores"], &[]),
    ("event", &["doppio_text", "doppio_secrets::Masked", "doppio_secrets::Delivery"], &[]),
    ("config", &["doppio_text", "doppio_secrets", "doppio_hosts"], &["sources"]),
    ("rentals", &["doppio_text", "doppio_secrets", "doppio_hosts", "doppio_rented"], &[]),
    (
        "step",
        &["doppio_text", "doppio_secrets", "doppio_hosts", "doppio_rented"],
        &["sources", "event", "rentals"],
    ),
    ("recipe", &["doppio_text", "doppio_secrets"], &["step"]),
    ("plan", &["doppio_text", "doppio_secrets"], &["step", "recipe"]),
    ("engine", &["doppio_text", "doppio_secrets", "doppio_hosts"], &["event", "rentals", "step", "plan"]),
    ("journal", &["doppio_text"], &["event"]),
    ("ui", &["doppio_text"], &["event"]),
    (
        "cli",
        &[
            "doppio_text",
            "doppio_process",
            "doppio_secrets",
            "doppio_stores",
            "doppio_hosts",
            "doppio_rented",
        ],
        &["sources", "event", "config", "rentals", "step", "recipe", "plan", "engine", "journal", "ui"],
    ),
];

/// A foreign crate and the files that may name it.
pub(super) const CONFINED: &[(&str, &[&str])] = &[
    ("russh", &["crates/hosts/src/ssh/"]),
    ("indicatif", &["src/ui/progress.rs"]),
    ("annotate_snippets", &["src/ui/report.rs"]),
    ("unicode_width", &[TABLES]),
    ("keyring", &["crates/secrets/src/source/keyring.rs"]),
    ("minijinja", &["src/plan/when/"]),
    ("hyper", &["crates/stores/src/kubernetes/client.rs"]),
    // Doppio's own files are read in one way; those of others are searched for values, byte for byte.
    ("toml_edit", &["crates/hosts/src/hosts_file/edit.rs"]),
    (
        "toml",
        &[
            "crates/text/src/toml_reader.rs",
            "crates/secrets/src/format/toml.rs",
            "crates/hosts/src/hosts_file/edit.rs",
        ],
    ),
];

/// The one file that lays out columns.
pub(super) const TABLES: &str = "src/ui/table.rs";

/// The one place that starts programs of this machine, and so the one that may name these.
pub(super) const PROGRAMS: &str = "crates/process/src/";

/// Code that only some files may have: what to look for, the files or folders where it may stand, and what
/// to do elsewhere.
/// What begins with a backslash is looked for in literals.
pub(super) const DOORS: &[(&str, &[&str], &str)] = &[
    (
        "is_control",
        &["crates/text/src/show.rs", "crates/text/src/escape.rs"],
        "what is fit to be shown is said in `doppio_text::shown` and its like only",
    ),
    ("escape_de", &["crates/text/src/show.rs"], "names are made visible by `doppio_text::exact` only"),
    ("0x1b", &["crates/text/src/escape.rs"], "escape sequences are read by `doppio_text::escape` only"),
    (
        "\\x1b",
        &["src/ui/paint.rs", "src/cli/output.rs", "src/cli/secret/clipboard.rs"],
        "escape sequences are read by `doppio_text::escape` only, and written in few places",
    ),
    (
        "\\u{1b}",
        &["src/ui/paint.rs"],
        "escape sequences are read by `doppio_text::escape` only, and written in few places",
    ),
    (
        "reqwest::Client::",
        &["crates/http/src/client.rs"],
        "clients of HTTP are made by `doppio_http::client` only, which follows no redirect",
    ),
    ("use reqwest::Client", &[], "write `reqwest::Client`, so that it is seen where one is made"),
    ("ClientBuilder::new", &[], "clients of HTTP are made by `doppio_http::client` only"),
    (
        "from_pem_bundle",
        &["crates/http/src/certificates.rs"],
        "certificates of authorities are read by `doppio_http::certificates` only",
    ),
    (
        "chunk()",
        &["crates/http/src/response.rs"],
        "answers are read by `doppio_http::Response` only, to a limit and into memory that is wiped",
    ),
    (
        "serde_saphyr::",
        &["crates/secrets/src/format/", "crates/stores/src/kubernetes/kubeconfig.rs"],
        "YAML is read by `doppio_secrets::format` only",
    ),
    ("EnvLoader", &["crates/secrets/src/format/"], "dotenv is read by `doppio_secrets::format` only"),
    (
        "Ini::parse",
        &["crates/secrets/src/format/", "crates/secrets/src/vendor/local.rs"],
        "INI is read by `File::ini` of the vendors only",
    ),
    (
        "toml::from_",
        &["crates/secrets/src/format/"],
        "TOML of others is read by `doppio_secrets::format`, our own by `doppio_text::TomlReader`",
    ),
    // Crates that talk to servers read JSON that is not a file; Doppio's own files have their readers.
    (
        "serde_json::from_",
        &[
            "src/",
            "crates/stores/",
            "crates/rented/",
            "crates/secrets/src/format/",
            "crates/secrets/src/audit/line.rs",
            "crates/secrets/src/source/age_vault/records.rs",
            "crates/secrets/src/vendor/credential.rs",
        ],
        "JSON of others is read by `doppio_secrets::format` only",
    ),
    (
        "stdout()",
        &[
            "src/cli/output.rs",
            "src/cli/context.rs",
            "src/cli/exec/mod.rs",
            "src/cli/run/view.rs",
            "src/cli/runs/logs.rs",
            "src/cli/secret/exec/output.rs",
            "src/cli/secret/export.rs",
        ],
        "people are told by `cli::output`, which makes all fit to be shown",
    ),
    (
        "stderr()",
        &[
            "src/cli/output.rs",
            "src/cli/context.rs",
            "src/cli/exec/mod.rs",
            "src/cli/run/view.rs",
            "src/cli/secret/exec/output.rs",
            "src/ui/progress.rs",
        ],
        "people are told by `cli::output`, which makes all fit to be shown",
    ),
    (
        "Carrier::",
        &[
            "crates/secrets/src/delivery.rs",
            "crates/hosts/src/local.rs",
            "crates/hosts/src/openssh_host.rs",
            "crates/hosts/src/ssh/session.rs",
            "src/step/tmux/new.rs",
            "src/cli/secret/exec/mod.rs",
            "src/cli/doctor/remote.rs",
        ],
        "how a secret went is a `doppio_secrets::Delivery` from where it is sent, and passed along",
    ),
    (
        "AuditAction::Deliver",
        &["crates/secrets/src/delivery.rs", "src/cli/secret/uses.rs"],
        "what was delivered is a `doppio_secrets::Delivery`, and recorded by its `to_use`",
    ),
    (
        "carrier: String",
        &[],
        "what was delivered is a `doppio_secrets::Delivery`, and recorded by its `to_use`",
    ),
];

/// Where the variables of vendors and the beginnings of their tokens may stand: in the vendors' rows;
/// where a store logs in as the vendor's own SDK does; and as an example of a variable that hosts accept.
pub(super) const OF_VENDORS: &[&str] = &[
    "crates/secrets/src/vendor/",
    "crates/stores/src/aws/account.rs",
    "crates/stores/src/azure/",
    "src/cli/doctor/remote.rs",
];

/// Names that say nothing of what is inside.
pub(super) const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager"];

/// Names of types that once had a dozen meanings.
pub(super) const EMPTY_TYPES: &[&str] = &["Form", "Fault", "Place"];

/// A file with this many lines is refused.
pub(super) const TOO_LONG: usize = 600;
