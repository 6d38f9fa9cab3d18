//! The requests of vast.ai's API. Paths and intervals are those of vast-ai/docs (August 2026) and of its
//! client `vastai` 1.9.1.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::caller::Call;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The most machines that a page of a list may have.
const PAGE: &str = "25";

/// A page of the list, those that `filters` allow.
pub(super) fn list(filters: &Value, after: Option<&str>) -> Call {
    let call = Call::new(Method::GET, "/api/v1/instances/")
        .query("select_filters", filters.to_string())
        .query("order_by", r#"[{"col":"id","dir":"asc"}]"#)
        .query("limit", PAGE)
        .pace("list", millis(1000));
    match after {
        Some(after) => call.query("after_token", after),
        None => call,
    }
}

pub(super) fn show(id: &str) -> Call {
    Call::new(Method::GET, format!("/api/v0/instances/{id}/")).query("owner", "me").pace("show", millis(2000))
}

/// Ten searches a minute are allowed, in bursts: a person's few do not wait.
pub(super) fn search(body: Value) -> Call {
    Call::new(Method::POST, "/api/v0/bundles/")
        .body(body)
        .pace("search", millis(1000))
        .deadline(millis(60_000))
}

pub(super) fn create(offer: &str, body: Value) -> Call {
    Call::new(Method::PUT, format!("/api/v0/asks/{offer}/"))
        .body(body)
        .pace("create", millis(4500))
        .deadline(millis(60_000))
        .once()
}

/// Start, stop and label, which are one request.
pub(super) fn change(id: &str, body: Value) -> Call {
    Call::new(Method::PUT, format!("/api/v0/instances/{id}/")).body(body).pace("change", millis(1000))
}

pub(super) fn reboot(id: &str) -> Call {
    Call::new(Method::PUT, format!("/api/v0/instances/reboot/{id}/"))
        .body(json!({}))
        .pace("reboot", millis(1000))
}

pub(super) fn destroy(id: &str) -> Call {
    Call::new(Method::DELETE, format!("/api/v0/instances/{id}/"))
        .body(json!({}))
        .pace("destroy", millis(3000))
}

/// Adding a key that is there already does no harm.
pub(super) fn attach_key(id: &str, key: &str) -> Call {
    Call::new(Method::POST, format!("/api/v0/instances/{id}/ssh/"))
        .body(json!({ "ssh_key": key }))
        .pace("ssh-key", millis(1000))
}

pub(super) fn detach_key(id: &str, key_id: &str) -> Call {
    Call::new(Method::DELETE, format!("/api/v0/instances/{id}/ssh/{key_id}/"))
        .body(json!({}))
        .pace("ssh-key", millis(1000))
}

pub(super) fn account_keys() -> Call {
    Call::new(Method::GET, "/api/v0/ssh/").pace("ssh-key", millis(1000))
}

pub(super) fn add_account_key(key: &str) -> Call {
    Call::new(Method::POST, "/api/v0/ssh/").body(json!({ "ssh_key": key })).pace("ssh-key", millis(1000))
}

pub(super) fn remove_account_key(id: &str) -> Call {
    Call::new(Method::DELETE, format!("/api/v0/ssh/{id}/")).body(json!({})).pace("ssh-key", millis(1000))
}

pub(super) fn logs(id: &str, lines: usize) -> Call {
    Call::new(Method::PUT, format!("/api/v0/instances/request_logs/{id}/"))
        .body(json!({ "tail": lines.to_string() }))
        .pace("logs", millis(1500))
}

pub(super) fn execute(id: &str, command: &str) -> Call {
    Call::new(Method::PUT, format!("/api/v0/instances/command/{id}/"))
        .body(json!({ "command": command }))
        .pace("execute", millis(1500))
}

pub(super) fn copy(from: (&str, &str), to: (&str, &str)) -> Call {
    let body = json!({
        "client_id": "me", "src_id": from.0, "dst_id": to.0, "src_path": from.1, "dst_path": to.1,
    });
    Call::new(Method::PUT, "/api/v0/commands/copy_direct/").body(body).pace("copy", millis(1000))
}

pub(super) fn user() -> Call {
    Call::new(Method::GET, "/api/v0/users/current").pace("user", millis(1000))
}

/// Charges from one day to another, in seconds since 1970.
pub(super) fn charges(from: i64, to: i64, after: Option<&str>) -> Call {
    let filters = json!({ "day": { "gte": from, "lte": to } });
    let call = Call::new(Method::GET, "/api/v0/charges/")
        .query("select_filters", filters.to_string())
        .query("latest_first", "true")
        .query("limit", "100")
        .query("format", "table")
        .pace("charges", millis(1000));
    match after {
        Some(after) => call.query("after_token", after),
        None => call,
    }
}

pub(super) fn price_rises() -> Call {
    Call::new(Method::GET, "/api/v0/instances/pending-price-increases/").pace("price", millis(1000))
}

/// Accepts or rejects that a host wants more.
pub(super) fn answer_price_rise(id: u64, accept: bool) -> Call {
    let verb = if accept { "accept" } else { "reject" };
    Call::new(Method::PUT, format!("/api/v0/instances/{verb}-price-increase/"))
        .body(json!({ "pending_price_increase_id": id }))
        .pace("price", millis(1000))
}
