//! Credentials on a real server: values in the environment, files in memory, nothing left.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Command;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

const TOKEN: &str = "hf_theTokenThatMustNotBeSeenAnywhere01";
const KEY: &str = "the-private-key-that-must-not-stay";

/// A machine with credentials, and a host of its own.
struct Scene {
    world: Doppio,
    server: Sshd,
}

impl Scene {
    fn new() -> Self {
        let world = Doppio::new().env("DOPPIO_KEYRING", "off");
        let server = Sshd::start(Variant::Stock);
        world.hosts(&format!("{}trust = \"owned\"\n", server.hosts_toml("box")));
        let files = [
            (".cache/huggingface/token", TOKEN.to_owned()),
            (
                ".config/gcloud/application_default_credentials.json",
                format!(r#"{{"type":"service_account","project_id":"p-1","private_key":"{KEY}"}}"#),
            ),
            (
                ".docker/config.json",
                format!(r#"{{"auths":{{"r.example":{{"auth":"{KEY}"}}}},"HttpHeaders":{{}}}}"#),
            ),
        ];
        for (path, text) in files {
            let path = world.home().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { world, server }
    }

    fn run(&self, step: &str) -> Ran {
        self.world.file("r.toml", format!("[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\n{step}"));
        self.world.run(["run", "r.toml", "--host", "box", "--output", "plain"])
    }

    /// Everything below the places where files may be, as the server sees it.
    fn left(&self) -> Vec<String> {
        let root = self.server.root();
        let mut left = Vec::new();
        for place in
            ["dev/shm", "run/user", "tmp", self.server.home().to_str().unwrap().trim_start_matches('/')]
        {
            let found = Command::new("find").arg(root.join(place)).output().unwrap();
            let found = String::from_utf8_lossy(&found.stdout).into_owned();
            left.extend(found.lines().filter(|path| path.contains("/doppio-")).map(str::to_owned).filter(
                |path| {
                    // The server's own folder is called that as well.
                    !path.rsplit('/').next().is_some_and(|name| name.starts_with("doppio-sshd-"))
                        && path.rsplit("/doppio-").next().is_some_and(|rest| !rest.starts_with("sshd-"))
                },
            ));
        }
        left
    }
}

/// What stands in argument lists of the host, told by a program that has the token from its
/// environment.
const ARGV: &str = r#"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | awk 'index($0, ENVIRON["HF_TOKEN"]) { n++ } END { print "argv " n + 0 }'"#;

#[test]
fn values_and_files_arrive_and_are_gone_afterwards() {
    let scene = Scene::new();
    let command = format!(
        r#"printf %s "$HF_TOKEN" | wc -c
stat -c '%a %F' "$GOOGLE_APPLICATION_CREDENTIALS" "${{GOOGLE_APPLICATION_CREDENTIALS%/*}}"
grep -c private_key "$GOOGLE_APPLICATION_CREDENTIALS"
echo "project $GOOGLE_CLOUD_PROJECT"
ls "$DOCKER_CONFIG"
grep -c HttpHeaders "$DOCKER_CONFIG/config.json" || true
stat -f -c %T "$GOOGLE_APPLICATION_CREDENTIALS"
{ARGV}
cat "$GOOGLE_APPLICATION_CREDENTIALS""#
    );
    let ran = scene.run(&format!(
        "credentials = [\"huggingface\", \"gcp\", \"docker\"]\nssh_command = {{ command = '''{command}''' }}\n"
    ));
    let ran = ran.expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for line in [
        "38",
        "600 regular file",
        "700 directory",
        "project p-1",
        "config.json",
        "tmpfs",
        "argv 0",
        "the files of its secrets are gone from `box`",
    ] {
        assert!(said.contains(line), "no `{line}` in\n{said}");
    }
    assert!(!said.contains(TOKEN) && !said.contains(KEY), "{said}");
    assert_eq!(scene.left(), Vec::<String>::new());
}

#[test]
fn what_a_tool_needs_beside_the_secret_arrives_too() {
    let scene = Scene::new();
    let password = "thePasswordInsideTheNetrc";
    let home = scene.world.home();
    fs::write(home.join(".netrc"), format!("machine m.example password {password}\n")).unwrap();
    fs::write(home.join(".npmrc"), "//npm.example/:_authToken=npm_theTokenOfTheRegistry\n").unwrap();
    let command = r#"cat "$NPM_CONFIG_USERCONFIG"; echo "${#NPM_TOKEN}"
awk '/password/ { print "it is " $2 }' "$NETRC"
python3 -c 'import netrc, os; print(len(netrc.netrc(os.environ["NETRC"]).authenticators("m.example")[2]) == 25)'"#;
    let quoted = serde_json::Value::from(command).to_string();
    let ran = scene.run(&format!(
        "credentials = [\"npm:npm.example\", \"netrc\"]\nssh_command = {{ command = {quoted} }}\n"
    ));
    let ran = ran.expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for line in ["//npm.example/:_authToken=${NPM_TOKEN}", "26", "it is ***", "True"] {
        assert!(said.contains(line), "no `{line}` in\n{said}");
    }
    assert!(!said.contains(password), "{said}");
    assert_eq!(scene.left(), Vec::<String>::new());
}

#[test]
fn a_login_in_an_address_is_masked_too() {
    let world = Doppio::new()
        .env("DOPPIO_KEYRING", "off")
        .env("OPENAI_API_KEY", "sk-theKeyThatMustNotBeSeenAnywhere")
        .env("OPENAI_BASE_URL", "https://up:loadpasshunter@openai.example/v1");
    let pypirc = "[priv]\npassword = pypi-theTokenOfTheIndex\n\
                  repository = https://up:p%40ss-of-the-index@pypi.example/simple\n";
    fs::write(world.home().join(".pypirc"), pypirc).unwrap();
    let script = "import os, urllib.parse as u\n\
                  print('meant', u.unquote(u.urlsplit(os.environ['TWINE_REPOSITORY_URL']).password))\n";
    let script = world.file("meant.py", script);
    let recipe = format!(
        "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\ncredentials = [\"pypi:priv\", \"openai\"]\n\
         local_command = {{ command = \"env; python3 {}\" }}\n",
        script.display()
    );
    world.file("r.toml", recipe);
    let ran = world.run(["run", "r.toml", "--output", "plain"]).expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("TWINE_REPOSITORY_URL=https://***@pypi.example/simple"), "{said}");
    assert!(said.contains("OPENAI_BASE_URL=https://***@openai.example/v1"), "{said}");
    assert!(said.contains("meant ***"), "{said}");
    let kept =
        Command::new("grep").args(["-rlE", "loadpasshunter|ss-of-the-index"]).arg(world.home()).output();
    let kept = String::from_utf8(kept.unwrap().stdout).unwrap();
    let pypirc = world.home().join(".pypirc").display().to_string();
    assert_eq!(kept.trim(), pypirc, "only where the user wrote it");
}

#[test]
fn the_key_of_a_kubeconfig_is_masked_when_it_is_decoded() {
    let scene = Scene::new();
    let lines = [
        "MHcCAQEEIBkqOfTheClientsKeyWhichNobodyMaySee01",
        "AwEHoUQDQgAESecondLineOfThatSameKeyOfTheClient02",
    ];
    let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n", lines.join("\n"));
    let key = data_encoding::BASE64.encode(pem.as_bytes());
    let config = format!(
        "current-context: c\ncontexts:\n- {{name: c, context: {{cluster: k, user: u}}}}\n\
         clusters:\n- {{name: k, cluster: {{server: 'https://k.example'}}}}\n\
         users:\n- {{name: u, user: {{client-key-data: {key}, password: short}}}}\n"
    );
    fs::create_dir_all(scene.world.home().join(".kube")).unwrap();
    fs::write(scene.world.home().join(".kube/config"), &config).unwrap();
    let command = "grep -o \"client-key-data[^,}]*\" \"$KUBECONFIG\" | grep -oE \"[A-Za-z0-9+/=]{40,}\" | base64 -d | sed -n 2,3p; \
                   grep -o \"short\" \"$KUBECONFIG\"";
    let step = format!("credentials = [\"kubeconfig\"]\nssh_command = {{ command = '{command}' }}\n");
    let ran = scene.run(&step).expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(said.matches("s | ***").count(), 3, "{said}");
    assert!(lines.iter().all(|line| !said.contains(line)) && !said.contains("short"), "{said}");
}

#[test]
fn a_token_of_github_goes_with_the_host_it_is_for() {
    let gets = |world: &Doppio, credential: &str, code: i32| {
        let command = "echo \"host=${GH_HOST:-none} ours=${#GH_TOKEN} theirs=${#GH_ENTERPRISE_TOKEN}\"";
        let text = format!(
            "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\ncredentials = [\"{credential}\"]\n\
             ssh_command = {{ command = '{command}' }}\n"
        );
        world.file("r.toml", text);
        let ran = world.run(["run", "r.toml", "--host", "sandbox", "--output", "plain"]).expect(code);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    let (token, enterprise) = ("gho_TheTokenOfTheVendorsHost", "theTokenOfTheServerOfOurOwn");
    let world =
        Doppio::new().env("DOPPIO_KEYRING", "off").env("GH_HOST", "ghe.example").env("GH_TOKEN", token);
    assert!(gets(&world, "github:github.com", 0).contains("host=none ours=28 theirs=0"));
    let world = Doppio::with_vault();
    world.store("github/enterprise_token", enterprise);
    let said = gets(&world, "github", 3);
    assert!(said.contains("it does not say which host it is for: set `GH_HOST`"), "{said}");
    world.store("github/token", token);
    assert!(gets(&world, "github", 0).contains("host=none ours=28 theirs=0"));
    let world = world.env("GH_HOST", "ghe.example");
    assert!(gets(&world, "github", 0).contains("host=ghe.example ours=0 theirs=27"));
}

#[test]
fn the_name_of_a_user_is_no_secret() {
    let world = Doppio::with_vault();
    let home = world.home();
    fs::write(home.join(".git-credentials"), "https://x:thePasswordOfGit@git.example\n").unwrap();
    fs::create_dir_all(home.join(".kaggle")).unwrap();
    fs::write(home.join(".kaggle/kaggle.json"), r#"{"username":"bob","key":"theKeyOfKaggle"}"#).unwrap();
    let text = "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\ncredentials = [\"git\", \"kaggle\"]\n\
                ssh_command = { command = 'echo \"$DOPPIO_GIT_USERNAME:$DOPPIO_GIT_PASSWORD $KAGGLE_USERNAME:$KAGGLE_KEY\"' }\n";
    world.file("r.toml", text);
    let said = || {
        let ran = world.run(["run", "r.toml", "--host", "sandbox", "--output", "plain"]).expect(0);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    assert!(said().contains("x:*** bob:***"), "{}", said());
    world.run(["secret", "import", "--provider", "kaggle", "--yes"]).expect(0);
    fs::remove_file(home.join(".kaggle/kaggle.json")).unwrap();
    assert!(said().contains("x:*** bob:***"), "{}", said());
}

#[test]
fn a_registry_may_be_entered_with_a_token_alone() {
    let scene = Scene::new();
    let token = "theIdentityTokenOfTheRegistry";
    let login = data_encoding::BASE64.encode(b"00000000-0000-0000-0000-000000000000:");
    let config = format!(r#"{{"auths":{{"r.example":{{"auth":"{login}","identitytoken":"{token}"}}}}}}"#);
    fs::write(scene.world.home().join(".docker/config.json"), config).unwrap();
    let step = "credentials = [\"docker\"]\nssh_command = { command = 'tr , \"\\n\" <\"$DOCKER_CONFIG/config.json\"' }\n";
    let ran = scene.run(step).expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("identitytoken") && !said.contains(token), "{said}");
}

#[test]
fn nothing_is_left_by_a_step_that_fails_or_kills_its_shell() {
    let scene = Scene::new();
    for command in ["ls $GOOGLE_APPLICATION_CREDENTIALS; exit 3", "kill -9 $PPID; sleep 0.2", "kill -9 $$"] {
        let ran = scene.run(&format!("credentials = [\"gcp\"]\nssh_command = {{ command = '{command}' }}\n"));
        assert_ne!(ran.code, 0, "{}", ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("the files of its secrets are gone"), "{command}\n{said}");
        assert_eq!(scene.left(), Vec::<String>::new(), "{command}");
    }
}

#[test]
fn nothing_is_left_by_a_run_that_is_cancelled() {
    let scene = Scene::new();
    let step = "credentials = [\"gcp\"]\nssh_command = { command = 'test -s $GOOGLE_APPLICATION_CREDENTIALS && echo it-is-there; sleep 600' }\n";
    scene.world.file("r.toml", format!("[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\n{step}"));
    let mut child = scene.world.start(["run", "r.toml", "--host", "box", "--output", "json"]);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = String::new();
    for line in lines {
        let line = line.unwrap();
        if line.contains("it-is-there") && !said.contains("it-is-there") {
            let pid = child.id().to_string();
            assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        }
        said.push_str(&line);
    }
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("the files of its secrets are gone"), "{said}");
    assert_eq!(scene.left(), Vec::<String>::new());
}

#[test]
fn a_local_step_gets_them_as_well() {
    let scene = Scene::new();
    let step = "credentials = [\"gcp\", \"hf\"]\nlocal_command = { command = 'stat -c %a \"$GOOGLE_APPLICATION_CREDENTIALS\"; echo \"$GOOGLE_APPLICATION_CREDENTIALS\"; printf %s \"$HF_TOKEN\" | wc -c' }\n";
    let ran = scene.run(step).expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let path = said.split_whitespace().find(|word| word.ends_with("/credentials.json")).expect("a path");
    assert!(said.contains("600") && said.contains("38"), "{said}");
    assert!(!fs::exists(path).unwrap(), "{path} is left");
}

#[test]
fn defaults_and_hosts_name_credentials_too() {
    let scene = Scene::new();
    let entry = scene.server.hosts_toml("box");
    scene.world.hosts(&format!("{entry}trust = \"owned\"\ncredentials = [\"gcp\"]\n"));
    let recipe = "[recipe]\nname = \"r\"\n[defaults]\ncredentials = [\"huggingface\"]\n\
                  [[step]]\nid = \"a\"\nssh_command = { command = 'echo \"${#HF_TOKEN} ${GOOGLE_CLOUD_PROJECT}\"' }\n\
                  [[step]]\nid = \"b\"\ncredentials = []\nssh_command = { command = 'echo \"b:${HF_TOKEN:-none}\"' }\n\
                  [[step]]\nid = \"c\"\nsleep = { duration_secs = 0 }\n";
    scene.world.file("r.toml", recipe);
    let ran = scene.world.run(["run", "r.toml", "--host", "box", "--output", "plain"]).expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("38 p-1") && said.contains("b:none"), "{said}");
}
