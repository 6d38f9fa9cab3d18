//! The mask against the programs that print secrets: real encoders, terminals, any split.

mod printed;

use std::collections::BTreeMap;

use data_encoding::BASE64;
use data_encoding::BASE64URL;
use data_encoding::HEXLOWER;
use doppio::secret::Mask;
use doppio::secret::MaskStyle;
use doppio::secret::SecretValue;
use doppio::secret::Unmaskable;
use proptest::collection::vec;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;

const AWS: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY";
const HF: &str = "hf_QxZtNbVkLmPwRsTuYaGdHjKcEfXoI";

/// Bytes that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below as u64).expect("it is below a usize")
    }

    fn text(&mut self, alphabet: &[u8], len: usize) -> Vec<u8> {
        (0..len).map(|_| alphabet[self.roll(alphabet.len())]).collect()
    }

    fn token(&mut self, len: usize) -> Vec<u8> {
        self.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", len)
    }
}

fn mask_of(secrets: &[&[u8]]) -> Mask {
    let mask = Mask::default();
    for (index, secret) in secrets.iter().enumerate() {
        mask.teach(&format!("secret/{index}"), &SecretValue::new(secret.to_vec())).expect("it can be masked");
    }
    mask
}

fn whole(mask: &Mask, text: &[u8]) -> Vec<u8> {
    pieces(mask, [text])
}

fn pieces<'a>(mask: &Mask, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut stream = mask.stream();
    let mut out = Vec::new();
    for piece in pieces {
        out.extend(stream.push_bytes(piece));
    }
    out.extend(stream.finish_bytes());
    out
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// What is left to see: no escape sequences that a test puts in, no white space, no masks.
fn residue(bytes: &[u8]) -> Vec<u8> {
    let text =
        String::from_utf8_lossy(bytes).replace("\x1b[31m", "").replace("\x1b[0m", "").replace("***", "");
    text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// Fails if `encoded`, in which a secret stands with at most three bytes before and after, shows
/// more than the text around it.
#[track_caller]
fn assert_hidden(mask: &Mask, encoded: &[u8], around: usize) {
    let out = whole(mask, encoded);
    let left = residue(&out).len();
    assert!(left <= around, "{left} bytes are left of {}: {}", shown(encoded), shown(&out));
    assert!(out.windows(3).any(|window| window == b"***"), "{}", shown(&out));
}

#[test]
fn every_length_and_alignment_in_every_encoding() {
    let mut dice = Dice(1);
    for len in (8..=66).chain([100, 333, 1000, 4096]) {
        let secret = dice.token(len);
        let mask = mask_of(&[&secret]);
        for before in 0..=3 {
            for after in 0..=3 {
                let text = [&b"#;!"[..before], &secret, &b"?@\n"[..after]].concat();
                let around = before + after;
                assert_hidden(&mask, &text, around);
                assert_hidden(&mask, HEXLOWER.encode(&text).as_bytes(), 2 * around);
                assert_hidden(&mask, HEXLOWER.encode(&text).to_uppercase().as_bytes(), 2 * around);
                // Up to three characters on each side belong to the text around as well.
                let once = BASE64.encode(&text);
                assert_hidden(&mask, once.as_bytes(), 16);
                assert_hidden(&mask, BASE64URL.encode(&text).as_bytes(), 16);
                assert_hidden(&mask, BASE64.encode(once.as_bytes()).as_bytes(), 36);
                let json = serde_json::to_string(&String::from_utf8(text).unwrap()).unwrap();
                assert_hidden(&mask, json.as_bytes(), 2 + 2 * around);
            }
        }
    }
}

#[test]
fn base64_is_found_across_the_lines_it_is_wrapped_to() {
    let mut dice = Dice(2);
    for len in [24, 57, 90, 600, 2000] {
        let secret = dice.token(len);
        let mask = mask_of(&[&secret]);
        for width in [20, 64, 76, 80, 120] {
            for end in ["\n", "\r\n", "\n    "] {
                for text in [
                    BASE64.encode(&secret),
                    HEXLOWER.encode(&secret),
                    String::from_utf8(secret.clone()).unwrap(),
                ] {
                    let lines = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap());
                    let wrapped = lines.collect::<Vec<_>>().join(end);
                    assert_hidden(&mask, wrapped.as_bytes(), 7);
                }
            }
        }
    }
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
fn overlapping_and_nested_secrets() {
    let cases: [(&[&str], &str, &str); 8] = [
        (&["abcdefghijkl", "ijklmnopqrst"], "<abcdefghijklmnopqrst>", "<***>"),
        (&["abcdefgh", "abcdefghijklmnop"], "abcdefghijklmnop abcdefghijk", "*** ***ijk"),
        (&["efghijkl", "abcdefghijklmnop"], "abcdefghijklmnop-efghijkl", "***-***"),
        (&["12345678", "abcdefgh"], "12345678abcdefgh", "***"),
        (&["ab***cdefg", "***12345"], "ab***cdefg ***12345 ***", "*** *** ***"),
        (&["a.*[b-d]+$^(x)", "plain-and-long"], "a.*[b-d]+$^(x) aXXb plain-and-long", "*** aXXb ***"),
        (&["aaaaaaaaaaaab"], "aaaaaaaaaaaaaaaaaaaab", "aaaaaaaa***"),
        (&["abcabcabcabc"], "abcabcabcabcabcabc!", "***!"),
    ];
    for (secrets, text, expected) in cases {
        let secrets = secrets.iter().map(|secret| secret.as_bytes()).collect::<Vec<_>>();
        let mask = mask_of(&secrets);
        assert_eq!(mask.text(text).as_str(), expected);
        assert_eq!(shown(&pieces(&mask, text.as_bytes().chunks(1))), expected);
    }
}

#[test]
fn bytes_that_are_no_text() {
    let value = b"\x00\xff\xfebinary\x00key\xc3\x28\x80!!";
    let mask = mask_of(&[value]);
    assert_eq!(whole(&mask, &[b"<", &value[..], b">"].concat()), b"<***>");
    assert_eq!(mask.text(&format!("<{}>", String::from_utf8_lossy(value))).as_str(), "<***>");
    assert_hidden(&mask, &printed::run("od", &["-An", "-v", "-tx1"], value), 3);
    assert_hidden(&mask, &printed::run("cat", &["-v"], value), 0);
    let mut stream = mask.stream();
    let mut text = String::new();
    for byte in "\u{20ac}\u{1f600}".bytes().chain(value.iter().copied()).chain(*b"\xff.") {
        text.push_str(stream.push(&[byte]).as_str());
    }
    text.push_str(stream.finish().as_str());
    assert_eq!(text, "\u{20ac}\u{1f600}***\u{fffd}.");
}

#[test]
fn short_values_are_masked_as_words() {
    let mask = mask_of(&[b"true", b"pa55wd\n"]);
    let text = "true untrue trueish _true (true) x=true, pa55wd pa55wds dHJ1ZQ==";
    assert_eq!(mask.text(text).as_str(), "*** untrue trueish _true (***) x=***, *** pa55wds dHJ1ZQ==");
    assert_eq!(shown(&pieces(&mask, text.as_bytes().chunks(1))), mask.text(text).as_str());
    for value in [b"".as_slice(), b"abc", b"abc\n", b" \n \n \n", b"\n\n\n\n\n"] {
        let refused = Mask::default().teach("a/b", &SecretValue::new(value.to_vec()));
        assert_eq!(refused, Err(Unmaskable::TooShort { name: "a/b".to_owned() }));
    }
    let refused = Mask::default().teach("a/b", &SecretValue::new(vec![b'x'; 300 * 1024]));
    assert_eq!(refused, Err(Unmaskable::TooLong { name: "a/b".to_owned() }));
}

#[test]
fn a_key_file_whole_by_lines_and_indented() {
    let body = BASE64.encode(&Dice(3).token(900));
    let lines = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>();
    let pem = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        lines.join("\n")
    );
    let mask = mask_of(&[pem.as_bytes()]);
    assert_eq!(mask.text(&format!("a\n{pem}b\n")).as_str(), "a\n***\nb\n");
    assert_eq!(mask.text(&format!("a\n{}b\n", pem.replace('\n', "\r\n"))).as_str(), "a\n***\r\nb\n");
    for text in [
        pem.replace('\n', " "),
        pem.replace('\n', ""),
        pem.replace('\n', "\\n"),
        pem.replace('\n', "\n      "),
        serde_json::to_string(&pem).unwrap(),
        BASE64.encode(pem.as_bytes()),
        lines.iter().flat_map(|line| ["debug: ", line, "\n"]).collect(),
        lines.iter().rev().flat_map(|line| [line, "\n"]).collect(),
    ] {
        let out = mask.text(&text);
        for line in &lines {
            let parts = line.as_bytes().windows(12).map(|part| std::str::from_utf8(part).unwrap());
            assert_eq!(parts.filter(|part| out.as_str().contains(part)).count(), 0, "{text}\n became {out}");
        }
    }
    let ordinary = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    assert_eq!(mask.text(ordinary).as_str(), ordinary);
}

#[test]
fn members_and_settings_are_secrets_too() {
    let json = br#"{"type": "service_account", "password": "s3cr3t-Pa55", "url": "pg://u:an0ther-0ne@h/d"}"#;
    let file = b"[default]\naws_secret_access_key = wJalrXUtnFEMIK7MDENG\nregion = us-east-1\n";
    let mask = mask_of(&[json, file]);
    let text = "service_account s3cr3t-Pa55 an0ther-0ne wJalrXUtnFEMIK7MDENG us-east-1 [default]";
    assert_eq!(mask.text(text).as_str(), "service_account *** *** *** us-east-1 [default]");
}

#[test]
fn another_case_is_no_escape() {
    let mask = mask_of(&[AWS.as_bytes(), b"correct horse battery staple"]);
    assert_eq!(mask.text(&AWS.to_uppercase()).as_str(), "***");
    assert_eq!(mask.text(&AWS.to_lowercase()).as_str(), "***");
    assert_eq!(mask.text("CORRECT HORSE BATTERY STAPLE").as_str(), "CORRECT HORSE BATTERY STAPLE");
}

#[test]
fn what_is_taught_while_bytes_are_held_is_hidden() {
    let mask = mask_of(&[b"hf_ABCDEFGHIJKL"]);
    let mut stream = mask.stream();
    assert_eq!(stream.push(b"token: hf_ABCDE").as_str(), "token: ");
    mask.teach("late", &SecretValue::new(b"hf_ABCDEzyxwvu".to_vec())).unwrap();
    assert_eq!(stream.push(b"zyxw").as_str(), "");
    assert_eq!(stream.push(b"vu, ").as_str(), "***, ");
    mask.teach("later", &SecretValue::new(b"completely-different".to_vec())).unwrap();
    assert_eq!(stream.push(b"completely-different.").as_str(), "***.");
    assert_eq!(stream.finish().as_str(), "");
    assert_eq!(stream.hits(), [("late".to_owned(), 1), ("later".to_owned(), 1)]);
    // The first stream of all is open before anything is known.
    let mask = Mask::default();
    let mut stream = mask.stream();
    assert_eq!(stream.push(b"some \x1b[3").as_str(), "some \x1b[3");
    mask.teach("late", &SecretValue::new(HF.as_bytes().to_vec())).unwrap();
    assert_eq!(stream.push(format!("1m{HF}\n").as_bytes()).as_str(), "1m***\n");
}

#[test]
fn names_counts_and_errors() {
    let mask = Mask::new(MaskStyle::Names);
    for (name, value) in [("hf/token", HF), ("aws/key", AWS), ("aws/part", &AWS[..20])] {
        mask.teach(name, &SecretValue::new(value.into())).unwrap();
    }
    let clone = mask.clone();
    let text = format!("{HF} {AWS} {} {HF}\n", BASE64.encode(HF.as_bytes()));
    let mut stream = clone.stream();
    assert_eq!(stream.push(text.as_bytes()).as_str().split(' ').next(), Some("‹hf/token›"));
    stream.finish();
    assert_eq!(stream.hits(), [("hf/token".to_owned(), 3), ("aws/key".to_owned(), 1)]);
    assert_eq!(mask.text(&format!("x{AWS}")).as_str(), "x‹aws/key›");
    assert_eq!(mask.hits(), [("hf/token".to_owned(), 3), ("aws/key".to_owned(), 2)]);
    assert!(mask.finds(HF.to_uppercase().as_bytes()));
    assert!(!mask.finds(b"nothing here"));
    assert_eq!(mask.found(AWS.as_bytes()), [("aws/key".to_owned(), 1)]);
    assert_eq!(mask.hits().len(), 2);
    let error = std::io::Error::other(format!("no such token: {HF}"));
    assert_eq!(mask.error(&error)[0].as_str(), "no such token: ‹hf/token›");
    assert!(!format!("{mask:?}{stream:?}").contains("hf_"));
}

/// A log as a training run prints it: mostly lines, now and then a bar and a path.
fn training_log(bytes: usize) -> Vec<u8> {
    let mut dice = Dice(4);
    let mut log = Vec::with_capacity(bytes + 200);
    let mut step = 0;
    while log.len() < bytes {
        step += 1;
        let (loss, rate) = (dice.roll(9999), dice.roll(999));
        let hash = HEXLOWER.encode(&dice.token(20));
        let line = match dice.roll(8) {
            0 => format!(
                "\r {}%|\u{2588}\u{2588}\u{258f}   | {step}/100000 [00:{rate:03}<1:02:03, 3.{loss}it/s]",
                dice.roll(100)
            ),
            1 => format!(
                "\x1b[32m[2026-11-22 03:{:02}:11] INFO\x1b[0m trainer.py:{rate} saved /ckpt/{hash}\n",
                dice.roll(60)
            ),
            2 => format!(
                "{{\"step\": {step}, \"loss\": 0.{loss}, \"lr\": 1e-{}, \"sha\": \"{hash}\"}}\n",
                dice.roll(9)
            ),
            3 => format!(
                "Downloading model-00{}-of-00029.safetensors: https://host/{}\n",
                dice.roll(29),
                BASE64.encode(&dice.token(33))
            ),
            _ => format!("step {step} | loss 0.{loss} | grad_norm 1.{rate} | lr 3.00e-05 | tok/s 12{rate}\n"),
        };
        log.extend_from_slice(line.as_bytes());
    }
    log
}

#[test]
fn ordinary_logs_pass_unchanged_and_at_once() {
    let mut dice = Dice(5);
    let mut secrets = (0..19).map(|index| dice.token(20 + index * 3)).collect::<Vec<_>>();
    secrets.push([b"hf_".to_vec(), dice.token(34)].concat());
    let secrets = secrets.iter().map(Vec::as_slice).collect::<Vec<_>>();
    let mask = mask_of(&secrets);
    let log = training_log(if cfg!(debug_assertions) { 5 << 20 } else { 100 << 20 });
    let mut stream = mask.stream();
    let mut out = Vec::with_capacity(log.len());
    let (mut held, mut most, mut pushes) = (0, 0, 0);
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        out.extend(stream.push_bytes(line));
        held += usize::from(stream.held() > 0);
        most = most.max(stream.held());
        pushes += 1;
    }
    out.extend(stream.finish_bytes());
    assert!(out == log, "an ordinary log was changed");
    assert!(stream.hits().is_empty());
    // A line that ends as four or more bytes of some form begin is rare.
    assert!(held * 200 < pushes && most <= 10, "{held} of {pushes} lines were held, {most} bytes at most");
    let mut stream = mask.stream();
    let (mut held, mut most) = (0, 0);
    for byte in &log[..200_000] {
        stream.push_bytes(&[*byte]);
        held += stream.held();
        most = most.max(stream.held());
    }
    assert!(most <= 12 && held < 400_000, "held {most} at most, {held} over 200,000 bytes");
}

/// Texts made of secrets, pieces of secrets, control sequences and ordinary text.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => (0..SECRETS.len()).prop_map(|index| SECRETS[index].as_bytes().to_vec()),
        6 => (0..SECRETS.len(), 0..40usize, 0..40usize).prop_map(|(index, from, to)| {
            let secret = SECRETS[index].as_bytes();
            let (from, to) = (from.min(secret.len()), to.min(secret.len()));
            secret[from.min(to)..from.max(to)].to_vec()
        }),
        2 => (0..SECRETS.len(), 0..3usize).prop_map(|(index, pad)| {
            BASE64.encode(&[&b"xyz"[..pad], SECRETS[index].as_bytes()].concat()).into_bytes()
        }),
        1 => (0..SECRETS.len()).prop_map(|index| HEXLOWER.encode(SECRETS[index].as_bytes()).into_bytes()),
        4 => prop_oneof![
            Just("\n"), Just("\r\n"), Just(" "), Just("\x1b[31m"), Just("\x1b["), Just("\x1b]0;t\x07"), Just("\x08"),
            Just("\u{200b}"), Just("\u{20ac}"), Just("\x1b"), Just("a"), Just("hf_"), Just("***"),
        ].prop_map(|text: &str| text.as_bytes().to_vec()),
        1 => vec(proptest::num::u8::ANY, 0..6),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

const SECRETS: [&str; 6] =
    ["hf_ABCDEFGHIJKLMNOP", "hf_ABCDEFGHzzzz", "aaaaaaaaaaaaaaaab", "pin4711", "two words\nand lines", AWS];

proptest! {
    #[test]
    fn chunked_is_whole_and_shows_nothing(text in texts(), cuts in vec(1..40usize, 1..60)) {
        let secrets = SECRETS.map(str::as_bytes);
        let mask = mask_of(&secrets);
        let expected = whole(&mask, &text);
        let mut stream = mask.stream();
        let mut out = Vec::new();
        let mut rest = text.as_slice();
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            out.extend(stream.push_bytes(piece));
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        out.extend(stream.finish_bytes());
        prop_assert_eq!(shown(&out), shown(&expected), "of {}", shown(&text));
        for secret in secrets.iter().filter(|secret| secret.len() >= 8) {
            prop_assert!(!expected.windows(secret.len()).any(|window| window == *secret), "{}", shown(&expected));
        }
    }

    #[test]
    fn a_value_of_any_bytes_is_hidden(value in vec(proptest::num::u8::ANY, 8..60), around in vec(proptest::num::u8::ANY, 0..9)) {
        let mask = Mask::default();
        if mask.teach("any", &SecretValue::new(value.clone())).is_ok() {
            let core = value.trim_ascii();
            let text = [&around[..], &value, &around].concat();
            let out = whole(&mask, &text);
            prop_assert!(core.len() < 8 || !out.windows(core.len()).any(|window| window == core));
            prop_assert!(core.len() < 8 || mask.finds(BASE64.encode(&text).as_bytes()));
        }
    }
}

#[test]
fn streams_on_many_threads_share_what_is_known() {
    let mask = Mask::default();
    let values = (0..8).map(|index| Dice(index).token(24)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        for value in &values {
            scope.spawn(|| {
                let mut stream = mask.stream();
                stream.push(b"before\n");
                mask.teach(&shown(value), &SecretValue::new(value.clone())).unwrap();
                let mut out = stream.push(value);
                out.push(&stream.finish());
                assert_eq!(out.as_str(), "***");
            });
        }
    });
    let counts = mask.hits().into_iter().collect::<BTreeMap<_, _>>();
    assert_eq!(counts.len(), 8);
    assert!(counts.values().all(|&count| count == 1));
}
