//! Lambda Cloud, by its API v1. A machine runs until it is terminated: nothing can be stopped.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::account::Account;
use crate::caller::Call;
use crate::caller::Caller;
use crate::error::RentedError;
use crate::fields::Fields;
use crate::look_up::look_up;
use crate::machine::Endpoint;
use crate::machine::EndpointKind;
use crate::machine::Machine;
use crate::machine::MachineState;
use crate::machine_id::MachineId;
use crate::machine_id::VendorName;
use crate::money::Dollars;
use crate::offer::Offer;
use crate::offer::Order;
use crate::offer::Search;
use crate::refusal::CallError;
use crate::refusal::Refusal;
use crate::vendor::Vendor;

/// Where the API is.
const BASE: &str = "https://cloud.lambdalabs.com/api/v1";

/// Between two requests, and between two launches.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(12));

/// What begins the name of a key that is added for an instance, and removed with it.
const ADDED: &str = "doppio-";

/// Lambda Cloud's API for one account.
#[derive(Debug)]
pub struct Lambda {
    caller: Caller,
}

impl Lambda {
    /// Lambda Cloud for this account. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When there is no key, or the address is not one that a key may be sent to.
    pub fn new(account: &Account) -> Result<Self, RentedError> {
        let is_expired =
            |refusal: &Refusal| refusal.status == 401 || refusal.code == "global/invalid-api-key";
        Ok(Self { caller: Caller::new(VendorName::Lambda, account, BASE, is_expired)? })
    }

    async fn send(&self, call: Call) -> Result<Value, CallError> {
        self.caller.send(&call.pace("all", INTERVALS.0)).await
    }

    async fn ask(&self, call: Call, what: &str, about: Option<&MachineId>) -> Result<Value, RentedError> {
        self.send(call).await.map_err(|error| failed(error, what, about))
    }

    async fn operate(&self, operation: &str, id: &MachineId) -> Result<Value, CallError> {
        let call = Call::new(Method::POST, format!("/instance-operations/{operation}"));
        self.send(call.body(json!({ "instance_ids": [id.id] }))).await
    }

    /// The account's name of a public key, and whether it was added because the account did not have it: an
    /// instance gets a key of the account, by its name.
    async fn key_name(&self, public_key: &str) -> Result<(String, bool), RentedError> {
        // What stands behind the key itself is a comment.
        let essence = |key: &str| key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let answer = self.ask(Call::new(Method::GET, "/ssh-keys"), "list keys", None).await?;
        let known = Fields(&answer)
            .list("data")
            .find(|key| key.exactly("public_key").is_some_and(|known| essence(known) == essence(public_key)));
        if let Some(name) = known.and_then(|key| key.exactly("name")) {
            return Ok((name.to_owned(), false));
        }
        let random = getrandom::u32()
            .map_err(|_| RentedError::BadOrder("the system has no random numbers".to_owned()))?;
        let name = format!("{ADDED}{random:08x}");
        let call = Call::new(Method::POST, "/ssh-keys")
            .body(json!({ "name": name, "public_key": public_key.trim() }));
        self.ask(call, "add a key", None).await?;
        Ok((name, true))
    }

    /// Removes a key that [`Self::key_name`] added, unless an instance other than `gone` was launched with it.
    async fn remove_key(&self, name: &str, gone: Option<&str>) -> Result<(), RentedError> {
        let answer = self.ask(Call::new(Method::GET, "/instances"), "list instances", None).await?;
        let others = Fields(&answer).list("data").filter(|instance| instance.exactly("id") != gone);
        if others.into_iter().any(|instance| key_names(instance).any(|other| other == name)) {
            return Ok(());
        }
        let keys = self.ask(Call::new(Method::GET, "/ssh-keys"), "list keys", None).await?;
        let keys = Fields(&keys);
        let Some(id) = keys.list("data").find(|key| key.exactly("name") == Some(name)) else { return Ok(()) };
        let Some(id) = id.exactly("id") else { return Ok(()) };
        let call = Call::new(Method::DELETE, format!("/ssh-keys/{id}"));
        self.ask(call, "remove a key", None).await.map(drop)
    }

    /// Launches one; refused for sure, or not known to be.
    async fn launch(&self, body: Value) -> Result<Value, CallError> {
        let call = Call::new(Method::POST, "/instance-operations/launch").body(body);
        self.caller.send(&call.pace("launch", INTERVALS.1).deadline(Duration::from_mins(1)).once()).await
    }
}

#[async_trait]
impl Vendor for Lambda {
    fn name(&self) -> VendorName {
        VendorName::Lambda
    }

    async fn list(&self) -> Result<Vec<Machine>, RentedError> {
        let answer = self.ask(Call::new(Method::GET, "/instances"), "list instances", None).await?;
        Ok(Fields(&answer).list("data").filter_map(machine).collect())
    }

    async fn show(&self, id: &MachineId) -> Result<Machine, RentedError> {
        let call = Call::new(Method::GET, format!("/instances/{}", id.id));
        let answer = self.ask(call, "show an instance", Some(id)).await?;
        machine(Fields(&answer).member("data")).ok_or_else(|| RentedError::NoMachine(id.clone()))
    }

    async fn offers(&self, search: &Search) -> Result<Vec<Offer>, RentedError> {
        search.check(VendorName::Lambda)?;
        let answer = self.ask(Call::new(Method::GET, "/instance-types"), "list instance types", None).await?;
        let kinds = answer["data"].as_object().into_iter().flat_map(|kinds| kinds.values());
        let mut all: Vec<Offer> = kinds.flat_map(|kind| offers(Fields(kind))).collect();
        all.retain(|offer| search.wants_gpu(offer.gpu.as_deref().unwrap_or_default()));
        Ok(search.choose(all))
    }

    async fn create(&self, order: &Order) -> Result<MachineId, RentedError> {
        let (region, kind) = order.offer.split_once(':').ok_or_else(|| {
            RentedError::BadOrder(format!(
                "`{}` is not the id of an offer of Lambda, as in `us-west-1:gpu_1x_a10`",
                order.offer
            ))
        })?;
        if order.bid.is_some() || order.label.is_empty() {
            return Err(RentedError::BadOrder("Lambda takes no bids, and an order needs a label".to_owned()));
        }
        let Some(key) = &order.public_key else {
            return Err(RentedError::BadOrder("Lambda creates no instance without a public key".to_owned()));
        };
        refuse(order)?;
        let (key, is_added) = self.key_name(key).await?;
        let body = json!({
            "region_name": region,
            "instance_type_name": kind,
            "ssh_key_names": [key],
            "file_system_names": [],
            "quantity": 1,
            "name": order.label,
        });
        let launched = self.launch(body).await;
        if is_added && matches!(launched, Err(CallError::Refused(_) | CallError::Undone(_))) {
            // Why there is no instance matters more than a public key that is left.
            self.remove_key(&key, None).await.ok();
        }
        let unclear = match launched {
            Ok(answer) => {
                let first = answer["data"]["instance_ids"][0].as_str().unwrap_or_default();
                if let Ok(id) = format!("{}-{first}", VendorName::Lambda.as_str()).parse() {
                    return Ok(id);
                }
                let (vendor, what) = (VendorName::Lambda, "launch an instance".to_owned());
                RentedError::Refused {
                    vendor,
                    what,
                    status: 200,
                    words: "its answer names no instance".to_owned(),
                }
            }
            Err(CallError::Unclear(error)) => error,
            Err(CallError::Refused(refusal)) if refusal.code.ends_with("/insufficient-capacity") => {
                let (vendor, offer) = (VendorName::Lambda, order.offer.clone());
                return Err(RentedError::OfferTaken { vendor, offer });
            }
            Err(error) => return Err(failed(error, "launch an instance", None)),
        };
        look_up(self, &self.caller, unclear, &order.label).await
    }

    async fn reboot(&self, id: &MachineId) -> Result<(), RentedError> {
        let done = self.operate("restart", id).await;
        done.map(drop).map_err(|error| failed(error, "restart an instance", Some(id)))
    }

    async fn destroy(&self, id: &MachineId) -> Result<(), RentedError> {
        match self.operate("terminate", id).await {
            Ok(answer) => {
                let data = Fields(&answer).member("data");
                let names: Vec<&str> = data.list("terminated_instances").flat_map(key_names).collect();
                for name in names.into_iter().filter(|name| is_added(name)) {
                    // The instance is gone, which is what was asked for; a public key opens nothing.
                    self.remove_key(name, Some(&id.id)).await.ok();
                }
                Ok(())
            }
            Err(error) => match failed(error, "terminate an instance", Some(id)) {
                RentedError::NoMachine(_) => Ok(()),
                error => Err(error),
            },
        }
    }
}

/// What its refusals mean: it has a code for each.
fn failed(error: CallError, what: &str, about: Option<&MachineId>) -> RentedError {
    let vendor = VendorName::Lambda;
    match (error, about) {
        (CallError::Refused(refusal), Some(id)) if refusal.code == "global/object-does-not-exist" => {
            RentedError::NoMachine(id.clone())
        }
        (CallError::Refused(refusal), _) if refusal.code == "global/account-inactive" => {
            RentedError::NoCredit { vendor, words: refusal.words }
        }
        (error, about) => error.error(vendor, what, about),
    }
}

/// The names of the keys that an instance was launched with.
fn key_names(instance: Fields<'_>) -> impl Iterator<Item = &str> {
    instance.0["ssh_key_names"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a key of the account was added for an instance, by its name.
fn is_added(name: &str) -> bool {
    let random = name.strip_prefix(ADDED).unwrap_or_default();
    random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Refuses what an instance can't be given.
fn refuse(order: &Order) -> Result<(), RentedError> {
    let given = [
        ("image", !order.image.is_empty()),
        ("template", order.template.is_some()),
        ("environment", !order.env.is_empty()),
        ("start script", order.on_start.is_some()),
        ("login to a registry", order.image_login.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((what, _)) => Err(RentedError::BadOrder(format!(
            "Lambda's instances are machines with Lambda's own system, and take no {what}"
        ))),
        None => Ok(()),
    }
}

/// The memory of each GPU, in GiB, which is said in words only: `A10 (24 GB PCIe)`.
fn gpu_memory(described: &str) -> Option<f64> {
    let (before, _) = described.split_once(" GB")?;
    before.rsplit(['(', ' ']).next()?.parse().ok()
}

fn machine(fields: Fields<'_>) -> Option<Machine> {
    let id = format!("{}-{}", VendorName::Lambda.as_str(), fields.exactly("id")?).parse().ok()?;
    let state = match fields.text("status")?.as_str() {
        "booting" => MachineState::Loading,
        "active" => MachineState::Running,
        "preempted" => MachineState::Exited,
        "terminating" => MachineState::Stopping,
        "terminated" => MachineState::Gone,
        word => MachineState::Unknown(word.to_owned()),
    };
    let kind = fields.member("instance_type");
    let endpoint = fields.text("ip").map(|host| Endpoint {
        kind: EndpointKind::Direct,
        host,
        port: 22,
        user: "ubuntu".to_owned(),
    });
    Some(Machine {
        id,
        state,
        intended: None,
        message: None,
        label: fields.text("name"),
        gpu: kind.text("gpu_description").or_else(|| kind.text("description")),
        gpu_count: kind.member("specs").whole("gpus"),
        gpu_ram_gb: kind.text("gpu_description").as_deref().and_then(gpu_memory),
        disk_gb: kind.member("specs").number("storage_gib"),
        per_hour: cents(kind),
        stopped_per_day: None,
        started: None,
        ends: None,
        image: None,
        region: fields.member("region").text("name"),
        is_interruptible: false,
        endpoints: endpoint.into_iter().collect(),
    })
}

fn cents(kind: Fields<'_>) -> Option<Dollars> {
    kind.number("price_cents_per_hour").map(|cents| Dollars(cents / 100.0))
}

/// A kind of instance in each region that has some. The id is `REGION:KIND`.
fn offers(fields: Fields<'_>) -> Vec<Offer> {
    let kind = fields.member("instance_type");
    let Some(name) = kind.text("name") else { return Vec::new() };
    let specs = kind.member("specs");
    let regions = fields.list("regions_with_capacity_available").filter_map(|region| region.text("name"));
    let offer = |region: String| Offer {
        id: format!("{region}:{name}"),
        gpu: kind.text("gpu_description").or_else(|| kind.text("description")),
        gpu_count: specs.whole("gpus"),
        gpu_ram_gb: kind.text("gpu_description").as_deref().and_then(gpu_memory),
        cpu_cores: specs.number("vcpus"),
        ram_gb: specs.number("memory_gib"),
        disk_gb: specs.number("storage_gib"),
        per_hour: cents(kind),
        min_bid: None,
        stopped_per_day: None,
        network_mbps: (None, None),
        reliability: None,
        cuda: None,
        direct_ports: None,
        longest_secs: None,
        region: Some(region),
        is_verified: true,
    };
    regions.map(offer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::TestServer;

    async fn lambda(answers: &[&str]) -> (TestServer, Lambda) {
        let server = TestServer::of(answers).await;
        let lambda = Lambda::new(&server.account(&["test_lambda_key"])).unwrap();
        (server, lambda)
    }

    fn id() -> MachineId {
        "lambda-0920ab".parse().unwrap()
    }

    const INSTANCE: &str = r#"{"id":"0920ab","name":"doppio:by-hand:0a","ip":"1.2.3.4","status":"active","jupyter_token":"test_of_jupyter",
        "region":{"name":"us-west-1"},"instance_type":{"name":"gpu_1x_a10","gpu_description":"A10 (24 GB)","price_cents_per_hour":"75","specs":{"gpus":1}}}"#;

    #[tokio::test]
    async fn an_instance_is_reached_as_ubuntu_and_can_not_be_stopped() {
        let (_server, lambda) = lambda(&[&format!("200 OK\n\n{{\"data\":{INSTANCE}}}")]).await;
        let machine = lambda.show(&id()).await.unwrap();
        assert_eq!(machine.per_hour.unwrap().to_string(), "$0.750");
        assert_eq!((machine.endpoints[0].user.as_str(), machine.endpoints[0].port), ("ubuntu", 22));
        let error = lambda.stop(&id()).await.unwrap_err();
        assert_eq!(error.to_string(), "Lambda can't stop a machine without destroying it");
    }

    #[tokio::test]
    async fn an_instance_gets_the_accounts_name_of_the_key() {
        let keys =
            "200 OK\n\n{\"data\":[{\"name\":\"laptop\",\"public_key\":\"ssh-ed25519 AAAA other comment\"}]}";
        let full = "400 Bad Request\n\n{\"error\":{\"code\":\"instance-operations/launch/insufficient-capacity\",\"message\":\"none\"}}";
        let (server, lambda) =
            lambda(&[keys, "200 OK\n\n{\"data\":{\"instance_ids\":[\"0920ab\"]}}", keys, full]).await;
        let order = Order {
            public_key: Some("ssh-ed25519 AAAA me@here".to_owned()),
            ..Order::new("us-west-1:gpu_1x_a10", "", 20.0, "doppio:by-hand:0a")
        };
        assert_eq!(lambda.create(&order).await.unwrap(), id());
        assert!(server.asked()[1].contains(r#""ssh_key_names":["laptop"]"#), "{}", server.asked()[1]);
        let error = lambda.create(&order).await.unwrap_err();
        assert!(matches!(error, RentedError::OfferTaken { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_key_that_was_added_for_an_instance_goes_with_it() {
        let none = "200 OK\n\n{\"data\":[]}";
        let terminated = "200 OK\n\n{\"data\":{\"terminated_instances\":[{\"id\":\"0920ab\",\"ssh_key_names\":[\"doppio-0011aabb\"]}]}}";
        let keys = "200 OK\n\n{\"data\":[{\"id\":\"77\",\"name\":\"doppio-0011aabb\",\"public_key\":\"ssh-ed25519 AAAA\"}]}";
        let other = "200 OK\n\n{\"data\":[{\"id\":\"0920ac\",\"ssh_key_names\":[\"doppio-0011aabb\"]}]}";
        let done = "200 OK\n\n{\"data\":{}}";
        let (server, lambda) = lambda(&[terminated, none, keys, done, terminated, other]).await;
        lambda.destroy(&id()).await.unwrap();
        assert_eq!(server.lines()[3], "DELETE /ssh-keys/77");
        // Another instance has it.
        lambda.destroy(&id()).await.unwrap();
        assert_eq!(server.lines().len(), 6);
        assert!(!is_added("doppio-laptop") && !is_added("laptop"));
    }

    #[tokio::test]
    async fn a_key_that_was_added_for_a_launch_that_is_refused_goes_too_and_so_does_no_image() {
        let none = "200 OK\n\n{\"data\":[]}";
        let full = "400 Bad Request\n\n{\"error\":{\"code\":\"instance-operations/launch/insufficient-capacity\",\"message\":\"none\"}}";
        let (server, lambda) = lambda(&[none, "200 OK\n\n{\"data\":{}}", full, none, none]).await;
        let order = Order {
            public_key: Some("ssh-ed25519 AAAA me@here".to_owned()),
            ..Order::new("us-west-1:gpu_1x_a10", "", 20.0, "doppio:by-hand:0a")
        };
        assert!(matches!(lambda.create(&order).await, Err(RentedError::OfferTaken { .. })));
        assert_eq!(server.lines()[3..], ["GET /instances", "GET /ssh-keys"]);
        let with_image = Order { image: "pytorch".to_owned(), ..order };
        let error = lambda.create(&with_image).await.unwrap_err().to_string();
        assert!(error.ends_with("and take no image"), "{error}");
    }

    #[test]
    fn the_memory_of_a_gpu_is_read_from_its_description() {
        assert_eq!(gpu_memory("A10 (24 GB PCIe)"), Some(24.0));
        assert_eq!(gpu_memory("Quadro RTX 6000"), None);
    }

    #[tokio::test]
    async fn terminating_what_is_gone_is_done() {
        let gone =
            "404 Not Found\n\n{\"error\":{\"code\":\"global/object-does-not-exist\",\"message\":\"gone\"}}";
        let bad =
            "403 Forbidden\n\n{\"error\":{\"code\":\"global/invalid-api-key\",\"message\":\"bad key\"}}";
        let (server, lambda) = lambda(&[gone, bad]).await;
        lambda.destroy(&id()).await.unwrap();
        assert!(matches!(lambda.list().await, Err(RentedError::BadKey { .. })));
        assert_eq!(server.lines()[0], "POST /instance-operations/terminate");
    }
}
