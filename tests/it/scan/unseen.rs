//! What could not be looked at is told: an "all clear" that skipped something is none.

use std::fs;

use crate::scan::VALUE;
use crate::scan::quiet;
use crate::scan::work;
use crate::scan::world;
use crate::support::openbao::Bao;
use crate::support::repository::Repository;

#[test]
fn older_values_that_can_not_be_read() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/app", &format!("value={VALUE}")]);
    bao.bao(&["kv", "put", "kv/app", "value=another, newer one"]);
    let policy = "path \"kv/data/*\" { capabilities = [\"read\"] }\n\
                  path \"kv/metadata/\" { capabilities = [\"list\"] }\n\
                  path \"kv/metadata/+\" { capabilities = [\"deny\"] }";
    let token = bao.token(policy, "1h");
    let world = world().env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", token);
    world.file("a.txt", "nothing here\n");
    let ran = quiet(&world, &["secret", "scan", "--source", "vault"], 3);
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
        let world = world().env("VAULT_ADDR", bao.url()).env("VAULT_TOKEN", bao.token(&policy, "1h"));
        world.file("a.txt", "nothing here\n");
        for arguments in [
            &["secret", "list", "--in", "vault"][..],
            &["secret", "scan", "--source", "vault"],
            &["secret", "copy", "--from", "vault", "--to", "file", "--dry-run"],
        ] {
            let ran = quiet(&world, arguments, 3);
            assert!(ran.stderr.contains(&format!("allows to list `{left_out}`")), "{}", ran.stderr);
            assert!(arguments[1] != "list" || ran.stdout.contains(shown), "{}", ran.stdout);
        }
    }
}

#[test]
fn names_that_the_settings_bind() {
    let world = world();
    world.file("a.txt", "nothing here\n");
    let settings = "[secrets]\n'team/key' = 'env:TEAM#member'\n";
    fs::write(world.doppio_home().join("config.toml"), settings).unwrap();
    quiet(&world, &["secret", "scan"], 0);
    let world = world.env("TEAM", "this is no JSON");
    let ran = quiet(&world, &["secret", "scan"], 3);
    assert!(ran.stderr.contains("`team/key`, which the settings bind"), "{}", ran.stderr);
}

#[test]
fn what_a_damaged_index_tracks() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write(".gitignore", ".env\n");
    repository.write(".env", format!("T={VALUE}\n"));
    repository.git(["add", "--force", "."]);
    quiet(&world, &["secret", "scan"], 1);
    fs::write(work(&world).join(".git/index"), "damaged").unwrap();
    let ran = quiet(&world, &["secret", "scan"], 3);
    assert!(ran.stderr.contains("what git tracks there is not known"), "{}", ran.stderr);
}

/// A clone without the commit, or without the file, that the value is in.
#[test]
fn the_history_that_a_clone_does_not_have() {
    let world = world();
    let upstream = world.folder().join("upstream");
    fs::create_dir(&upstream).expect("a folder");
    let upstream = Repository::init(&upstream);
    upstream.git(["config", "uploadpack.allowFilter", "true"]);
    upstream.write("conf/a.txt", VALUE);
    upstream.commit("one");
    upstream.git(["rm", "-q", "conf/a.txt"]);
    upstream.write("b.txt", "clean\n");
    upstream.commit("two");
    let url = format!("file://{}", upstream.folder().display());
    for (how, words, mend) in [
        ("--depth=1", "this clone is shallow", &["fetch", "-q", "--unshallow"][..]),
        ("--filter=blob:none", "this clone is partial", &["fetch", "-q", "--refetch", "--no-filter"]),
        ("--filter=tree:0", "this clone is partial", &["fetch", "-q", "--refetch", "--no-filter"]),
    ] {
        let folder = work(&world).join("clone");
        let there = folder.to_str().expect("UTF-8");
        upstream.git(["clone", "-q", how, &url, there]);
        let clone = Repository::at(&folder);
        for command in [&["scan", "--history", there][..], &["incident", "huggingface/token", there]] {
            let ran = quiet(&world, &[&["secret"], command].concat(), 3);
            assert!(ran.stderr.contains(words), "{how}: {}", ran.stderr);
            assert!(ran.stderr.contains(&mend.join(" ").replace("-q ", "")), "{how}: {}", ran.stderr);
        }
        // The command that is named brings what was not there.
        clone.git(mend.iter().copied());
        let ran = quiet(&world, &["secret", "scan", "--history", there], 1);
        assert!(!ran.stderr.contains("warning"), "{how}: {}", ran.stderr);
        fs::remove_dir_all(&folder).expect("it goes");
    }
}

#[test]
fn a_file_of_the_history_that_is_gone() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("a.txt", VALUE);
    repository.commit("one");
    let object = repository.git(["rev-parse", "HEAD:a.txt"]);
    fs::remove_file(work(&world).join(".git/objects").join(&object[..2]).join(&object[2..]))
        .expect("it goes");
    let ran = quiet(&world, &["secret", "scan", "--history"], 3);
    assert!(ran.stderr.contains(&format!("cannot look at `object {object}`")), "{}", ran.stderr);
}
