//! Each provider beside the vendor's own code, on the same home and the same environment.

use std::fs;

use doppio_test_support::Doppio;

use crate::support::venv;

/// A machine: variables, and files of its home. `~` in a variable is that home.
struct Machine<'a> {
    variables: &'a [(&'a str, &'a str)],
    files: &'a [(&'a str, &'a str)],
}

impl Machine<'_> {
    fn world(&self) -> Doppio {
        let mut world = Doppio::new().env("DOPPIO_KEYRING", "off");
        for (path, text) in self.files {
            world.private(&format!("home/{path}"), text);
        }
        let home = world.home().display().to_string();
        for (name, value) in self.variables {
            world = world.env(*name, value.replace('~', &home));
        }
        fs::write(world.doppio_home().join("config.toml"), "discover = true\n").unwrap();
        world
    }

    /// What the vendor's code prints; nothing where it finds nothing, or raises.
    fn vendors(world: &Doppio, code: &str) -> String {
        let home = world.home();
        let output = world
            .command(["version"])
            .get_envs()
            .fold(&mut std::process::Command::new(venv::python()), |python, (name, value)| match value {
                Some(value) => python.env(name, value),
                None => python,
            })
            .env_remove("DOPPIO_HOME")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_GCE_CHECK", "true")
            .env("PYTHONWARNINGS", "ignore")
            .args(["-c", code])
            .current_dir(&home)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("ImportError") && !stderr.contains("ModuleNotFound"), "{stderr}");
        assert!(!stderr.contains("AttributeError") && !stderr.contains("SyntaxError"), "{stderr}");
        if output.status.success() {
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        } else {
            String::new()
        }
    }

    /// What Doppio finds under a name; nothing where it finds nothing, or says why it can't.
    fn ours(world: &Doppio, name: &str) -> String {
        let ran = world.run(["secret", "get", name, "--reveal", "--force"]);
        if ran.code == 0 { ran.stdout.trim().to_owned() } else { String::new() }
    }
}

/// Compares one name. `expected` guards against two that agree on nothing.
#[track_caller]
fn agree(machine: &Machine<'_>, name: &str, code: &str, expected: &str) {
    let world = machine.world();
    let (theirs, ours) = (Machine::vendors(&world, code), Machine::ours(&world, name));
    assert_eq!(theirs, expected, "the vendor, with {:?}", machine.variables);
    assert_eq!(ours, expected, "Doppio, with {:?}", machine.variables);
}

const HF: &str = "from huggingface_hub import get_token; print(get_token() or '')";

#[test]
fn huggingface_hub_agrees() {
    let name = "huggingface/token";
    let usual = &[(".cache/huggingface/token", "hf_of_the_usual_file\n")][..];
    agree(&Machine { variables: &[], files: usual }, name, HF, "hf_of_the_usual_file");
    agree(&Machine { variables: &[("HF_TOKEN", "hf_of_env")], files: usual }, name, HF, "hf_of_env");
    agree(
        &Machine { variables: &[("HUGGING_FACE_HUB_TOKEN", "hf_old_env")], files: usual },
        name,
        HF,
        "hf_old_env",
    );
    agree(&Machine { variables: &[("HF_TOKEN", "")], files: usual }, name, HF, "hf_of_the_usual_file");
    let elsewhere = &[
        ("hub/token", "hf_of_hf_home"),
        ("one/file", "  hf_of_path \r\n"),
        ("c/huggingface/token", "hf_xdg"),
    ];
    agree(&Machine { variables: &[("HF_HOME", "~/hub")], files: elsewhere }, name, HF, "hf_of_hf_home");
    agree(
        &Machine { variables: &[("HF_HOME", "~/hub"), ("HF_TOKEN_PATH", "~/one/file")], files: elsewhere },
        name,
        HF,
        "hf_of_path",
    );
    agree(&Machine { variables: &[("XDG_CACHE_HOME", "~/c")], files: elsewhere }, name, HF, "hf_xdg");
    agree(&Machine { variables: &[], files: &[(".cache/huggingface/token", " \n")] }, name, HF, "");
    agree(&Machine { variables: &[], files: &[] }, name, HF, "");
}

const WANDB: &str = "
import os
from wandb.sdk.lib import wbauth
auth = wbauth.authenticate_session(
    host=os.environ.get('WANDB_BASE_URL') or 'https://api.wandb.ai', source='test', prompt=False, update_session=False)
print(auth.api_key if auth else '')
";

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

#[test]
fn wandb_agrees() {
    let name = "wandb/api_key";
    let two = format!(
        "# mine\nmachine other.example login me password \"with \\\" space\"\n\
         machine api.wandb.ai\n  login user\n  password {A}\nmachine wb.example:8080 login user password {B}\n"
    );
    let files = &[(".netrc", two.as_str())][..];
    agree(&Machine { variables: &[], files }, name, WANDB, A);
    agree(&Machine { variables: &[("WANDB_API_KEY", B)], files }, name, WANDB, B);
    let base = &[("WANDB_BASE_URL", "http://wb.example:8080")][..];
    agree(&Machine { variables: base, files }, name, WANDB, B);
    agree(&Machine { variables: &[("WANDB_BASE_URL", "http://gone.example")], files }, name, WANDB, "");
    let quoted = format!("machine \"api.wandb.ai\" login user password \"{A}\"\n");
    agree(&Machine { variables: &[], files: &[(".netrc", &quoted)] }, name, WANDB, A);
    agree(&Machine { variables: &[], files: &[("_netrc", &quoted)] }, name, WANDB, A);
    let elsewhere = &[("rc", quoted.as_str()), (".netrc", "")];
    agree(&Machine { variables: &[("NETRC", "~/rc")], files: elsewhere }, name, WANDB, A);
    let default = format!("default login user password {B}\n");
    agree(&Machine { variables: &[], files: &[(".netrc", &default)] }, name, WANDB, B);
    let broken = format!("machine api.wandb.ai login user passwrod {A}\n");
    agree(&Machine { variables: &[], files: &[(".netrc", &broken)] }, name, WANDB, "");
}

const AWS: &str = "
import os, botocore.session
found = botocore.session.Session().get_credentials()
print(getattr(found, os.environ['ATTRIBUTE']) or '' if found else '')
";

#[track_caller]
fn aws(variables: &[(&str, &str)], files: &[(&str, &str)], expected: [&str; 3]) {
    let names = ["aws/access_key_id", "aws/secret_access_key", "aws/session_token"];
    for ((name, attribute), expected) in names.iter().zip(["access_key", "secret_key", "token"]).zip(expected)
    {
        let variables: Vec<_> = variables.iter().copied().chain([("ATTRIBUTE", attribute)]).collect();
        agree(&Machine { variables: &variables, files }, name, AWS, expected);
    }
}

#[test]
fn botocore_agrees() {
    let config = "[default]\nregion = eu-west-1\ns3 =\n    max_queue_size = 10\n[profile only]\naws_access_key_id = of-config\naws_secret_access_key = config-key\n";
    let stored = "[default]\naws_access_key_id = of-default\naws_secret_access_key: default-key\n\
                  ; a comment\n[prod]\naws_access_key_id=of-prod\naws_secret_access_key=prod/key+=\naws_session_token=prod-token\n";
    let files = &[(".aws/config", config), (".aws/credentials", stored)][..];
    aws(&[], files, ["of-default", "default-key", ""]);
    aws(&[("AWS_PROFILE", "prod")], files, ["of-prod", "prod/key+=", "prod-token"]);
    aws(
        &[("AWS_PROFILE", "prod"), ("AWS_DEFAULT_PROFILE", "default")],
        files,
        ["of-default", "default-key", ""],
    );
    aws(&[("AWS_PROFILE", "only")], files, ["of-config", "config-key", ""]);
    let env = [
        ("AWS_ACCESS_KEY_ID", "of-env"),
        ("AWS_SECRET_ACCESS_KEY", "env-key"),
        ("AWS_SESSION_TOKEN", "env-token"),
    ];
    aws(&env, files, ["of-env", "env-key", "env-token"]);
    let elsewhere = [("other/credentials", stored)];
    aws(
        &[("AWS_SHARED_CREDENTIALS_FILE", "~/other/credentials")],
        &elsewhere,
        ["of-default", "default-key", ""],
    );
    aws(&[], &[(".aws/credentials", "[default]\naws_access_key_id = alone\n")], ["", "", ""]);
    aws(&[], &[(".aws/credentials", "no section\n")], ["", "", ""]);
    aws(&[], &[], ["", "", ""]);
}

const GCP: &str = "
import google.auth
found, _ = google.auth.default()
print(found.refresh_token)
";

#[test]
fn google_auth_agrees() {
    let user = |token: &str| {
        format!(
            r#"{{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"{token}"}}"#
        )
    };
    let (usual, named, moved) = (user("of-the-usual-file"), user("of-the-named-file"), user("of-cloudsdk"));
    let files = &[
        (".config/gcloud/application_default_credentials.json", usual.as_str()),
        ("named.json", &named),
        ("sdk/application_default_credentials.json", &moved),
        ("broken.json", "{\"type\": \"authorized_user\""),
        ("other.json", "{\"type\": \"nobody\"}"),
    ];
    let same = |variables: &[(&str, &str)], expected: &str| {
        let machine = Machine { variables, files };
        let world = machine.world();
        let theirs = Machine::vendors(&world, GCP);
        let ours = Machine::ours(&world, "gcp/credentials#refresh_token");
        assert_eq!((theirs.as_str(), ours.as_str()), (expected, expected), "with {variables:?}");
    };
    same(&[], "of-the-usual-file");
    same(&[("GOOGLE_APPLICATION_CREDENTIALS", "~/named.json")], "of-the-named-file");
    same(&[("CLOUDSDK_CONFIG", "~/sdk")], "of-cloudsdk");
    same(
        &[("CLOUDSDK_CONFIG", "~/sdk"), ("GOOGLE_APPLICATION_CREDENTIALS", "~/named.json")],
        "of-the-named-file",
    );
    same(&[("GOOGLE_APPLICATION_CREDENTIALS", "~/broken.json")], "");
    same(&[("GOOGLE_APPLICATION_CREDENTIALS", "~/other.json")], "");
    same(&[("GOOGLE_APPLICATION_CREDENTIALS", "~/gone.json")], "");
}

const KAGGLE_TOKEN: &str = "
from kagglesdk import get_access_token_from_env
print(get_access_token_from_env()[0] or '')
";

/// The package logs in as soon as it is imported, so its own module stands in for that.
const KAGGLE_KEY: &str = "
import importlib.util, os, sys, types
package = types.ModuleType('kaggle')
package.__path__ = list(importlib.util.find_spec('kaggle').submodule_search_locations)
sys.modules['kaggle'] = package
package.api = None
from kaggle.api.kaggle_api_extended import KaggleApi
api = KaggleApi()
api._load_config()
print(api.config_values.get('key', '') if 'username' in api.config_values else '')
";

#[test]
fn kaggle_agrees() {
    let json = r#"{"username":"me","key":"of-the-file"}"#;
    let token = "kaggle/api_token";
    let files = &[(".kaggle/access_token", "of-access-token\n"), ("t", " of-named-file\n")][..];
    agree(&Machine { variables: &[], files }, token, KAGGLE_TOKEN, "of-access-token");
    agree(&Machine { variables: &[("KAGGLE_API_TOKEN", "of-env")], files }, token, KAGGLE_TOKEN, "of-env");
    let text = &[(".kaggle/access_token.txt", "of-txt")][..];
    agree(&Machine { variables: &[], files: text }, token, KAGGLE_TOKEN, "of-txt");
    agree(&Machine { variables: &[], files: &[(".kaggle/access_token", " \n")] }, token, KAGGLE_TOKEN, "");
    let key = "kaggle/key";
    let usual = &[(".kaggle/kaggle.json", json)][..];
    agree(&Machine { variables: &[], files: usual }, key, KAGGLE_KEY, "of-the-file");
    let pair = &[("KAGGLE_USERNAME", "you"), ("KAGGLE_KEY", "of-env-pair")][..];
    agree(&Machine { variables: pair, files: usual }, key, KAGGLE_KEY, "of-env-pair");
    let moved = &[("k/kaggle.json", json)][..];
    agree(
        &Machine { variables: &[("KAGGLE_CONFIG_DIR", "~/k")], files: moved },
        key,
        KAGGLE_KEY,
        "of-the-file",
    );
    let xdg = &[("x/kaggle/kaggle.json", json)][..];
    agree(&Machine { variables: &[("XDG_CONFIG_HOME", "~/x")], files: xdg }, key, KAGGLE_KEY, "of-the-file");
    agree(&Machine { variables: &[], files: &[(".kaggle/kaggle.json", "{\"key\":")] }, key, KAGGLE_KEY, "");
}

const LANGSMITH: &str = "
from langsmith import utils
from langsmith._internal import _profiles
profile = _profiles.load_profile_client_config()
print(utils.get_api_key(None) or profile.oauth_access_token or profile.resolve_api_key() or '')
";

#[test]
fn langsmith_agrees() {
    let name = "langsmith/api_key";
    let config = r#"{"current_profile":"work","profiles":{
        "default":{"api_key":"of-default"},
        "work":{"api_key":" 'of-work' ","api_url":"https://x.example"},
        "login":{"api_key":"never","oauth":{"access_token":"of-login","expires_at":"2030-01-01T00:00:00Z"}},
        "named":{"api_key_env":"MY_KEY"}}}"#;
    let files = &[
        (".langsmith/config.json", config),
        ("ls.json", r#"{"profiles":{"default":{"api_key":"of-moved"}}}"#),
    ];
    let same = |variables: &[(&str, &str)], expected: &str| {
        agree(&Machine { variables, files }, name, LANGSMITH, expected);
    };
    same(&[], "of-work");
    same(&[("LANGSMITH_API_KEY", "of-env")], "of-env");
    same(&[("LANGCHAIN_API_KEY", "of-old-env")], "of-old-env");
    same(&[("LANGSMITH_PROFILE", "default")], "of-default");
    same(&[("LANGSMITH_PROFILE", "login")], "of-login");
    same(&[("LANGSMITH_PROFILE", "named"), ("MY_KEY", "of-my-key")], "of-my-key");
    same(&[("LANGSMITH_PROFILE", "gone")], "");
    same(&[("LANGSMITH_CONFIG_FILE", "~/ls.json")], "of-moved");
    agree(&Machine { variables: &[], files: &[(".langsmith/config.json", "{")] }, name, LANGSMITH, "");
}

const AZURE: &str = "
from azure.identity import EnvironmentCredential
found = EnvironmentCredential()._credential
print(found._client_credential if found else '')
";

#[test]
fn azure_identity_agrees() {
    let all = [
        ("AZURE_TENANT_ID", "11111111-1111-1111-1111-111111111111"),
        ("AZURE_CLIENT_ID", "22222222-2222-2222-2222-222222222222"),
        ("AZURE_CLIENT_SECRET", "the-client-secret"),
    ];
    let machine = Machine { variables: &all, files: &[] };
    agree(&machine, "azure/client_secret", AZURE, "the-client-secret");
    agree(&Machine { variables: &[], files: &[] }, "azure/client_secret", AZURE, "");
}
