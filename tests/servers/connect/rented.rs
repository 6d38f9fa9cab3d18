//! Rented machines: a vendor that is made up says where they are.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use doppio_hosts::Endpoint;
use doppio_hosts::HostError;
use doppio_hosts::RentedMachines;
use doppio_hosts::Stage;
use doppio_hosts::probe;

use super::Machine;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::support::sshd::free_address;

/// A vendor with one machine.
#[derive(Default)]
struct Vendor {
    ways: Mutex<Vec<(&'static str, SocketAddr)>>,
    /// The file that lets keys in, where the vendor can attach one.
    authorized: Option<PathBuf>,
    asked: Mutex<Vec<String>>,
}

impl Vendor {
    fn of(ways: &[(&'static str, SocketAddr)]) -> Self {
        Self { ways: Mutex::new(ways.to_vec()), ..Self::default() }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl RentedMachines for Vendor {
    fn id(&self, name: &str) -> Option<String> {
        name.starts_with("vast").then(|| name.replace(':', "-"))
    }

    fn endpoints<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Endpoint>, HostError>> {
        self.asked.lock().unwrap().push(format!("where {id} is"));
        let ways = self.ways.lock().unwrap().clone();
        let endpoint = |(way, address): (&'static str, SocketAddr)| Endpoint {
            way,
            user: "root".to_owned(),
            hostname: address.ip().to_string(),
            port: address.port(),
        };
        std::future::ready(Ok(ways.into_iter().map(endpoint).collect())).boxed()
    }

    fn attach_key<'a>(&'a self, id: &'a str, key: &'a str) -> BoxFuture<'a, Result<bool, HostError>> {
        self.asked.lock().unwrap().push(format!("to attach a key to {id}"));
        let can = self.authorized.as_ref().is_some_and(|file| fs::write(file, format!("{key}\n")).is_ok());
        std::future::ready(Ok(can)).boxed()
    }
}

fn tenant(server: &Sshd, vendor: &Arc<Vendor>) -> Machine {
    let machine = Machine { rented: Some(Arc::clone(vendor) as Arc<dyn RentedMachines>), ..Machine::new() };
    fs::copy(server.key(), machine.folder.path().join(".ssh/id_ed25519")).unwrap();
    machine
}

#[tokio::test]
async fn the_way_that_is_open_is_taken_and_its_vendor_is_asked_each_time() {
    let server = Sshd::start(Variant::Stock);
    let vendor = Arc::new(Vendor::of(&[("direct", free_address()), ("proxy", server.address())]));
    let machine = tenant(&server, &vendor);
    machine.reach("vast:12345").await.unwrap();
    let known = fs::read_to_string(machine.own_known_hosts()).unwrap();
    assert!(known.starts_with("vast-12345 "), "its key is the machine's, not the address's: {known}");
    machine.reach("vast-12345").await.unwrap();
    assert_eq!(vendor.asked(), ["where vast-12345 is"; 2]);
    // The next tenant of the same address is another machine.
    machine.reach("vast-777").await.unwrap();
    // The user's own entry counts more than the vendor.
    let entry = server.hosts_toml("vast-9");
    Machine { rented: Some(Arc::clone(&vendor) as Arc<dyn RentedMachines>), ..Machine::new() }
        .hosts(&entry)
        .reach("vast-9")
        .await
        .unwrap();
    assert_eq!(vendor.asked(), ["where vast-777 is"]);
}

#[tokio::test]
async fn what_the_user_names_holds_in_every_spelling() {
    let (server, other) = (Sshd::start(Variant::Stock), Sshd::start(Variant::Stock));
    let vendor = Arc::new(Vendor::of(&[("direct", server.address())]));
    let pin = format!("[hosts.vast-31]\nhost_key = \"{}\"\n", other.host_key("ed25519"));
    let machine = tenant(&server, &vendor).hosts(&pin);
    for name in ["vast-31", "vast:31"] {
        let error = probe(&name.parse().unwrap(), &machine.options()).await.unwrap_err();
        assert_eq!(error.stage, Some(Stage::HostKey), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn another_key_than_the_machines_is_refused_with_both() {
    let (first, second) = (Sshd::start(Variant::Stock), Sshd::start(Variant::Stock));
    let vendor = Arc::new(Vendor::of(&[("direct", first.address())]));
    let machine = tenant(&first, &vendor);
    machine.reach("vast-1").await.unwrap();
    *vendor.ways.lock().unwrap() = vec![("direct", second.address())];
    let options = machine.options();
    let error = probe(&"vast-1".parse().unwrap(), &options).await.unwrap_err();
    assert_eq!(error.stage, Some(Stage::HostKey), "{error:?}");
    let told = format!("{error:?}");
    assert!(told.matches("SHA256:").count() >= 2 && told.contains("doppio host forget vast-1"), "{told}");
    assert_eq!(vendor.asked(), ["where vast-1 is"; 2], "no key is attached to a stranger");
}

#[tokio::test]
async fn a_key_that_has_vanished_is_attached_again() {
    let server = Sshd::start(Variant::Stock);
    let authorized = server.folder().join("authorized_keys");
    let vendor = Vendor::of(&[("direct", server.address())]);
    let vendor = Arc::new(Vendor { authorized: Some(authorized.clone()), ..vendor });
    let machine = tenant(&server, &vendor);
    fs::write(&authorized, "").unwrap();
    machine.reach("vast-1").await.unwrap();
    let asked = vendor.asked();
    assert_eq!(asked, ["where vast-1 is", "to attach a key to vast-1", "where vast-1 is"]);
    assert!(machine.heard().iter().any(|heard| heard.contains("its vendor was asked to attach it")));

    // A vendor that can't is not asked twice.
    let vendor = Arc::new(Vendor::of(&[("direct", server.address())]));
    let machine = tenant(&server, &vendor);
    fs::write(&authorized, "").unwrap();
    let text = machine.refusal("vast-1", &[]).await;
    assert!(text.starts_with("login as `root` on `vast-1` refused"), "{text}");
}

#[tokio::test]
async fn without_a_way_both_are_told() {
    let vendor = Arc::new(Vendor::of(&[("direct", free_address()), ("proxy", free_address())]));
    let server = Sshd::start(Variant::Stock);
    let machine = tenant(&server, &vendor);
    let text = machine.refusal("vast-1", &[]).await;
    assert_eq!(text.matches("cannot reach `vast-1`").count(), 2, "{text}");
    *vendor.ways.lock().unwrap() = Vec::new();
    assert_eq!(machine.refusal("vast-1", &[]).await, "`vast-1` has no SSH endpoint yet");
}
