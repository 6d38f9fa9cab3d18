//! Secrets with what terminals do in between, and cut anywhere.

use data_encoding::BASE64;

use doppio_test_support::mask_of;
use doppio_test_support::pieces;
use doppio_test_support::residue;
use doppio_test_support::shown;
use doppio_test_support::whole;

use crate::mask::AWS;
use crate::mask::HF;

#[test]
fn colours_survive_at_every_offset() {
    let mask = mask_of(&[AWS.as_bytes(), HF.as_bytes()]);
    for secret in [AWS, HF] {
        for at in 0..=secret.len() {
            let text = format!("key={}\x1b[31m{}\x1b[0m.", &secret[..at], &secret[at..]);
            let out = whole(&mask, text.as_bytes());
            let text = String::from_utf8(out).unwrap();
            let expected = match at {
                0 => "key=\x1b[31m***\x1b[0m.",
                _ if at == secret.len() => "key=***\x1b[31m\x1b[0m.",
                _ => "key=***\x1b[31m\x1b[0m.",
            };
            assert_eq!(text, expected, "at {at}");
        }
    }
}

#[test]
fn other_things_that_terminals_do() {
    let mask = mask_of(&[HF.as_bytes()]);
    let (head, tail) = HF.split_at(12);
    let cases = [
        format!("{head}\r\n{tail}"),
        format!("{head} \r{tail}"),
        format!("{head}\x1b]0;a title\x07{tail}"),
        format!("{head}\x1b]8;;http://x\x1b\\{tail}"),
        format!("{head}\x1bP1$r\x1b\\{tail}"),
        format!("{head}\x1b[K\x1b[1;1H{tail}"),
        format!("{head}x\x08{tail}"),
        format!("{head}\u{200b}{tail}"),
        format!("{head}\u{feff}{tail}"),
        format!("{head}\u{ad}{tail}"),
        format!("{head}\u{202e}{tail}"),
        format!("{head}\u{e0041}{tail}"),
        format!("{head}\u{85}{tail}"),
        format!("{head}\u{9b}1m{tail}"),
        format!("{head}\u{9d}0;a title\u{9c}{tail}"),
        format!("{head}\x1b[{}m{tail}", "0;".repeat(50)),
        format!("{head}\x1b]0;{}\x07{tail}", "title".repeat(3000)),
        format!("{head}\x1bPq#0\x07#1\x1b\\{tail}"),
        format!("{head}\x1b[3\x0b1m{tail}"),
        format!("{head}{}{tail}", "\0".repeat(10_000)),
        format!("{head}\u{e9}\x08{tail}"),
        HF.chars().flat_map(|char| [char.to_string(), "\x1b[0m".to_owned()]).collect::<String>(),
    ];
    for case in cases {
        let out = whole(&mask, case.as_bytes());
        let text = String::from_utf8_lossy(&out);
        assert!(text.starts_with("***"), "{} became {}", shown(case.as_bytes()), shown(&out));
        assert!(!HF.as_bytes().windows(4).any(|part| out.windows(4).any(|window| window == part)), "{text}");
        assert_eq!(pieces(&mask, case.as_bytes().chunks(1)), out);
    }
    // Bold by overstriking: what was struck over before four characters were known is still seen.
    let bold = HF.chars().flat_map(|char| [char, '\x08', char]).collect::<String>();
    let out = whole(&mask, bold.as_bytes());
    assert!(residue(&out).len() < 14, "{}", shown(&out));
}

#[test]
fn any_split_gives_the_same() {
    let secrets: [&[u8]; 5] =
        [AWS.as_bytes(), HF.as_bytes(), b"hunter2", b"hf_QxZtNbVk", b"first line of it\nsecond line of it"];
    let mask = mask_of(&secrets);
    let url: String = AWS.replace('/', "%2F");
    let text = format!(
        "a {AWS} hf_QxZtNbVkLmPw {HF}{HF} hunter2 hunter22 {} \x1b[31m{}\x1b[0m{} {url}\n{}\n{}\n\
         first line of it\r\nsecond line of it\r\n S\u{20ac}\u{200b}{} wJalrXUtnFEMI/K7",
        BASE64.encode(format!("u:{HF}").as_bytes()),
        &HF[..9],
        &HF[9..],
        &AWS[..20],
        &AWS[20..],
        HF.split_inclusive('P').collect::<Vec<_>>().join("\u{200b}"),
    );
    let text = text.as_bytes();
    let expected = whole(&mask, text);
    let hidden = String::from_utf8_lossy(&expected).matches("***").count();
    assert_eq!(hidden, 10, "{}", shown(&expected));
    for at in 0..=text.len() {
        let (first, second) = text.split_at(at);
        assert_eq!(shown(&pieces(&mask, [first, second])), shown(&expected), "split at {at}");
    }
    assert_eq!(pieces(&mask, text.chunks(1)), expected);
    assert_eq!(pieces(&mask, text.chunks(3)), expected);
    let long = text.repeat(400);
    let expected = whole(&mask, &long);
    assert_eq!(pieces(&mask, long.chunks(64 * 1024)), expected);
    assert_eq!(pieces(&mask, long.chunks(1)), expected);
}
