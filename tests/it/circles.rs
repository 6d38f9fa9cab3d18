//! No circle of files: within a crate, what a file names stands below it. Where two files need each
//! other, what both need goes into a third one below them: a trait below those who implement it, the
//! list of these above.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::arrows::Arrows;

/// The crates' roots; `tests/it/layers.rs` holds the arrows between crates.
const ROOTS: &[&str] = &[
    "crates/text/src/lib.rs",
    "crates/process/src/lib.rs",
    "crates/http/src/lib.rs",
    "crates/secrets/src/lib.rs",
    "crates/stores/src/lib.rs",
    "crates/hosts/src/lib.rs",
    "crates/rented/src/lib.rs",
    "src/lib.rs",
];

#[test]
fn files_name_only_what_stands_below_them() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text_of = |path: &str| fs::read_to_string(house.join(path)).ok();
    let faults: Vec<String> = ROOTS.iter().flat_map(|root| circles(root, &text_of)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The arrows that lie in circles of the crate with this root, one a line, circle by circle.
fn circles(root: &str, text_of: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let files = Arrows::read(root, text_of);
    let arrows = files.all();
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for &(from, to) in arrows.keys() {
        below.entry(from).or_default().insert(to);
    }
    // The first file of the circle in which a file lies.
    let first = |file| reached(&below, file).into_iter().find(|other| reached(&below, other).contains(file));
    let mut faults: Vec<(&str, String)> = arrows
        .iter()
        .filter(|((from, to), _)| reached(&below, to).contains(from))
        .map(|((from, to), items)| {
            let items: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
            (
                first(from).unwrap_or(from),
                format!("{from} names {} of {to}, which leads back to it", items.join(", ")),
            )
        })
        .collect();
    faults.sort();
    faults.into_iter().map(|(_, fault)| fault).collect()
}

/// The files to which arrows lead from `file`, by one or by several.
fn reached<'a>(below: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&str> = below.get(file).into_iter().flatten().copied().collect();
    while let Some(next) = waiting.pop() {
        if reached.insert(next) {
            waiting.extend(below.get(next).into_iter().flatten());
        }
    }
    reached
}

/// The faults of a made-up crate.
fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    circles("src/lib.rs", &|path| files.get(path).map(|text| (*text).to_owned()))
}

/// The end of each fault.
const BACK: &str = ", which leads back to it";

#[test]
fn each_arrow_of_a_planted_circle_is_told() {
    let a_names_b = format!("src/a.rs names `B` of src/b.rs{BACK}");
    let b_names_a = format!("src/b.rs names `A` of src/a.rs{BACK}");
    for (a, b) in [
        ("use crate::b::B; struct A(B);", "use crate::a::A; struct B(A);"),
        ("struct A(crate::b::B);", "struct B(super::a::A);"),
        // By a module's name, by another name, and by what the crate hands on.
        ("use crate::b; struct A(b::B);", "use crate::a::A as Other; struct B(Other);"),
        ("use crate::B; struct A(B);", "use crate::{A, inner}; struct B(A);"),
        ("pub use crate::b::B; fn f() {} enum A {}", "trait B { fn f() { crate::a::A::new() } }"),
        ("const A: &[u8] = &[crate::b::B];", "static B: u8 = 1; impl T for crate::a::A {}"),
    ] {
        let lib = "mod a; mod b; mod inner; pub use a::A; pub use b::B;";
        let faults =
            faults_of(&[("src/lib.rs", lib), ("src/a.rs", a), ("src/b.rs", b), ("src/inner.rs", "")]);
        assert_eq!(faults, [a_names_b.as_str(), b_names_a.as_str()], "{a} {b}");
    }
}

#[test]
fn a_circle_goes_over_modules_and_several_files() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod list; mod other;"),
        ("src/list/mod.rs", "mod first; pub trait Kind {} const ALL: &[&dyn Kind] = &[&first::First];"),
        ("src/list/first.rs", "mod deep; use super::Kind; pub struct First; impl Kind for First {}"),
        ("src/list/first/deep.rs", "use crate::other::call; fn f() { call(); }"),
        ("src/other.rs", "pub fn call() { crate::list::first::deep::f() }"),
    ]);
    assert_eq!(
        faults,
        [
            format!("src/list/first.rs names `Kind` of src/list/mod.rs{BACK}"),
            format!("src/list/mod.rs names `First` of src/list/first.rs{BACK}"),
            format!("src/list/first/deep.rs names `call` of src/other.rs{BACK}"),
            format!("src/other.rs names `f` of src/list/first/deep.rs{BACK}"),
        ]
    );
}

#[test]
fn what_only_goes_down_is_no_circle() {
    let faults = faults_of(&[
        // A face hands on what stands on both sides.
        (
            "src/lib.rs",
            "//! A.\nmod a; mod b; pub mod c; #[cfg(test)] mod tests; pub use a::A; pub(crate) use b::B;",
        ),
        // The name is in a comment, a text, a test, a method, another crate.
        (
            "src/a.rs",
            "// crate::c::C\nuse std::c::C; pub struct A; fn f<'a>() -> impl T + use<'a> { x.c::<C>(\"crate::c::C\") }\n\
             #[cfg(test)] mod tests { use crate::c::C; }",
        ),
        ("src/b.rs", "use crate::A; pub struct B(A);"),
        ("src/c/mod.rs", "mod d; pub(in crate::c) struct C(crate::B); pub use crate::c::d::D;"),
        ("src/c/d.rs", "use crate::B; pub struct D(B, crate::a::A); fn g() { use crate::b::B as Same; }"),
    ]);
    assert!(faults.is_empty(), "{faults:?}");
}
