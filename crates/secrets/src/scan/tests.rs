use std::io::Read;

use super::*;
use crate::SecretValue;

/// The value that is planted; of letters, digits and what escapes change.
const VALUE: &str = "kQ7/zVb+Xm\"W n$RtY'pL&sD%f9GhJ\\cK=x2";
const TOKEN: &str = "kQzVbXmWnRtYpLsDfGhJcKxZaQwErTyUiO";

fn scanner(values: &[(&str, &str)]) -> Scanner {
    let values: Vec<(String, SecretValue)> = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), SecretValue::new(value.as_bytes().to_vec())))
        .collect();
    Scanner::new(&values, true).0
}

fn places(scanner: &Scanner, text: &[u8]) -> Vec<(u64, u64, String)> {
    let named = |hit: &Hit| {
        let form = match hit.what {
            What::Value(_, encoding) => encoding.word(),
            What::Shape(_) => "shape",
        };
        (hit.line, hit.column, format!("{} {form}", scanner.name(hit.what)))
    };
    scanner.search(text).iter().map(named).collect()
}

fn encodings(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    use data_encoding::BASE64;
    use data_encoding::BASE64_MIME;
    use data_encoding::BASE64URL_NOPAD;
    use data_encoding::HEXLOWER;
    use data_encoding::HEXUPPER;
    let text = String::from_utf8_lossy(value).into_owned();
    let before = |before: &[u8]| [before, value, b" and more"].concat();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide_high: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let percent = value.iter().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    vec![
        ("plain", value.to_vec()),
        ("base64", BASE64.encode(value).into_bytes()),
        ("base64", BASE64.encode(&before(b"x")).into_bytes()),
        ("base64", BASE64.encode(&before(b"xy")).into_bytes()),
        ("base64", BASE64URL_NOPAD.encode(&before(b"user:")).into_bytes()),
        ("base64", BASE64_MIME.encode(&before(b"a text of thirty bytes before: ")).into_bytes()),
        ("base64", BASE64.encode(BASE64.encode(value).as_bytes()).into_bytes()),
        ("hex", HEXLOWER.encode(value).into_bytes()),
        ("hex", HEXUPPER.encode(value).into_bytes()),
        ("hex", percent.into_bytes()),
        ("quoted", serde_json::to_vec(&text).unwrap()),
        ("plain", wide),
        ("plain", wide_high),
    ]
}

#[test]
fn every_encoding_is_found_at_every_offset() {
    let scanner = scanner(&[("team/token", VALUE), ("other/one", "something-else-altogether")]);
    for (form, bytes) in encodings(VALUE.as_bytes()) {
        for before in (0..40).chain([63, 64, 65, 127, 1000]) {
            let text = [&b"#".repeat(before)[..], b"\n<", &bytes, b">\n"].concat();
            let found = places(&scanner, &text);
            assert_eq!(found.len(), 1, "{form} {before}: {found:?} in {}", text.escape_ascii());
            assert_eq!(found[0].0, 2, "{form} {before}");
            assert!(found[0].2.starts_with("team/token "), "{form} {before}: {found:?}");
            if before == 0 && form != "quoted" {
                assert_eq!(found[0].2, format!("team/token {form}"), "{}", text.escape_ascii());
            }
        }
    }
}

#[test]
fn windows_have_no_border() {
    let scanner = scanner(&[("team/token", VALUE)]);
    let size = Examiner::with_window(&scanner, 0).size;
    for form in [
        VALUE.as_bytes().to_vec(),
        data_encoding::BASE64_MIME.encode(&VALUE.repeat(9).into_bytes()).into_bytes(),
    ] {
        let from = size - scanner.needles.reach().max(shapes::REACH) - BEFORE_BORDER;
        for at in (from..size + BEFORE_BORDER).step_by(97).chain(size - 60..size + 10) {
            let mut text = b"0123456789abcde\n".repeat(at / 16);
            text.resize(at, b'.');
            text.extend_from_slice(&form);
            text.extend_from_slice(&b"\nthe end".repeat(4000));
            let mut examiner = Examiner::with_window(&scanner, 0);
            let (hits, bytes) = examiner.stream(&mut text.as_slice()).unwrap();
            assert_eq!(bytes, text.len() as u64);
            assert_eq!(hits.len(), 1, "at {at} of windows of {size}");
            assert_eq!(hits[0].line, (at / 16) as u64 + 1, "{at}");
            assert_eq!(hits[0].offset, at as u64, "{at}");
        }
    }
}

/// How far around a border is tried. In bytes.
const BEFORE_BORDER: usize = 3000;

/// Gives a byte at a time, as a slow pipe does.
struct Drops<'a>(&'a [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
        into[0] = *first;
        self.0 = rest;
        Ok(1)
    }
}

#[test]
fn a_slow_stream_is_read_to_its_end() {
    let scanner = scanner(&[("team/token", VALUE)]);
    let text = format!("a\r\nb {VALUE}\r\n");
    let (hits, bytes) = Examiner::new(&scanner).stream(&mut Drops(text.as_bytes())).unwrap();
    assert_eq!((hits.len(), bytes, hits[0].line, hits[0].column), (1, text.len() as u64, 2, 3));
}

#[test]
fn what_is_broken_up_is_found() {
    let scanner = scanner(&[("team/token", TOKEN)]);
    let (one, two) = TOKEN.split_at(17);
    let notebook = format!("[\"{one}\\n\",\n \"x\"]\n{{\"t\": \"{one}\\n{two}\"}}");
    for (text, line, column) in [
        (format!("a\n  {one}\n  {two}\n"), 2, 3),
        (format!("\x1b[1m{one}\x1b[0m{two}"), 1, 5),
        (format!("x = \"{one}\\\n    {two}\""), 1, 6),
        (format!("C:\\new\\{TOKEN}"), 1, 8),
        (notebook, 3, 8),
    ] {
        let found = places(&scanner, text.as_bytes());
        assert_eq!(found, [(line, column, "team/token plain".to_owned())], "{text}");
    }
    let letters = ["name", "rest", "text"].map(|word| format!("{word}8Fk3Lq0Zx7Vb2Nm5"));
    for value in &letters {
        let scanner = self::scanner(&[("n", value)]);
        assert_eq!(places(&scanner, format!("dir\\{value}").as_bytes()).len(), 1, "{value}");
    }
}

#[test]
fn a_value_of_many_lines_is_told_once() {
    let body = (0..12).map(|line| format!("{line:02}{TOKEN}{TOKEN}\n")).collect::<Vec<_>>().concat();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n");
    let scanner = scanner(&[("deploy/key", &pem)]);
    let dos = pem.replace('\n', "\r\n");
    let json = serde_json::to_string(&pem).unwrap();
    let indented = pem.replace('\n', "\n    ");
    for text in [&pem, &dos, &json, &indented] {
        let found = places(&scanner, format!("key:\n{text}").as_bytes());
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].2.starts_with("deploy/key"), "{found:?}");
    }
    let one_line = format!("x\n{}", body.lines().nth(4).unwrap());
    assert_eq!(places(&scanner, one_line.as_bytes()), [(2, 1, "deploy/key plain".to_owned())]);
}

#[test]
fn short_values_are_words_and_weak_ones_are_not_looked_for() {
    let values = [
        ("pin", "hu7er"),
        ("word", "localhost"),
        ("number", "12345678"),
        ("kaggle/username", "ada-lovelace"),
        ("eight", "x7Kq9-Lm"),
    ];
    let scanner = scanner(&values);
    assert_eq!(scanner.values(), 2);
    let found = places(&scanner, b"hu7er hu7er2 xhu7er (hu7er) localhost 12345678 ada-lovelace ax7Kq9-Lmb");
    let places: Vec<u64> = found.iter().map(|(_, column, _)| *column).collect();
    assert_eq!(places, [1, 22, 62]);
    let values: Vec<(String, SecretValue)> = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), SecretValue::new(value.as_bytes().to_vec())))
        .collect();
    let skipped: Vec<String> =
        Scanner::new(&values, false).1.into_iter().map(|skipped| skipped.name).collect();
    assert_eq!(skipped, ["word", "number", "kaggle/username"]);
}

#[test]
fn tokens_are_found_where_no_value_is() {
    let scanner = scanner(&[("huggingface/token", &format!("hf_{TOKEN}"))]);
    let other: String = TOKEN.chars().rev().collect();
    let text = format!("a = 'hf_{TOKEN}'\nb = 'hf_{other}'\nc = 'hf_{other}' # doppio:allow\n");
    let found = places(&scanner, text.as_bytes());
    let expected =
        [(1, "huggingface/token plain"), (2, "huggingface-token shape"), (3, "huggingface-token shape")];
    assert_eq!(found, expected.map(|(line, name)| (line, 6, name.to_owned())));
    let hits = scanner.search(text.as_bytes());
    assert!(hits[0].fingerprint.is_none());
    assert_eq!(hits[1].fingerprint, hits[2].fingerprint);
    assert_eq!(hits.iter().map(|hit| hit.is_allowed).collect::<Vec<_>>(), [false, false, true]);
    for mark in WIDE_MARKS {
        let pair = |unit: u16| if mark == 0xfeff { unit.to_le_bytes() } else { unit.to_be_bytes() };
        let wide: Vec<u8> = format!("\u{feff}x\nhf_{other}\n").encode_utf16().flat_map(pair).collect();
        assert_eq!(places(&scanner, &wide), [(2, 2, "huggingface-token shape".to_owned())]);
    }
}

/// The layout of an unencrypted OpenSSH key: its header and its lengths are rows of zeros.
#[test]
fn a_private_key_of_openssh_is_found() {
    let mut number = 7_u32;
    let mut random = |len: usize| -> Vec<u8> {
        let byte = |_| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 24) as u8
        };
        (0..len).map(byte).collect()
    };
    let text = |bytes: &[u8]| [&(u32::try_from(bytes.len()).unwrap()).to_be_bytes(), bytes].concat();
    let public = [text(b"ssh-ed25519"), text(&random(32))].concat();
    let private = [random(8), public.clone(), text(&random(64)), text(b"me@here"), vec![1, 2, 3]].concat();
    let header =
        [&b"openssh-key-v1\0"[..], &text(b"none"), &text(b"none"), &text(b""), &[0, 0, 0, 1]].concat();
    let body = data_encoding::BASE64.encode(&[header, text(&public), text(&private)].concat());
    let lines: Vec<&str> = (0..body.len()).step_by(70).map(|at| &body[at..body.len().min(at + 70)]).collect();
    let marks = ["BEGIN", "END"].map(|mark| format!("-----{mark} OPENSSH PRIVATE KEY-----"));
    let key = format!("{}\n{}\n{}\n", marks[0], lines.join("\n"), marks[1]);
    assert_eq!(places(&scanner(&[]), key.as_bytes()), [(1, 1, "private-key shape".to_owned())]);
}

/// Low byte first and high byte first.
const WIDE_MARKS: [u16; 2] = [0xfeff, 0xfffe];

#[test]
fn a_path_is_shown_without_what_it_holds() {
    let scanner = scanner(&[("team/token", TOKEN)]);
    assert_eq!(scanner.mask(format!("a/{TOKEN}.txt").as_bytes()), b"a/***.txt");
    assert_eq!(scanner.mask(b"a/b.txt"), b"a/b.txt");
}

// case B6
#[test]
fn members_that_are_no_secret_are_not_looked_for() {
    let value = r#"{"username":"postgres","password":"Tr0ub4dor-and-3","engine":"postgres","host":"localhost",
        "dbname":"production","note":"training"}"#;
    let scanner = scanner(&[("team/db", value)]);
    assert_eq!(places(&scanner, b"training on localhost: postgres and production\n"), []);
    assert_eq!(places(&scanner, b"PASSWORD = Tr0ub4dor-and-3\n").len(), 1);
}
