//! Rewritten shell text: only values are replaced, whatever the text. What shells make of it is in
//! `tests/servers`.

use std::time::Duration;
use std::time::Instant;

use proptest::prelude::*;

use doppio_text::shell::Piece;
use doppio_text::shell::rewrite;

/// Arbitrary text, with a bias to what means something to a shell.
fn shell_like() -> impl Strategy<Value = Vec<Piece>> {
    let token = prop_oneof![
        "[ -~\n]{0,4}".prop_map(Piece::Text),
        any::<String>().prop_map(|text| Piece::Text(text.replace('\0', ""))),
        prop::sample::select(vec![
            "'",
            "\"",
            "`",
            "\\",
            "$",
            "$(",
            "$((",
            "))",
            ")",
            "(",
            "${",
            "${x:-",
            "}",
            "<<E\n",
            "<<'E'\n",
            "\nE\n",
            "<(",
            "#",
            "$'",
            "case ",
            " in ",
            ";;",
            "esac",
            "[[ ",
            " ]]",
            " -eq ",
            "a[",
            "]",
            "\\\n",
            "let ",
            "x=(",
            ";",
            "|",
            "<<<",
            "${x/",
            "/",
            "$[",
            "for ",
            "do ",
            "!(",
            "@(",
            "function ",
        ])
        .prop_map(|text| Piece::Text(text.to_owned())),
        Just(Piece::Value("V".parse().expect("it is a variable name"))),
    ];
    prop::collection::vec(token, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn only_values_are_replaced(pieces in shell_like()) {
        match rewrite(&pieces) {
            Ok(written) => prop_assert!(is_written(&written, &pieces), "{written}"),
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                prop_assert!(errors.iter().all(|error| error.piece < pieces.len()));
            }
        }
    }
}

/// Whether the text is that of the pieces, with one of the forms for each value.
fn is_written(mut written: &str, pieces: &[Piece]) -> bool {
    let forms = ["'\"${V}\"$'", "'\"${V}\"'", "\"${V}\"", "${V}", ""];
    for piece in pieces {
        let rest = match piece {
            Piece::Text(text) => written.strip_prefix(text.as_str()),
            Piece::Value(_) => forms.iter().find_map(|form| written.strip_prefix(form)),
        };
        let Some(rest) = rest else { return false };
        written = rest;
    }
    written.is_empty()
}

#[test]
fn text_without_values_is_left_alone() {
    for text in ["", "echo 'a", "$((", "cat <<E", "echo ${x", "a)", "\u{1f980}\n# ´`"] {
        assert_eq!(rewrite(&[Piece::Text(text.to_owned())]).as_deref(), Ok(text));
    }
}

#[test]
fn long_and_deep_texts_get_an_answer() {
    let units = [
        "x ",
        "'",
        "\"",
        "`",
        "$(",
        "((",
        "$((",
        "${x:-",
        "${",
        "(",
        "<(",
        "\\",
        "\\`",
        "a[",
        "x=(",
        "case a in a) ",
        "cat <<E\n",
        "cat <<E\nE\n",
        "\"$(",
        "\"${x:-",
        "[[ ",
        "# ",
        "$'",
        "esac ",
        "@(",
        "\"`",
        "$[",
        "cat <<E\n$(",
        "é",
        "<<E ",
        "a\\\n",
        "if ",
        "x=1 ",
    ];
    let value = Piece::Value("V".parse().expect("it is a variable name"));
    for unit in units {
        let long = Piece::Text(unit.repeat((1 << 20) / unit.len()));
        let started = Instant::now();
        let answer = rewrite(&[value.clone(), long.clone(), value.clone()]);
        assert!(started.elapsed() < Duration::from_mins(1), "{unit:?}");
        assert!(answer.is_ok_and(|text| text.len() >= 1 << 20) || rewrite(&[long]).is_ok());
    }
    let many: Vec<_> = (0..100_000).flat_map(|_| [Piece::Text(" a=".to_owned()), value.clone()]).collect();
    assert!(rewrite(&many).is_ok());
}
