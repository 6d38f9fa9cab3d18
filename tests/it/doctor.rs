//! `doppio doctor` on this machine alone.

use std::fs;

use doppio_test_support::Doppio;

#[test]
fn folders_that_others_may_read_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    fs::set_permissions(doppio.doppio_home(), fs::Permissions::from_mode(0o755)).expect("a folder");
    let ran = doppio.run(["doctor"]).expect(0);
    let home = doppio.doppio_home().display().to_string();
    assert!(ran.stdout.contains(&format!("fix: `chmod 700 {home}`")), "{}", ran.stdout);
    let ran = doppio.run(["doctor", "--json"]).expect(0);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let fixes =
        report["findings"].as_array().expect("a list").iter().filter_map(|finding| finding["fix"].as_str());
    assert!(fixes.collect::<String>().contains(&format!("chmod 700 {home}")), "{report}");
}
