//! What a Vault server does not show is told: an "all clear" that skipped something is none.

use doppio_test_support::Doppio;

use crate::support::openbao::Bao;

const VALUE: &str = "kQ7-zVbXmWnRtYpLsDfG8hJcKxZ2w";

fn world(bao: &Bao, policy: &str) -> Doppio {
    let doppio = Doppio::new().env("HF_TOKEN", VALUE).env("DOPPIO_KEYRING", "off");
    doppio.file("a.txt", "nothing here\n");
    doppio.env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", bao.token(policy, "1h"))
}

#[test]
fn older_values_that_can_not_be_read() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/app", &format!("value={VALUE}")]);
    bao.bao(&["kv", "put", "kv/app", "value=another, newer one"]);
    let policy = "path \"kv/data/*\" { capabilities = [\"read\"] }\n\
                  path \"kv/metadata/\" { capabilities = [\"list\"] }\n\
                  path \"kv/metadata/+\" { capabilities = [\"deny\"] }";
    let ran = world(&bao, policy).run(["secret", "scan", "--source", "vault"]).expect(3);
    assert!(ran.stderr.contains("cannot ask older values of `kv/app`"), "{}", ran.stderr);
}

#[test]
fn folders_that_may_not_be_listed() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    for record in ["kv/open/a", "kv/closed/b"] {
        bao.bao(&["kv", "put", record, &format!("value={VALUE}")]);
    }
    let all = "path \"kv/*\" { capabilities = [\"read\", \"list\"] }\n";
    for (policy, shown, left_out) in [
        (
            format!("{all}path \"kv/metadata/closed/\" {{ capabilities = [\"deny\"] }}"),
            "kv/open/a",
            "kv/metadata/closed/",
        ),
        ("path \"kv/data/*\" { capabilities = [\"read\"] }".to_owned(), "", "kv/metadata/"),
    ] {
        let world = world(&bao, &policy);
        for arguments in [
            &["secret", "list", "--in", "vault"][..],
            &["secret", "scan", "--source", "vault"],
            &["secret", "copy", "--from", "vault", "--to", "file", "--dry-run"],
        ] {
            let ran = world.run(arguments).expect(3);
            assert!(!ran.stdout.contains(VALUE) && !ran.stderr.contains(VALUE), "{arguments:?}");
            assert!(ran.stderr.contains(&format!("allows it to list `{left_out}`")), "{}", ran.stderr);
            assert!(arguments[1] != "list" || ran.stdout.contains(shown), "{}", ran.stdout);
        }
    }
}
