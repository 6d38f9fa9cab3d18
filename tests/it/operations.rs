//! Planned operations as data: saved and read back they are the same, and no value is in them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use doppio::plan::Inputs;
use doppio::plan::Plan;
use doppio::step::KINDS;
use doppio::step::Planned;
use doppio_secrets::Environment;
use doppio_text::Source;

/// Every step type with every key that it has.
const RECIPE: &str = r#"
[recipe]
name = "all"

[variables]
dir = "/data/my set"
bearer = "Bearer ${secret:api/token?none}"

[defaults]
env = { MODE = "${env.MODE}" }

[[step]]
id = "one"
hosts = ["gpu-1", "gpu-2"]
matrix = { lr = [1e-3, 0.1] }
[step.ssh_command]
host_id = "${host}"
command = """
curl -H "${bearer}" --lr ${matrix.lr} '${host}' ${run.id} ${recipe.name} ${now}
echo ${secret:vault:kv/app#/db/0@3} $${literal} ${HOME} "${dir|q}"
"""
workdir = "${dir}/${run.id}"
env = { HF_TOKEN = "${secret:huggingface/token}", B = "x${secret:env:B}y" }
capture_output = "out"
timeout_secs = 60
shell = "bash"
login_shell = true
source = ["~/.profile", "${dir}/env"]
stdin = "${secret:aws:ml/prod}"
files = { CONFIG = "${secret:a/b}" }
outputs = { loss = "loss=([0-9.]+)" }
secret_output = true

[[step]]
id = "two"
depends_on = ["one"]
run_commands = { host_id = "gpu-1", commands = "echo ${out} ${step.one[gpu-1,lr=1e-3].outputs.loss}", tmux_mode = "new", session_name = "s-${run.id}", timeout_secs = 5, env = { A = "1" } }

[[step]]
id = "two-b"
run_commands = { commands = "true", workdir = "/w", capture_output = "x", shell = "sh", login_shell = true, source = ["a"], stdin = "b", files = { C = "c" }, outputs = { n = "(.)" }, secret_output = true }

[[step]]
id = "three"
local_command = { command = "git rev-parse HEAD", workdir = "/w", capture_output = "y", timeout_secs = 1, shell = "sh", login_shell = true, source = ["a"], stdin = "b", files = { C = "c" }, outputs = { n = "(.)" }, secret_output = true }

[[step]]
id = "four"
tmux_new = { host_id = "gpu-1", session_name = "train", command = "python train.py ${secret:wandb/api_key}", workdir = "/w", if_exists = "replace", log = "/w/log" }

[[step]]
id = "five"
tmux_wait = { host_id = "gpu-1", session_name = "train", timeout_secs = 86400 }

[[step]]
id = "six"
tmux_send = { host_id = "gpu-1", session_name = "train", keys = "${secret:a/b}", allow_secret_keys = true }

[[step]]
id = "six-b"
tmux_send = { session_name = "train", keys = "C-c" }

[[step]]
id = "seven"
tmux_capture = { host_id = "gpu-1", session_name = "train", lines = -20, capture_output = "z" }

[[step]]
id = "eight"
tmux_kill = { host_id = "gpu-1", session_name = "train" }

[[step]]
id = "hire"
[step.machine_create]
provider = "vast"
image = "pytorch/pytorch"
offer = "7001"
query = "gpu_ram>=24"
gpu = "RTX_4090"
gpus = 2
disk_gb = 40
max_price = 1.5
max_hours = 2
idle_below = 5
idle_minutes = 10
bid = 0.3
ssh_key = "~/.ssh/id_ed25519.pub"
onstart = "echo hi"
env = { A = "b" }
offers = [{ offer = "1", query = "dph<1", gpu = "H100_SXM", gpus = 1, max_price = 3, bid = 1 }]
if_exists = "reuse"
ready_timeout_secs = 60

[[step]]
id = "hire_vast"
depends_on = ["hire"]
[step.vast_create]
image = "pytorch/pytorch"
offer = "7001"
query = "gpu_ram>=24"
gpu = "RTX_4090"
gpus = 2
disk_gb = 40
max_price = 1.5
max_hours = 2
idle_below = 5
idle_minutes = 10
bid = 0.3
ssh_key = "ssh-ed25519 AAAA"
onstart = "echo hi"
env = { A = "b" }
offers = [{ gpu = "H100_SXM" }]
if_exists = "create"
ready_timeout_secs = 60

[[step]]
id = "start"
machine_start = { host_id = "runpod-abc", provider = "runpod", ready_timeout_secs = 9 }

[[step]]
id = "start_vast"
vast_start = { host_id = "vast-1", ready_timeout_secs = 9 }

[[step]]
id = "stop"
machine_stop = { host_id = "runpod-abc", provider = "runpod" }

[[step]]
id = "stop_vast"
vast_stop = { host_id = "vast-1" }

[[step]]
id = "destroy"
machine_destroy = { host_id = "lambda-abc", provider = "lambda" }

[[step]]
id = "destroy_vast"
vast_destroy = { host_id = "vast-1" }

[[step]]
id = "nine"
sleep = { duration_secs = 0.25 }

[[step]]
id = "ten"
[step.wait_condition]
host_id = "gpu-1"
timeout_secs = 3
poll_interval_secs = 1
condition = { and = [
  { file_exists = { host_id = "gpu-2", path = "${dir}" } },
  { file_contains = { path = "/l", pattern = "^done" } },
  { or = [{ command_succeeds = { command = "test -n ${secret:a/b}" } }, "never"] },
  { not = { output_matches = { command = "df", pattern = "/w" } } },
  { var_equals = { name = "out", value = "1" } },
  { var_matches = { name = "out", pattern = "^0" } },
  { host_online = {} },
  { port_open = { port = 8080 } },
  { tmux_alive = { session_name = "train" } },
  { tmux_exited = { session_name = "train" } },
  { gpu_available = {} },
  { gdrive_mounted = { mount_path = "/content/drive" } },
  "always",
] }

[[step]]
id = "eleven"
assert = { condition = { always = {} }, host_id = "gpu-1", message = "no ${dir}" }

[[step]]
id = "twelve"
set_var = { name = "stamp", value = "${now} ${secret:a/b}" }

[[step]]
id = "thirteen"
group = { mode = "parallel", steps = ["eleven", "twelve"] }
"#;

fn plan() -> Plan {
    let source = Source::new("all.toml", RECIPE);
    let env: Environment = [("MODE".into(), "fast".into())].into_iter().collect();
    let target = "gpu-1".parse().expect("a host");
    let inputs = Inputs {
        vars: &[],
        env: &env,
        target: Some(&target),
        tagged: &|_| Vec::new(),
        host_env: &[],
        is_check: false,
    };
    match doppio::plan::build(doppio::recipe::parse(&source), &inputs) {
        Ok((plan, warnings)) => {
            assert!(warnings.is_empty(), "{warnings:?}");
            plan
        }
        Err(faults) => panic!("{faults:?}"),
    }
}

/// The names of the fields that say something, those that it shares with others among them.
fn fields(saved: &Value) -> BTreeSet<String> {
    let fields = saved.as_object().expect("an operation has fields");
    let mut names = BTreeSet::new();
    for (name, value) in fields {
        let is_empty = value.is_null()
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(serde_json::Map::is_empty);
        if name == "options" {
            names.extend(self::fields(value));
        } else if !is_empty {
            names.insert(name.clone());
        }
    }
    names
}

#[test]
fn every_operation_is_the_same_when_it_is_read_back() {
    let plan = plan();
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut whole = String::new();
    for step in plan.steps() {
        let Some(operation) = &step.operation else {
            assert_eq!(step.id.as_str(), "one", "only the one that stands for the many does nothing");
            continue;
        };
        let text = serde_json::to_string(operation).expect("it can be saved");
        let back: Box<dyn Planned> = serde_json::from_str(&text).expect("it can be read back");
        assert!(&back == operation, "{operation:?}\n{back:?}");
        assert_eq!(format!("{back:?}"), format!("{operation:?}"));
        assert_eq!(back.show(), operation.show());
        assert!(&operation.clone() == operation);
        seen.entry(operation.kind()).or_default().extend(fields(&operation.save().expect("it can be saved")));
        whole.push_str(&text);
    }
    for kind in KINDS {
        let declared: BTreeSet<String> = kind.spec.keys().map(str::to_owned).collect();
        let all = seen.get(kind.name()).cloned().unwrap_or_default();
        assert_eq!(all, declared, "`{}`: the recipe above has not all its keys", kind.name());
    }
    for reference in ["huggingface/token", "vault:kv/app#/db/0@3", "api/token?none", "aws:ml/prod"] {
        assert!(whole.contains(&format!(r#"{{"secret":"{reference}"}}"#)), "{reference}: {whole}");
    }
    for place in ["span", "start", "end"] {
        assert!(!whole.contains(&format!(r#""{place}""#)), "a plan has no places: {whole}");
    }
}

#[test]
fn what_is_no_operation_is_not_read() {
    for (text, fault) in [
        (r#"{"slep":{}}"#, "no step type is called `slep`"),
        (r#"{"sleep":{"duration_secs":1.0},"assert":{}}"#, "an operation has one key"),
        ("{}", "an operation has one key"),
        (r#"{"sleep":{}}"#, "`sleep`: missing field `duration_secs`"),
    ] {
        let read = serde_json::from_str::<Box<dyn Planned>>(text).expect_err(text);
        assert!(read.to_string().contains(fault), "{text}: {read}");
    }
}
