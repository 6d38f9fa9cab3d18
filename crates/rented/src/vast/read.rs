//! vast.ai's answers as types.

use crate::fields::Fields;
use crate::machine::Endpoint;
use crate::machine::EndpointKind;
use crate::machine::Machine;
use crate::machine::MachineState;
use crate::machine_id::MachineId;
use crate::money::Dollars;
use crate::offer::Offer;
use crate::vendor::Charge;
use crate::vendor::PriceRise;

/// Hours of a month, by which storage is priced.
const MONTH: f64 = 30.0 * 24.0;

/// A machine; none if it has no id.
pub(super) fn machine(fields: Fields<'_>) -> Option<Machine> {
    let id = fields.whole::<u64>("id")?;
    let disk_gb = fields.number("disk_space");
    let by_size = || Some(fields.number("storage_cost")? * disk_gb? / MONTH);
    let disk_per_hour = fields.number("storage_total_cost").or_else(by_size);
    let intended = fields.text("intended_status").or_else(|| fields.text("next_state"));
    Some(Machine {
        id: MachineId::vast(id),
        state: state(fields),
        intended: intended.map(|word| of_word(&word)),
        message: fields.text("status_msg"),
        label: fields.text("label"),
        gpu: fields.text("gpu_name"),
        gpu_count: fields.whole("num_gpus"),
        gpu_ram_gb: gib(fields, "gpu_ram"),
        disk_gb,
        per_hour: fields.number("dph_total").map(Dollars),
        stopped_per_day: disk_per_hour.map(|hour| Dollars(hour * 24.0)),
        started: fields.time("start_date"),
        ends: fields.time("end_date"),
        image: fields.text("image_uuid"),
        region: fields.text("geolocation"),
        is_interruptible: fields.flag("is_bid"),
        endpoints: endpoints(fields),
    })
}

/// vast.ai has MB of memory.
fn gib(fields: Fields<'_>, name: &str) -> Option<f64> {
    fields.number(name).map(|megabytes| megabytes / 1024.0)
}

/// `actual_status` says what is; where it says nothing, what is meant to be decides.
fn state(fields: Fields<'_>) -> MachineState {
    let meant = fields.text("intended_status").or_else(|| fields.text("next_state"));
    let is_to_stop = meant.as_deref() == Some("stopped");
    match fields.text("actual_status").as_deref() {
        // What neither runs nor is meant to has stopped before it began.
        None if is_to_stop => MachineState::Stopped,
        None => MachineState::Creating,
        Some("running") if is_to_stop => MachineState::Stopping,
        Some(word) => of_word(word),
    }
}

fn of_word(word: &str) -> MachineState {
    match word {
        "created" | "scheduling" => MachineState::Creating,
        "loading" | "rebooting" | "connecting" => MachineState::Loading,
        "running" => MachineState::Running,
        "stopping" => MachineState::Stopping,
        "stopped" | "inactive" => MachineState::Stopped,
        "exited" => MachineState::Exited,
        "destroyed" | "deleted" => MachineState::Gone,
        word => MachineState::Unknown(word.to_owned()),
    }
}

/// The direct way is `public_ipaddr` with the port that 22 is mapped to; the proxy's is `ssh_host`, whose
/// port is one higher where the machine has Jupyter.
fn endpoints(fields: Fields<'_>) -> Vec<Endpoint> {
    let mapped = fields.member("ports").list("22/tcp").find_map(|port| port.whole("HostPort"));
    let address = fields.text("public_ipaddr").filter(|address| !address.contains(' '));
    let direct = address.zip(mapped).map(|(host, port)| (EndpointKind::Direct, host, port));
    let is_jupyter = fields.text("image_runtype").is_some_and(|runtype| runtype.contains("jupyter"));
    let port = fields.whole::<u16>("ssh_port").and_then(|port| port.checked_add(u16::from(is_jupyter)));
    let proxy = fields.text("ssh_host").zip(port).map(|(host, port)| {
        // Some answers have the number of the server alone.
        let host = if host.contains('.') { host } else { format!("{host}.vast.ai") };
        (EndpointKind::Proxy, host, port)
    });
    // It is handed to programs, and shown to be copied: nothing but an address.
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b".:-".contains(&byte);
    let is_address = |host: &str| !host.starts_with('-') && host.bytes().all(is_fit);
    let all = direct.into_iter().chain(proxy).filter(|(_, host, port)| *port > 0 && is_address(host));
    all.map(|(kind, host, port)| Endpoint { kind, host, port, user: "root".to_owned() }).collect()
}

/// An offer; none if it has no id.
pub(super) fn offer(fields: Fields<'_>, disk_gb: f64) -> Option<Offer> {
    Some(Offer {
        id: fields.whole::<u64>("ask_contract_id").or_else(|| fields.whole("id"))?.to_string(),
        gpu: fields.text("gpu_name"),
        gpu_count: fields.whole("num_gpus"),
        gpu_ram_gb: gib(fields, "gpu_ram"),
        cpu_cores: fields.number("cpu_cores_effective").or_else(|| fields.number("cpu_cores")),
        ram_gb: gib(fields, "cpu_ram"),
        disk_gb: fields.number("disk_space"),
        per_hour: fields.number("dph_total").map(Dollars),
        min_bid: fields.number("min_bid").map(Dollars),
        stopped_per_day: fields.number("storage_cost").map(|cost| Dollars(cost * disk_gb / MONTH * 24.0)),
        network_mbps: (fields.number("inet_down"), fields.number("inet_up")),
        reliability: fields.number("reliability2").or_else(|| fields.number("reliability")),
        cuda: fields.number("cuda_max_good"),
        direct_ports: fields.whole("direct_port_count"),
        longest_secs: fields.number("duration"),
        region: fields.text("geolocation"),
        is_verified: fields.text("verification").map_or(fields.flag("verified"), |word| word == "verified"),
    })
}

/// A charge; none if it has no sum.
pub(super) fn charge(fields: Fields<'_>) -> Option<Charge> {
    let source = fields.text("source");
    let number = fields.whole::<u64>("instance_id").or_else(|| {
        // `instance-12345`
        source.as_deref()?.strip_prefix("instance-")?.parse().ok()
    });
    let what = ["description", "title", "type"].into_iter().find_map(|name| fields.text(name));
    let since = ["start", "day", "when", "timestamp"].into_iter().find_map(|name| fields.time(name));
    Some(Charge {
        machine: number.map(MachineId::vast),
        what: what.or(source).unwrap_or_default(),
        since,
        sum: Dollars(fields.number("amount").or_else(|| fields.number("total"))?),
    })
}

/// What a host wants more of; none if it can't be understood.
pub(super) fn price_rise(fields: Fields<'_>) -> Option<PriceRise> {
    let per_hour = |which: &str| {
        let parts = ["gpu_costpersec", "disk_ram_costpersec"];
        let seconds = parts.iter().filter_map(|part| fields.number(&format!("{which}_{part}")));
        Dollars(seconds.sum::<f64>() * 3600.0)
    };
    Some(PriceRise {
        id: fields.whole::<u64>("pending_price_increase_id")?.to_string(),
        machine: MachineId::vast(fields.whole::<u64>("contract_id")?),
        from: per_hour("old"),
        to: per_hour("new"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Machine {
        machine(Fields(value)).unwrap()
    }

    #[test]
    fn a_machine_is_read_whatever_is_null_or_text() {
        let bare = of(
            &json!({ "id": "7", "actual_status": null, "gpu_name": null, "ports": null, "dph_total": null }),
        );
        assert_eq!(bare.id.to_string(), "vast-7");
        assert_eq!((bare.state, bare.endpoints.len(), bare.per_hour), (MachineState::Creating, 0, None));
        let whole = of(&json!({
            "id": 12345, "actual_status": "running", "intended_status": "running", "status_msg": "success,\nrunning ",
            "label": "train", "gpu_name": "RTX 4090", "num_gpus": "4", "gpu_ram": 24564, "disk_space": 80,
            "dph_total": "1.25", "storage_total_cost": 0.02, "start_date": 1.7e9, "end_date": "1700100000.5",
            "public_ipaddr": " 1.2.3.4\n", "ports": { "22/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "40022" }] },
            "ssh_host": "ssh5", "ssh_port": 12344, "image_runtype": "jupyter_direc ssh_proxy", "new": { "x": 1 },
        }));
        assert_eq!(whole.state, MachineState::Running);
        assert_eq!(whole.message.as_deref(), Some("success, running"));
        assert_eq!(whole.gpu_count, Some(4));
        assert_eq!(whole.stopped_per_day.unwrap().to_string(), "$0.480");
        assert_eq!(whole.ends.unwrap().as_second(), 1_700_100_000);
        let ways: Vec<_> =
            whole.endpoints.iter().map(|way| format!("{:?} {}:{}", way.kind, way.host, way.port)).collect();
        assert_eq!(ways, ["Direct 1.2.3.4:40022", "Proxy ssh5.vast.ai:12345"]);
        assert!(machine(Fields(&json!({ "gpu_name": "x" }))).is_none());
    }

    #[test]
    fn what_is_meant_to_be_decides_where_nothing_is_yet() {
        let state = |actual: Value, intended: &str| {
            of(&json!({ "id": 1, "actual_status": actual, "intended_status": intended })).state
        };
        assert_eq!(state(Value::Null, "stopped"), MachineState::Stopped);
        assert_eq!(state(Value::Null, "running"), MachineState::Creating);
        assert_eq!(state(json!("running"), "stopped"), MachineState::Stopping);
        assert_eq!(state(json!("loading"), "running"), MachineState::Loading);
        assert_eq!(state(json!("frozen"), "running"), MachineState::Unknown("frozen".to_owned()));
    }

    #[test]
    fn what_an_hour_costs_depends_on_the_state() {
        let of = |state: &str| {
            of(
                &json!({ "id": 1, "actual_status": state, "dph_total": 2.4, "storage_cost": 0.3, "disk_space": 240 }),
            )
        };
        assert_eq!(of("running").costs_per_hour().to_string(), "$2.400");
        assert_eq!(of("stopped").costs_per_hour().to_string(), "$0.100");
    }

    #[test]
    fn a_price_rise_is_by_the_hour() {
        let value = json!({
            "pending_price_increase_id": 5, "contract_id": 12, "old_gpu_costpersec": 0.0001,
            "new_gpu_costpersec": 0.0002, "old_disk_ram_costpersec": null, "new_disk_ram_costpersec": null,
        });
        let rise = price_rise(Fields(&value)).unwrap();
        assert_eq!((rise.from.to_string(), rise.to.to_string()), ("$0.360".to_owned(), "$0.720".to_owned()));
    }
}
