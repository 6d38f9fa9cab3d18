//! The source through the real binary.

use std::fs;

use doppio_test_support::Doppio;

use crate::support::http::Server;
use crate::support::openbao::Bao;

#[test]
fn fifty_references_are_two_requests() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    let record: Vec<String> = (0..50).map(|at| format!("\"KEY_{at}\": \"value number {at}\"")).collect();
    bao.bao_with_stdin(&["kv", "put", "kv/app", "-"], &format!("{{{}}}", record.join(", ")));
    let proxy = Server::before(&bao.address());
    let doppio = Doppio::new().env("VAULT_ADDR", proxy.url()).env("VAULT_TOKEN", "root");
    let env: Vec<String> =
        (0..50).map(|at| format!("KEY_{at} = \"${{secret:vault:kv/app#KEY_{at}}}\"")).collect();
    let recipe = doppio.file(
        "recipe.toml",
        format!(
            "[recipe]\nname = \"many\"\n\n[[step]]\nid = \"a\"\nlocal_command = {{ env = {{ {} }}, command = \
             'test \"$KEY_49\" = \"value number 49\" && test \"$KEY_0\" = \"value number 0\"' }}\n",
            env.join(", ")
        ),
    );
    doppio.run(["run".as_ref(), recipe.as_os_str()]).expect(0);
    let asked = proxy.lines();
    assert_eq!(asked, ["GET /v1/sys/internal/ui/mounts/kv/app", "GET /v1/kv/data/app"]);
}

#[test]
fn the_binary_reads_writes_and_explains() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/default/team/key", "value=hunter2 of the server"]);
    let doppio = Doppio::new().env("VAULT_ADDR", bao.url()).env("THE_TOKEN", "root");
    let config = "default_source = \"vault:kv/{profile}/{name}\"\n[sources.vault]\ntoken = \"env:THE_TOKEN\"\n\
                  timeout_secs = 20\n";
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    assert_eq!(doppio.reveal("team/key"), "hunter2 of the server");
    let why = doppio.run(["secret", "why", "team/key"]).expect(0).stdout;
    assert!(why.contains("7. Vault at http://127.0.0.1"), "{why}");
    assert!(why.contains("8. ") && !why.contains("hunter2"), "{why}");
    let gone = doppio.run(["secret", "get", "team/gone"]).expect(3);
    assert!(gone.stderr.contains("secret `team/gone` is not set"), "{}", gone.stderr);
    // A server that is away stops the search: a default must not stand in for it.
    let away = Doppio::new().env("VAULT_ADDR", "http://127.0.0.1:1").env("THE_TOKEN", "root");
    fs::write(away.doppio_home().join("config.toml"), config).unwrap();
    let ran = away.run(["secret", "get", "team/key?none", "--reveal", "--force"]).expect(3);
    assert!(ran.stderr.contains("could not ask Vault at http://127.0.0.1:1"), "{}", ran.stderr);
}

#[test]
fn settings_hold_no_token() {
    let doppio = Doppio::new();
    fs::write(doppio.doppio_home().join("config.toml"), "[sources.vault]\ntoken = \"hvs.hunter2\"\n")
        .unwrap();
    let ran = doppio.run(["secret", "list"]);
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("`token` must be a reference"), "{}", ran.stderr);
    assert!(ran.stderr.contains("token = \"env:VARIABLE\""), "{}", ran.stderr);
}

#[test]
fn a_key_is_looked_up_in_the_record_whatever_the_record_is() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/x", "value=tok en"]);
    bao.bao(&["kv", "put", "kv/app.env", "K=of the record"]);
    let record =
        r#"{"json": "{\"db\": [\"inside\"]}", "table": {"a": {"b": "below"}}, "a/b": "with a slash"}"#;
    bao.bao_with_stdin(&["kv", "put", "kv/deep", "-"], record);
    let doppio = Doppio::new().env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", "root");
    for (reference, value) in [
        ("vault:kv/x", "tok en"),
        ("vault:kv/x#value", "tok en"),
        ("vault:kv/x@1#value", "tok en"),
        ("vault:kv/app.env#K", "of the record"),
        ("vault:kv/deep#/json/db/0", "inside"),
        ("vault:kv/deep#/table/a/b", "below"),
        ("vault:kv/deep#a/b", "with a slash"),
        ("vault:kv/deep#/a~1b", "with a slash"),
        ("vault:kv/x#gone?none at all", "none at all"),
    ] {
        assert_eq!(doppio.reveal(reference), value, "{reference}");
    }
    let ran = doppio.run(["secret", "get", "vault:kv/x#gone"]).expect(3);
    assert!(ran.stderr.contains("secret `vault:kv/x#gone` is not set"), "{}", ran.stderr);
    // A command that would replace the record is not helpful.
    assert!(ran.stderr.contains("has no `gone`: run `vault kv patch kv/x gone=-`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("kv put"), "{}", ran.stderr);
    let ran = doppio.run(["secret", "get", "vault:kv/nowhere#gone"]).expect(3);
    assert!(ran.stderr.contains("run `vault kv put kv/nowhere KEY=-`"), "{}", ran.stderr);
}

#[test]
fn a_name_is_written_where_it_is_looked_up() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    let doppio = Doppio::new().env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", "root");
    let config = |template: &str| {
        let text = format!("keyring = false\ndefault_source = \"{template}\"\n");
        fs::write(doppio.doppio_home().join("config.toml"), text).unwrap();
    };
    let set = |name: &str, value: &str| {
        doppio.run_with_stdin(["secret", "set", name, "--from-stdin", "--in", "vault"], value)
    };
    config("vault:kv/{profile}/{name}");
    let ran = set("team/key", "first value").expect(0);
    assert!(ran.stderr.contains("stored `team/key` in Vault at"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" as `kv/default/team/key`\n"), "{}", ran.stderr);
    assert_eq!(bao.bao(&["kv", "get", "-field=value", "kv/default/team/key"]), "first value");
    assert_eq!(doppio.reveal("team/key"), "first value");
    doppio.run(["secret", "mv", "team/key", "team/other", "--in", "vault"]).expect(0);
    let ran = doppio
        .run_with_stdin(["secret", "rotate", "team/other", "--from-stdin", "--in", "vault"], "second value");
    ran.expect(0);
    assert_eq!(doppio.reveal("team/other"), "second value");
    let history = doppio.run(["secret", "history", "team/other", "--in", "vault"]).expect(0);
    assert_eq!(history.stdout.lines().count(), 2, "{}", history.stdout);
    doppio.run(["secret", "rollback", "team/other@1", "--in", "vault"]).expect(0);
    assert_eq!(doppio.reveal("team/other"), "first value");
    doppio.run(["secret", "rm", "team/other", "--in", "vault"]).expect(0);
    assert_eq!(doppio.run(["secret", "list", "--in", "vault"]).expect(0).stdout, "");
    // A template with a property: a key of one record.
    config("vault:kv/app#{name}");
    set("team/key", "of the record").expect(0);
    set("team/two", "beside it").expect(0);
    assert_eq!(doppio.reveal("team/key"), "of the record");
    assert_eq!(doppio.reveal("vault:kv/app#team/two"), "beside it");
    let why = doppio.run(["secret", "why", "team/two"]).expect(0).stdout;
    assert!(why.contains("`kv/app#team/two` -> used"), "{why}");
    let ran = doppio.run(["secret", "rm", "team/two", "--in", "vault"]).expect(2);
    assert!(ran.stderr.contains("run `vault kv patch -remove-data=team/two kv/app`"), "{}", ran.stderr);
    bao.bao(&["kv", "patch", "-remove-data=team/two", "kv/app"]);
    doppio.run(["secret", "get", "team/two"]).expect(3);
    assert_eq!(doppio.reveal("team/key"), "of the record");
    // Without one, the name is a path, if it has a mount.
    config("env:{name}");
    set("kv/plain", "by its path").expect(0);
    assert_eq!(bao.bao(&["kv", "get", "-field=value", "kv/plain"]), "by its path");
    let ran = set("alone", "hunter2 hunter2").expect(2);
    assert!(ran.stderr.contains("`alone` can't be stored in Vault"), "{}", ran.stderr);
    assert!(ran.stderr.contains("default_source = \"vault:MOUNT/{name}\""), "{}", ran.stderr);
    let ran = set("no/mount", "hunter2 hunter2").expect(3);
    assert!(ran.stderr.contains("has no engine mounted at `no/data/mount`"), "{}", ran.stderr);
}
