//! Tests of the table.

use super::*;

fn table(patterns: &[(&str, Rule)]) -> Table {
    let pattern = |(index, &(text, rule)): (usize, &(&str, Rule))| {
        let bytes = Zeroizing::new(text.as_bytes().to_vec());
        Arc::new(Pattern::new(bytes, u32::try_from(index).unwrap(), rule))
    };
    let patterns: Vec<_> = patterns.iter().enumerate().map(pattern).collect();
    Table::new(patterns.iter()).unwrap()
}

fn text(bytes: &str, end: bool) -> Text<'_> {
    Text { bytes: bytes.as_bytes(), before: None, end }
}

fn judge(table: &Table, text: Text<'_>, at: usize) -> Verdict {
    table.judge(text, at, &mut Compared::default(), |_| true)
}

#[test]
fn a_candidate_is_found_at_every_offset() {
    let table = table(&[("correcthorse", Rule::Exact), ("batterystaple!", Rule::Exact)]);
    for pad in 0..40 {
        let hay = format!("{}batterystaple!", ".".repeat(pad));
        let mut at = table.candidate(hay.as_bytes(), 0);
        while judge(&table, text(&hay, true), at) == Verdict::No {
            at = table.candidate(hay.as_bytes(), at + 1);
        }
        assert_eq!(at, pad);
    }
}

#[test]
fn the_longest_match_waits_for_its_end() {
    let table = table(&[("abcdefgh", Rule::Exact), ("abcdefghijkl", Rule::Exact)]);
    let at = |hay: &str, end| judge(&table, text(hay, end), 0);
    assert_eq!(at("abcdefghij", false), Verdict::Open);
    assert_eq!(at("abcdefghij", true), Verdict::Hit { len: 8, secret: 0 });
    assert_eq!(at("abcdefghijkl", false), Verdict::Hit { len: 12, secret: 1 });
    assert_eq!(at("abcde", false), Verdict::Open);
    assert_eq!(at("abcde", true), Verdict::No);
    assert_eq!(at("abcdX", false), Verdict::No);
}

#[test]
fn words_end_where_words_end() {
    let table = table(&[("hunter2", Rule::Word)]);
    let at = |hay: &str, at, end| judge(&table, text(hay, end), at);
    assert_eq!(at("hunter2", 0, false), Verdict::Open);
    assert_eq!(at("hunter2", 0, true), Verdict::Hit { len: 7, secret: 0 });
    assert_eq!(at("hunter22", 0, false), Verdict::No);
    assert_eq!(at(" hunter2.", 1, false), Verdict::Hit { len: 7, secret: 0 });
    assert_eq!(at("xhunter2.", 1, false), Verdict::No);
}

#[test]
fn any_case_matches_any_case() {
    let table = table(&[("aBcDeFgHiJ0123456789", Rule::AnyCase)]);
    let hit = Verdict::Hit { len: 20, secret: 0 };
    assert_eq!(judge(&table, text("ABCDEFGHIJ0123456789", false), 0), hit);
    assert_eq!(judge(&table, text("ABCd", false), 0), Verdict::Open);
}

// case L13
#[test]
fn of_many_that_begin_alike_the_longest_is_found() {
    let texts: Vec<String> = (0..40).map(|len| format!("a common start{}", "x".repeat(len))).collect();
    let odd = ["a common startle".to_owned(), "a common starxyz".to_owned(), "a common staqt".to_owned()];
    let patterns: Vec<(&str, Rule)> =
        texts.iter().chain(&odd).map(|text| (text.as_str(), Rule::Exact)).collect();
    let table = table(&patterns);
    for (index, (pattern, _)) in patterns.iter().enumerate() {
        let hit = Verdict::Hit { len: pattern.len(), secret: u32::try_from(index).unwrap() };
        assert_eq!(judge(&table, text(&format!("{pattern}."), false), 0), hit, "{pattern}");
        assert_eq!(judge(&table, text(&format!("{pattern}\u{e9}"), false), 0), hit, "{pattern}");
        assert_eq!(judge(&table, text(pattern, true), 0), hit, "{pattern}");
    }
    assert_eq!(judge(&table, text("a common startxx", false), 0), Verdict::Open);
    assert_eq!(judge(&table, text("a common stark and", false), 0), Verdict::No);
}

#[test]
fn many_are_found_beside_others_whose_hash_is_the_same() {
    let mut texts: Vec<String> =
        ('A'..='L').map(|c| format!("SECRETPW-PASSWD-{}", c.to_string().repeat(4))).collect();
    // The hash ignores case.
    texts.extend(["secretpw-passwd-,,,,", "secretpw-passwd-,,,-"].map(str::to_owned));
    let table = table(&texts.iter().map(|text| (text.as_str(), Rule::Exact)).collect::<Vec<_>>());
    for (index, pattern) in texts.iter().enumerate() {
        let hit = Verdict::Hit { len: pattern.len(), secret: u32::try_from(index).unwrap() };
        assert_eq!(judge(&table, text(&format!("{pattern}."), false), 0), hit, "{pattern}");
    }
}

// case L13
#[test]
fn a_row_of_one_byte_is_judged_once() {
    let table = table(&[("aaaaaaaa", Rule::Exact)]);
    assert_eq!(table.alike(&[b'a'; 5000], 0), 5000 - 8);
    assert_eq!(table.alike(b"aaaaaaaab", 0), 1);
}
