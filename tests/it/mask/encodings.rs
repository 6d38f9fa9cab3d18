//! Secrets that were encoded before they were printed.

use data_encoding::BASE64;
use data_encoding::BASE64URL;
use data_encoding::HEXLOWER;

use doppio_test_support::mask_of;

use crate::mask::Dice;
use crate::mask::assert_hidden;

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
