//! What somebody waits for who has just cloned the repository: the crates that are compiled first, and
//! what `tests/run.sh` downloads before it needs it.

use std::fs;
use std::path::Path;

use toml::Table;
use toml::Value;

/// Generated clients of whole services, each minutes of compiling for the dozen calls that Doppio makes.
const WHOLE_SERVICES: [&str; 6] = [
    "aws-sdk-ssm",
    "aws-sdk-secretsmanager",
    "google-cloud-secretmanager-v1",
    "k8s-openapi",
    "kube",
    "kube-client",
];

/// Packages in Cargo.lock, those of other platforms and of the tests included. Before you raise it, look
/// what a new crate brings along, and whether one that is there will do.
const MOST_PACKAGES: usize = 560;

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

// case I3
#[test]
fn the_first_build_compiles_no_client_of_a_whole_service() {
    let lock: Table = text("Cargo.lock").parse().expect("Cargo.lock is TOML");
    let packages = lock["package"].as_array().expect("a list of packages");
    let names: Vec<_> =
        packages.iter().filter_map(|package| package.get("name").and_then(Value::as_str)).collect();
    let whole: Vec<_> = WHOLE_SERVICES.into_iter().filter(|name| names.contains(name)).collect();
    assert!(whole.is_empty(), "{whole:?}");
    assert!(names.len() <= MOST_PACKAGES, "{} packages", names.len());
}

// case I1
#[test]
fn every_platforms_crates_are_downloaded_before_their_licences_are_read() {
    let script = text("tests/run.sh");
    let function = |name: &str| {
        let start = script.find(&format!("\n{name}() {{\n")).unwrap_or_else(|| panic!("no {name}"));
        script[start..].split("\n}\n").next().unwrap_or_default()
    };
    assert!(function("downloads").contains("cargo fetch --locked"), "{}", function("downloads"));
    assert!(
        !function("downloads").contains("--target"),
        "one platform's crates are not enough for cargo-deny"
    );
    let step =
        |name: &str| script.find(&format!("\nstep \"{name}\"")).unwrap_or_else(|| panic!("no step {name}"));
    assert!(step("downloads") < step("dependencies"));
}
