//! Connections that break once, anywhere before the login is done.

use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::thread;

use super::Machine;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

/// Passes connections on, the first one until the server has said this many bytes.
fn cutting(to: SocketAddr, bytes: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, client) in listener.incoming().flatten().enumerate() {
            let server = TcpStream::connect(to).unwrap();
            let (from_client, to_client) = (client.try_clone().unwrap(), client);
            let (from_server, to_server) = (server.try_clone().unwrap(), server);
            let most = if number == 0 { bytes } else { usize::MAX };
            thread::spawn(move || pass(from_client, &to_server, usize::MAX));
            thread::spawn(move || pass(from_server, &to_client, most));
        }
    });
    address
}

fn pass(mut from: TcpStream, mut to: &TcpStream, mut most: usize) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if count > most || to.write_all(&buffer[..count]).is_err() {
            break;
        }
        most -= count;
    }
    // Some are closed already.
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}

// case D7
#[tokio::test]
async fn a_cut_anywhere_before_the_login_is_done_is_tried_again() {
    let server = Sshd::start(Variant::Stock);
    for bytes in (0..3000).step_by(75) {
        let proxy = cutting(server.address(), bytes);
        let hosts = server.hosts_toml("gpu");
        let own = format!("hostname = \"{}\"\nport = {}\n", server.address().ip(), server.address().port());
        let through = format!("hostname = \"{}\"\nport = {}\n", proxy.ip(), proxy.port());
        let machine = Machine::new().hosts(&hosts.replace(&own, &through));
        if let Err(error) = machine.reach("gpu").await {
            panic!("cut after {bytes} bytes: {error}: {:?}", error.causes);
        }
    }
    server.wait_for("cut off in a login", |log| log.contains("by authenticating user root"));
}

// case D7
#[tokio::test]
async fn a_cut_of_the_way_through_a_jump_host_is_tried_again() {
    let bastion = Sshd::start(Variant::Stock);
    let server = Sshd::start(Variant::Stock);
    for bytes in (0..8000).step_by(400) {
        let proxy = cutting(bastion.address(), bytes);
        let own = format!("hostname = \"{}\"\nport = {}\n", bastion.address().ip(), bastion.address().port());
        let through = format!("hostname = \"{}\"\nport = {}\n", proxy.ip(), proxy.port());
        let hosts = bastion.hosts_toml("bastion").replace(&own, &through);
        let machine =
            Machine::new().hosts(&hosts).hosts(&(server.hosts_toml("gpu") + "jump = [\"bastion\"]\n"));
        if let Err(error) = machine.reach("gpu").await {
            panic!("cut after {bytes} bytes: {error}: {:?}", error.causes);
        }
    }
}
