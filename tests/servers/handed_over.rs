//! Every way in which a secret goes to a host over SSH is recorded.

use std::fs;

use doppio_test_support::Doppio;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

const VALUE: &str = "correct-horse-battery-staple";

// case J1
// case J9
#[test]
fn keys_stdin_and_files_are_said_and_found_by_host() {
    let server = Sshd::start(Variant::Stock);
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("TEAM_TOKEN", VALUE);
    doppio.hosts(&server.hosts_toml("gpu"));
    doppio.recipe(
        r#"
[[step]]
id = "session"
tmux_new = { host_id = "gpu", session_name = "login", command = "read -r typed; printf %s \"$typed\" > ~/typed" }
[[step]]
id = "keys"
depends_on = ["session"]
tmux_send = { host_id = "gpu", session_name = "login", keys = "${secret:team/token}", allow_secret_keys = true }
[[step]]
id = "stdin"
ssh_command = { host_id = "gpu", command = "cat > ~/read", stdin = "${secret:team/token}" }
[[step]]
id = "file"
ssh_command = { host_id = "gpu", command = "cp \"$CONFIG\" ~/copied; echo \"$CONFIG\" > ~/where", files = { CONFIG = "${secret:team/token}" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    for way in [
        "went as typed keys to step `keys` (tmux buffer)",
        "went as standard input to step `stdin` (stdin)",
        "went as CONFIG to step `file` (private file)",
    ] {
        assert!(ran.stderr.contains(&format!("secret `team/token` {way}")), "{way}\n{}", ran.stderr);
    }
    let gone = "`file`: the files of its secrets are gone from `gpu`";
    assert!(ran.stderr.contains(gone), "{}", ran.stderr);
    let home = server.home();
    wait_for("the keys", || fs::read_to_string(home.join("typed")).is_ok_and(|typed| typed == VALUE));
    for name in ["read", "copied"] {
        assert_eq!(fs::read_to_string(home.join(name)).unwrap(), VALUE, "{name}");
    }
    let path = fs::read_to_string(home.join("where")).unwrap();
    assert!(!fs::exists(path.trim()).unwrap(), "{path}");
    let audit = doppio.run(["secret", "audit", "--host", "gpu"]).expect(0).stdout;
    for carrier in ["tmux buffer", "stdin", "private file"] {
        assert!(audit.contains(carrier), "{carrier}\n{audit}");
    }
    let incident = doppio.run(["secret", "incident", "team/token"]);
    for step in ["`keys`", "`stdin`", "`file`"] {
        assert!(
            incident.stdout.contains(step.trim_matches('`')),
            "{step}\n{}{}",
            incident.stdout,
            incident.stderr
        );
    }
}
