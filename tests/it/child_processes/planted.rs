//! Repositories that others made, with programs in every setting that git has for one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use doppio_test_support::Doppio;
use doppio_test_support::Repository;

use crate::child_processes::script;

/// What is in no repository by accident.
const VALUE: &str = "made-up-value-4b1c9e";

const RECIPE: &str = "[recipe]\nname = \"x\"\n\n[[step]]\nid = \"a\"\n\
    local_command = { command = \"true\", env = { A = \"${secret:team/key}\" } }\n";

/// A machine whose working folder is a repository, with a project in this folder of it, and the
/// folder where what is run leaves a file.
fn cloned(inner: &str) -> (Doppio, Repository, PathBuf) {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", VALUE);
    let ran = doppio.folder().join("ran");
    fs::create_dir(&ran).unwrap();
    let repository = Repository::init(&doppio.folder().join("project"));
    for (file, text) in [
        ("doppio.toml", "dotenv = true\n".to_owned()),
        (".env", format!("TEAM_KEY={VALUE}\n")),
        ("x.toml", RECIPE.to_owned()),
    ] {
        let path = doppio.file(&format!("{inner}/{file}"), text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    (doppio, repository, ran)
}

/// Every command that asks git, or that looks at a folder of others, given in each of these folders.
fn commands(doppio: &Doppio, inner: &str) -> Vec<(String, String)> {
    let top = doppio.folder().join("project");
    let mut told = Vec::new();
    for folder in [top.join(inner), top.clone()] {
        let [recipe, env, out, named] =
            ["x.toml", ".env", "out.env", ""].map(|path| top.join(inner).join(path).display().to_string());
        for command in [
            &["check", recipe.as_str()][..],
            &["plan", &recipe],
            &["run", &recipe],
            &["secret", "status", &recipe],
            &["secret", "why", "team/key"],
            &["secret", "why", "dotenv:TEAM_KEY"],
            &["secret", "scan"],
            &["secret", "scan", "--staged"],
            &["secret", "scan", "--history"],
            &["secret", "scan", "--history", &named],
            &["secret", "incident", "team/key"],
            &["secret", "incident", "team/key", &named],
            &["secret", "incident", "team/key", "--write-replacements", &out],
            &["secret", "export", "team/key", "--format", "dotenv", "--reveal", "--out", &out],
            &["secret", "import", &env, "--yes"],
            &["secret", "import", &env, "--dry-run"],
            &["secret", "init", "--dry-run"],
            &["secret", "init"],
            &["secret", "scan", "--install-hook"],
        ] {
            let out = doppio.command(command).current_dir(&folder).output().unwrap();
            let text = [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let is_understood = !text.concat().contains("Usage:");
            assert!(
                is_understood && out.status.code().is_some_and(|code| code < 100),
                "{command:?}: {text:?}"
            );
            told.push((command.join(" "), text.concat()));
        }
    }
    told
}

fn left(ran: &Path) -> Vec<String> {
    let names = fs::read_dir(ran).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// All that a command said, in whatever folder.
fn said(told: &[(String, String)], command: &str) -> String {
    let texts: Vec<&str> =
        told.iter().filter(|(own, _)| own.starts_with(command)).map(|(_, text)| text.as_str()).collect();
    assert!(!texts.is_empty(), "no `{command}` was given");
    texts.concat()
}

/// Turns a folder into a bare repository, as a commit can bring one.
fn plant_bare(folder: &Path, ran: &Path) {
    fs::create_dir(folder.join("other")).unwrap();
    let other = Repository::init(&folder.join("other"));
    other.write("a", "a");
    other.commit("a");
    for name in ["HEAD", "objects", "refs", "index"] {
        fs::rename(other.folder().join(".git").join(name), folder.join(name)).unwrap();
    }
    fs::remove_dir_all(other.folder()).unwrap();
    let text = format!(
        "[core]\nrepositoryFormatVersion = 0\nfsmonitor = \"touch '{}/monitor'; false\"\nworktree = .\n",
        ran.display()
    );
    fs::write(folder.join("config"), text).unwrap();
}

// case A1
#[test]
fn a_bare_repository_in_a_working_tree_runs_nothing_and_hides_nothing() {
    let (doppio, _repository, ran) = cloned("r");
    let inner = doppio.folder().join("project/r");
    plant_bare(&inner, &ran);
    // Git itself, asked as anybody asks it, runs what is planted.
    Repository::at(&inner).command(&["check-ignore", "-q", ".env"]).output().unwrap();
    assert_eq!(left(&ran), ["monitor"]);
    fs::remove_file(ran.join("monitor")).unwrap();

    let told = commands(&doppio, "r");
    assert_eq!(left(&ran), [""; 0]);
    let warning = "git does not ignore `";
    let why = said(&told, "secret why dotenv:");
    assert!(why.contains(warning) && why.contains("r/.env`"), "{why}");
    let exported = said(&told, "secret export");
    assert!(exported.contains(warning) && exported.contains("r/out.env`"), "{exported}");
    let refused = told.iter().find(|(command, _)| command == "secret scan --history").unwrap();
    assert!(refused.1.contains("is a bare repository inside of the working tree"), "{}", refused.1);

    // Once `secret init` wrote the rules, git ignores it, and says so.
    let why = doppio.command(["secret", "why", "dotenv:TEAM_KEY"]).current_dir(&inner).output().unwrap();
    let why = String::from_utf8_lossy(&why.stdout).into_owned();
    assert!(why.contains(".env") && !why.contains("git does not ignore"), "{why}");
    assert_eq!(left(&ran), [""; 0]);
}

/// Every setting of git that names a program, each with the file that it leaves.
fn plant_settings(repository: &Repository, ran: &Path) {
    let touch = |name: &str| format!("touch '{}/{name}'; false", ran.display());
    for (key, name) in [
        ("core.fsmonitor", "monitor"),
        ("core.pager", "pager"),
        ("core.alternateRefsCommand", "alternates"),
        ("core.sshCommand", "ssh"),
        ("core.gitProxy", "proxy"),
        ("core.askPass", "ask"),
        ("core.editor", "editor"),
        ("diff.external", "external"),
        ("diff.planted.command", "driver"),
        ("diff.planted.textconv", "textconv"),
        ("merge.planted.driver", "merge"),
        ("filter.planted.clean", "clean"),
        ("filter.planted.smudge", "smudge"),
        ("filter.planted.process", "process"),
        ("gpg.program", "gpg"),
        ("credential.helper", "credentials"),
        ("uploadpack.packObjectsHook", "pack"),
        ("remote.origin.uploadpack", "upload"),
        ("pager.diff", "pager-of-diff"),
        ("alias.check-ignore", "alias"),
    ] {
        repository.git(["config", key, &touch(name)]);
    }
    let fetch = format!("ext::touch {}/fetched", ran.display());
    for (key, value) in [
        ("log.showSignature", "true"),
        ("filter.planted.required", "true"),
        ("core.hooksPath", "hooks"),
        ("gc.auto", "1"),
        ("protocol.ext.allow", "always"),
        ("remote.origin.url", &fetch),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
    ] {
        repository.git(["config", key, value]);
    }
    for hook in ["pre-commit", "post-index-change", "post-checkout", "reference-transaction", "pre-auto-gc"] {
        script(&repository.folder().join("hooks").join(hook), &touch(&format!("hook-{hook}")));
    }
    repository.write(".gitattributes", "* filter=planted diff=planted merge=planted\n");
}

// case A2
#[test]
fn no_setting_of_the_repository_is_run() {
    let (doppio, repository, ran) = cloned("r");
    repository.write("seen.txt", format!("key = {VALUE}\n"));
    repository.write("gone.txt", "in no object any more\n");
    repository.commit("one");
    // An object that a fetch would bring, and the objects of somebody else.
    let gone = repository.git(["rev-parse", "HEAD:gone.txt"]);
    let (start, rest) = gone.split_at(2);
    fs::remove_file(repository.folder().join(".git/objects").join(start).join(rest)).unwrap();
    fs::create_dir(doppio.folder().join("other")).unwrap();
    let other = Repository::init(&doppio.folder().join("other"));
    other.write("a", "a");
    other.commit("a");
    let objects = format!("{}\n", other.folder().join(".git/objects").display());
    repository.write(".git/objects/info/alternates", objects);
    repository.write("staged.txt", format!("key = {VALUE}\n"));
    repository.git(["add", "staged.txt"]);
    plant_settings(&repository, &ran);
    // Git itself, asked as anybody asks it, runs what is planted.
    let unfiltered =
        ["process=", "clean=", "smudge=", "required=false"].map(|value| format!("filter.planted.{value}"));
    let unfiltered: Vec<&str> = unfiltered.iter().flat_map(|value| ["-c", value]).collect();
    for asked in [
        &["status"][..],
        &["cat-file", "-p", &gone],
        &[&unfiltered[..], &["diff", "--cached"]].concat(),
        &[&unfiltered[..], &["diff", "--cached", "--no-ext-diff"]].concat(),
    ] {
        repository.command(asked).output().unwrap();
    }
    for name in ["monitor", "process", "fetched", "driver", "textconv"] {
        assert!(left(&ran).iter().any(|left| left == name), "{name}: {:?}", left(&ran));
    }
    for name in left(&ran) {
        fs::remove_file(ran.join(name)).unwrap();
    }

    let told = commands(&doppio, "r");
    assert_eq!(left(&ran), [""; 0]);
    // And each of them came to what it is for.
    for (command, file) in [
        ("secret scan", "seen.txt"),
        ("secret scan --staged", "staged.txt"),
        ("secret scan --history", "seen.txt"),
        ("secret incident", "staged.txt"),
        ("secret why dotenv:", "git does not ignore `"),
        ("secret scan --install-hook", "project/hooks/pre-commit"),
    ] {
        let text = said(&told, command);
        assert!(text.contains(file), "{command}: {text}");
    }
}
