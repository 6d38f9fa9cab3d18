//! Servers that repeat a request in their refusal, all of its headers and its body: nothing that Doppio
//! logs in with comes back in an error, whatever the command.

use std::fs;

use doppio_test_support::Doppio;

use crate::support::http::Asked;
use crate::support::http::Server;
use crate::support::http::json;

/// What is stored: a refused write must not repeat it either.
const VALUE: &str = "value-made-up-for-echoes-5";

/// The request as a careless server or proxy quotes it.
fn echo(asked: &Asked) -> String {
    let headers: Vec<String> = asked.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("refused: {} {} {}", asked.path, headers.join("; "), String::from_utf8_lossy(&asked.body))
}

/// Gives a reference to every command that asks its source, and looks for what was sent in all they say.
/// The status and what was said of `get`.
#[track_caller]
fn nothing_comes_back(doppio: &Doppio, scheme: &str, path: &str, sent: &[&str]) -> String {
    let reference = format!("{scheme}:{path}");
    doppio.recipe(&format!(
        "\n[[step]]\nid = \"use\"\nlocal_command = {{ command = \"true\", env = {{ T = \"${{secret:{reference}}}\" }} }}\n"
    ));
    let mut all = Vec::new();
    for arguments in [
        &["secret", "get", &reference, "--reveal", "--force"][..],
        &["secret", "status", "recipe.toml"],
        &["secret", "why", &reference],
        &["secret", "list", "--in", scheme],
        &["secret", "sources"],
        &["plan", "recipe.toml"],
        &["run", "recipe.toml"],
        &["secret", "exec", &format!("T={reference}"), "--", "true"],
    ] {
        let ran = doppio.run(arguments);
        all.push(ran.stdout + &ran.stderr);
    }
    let ran = doppio.run_with_stdin(["secret", "set", path, "--from-stdin", "--in", scheme], VALUE);
    all.push(ran.stdout + &ran.stderr);
    for said in &all {
        for sent in sent.iter().chain([&VALUE]) {
            // A part that was cut off is no better than the whole.
            assert!(!said.contains(&sent[..12]), "{sent}\n{said}");
        }
    }
    all.swap_remove(0)
}

// case L2
#[cfg(feature = "vault")]
#[test]
fn a_vault_that_repeats_its_token() {
    let token = "hvs.CAESIJ-made-up-for-echoes-4fQ7";
    for status in [400, 500, 503] {
        let server = Server::start(move |asked| {
            let words = serde_json::json!({ "errors": [echo(asked)] });
            json(status, &words.to_string())
        });
        let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("VAULT_ADDR", server.url());
        let doppio = doppio.env("VAULT_TOKEN", token);
        let said = nothing_comes_back(&doppio, "vault", "kv/app#key", &[token]);
        assert!(said.contains("refused: /v1/") && said.contains("***"), "{said}");
    }
}

// case L2
#[cfg(feature = "vault")]
#[test]
fn a_vault_that_repeats_its_login() {
    let (role, secret) = ("role-made-up-for-echoes-1", "secret-id-made-up-for-echoes-2");
    let server = Server::start(|asked| {
        let words = serde_json::json!({ "errors": [echo(asked)] });
        json(400, &words.to_string())
    });
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("VAULT_ADDR", server.url());
    let doppio = doppio.env("VAULT_ROLE_ID", role).env("VAULT_SECRET_ID", secret);
    fs::write(doppio.doppio_home().join("config.toml"), "[sources.vault]\nauth = \"approle\"\n").unwrap();
    let said = nothing_comes_back(&doppio, "vault", "kv/app#key", &[secret]);
    assert!(said.contains("refused: /v1/auth/approle/login"), "{said}");
}

// case L2
#[cfg(feature = "kubernetes")]
#[test]
fn a_cluster_that_repeats_its_bearer() {
    let token = "bearer-made-up-for-echoes-3";
    for (user, sent) in [
        (format!("token: {token}"), token),
        (format!("username: me, password: {token}"), "bWU6YmVhcmVyLW1hZGU"),
    ] {
        for status in [400, 500] {
            let server = Server::start(move |asked| {
                let words =
                    serde_json::json!({ "kind": "Status", "reason": "BadRequest", "message": echo(asked) });
                json(status, &words.to_string())
            });
            let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
            let kubeconfig = format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
                 clusters: [{{name: c, cluster: {{server: '{}'}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n\
                 contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n",
                server.url()
            );
            let path = doppio.private("home/kubeconfig", kubeconfig);
            let doppio = doppio.env("KUBECONFIG", path);
            let said = nothing_comes_back(&doppio, "kubernetes", "app#key", &[token, sent]);
            assert!(said.contains("refused: /api/v1/") && said.contains("***"), "{said}");
        }
    }
}

// case L2
#[cfg(feature = "aws")]
#[test]
fn an_aws_that_repeats_its_session_token() {
    let (secret, session) =
        ("secret/key/made+up+for+echoes+4444+abcde", "FwoGZXIvYXdzEOmade-up-for-echoes-5");
    let server = Server::start(|asked| {
        let words = serde_json::json!({ "__type": "ValidationException", "message": echo(asked) });
        json(400, &words.to_string())
    });
    for scheme in ["aws", "ssm"] {
        let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("AWS_ENDPOINT_URL", server.url());
        let doppio = doppio.env("AWS_REGION", "eu-west-1").env("AWS_ACCESS_KEY_ID", "AKIDECHOES");
        let doppio = doppio.env("AWS_SECRET_ACCESS_KEY", secret).env("AWS_SESSION_TOKEN", session);
        let said = nothing_comes_back(&doppio, scheme, "app", &[secret, session]);
        assert!(said.contains("refused: /") && said.contains("***"), "{said}");
    }
}

// case L2
#[cfg(feature = "azure")]
#[test]
fn a_key_vault_that_repeats_its_bearer() {
    use crate::support::standin::Standin;
    let standin = Standin::start("azure", &[]);
    standin.control(r#"{"echo": 400}"#);
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("AZURE_AUTHORITY_HOST", standin.url());
    let doppio = doppio.env("AZURE_TENANT_ID", "tenant-1").env("AZURE_CLIENT_ID", "client-1");
    let doppio = doppio.env("AZURE_CLIENT_SECRET", "entra-secret");
    let settings = format!(
        "[sources.azure]\nvault = \"{}\"\nca_cert = \"{}\"\n",
        standin.url(),
        standin.path("ca.crt").display()
    );
    fs::write(doppio.doppio_home().join("config.toml"), settings).unwrap();
    let said = nothing_comes_back(&doppio, "azure", "app", &["Bearer token-1", "entra-secret"]);
    assert!(said.contains("authorization: Bearer ***"), "{said}");
}
