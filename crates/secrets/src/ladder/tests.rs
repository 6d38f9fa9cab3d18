use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::Prompt;
use crate::SecretValue;
use crate::ladder::trail::Outcome;
use crate::source::Command;
use crate::source::KeyOptions;
use crate::source::Keychain;
use crate::source::Remark;

/// Nobody is there.
struct Nobody;

impl Prompt for Nobody {
    fn secret(&self, _question: &str) -> Option<SecretValue> {
        None
    }

    fn notice(&self, _text: &str) {}
}

struct World {
    folder: tempfile::TempDir,
    options: LadderOptions,
}

/// A ladder without a keychain, whose vault has a passphrase.
fn world(variables: &[(&str, &str)]) -> World {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = private(&folder, "passphrase", "correct horse\n");
    let keys = KeyOptions {
        identity: None,
        passphrase_fd: None,
        passphrase_file: Some(passphrase),
        home: folder.path().to_owned(),
        prompt: Arc::new(Nobody),
        keychain: Arc::new(Keychain::off()),
        work_factor: 10,
    };
    let options = LadderOptions {
        kinds: SourceKinds::default(),
        flags: BTreeMap::new(),
        bindings: BTreeMap::new(),
        environment: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        dotenv: (folder.path().join(".env"), true),
        vault: (folder.path().join("data/vault.age"), keys),
        commands: BTreeMap::new(),
        sources: BTreeMap::new(),
        home: folder.path().to_owned(),
        default_source: None,
        discovery: None,
        on_error: OnError::Stop,
    };
    World { folder, options }
}

fn private(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn bound(reference: &str) -> Bound {
    Bound { reference: reference.parse().unwrap(), by: "`--secret`".to_owned() }
}

async fn read(ladder: &Ladder, reference: &str) -> Result<String, SecretError> {
    let found = ladder.find(&reference.parse().unwrap(), true).await?;
    Ok(String::from_utf8(found.value.unwrap().plain().to_vec()).unwrap())
}

async fn store(ladder: &Ladder, path: &str, value: &str) {
    let value = SecretValue::new(value.as_bytes().to_vec());
    ladder.source("file").unwrap().set(path, &value, &Remark::default()).await.unwrap();
}

#[tokio::test]
async fn the_first_rung_that_has_it_wins() {
    let mut world = world(&[("A_B", "from env"), ("OTHER", "from flag"), ("THIRD", "from settings")]);
    private(&world.folder, ".env", "A_B=from dotenv\nC_D='from dotenv'\n");
    world.options.flags.insert(name("f/f"), bound("env:OTHER"));
    world.options.bindings.insert(name("f/f"), bound("env:THIRD"));
    world.options.bindings.insert(name("g/g"), bound("env:GONE"));
    world.options.bindings.insert(name("alias"), bound("a/b"));
    world.options.bindings.insert(name("bound/absent"), bound("keyring:a/b?of the binding"));
    let ladder = Ladder::new(world.options);
    for path in ["a/b", "c/d", "e/e", "g/g"] {
        store(&ladder, path, &format!("{path} from vault")).await;
    }
    for (reference, value) in [
        ("f/f", "from flag"),
        ("a/b", "from env"),
        ("c/d", "from dotenv"),
        ("e/e", "e/e from vault"),
        ("g/g", "g/g from vault"),
        ("alias", "from env"),
        ("file:a/b", "a/b from vault"),
        ("dotenv:A_B", "from dotenv"),
        ("a/b@latest", "a/b from vault"),
        ("h/h?stands in", "stands in"),
    ] {
        assert_eq!(read(&ladder, reference).await.unwrap(), value, "{reference}");
    }
    assert!(matches!(read(&ladder, "h/h").await, Err(SecretError::Missing { .. })));
    // What a reference names and this machine does not have could not be asked.
    for reference in ["keyring:a/b", "keyring:a/b?stands in", "bound/absent", "bound/absent?stands in"] {
        let fault = read(&ladder, reference).await.unwrap_err();
        assert!(matches!(fault, SecretError::Unreachable { .. }), "{reference}: {fault}");
    }
    assert!(matches!(read(&ladder, "nosuch:a/b").await, Err(SecretError::Unfit { .. })));
    assert!(matches!(read(&ladder, "env:A_B@2").await, Err(SecretError::Unfit { .. })));
}

#[tokio::test]
async fn what_could_not_be_asked_stops_the_search() {
    let broken = |on_error| {
        let mut world = world(&[]);
        private(&world.folder, ".env", "A='open\n");
        world.options.on_error = on_error;
        (Ladder::new(world.options), world.folder)
    };
    let (ladder, _folder) = broken(OnError::Stop);
    store(&ladder, "a/b", "in the vault").await;
    for reference in ["a/b", "a/b?default"] {
        let fault = read(&ladder, reference).await.unwrap_err();
        assert!(matches!(fault, SecretError::Unreachable { .. }), "{fault}");
    }
    let (ladder, _folder) = broken(OnError::Next);
    store(&ladder, "a/b", "in the vault").await;
    assert_eq!(read(&ladder, "a/b").await.unwrap(), "in the vault");
    assert!(matches!(read(&ladder, "c/d?default").await, Err(SecretError::Unreachable { .. })));
}

#[tokio::test]
async fn properties_and_versions() {
    let mut world = world(&[("DOC", r#"{"db": {"url": "u r l"}}"#)]);
    world.options.bindings.insert(name("db"), bound("env:DOC#db"));
    let ladder = Ladder::new(world.options);
    assert_eq!(read(&ladder, "env:DOC#/db/url").await.unwrap(), "u r l");
    assert_eq!(read(&ladder, "db#url").await.unwrap(), "u r l");
    assert_eq!(read(&ladder, "db#host?localhost").await.unwrap(), "localhost");
    let found = ladder.find(&"db#url".parse().unwrap(), false).await.unwrap();
    assert!(found.value.is_none(), "a place is not a value");
    store(&ladder, "v", "first").await;
    store(&ladder, "v", "second").await;
    assert_eq!(read(&ladder, "v@1").await.unwrap(), "first");
    assert_eq!(read(&ladder, "v@previous").await.unwrap(), "first");
    assert_eq!(read(&ladder, "v").await.unwrap(), "second");
    assert!(matches!(read(&ladder, "v@7").await, Err(SecretError::Missing { .. })));
}

#[tokio::test]
async fn a_trail_shows_every_rung_and_no_value() {
    let mut world = world(&[("HF_TOKEN", "plain hunter2")]);
    world.options.bindings.insert(name("huggingface/token"), bound("command:gone"));
    world.options.on_error = OnError::Next;
    let command = Command {
        run: vec!["true".into()],
        timeout: Duration::from_secs(5),
        missing: vec![],
        keep_newline: false,
    };
    world.options.commands.insert("here".to_owned(), command);
    let ladder = Ladder::new(world.options);
    store(&ladder, "huggingface/token", "vault hunter2").await;
    let trail = ladder.trail(&"huggingface/token".parse().unwrap()).await;
    let outcomes: Vec<(Option<u8>, &str)> = trail
        .asked
        .iter()
        .map(|asked| {
            let outcome = match &asked.outcome {
                Outcome::Won(_) => "won",
                Outcome::Shadowed(_) => "shadowed",
                Outcome::Missing => "missing",
                Outcome::Absent(_) => "absent",
                Outcome::Failed { .. } => "failed",
            };
            (asked.rung, outcome)
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            (Some(1), "missing"),
            (Some(2), "failed"),
            (Some(3), "won"),
            (Some(3), "missing"),
            (Some(3), "missing"),
            (Some(4), "absent"),
            (Some(4), "absent"),
            (Some(4), "absent"),
            (Some(5), "absent"),
            (Some(6), "shadowed"),
            (Some(7), "absent"),
            (Some(8), "absent"),
        ]
    );
    assert_eq!(trail.winner().unwrap().0.path, "HF_TOKEN");
    assert!(!format!("{trail:?}").contains("hunter2"));
}

#[tokio::test]
async fn the_default_source_is_asked_last() {
    let mut world = world(&[("APP", r#"{"g/g": "of the template"}"#)]);
    let template = DefaultSource::parse("file:ml/{profile}/{name}", SourceKinds::default()).unwrap();
    world.options.default_source = Some(template.with_profile(Some("prod")));
    let ladder = Ladder::new(world.options);
    store(&ladder, "ml/prod/a/b", "from the default source").await;
    store(&ladder, "ml/prod/c/d", "shadowed").await;
    store(&ladder, "c/d", "from the vault").await;
    assert_eq!(read(&ladder, "a/b").await.unwrap(), "from the default source");
    assert_eq!(read(&ladder, "c/d").await.unwrap(), "from the vault");
    let trail = ladder.trail(&"a/b".parse().unwrap()).await;
    let (winner, _) = trail.winner().unwrap();
    assert_eq!((winner.rung, winner.path.as_str()), (Some(7), "ml/prod/a/b"));
}

#[tokio::test]
async fn a_default_source_may_be_one_document() {
    let mut world = world(&[("APP_PROD", r#"{"g/g": "of the document", "h": {"i": "deep"}}"#)]);
    let template = DefaultSource::parse("env:APP_PROD#{name}", SourceKinds::default()).unwrap();
    world.options.default_source = Some(template);
    let ladder = Ladder::new(world.options);
    assert_eq!(read(&ladder, "g/g").await.unwrap(), "of the document");
    assert_eq!(read(&ladder, "h#i").await.unwrap(), "deep");
    assert!(matches!(read(&ladder, "gone").await, Err(SecretError::Missing { .. })));
}

/// Each source is asked under a path that it can have, so that none of them stops every search.
#[test]
fn a_default_source_spells_names_as_it_must() {
    for (template, path) in [
        ("gcp:{name}", "huggingface-api_key-v2"),
        ("gcp:projects/ml/secrets/{profile}-{name}", "projects/ml/secrets/prod-huggingface-api_key-v2"),
        ("azure:{name}", "huggingface-api-key-v2"),
        ("azure:ml-prod/{name}", "ml-prod/huggingface-api-key-v2"),
        ("kubernetes:{name}", "huggingface#api_key.v2"),
        ("kubernetes:{profile}/{name}", "prod/huggingface#api_key.v2"),
        ("vault:kv/{name}", "kv/huggingface/api_key.v2"),
        ("aws:ml/{profile}/{name}", "ml/prod/huggingface/api_key.v2"),
        ("pass:{name}", "huggingface/api_key.v2"),
        ("env:ML_{name}", "ML_HUGGINGFACE_API_KEY_V2"),
    ] {
        // A build without the source has no such rung.
        let Ok(template) = DefaultSource::parse(template, SourceKinds::default()) else { continue };
        let mut world = world(&[]);
        world.options.default_source = Some(template.with_profile(Some("prod")));
        let ladder = Ladder::new(world.options);
        let rung = ladder.rungs.iter().find(|rung| rung.number == 7).unwrap();
        let places = rung.places(&name("huggingface/api_key.v2"));
        assert_eq!(places[0].1, path);
    }
}

#[tokio::test]
async fn a_blank_variable_is_passed_over_and_told() {
    let world = world(&[("HF_TOKEN", " "), ("HUGGING_FACE_HUB_TOKEN", ""), ("HUGGINGFACE_TOKEN", "hunter2")]);
    let ladder = Ladder::new(world.options);
    assert_eq!(read(&ladder, "huggingface/token").await.unwrap(), "hunter2");
    assert_eq!(read(&ladder, "env:HF_TOKEN").await.unwrap(), " ");
    let trail = ladder.trail(&"huggingface/token".parse().unwrap()).await;
    let skipped: Vec<&str> = trail
        .asked
        .iter()
        .filter(|asked| asked.rung == Some(3))
        .filter_map(|asked| match &asked.outcome {
            Outcome::Absent(cause) => Some(cause.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(skipped, ["`HF_TOKEN` is set, but blank", "`HUGGING_FACE_HUB_TOKEN` is set, but blank"]);
    assert!(matches!(read(&ladder, "wandb/api_key").await, Err(SecretError::Missing { .. })));
}

#[test]
fn a_name_has_a_place_in_every_source_that_can_be_written_to() {
    let mut world = world(&[]);
    let template = DefaultSource::parse("file:ml/{profile}/{name}", SourceKinds::default()).unwrap();
    world.options.default_source = Some(template.with_profile(Some("prod")));
    let ladder = Ladder::new(world.options);
    let place = |scheme| ladder.path_of(&name("team_a/api.key"), ladder.source(scheme).unwrap());
    for (scheme, path) in [("file", "ml/prod/team_a/api.key"), ("keyring", "team_a/api.key")] {
        assert_eq!(place(scheme).as_deref(), Ok(path), "{scheme}");
    }
}
