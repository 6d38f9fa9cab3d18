//! What is masked is what will be shown: the mask and the screen look through one parser.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use doppio_test_support::mask_of;
use doppio_text::Printed;

/// What a screen may drop between two letters, and some that it shows.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let whole = select(vec![
        "\x1b[0m",
        "\x1b[31;1m",
        "\x1b[?25l",
        "\x1b[!p",
        "\x1b[4:3m",
        "\x1b[",
        "\x1b[12",
        "\x1b(B",
        "\x1b#8",
        "\x1b7",
        "\x1b",
        "\x1b\x1b[m",
        "\x1b]0;title\x07",
        "\x1b]8;;https://x\x1b\\",
        "\x1b]",
        "\x1b]0;never ended",
        "\x1bPq#0\x07-\x1b\\",
        "\x1bX\x1b\\",
        "\x1b^m\u{9c}",
        "\x1b_Gx\x1b\\",
        "\x07",
        "\x1b\\",
        "\u{9c}",
        "\x18",
        "\x1a",
        "\u{85}",
        "\u{9b}1m",
        "\u{9d}0;t\u{9c}",
        "\u{90}q\u{9c}",
        "\u{9b}",
        "\u{ad}",
        "\u{200b}",
        "\u{202e}",
        "\u{2066}",
        "\u{feff}",
        "\u{fe0f}",
        "\u{e0041}",
        "\u{34f}",
        "\u{3164}",
        "\0",
        "\x7f",
        "\x05",
        "x\x08",
        "\u{e9}\x08",
        "\u{20ac}\x08",
        "\x08",
        "\x1b\u{e9}",
        "\x1b[\u{e9}",
        "\x1b[3\x001m",
        "\x1b[\r1m",
        "\u{e9}",
        " ",
        "\t",
        "\r",
    ]);
    let long = (
        select(vec![
            ("\x1b[", "1;", "m"),
            ("\x1b]0;", "x", "\x07"),
            ("\x1bP", "\u{e9}", "\x1b\\"),
            ("", "\0", ""),
        ]),
        1usize..3_000,
    )
        .prop_map(|((head, one, tail), times)| format!("{head}{}{tail}", one.repeat(times)));
    let bytes = vec(
        select(b"\x1b\x1b\x9b\x9c\x9d\xc2\xc2\xe2\x80\x8b\xae\xf3\xa0\x81\xef\xb8\x8f[]P\\;m1x\x07\x08\r\x18\xc3\xa9\xff".to_vec()),
        0..6,
    );
    prop_oneof![
        30 => whole.prop_map(|text| text.as_bytes().to_vec()),
        1 => long.prop_map(String::into_bytes),
        15 => bytes,
    ]
}

/// The lines that a screen shows of output that comes in pieces.
fn lines(pieces: impl Iterator<Item = String>) -> Vec<String> {
    let mut printed = Printed::default();
    let mut lines = Vec::new();
    for piece in pieces {
        printed.push(&piece, |line| lines.push(line.to_owned()));
    }
    lines.extend(printed.finish());
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    // case B3
    #[test]
    fn a_token_that_the_screen_would_show_is_masked(
        token in "[A-Za-z0-9]{12,24}",
        gaps in vec(vec(junk(), 0..3), 24),
        every in 1usize..8,
        start in junk(),
        cuts in vec(1usize..200, 1..20),
    ) {
        let mut printed = start;
        for (at, letter) in token.bytes().enumerate() {
            if at % every == 0 {
                printed.extend(gaps[at].concat());
            }
            printed.push(letter);
        }
        printed.extend(b" after\n");
        let mask = mask_of(&[token.as_bytes()]);
        let mut stream = mask.stream();
        let mut masked = Vec::new();
        let mut rest = printed.as_slice();
        for cut in cuts.iter().cycle() {
            let (piece, more) = rest.split_at(rest.len().min(*cut));
            masked.push(stream.push(piece).to_string());
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        masked.push(stream.finish().to_string());
        let shown = lines(masked.into_iter());
        prop_assert!(!shown.iter().any(|line| line.contains(&token)), "{:?}", shown);
    }
}

// case B3
#[test]
fn what_the_screen_drops_hides_nothing_from_the_mask() {
    const TOKEN: &str = "hf_QxZtNbVkLmPwRsTuYaGdHjKcEfXoI";
    let mask = mask_of(&[TOKEN.as_bytes()]);
    let (head, tail) = TOKEN.split_at(14);
    let long = [
        format!("\x1b[{}m", "0;".repeat(200_000)),
        format!("\x1b]0;{}\x07", "x".repeat(600_000)),
        "\x1b[m".repeat(200_000),
        "\0".repeat(900_000),
        "\u{200b}".repeat(300_000),
        "\0".repeat(1_200_000),
        format!("\x1b]0;{}\x07", "x".repeat(1_200_000)),
        "x\x08".repeat(900),
        "x\x08".repeat(20_000),
    ];
    for junk in long {
        let printed = format!("{head}{junk}{tail}\n");
        let bare = lines(std::iter::once(printed.clone()));
        let mut stream = mask.stream();
        let pieces: Vec<&[u8]> = printed.as_bytes().chunks(32 * 1024).collect();
        let mut masked: Vec<String> =
            pieces.into_iter().map(|piece| stream.push(piece).to_string()).collect();
        masked.push(stream.finish().to_string());
        let shown = lines(masked.into_iter());
        let what = junk.chars().take(9).collect::<String>();
        assert!(!shown.iter().any(|line| line.contains(TOKEN)), "{what:?} {}", junk.len());
        let is_short = junk.len() < 1 << 20 && junk.len() != 40_000 && !junk.starts_with("x\x08x\x08x")
            || junk.len() == 1800;
        assert_eq!(bare.iter().any(|line| line == TOKEN), is_short, "{what:?} {}", junk.len());
    }
}

#[test]
fn a_case_that_once_failed() {
    let printed = b"\x1b[0mJaa0aaA\x1bA0A0o\xc2\x9ca after\n".to_vec();
    for token in ["Jaa0aaAA0A0oa", "Jaa0aaA0A0oa"] {
        let mask = mask_of(&[token.as_bytes()]);
        let mut stream = mask.stream();
        let mut masked: Vec<String> = printed.chunks(1).map(|piece| stream.push(piece).to_string()).collect();
        masked.push(stream.finish().to_string());
        let shown = lines(masked.into_iter());
        assert!(!shown.iter().any(|line| line.contains(token)), "{shown:?}");
    }
}
