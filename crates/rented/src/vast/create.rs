//! Creating a machine at vast.ai. It costs money, so nothing is sent twice on a guess: what became of a
//! request without an answer is looked up by the label, which is part of the request.

use serde_json::Value;
use serde_json::json;

use doppio_secrets::SecretValue;

use crate::caller::Caller;
use crate::error::RentedError;
use crate::fields::Fields;
use crate::look_up::look_up;
use crate::machine_id::MachineId;
use crate::machine_id::VendorName;
use crate::offer::Order;
use crate::refusal::CallError;
use crate::refusal::Refusal;
use crate::vast::calls;
use crate::vast::refused;
use crate::vendor::Vendor;

/// Tries to destroy what a failed request left.
const TRIES: usize = 4;

/// The most bytes of an image's name, a label, a start script and an environment, by vast.ai's
/// documentation.
const LONGEST: (usize, usize, usize, usize, usize) = (1024, 256, 4096, 256, 32_768);

/// The least disk, in GB.
const LEAST_DISK: f64 = 8.0;

pub(super) async fn create(
    vendor: &dyn Vendor,
    caller: &Caller,
    order: &Order,
) -> Result<MachineId, RentedError> {
    check(order).map_err(RentedError::BadOrder)?;
    let failed = match caller.send(&calls::create(&order.offer, body(order))).await {
        Ok(answer) => match contract(&answer) {
            Some(id) => return Ok(id),
            None => CallError::Unclear(RentedError::Refused {
                vendor: VendorName::Vast,
                what: "create a machine".to_owned(),
                status: 200,
                words: "its answer names no machine".to_owned(),
            }),
        },
        Err(failed) => failed,
    };
    match failed {
        CallError::Undone(error) => Err(error),
        CallError::Refused(refusal) => Err(refuse(vendor, *refusal, order).await),
        CallError::Unclear(error) => look_up(vendor, caller, error, &order.label).await,
    }
}

/// The id of the new machine.
fn contract(answer: &Value) -> Option<MachineId> {
    Fields(answer).whole::<u64>("new_contract").filter(|id| *id > 0).map(MachineId::vast)
}

/// A refusal may come with a machine: a bid that is too low leaves one that is stopped, and its disk
/// costs. It is destroyed.
async fn refuse(vendor: &dyn Vendor, refusal: Refusal, order: &Order) -> RentedError {
    let left = contract(&refusal.body);
    let mut error = if left.is_none() && refused::is_taken(&refusal) {
        RentedError::OfferTaken { vendor: VendorName::Vast, offer: order.offer.clone() }
    } else {
        refused::error(CallError::Refused(Box::new(refusal)), "create a machine", None)
    };
    let Some(id) = left else { return error };
    for _ in 0..TRIES {
        match vendor.destroy(&id).await {
            Ok(()) => {
                if let RentedError::Refused { words, .. } = &mut error {
                    words.push_str("; the machine that it left was destroyed");
                }
                return error;
            }
            Err(again) if again.may_pass() => {}
            Err(_) => break,
        }
    }
    RentedError::LeftOver { id, cause: Box::new(error) }
}

/// What vast.ai would refuse, or do otherwise than it looks.
fn check(order: &Order) -> Result<(), String> {
    let (image, label, script, variable, environment) = LONGEST;
    if order.offer.is_empty() || !order.offer.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{}` is not the id of an offer of vast.ai, which is a number", order.offer));
    }
    if order.image.is_empty() && order.template.is_none() {
        return Err("it names no image".to_owned());
    }
    if order.label.is_empty() {
        return Err("it has no label".to_owned());
    }
    if !(order.disk_gb.is_finite() && order.disk_gb >= LEAST_DISK) {
        return Err(format!("a disk has {LEAST_DISK} GB or more"));
    }
    let script_length = order.on_start.as_ref().map_or(0, String::len);
    for (what, length, most) in [
        ("the image's name", order.image.len(), image),
        ("the label", order.label.len(), label),
        ("the start script", script_length, script),
    ] {
        if length > most {
            return Err(format!("{what} has {length} bytes, of at most {most}"));
        }
    }
    if let Some((name, _)) = order.env.iter().find(|(name, value)| name.len().max(value.len()) > variable) {
        return Err(format!("variable `{name}` is longer than {variable} bytes"));
    }
    let all: usize = order.env.iter().map(|(name, value)| name.len() + value.len()).sum();
    if all > environment {
        return Err(format!("its environment has {all} bytes, of at most {environment}"));
    }
    Ok(())
}

/// The request's body. SSH is asked for by both ways; with a template, as that has it.
fn body(order: &Order) -> Value {
    let mut body = json!({
        "client_id": "me",
        "disk": order.disk_gb,
        "label": order.label,
        "env": order.env,
        "cancel_unavail": true,
    });
    let mut add = |name: &str, value: Value| body[name] = value;
    if !order.image.is_empty() {
        add("image", order.image.as_str().into());
    }
    if let Some(bid) = order.bid {
        add("price", bid.0.into());
    }
    if let Some(script) = &order.on_start {
        add("onstart", script.as_str().into());
    }
    if let Some(login) = &order.image_login {
        add("image_login", plain(login));
    }
    match &order.template {
        Some(template) => add("template_hash_id", template.as_str().into()),
        // Sic.
        None => add("runtype", "ssh_direc ssh_proxy".into()),
    }
    body
}

#[expect(clippy::disallowed_methods, reason = "the login to the registry is part of the order")]
fn plain(login: &SecretValue) -> Value {
    login.reveal(|login| String::from_utf8_lossy(login).into_owned()).into()
}
