//! What `RunPod` and Lambda can't do is said before anything is hired, and by its name.

use doppio_test_support::Doppio;

fn check(step: &str) -> String {
    let doppio = Doppio::new();
    doppio.recipe(&format!("[[step]]\nid = \"hire\"\nmachine_create = {{ {step} }}\n"));
    doppio.run(["check", "recipe.toml"]).expect(2).stderr
}

#[test]
fn what_a_vendor_can_not_honour_is_a_fault_that_names_it() {
    let common = "provider = \"runpod\", image = \"i\"";
    for (field, said) in [
        ("query = \"gpu_ram>=24\"", "RunPod has no query language"),
        ("bid = 0.3", "RunPod takes no bids"),
        ("onstart = \"true\"", "RunPod runs no start script"),
        ("max_hours = 3", "RunPod can't stop a pod by itself: leave `max_hours` out"),
        ("idle_below = 5", "leave `idle_below` out"),
        ("offers = [{ bid = 0.3 }]", "RunPod takes no bids"),
    ] {
        let shown = check(&format!("{common}, {field}"));
        assert!(shown.contains(said), "{field}: {shown}");
    }
    let shown = check("provider = \"runpod\"");
    assert!(shown.contains("a machine of RunPod needs an `image`"), "{shown}");
    let shown = check("provider = \"lambda\", image = \"i\", env = { A = \"b\" }");
    assert!(shown.contains("Lambda runs its own system and no image"), "{shown}");
    assert!(shown.contains("Lambda sets no environment"), "{shown}");
}

#[test]
fn the_commands_of_a_vendor_are_what_it_can_do() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    for (vendor, can, lacks) in [
        ("runpod", &["search", "create", "stop", "cost", "orphans"][..], &["ssh-key", "logs"][..]),
        ("lambda", &["search", "create", "destroy", "orphans"], &["stop", "start", "label", "cost"]),
    ] {
        let help = doppio.run([vendor, "--help"]).expect(0).stdout;
        let has = |name: &str| help.lines().any(|line| line.trim_start().starts_with(&format!("{name} ")));
        assert!(can.iter().all(|name| has(name)), "{help}");
        assert!(!lacks.iter().any(|name| has(name)), "{help}");
        let ran = doppio.run([vendor, "list"]).expect(3);
        assert!(ran.stderr.contains(&format!("doppio secret set {vendor}/api_key")), "{}", ran.stderr);
        let ran = doppio.run([vendor, "show", "vast-12"]).expect(2);
        assert!(
            ran.stderr.contains(&format!("hint: see what there is: `doppio {vendor} list`")),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_key_of_the_vendors_own_client_is_used() {
    for (vendor, file, text) in [
        ("runpod", "home/.runpod/config.toml", "apikey = 'test_key_of_a_client_0123456789'\n"),
        ("lambda", "home/.lambda_cloud/lambda_keys", "api_key = test_key_of_a_client_0123456789\n"),
    ] {
        let variable = format!("{}_URL", vendor.to_ascii_uppercase());
        let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env(variable, "http://vendor.example");
        doppio.private(file, text);
        // It gets as far as the address, to which no key may be sent.
        let ran = doppio.run([vendor, "list"]).expect(2);
        assert!(ran.stderr.contains("so it must be `https`"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!("check `{}_URL`", vendor.to_ascii_uppercase())),
            "{}",
            ran.stderr
        );
    }
}
