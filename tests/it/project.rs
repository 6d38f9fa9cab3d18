//! The files of a project above the recipe.

use std::fs;

use doppio_test_support::Doppio;
use doppio_test_support::Repository;

// case J6
#[test]
fn settings_and_dotenv_of_the_repository_hold_for_its_recipes() {
    let doppio = Doppio::with_vault();
    let work = doppio.folder().join("project");
    let recipe = "[recipe]\nname = \"test\"\n[[step]]\nid = \"a\"\nlocal_command = { command = \"test \\\"$A $B\\\" = 'hunter2 one hunter2 two'\", env = { A = \"${secret:team/key}\", B = \"${secret:env/OTHER_KEY}\" } }\n";
    doppio.file("recipes/recipe.toml", recipe);
    doppio.file(
        "doppio.toml",
        "dotenv = true\n[profile.production.secrets]\n\"team/key\" = \"env:PRODUCTION\"\n",
    );
    doppio.private("project/.env", "OTHER_KEY='hunter2 two'\n");
    let doppio = doppio.env("PRODUCTION", "hunter2 one");
    let run = ["run", "recipes/recipe.toml", "--profile", "production"];
    // Without a repository nothing says how far the project goes.
    let ran = doppio.run(run).expect(2);
    assert!(ran.stderr.contains("no profile is called `production`"), "{}", ran.stderr);
    Repository::init(&work);
    fs::write(work.join(".gitignore"), ".env\n").unwrap();
    doppio.run(run).expect(0);
    let mut command = doppio.command(["secret", "why", "env/OTHER_KEY"]);
    let shown = command.current_dir(work.join("recipes")).output().unwrap();
    assert!(
        String::from_utf8_lossy(&shown.stdout).contains("/project/.env`: `OTHER_KEY` -> used"),
        "{shown:?}"
    );
}

#[test]
fn a_planted_link_is_not_written_through() {
    let doppio = Doppio::new();
    doppio.file("mine", "echo mine\n");
    let ignore = doppio.folder().join("project/.gitignore");
    std::os::unix::fs::symlink("mine", &ignore).unwrap();
    let ran = doppio.run(["secret", "init"]).expect(3);
    assert!(ran.stderr.contains("is not a regular file"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(doppio.folder().join("project/mine")).unwrap(), "echo mine\n");
}

#[test]
fn a_link_that_leads_out_of_the_project_is_not_read() {
    let doppio = Doppio::new();
    let kept = doppio.private("kept", "db.example:5432:prod:app:hunter2-kept\n");
    std::os::unix::fs::symlink(kept, doppio.folder().join("project/doppio.toml")).unwrap();
    let ran = doppio.run(["secret", "list"]).expect(3);
    assert!(ran.stderr.contains("leads out of its folder"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}
