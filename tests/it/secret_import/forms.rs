//! What a file is: recognised, and read as that, or refused; and what may be removed.

use doppio_test_support::Doppio;

use super::names;

const TOKEN: &str = "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";

fn import(doppio: &Doppio, file: &str, code: i32) -> String {
    let ran = doppio.run(["secret", "import", file, "--yes", "--remove-source"]).expect(code);
    let shown = ran.stdout + &ran.stderr;
    assert!(!shown.contains(&TOKEN[3..]), "{shown}");
    shown
}

fn is_there(doppio: &Doppio, file: &str) -> bool {
    doppio.folder().join("project").join(file).exists()
}

// case J2
#[test]
fn what_is_not_a_file_of_secrets_is_refused_and_stays() {
    let doppio = Doppio::with_vault();
    let workflow = format!(
        "on: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    env:\n      HF_TOKEN: {TOKEN}\n    steps:\n    - run: make\n"
    );
    for (file, text, what) in [
        ("deploy.yml", workflow.as_str(), "is a GitHub Actions workflow"),
        (
            "job.yaml",
            "target:\n  service: sing\njobs:\n- name: a\n  sku: G1\n  command: [x]\n",
            "is an amlt job",
        ),
        ("compose.yaml", "services:\n  db:\n    image: x\n", "is a Compose file"),
        ("pod.yaml", "apiVersion: v1\nkind: Pod\nspec: {}\n", "is a Kubernetes Pod"),
    ] {
        doppio.file(file, text);
        let shown = import(&doppio, file, 2);
        assert!(shown.contains(what) && shown.contains(&format!("doppio secret scan {file}")), "{shown}");
        assert!(is_there(&doppio, file));
    }
    assert!(!doppio.doppio_home().join("vault.age").exists());
}

// case J2
#[test]
fn the_texts_of_a_python_module_are_taken_and_its_code_stays() {
    let doppio = Doppio::with_vault();
    let settings =
        format!("import os\nHF_TOKEN = r\"{TOKEN}\"\nLR: float = 1e-3\n\ndef model():\n    return 'x'\n");
    doppio.file("config.py", settings);
    let shown = import(&doppio, "config.py", 3);
    assert!(shown.contains("new      huggingface/token"), "{shown}");
    assert!(shown.contains("LR (line 3): the value is an expression of Python"), "{shown}");
    assert!(is_there(&doppio, "config.py"));
    assert_eq!(doppio.reveal("huggingface/token"), TOKEN);
    // Nothing but secrets and code: the code stays, and with it the file.
    doppio.file("code.py", format!("HF_TOKEN: str = \"{TOKEN}\"\nprint(HF_TOKEN)\n"));
    let shown = import(&doppio, "code.py", 3);
    assert!(shown.contains("was not removed: it holds code, too (line 2)"), "{shown}");
    assert!(is_there(&doppio, "code.py"));
    doppio.file("secrets_local.py", format!("import os\nos.environ[\"HF_TOKEN\"] = '{TOKEN}'\n"));
    import(&doppio, "secrets_local.py", 0);
    assert!(!is_there(&doppio, "secrets_local.py"));
}

// case J2
#[test]
fn expressions_are_not_values() {
    let doppio = Doppio::with_vault();
    for (file, text) in [
        ("a.py", "HF_TOKEN = os.environ[\"HF_TOKEN\"]\n"),
        ("b.py", "HF_TOKEN = f\"hf_{rest}\"\n"),
        (".hf_secrets", "export HF_TOKEN=$(cat ~/.token)\n"),
        (".env", "HF_TOKEN=${OTHER_TOKEN}\n"),
        ("a.json", "{\"HF_TOKEN\": \"os.environ['HF_TOKEN']\"}"),
        ("a.yaml", "HF_TOKEN: ${{ secrets.HF_TOKEN }}\n"),
    ] {
        doppio.file(file, text);
        let shown = import(&doppio, file, 3);
        assert!(shown.contains("refused  huggingface/token"), "{file}: {shown}");
        assert!(is_there(&doppio, file));
    }
    assert!(!doppio.doppio_home().join("vault.age").exists());
}

// case J2
#[test]
fn a_kubernetes_secret_is_decoded() {
    let doppio = Doppio::with_vault();
    let data = data_encoding::BASE64.encode(TOKEN.as_bytes());
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\ntype: Opaque\ndata:\n  HF_TOKEN: {data}\n  db-password: aHVudGVyMg==\n"
    );
    doppio.file("secret.yaml", secret);
    import(&doppio, "secret.yaml", 0);
    assert_eq!(names(&doppio), ["app/db-password", "huggingface/token"]);
    assert_eq!([doppio.reveal("huggingface/token"), doppio.reveal("app/db-password")], [TOKEN, "hunter2"]);
}

// case J2
#[test]
fn a_file_with_settings_is_never_removed() {
    let doppio = Doppio::with_vault();
    doppio.file(".env", format!("HF_TOKEN={TOKEN}\nLOG_LEVEL=debug\n"));
    let shown = import(&doppio, ".env", 3);
    assert!(shown.contains("`LOG_LEVEL` (line 2) does not look like a secret"), "{shown}");
    assert!(is_there(&doppio, ".env"));
    assert_eq!(doppio.reveal("huggingface/token"), TOKEN);
}

// case G8
#[test]
fn files_of_tools_are_taken_as_what_they_are() {
    let doppio = Doppio::with_vault();
    let key = "0b6f5a7ce3d148e2b9a1c4d7f0e3b6a9";
    doppio.file("kaggle.json", format!("{{\"username\":\"ada\",\"key\":\"{key}\"}}"));
    import(&doppio, "kaggle.json", 0);
    let google =
        "{\n  \"type\": \"service_account\",\n  \"project_id\": \"p\",\n  \"private_key\": \"x\"\n}\n";
    doppio.file("key.json", google);
    import(&doppio, "key.json", 0);
    assert_eq!(names(&doppio), ["gcp/credentials", "kaggle/key", "kaggle/username"]);
    assert_eq!(doppio.reveal("gcp/credentials"), google);
    let netrc = format!(
        "machine huggingface.co login ada password {TOKEN}\nmachine x.corp login me password hunter22\n"
    );
    doppio.file(".netrc", netrc);
    let shown = import(&doppio, ".netrc", 3);
    assert!(shown.contains("nothing says what it is for: use `--map x.corp=NAME`"), "{shown}");
    assert!(is_there(&doppio, ".netrc"));
    assert_eq!(doppio.reveal("huggingface/token"), TOKEN);
    doppio.file("kubeconfig", "apiVersion: v1\nkind: Config\nclusters: []\n");
    let shown = import(&doppio, "kubeconfig", 2);
    assert!(shown.contains("doppio secret import --provider kubeconfig"), "{shown}");
}

// case J12
#[test]
fn one_table_says_what_a_variable_is_for() {
    for variable in ["HF_API_TOKEN", "HUGGINGFACE_API_KEY", "HUGGINGFACEHUB_API_TOKEN", "HUGGINGFACE_TOKEN"] {
        let doppio = Doppio::with_vault().env(variable, TOKEN);
        let ran = doppio.run(["secret", "why", "huggingface/token"]).expect(0);
        assert!(ran.stdout.contains(&format!("the environment: `{variable}` -> used")), "{}", ran.stdout);
        doppio.file(".env", format!("{variable}={TOKEN}\n"));
        import(&doppio, ".env", 0);
        assert_eq!(names(&doppio), ["huggingface/token"]);
    }
    let doppio = Doppio::with_vault();
    let google = "{\"type\": \"service_account\"}";
    doppio.file(".env", format!("GCP_SERVICE_ACCOUNT='{google}'\n"));
    import(&doppio, ".env", 0);
    assert_eq!(doppio.reveal("gcp/credentials"), google);
    // The variables that are not set are not listed one by one.
    let ran = doppio.run(["secret", "why", "huggingface/token"]).expect(3);
    assert!(!ran.stdout.contains("HUGGINGFACEHUB"), "{}", ran.stdout);
}

// case J11
#[test]
fn placeholders_and_empty_lines_are_nothing_lost() {
    let doppio = Doppio::with_vault();
    let text = "OPENAI_API_KEY=sk-...\nANTHROPIC_API_KEY=sk-ant-...\nDATABASE_URL=postgresql://...\nWANDB_API_KEY=\n";
    doppio.file(".env", format!("{text}HF_TOKEN={TOKEN}\n"));
    let shown = import(&doppio, ".env", 0);
    assert_eq!(shown.matches("skipped").count(), 4, "{shown}");
    assert_eq!(names(&doppio), ["huggingface/token"]);
    assert!(!is_there(&doppio, ".env"));
    let ran = doppio.run_with_stdin(["secret", "set", "openai/api_key", "--from-stdin"], "sk-...").expect(2);
    assert!(ran.stderr.contains("is only a placeholder"), "{}", ran.stderr);
}

// case G9
#[test]
fn texts_of_windows_are_converted_and_said() {
    let doppio = Doppio::with_vault();
    let wide = |text: &str| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    doppio.file("wide.env", wide(&format!("HF_TOKEN={TOKEN}\r\n")));
    let shown = import(&doppio, "wide.env", 0);
    assert!(shown.contains("note: `wide.env` is UTF-16 text: it was converted to UTF-8"), "{shown}");
    assert!(!is_there(&doppio, "wide.env"));
    assert_eq!(doppio.reveal("huggingface/token"), TOKEN);
    let file = doppio.file("token.txt", wide("hunter2 wide\r\n"));
    let file = file.to_str().unwrap();
    let ran = doppio.run(["secret", "set", "team/key", "--from-file", file]).expect(0);
    assert!(ran.stderr.contains("is UTF-16 text"), "{}", ran.stderr);
    assert_eq!(doppio.reveal("team/key"), "hunter2 wide");
    doppio.file("token.txt", b"\xef\xbb\xbfhunter2 marked\n");
    let ran = doppio.run(["secret", "set", "team/key", "--from-file", file]).expect(0);
    assert!(ran.stderr.contains("begins with a byte order mark"), "{}", ran.stderr);
    assert_eq!(doppio.reveal("team/key"), "hunter2 marked");
}

// case J3
#[test]
fn a_name_goes_where_the_settings_say() {
    let doppio = Doppio::with_vault();
    let source = "default_source = \"file:ml-workflow/{profile}/{name}\"\n";
    std::fs::write(
        doppio.doppio_home().join("config.toml"),
        format!("{source}[profile.prod]\n[vault]\nwork_factor = 10\n"),
    )
    .unwrap();
    doppio.file(".env", format!("HF_TOKEN={TOKEN}\nDATABASE_URL=postgres://a:hunter22@h/d\n"));
    let shown = import(&doppio, ".env", 0);
    assert!(shown.contains("new  ml-workflow/default/huggingface/token  HF_TOKEN (line 1)"), "{shown}");
    assert_eq!(
        names(&doppio),
        ["ml-workflow/default/env/DATABASE_URL", "ml-workflow/default/huggingface/token"]
    );
    assert_eq!(doppio.reveal("huggingface/token"), TOKEN);
    let set = ["secret", "set", "team/key", "--from-stdin", "--profile", "prod"];
    doppio.run_with_stdin(set, "hunter2 prod").expect(0);
    assert_eq!(doppio.reveal("file:ml-workflow/prod/team/key"), "hunter2 prod");
}

// case J7
#[test]
fn a_document_is_a_unit() {
    let doppio = Doppio::with_vault();
    doppio.file(".env", format!("HF_TOKEN={TOKEN}\nDB_PASSWORD=hunter2-db\n"));
    let into = ["secret", "import", ".env", "--into", "app/prod", "--yes"];
    let ran = doppio.run(into).expect(0);
    assert!(ran.stdout.contains("new  app/prod#HF_TOKEN     HF_TOKEN (line 1)"), "{}", ran.stdout);
    assert_eq!(names(&doppio), ["app/prod"]);
    assert_eq!(doppio.reveal("app/prod#DB_PASSWORD"), "hunter2-db");
    // One key of it, and none of the others.
    doppio.run_with_stdin(["secret", "set", "app/prod#DB_PASSWORD", "--from-stdin"], "hunter2 new").expect(0);
    assert_eq!(
        [doppio.reveal("app/prod#DB_PASSWORD"), doppio.reveal("app/prod#HF_TOKEN")],
        ["hunter2 new", TOKEN]
    );
    let ran = doppio.run(into).expect(3);
    assert!(ran.stdout.contains("differs  app/prod#DB_PASSWORD"), "{}", ran.stdout);
    // All of it, as environment and as a file.
    let script = format!("test \"$HF_TOKEN $DB_PASSWORD\" = '{TOKEN} hunter2 new'");
    doppio.run(["secret", "exec", "--all-of", "app/prod", "--", "sh", "-c", &script]).expect(0);
    let export = ["secret", "export", "--format", "docker", "--all-of", "app/prod", "--reveal", "--force"];
    let exported = doppio.run(export).expect(0).stdout;
    assert_eq!(exported, format!("HF_TOKEN={TOKEN}\nDB_PASSWORD=hunter2 new\n"));
    doppio.store("plain/key", "hunter2 plain");
    let ran = doppio.run_with_stdin(["secret", "set", "plain/key#A", "--from-stdin"], "hunter2 a").expect(2);
    assert!(ran.stderr.contains("it is not a JSON object"), "{}", ran.stderr);
}
