//! Clients of others, and the description that a vendor publishes.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::support::rented::Rented;
use crate::support::rented::text;
use crate::support::venv::program;
use crate::support::venv::python;

/// Runs `vastai`; what it says, or what it says is wrong.
fn vastai(vast: &Rented, home: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program("vastai"))
        .args(arguments)
        .env_clear()
        .envs(env::var_os("PATH").map(|path| ("PATH", path)))
        .envs([
            ("HOME", home),
            ("XDG_CONFIG_HOME", &home.join("config")),
            ("XDG_CACHE_HOME", &home.join("cache")),
        ])
        .envs([
            ("VAST_URL", vast.url().as_str()),
            ("VAST_API_KEY", vast.key()),
            ("VASTAI_NO_UPDATE_CHECK", "1"),
        ])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() && !errors.contains("Failed with error") {
        Ok(said)
    } else {
        Err(said + &errors)
    }
}

#[test]
fn vasts_own_client_rents_a_machine_and_returns_it() {
    let vast = Rented::vast();
    let home = tempfile::tempdir().unwrap();
    let cli = |arguments: &[&str]| vastai(&vast, home.path(), arguments);
    let raw = |arguments: &[&str]| -> Value {
        let said = cli(&[arguments, &["--raw"]].concat()).unwrap();
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?} says {said}"))
    };

    let offers = raw(&["search", "offers", "num_gpus=1 gpu_name=RTX_4090 gpu_ram>=20", "-o", "dph"]);
    let offer = text(&offers[0]["id"]);
    assert_eq!(offers.as_array().unwrap().len(), 1, "the unverified one is not shown: {offers:#}");

    let image = ["--image", "pytorch/pytorch", "--disk", "20", "--label", "run-1"];
    let start = ["--onstart-cmd", "echo up and running", "--env", "-e MODEL=small -p 8080:8080"];
    let created = raw(&[&["create", "instance", &offer, "--ssh", "--direct"], &image[..], &start].concat());
    let id = text(&created["new_contract"]);
    let identity = vast.identity().with_extension("pub").display().to_string();
    assert!(cli(&["attach", "ssh", &id, &identity]).unwrap().contains("attached successfully"));
    let machine = vast.wait_for_machine(&id);

    let instance = raw(&["show", "instance", &id]);
    assert_eq!(
        (text(&instance["actual_status"]), text(&instance["label"])),
        ("running".into(), "run-1".into())
    );
    let instances = raw(&["show", "instances"]);
    assert!(instances.to_string().contains(&id), "{instances}");
    let url = cli(&["ssh-url", &id]).unwrap();
    assert_eq!(url.trim(), format!("ssh://root@127.0.0.1:{}", machine["direct_port"]));
    let port = machine["direct_port"].as_u64().unwrap();
    let output = vast.ssh("root", port, "echo $HOME; nvidia-smi -L; cat /etc/environment");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.starts_with("/root\nGPU 0: NVIDIA GeForce RTX 4090 (UUID")
            && said.ends_with("MODEL=\"small\"\n"),
        "{said}"
    );
    assert_eq!(cli(&["logs", &id]).unwrap().trim(), "up and running");
    assert!(!cli(&["show", "user"]).unwrap().contains(vast.key()));

    cli(&["label", "instance", &id, "run-2"]).unwrap();
    cli(&["stop", "instance", &id]).unwrap();
    assert_eq!(vast.processes(), Vec::<String>::new());
    cli(&["start", "instance", &id]).unwrap();
    let again = vast.wait_for_machine(&id);
    assert_eq!((&again["label"], &again["host_key"]), (&json!("run-2"), &machine["host_key"]));
    cli(&["reboot", "instance", &id]).unwrap();
    vast.wait_for_machine(&id);

    let (_, keys) = vast.call("GET", &format!("/api/v0/instances/{id}/ssh/"), None);
    let keys: Value = serde_json::from_str(keys["ssh_keys"].as_str().unwrap()).unwrap();
    cli(&["detach", "ssh", &id, &text(&keys[0]["id"])]).unwrap();
    vast.wait_until("the key is gone", |state| state["machines"][0]["keys"] == json!([]));
    assert_eq!(vast.ssh("root", port, "true").status.code(), Some(255));

    assert!(cli(&["destroy", "instance", &id, "-y"]).unwrap().contains("destroying"));
    assert!(cli(&["show", "instance", &id]).unwrap_err().contains("no longer exists"));
    assert!(cli(&["destroy", "instance", &id, "-y"]).unwrap_err().contains("no_such_instance"));
    vast.expect_nothing_rented();
    vast.expect_no_faults();
}

#[test]
fn another_client_of_lambda_lists_its_instance() {
    let lambda = Rented::lambda();
    let key = json!({ "name": "mine", "public_key": lambda.public_key() });
    assert_eq!(lambda.call("POST", "/api/v1/ssh-keys", Some(&key)).0, 200);
    let launch = json!({
        "region_name": "us-east-1", "instance_type_name": "gpu_1x_a10", "ssh_key_names": ["mine"], "name": "run-1"
    });
    let (status, launched) = lambda.call("POST", "/api/v1/instance-operations/launch", Some(&launch));
    assert_eq!(status, 200, "{launched}");
    let id = text(&launched["data"]["instance_ids"][0]);
    let machine = lambda.wait_for_machine(&id);
    let output = lambda.ssh("ubuntu", machine["direct_port"].as_u64().unwrap(), "id -un; pwd; nvidia-smi -L");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("ubuntu\n/home/ubuntu\nGPU 0: NVIDIA A10 ("), "{said}");

    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program("lai"))
        .args(["ls", "--json"])
        .env_clear()
        .env("HOME", home.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs([("LAMBDA_CLOUD_BASE_URL", lambda.url().as_str()), ("LAMBDA_CLOUD_TOKEN", lambda.key())])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(&id) && said.contains("active"), "{output:?}");

    let ids = json!({ "instance_ids": [id] });
    assert_eq!(lambda.call("POST", "/api/v1/instance-operations/terminate", Some(&ids)).0, 200);
    lambda.expect_nothing_rented();
    lambda.expect_no_faults();
}

/// Asks all that Doppio may ask, and validates each request and answer.
const JUDGE: &str = r"
import json, sys, urllib.error, urllib.parse, urllib.request
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
url, key, public_key, description = sys.argv[1:]
readers = {'application/problem+json': json.loads, 'text/event-stream': bytes.decode}
api = OpenAPI.from_file_path(description, config=Config(extra_media_type_deserializers=readers))
def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {'authorization': 'Bearer ' + key, 'content-type': 'application/json'}
    request = urllib.request.Request(url + path, method=method, data=data, headers=headers)
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    text, (path, _, query) = answer.read(), path.partition('?')
    request = MockRequest('https://api.runpod.io', method.lower(), path, data=data, content_type='application/json',
                          args=dict(urllib.parse.parse_qsl(query)), headers={'Authorization': 'Bearer ' + key})
    kind = answer.headers['content-type']
    api.validate_request(request)
    api.validate_response(request, MockResponse(text, status_code=answer.status, headers=dict(answer.headers), content_type=kind))
    return json.loads(text) if text and 'json' in kind else text
call('PUT', '/v2/account/ssh-keys', {'keys': [public_key]})
assert call('GET', '/v2/account/ssh-keys') == {'keys': [public_key]}
call('GET', '/v2/catalog/gpus?include=AVAILABILITY&product=POD')
pod = call('POST', '/v2/pods', {'name': 'run-1', 'image': 'runpod/pytorch', 'cloud': 'COMMUNITY', 'ports': ['22/tcp'], 'disk': 20,
           'gpu': {'id': 'NVIDIA GeForce RTX 4090', 'count': 1}, 'env': {'PUBLIC_KEY': public_key}})
one = '/v2/pods/' + pod['id']
assert pod['ssh']['direct'] is None
while call('GET', one)['ssh']['direct'] is None:
    pass
call('GET', '/v2/pods')
call('PATCH', one, {'name': 'run-2'})
call('GET', one + '/logs')
call('GET', '/v2/pods/nothing')
assert call('POST', one + '/action', {'action': 'start'})['status'] == 409
assert call('POST', one + '/action', {'action': 'stop'})['status'] == 'EXITED'
call('POST', one + '/action', {'action': 'start'})
call('GET', '/v2/billing/pods')
call('DELETE', one)
";

/// It is not ours to pass on: `tests/run.sh` says where it comes from.
#[test]
#[ignore = "needs RunPod's openapi.json, in target/tools/runpod-openapi.json or where DOPPIO_RUNPOD_OPENAPI says"]
fn runpods_own_description_fits_its_stand_in() {
    let description = env::var_os("DOPPIO_RUNPOD_OPENAPI").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/runpod-openapi.json"),
        PathBuf::from,
    );
    assert!(fs::exists(&description).unwrap(), "no {}", description.display());
    let runpod = Rented::runpod();
    let output = Command::new(python())
        .args(["-c", JUDGE, &runpod.url(), runpod.key(), &runpod.public_key()])
        .arg(description)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    runpod.expect_nothing_rented();
    runpod.expect_no_faults();
}
