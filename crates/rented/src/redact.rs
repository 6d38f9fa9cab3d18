//! Keys in answers, hidden before anything else looks at them.

use serde_json::Value;

/// Members of vendors' answers that are keys or passwords: those of accounts (`/users/current`), of one
/// machine (`instance_api_key`) and of the page that runs on it.
const SECRET: &[&str] =
    &["apikey", "jupyter_token", "jupyter_url", "password", "image_login", "ssh_private_key", "pin_code"];

/// Members that hold what users put there, and secrets among it.
const OF_USERS: &[&str] = &["extra_env", "env", "onstart"];

/// What stands in place of a value.
pub(crate) const HIDDEN: &str = "***";

/// Hides them, however deep they are.
pub(crate) fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if is_secret(name) {
                    // What says that there is none is as good as hidden.
                    if !member.is_null() {
                        *member = Value::from(HIDDEN);
                    }
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(redact),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("api_key") || SECRET.contains(&name.as_str()) || OF_USERS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_hidden_at_every_depth() {
        let mut value = json!({
            "success": true,
            "instance_api_key": "made-up-1",
            "user": [{ "api_key": "made-up-2", "id": 7, "api_key_id": 3 }],
            "instances": { "jupyter_token": "made-up-3", "extra_env": [["HF_TOKEN", "made-up-4"]], "onstart": null },
        });
        redact(&mut value);
        assert!(!value.to_string().contains("made-up"), "{value}");
        assert_eq!(value["user"][0]["id"], 7);
        assert_eq!(value["user"][0]["api_key_id"], 3);
        assert!(value["instances"]["onstart"].is_null());
    }
}
