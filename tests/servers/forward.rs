//! `doppio forward`: bytes through a real server.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Child;
use std::thread;

use doppio_test_support::Doppio;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

/// A forward that runs; it ends with this.
struct Forward {
    child: Child,
    local: Vec<SocketAddr>,
}

impl Forward {
    fn start(doppio: &Doppio, ports: &[String]) -> Self {
        let mut arguments = vec!["forward".to_owned(), "gpu".to_owned()];
        arguments.extend_from_slice(ports);
        let mut child = doppio.start(&arguments);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let local = ports.iter().map(|_| {
            let line = lines.next().expect("a line").unwrap();
            line.split(' ').next().unwrap().parse().unwrap()
        });
        let local = local.collect();
        Self { child, local }
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn machine(server: &Sshd) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts(&server.hosts_toml("gpu"));
    doppio
}

/// A service that sends back all it got, reversed byte by byte, once the other side has said its end.
fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut client = client;
                let mut all = Vec::new();
                client.read_to_end(&mut all).unwrap();
                for byte in &mut all {
                    *byte = !*byte;
                }
                client.write_all(&all).unwrap();
            });
        }
    });
    address
}

/// Sends bytes, says its end, and takes what comes back.
fn ask(local: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(local).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    back
}

#[test]
fn every_byte_arrives_both_ways_on_many_connections_at_once() {
    let (server, service) = (Sshd::start(Variant::Stock), service());
    let doppio = machine(&server);
    let forward = Forward::start(&doppio, &[format!("0:127.0.0.1:{}", service.port())]);
    let local = forward.local[0];
    assert!(local.ip().is_loopback());
    thread::scope(|scope| {
        for number in 0..20_u8 {
            scope.spawn(move || {
                let size = if number == 0 { 5 << 20 } else { usize::from(number) * 10_000 };
                let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap() ^ number).collect();
                let back = ask(local, &bytes);
                assert_eq!(back.len(), bytes.len());
                assert!(back.iter().zip(&bytes).all(|(back, sent)| *back == !*sent), "{number}");
            });
        }
    });
}

#[test]
fn either_side_may_end_first_and_one_that_does_not_read_holds_up_nobody() {
    let (server, service) = (Sshd::start(Variant::Stock), service());
    let doppio = machine(&server);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let ports = [format!("0:127.0.0.1:{}", service.port()), format!("0:127.0.0.1:{port}")];
    let forward = Forward::start(&doppio, &ports);
    // It asks for much and does not look at it.
    let lazy = vec![7; 8 << 20];
    let mut unread = TcpStream::connect(forward.local[0]).unwrap();
    unread.write_all(&lazy).unwrap();
    unread.shutdown(Shutdown::Write).unwrap();
    // A service that says its end before it has heard anything.
    let first = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.write_all(b"bye").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        all
    });
    let mut stream = TcpStream::connect(forward.local[1]).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    assert_eq!(said, b"bye");
    stream.write_all(b"after its end").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(first.join().unwrap(), b"after its end");
    assert_eq!(ask(forward.local[0], b"a"), [!b'a']);
    let mut back = Vec::new();
    unread.read_to_end(&mut back).unwrap();
    assert!(back.len() == lazy.len() && back.iter().all(|byte| *byte == !7));
}

#[test]
fn a_connection_that_broke_is_made_again() {
    let (server, service) = (Sshd::start(Variant::Stock), service());
    let doppio = machine(&server);
    let forward = Forward::start(&doppio, &[format!("0:127.0.0.1:{}", service.port())]);
    let local = forward.local[0];
    assert_eq!(ask(local, b"a"), [!b'a']);
    let mut open = TcpStream::connect(local).unwrap();
    open.write_all(b"half of it").unwrap();
    let logins = || server.log().matches("Accepted publickey").count();
    let before = logins();
    // Ends every session of the server, and not the server.
    server.ssh("kill $(ps -eo pid,args | awk '/sshd: root$/ || /sshd: root@/ || /sshd-session: root/ { print $1 }' | grep -v \"^$PPID$\") 2>/dev/null");
    wait_for("the port to lead there again", || {
        let Ok(mut stream) = TcpStream::connect(local) else { return false };
        let mut back = Vec::new();
        stream.write_all(b"b").is_ok()
            && stream.shutdown(Shutdown::Write).is_ok()
            && stream.read_to_end(&mut back).is_ok()
            && back == [!b'b']
    });
    // One for the command that ended the sessions.
    assert!(logins() > before + 1, "{}", server.log());
    // A break is no end: what was to come is missing.
    assert!(open.read(&mut [0; 1]).is_err());
}

#[test]
fn a_port_in_use_is_named_and_nothing_behind_one_is_told() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ran = doppio.run(["forward", "gpu", &format!("{port}:localhost:1")]).expect(3);
    assert!(ran.stderr.contains(&format!("port {port} of this machine is in use")), "{}", ran.stderr);
    assert!(ran.stderr.contains("`0:localhost:1`"), "{}", ran.stderr);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = free.local_addr().unwrap().port();
    drop(free);
    let mut forward = Forward::start(&doppio, &[format!("0:127.0.0.1:{nobody}")]);
    let mut stream = TcpStream::connect(forward.local[0]).unwrap();
    assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)));
    let mut lines = BufReader::new(forward.child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(&format!("no way to 127.0.0.1:{nobody} on `gpu`"))));
    let ran = doppio.run(["forward", "local", "6006"]).expect(2);
    assert!(ran.stderr.contains("its ports are here already"), "{}", ran.stderr);
    doppio.run(["forward", "gpu", "x"]).expect(2);
}

#[test]
fn ports_of_a_step_are_open_while_what_depends_on_it_runs() {
    let (server, service) = (Sshd::start(Variant::Stock), service());
    let doppio = machine(&server);
    let done = doppio.folder().join("done");
    doppio.recipe(&format!(
        "[[step]]\nid = \"serve\"\nforward = \"0:127.0.0.1:{}\"\nretry = {{ max_attempts = 2, delay_secs = 0 }}\n\
         ssh_command = {{ host_id = \"gpu\", command = \"test -e once || {{ touch once; exit 1; }}\" }}\n\
         [[step]]\nid = \"middle\"\ndepends_on = [\"serve\"]\nsleep = {{ duration_secs = 0 }}\n\
         [[step]]\nid = \"use\"\ndepends_on = [\"middle\"]\n\
         local_command = {{ command = \"until test -e {}; do sleep 0.05; done\" }}\n",
        service.port(),
        done.display()
    ));
    let mut child = doppio.start(["run", "recipe.toml", "--output", "plain"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains(" leads to ")).expect("the address is said");
    let local: SocketAddr =
        line.split_whitespace().nth(2).unwrap().parse().unwrap_or_else(|_| panic!("{line}"));
    assert!(line.ends_with(&format!("leads to 127.0.0.1:{} on `gpu`", service.port())), "{line}");
    // Both attempts are over, and the port is the one that was said.
    lines.find(|line| line.contains("use") && line.contains("started")).expect("the last step starts");
    assert_eq!(ask(local, b"a"), [!b'a']);
    std::fs::write(&done, "").unwrap();
    assert!(lines.all(|line| !line.contains(" leads to ")), "it is opened once");
    assert!(child.wait().unwrap().success());
    assert!(TcpStream::connect(local).is_err());
}

#[test]
fn a_step_whose_port_is_taken_fails_before_it_starts() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    doppio.recipe(&format!(
        "[[step]]\nid = \"serve\"\nforward = [{port}]\nssh_command = {{ host_id = \"gpu\", command = \"touch ran\" }}\n"
    ));
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains(&format!("port {port} of this machine is in use")), "{}", ran.stderr);
    assert!(!server.home().join("ran").exists());
}
