//! What is handed out: a wheel that pip installs, and a tarball where `cargo binstall` looks for it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use tempfile::TempDir;

use doppio_test_support::Ran;

#[path = "../../packaging/extras/pages.rs"]
mod pages;

/// Compares a wheel's RECORD with what is in it; prints WHEEL.
const RECORD_IS_TRUE: &str = "
import base64, csv, hashlib, io, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    names = wheel.namelist()
    info = next(name.split('/')[0] for name in names if name.endswith('.dist-info/RECORD'))
    rows = list(csv.reader(io.StringIO(wheel.read(f'{info}/RECORD').decode())))
    assert sorted(name for name, _, _ in rows) == sorted(names), names
    for name, digest, size in rows:
        data = wheel.read(name)
        if name.endswith('/RECORD'):
            assert digest == size == '', rows
        else:
            found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()
            assert (digest, size) == (f'sha256={found}', str(len(data))), name
    for license in ('LICENSE-APACHE', 'LICENSE-MIT'):
        assert f'{info}/licenses/{license}' in names, names
    print(wheel.read(f'{info}/WHEEL').decode())
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `packaging/wheel.sh` with a binary; the wheel is alone in its folder.
fn wheel(binary: &Path, folder: &Path) -> Ran {
    let mut command = Command::new(root().join("packaging/wheel.sh"));
    command.arg("--binary").arg(binary).arg("--out").arg(folder).env("SOURCE_DATE_EPOCH", "1700000000");
    Ran::of(&command.output().expect("bash is installed"))
}

fn manifest() -> toml::Table {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    text.parse().expect("it is TOML")
}

#[test]
fn pip_installs_a_wheel_that_runs_the_quickstart() {
    let folder = TempDir::new().expect("a folder");
    // Stripped, as what is handed out is: a quarter of the bytes to pack.
    let binary = folder.path().join("doppio");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&binary).arg(env!("CARGO_BIN_EXE_doppio"));
    Ran::of(&strip.output().expect("binutils are installed")).expect(0);
    let wheels = folder.path().join("wheels");
    let made = wheel(&binary, &wheels).expect(0).stdout;
    let mut python = Command::new("python3");
    python.args(["-c", RECORD_IS_TRUE, made.trim_end()]);
    let tags = Ran::of(&python.output().expect("python3 is installed")).expect(0).stdout;
    assert!(tags.contains("\nTag: py3-none-manylinux_2_"), "{tags}");

    let mut try_it = Command::new(root().join("packaging/try.sh"));
    let ran = Ran::of(&try_it.arg(&wheels).output().expect("bash is installed")).expect(0);
    assert!(ran.stdout.ends_with(".whl: ok\n"), "{}", ran.stdout);
}

#[test]
fn the_tarball_is_where_binstall_looks_for_it() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let binary = compiled(folder, &[]);
    pages::write(&folder.join("extras")).expect("they can be written");
    let mut tarball = Command::new(root().join("packaging/tarball.sh"));
    tarball.arg("--binary").arg(&binary).arg("--extras").arg(folder.join("extras"));
    tarball.args(["--target", "x86_64-unknown-linux-musl", "--out"]).arg(folder.join("out"));
    let made = Ran::of(&tarball.output().expect("bash is installed")).expect(0).stdout;
    let made = Path::new(made.trim_end());

    let binstall = &manifest()["package"]["metadata"]["binstall"];
    let filled = |key: &str| {
        let text = binstall[key].as_str().expect("a template");
        let text = text.replace("{ version }", env!("CARGO_PKG_VERSION"));
        text.replace("{ target }", "x86_64-unknown-linux-musl").replace("{ bin }{ binary-ext }", "doppio")
    };
    assert!(filled("pkg-url").ends_with(made.file_name().and_then(|name| name.to_str()).expect("a name")));
    let mut tar = Command::new("tar");
    let listed = Ran::of(&tar.arg("-tzf").arg(made).output().expect("tar is installed")).expect(0).stdout;
    let inside = |name: &str| listed.lines().any(|line| line == name);
    assert!(inside(&filled("bin-dir")), "{listed}");
    for name in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "man/doppio.1", "completions/_doppio"] {
        assert!(inside(&filled("bin-dir").replace("/doppio", &format!("/{name}"))), "no {name}: {listed}");
    }
    let mut sum = Command::new("sha256sum");
    sum.args(["--check", "--quiet"]).arg(made.with_added_extension("sha256"));
    Ran::of(&sum.current_dir(folder.join("out")).output().expect("coreutils are installed")).expect(0);
}

/// A program that C's compiler makes with these options.
fn compiled(folder: &Path, options: &[&str]) -> PathBuf {
    let program = folder.join("program");
    let mut cc = Command::new("cc");
    cc.args(["-x", "c", "-", "-o"]).arg(&program).args(options);
    let mut child = cc.stdin(Stdio::piped()).spawn().expect("cc is installed");
    let source = b"#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n";
    child.stdin.take().expect("piped").write_all(source).expect("cc reads it");
    assert!(child.wait().expect("cc ends").success());
    program
}

#[test]
fn a_wheel_says_which_platforms_its_binary_runs_on() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let arch = std::env::consts::ARCH;
    let named = |ran: Ran| ran.expect(0).stdout.trim_end().rsplit('/').next().map(str::to_owned);
    let file =
        |platform: &str| Some(format!("doppio_run-{}-py3-none-{platform}.whl", env!("CARGO_PKG_VERSION")));

    let first = wheel(&compiled(folder, &["-static"]), &folder.join("first"));
    let platforms = format!("manylinux_2_17_{arch}.manylinux2014_{arch}.musllinux_1_1_{arch}");
    assert_eq!(named(first), file(&platforms), "a static one runs everywhere");

    let second = folder.join("program");
    named(wheel(&second, &folder.join("second")));
    let bytes = |of: &str| {
        let name = file(&platforms).expect("a name");
        fs::read(folder.join(of).join(name)).expect("a wheel")
    };
    assert!(bytes("first") == bytes("second"), "the same input makes the same bytes");

    let mach = folder.join("mach");
    let header = [0xfeed_facf_u32, 0x0100_000c, 0, 2, 1, 24, 0, 0, 0x32, 24, 1, 11 << 16, 0, 0];
    fs::write(&mach, header.map(u32::to_le_bytes).concat()).expect("a file");
    assert_eq!(named(wheel(&mach, folder)), file("macosx_11_0_arm64"));

    for (what, bytes, message) in [
        ("a script", b"#!/bin/sh\n".to_vec(), "neither an ELF nor a Mach-O"),
        ("half a header", fs::read(&second).expect("it is there")[..60].to_vec(), "cut short"),
    ] {
        fs::write(folder.join("unfit"), bytes).expect("a file");
        let ran = wheel(&folder.join("unfit"), folder).expect(1);
        assert!(ran.stderr.contains(message), "{what}: {}", ran.stderr);
    }
    let library = folder.join("own.so");
    let made = compiled(folder, &["-shared", "-fPIC", "-Wl,-soname,libown.so.1"]);
    fs::rename(made, &library).expect("a library");
    let linked =
        compiled(folder, &["-Wl,--no-as-needed", "-x", "none", library.to_str().expect("paths are UTF-8")]);
    let ran = wheel(&linked, folder).expect(1);
    assert!(ran.stderr.contains("libown.so.1, which not every Linux has"), "{}", ran.stderr);
}
