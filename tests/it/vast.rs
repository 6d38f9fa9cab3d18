//! `doppio vast` against a server on this machine that answers as vast.ai does.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use doppio_test_support::Doppio;
use serde_json::Value;

const KEY: &str = "test_key_of_the_account_0123456789";

/// It gives prepared answers, one a request, and keeps what it was asked.
struct Server {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn of(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<(u16, String)> =
            answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            // What nobody prepared an answer for gets none: the connection ends.
            for (status, body) in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                kept.lock().expect("no panic").push(request(&mut stream));
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} So\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all((head + &body).as_bytes()).ok();
            }
        });
        Self { base, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }

    /// A machine of a user who has the key in the environment.
    fn doppio(&self) -> Doppio {
        self.keyless().env("VAST_API_KEY", KEY)
    }

    fn keyless(&self) -> Doppio {
        Doppio::new().env("DOPPIO_KEYRING", "off").env("VAST_URL", &self.base)
    }
}

fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut part) {
            Ok(length) if length > 0 => bytes.extend_from_slice(&part[..length]),
            _ => return text,
        }
    }
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").expect("a body").1).expect("it is JSON")
}

const OFFERS: &str = r#"{"offers":[{"id":77,"gpu_name":"RTX 4090","num_gpus":4,"gpu_ram":24564,"dph_total":1.254,
    "storage_cost":0.3,"cpu_cores_effective":64,"cpu_ram":257000,"disk_space":900.5,"inet_down":812.3,
    "reliability2":0.998,"duration":1814400,"geolocation":"Sweden, SE","verification":"verified","new":{}}]}"#;

#[test]
fn a_search_sends_the_conditions_and_shows_what_it_costs() {
    let server = Server::of(&[(200, OFFERS)]);
    let ran = server
        .doppio()
        .run([
            "vast",
            "search",
            "--gpus",
            "4",
            "--gpu",
            "RTX_4090",
            "--max-price",
            "2",
            "--disk",
            "80",
            "--sort",
            "dlperf_usd-",
            "gpu_ram>=24",
            "verified=any",
        ])
        .expect(0);
    let request = &server.asked()[0];
    assert!(request.starts_with("POST /api/v0/bundles/ "), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {KEY}")), "{request}");
    assert_eq!(
        body(request),
        serde_json::json!({
            "external": { "eq": false }, "rentable": { "eq": true }, "num_gpus": { "eq": 4 },
            "gpu_name": { "eq": "RTX 4090" }, "dph_total": { "lte": 2.0 }, "disk_space": { "gte": 80.0 },
            "gpu_ram": { "gte": 24000.0 }, "order": [["dlperf_per_dphtotal", "desc"]], "type": "on-demand",
            "limit": 20, "allocated_storage": 80.0,
        })
    );
    insta::assert_snapshot!(ran.stdout, @"
    OFFER  GPU            VRAM     $/H  $/DAY STOPPED  CPU     RAM    DISK        DOWN  RELIABLE       FOR  REGION
       77  4 x RTX 4090  24 GB  $1.254         $0.800   64  251 GB  900 GB  812 Mbit/s    99.8 %  21 d 0 h  Sweden, SE
    ");
    assert!(ran.stderr.contains("`doppio vast create 77 --image IMAGE --disk 80`"), "{}", ran.stderr);
}

#[test]
fn a_query_that_is_wrong_is_not_sent() {
    let server = Server::of(&[]);
    let ran = server.doppio().run(["vast", "search", "gpu_nam=RTX_4090"]).expect(2);
    insta::assert_snapshot!(ran.stderr, @"
    error: there is no such field, at `gpu_nam` (character 1)

    hint: did you mean `gpu_name`?
    ");
    let ran = server.doppio().run(["vast", "search", "num_gpus"]).expect(2);
    assert!(ran.stderr.contains("expected an operator after `num_gpus`"), "{}", ran.stderr);
    let ran = server.doppio().run(["vast", "search", "--sort", "prize"]).expect(2);
    assert!(ran.stderr.contains("did you mean `price`?"), "{}", ran.stderr);
    assert!(server.asked().is_empty());
}

#[test]
fn without_a_key_the_error_says_how_to_store_one() {
    let server = Server::of(&[]);
    let ran = server.keyless().run(["vast", "list"]).expect(3);
    assert!(ran.stderr.contains("secret `vast/api_key` is not set"), "{}", ran.stderr);
    assert!(ran.stderr.contains("doppio secret set vast/api_key"), "{}", ran.stderr);
}

#[test]
fn the_keys_of_vasts_own_client_are_used_and_the_one_that_expires_first() {
    let server = Server::of(&[
        (404, r#"{"success":false,"msg":"Session expired. Please log in again."}"#),
        (200, r#"{"instances":[],"next_token":null}"#),
    ]);
    let doppio = server.keyless();
    doppio.private("home/.config/vastai/vast_tfa_key", "test_key_that_expires_0123456789\n");
    doppio.private("home/.config/vastai/vast_api_key", KEY);
    doppio.run(["vast", "list"]).expect(0);
    let asked = server.asked();
    assert!(asked[0].contains("Bearer test_key_that_expires_0123456789"), "{}", asked[0]);
    assert!(asked[1].contains(KEY), "{}", asked[1]);
}

const LIST: &str = r#"{"instances":[
    {"id":12,"actual_status":"running","gpu_name":"RTX 4090","num_gpus":4,"dph_total":1.25,"storage_total_cost":0.02,"disk_space":80,"label":"mine"},
    {"id":13,"actual_status":"exited","gpu_name":null,"dph_total":0.5,"storage_total_cost":"0.01","label":null}],"next_token":null}"#;

#[test]
fn the_list_shows_what_machines_cost_also_when_they_are_stopped() {
    let server = Server::of(&[(200, LIST), (200, LIST)]);
    let doppio = server.doppio();
    let ran = doppio.run(["vast", "list"]).expect(0);
    insta::assert_snapshot!(ran.stdout, @"
    MACHINE  STATE    GPU            DISK     $/H  $/DAY STOPPED  LEFT  LABEL
    vast-12  running  4 x RTX 4090  80 GB  $1.250         $0.480     –  mine
    vast-13  exited   –                 –  $0.500         $0.240     –
    ");
    assert_eq!(
        ran.stderr,
        "2 machines: $1.250 an hour, and $0.240 a day for disks of machines that don't run\n"
    );
    let json: Value =
        serde_json::from_str(&doppio.run(["vast", "list", "--json"]).expect(0).stdout).expect("JSON");
    assert_eq!(json[0]["id"], "vast-12");
    assert_eq!(json[0]["per_hour"], 1.25);
    assert_eq!(json[1]["state"], "exited");
}

#[test]
fn what_was_spent_is_summed_up_by_machine() {
    let charges = r#"{"success":true,"results":[
        {"start":1730419200,"type":"instance","source":"instance-12","description":"Instance 12","amount":3.5},
        {"start":1730419200,"type":"instance","source":"instance-13","amount":"38.421","metadata":null}],"next_token":null}"#;
    let rises = r#"{"success":true,"count":1,"pending_price_increases":[{"pending_price_increase_id":5,"contract_id":12,
        "old_gpu_costpersec":0.0001,"new_gpu_costpersec":0.0002}]}"#;
    let server = Server::of(&[
        (200, r#"{"id":1,"api_key":"test_of_the_account","credit":30.12}"#),
        (200, LIST),
        (200, charges),
        (200, rises),
    ]);
    let ran = server.doppio().run(["vast", "cost"]).expect(0);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.starts_with("spent since")).collect();
    assert_eq!(
        lines,
        [
            "credit: $30.12",
            "2 machines: $1.250 an hour, and $0.240 a day for disks of machines that don't run",
            "the credit lasts 23 h 54 m",
            "  $38.42  vast-13",
            "  $3.500  vast-12",
        ]
    );
    assert!(ran.stdout.contains(" UTC: $41.92\n"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("the host of `vast-12` wants $0.720 an hour in place of $0.360"),
        "{}",
        ran.stderr
    );
    assert!(
        server.asked()[2].starts_with("GET /api/v0/charges/?select_filters=%7B%22day%22"),
        "{:?}",
        server.asked()
    );
}

#[test]
fn nothing_is_hired_or_destroyed_without_a_yes() {
    let server = Server::of(&[(200, OFFERS), (200, r#"{"instances":{"id":12,"dph_total":1.25}}"#)]);
    let doppio = server.doppio();
    for command in [
        &["vast", "destroy", "vast-12"][..],
        &["vast", "create", "77", "--image", "pytorch/pytorch"],
        &["vast", "start", "12"],
    ] {
        let ran = doppio.run(command).expect(2);
        assert!(ran.stderr.contains("there is no terminal to ask on"), "{}", ran.stderr);
        assert!(ran.stderr.contains("`--yes`"), "{}", ran.stderr);
    }
    // Looking is all that was done.
    let lines: Vec<String> =
        server.asked().iter().filter_map(|request| Some(request.split_once(" HTTP")?.0.to_owned())).collect();
    assert_eq!(lines, ["POST /api/v0/bundles/", "GET /api/v0/instances/12/?owner=me"]);
}

#[test]
fn a_machine_is_hired_with_a_label_and_a_key_and_destroyed() {
    let fine = r#"{"success":true}"#;
    let server = Server::of(&[
        (200, OFFERS),
        (200, r#"{"success":true,"new_contract":12,"instance_api_key":"test_of_the_instance"}"#),
        (200, fine),
        (200, fine),
    ]);
    let doppio = server.doppio();
    let key = doppio.private("home/.ssh/id_ed25519.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@here\n");
    let create = [
        "vast",
        "create",
        "77",
        "--image",
        "pytorch/pytorch",
        "--yes",
        "--json",
        "--ssh-key",
        key.to_str().expect("UTF-8"),
    ];
    let ran = doppio.run(create).expect(0);
    assert_eq!(ran.stdout, "{\"id\":\"vast-12\",\"per_hour\":1.254}\n");
    assert!(ran.stderr.contains("created `vast-12` for $1.254 an hour"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("test_of_the_instance"), "{}", ran.stderr);
    doppio.run(["vast", "destroy", "vast-12", "--yes"]).expect(0);
    let asked = server.asked();
    assert!(asked[1].starts_with("PUT /api/v0/asks/77/ "), "{}", asked[1]);
    let label = body(&asked[1])["label"].as_str().map(str::to_owned).expect("a label");
    assert!(label.starts_with("doppio:by-hand:"), "{label}");
    assert!(asked[2].starts_with("POST /api/v0/instances/12/ssh/ "), "{}", asked[2]);
    assert!(asked[3].starts_with("DELETE /api/v0/instances/12/ "), "{}", asked[3]);
}

#[test]
fn a_price_that_is_too_high_is_not_paid() {
    let server = Server::of(&[(200, OFFERS)]);
    let create = ["vast", "create", "77", "--image", "a/b", "--max-price", "1", "--yes"];
    let ran = server.doppio().run(create).expect(3);
    assert!(ran.stderr.contains("costs $1.254, and `--max-price` allows $1.000"), "{}", ran.stderr);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_private_key_is_not_sent() {
    let server = Server::of(&[]);
    let doppio = server.doppio();
    let begin = ["-----BEGIN OPENSSH", "PRIVATE KEY-----"].join(" ");
    let key = doppio.private("home/.ssh/id_ed25519", format!("{begin}\nmade up\n"));
    let ran = doppio.run(["vast", "ssh-key", "attach", "vast-12", key.to_str().expect("UTF-8")]).expect(2);
    assert!(ran.stderr.contains("is a private key"), "{}", ran.stderr);
    assert!(server.asked().is_empty());
}

#[test]
fn an_orphan_is_a_machine_whose_run_is_over() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("VAST_API_KEY", KEY);
    doppio.recipe("[[step]]\nid = \"train\"\nlocal_command = { command = \"true\" }\n");
    doppio.run(["run", "recipe.toml"]).expect(0);
    let runs: Value =
        serde_json::from_str(&doppio.run(["runs", "list", "--json"]).expect(0).stdout).expect("JSON");
    let run = runs["run"].as_str().expect("an id");
    let list = format!(
        r#"{{"instances":[{{"id":12,"actual_status":"running","dph_total":1.5,"label":"doppio:{run}:train:0a"}},
            {{"id":13,"actual_status":"running","dph_total":2.5,"label":"doppio:20200101-000000-ffff:train:0b"}},
            {{"id":14,"actual_status":"running","dph_total":9,"label":"doppio:by-hand:0c"}},
            {{"id":15,"actual_status":"running","dph_total":9,"label":"not of doppio"}}],"next_token":null}}"#
    );
    let gone = r#"{"success":true}"#;
    let server =
        Server::of(&[(200, &list), (200, &list), (200, gone), (200, &list), (200, gone), (200, gone)]);
    let doppio = doppio.env("VAST_URL", &server.base);
    let ran = doppio.run(["vast", "orphans"]).expect(0);
    assert!(ran.stdout.contains("vast-12") && ran.stdout.contains("success"), "{}", ran.stdout);
    assert!(ran.stdout.contains("is not in this machine's journal"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("vast-14") && !ran.stdout.contains("vast-15"), "{}", ran.stdout);
    assert!(ran.stderr.contains("2 machines without a run: $4.000 an hour"), "{}", ran.stderr);
    // What may be another computer's is not destroyed unless that is said.
    doppio.run(["vast", "orphans", "--destroy", "--yes"]).expect(0);
    doppio.run(["vast", "orphans", "--destroy", "--unknown", "--yes"]).expect(0);
    let destroyed: Vec<String> = server
        .asked()
        .iter()
        .filter(|request| request.starts_with("DELETE"))
        .filter_map(|request| request.split(' ').nth(1).map(str::to_owned))
        .collect();
    assert_eq!(destroyed, ["/api/v0/instances/12/", "/api/v0/instances/12/", "/api/v0/instances/13/"]);
}

#[test]
fn what_answers_and_is_not_vast_is_said() {
    let server = Server::of(&[(200, "<html>sign in</html>")]);
    let ran = server.doppio().run(["vast", "show", "vast-12"]).expect(3);
    assert!(ran.stderr.contains("is not the API of vast.ai (status 200)"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: check `VAST_URL`"), "{}", ran.stderr);
    let elsewhere = Doppio::new().env("DOPPIO_KEYRING", "off").env("VAST_API_KEY", KEY);
    let ran = elsewhere.env("VAST_URL", "http://vast.example").run(["vast", "list"]).expect(2);
    assert!(ran.stderr.contains("so it must be `https`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(KEY), "{}", ran.stderr);
}

#[test]
fn a_machine_of_another_vendor_is_not_taken_for_one_of_vast() {
    let ran = Doppio::new().run(["vast", "show", "runpod-abc"]).expect(2);
    assert!(ran.stderr.contains("`runpod-abc` is not the id of a machine of vast.ai"), "{}", ran.stderr);
}
