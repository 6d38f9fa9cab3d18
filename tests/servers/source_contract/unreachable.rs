//! Sources that can't be asked: their servers or programs are away, silent, or talk nonsense.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use doppio::sources::SOURCES;
use doppio_test_support::Doppio;

use super::machine::azure_login;
use super::machine::kubeconfig;
use super::machine::paths;
use crate::support::http::Server;
use crate::support::http::response;

/// How a source can't be asked.
struct Way {
    what: &'static str,
    /// The address of the server behind it.
    server: String,
    /// The program that is run for it; absent for one that is not there.
    program: Option<&'static str>,
}

/// A machine on which a source is led to such a server or program; none for a source that has
/// neither.
fn misled(scheme: &str, way: &Way) -> Option<Doppio> {
    let (doppio, server) = (Doppio::new().env("DOPPIO_KEYRING", "off"), &way.server);
    let settings = match scheme {
        "gcp" => format!("endpoint = '{server}'\nproject = 'ml'\n"),
        // Key Vault is asked over TLS only.
        "azure" => format!("vault = '{}'\n", server.replace("http:", "https:")),
        "op" | "bw" => {
            let program = match way.program {
                Some(script) => {
                    let program = doppio.file("program", format!("#!/bin/sh\n{script}\n"));
                    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
                    program.display().to_string()
                }
                None => "/nonexistent/program".to_owned(),
            };
            format!("program = '{program}'\n")
        }
        _ => String::new(),
    };
    let text = format!("[sources.{scheme}]\ntimeout_secs = 1\n{settings}");
    fs::write(doppio.doppio_home().join("config.toml"), text).unwrap();
    Some(match scheme {
        "vault" => doppio.env("VAULT_ADDR", server).env("VAULT_TOKEN", "root"),
        "aws" | "ssm" => doppio
            .env("AWS_ENDPOINT_URL", server)
            .env("AWS_ACCESS_KEY_ID", "AKIDCONTRACT")
            .env("AWS_SECRET_ACCESS_KEY", "not-checked")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_EC2_METADATA_DISABLED", "true"),
        "azure" => azure_login(doppio, &server.replace("http:", "https:")),
        "kubernetes" => {
            let config = doppio.file("kubeconfig", kubeconfig(server, "''"));
            doppio.env("KUBECONFIG", config)
        }
        "op" => doppio.env("OP_SERVICE_ACCOUNT_TOKEN", "ops_token_of_the_tests"),
        "bw" => doppio.env("BW_SESSION", "session of the tests"),
        "gcp" => doppio,
        _ => return None,
    })
}

#[test]
fn what_could_not_be_asked_is_never_missing() {
    let gone = Server::start(|_| Vec::new()).url();
    let silent = Server::start(|_| {
        std::thread::sleep(Duration::from_mins(1));
        Vec::new()
    });
    let portal = Server::start(|_| response(200, &[("content-type", "text/html")], "<html>Log in!</html>"));
    let empty = Server::start(|_| response(200, &[("content-type", "application/json")], "{}"));
    let ways = [
        Way { what: "away", server: gone, program: None },
        Way { what: "silent", server: silent.url(), program: Some("exec sleep 60") },
        Way { what: "empty", server: empty.url(), program: Some("echo '{}'; exit 1") },
        Way { what: "nonsense", server: portal.url(), program: Some("echo '<html>Log in!</html>'; exit 1") },
    ];
    let mut asked = Vec::new();
    for kind in SOURCES.remote().map(|source| source.kind) {
        for way in &ways {
            let (scheme, what) = (kind.scheme, way.what);
            let Some(doppio) = misled(scheme, way) else { continue };
            // A default must not stand in for what could not be asked.
            let reference = format!("{scheme}:{}?none", paths(scheme).0);
            let ran = doppio.run(["secret", "get", &reference, "--reveal", "--force"]);
            assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{scheme}, {what}: {}", ran.stderr);
            assert!(ran.stderr.contains("could not ask"), "{scheme}, {what}: {}", ran.stderr);
            assert!(ran.stderr.contains("hint: "), "{scheme}, {what}: {}", ran.stderr);
            asked.push(scheme);
        }
    }
    asked.dedup();
    assert_eq!(asked, ["aws", "ssm", "azure", "gcp", "kubernetes", "vault", "op", "bw"]);
}
