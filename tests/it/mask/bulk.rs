//! Much output: ordinary logs, any text, many threads.

use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use proptest::collection::vec;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;

use doppio_secrets::Mask;
use doppio_secrets::SecretValue;
use doppio_test_support::in_pieces;
use doppio_test_support::mask_of;
use doppio_test_support::shown;
use doppio_test_support::whole;

use crate::mask::AWS;
use crate::mask::Dice;

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

#[test]
fn a_byte_that_begins_an_escape_holds_back_nothing_that_is_written() {
    let mask = mask_of(&[b"abcdefghijklmnopqrst"]);
    for text in ["a \\x", "a %x", "ab\t\\u0061bc", "abc \\\\x"] {
        assert_eq!(shown(&in_pieces(&mask, text.as_bytes(), &[2, 1])), shown(&whole(&mask, text.as_bytes())));
        assert_eq!(shown(&in_pieces(&mask, text.as_bytes(), &[1])), shown(&whole(&mask, text.as_bytes())));
    }
}

/// A text in which values stand inside one another's encodings made the stream lose count of what it had
/// looked at.
#[test]
fn values_within_encodings_of_others_are_counted_right() {
    let text = "eGhmX0FCQ0RFRkdIenp6eg==\nhf_ABCDEFGHIJKLMNOPrXUtnFEMI/K7MDENG/bPxRftwo words\nand \
                linesaaaaaaaaaaaaaaaabeHl3SmFsclhVdG5GRU1JL0s3TURFTkcvYlB4UmZpQ1l6RVhBTVBMRUtFWQ==zzztwo words\n\
                and linesXUtnFEMI/K7MDENG/bPxRfiCYtwo words\nand linelrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKaaaaaaaaaa\
                aaahf_ABCDEFGHzzzzBCaaaaaaawJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY\r\n\u{20ac}";
    let sizes = [4, 26, 28, 3, 8, 13, 8, 12, 8, 28, 38, 24, 3, 12, 28, 30, 9, 8, 9, 9, 21, 12];
    let mask = mask_of(&SECRETS.map(str::as_bytes));
    assert_eq!(shown(&in_pieces(&mask, text.as_bytes(), &sizes)), shown(&whole(&mask, text.as_bytes())));
}

proptest! {
    #[test]
    fn chunked_is_whole_and_shows_nothing(text in texts(), cuts in vec(1..40usize, 1..60)) {
        let secrets = SECRETS.map(str::as_bytes);
        let mask = mask_of(&secrets);
        let expected = whole(&mask, &text);
        let out = in_pieces(&mask, &text, &cuts);
        prop_assert_eq!(shown(&out), shown(&expected), "of {}", shown(&text));
        for secret in secrets.iter().filter(|secret| secret.len() >= 8) {
            prop_assert!(!expected.windows(secret.len()).any(|window| window == *secret), "{}", shown(&expected));
        }
    }

    #[test]
    fn a_value_of_any_bytes_is_hidden(value in vec(proptest::num::u8::ANY, 8..60), around in vec(proptest::num::u8::ANY, 0..9)) {
        let mask = Mask::default();
        if mask.register("any", &SecretValue::new(value.clone())).is_ok() {
            let core = value.trim_ascii();
            let text = [&around[..], &value, &around].concat();
            let out = whole(&mask, &text);
            prop_assert!(core.len() < 8 || !out.windows(core.len()).any(|window| window == core));
            prop_assert!(core.len() < 8 || mask.finds(BASE64.encode(&text).as_bytes()));
        }
    }
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

#[test]
fn streams_on_many_threads_share_what_is_known() {
    let mask = Mask::default();
    let values = (0..8).map(|index| Dice(index).token(24)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        for value in &values {
            scope.spawn(|| {
                let mut stream = mask.stream();
                stream.push(b"before\n");
                mask.register(&shown(value), &SecretValue::new(value.clone())).unwrap();
                let mut out = stream.push(value);
                out.push(&stream.finish());
                assert_eq!(out.as_str(), "***");
            });
        }
    });
    assert_eq!(mask.text(&shown(&values.join(&b' '))).as_str(), ["***"; 8].join(" "));
}
