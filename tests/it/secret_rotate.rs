//! `doppio secret rotate` through the real binary, with a small server as the provider.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::mpsc;

use doppio_test_support::Doppio;

/// A provider that gives one answer, and hands out what it was asked.
fn provider(status: &'static str, body: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, asked) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            if send.send(answer(stream, status, body)).is_err() {
                return;
            }
        }
    });
    (address, asked)
}

/// The request's head and body; its answer is sent.
fn answer(stream: TcpStream, status: &str, body: &str) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request).unwrap() == 0 {
            break;
        }
    }
    let length = request.to_lowercase().lines().find_map(|line| {
        line.strip_prefix("content-length: ").and_then(|length| length.trim().parse::<usize>().ok())
    });
    let mut rest = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut rest).unwrap();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    request + &String::from_utf8_lossy(&rest)
}

const OLD: &str = "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "hf_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn machine(name: &str, value: &str) -> Doppio {
    let doppio = Doppio::with_vault();
    doppio.store(name, value);
    doppio
}

#[test]
fn a_value_that_the_provider_takes_comes_into_force() {
    let (address, asked) = provider("200 OK", "{\"name\": \"me\"}");
    let doppio = machine("huggingface/token", OLD).env("DOPPIO_PING_HUGGINGFACE", &address);
    doppio.file(
        "use.toml",
        "[recipe]\nname = 'use'\n[[step]]\nid = 'a'\nlocal_command = { command = 'true', env = { K = '${secret:huggingface/token}' } }\n",
    );
    doppio.run(["run", "use.toml"]).expect(0);
    let arguments = ["secret", "rotate", "huggingface/token", "--from-stdin", "--online"];
    let ran = doppio.run_with_stdin(arguments, NEW).expect(0);
    insta::assert_snapshot!(ran.stderr, @"
    Hugging Face accepts the new value
    `huggingface/token` has its new value in the age vault; the old one is kept as `huggingface/token@1`
    these got the old value:
    revoke the old one where it was issued: https://huggingface.co/settings/tokens
    ");
    assert!(ran.stdout.starts_with("local, step a: 20"), "{}", ran.stdout);
    let request = asked.recv().unwrap();
    assert!(request.starts_with("GET /api/whoami-v2 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {NEW}\r\n")), "{request}");
    assert_eq!([doppio.reveal("huggingface/token"), doppio.reveal("huggingface/token@1")], [NEW, OLD]);
    assert!(!(ran.stdout + &ran.stderr).contains("bbbb"));
    doppio.run(["secret", "get", "file:huggingface/token.pending"]).expect(3);
}

#[test]
fn a_value_that_the_provider_refuses_stays_pending() {
    let (address, asked) = provider("401 Unauthorized", "{}");
    let doppio = machine("github/token", OLD).env("DOPPIO_PING_GITHUB", &address);
    let ran = doppio
        .run_with_stdin(["secret", "rotate", "github/token", "--from-stdin", "--online"], NEW)
        .expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    warning: the value looks like a Hugging Face access token; its usual name is `huggingface/token`
    error: GitHub does not accept the new value

    hint: the old value of `github/token` stays in force; the new one is pending
    hint: try again with `doppio secret rotate github/token --continue --online`
    hint: or discard the new one: `doppio secret rotate github/token --abort`
    ");
    assert!(asked.recv().unwrap().starts_with("GET /user HTTP/1.1\r\n"));
    assert_eq!([doppio.reveal("github/token"), doppio.reveal("github/token.pending")], [OLD, NEW]);
    doppio.run(["secret", "rotate", "github/token", "--abort"]).expect(0);
    doppio.run(["secret", "get", "file:github/token.pending"]).expect(3);
}

#[test]
fn what_is_not_clear_stays_pending_and_can_go_on() {
    let (busy, _) = provider("503 Service Unavailable", "");
    let doppio = machine("anthropic/api_key", OLD).env("DOPPIO_PING_ANTHROPIC", &busy);
    let rotate = ["secret", "rotate", "anthropic/api_key"];
    let ran = doppio.run_with_stdin(rotate.into_iter().chain(["--from-stdin", "--online"]), NEW).expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    warning: the value looks like a Hugging Face access token; its usual name is `huggingface/token`
    error: whether Anthropic accepts the new value is not clear
      cause: Anthropic answered 503 Service Unavailable

    hint: the old value of `anthropic/api_key` stays in force; the new one is pending
    hint: try again with `doppio secret rotate anthropic/api_key --continue --online`
    hint: or discard the new one: `doppio secret rotate anthropic/api_key --abort`
    ");
    assert_eq!(doppio.reveal("anthropic/api_key"), OLD);
    assert_eq!(doppio.reveal("anthropic/api_key.pending"), NEW);
    let ran = doppio.run_with_stdin(rotate.into_iter().chain(["--from-stdin"]), "another value").expect(2);
    assert!(ran.stderr.contains("a value is already pending for `anthropic/api_key`"), "{}", ran.stderr);

    let (address, asked) = provider("200 OK", "{}");
    let doppio = doppio.env("DOPPIO_PING_ANTHROPIC", &address);
    doppio.run(rotate.into_iter().chain(["--continue", "--online"])).expect(0);
    let request = asked.recv().unwrap();
    assert!(request.contains(&format!("x-api-key: {NEW}\r\n")), "{request}");
    assert!(request.contains("anthropic-version: 2023-06-01\r\n"), "{request}");
    assert_eq!(doppio.reveal("anthropic/api_key"), NEW);
    doppio.run(rotate.into_iter().chain(["--continue"])).expect(2);
}

#[test]
fn the_end_of_a_value_that_is_pending_goes_with_it() {
    let (busy, _) = provider("503 Service Unavailable", "");
    let doppio = machine("anthropic/api_key", OLD).env("DOPPIO_PING_ANTHROPIC", &busy);
    let rotate = |arguments: &[&str], value| {
        let all = ["secret", "rotate", "anthropic/api_key"].iter().chain(arguments).copied();
        doppio.run_with_stdin(all, value)
    };
    let expires = || {
        let list = doppio.run(["secret", "list", "--in", "file", "--json"]).expect(0).stdout;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let item = list.as_array().unwrap().iter().find(|item| item["name"] == "anthropic/api_key").unwrap();
        item["expires"].as_str().map(|time| time[..10].to_owned())
    };
    rotate(&["--from-stdin", "--online", "--expires", "2099-01-31"], NEW).expect(3);
    assert_eq!(expires(), None, "the old value is in force");
    rotate(&["--continue"], "").expect(0);
    assert_eq!(expires().as_deref(), Some("2099-01-31"));
    // What is said later counts.
    rotate(&["--from-stdin", "--online", "--expires", "2099-01-31"], OLD).expect(3);
    rotate(&["--continue", "--expires", "2098-01-31"], "").expect(0);
    assert_eq!(expires().as_deref(), Some("2098-01-31"));
}

#[test]
fn every_provider_is_asked_in_its_own_way() {
    let (address, asked) = provider("200 OK", "{\"data\": {\"viewer\": {\"id\": \"x\"}}}");
    let doppio =
        machine("wandb/api_key", OLD).env("DOPPIO_PING_WANDB", &address).env("DOPPIO_PING_OPENAI", &address);
    doppio.run_with_stdin(["secret", "rotate", "wandb/api_key", "--from-stdin", "--online"], NEW).expect(0);
    let request = asked.recv().unwrap();
    assert!(request.starts_with("POST /graphql HTTP/1.1\r\n") && request.contains("viewer"), "{request}");
    let login = data_encoding::BASE64.encode(format!("api:{NEW}").as_bytes());
    assert!(request.contains(&format!("authorization: Basic {login}\r\n")), "{request}");
    doppio.store("openai/api_key", OLD);
    doppio.run_with_stdin(["secret", "rotate", "openai/api_key", "--from-stdin", "--online"], NEW).expect(0);
    assert!(asked.recv().unwrap().starts_with("GET /v1/models HTTP/1.1\r\n"));
    // W&B answers 200 to a key that it does not know.
    let (address, _asked) = provider("200 OK", "{\"data\": {\"viewer\": null}}");
    let doppio = doppio.env("DOPPIO_PING_WANDB", &address);
    let ran = doppio
        .run_with_stdin(["secret", "rotate", "wandb/api_key", "--from-stdin", "--online"], "hunter2 hunter2")
        .expect(3);
    assert!(ran.stderr.contains("Weights & Biases does not accept the new value"), "{}", ran.stderr);
}

#[test]
fn a_value_goes_to_nobody_but_the_provider() {
    for base in ["http://example.com:80", "https://127.0.0.1:1", "http://127.0.0.1:80@example.com:80"] {
        let doppio = machine("huggingface/token", OLD).env("DOPPIO_PING_HUGGINGFACE", base);
        let rotate = ["secret", "rotate", "huggingface/token", "--from-stdin", "--online"];
        let ran = doppio.run_with_stdin(rotate, NEW).expect(3);
        assert!(ran.stderr.contains("is not a loopback address"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("bbbb"), "{}", ran.stderr);
    }
}

#[test]
fn the_key_of_a_server_of_ones_own_stays_there() {
    for server in ["https://wandb.corp.example", "http://api.wandb.ai.example/x"] {
        let (address, asked) = provider("200 OK", "{}");
        let doppio =
            machine("wandb/api_key", OLD).env("DOPPIO_PING_WANDB", &address).env("WANDB_BASE_URL", server);
        let rotate = ["secret", "rotate", "wandb/api_key", "--from-stdin", "--online"];
        let ran = doppio.run_with_stdin(rotate, NEW).expect(3);
        assert!(ran.stderr.contains("`WANDB_BASE_URL` names"), "{}", ran.stderr);
        assert!(asked.try_recv().is_err());
    }
    let (address, _asked) = provider("200 OK", "{\"data\": {\"viewer\": {\"id\": \"x\"}}}");
    let doppio = machine("wandb/api_key", OLD)
        .env("DOPPIO_PING_WANDB", &address)
        .env("WANDB_BASE_URL", "https://api.wandb.ai/");
    doppio.run_with_stdin(["secret", "rotate", "wandb/api_key", "--from-stdin", "--online"], NEW).expect(0);
}

#[test]
fn a_value_of_ones_own_is_made_up() {
    let doppio = machine("team/hook", "hunter2 one");
    let ran = doppio.run(["secret", "rotate", "team/hook", "--generate"]).expect(0);
    insta::assert_snapshot!(ran.stderr, @"
    `team/hook` has its new value in the age vault; the old one is kept as `team/hook@1`
    as far as this machine knows, nobody got the old value
    ");
    let made = doppio.reveal("team/hook");
    assert!(made.len() == 43 && made.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    doppio.store("openai/api_key", OLD);
    let ran = doppio.run(["secret", "rotate", "openai/api_key", "--generate"]).expect(2);
    insta::assert_snapshot!(ran.stderr, @"
    error: an OpenAI API key is issued, not generated

    hint: get a new one: https://platform.openai.com/api-keys
    ");
    let ran = doppio.run(["secret", "rotate", "team/hook", "--generate", "--online"]).expect(2);
    assert!(ran.stderr.contains("no provider can check whether a new `team/hook` works"), "{}", ran.stderr);
    assert_eq!(doppio.reveal("team/hook"), made);
    for (value, words) in [
        ("abc", "too short"),
        ("your_token_here", "is only a placeholder"),
        (made.as_str(), "already has this value"),
    ] {
        let ran = doppio.run_with_stdin(["secret", "rotate", "team/hook", "--from-stdin"], value).expect(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    doppio.run(["secret", "rotate", "team/gone", "--generate"]).expect(3);
    doppio.run(["secret", "rotate", "team/hook"]).expect(2);
    doppio.run(["secret", "rotate", "team/hook", "--abort"]).expect(0);
}

#[test]
fn a_secret_that_only_has_such_a_name_is_left_alone() {
    let doppio = Doppio::with_vault();
    doppio.store("jobs/queue", "hunter2 queue");
    doppio.run_with_stdin(["secret", "set", "jobs/queue.pending", "--from-stdin"], "hunter2 mine").expect(0);
    for flag in ["--continue", "--abort", "--generate"] {
        let ran = doppio.run(["secret", "rotate", "jobs/queue", flag]).expect(2);
        assert!(ran.stderr.contains("`jobs/queue.pending` is a separate secret"), "{}", ran.stderr);
    }
    assert_eq!(doppio.reveal("jobs/queue"), "hunter2 queue");
    assert_eq!(doppio.reveal("jobs/queue.pending"), "hunter2 mine");
}
