//! Servers that are silent, closed, busy, or no SSH servers: an answer in time, with their words.

use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::Machine;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::support::sshd::free_address;

/// Says something to everyone who comes, and then closes or keeps silent until they go.
fn liar(says: &'static [u8], closes: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || lie(stream, says, closes));
        }
    });
    address
}

fn lie(mut stream: TcpStream, says: &[u8], closes: bool) {
    if stream.write_all(says).is_err() || closes {
        return;
    }
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

fn machine(address: SocketAddr, seconds: u32) -> Machine {
    Machine::new().hosts(&format!(
        "[hosts.gpu]\nhostname = \"{}\"\nport = {}\nuser = \"root\"\nconnect_timeout_secs = {seconds}\n",
        address.ip(),
        address.port()
    ))
}

async fn said_by(says: &'static [u8], closes: bool) -> String {
    let address = liar(says, closes);
    machine(address, 1).refusal("gpu", &[(&address.to_string(), "ADDRESS")]).await
}

#[tokio::test]
async fn a_closed_port() {
    let address = free_address();
    let text = machine(address, 2).refusal("gpu", &[(&address.to_string(), "ADDRESS")]).await;
    let (head, rest) = text.split_once("\n  cause: tried ").expect("it is tried again");
    assert_eq!(
        head,
        "cannot reach `gpu`: nothing listens on ADDRESS\n  cause: Connection refused (os error 111)"
    );
    assert!(
        rest.ends_with("\nhint: check the port, and that the SSH server of the host is running"),
        "{rest}"
    );
}

#[tokio::test]
async fn a_server_that_comes_up_late_is_reached() {
    let builder = Sshd::builder(Variant::Stock);
    let address = builder.address();
    let hosts = format!(
        "[hosts.gpu]\nhostname = \"{}\"\nport = {}\nuser = \"root\"\nidentity_file = \"{}\"\n",
        address.ip(),
        address.port(),
        builder.folder().join("id").display()
    );
    let machine = Machine::new().hosts(&hosts);
    let starting = tokio::task::spawn_blocking(|| builder.start());
    machine.reach("gpu").await.unwrap();
    drop(starting.await.unwrap());
}

#[tokio::test]
async fn silent_before_the_banner() {
    assert_eq!(said_by(b"", false).await, "`gpu` at ADDRESS does not answer: no SSH banner within 1 s");
    assert_eq!(
        said_by(b"Welcome\r\nSSH-2.0-Half", false).await,
        "`gpu` at ADDRESS does not answer: no SSH banner within 1 s\n  cause: it said: Welcome"
    );
}

#[tokio::test]
async fn silent_in_the_key_exchange() {
    assert_eq!(
        said_by(b"SSH-2.0-Liar\r\n", false).await,
        "`gpu` at ADDRESS does not answer: no key exchange within 1 s\n  cause: its banner was `SSH-2.0-Liar`"
    );
}

#[tokio::test]
async fn words_instead_of_a_banner() {
    assert_eq!(
        said_by(b"Not allowed at this time\r\n", true).await,
        "`gpu` at ADDRESS rejects connections\n  \
         cause: the server said: Not allowed at this time\n\
         hint: sshd blocks this address for a while after failed logins or too many connections; wait a \
         minute, or see PerSourcePenalties in its sshd_config"
    );
    assert_eq!(
        said_by(b"You shall not pass\r\n", true).await,
        "`gpu` at ADDRESS closed the connection before its SSH banner\n  cause: the server said: You shall not pass"
    );
    let closed = said_by(b"", true).await;
    assert!(closed.starts_with("`gpu` at ADDRESS closed the connection before its SSH banner"), "{closed}");
}

#[tokio::test]
async fn no_ssh_server() {
    let web = b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>this goes on and on</html>\r\n";
    let text = said_by(web, false).await;
    assert!(text.contains("does not answer: no SSH banner") && text.contains("<html>"), "{text}");
    let garbage = said_by(&[b'x'; 4000], false).await;
    assert!(garbage.starts_with("what listens at ADDRESS for `gpu` is not an SSH server"), "{garbage}");
    assert!(garbage.ends_with("hint: check the port"), "{garbage}");
}

#[tokio::test]
async fn a_key_exchange_that_makes_no_sense() {
    let text = said_by(b"SSH-2.0-Liar\r\n\0\0\0\x0c\x0aabcdefghijklmnop", true).await;
    assert!(text.starts_with("the key exchange with `gpu` at ADDRESS failed"), "{text}");
}

#[tokio::test]
async fn a_server_at_its_limit_of_logins() {
    let server = Sshd::start(Variant::Throttled);
    // One unfinished login takes the only place.
    let _idler = TcpStream::connect(server.address()).unwrap();
    server.wait_for("busy", |log| log.contains("Connection from"));
    let machine = Machine::new().hosts(&(server.hosts_toml("gpu") + "connect_timeout_secs = 2\n"));
    let text = machine.refusal("gpu", &[(&server.address().to_string(), "ADDRESS")]).await;
    assert!(
        text.starts_with(
            "`gpu` at ADDRESS rejects connections\n  cause: the server said: Exceeded MaxStartups\n  cause: tried "
        ),
        "{text}"
    );
    assert!(text.contains("hint: too many logins were in progress at once"), "{text}");
}

#[tokio::test]
async fn a_place_that_becomes_free_is_taken() {
    let server = Sshd::start(Variant::Throttled);
    let idler = TcpStream::connect(server.address()).unwrap();
    server.wait_for("busy", |log| log.contains("Connection from"));
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    let (reached, ()) = tokio::join!(machine.reach("gpu"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(idler);
    });
    reached.unwrap();
}
