//! Where the files of a script lie on a host, and what is left of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Host;
use doppio_test_support::Doppio;

use crate::support::exec::finish;
use crate::support::exec::run;
use crate::support::exec::secret;
use crate::support::pool::Testbed;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

/// Where a large value lies, and what its folder is like; it arrives whole wherever that is.
async fn where_files_go(host: &Host) -> (String, String) {
    let value = "test_".repeat(40_000);
    let script = r#"echo "$BIG_FILE"; stat -c %a "${BIG_FILE%/*}"; wc -c <"$BIG_FILE"; echo ${#BIG}; exit 5"#;
    let done = run(host, Exec { env: vec![secret("BIG", value)], ..Exec::new(script) }).await;
    let text = done.text().to_owned();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((&lines[1..], &done.exit), (&["700", "200000", "200000"][..], &Exit::Code(5)), "{done:?}");
    (lines[0].to_owned(), done.stderr)
}

fn login_file(server: &Sshd, text: &str) {
    fs::write(server.home().join(".bashrc"), text).unwrap();
}

/// What lies in a folder of the server.
fn listed(server: &Sshd, folder: &str) -> Vec<String> {
    let folder = server.root().join(folder.trim_start_matches('/'));
    let entries = fs::read_dir(&folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// What a folder says of the process that it belongs to.
fn server_line(server: &Sshd, boot: &str, process: &str) -> String {
    let line = format!("echo $(cat /proc/sys/kernel/hostname) {boot} $(readlink /proc/$$/ns/pid) {process}");
    String::from_utf8(server.ssh(&line).stdout).unwrap().trim().to_owned()
}

const DISK: &str = "lies on disk while the step runs";

// case L3
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_another_user_could_swap_is_not_used() {
    let server = Sshd::start(Variant::Stock);
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    let (file, _) = where_files_go(&host).await;
    assert!(file.starts_with("/dev/shm/doppio-"), "{file}");
    let (again, _) = where_files_go(&host).await;
    assert_ne!(file, again, "nobody can prepare a name that is new each time");
    // Without the sticky bit, everybody may rename everything there.
    fs::set_permissions(server.root().join("dev/shm"), fs::Permissions::from_mode(0o777)).unwrap();
    let (file, said) = where_files_go(&host).await;
    assert!(file.starts_with(&format!("{}/.doppio/run/doppio-", server.home().display())), "{file}");
    assert!(said.contains(DISK), "{said}");
    assert_eq!(listed(&server, "/dev/shm"), Vec::<String>::new());
    bed.pool.close().await;
}

// case L4
#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_folder_of_somebody_else_is_not_used() {
    for (make, counts) in [
        ("mkdir -m 700 $d", true),
        ("mkdir -m 700 $d; chown 4321 $d", false),
        ("mkdir -m 755 $d", false),
        ("mkdir -m 700 $d; chmod 770 $d", false),
        ("mkdir -m 755 ${d%/*}; chown 4321 ${d%/*}; mkdir -m 700 $d", false),
        ("mkdir -m 700 $d.real; ln -s $d.real $d", true),
    ] {
        let server = Sshd::start(Variant::Stock);
        let folder = if make.contains("${d%/*}") { "/run/other/me" } else { "/run/me" };
        login_file(&server, &format!("export XDG_RUNTIME_DIR={folder}\n"));
        let made = server.ssh(&format!("d={folder}; {make}"));
        assert!(made.status.success(), "{made:?}");
        let bed = Testbed::of(&server, "", &[]);
        let (file, _) = where_files_go(&bed.host("box").await).await;
        let expected = if counts { "/run/me" } else { "/dev/shm/" };
        assert!(file.starts_with(expected), "{make}: {file}");
        bed.pool.close().await;
    }
}

// case L5
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_on_disk_is_not_called_memory() {
    let server = Sshd::start(Variant::Stock);
    let folder = server.home().join("runtime");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    login_file(&server, &format!("export XDG_RUNTIME_DIR={}\n", folder.display()));
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    let (file, said) = where_files_go(&host).await;
    assert!(file.starts_with("/dev/shm/doppio-"), "{file}");
    assert_eq!(said, "");
    // Where /dev/shm is a folder of the disk too, there is no memory to be had.
    let unmounted = server.ssh("umount -l /dev/shm; mount --bind /var/tmp /dev/shm");
    assert!(unmounted.status.success(), "{unmounted:?}");
    let (file, said) = where_files_go(&host).await;
    assert!(file.starts_with(&format!("{}/.doppio/run/", server.home().display())), "{file}");
    assert!(said.contains(DISK), "{said}");
    bed.pool.close().await;
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts(&server.hosts_toml("box"));
    let ran = doppio.run(["doctor", "--host", "box"]).expect(0);
    assert!(ran.stdout.contains("no memory file system there is fit for files"), "{}", ran.stdout);
    // Nothing is taken for memory where it can't be asked, either.
    let asked = server
        .ssh("umount /dev/shm; mount --bind /dev/null /usr/bin/stat; mount -t tmpfs -o mode=1777 t /dev/shm");
    assert!(asked.status.success(), "{asked:?}");
    let ran = doppio.run(["doctor", "--host", "box"]).expect(0);
    assert!(ran.stdout.contains("/dev/shm"), "the list of mounts says it too: {}", ran.stdout);
}

// case D8
#[tokio::test(flavor = "multi_thread")]
async fn a_memory_file_system_that_is_full_is_passed_over() {
    let server = Sshd::start(Variant::Stock);
    let filled = server.ssh("mount -o remount,size=64k /dev/shm");
    assert!(filled.status.success(), "{filled:?}");
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    for shell in ["dash", "bash", "busybox"] {
        let linked = server.ssh(&format!("mount --bind $(command -v {shell}) /bin/sh"));
        assert!(linked.status.success(), "{linked:?}");
        let (file, said) = where_files_go(&host).await;
        assert!(file.starts_with(&format!("{}/.doppio/run/", server.home().display())), "{file}");
        assert!(said.contains(DISK) && said.lines().count() == 1, "{said}");
        assert_eq!(listed(&server, "/dev/shm"), Vec::<String>::new(), "{shell}");
    }
    // With no room at all, nothing is run.
    let home = server.home();
    fs::remove_dir_all(home.join(".doppio")).unwrap();
    fs::write(home.join(".doppio"), "in the way").unwrap();
    let exec = Exec { env: vec![secret("BIG", "x".repeat(200_000))], ..Exec::new("touch ran") };
    let Exit::NotStarted(error) = run(&host, exec).await.exit else { panic!("it ran") };
    assert!(error.causes.concat().contains("/dev/shm and $XDG_RUNTIME_DIR are full or unfit"), "{error:?}");
    assert!(!Path::new(&home.join("ran")).exists());
    bed.pool.close().await;
}

// case D8
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_shows_no_processes_still_has_them_ended() {
    let server = Sshd::start(Variant::Stock);
    let hidden = server.ssh("mount -t tmpfs none /proc && mount --bind /dev/null /usr/bin/ps");
    assert!(hidden.status.success(), "{hidden:?}");
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    let script = "trap '' TERM; sleep 300 & sleep 301 & echo $$ $!; wait; wait; sleep 302";
    let mut process = host.exec(Exec::new(script)).await.unwrap();
    let line = crate::support::exec::until_line(&mut process).await;
    let stopped = process.stop(std::time::Duration::from_millis(300)).await.unwrap();
    assert_eq!(stopped.survivors, Vec::<String>::new());
    assert_eq!(finish(process).await.exit, Exit::Signal("KILL".to_owned()));
    let look = |pid| format!("kill -0 {pid} 2>/dev/null && echo {pid}\n");
    let look: String = line.split_whitespace().map(look).collect();
    assert_eq!(run(&host, Exec::new(look)).await.text(), "", "nothing of it is left");
    bed.pool.close().await;
}

// case B11
#[test]
fn files_of_a_large_value_are_removed_when_their_shell_could_not_and_that_is_reported() {
    let server = Sshd::start(Variant::Stock);
    let world = Doppio::new().env("DOPPIO_KEYRING", "off");
    world.hosts(&server.hosts_toml("box"));
    let big = "x".repeat(150_000);
    let recipe = |command: &str| {
        format!(
            "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\nssh_command = {{ command = '{command}', env = {{ BIG = \"{big}\" }} }}\n"
        )
    };
    world.file("r.toml", recipe("test -s $BIG_FILE; kill -9 $PPID; sleep 0.2"));
    let ran = world.run(["run", "r.toml", "--host", "box", "--output", "plain"]).expect(1);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("the files of its large values are gone from `box`"), "{said}");
    assert_eq!(listed(&server, "/dev/shm"), Vec::<String>::new());
    // What nobody was there to remove, the next step that has files finds.
    let left = [
        ("gone", server_line(&server, "$(cat /proc/sys/kernel/random/boot_id)", "999999 1")),
        ("rebooted", server_line(&server, "another-boot", "1 1")),
        ("elsewhere", "other-machine b n 999999 1".to_owned()),
        ("other", "nothing that we understand".to_owned()),
    ];
    for (name, line) in &left {
        let folder = format!("/dev/shm/doppio-{name}");
        let made = server.ssh(&format!("mkdir -m 700 {folder}; echo '{line}' >{folder}/.made-by"));
        assert!(made.status.success(), "{made:?}");
    }
    world.file("r.toml", recipe("test -s $BIG_FILE"));
    let ran = world.run(["run", "r.toml", "--host", "box", "--output", "plain"]).expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for name in ["gone", "rebooted"] {
        let removed = format!("removed what an earlier step had left: /dev/shm/doppio-{name}");
        assert!(said.contains(&removed), "{said}");
    }
    let mut kept = listed(&server, "/dev/shm");
    kept.sort();
    assert_eq!(kept, ["doppio-elsewhere", "doppio-other"]);
    assert!(server.ssh("rm -r /dev/shm/*").status.success());
    world
        .file("r.toml", recipe("mount -t tmpfs none $(dirname $BIG_FILE); echo \"at $(dirname $BIG_FILE)\""));
    let ran = world.run(["run", "r.toml", "--host", "box", "--output", "plain"]).expect(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let left = listed(&server, "/dev/shm");
    let [left] = &left[..] else { panic!("what is mounted can't be removed: {left:?}\n{said}") };
    assert!(said.contains(&format!("are left on `box`; remove them: `rm -rf -- /dev/shm/{left}`")), "{said}");
}
