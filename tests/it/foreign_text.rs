//! Text that others wrote, at every exit: it can't command the terminal, hide or turn around.

use doppio_test_support::Doppio;

const NAME: &str = "ev\u{1b}[31mil\u{1b}]52;c;cm0gLXJm\u{7}\u{202e}fdp.exe";

/// What nothing that is shown may hold: ESC, other controls, marks of direction, tags.
#[track_caller]
fn assert_fit(what: &str, text: &str) {
    let fit = |c: char| {
        let is_hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        c == '\n' || !(c.is_control() || is_hidden)
    };
    assert!(text.chars().all(fit), "{what}: {text:?}");
}

fn recipe(doppio: &Doppio) -> std::path::PathBuf {
    let path = doppio.folder().join("project/recipe.toml");
    let name = serde_json::to_string(NAME).unwrap().replace("\\u007f", "\u{7f}");
    let text = format!(
        "[recipe]\nname = {name}\n\n[[step]]\nid = \"show\"\nname = {name}\nmatrix = {{ file = [\"a\u{202e}b\", \"c\u{200b}d\"] }}\n\
         local_command = {{ command = '''printf 'x\\033[2J\\302\\2331my\\342\\200\\256z\\n'; echo ${{matrix.file}}; exit 3''' }}\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// case A8
#[test]
fn no_exit_lets_foreign_text_command_a_terminal() {
    let doppio = Doppio::new();
    recipe(&doppio);
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert_fit("run", &ran.stderr);
    assert!(ran.stderr.contains("| xyz\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("evilfdp.exe"), "{}", ran.stderr);
    for arguments in [
        &["plan", "recipe.toml"][..],
        &["check", "recipe.toml"],
        &["runs", "list"],
        &["runs", "show"],
        &["runs", "logs"],
        &["run", "re\u{1b}[31mcipe\u{202e}.toml"],
        &["check", "no\u{1b}]52;c;cm0gLXJm\u{7}.toml"],
        &["run", "recipe.toml", "--var", "a\u{202e}b=1"],
        &["secret", "why", "a\u{202e}b/c"],
        &["secret", "get", "no/\u{9b}31mne"],
        &["host", "forget", "gpu\u{202e}box"],
        &["secret", "scan", "no\u{1b}[31mne"],
        &["no\u{1b}]52;c;cm0gLXJm\u{7}"],
        &["run", "--no\u{1b}[31mne\u{202e}"],
        &["run", "recipe.toml", "--jobs", "\u{9b}31mone"],
        &["doctor", "--output", "no\u{1b}[31mne"],
        &["doctor", "--host", "no\u{1b}[31mne"],
        &["run", "recipe.toml", "--host", "gpu\u{202e}box\u{1b}]0;x\u{7}"],
    ] {
        let ran = doppio.run(arguments);
        assert_fit(&format!("{arguments:?}"), &ran.stdout);
        assert_fit(&format!("{arguments:?}"), &ran.stderr);
    }
}

/// case A8: diagnostics show what stands in the file, by name.
#[test]
fn a_drawn_line_shows_what_is_not_seen() {
    let doppio = Doppio::new();
    let text = "[recipe]\nname = \"test\"\n[[step]]\nid = \"a\"\nlocal_command = { command = \"true\" }\ndepends_on = [\"b\u{202e}c\u{e0041}\u{9b}31m\"]\n";
    std::fs::write(doppio.folder().join("project/recipe.toml"), text).unwrap();
    let ran = doppio.run(["check", "recipe.toml"]).expect(2);
    assert_fit("check", &ran.stderr);
    assert!(ran.stderr.contains("b\\u{202e}c\\u{e0041}\\u{9b}31m"), "{}", ran.stderr);
}

/// case A8: programs get every byte.
#[test]
fn json_is_exact() {
    let doppio = Doppio::new();
    recipe(&doppio);
    let ran = doppio.run(["run", "recipe.toml", "--output", "json"]).expect(1);
    let events: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(events[0]["recipe"], NAME);
    let printed: String = events
        .iter()
        .filter(|event| event["event"] == "step_output")
        .filter_map(|event| event["text"].as_str())
        .collect();
    assert!(printed.contains("x\u{1b}[2J\u{9b}1my\u{202e}z\n"), "{printed:?}");
    assert!(printed.contains("a\u{202e}b\n"), "{printed:?}");
    let plan = doppio.run(["plan", "recipe.toml", "--output", "json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).expect("JSON");
    assert_eq!(plan["recipe"], NAME);
    let list = doppio.run(["runs", "list", "--output", "json"]).expect(0);
    let list: serde_json::Value = serde_json::from_str(list.stdout.lines().next().unwrap()).expect("JSON");
    assert_eq!(list["recipe"], NAME);
}

// case B3
#[test]
fn a_token_cut_by_what_the_screen_drops_is_not_shown() {
    let doppio = Doppio::with_vault();
    let token = "hf_QxZtNbVkLmPwRsTuYaGdHjKcEfXoI";
    doppio.store("hf/token", token);
    let script = r#"
a=${T%?????????????????}; b=${T#???????????????}
printf '%s\302\205%s\n' "$a" "$b"
printf '%s\302\2331m%s\n' "$a" "$b"
printf '%s\033[%0100dm%s\n' "$a" 0 "$b"
printf '%s\033]0;%03000d\007%s\n' "$a" 0 "$b"
printf '%s\342\200\256%s\n' "$a" "$b"
printf '%sx\010%s\n' "$a" "$b"
printf '%s\303\251\010%s\n' "$a" "$b"
printf '%s\000\000%s\n' "$a" "$b"
"#;
    let recipe = format!(
        "[recipe]\nname = \"test\"\n[[step]]\nid = \"cut\"\nlocal_command = {{ command = '''{script}''', env = {{ T = \"${{secret:hf/token}}\" }} }}\n"
    );
    std::fs::write(doppio.folder().join("project/recipe.toml"), recipe).unwrap();
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(!ran.stderr.contains(token), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("| ***").count(), 8, "{}", ran.stderr);
    let logs = doppio.run(["runs", "logs", "--step", "cut"]).expect(0).stdout;
    assert!(!logs.contains(&token[15..]) && !logs.contains(&token[..15]), "{logs:?}");
}
