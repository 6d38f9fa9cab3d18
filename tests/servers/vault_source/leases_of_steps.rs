//! The leases of commands and of steps of a run are given back by them, however they end.

use std::fs;
use std::process::Child;

use rustix::process::Signal;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::send;
use doppio_test_support::wait_for_line;

use crate::support::http::Server;
use crate::support::openbao::Bao;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::vault_source::leases::Rabbit;
use crate::vault_source::leases::WORKER;

const USER: &str = "U=vault:rabbitmq/creds/worker#username";

fn world(bao: &Bao) -> Doppio {
    Doppio::new().env("DOPPIO_KEYRING", "off").env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", "root")
}

fn end(child: Child) -> Ran {
    Ran::of(&child.wait_with_output().expect("the binary ends"))
}

#[test]
fn a_command_with_lent_secrets_gives_them_back() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    let doppio = world(&bao);
    let ran = doppio
        .run([
            "secret",
            "exec",
            USER,
            "P=vault:rabbitmq/creds/worker#password",
            "--",
            "sh",
            "-c",
            "echo \"$U\" > user; test -n \"$P\"",
        ])
        .expect(0);
    assert_eq!(ran.stderr, "");
    let user = wait_for_line(&doppio.folder().join("project/user"));
    assert_eq!(rabbit.made(), [user]);
    assert!(rabbit.left().is_empty());
    // One that can't be started, one that is ended, and one that is still waited for.
    doppio.run(["secret", "exec", USER, "--", "no-such-program"]).expect(127);
    assert_eq!((rabbit.made().len(), rabbit.left().len()), (2, 0));
    let child = doppio.start(["secret", "exec", USER, "--", "sh", "-c", "echo now > began; exec sleep 60"]);
    wait_for_line(&doppio.folder().join("project/began"));
    send(&child, Signal::TERM);
    end(child).expect(128 + 15);
    assert_eq!((rabbit.made().len(), rabbit.left().len()), (3, 0));
    rabbit.slow_down(1500);
    let child = doppio.start(["secret", "exec", USER, "--", "touch", "never"]);
    rabbit.wait_made(4);
    send(&child, Signal::TERM);
    let ran = end(child).expect(130);
    assert!(ran.stderr.contains("the command was not started"), "{}", ran.stderr);
    assert!(rabbit.left().is_empty() && !doppio.folder().join("project/never").exists());
    rabbit.slow_down(0);
    // What is shown is over when it is shown, and that is said.
    let ran = doppio.run(["secret", "get", &format!("vault:{WORKER}"), "--reveal", "--force"]).expect(0);
    assert!(ran.stderr.contains("it was created for this command"), "{}", ran.stderr);
    assert!(rabbit.left().is_empty());
}

#[test]
fn no_command_leaves_its_token() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/mine", "value=hunter2 mine"]);
    let policy = "path \"kv/*\" { capabilities = [\"read\", \"list\", \"create\", \"update\", \"delete\"] }";
    let (role, secret) = bao.role(policy, &[]);
    let proxy = Server::before(&bao.address());
    let doppio = Doppio::with_vault()
        .env("DOPPIO_KEYRING", "off")
        .env("VAULT_ADDR", proxy.url())
        .env("VAULT_ROLE_ID", role)
        .env("VAULT_SECRET_ID", secret);
    let config = "default_source = \"vault:kv/{name}\"\n[vault]\nwork_factor = 10\n[sources.vault]\nauth = \"approle\"\n";
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    let steps =
        |text: &str| format!("[recipe]\nname = \"r\"\n[[step]]\nid = \"a\"\nlocal_command = {{ {text} }}\n");
    doppio.file("good.toml", steps("command = \"true\", env = { A = \"${secret:vault:kv/mine}\" }"));
    let two =
        "command = \"true\", env = { A = \"${secret:vault:kv/mine}\", B = \"${secret:vault:kv/gone}\" }";
    doppio.file("bad.toml", steps(two));
    let before = bao.tokens();
    for (code, arguments) in [
        (0, &["secret", "get", "vault:kv/mine"][..]),
        (0, &["secret", "get", "vault:kv/mine", "--reveal", "--force"]),
        (3, &["secret", "get", "vault:kv/gone"]),
        (0, &["secret", "why", "mine"]),
        (0, &["secret", "status", "good.toml"]),
        (3, &["secret", "status", "bad.toml"]),
        (0, &["secret", "list", "--in", "vault"]),
        (0, &["secret", "export", "--format", "dotenv", "A=vault:kv/mine", "--reveal", "--force"]),
        (0, &["secret", "copy", "--from", "vault", "--to", "file", "kv/mine", "--yes"]),
        (0, &["secret", "exec", "A=vault:kv/mine", "--", "true"]),
        (0, &["secret", "history", "mine", "--in", "vault"]),
        (0, &["secret", "scan", "--source", "vault"]),
        (0, &["plan", "good.toml"]),
        (0, &["run", "good.toml"]),
        (3, &["run", "bad.toml"]),
    ] {
        let ran = doppio.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        let logins = proxy.lines().iter().filter(|line| line.ends_with("/auth/approle/login")).count();
        assert_eq!(logins, 1, "{arguments:?} has logged in so many times");
        assert_eq!(bao.tokens(), before, "{arguments:?} has left its token");
    }
}

#[test]
fn each_step_has_credentials_of_its_own_and_gives_them_back_at_its_end() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    let doppio = world(&bao);
    doppio.recipe(
        r#"
[[step]]
id = "first"
retry = { max_attempts = 2 }
[step.local_command]
command = 'echo "$U" >> users; test "$(wc -l < users)" = 2'
env = { U = "${secret:vault:rabbitmq/creds/worker#username}", P = "${secret:vault:rabbitmq/creds/worker#password}" }

[[step]]
id = "second"
depends_on = ["first"]
[step.local_command]
command = 'echo "$U" > second; while [ ! -e go ]; do sleep 0.05; done'
env = { U = "${secret:vault:rabbitmq/creds/worker#username}" }
"#,
    );
    let project = doppio.folder().join("project");
    let run = doppio.start(["run", "recipe.toml"]);
    let second = wait_for_line(&project.join("second"));
    let users = wait_for_line(&project.join("users"));
    let users: Vec<&str> = users.lines().collect();
    // Both attempts of the first step had the same.
    assert_eq!(users[0], users[1]);
    assert_eq!(rabbit.made(), [users[0].to_owned(), second.clone()]);
    rabbit.wait_left(std::slice::from_ref(&second));
    assert!(!project.join("go").exists());
    fs::write(project.join("go"), "").unwrap();
    end(run).expect(0);
    assert!(rabbit.left().is_empty());
}

// case K7
#[test]
fn a_session_that_goes_on_keeps_what_was_made_for_it() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&bao);
    doppio.hosts(&server.hosts_toml("gpu"));
    let start = "[[step]]\nid = \"start\"\ntmux_new = { host_id = \"gpu\", session_name = \"train\", if_exists = \
                 \"replace\", command = 'until [ -e go ]; do sleep 0.05; done', env = { U = \
                 \"${secret:vault:rabbitmq/creds/worker#username}\" } }\n";
    doppio.recipe(start);
    let warning = "gives it to a session that may need it longer";
    let plan = doppio.run(["plan", "recipe.toml"]).expect(0);
    assert!(plan.stderr.contains(warning) && plan.stderr.contains("tmux_wait"), "{}", plan.stderr);
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    let left = "tmux session `train` on `gpu` may still need what was made by `rabbitmq/creds/worker`: it was not \
                revoked, and ends by itself";
    assert!(ran.stderr.contains(left), "{}", ran.stderr);
    let made = rabbit.made();
    assert_eq!((made.len(), rabbit.left()), (1, made));
    // Where the run sees the session's end, it is revoked.
    fs::write(server.home().join("go"), "").unwrap();
    doppio.recipe(&format!(
        "{start}[[step]]\nid = \"wait\"\ndepends_on = [\"start\"]\ntmux_wait = {{ host_id = \"gpu\", session_name = \
         \"train\" }}\n"
    ));
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(!ran.stderr.contains("may still need"), "{}", ran.stderr);
    assert_eq!((rabbit.made().len(), rabbit.left().len()), (2, 1));
}

#[test]
fn steps_at_the_same_time_share_what_is_lent_until_the_last_has_ended() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    let doppio = world(&bao);
    let step = |id: &str, command: &str| {
        format!(
            "[[step]]\nid = \"{id}\"\nlocal_command = {{ command = '{command}', env = {{ U = \
             \"${{secret:vault:rabbitmq/creds/worker#username}}\" }} }}\n"
        )
    };
    let both =
        |own: &str, other: &str| format!("echo \"$U\" > {own}; while [ ! -e {other} ]; do sleep 0.05; done");
    let one = step("one", &both("one", "two"));
    let two = step("two", &(both("two", "one") + "; while [ ! -e go ]; do sleep 0.05; done"));
    let after = "[[step]]\nid = \"after\"\ndepends_on = [\"one\"]\nlocal_command = { command = \"echo now > after\" }\n";
    doppio.recipe(&format!("{one}{two}{after}"));
    let project = doppio.folder().join("project");
    let run = doppio.start(["run", "recipe.toml"]);
    wait_for_line(&project.join("after"));
    let user = wait_for_line(&project.join("two"));
    assert_eq!(wait_for_line(&project.join("one")), user);
    assert_eq!((rabbit.made(), rabbit.left()), (vec![user.clone()], vec![user]));
    fs::write(project.join("go"), "").unwrap();
    end(run).expect(0);
    assert!(rabbit.left().is_empty());
}

#[test]
fn a_variable_keeps_what_it_was_given_until_the_run_ends() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    let doppio = world(&bao);
    doppio.recipe(
        r#"
[[step]]
id = "made"
set_var = { name = "user", value = "${secret:vault:rabbitmq/creds/worker#username}" }

[[step]]
id = "used"
depends_on = ["made"]
[step.local_command]
command = 'echo "$U" > used; while [ ! -e go ]; do sleep 0.05; done'
env = { U = "${user}" }
"#,
    );
    let project = doppio.folder().join("project");
    let run = doppio.start(["run", "recipe.toml"]);
    let user = wait_for_line(&project.join("used"));
    assert_eq!(rabbit.made(), std::slice::from_ref(&user));
    assert_eq!(rabbit.left(), [user]);
    fs::write(project.join("go"), "").unwrap();
    end(run).expect(0);
    assert!(rabbit.left().is_empty());
}
