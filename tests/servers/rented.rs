//! Who hires machines out. The stand-ins are what they say they are: the vendors' own clients use them, and
//! their machines cost money, go wrong on order and end. Doppio hires, uses and destroys them.

mod hiring;
mod hosts;
mod judges;
mod killed;
mod lambda;
mod limits;
mod money;
mod orders;
mod readiness;
mod runpod;
mod runs;
mod world;

use doppio_test_support::Doppio;

use crate::support::rented::Rented;

/// A user who has the vendor's key, and an SSH key that the vendor does not know.
fn user(vendor: &Rented, name: &str) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env(format!("{name}_API_KEY"), vendor.key()).env(
        format!("{name}_URL"),
        format!("{}{}", vendor.url(), if name == "LAMBDA" { "/api/v1" } else { "" }),
    );
    let private = std::fs::read(vendor.identity()).expect("it is made");
    doppio.private("home/.ssh/id_ed25519", private);
    doppio.private("home/.ssh/id_ed25519.pub", vendor.public_key() + "\n");
    doppio
}

/// The id of its only machine, as Doppio writes it.
fn only(doppio: &Doppio, name: &str) -> String {
    let ran = doppio.run([name, "list", "--json"]).expect(0);
    let all: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all:#}");
    all[0]["id"].as_str().expect("an id").to_owned()
}
