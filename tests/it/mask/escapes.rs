//! Values of which some characters are escaped, and values that look like escapes.

use data_encoding::HEXLOWER;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use doppio_test_support::in_pieces;
use doppio_test_support::mask_of;
use doppio_test_support::pieces;
use doppio_test_support::residue;
use doppio_test_support::shown;
use doppio_test_support::whole;

/// How one character of a value is written.
#[derive(Debug, Clone, Copy)]
enum Habit {
    Plain,
    Percent,
    Lower,
    Twice,
    Backslash,
    Unicode,
    Hex,
}

fn written(char: char, habit: Habit) -> String {
    let bytes = char.to_string().into_bytes();
    let percent = |lower: bool| {
        let one = |byte: &u8| if lower { format!("%{byte:02x}") } else { format!("%{byte:02X}") };
        bytes.iter().map(one).collect::<String>()
    };
    match habit {
        Habit::Percent => percent(false),
        Habit::Lower => percent(true),
        Habit::Twice => percent(false).replace('%', "%25"),
        Habit::Backslash if char.is_ascii_punctuation() => format!("\\{char}"),
        Habit::Unicode => format!("\\u{:04X}", u32::from(char)),
        Habit::Hex => bytes.iter().flat_map(|byte| ["\\x".to_owned(), HEXLOWER.encode(&[*byte])]).collect(),
        Habit::Plain | Habit::Backslash => char.to_string(),
    }
}

fn habits() -> impl Strategy<Value = Habit> {
    select(vec![
        Habit::Plain,
        Habit::Plain,
        Habit::Percent,
        Habit::Lower,
        Habit::Twice,
        Habit::Backslash,
        Habit::Unicode,
        Habit::Hex,
    ])
}

// case B5
#[test]
fn an_encoder_may_encode_what_it_likes() {
    let mask = mask_of(&[b"p@ss w:rd/+1=#\xc3\xa9!"]);
    for text in [
        // Go's url.UserPassword, SQLAlchemy, encodeURIComponent, a form.
        "p%40ss%20w:rd%2F+1=%23%C3%A9%21",
        "p%40ss w%3Ard%2F+1=#é!",
        "p%40ss%20w%3Ard%2F%2B1%3D%23%C3%A9!",
        "p%40ss+w%3ard%2f%2b1%3d%23%c3%a9!",
        "%70%40%73%73%20%77%3A%72%64%2F%2B%31%3D%23%C3%A9%21",
        "p%2540ss%2520w%253Ard%252F%252B1%253D%2523%25C3%25A9%2521",
        // java.util.Properties.
        r"p@ss\ w\:rd/+1\=\#\u00E9\!",
        r"p\u0040ss\u0020w\u003ard\u002f\u002b1\u003d\u0023\u00e9\u0021",
    ] {
        let out = whole(&mask, format!("<{text}>\n").as_bytes());
        assert_eq!(String::from_utf8(out).unwrap(), "<***>\n", "{text}");
        let bytes = format!("<{text}>\n");
        assert_eq!(pieces(&mask, bytes.as_bytes().chunks(1)), whole(&mask, bytes.as_bytes()), "{text}");
    }
    let ordinary = "100% of 45%|\u{2588}| C:\\new\\train %d%%\n \\ %4 %41 \\u12 end";
    assert_eq!(mask.text(ordinary).as_str(), ordinary);
}

proptest! {
    // case B5
    #[test]
    fn any_characters_may_be_escaped_in_any_way(
        value in "[a-zA-Z0-9@:/+=#!é]{8,24}",
        ways in vec(habits(), 24),
        wraps in vec(0usize..9, 24),
        cuts in vec(1usize..30, 1..8),
    ) {
        prop_assume!(value.chars().filter(char::is_ascii_alphanumeric).count() >= 4);
        let mask = mask_of(&[value.as_bytes()]);
        let mut text = String::from("<");
        for ((at, char), (way, wrap)) in value.chars().enumerate().zip(ways.iter().zip(&wraps)) {
            text.push_str(&written(char, *way));
            match wrap {
                1 if at > 8 => text.push('\n'),
                2 => text.push_str("\x1b[31m"),
                _ => {}
            }
        }
        text.push_str(">\n");
        let expected = whole(&mask, text.as_bytes());
        let left = residue(&expected);
        // The backslash of the first character is not a part of it.
        prop_assert!(matches!(&left[..], b"<>" | b"<\\>"), "{:?} became {}", text, shown(&expected));
        prop_assert_eq!(shown(&in_pieces(&mask, text.as_bytes(), &cuts)), shown(&expected));
        prop_assert_eq!(shown(&pieces(&mask, text.as_bytes().chunks(1))), shown(&expected));
    }

    #[test]
    fn values_that_look_like_escapes_are_found_behind_the_start_of_one(
        start in "[%\\\\0-9a-fA-Funxrt]{0,7}",
        end in "[%\\\\0-9a-fA-Funxrt]{0,7}",
        before in select(vec!["", "%", "%2", "%25", "%4", "\\", "\\\\", "\\n", "100%", "a\\"]),
        after in select(vec!["", "4", "41", "%41", "\\", "n", "\n"]),
        colour in 1usize..10,
        cuts in vec(1usize..9, 1..8),
    ) {
        let value = format!("{start}ghijklmnopq{end}");
        let mask = mask_of(&[value.as_bytes()]);
        let plain = format!("{before}{value}{after}");
        prop_assert!(!mask.text(&plain).as_str().contains(&value));
        // Coloured inside, as `grep` does.
        let text = format!("{before}{}\x1b[31m{}{after}", &value[..colour], &value[colour..]);
        let expected = whole(&mask, text.as_bytes());
        prop_assert!(!residue(&expected).windows(value.len()).any(|at| at == value.as_bytes()), "{}", shown(&expected));
        prop_assert_eq!(shown(&in_pieces(&mask, text.as_bytes(), &cuts)), shown(&expected));
    }
}
