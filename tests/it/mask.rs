//! The mask against the programs that print secrets: real encoders, terminals, any split.

mod bulk;
mod encodings;
mod escapes;
mod parts;
mod screen;
mod terminals;

use data_encoding::BASE64;

use doppio_secrets::Mask;
use doppio_secrets::MaskStyle;
use doppio_secrets::SecretValue;
use doppio_secrets::Unmaskable;
use doppio_test_support::mask_of;
use doppio_test_support::pieces;
use doppio_test_support::printed_by;
use doppio_test_support::residue;
use doppio_test_support::shown;
use doppio_test_support::whole;

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
    assert_hidden(&mask, &printed_by("od", &["-An", "-v", "-tx1"], value), 3);
    assert_hidden(&mask, &printed_by("cat", &["-v"], value), 0);
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
        let refused = Mask::default().register("a/b", &SecretValue::new(value.to_vec()));
        assert_eq!(refused, Err(Unmaskable::TooShort { name: "a/b".to_owned() }));
    }
    let refused = Mask::default().register("a/b", &SecretValue::new(vec![b'x'; 300 * 1024]));
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
    mask.register("late", &SecretValue::new(b"hf_ABCDEzyxwvu".to_vec())).unwrap();
    assert_eq!(stream.push(b"zyxw").as_str(), "");
    assert_eq!(stream.push(b"vu, ").as_str(), "***, ");
    mask.register("later", &SecretValue::new(b"completely-different".to_vec())).unwrap();
    assert_eq!(stream.push(b"completely-different.").as_str(), "***.");
    assert_eq!(stream.finish().as_str(), "");
    assert_eq!(stream.hits(), [("late".to_owned(), 1), ("later".to_owned(), 1)]);
    // The first stream of all is open before anything is known.
    let mask = Mask::default();
    let mut stream = mask.stream();
    assert_eq!(stream.push(b"some \x1b[3").as_str(), "some \x1b[3");
    mask.register("late", &SecretValue::new(HF.as_bytes().to_vec())).unwrap();
    assert_eq!(stream.push(format!("1m{HF}\n").as_bytes()).as_str(), "1m***\n");
}

#[test]
fn names_and_counts() {
    let mask = Mask::new(MaskStyle::Names);
    for (name, value) in [("hf/token", HF), ("aws/key", AWS), ("aws/part", &AWS[..20])] {
        mask.register(name, &SecretValue::new(value.into())).unwrap();
    }
    let clone = mask.clone();
    let text = format!("{HF} {AWS} {} {HF}\n", BASE64.encode(HF.as_bytes()));
    let mut stream = clone.stream();
    assert_eq!(stream.push(text.as_bytes()).as_str().split(' ').next(), Some("‹hf/token›"));
    stream.finish();
    assert_eq!(stream.hits(), [("hf/token".to_owned(), 3), ("aws/key".to_owned(), 1)]);
    assert_eq!(mask.text(&format!("x{AWS}")).as_str(), "x‹aws/key›");
    assert!(mask.finds(HF.to_uppercase().as_bytes()));
    assert!(!mask.finds(b"nothing here"));
    assert_eq!(mask.found(AWS.as_bytes()), [("aws/key".to_owned(), 1)]);
    assert_eq!(stream.hits().len(), 2, "what is looked through is no output");
    assert!(!format!("{mask:?}{stream:?}").contains("hf_"));
}
