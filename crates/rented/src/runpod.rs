//! `RunPod`, by its REST API v2 (runpod/docs of August 2026). A machine is a pod.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
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
use crate::vendor::Charge;
use crate::vendor::Vendor;

/// Where the API is.
const BASE: &str = "https://api.runpod.io";

/// A pause between requests that its limits by the minute never need.
const INTERVAL: Duration = Duration::from_millis(200);

/// Its clouds, and the member of prices that each has.
const CLOUDS: [(&str, &str); 2] = [("SECURE", "secure"), ("COMMUNITY", "community")];

/// The port of a pod's SSH server. Without it there is only the proxy.
const SSH: &str = "22/tcp";

/// `RunPod`'s API for one account.
#[derive(Debug)]
pub struct RunPod {
    caller: Caller,
}

impl RunPod {
    /// `RunPod` for this account. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When there is no key, or the address is not one that a key may be sent to.
    pub fn new(account: &Account) -> Result<Self, RentedError> {
        let caller = Caller::new(VendorName::Runpod, account, BASE, |refusal| refusal.status == 401)?;
        Ok(Self { caller })
    }

    async fn ask(&self, call: Call, what: &str, about: Option<&MachineId>) -> Result<Value, RentedError> {
        let sent = self.caller.send(&call.pace("all", INTERVAL)).await;
        sent.map_err(|error| error.error(VendorName::Runpod, what, about))
    }

    async fn act(&self, id: &MachineId, action: &str) -> Result<(), RentedError> {
        let call =
            Call::new(Method::POST, format!("/v2/pods/{}/action", id.id)).body(json!({ "action": action }));
        self.ask(call, &format!("{action} a pod"), Some(id)).await.map(drop)
    }
}

#[async_trait]
impl Vendor for RunPod {
    fn name(&self) -> VendorName {
        VendorName::Runpod
    }

    async fn list(&self) -> Result<Vec<Machine>, RentedError> {
        let answer = self.ask(Call::new(Method::GET, "/v2/pods"), "list pods", None).await?;
        Ok(Fields(&answer).list("pods").filter_map(machine).collect())
    }

    async fn show(&self, id: &MachineId) -> Result<Machine, RentedError> {
        let call = Call::new(Method::GET, format!("/v2/pods/{}", id.id));
        let answer = self.ask(call, "show a pod", Some(id)).await?;
        machine(Fields(&answer)).ok_or_else(|| RentedError::NoMachine(id.clone()))
    }

    async fn offers(&self, search: &Search) -> Result<Vec<Offer>, RentedError> {
        search.check(VendorName::Runpod)?;
        let meant = search.id().and_then(|id| id.split(':').nth(1)?.parse().ok());
        let count = meant.or_else(|| search.gpu_count()).unwrap_or(1);
        let mut all = Vec::new();
        for (cloud, member) in CLOUDS {
            let call = Call::new(Method::GET, "/v2/catalog/gpus")
                .query("include", "AVAILABILITY")
                .query("product", "POD")
                .query("count", count.to_string())
                .query("cloud", cloud);
            let answer = self.ask(call, "list GPUs", None).await?;
            let fields = Fields(&answer);
            let wanted = |gpu: &Fields<'_>| {
                let [id, name] = ["id", "name"].map(|name| gpu.text(name).unwrap_or_default());
                search.wants_gpu(&format!("{id} {name}"))
            };
            let wanted = fields.list("gpus").filter(wanted);
            all.extend(wanted.filter_map(|gpu| offer(gpu, cloud, member, count)));
        }
        Ok(search.choose(all))
    }

    async fn create(&self, order: &Order) -> Result<MachineId, RentedError> {
        let body = body(order).map_err(RentedError::BadOrder)?;
        let call = Call::new(Method::POST, "/v2/pods").body(body).deadline(Duration::from_mins(1)).once();
        let unclear = match self.caller.send(&call).await {
            Ok(answer) => {
                if let Some(machine) = machine(Fields(&answer)) {
                    return Ok(machine.id);
                }
                let (vendor, what) = (VendorName::Runpod, "create a pod".to_owned());
                RentedError::Refused {
                    vendor,
                    what,
                    status: 201,
                    words: "its answer names no pod".to_owned(),
                }
            }
            Err(CallError::Unclear(error)) => error,
            Err(error) => return Err(error.error(VendorName::Runpod, "create a pod", None)),
        };
        look_up(self, &self.caller, unclear, &order.label).await
    }

    async fn start(&self, id: &MachineId) -> Result<(), RentedError> {
        self.act(id, "start").await
    }

    async fn stop(&self, id: &MachineId) -> Result<(), RentedError> {
        self.act(id, "stop").await
    }

    async fn reboot(&self, id: &MachineId) -> Result<(), RentedError> {
        self.act(id, "restart").await
    }

    async fn destroy(&self, id: &MachineId) -> Result<(), RentedError> {
        let call = Call::new(Method::DELETE, format!("/v2/pods/{}", id.id));
        match self.ask(call, "destroy a pod", Some(id)).await {
            Err(RentedError::NoMachine(_)) => Ok(()),
            end => end.map(drop),
        }
    }

    async fn set_label(&self, id: &MachineId, label: &str) -> Result<(), RentedError> {
        let call = Call::new(Method::PATCH, format!("/v2/pods/{}", id.id)).body(json!({ "name": label }));
        self.ask(call, "rename a pod", Some(id)).await.map(drop)
    }

    async fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, RentedError> {
        let call = Call::new(Method::GET, "/v2/billing/pods").query("startTime", since.to_string());
        let answer = self.ask(call, "show what was spent", None).await?;
        let charge = |fields: Fields<'_>| {
            let machine = fields.text("podId").map(|id| MachineId { vendor: VendorName::Runpod, id });
            let sum = Dollars(fields.number("totalAmount")?);
            Some(Charge { machine, what: "pod".to_owned(), since: fields.date("startTime"), sum })
        };
        Ok(Fields(&answer).list("records").filter_map(charge).collect())
    }
}

fn machine(fields: Fields<'_>) -> Option<Machine> {
    let id = format!("{}-{}", VendorName::Runpod.as_str(), fields.exactly("id")?).parse().ok()?;
    let state = match fields.text("status")?.as_str() {
        "PROVISIONING" => MachineState::Creating,
        "STARTING" => MachineState::Loading,
        "RUNNING" => MachineState::Running,
        "EXITED" => MachineState::Stopped,
        "ERROR" => MachineState::Exited,
        "TERMINATED" => MachineState::Gone,
        word => MachineState::Unknown(word.to_ascii_lowercase()),
    };
    let gpu = fields.member("gpu");
    let kept = fields.member("mounts").member("persistent").number("size");
    let disk = fields.number("disk").into_iter().chain(kept).reduce(|one, other| one + other);
    // Through the proxy there is only an interactive shell: no commands, no files.
    let direct = fields.member("ssh").member("direct");
    let endpoint = direct.text("host").zip(direct.whole("port")).map(|(host, port)| Endpoint {
        kind: EndpointKind::Direct,
        host,
        port,
        user: direct.text("username").unwrap_or_else(|| "root".to_owned()),
    });
    let has_proxy = fields.member("ssh").member("proxy").text("host").is_some();
    let message = (has_proxy && endpoint.is_none()).then(|| {
        let why = if fields.0["ports"].as_array().is_some_and(|ports| ports.iter().any(|port| port == SSH)) {
            "its port 22/tcp is not mapped yet"
        } else {
            "it was created without the port 22/tcp"
        };
        format!("only the proxy leads to it, which runs no commands and takes no files: {why}")
    });
    Some(Machine {
        id,
        state,
        intended: None,
        message,
        label: fields.text("name"),
        gpu: gpu.text("id"),
        gpu_count: gpu.whole("count"),
        gpu_ram_gb: None,
        disk_gb: disk,
        per_hour: fields.number("cost").map(Dollars),
        stopped_per_day: None,
        started: fields.date("startedAt").or_else(|| fields.date("createdAt")),
        ends: None,
        image: fields.text("image"),
        region: fields.text("dataCenterId"),
        is_interruptible: false,
        endpoints: endpoint.into_iter().collect(),
    })
}

/// GPUs of one kind in one cloud, if there are so many. The id is `CLOUD:COUNT:GPU`.
fn offer(fields: Fields<'_>, cloud: &str, member: &str, count: u32) -> Option<Offer> {
    let gpu = fields.text("id")?;
    let most = fields.member("maxCount").whole::<u32>(member)?;
    let is_there = fields.text("availability").is_none_or(|word| word != "NONE");
    let price = fields.member("price").number(member).filter(|price| *price > 0.0)?;
    (fields.flag(member) && is_there && count <= most).then(|| Offer {
        id: format!("{cloud}:{count}:{gpu}"),
        gpu: Some(gpu),
        gpu_count: Some(count),
        gpu_ram_gb: fields.number("memory"),
        cpu_cores: None,
        ram_gb: None,
        disk_gb: None,
        per_hour: Some(Dollars(price * f64::from(count))),
        min_bid: None,
        stopped_per_day: None,
        network_mbps: (None, None),
        reliability: None,
        cuda: None,
        direct_ports: None,
        longest_secs: None,
        region: Some(cloud.to_ascii_lowercase()),
        is_verified: cloud == "SECURE",
    })
}

/// The request's body. The public key goes into the pod's own environment, where `RunPod`'s images look for
/// it, and not into the account.
fn body(order: &Order) -> Result<Value, String> {
    let unfit = || {
        format!(
            "`{}` is not the id of an offer of RunPod, as in `SECURE:1:NVIDIA GeForce RTX 4090`",
            order.offer
        )
    };
    let mut parts = order.offer.splitn(3, ':');
    let (cloud, count, gpu) = (parts.next(), parts.next(), parts.next());
    let cloud = cloud.filter(|cloud| CLOUDS.iter().any(|(known, _)| known == cloud)).ok_or_else(unfit)?;
    let count: u32 = count.and_then(|count| count.parse().ok()).ok_or_else(unfit)?;
    let gpu = gpu.filter(|gpu| !gpu.is_empty()).ok_or_else(unfit)?;
    if order.bid.is_some() {
        return Err("RunPod takes no bids".to_owned());
    }
    if order.image_login.is_some() {
        return Err("RunPod takes a login to a registry in the account's settings only".to_owned());
    }
    if order.label.is_empty() || (order.image.is_empty() && order.template.is_none()) {
        return Err("it needs a label, and an image or a template".to_owned());
    }
    let mut env = order.env.clone();
    if let Some(key) = &order.public_key {
        env.insert("PUBLIC_KEY".to_owned(), key.clone());
    }
    let mut body = json!({
        "name": order.label,
        "cloud": cloud,
        "gpu": { "id": gpu, "count": count },
        "disk": whole_gb(order.disk_gb)?,
        "ports": [SSH],
        "env": env,
    });
    if !order.image.is_empty() {
        body["image"] = order.image.as_str().into();
    }
    if let Some(template) = &order.template {
        body["templateId"] = template.as_str().into();
    }
    if let Some(script) = &order.on_start {
        // Arguments replace what the image starts, its SSH server among it.
        return Err(format!(
            "RunPod runs no start script beside the image's own ({} bytes were given)",
            script.len()
        ));
    }
    Ok(body)
}

/// Whole GB, at least one.
fn whole_gb(disk: f64) -> Result<u32, String> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
    let whole = (1.0..1e6).contains(&disk).then(|| disk.ceil() as u32);
    whole.ok_or_else(|| "a disk has 1 GB or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::TestServer;

    const POD: &str = r#"{"id":"x7aq2","name":"doppio:by-hand:0a","status":"RUNNING","cost":0.69,"disk":50,"image":"runpod/pytorch",
        "mounts":{"persistent":{"size":20,"path":"/workspace"}},"gpu":{"id":"NVIDIA GeForce RTX 4090","count":1},
        "ssh":{"proxy":{"host":"ssh.runpod.io","port":22,"username":"x7aq2-1","command":"ssh …"},
        "direct":{"host":"1.2.3.4","port":10022,"username":"root","command":"ssh …"}},"startedAt":"2026-03-13T20:00:00Z"}"#;

    async fn runpod(answers: &[&str]) -> (TestServer, RunPod) {
        let server = TestServer::of(answers).await;
        let runpod = RunPod::new(&server.account(&["test_runpod_key"])).unwrap();
        (server, runpod)
    }

    fn id() -> MachineId {
        "runpod-x7aq2".parse().unwrap()
    }

    #[tokio::test]
    async fn a_pod_is_reached_directly_or_not_at_all() {
        let (_server, runpod) =
            runpod(&[&format!("200 OK\n\n{POD}"), "404 Not Found\n\n{\"title\":\"Not Found\"}"]).await;
        let pod = runpod.show(&id()).await.unwrap();
        assert_eq!((pod.state, pod.disk_gb), (MachineState::Running, Some(70.0)));
        assert_eq!(pod.endpoints.len(), 1);
        assert_eq!((pod.endpoints[0].kind, pod.endpoints[0].port), (EndpointKind::Direct, 10022));
        assert_eq!(runpod.show(&id()).await.unwrap_err(), RentedError::NoMachine(id()));
    }

    #[tokio::test]
    async fn a_pod_with_the_proxy_only_says_so() {
        let pod = r#"{"id":"x7aq2","status":"RUNNING","ports":["22/tcp"],"ssh":{"proxy":{"host":"ssh.runpod.io"},"direct":null}}"#;
        let (_server, runpod) = runpod(&[
            &format!("200 OK\n\n{pod}"),
            &format!("200 OK\n\n{}", pod.replace("22/tcp", "8888/http")),
        ])
        .await;
        let message = runpod.show(&id()).await.unwrap().message.unwrap();
        assert!(message.ends_with("22/tcp is not mapped yet"), "{message}");
        let message = runpod.show(&id()).await.unwrap().message.unwrap();
        assert!(message.ends_with("created without the port 22/tcp"), "{message}");
    }

    #[tokio::test]
    async fn an_order_has_the_key_in_the_pods_own_environment_and_is_looked_up() {
        let list = format!("200 OK\n\n{{\"pods\":[{POD}]}}");
        let (server, runpod) = runpod(&["500 Oops\n\n{}", &list]).await;
        let order = Order {
            public_key: Some("ssh-ed25519 AAAA".to_owned()),
            ..Order::new("SECURE:2:NVIDIA GeForce RTX 4090", "runpod/pytorch", 49.5, "doppio:by-hand:0a")
        };
        assert_eq!(runpod.create(&order).await.unwrap(), id());
        let request = &server.asked()[0];
        for part in [
            "POST /v2/pods ",
            r#""gpu":{"id":"NVIDIA GeForce RTX 4090","count":2}"#,
            r#""PUBLIC_KEY":"ssh-ed25519 AAAA""#,
            r#""disk":50"#,
            r#""ports":["22/tcp"]"#,
        ] {
            assert!(request.contains(part), "{part}: {request}");
        }
        assert_eq!(server.lines()[1], "GET /v2/pods");
        let odd = Order { offer: "77".to_owned(), ..order };
        assert!(matches!(runpod.create(&odd).await, Err(RentedError::BadOrder(_))));
    }

    #[tokio::test]
    async fn what_a_pod_can_not_do_as_it_stands_is_said() {
        let (server, runpod) = runpod(&[
            "409 Conflict\n\n{\"title\":\"Conflict\",\"status\":409,\"detail\":\"pod is running\"}",
            "204 No Content\n\n",
            "404 Not Found\n\n{}",
        ])
        .await;
        let error = runpod.start(&id()).await.unwrap_err();
        assert_eq!(error.to_string(), "`runpod-x7aq2` can't do that as it stands: pod is running");
        runpod.destroy(&id()).await.unwrap();
        runpod.destroy(&id()).await.unwrap();
        assert!(server.asked()[0].ends_with(r#"{"action":"start"}"#));
    }

    #[tokio::test]
    async fn offers_are_what_is_there_and_cheap_enough() {
        let secure = r#"{"gpus":[
            {"id":"NVIDIA GeForce RTX 4090","memory":24,"secure":true,"community":true,"price":{"secure":0.69,"community":0.34},"maxCount":{"secure":8,"community":4},"availability":"HIGH"},
            {"id":"NVIDIA H100","memory":80,"secure":true,"community":false,"price":{"secure":2.9,"community":0},"maxCount":{"secure":8,"community":0},"availability":"NONE"}]}"#;
        let answer = format!("200 OK\n\n{secure}");
        let (_server, runpod) = runpod(&[&answer, &answer]).await;
        let filters =
            json!({ "num_gpus": { "eq": 2 }, "gpu_name": { "eq": "RTX 4090" }, "dph_total": { "lte": 1.0 } });
        let search = Search {
            filters: filters.as_object().unwrap().clone(),
            disk_gb: 20.0,
            limit: 5,
            sort: Vec::new(),
            interruptible: false,
        };
        let offers = runpod.offers(&search).await.unwrap();
        let ids: Vec<_> = offers.iter().map(|offer| offer.id.as_str()).collect();
        assert_eq!(ids, ["COMMUNITY:2:NVIDIA GeForce RTX 4090"]);
    }
}
