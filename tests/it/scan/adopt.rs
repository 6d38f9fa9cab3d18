//! `doppio secret scan --adopt`.

use doppio_test_support::Doppio;

use crate::scan::TOKEN;

// case J8
#[test]
fn a_token_that_is_found_is_stored_under_its_name() {
    let doppio = Doppio::with_vault().env("DOPPIO_KEYRING", "off");
    let wandb = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";
    doppio.file("train.py", format!("import os\nTOKEN = \"{TOKEN}\"\n"));
    doppio.file("run.sh", format!("export HF_TOKEN={TOKEN}\nexport WANDB_API_KEY={wandb}\n"));
    let ran = doppio.run(["secret", "scan"]).expect(1);
    assert!(ran.stderr.contains("`doppio secret scan --adopt`"), "{}", ran.stderr);
    let ran = doppio.run(["secret", "scan", "--adopt", "--yes"]).expect(0);
    let shown = ran.stdout + &ran.stderr;
    assert!(!shown.contains(&TOKEN[3..]) && !shown.contains(wandb), "{shown}");
    for words in [
        "train.py:2: write `os.environ[\"HF_TOKEN\"]`",
        "run.sh:1: write `\"$HF_TOKEN\"`",
        "run.sh:2: write `\"$WANDB_API_KEY\"`",
        "`doppio secret exec huggingface/token wandb/api_key -- COMMAND`",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!([doppio.reveal("huggingface/token"), doppio.reveal("wandb/api_key")], [TOKEN, wandb]);
}

// case J8
#[test]
fn a_kind_of_token_is_not_taken_for_a_name() {
    let doppio = Doppio::with_vault().env("DOPPIO_KEYRING", "off");
    let ran = doppio.run(["secret", "incident", "huggingface-token"]).expect(2);
    assert!(ran.stderr.contains("the secret is called `huggingface/token`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`doppio secret scan --adopt .`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("secret set huggingface-token"), "{}", ran.stderr);
}
