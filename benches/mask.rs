//! How fast the mask is, and how much it holds back: `cargo bench --bench mask`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded")]

use std::time::Duration;

use doppio_secrets::Mask;
use doppio_secrets::SecretValue;

/// Bytes that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn token(&mut self, len: usize) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..len)
            .map(|_| char::from(LETTERS[usize::try_from(self.roll(64)).expect("it is below 64")]))
            .collect()
    }
}

const SIZE: usize = 64 << 20;

/// What a training run prints.
fn log(dice: &mut Dice) -> Vec<u8> {
    let mut log = String::with_capacity(SIZE + 200);
    let mut step = 0;
    while log.len() < SIZE {
        step += 1;
        let (loss, rate) = (dice.roll(9999), dice.roll(999));
        let line = match dice.roll(8) {
            0 => format!(
                "\r 45%|\u{2588}\u{2588}\u{258f}   | {step}/100000 [00:{rate:03}<1:02:03, 3.{loss}it/s]"
            ),
            1 => format!(
                "\x1b[32m[2026-11-22 03:{rate}] INFO\x1b[0m trainer.py:{rate} saved /ckpt/{}\n",
                dice.token(20)
            ),
            2 => format!("{{\"step\": {step}, \"loss\": 0.{loss}, \"lr\": 1e-{}}}\n", dice.roll(9)),
            _ => format!("step {step} | loss 0.{loss} | grad_norm 1.{rate} | lr 3.00e-05 | tok/s 12{rate}\n"),
        };
        log.push_str(&line);
    }
    log.into_bytes()
}

/// Base64 in lines of 76.
fn dense(dice: &mut Dice) -> Vec<u8> {
    let block = dice.token(76 * 4096);
    let lines = block.as_bytes().chunks(76).flat_map(|line| line.iter().copied().chain([b'\n']));
    lines.cycle().take(SIZE).collect()
}

/// Tokens that begin as all the secrets do, and are none of them.
fn alike(dice: &mut Dice) -> Vec<u8> {
    let mut text = String::with_capacity(SIZE + 50);
    while text.len() < SIZE {
        let token = format!("hf_{:02}{} ", dice.roll(50), dice.token(30));
        text.push_str(&token);
    }
    text.into_bytes()
}

fn mask_of(count: u64, prefix: impl Fn(u64) -> String) -> Mask {
    let mask = Mask::default();
    let mut dice = Dice(7);
    for index in 0..count {
        let value = prefix(index) + &dice.token(40);
        mask.register(&format!("secret/{index}"), &SecretValue::new(value.into_bytes()))
            .expect("it is long enough");
    }
    mask
}

/// The time that this thread has had a core, so that a busy machine doesn't count.
fn busy() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("the first number is the time on a core"))
}

/// Megabytes a second of a core's time, through chunks as they come from a channel.
fn speed(mask: &Mask, text: &[u8]) -> f64 {
    let mut stream = mask.stream();
    let start = busy();
    let mut out = 0;
    for chunk in text.chunks(32 * 1024) {
        out += stream.push(chunk).as_str().len();
    }
    out += stream.finish().as_str().len();
    let time = busy().saturating_sub(start);
    assert!(out >= text.len(), "nothing is masked here");
    text.len() as f64 / 1e6 / time.as_secs_f64()
}

fn held(mask: &Mask, text: &[u8], name: &str, pieces: impl Iterator<Item = usize>) {
    let mut stream = mask.stream();
    let (mut held, mut most, mut pushes, mut from) = (0, 0, 0, 0);
    for len in pieces {
        let Some(piece) = text.get(from..from + len) else { break };
        stream.push(piece);
        held += stream.held();
        most = most.max(stream.held());
        pushes += 1;
        from += len;
    }
    println!("held after each {name}: mean {:.2} bytes, most {most}", held as f64 / f64::from(pushes));
}

/// How much is made of an input that is hard for the mask. In bytes.
const HARD: usize = 8 << 20;

/// As much of a text, over and over.
fn repeated(text: &[u8]) -> Vec<u8> {
    text.iter().copied().cycle().take(HARD).collect()
}

/// An object with many members of random text, as long as a value may be.
fn many_members(dice: &mut Dice) -> String {
    let members =
        (0..3000).map(|index| format!("\"key-{index:04}\": \"shared-prefix-{index:04}-{}\"", dice.token(40)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

/// What is hard for the mask: each of these was slow once.
fn hard(log: &[u8]) {
    let mut dice = Dice(3);
    let mask_of = |value: &str| {
        let mask = Mask::default();
        let start = busy();
        mask.register("hard", &SecretValue::new(value.as_bytes().to_vec())).expect("it can be masked");
        (mask, busy().saturating_sub(start))
    };
    let token = dice.token(40);
    let spaced = |gap: &str| -> Vec<u8> {
        let letters: Vec<String> =
            dice_text(7, 4096).chars().map(|letter| format!("{letter}{gap}")).collect();
        repeated(letters.concat().as_bytes())
    };
    let members = many_members(&mut dice);
    let most = 256 * 1024;
    let period = "abcdefghijklmnopq".repeat(most / 17);
    let cases: Vec<(&str, String, Vec<u8>)> = vec![
        ("0xC2 flood", token.clone(), repeated(b"\xc2")),
        ("0xE2 flood", token.clone(), repeated(b"\xe2")),
        ("ESC flood", token.clone(), repeated(b"\x1b")),
        ("zero-width between", token.clone(), spaced("\u{200b}")),
        ("soft hyphens between", token.clone(), spaced("\u{ad}")),
        ("colours between", token.clone(), spaced("\x1b[0m")),
        ("struck over", token.clone(), spaced("x\x08")),
        ("spaces between", token.clone(), spaced(" ")),
        ("backslashes between", token.clone(), spaced("\\")),
        ("percent escapes", token.clone(), repeated(b"%41%c3%a9%2525")),
        ("percent flood", token.clone(), repeated(b"%")),
        ("run, value of 8", "a".repeat(8), repeated(b"a")),
        ("run, value of 8 and one more", "aaaaaaab".to_owned(), repeated(b"a")),
        ("run, value of 4,000", "a".repeat(4000), repeated(b"a")),
        ("run, value of 256 KiB", "a".repeat(most), repeated(b"a")),
        ("run, 256 KiB and one more", "a".repeat(most - 1) + "b", repeated(b"a")),
        ("run broken, 256 KiB", "a".repeat(most), repeated(("a".repeat(most - 9) + "b").as_bytes())),
        (
            "period of 17, 256 KiB",
            period.clone(),
            repeated((period[..most - 40].to_owned() + "#").as_bytes()),
        ),
        ("value over and over", token.clone(), repeated(token.as_bytes())),
        ("3,000 members, log", members.clone(), log[..HARD].to_vec()),
        ("3,000 members, themselves", members.clone(), repeated(members.as_bytes())),
        ("3,000 members, their start", members.clone(), repeated(b"shared-prefix-00")),
        ("256 KiB of random text, log", dice_text(9, most), log[..HARD].to_vec()),
    ];
    println!("hard for the mask:");
    for (name, value, text) in cases {
        let (mask, learnt) = mask_of(&value);
        let start = busy();
        let mut stream = mask.stream();
        for chunk in text.chunks(32 * 1024) {
            stream.push(chunk);
        }
        stream.finish();
        let time = busy().saturating_sub(start);
        println!(
            "{name:<32} {:>8.1} MB/s   learnt in {learnt:.1?}",
            text.len() as f64 / 1e6 / time.as_secs_f64()
        );
    }
}

fn dice_text(seed: u64, len: usize) -> String {
    Dice(seed).token(len)
}

fn main() {
    let mut dice = Dice(1);
    let texts = [("log", log(&mut dice)), ("base64", dense(&mut dice)), ("hf_ tokens", alike(&mut dice))];
    println!("MB/s          {:>12} {:>12} {:>12}   learnt in", texts[0].0, texts[1].0, texts[2].0);
    for count in [0, 1, 5, 20, 50, 200] {
        let start = busy();
        let mask = mask_of(count, |index| format!("hf_{index:02}"));
        let learnt = busy().saturating_sub(start);
        let figures = texts.each_ref().map(|(_, text)| speed(&mask, text));
        println!(
            "{count:>3} secrets   {:>12.0} {:>12.0} {:>12.0}   {learnt:.1?}",
            figures[0], figures[1], figures[2]
        );
    }
    let mask = mask_of(20, |_| String::new());
    mask.register("short", &SecretValue::new(b"pin47".to_vec())).expect("it is long enough");
    println!("20 unlike, and one of 5 bytes: log {:.0} MB/s", speed(&mask, &texts[0].1));
    let mask = mask_of(20, |_| String::new());
    let lines = texts[0].1[..4 << 20].split_inclusive(|&byte| byte == b'\n').map(<[u8]>::len);
    held(&mask, &texts[0].1, "line", lines);
    held(&mask, &texts[0].1, "byte", std::iter::repeat_n(1, 1 << 20));
    hard(&texts[0].1);
}
