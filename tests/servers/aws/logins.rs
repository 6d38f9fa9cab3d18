//! Where credentials come from: the whole chain of Amazon's SDK, and the settings.

use std::fs;

use doppio_test_support::Doppio;

use crate::aws::reveal;
use crate::support::aws::Keys;
use crate::support::aws::Moto;
use crate::support::aws::Parrot;
use crate::support::aws::REGION;
use crate::support::standin::Standin;

/// A machine that knows the server, and no keys.
fn bare(keys: &Keys) -> Doppio {
    Doppio::new()
        .env("DOPPIO_KEYRING", "off")
        .env("AWS_ENDPOINT_URL", &keys.url)
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

fn stored(keys: &Keys, name: &str) {
    keys.boto(&format!("client('secretsmanager').create_secret(Name='{name}', SecretString='found it')"));
}

fn profile(doppio: &Doppio, file: &str, text: &str) {
    let folder = doppio.home().join(".aws");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(file), text).unwrap();
}

#[test]
fn profiles_and_settings_name_the_account() {
    let keys = Moto::shared().keys("AKIDPROFILE");
    stored(&keys, "profile/a");
    let doppio = bare(&keys).env("AWS_ACCESS_KEY_ID", "AKIDOTHER").env("AWS_SECRET_ACCESS_KEY", "other");
    profile(&doppio, "config", &format!("[profile work]\nregion = {REGION}\n"));
    profile(&doppio, "credentials", "[work]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = x\n");
    fs::write(doppio.doppio_home().join("config.toml"), "[sources.aws]\nprofile = \"work\"\n").unwrap();
    let ((), calls) = keys.during(|| assert_eq!(reveal(&doppio, "aws:profile/a"), "found it"));
    // The profile of the settings goes before the keys of the environment, and names the region.
    assert_eq!(calls, ["GetSecretValue"]);
    fs::write(doppio.doppio_home().join("config.toml"), "[sources.aws]\nregoin = \"eu-west-1\"\n").unwrap();
    let told = doppio.run(["secret", "get", "aws:profile/a"]).expect(2).stderr;
    assert!(told.contains("regoin") && told.contains("region"), "{told}");
}

#[test]
fn a_process_of_the_profile_is_asked() {
    let keys = Moto::shared().keys("AKIDPROCESS");
    stored(&keys, "process/a");
    let doppio = bare(&keys);
    let answer =
        doppio.file("keys.json", r#"{"Version":1,"AccessKeyId":"AKIDPROCESS","SecretAccessKey":"x"}"#);
    profile(
        &doppio,
        "config",
        &format!("[default]\nregion = {REGION}\ncredential_process = cat {}\n", answer.display()),
    );
    let ((), calls) = keys.during(|| assert_eq!(reveal(&doppio, "aws:process/a"), "found it"));
    assert_eq!(calls, ["GetSecretValue"]);
}

#[test]
fn a_web_identity_a_container_and_an_instance_are_asked() {
    let keys = Moto::shared().keys("AKIDELSEWHERE");
    stored(&keys, "elsewhere/a");
    let web =
        bare(&keys).env("AWS_REGION", REGION).env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/test");
    let token = web.file("token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.");
    let web = web.env("AWS_WEB_IDENTITY_TOKEN_FILE", token);
    assert_eq!(reveal(&web, "aws:elsewhere/a"), "found it");

    let container = Parrot::start(
        200,
        r#"{"AccessKeyId":"AKIDCONTAINER","SecretAccessKey":"x","Token":"t","Expiration":"2099-01-01T00:00:00Z"}"#,
    );
    let doppio = bare(&keys)
        .env("AWS_REGION", REGION)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/keys", container.url));
    assert_eq!(reveal(&doppio, "aws:elsewhere/a"), "found it");
    assert_eq!(container.asked(), 1);

    let instance = Doppio::new()
        .env("DOPPIO_KEYRING", "off")
        .env("AWS_ENDPOINT_URL", &keys.url)
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &keys.url)
        .env("AWS_REGION", REGION);
    assert_eq!(reveal(&instance, "aws:elsewhere/a"), "found it");
}

#[test]
fn nothing_to_log_in_with_is_told_at_once_with_what_to_do() {
    let keys = Moto::shared().keys("AKIDNOBODY");
    let told = bare(&keys).env("AWS_REGION", REGION).run(["secret", "get", "aws:a/b"]).expect(3).stderr;
    assert!(told.contains("there are no credentials for AWS"), "{told}");
    assert!(told.contains("hint: run `aws configure` or `aws sso login`"), "{told}");

    let told = keys.doppio().env("AWS_REGION", "").run(["secret", "get", "aws:a/b"]).expect(3).stderr;
    assert!(told.contains("no AWS region is set") && told.contains("hint: set AWS_REGION"), "{told}");

    let doppio = bare(&keys).env("AWS_PROFILE", "nowhere").env("AWS_REGION", REGION);
    let told = doppio.run(["secret", "get", "ssm:/a/b"]).expect(3).stderr;
    assert!(told.contains("there are no credentials for AWS"), "{told}");

    let doppio = bare(&keys).env("AWS_REGION", REGION);
    profile(
        &doppio,
        "config",
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n\
         [sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.invalid/start\n",
    );
    let told = doppio.run(["secret", "get", "aws:a/b"]).expect(3).stderr;
    assert!(told.contains("you are not logged in to AWS"), "{told}");
    assert!(told.contains("hint: run `aws sso login`"), "{told}");
}

/// Where one service is asked goes before where all are.
#[test]
fn a_profile_moves_one_service_or_all() {
    let keys = Moto::shared().keys("AKIDMOVED");
    keys.boto("client('ssm').put_parameter(Name='/moved/a', Value='found it', Type='SecureString')");
    let doppio = Doppio::new()
        .env("DOPPIO_KEYRING", "off")
        .env("AWS_ACCESS_KEY_ID", "AKIDMOVED")
        .env("AWS_SECRET_ACCESS_KEY", "x")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let parrot = Parrot::start(400, r#"{"__type":"ValidationException","message":"the parrot"}"#);
    profile(
        &doppio,
        "config",
        &format!(
            "[default]\nregion = {REGION}\nendpoint_url = {}\nservices = s\n\
             [services s]\nssm =\n  endpoint_url = {}\n",
            parrot.url, keys.url
        ),
    );
    assert_eq!(reveal(&doppio, "ssm:/moved/a"), "found it");
    let told = doppio.run(["secret", "get", "aws:moved/a"]).expect(3).stderr;
    assert!(told.contains("the parrot"), "{told}");
    assert_eq!(parrot.asked(), 1);

    let told = doppio.env("AWS_USE_FIPS_ENDPOINT", "true").run(["secret", "get", "aws:moved/a"]).expect(3);
    assert!(told.stderr.contains("can't be a FIPS endpoint"), "{}", told.stderr);
}

#[test]
fn certificates_are_those_of_the_system_and_of_the_bundle() {
    let server = Standin::start("azure", &[]);
    let keys = Keys { url: server.url(), ..Moto::shared().keys("AKIDBUNDLE") };
    let told = |doppio: Doppio| doppio.run(["secret", "get", "ssm:/a"]).expect(3).stderr;
    let words = told(keys.doppio());
    assert!(words.contains("AWS can't be reached") && words.contains("certificate"), "{words}");
    // It is trusted, and is no AWS.
    let words = told(keys.doppio().env("AWS_CA_BUNDLE", server.path("ca.crt")));
    assert!(words.contains("what answered is not AWS"), "{words}");

    let doppio = keys.doppio();
    let empty = doppio.file("empty.pem", "");
    let words = told(doppio.env("AWS_CA_BUNDLE", empty));
    assert!(
        words.contains("AWS_CA_BUNDLE: cannot use the certificates") && words.contains("there is none in it"),
        "{words}"
    );
    let words = told(keys.doppio().env("AWS_CA_BUNDLE", "/nonexistent/bundle.pem"));
    assert!(words.contains("AWS_CA_BUNDLE: cannot use") && words.contains("No such file"), "{words}");
}
