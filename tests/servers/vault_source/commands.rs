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

// case J3
#[test]
fn an_import_and_a_copy_go_where_the_settings_say() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=ml-workflow", "-version=2", "kv"]);
    let doppio = Doppio::with_vault().env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", "root");
    let config = "default_source = \"vault:ml-workflow/dev/{name}\"\n[vault]\nwork_factor = 10\n";
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    doppio.file(".env", "DATABASE_URL=postgres://a:hunter22@h/d\nHF_TOKEN=hunter2-hf\n");
    doppio.run(["secret", "import", ".env", "--in", "vault", "--yes"]).expect(0);
    let field = |path: &str| bao.bao(&["kv", "get", "-field=value", path]);
    assert_eq!(field("ml-workflow/dev/env/DATABASE_URL"), "postgres://a:hunter22@h/d");
    assert_eq!(doppio.reveal("huggingface/token"), "hunter2-hf");
    doppio
        .run_with_stdin(["secret", "set", "team/key", "--from-stdin", "--in", "file"], "hunter2 team")
        .expect(0);
    doppio.run(["secret", "copy", "--from", "file", "--to", "vault", "--yes"]).expect(0);
    assert_eq!(field("ml-workflow/dev/team/key"), "hunter2 team");
    // The way back: a name is a name again.
    let back = ["secret", "copy", "--from", "vault", "--to", "file", "huggingface/token", "--yes"];
    doppio.run(back).expect(0);
    assert_eq!(doppio.reveal("file:huggingface/token"), "hunter2-hf");
    let ran = doppio.run(["secret", "copy", "--from", "vault", "--to", "file", "--yes"]).expect(0);
    assert!(ran.stdout.contains("new   env/DATABASE_URL"), "{}", ran.stdout);
}

// case J4
#[test]
fn a_rotation_of_a_key_leaves_nothing_in_the_shared_record() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["secrets", "enable", "-path=old", "-version=1", "kv"]);
    let doppio = Doppio::new().env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", "root");
    for mount in ["kv", "old"] {
        let text = format!("keyring = false\ndefault_source = \"vault:{mount}/app#{{name}}\"\n");
        fs::write(doppio.doppio_home().join("config.toml"), text).unwrap();
        bao.bao(&["kv", "put", &format!("{mount}/app"), "key=hunter2 one", "other=stays"]);
        for value in ["hunter2 two", "hunter2 three"] {
            doppio
                .run_with_stdin(["secret", "rotate", "key", "--from-stdin", "--in", "vault"], value)
                .expect(0);
        }
        let record = bao.bao(&["kv", "get", "-format=json", "-field=data", &format!("{mount}/app")]);
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        assert_eq!(record, serde_json::json!({ "key": "hunter2 three", "other": "stays" }), "{mount}");
        doppio.run(["secret", "rollback", "key@previous", "--in", "vault"]).expect(0);
        assert_eq!(doppio.reveal("key"), "hunter2 two", "{mount}");
    }
    assert_eq!(bao.bao(&["kv", "list", "-format=json", "kv"]).replace([' ', '\n'], ""), "[\"app\"]");
}

// case J5
#[test]
fn a_json_object_becomes_the_keys_of_the_record() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    let doppio = Doppio::new().env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", "root");
    let set = |value: &str| {
        doppio.run_with_stdin(["secret", "set", "kv/doc", "--from-stdin", "--in", "vault"], value)
    };
    set("{\"USER\": \"ada\", \"PASSWORD\": \"hunter2 one\", \"port\": 5432}").expect(0);
    assert_eq!(doppio.reveal("vault:kv/doc#PASSWORD"), "hunter2 one");
    assert_eq!(bao.bao(&["kv", "get", "-field=PASSWORD", "kv/doc"]), "hunter2 one");
    let whole: serde_json::Value = serde_json::from_str(&doppio.reveal("vault:kv/doc")).unwrap();
    assert_eq!(whole["port"], 5432);
    // What only looks like one stays a value.
    for value in ["[1, 2, 3, 4]", "{\"value\": \"hunter2\"}", "{}aa", "{\"a\": 1, \"a\": 2}"] {
        let path = "kv/plain";
        let set = ["secret", "set", path, "--from-stdin", "--in", "vault"];
        doppio.run_with_stdin(set, value).expect(0);
        assert_eq!(doppio.reveal("vault:kv/plain"), value);
    }
}

// case J7
#[test]
fn a_record_is_written_and_handed_over_as_a_unit() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    let doppio =
        Doppio::new().env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", "root").env("DOPPIO_KEYRING", "off");
    doppio.file("app.env", "DB_USER_KEY=hunter2-user\nDB_PASSWORD=hunter2-old\n");
    doppio.run(["secret", "import", "app.env", "--into", "kv/app", "--in", "vault", "--yes"]).expect(0);
    assert_eq!(bao.bao(&["kv", "get", "-field=DB_PASSWORD", "kv/app"]), "hunter2-old");
    // All keys at once are one version.
    assert!(bao.bao(&["kv", "metadata", "get", "-format=json", "kv/app"]).contains("\"current_version\": 1"));
    let set = ["secret", "set", "kv/app#DB_PASSWORD", "--from-stdin", "--in", "vault"];
    doppio.run_with_stdin(set, "hunter2 new").expect(0);
    let script = "test \"$DB_USER_KEY $DB_PASSWORD\" = 'hunter2-user hunter2 new'";
    doppio.run(["secret", "exec", "--all-of", "vault:kv/app", "--", "sh", "-c", script]).expect(0);
}
