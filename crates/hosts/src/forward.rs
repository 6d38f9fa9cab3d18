//! Ports of this machine that lead to ports as a host sees them.

use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;

use doppio_text::shell::typed;

use crate::HostError;
use crate::PortForward;
use crate::ssh::forward::Tunnel;

/// Ports that are open while this lives.
pub struct Forwarding {
    ports: Vec<(SocketAddr, PortForward)>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Forwarding {
    /// The addresses of this machine, and where each leads.
    pub fn ports(&self) -> &[(SocketAddr, PortForward)] {
        &self.ports
    }

    /// Opens the ports; whoever connects to one is served.
    pub(crate) fn open(listeners: Vec<Listening>, tunnel: Tunnel) -> Self {
        let tunnel = Arc::new(tunnel);
        let ports =
            listeners.iter().map(|listening| (listening.address, listening.forward.clone())).collect();
        let serving =
            listeners.into_iter().map(|listening| tokio::spawn(serve(listening, Arc::clone(&tunnel))));
        Self { ports, tasks: serving.collect() }
    }
}

/// A port that is taken.
pub(crate) struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    forward: PortForward,
}

/// Takes the ports, on loopback only.
///
/// # Errors
///
/// When one is in use.
pub(crate) async fn listen(forwards: &[PortForward]) -> Result<Vec<Listening>, HostError> {
    let mut all = Vec::with_capacity(forwards.len());
    for forward in forwards {
        let bound = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, forward.local)).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = bound.await.map_err(|error| not_open(forward, &error))?;
        all.push(Listening { listener, address, forward: forward.clone() });
    }
    Ok(all)
}

fn not_open(forward: &PortForward, error: &io::Error) -> HostError {
    let port = forward.local;
    let failed = match error.kind() {
        io::ErrorKind::AddrInUse => HostError::new(format!("port {port} of this machine is in use")),
        _ => HostError::new(format!("port {port} of this machine can't be opened")).cause(error.to_string()),
    };
    failed.hint(format!(
        "take another one, `{}:{forward}`, or any that is free, `0:{forward}`; {} shows who has it",
        port.checked_add(10_000).unwrap_or(port - 10_000),
        typed(["lsof", "-i", &format!(":{port}")])
    ))
}

async fn serve(listening: Listening, tunnel: Arc<Tunnel>) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listening.listener.accept() => {
                let Ok((client, from)) = accepted else {
                    // Too many open files: those that are open may end meanwhile.
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                };
                let (tunnel, forward) = (Arc::clone(&tunnel), listening.forward.clone());
                clients.spawn(async move { tunnel.serve(client, from, (&forward.host, forward.port)).await });
            }
            Some(_) = clients.join_next() => {}
        }
    }
}
