//! Values of dotenv files on which readers disagree.
//!
//! There is no grammar of dotenv files. What is read here must be what python-dotenv reads too,
//! with its substitution of variables left out, and what shells and Node read where they know the
//! form: otherwise it is not clear what was meant.

/// Why such a value is refused, to follow "the value".
pub(super) const WHY: &str = "means something else to other readers of dotenv files: write it in single \
                              quotes, or store it with `doppio secret set`";

/// Whether other readers read an assignment, whose value was read as `value`, differently.
pub(super) fn is_disputed(assignment: &str, value: &[u8]) -> bool {
    let Some((_, after)) = assignment.split_once('=') else { return false };
    let written = after.trim_start_matches(|c| is_space(c) && c != '\n' && c != '\r');
    match written.chars().next() {
        Some('"') => has_escape(&written[1..], '"', DISPUTED),
        // To python-dotenv these are escapes, and to all others they are two characters each.
        Some('\'') => has_escape(&written[1..], '\'', "\\'"),
        // A quote to Node, and a character to others.
        Some('`') => true,
        // A comment to some, and a value to others; after a space it is a comment to all.
        Some('#') => written.len() == after.len(),
        _ => unquoted(written).as_bytes() != value,
    }
}

/// What python-dotenv reads where no quotes begin: `\` and quotes are like any other character.
fn unquoted(written: &str) -> &str {
    let line = written.split(['\n', '\r']).next().unwrap_or_default();
    let comment = line.match_indices('#').find(|(at, _)| line[..*at].ends_with(is_space));
    line[..comment.map_or(line.len(), |(at, _)| at)].trim_end_matches(is_space)
}

/// White space as Python has it.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// What follows the `\` of an escape that some readers know between double quotes, and others don't.
const DISPUTED: &str = "$`'abfrtv";

/// Whether one of these escapes stands before the quote that ends the value.
fn has_escape(quoted: &str, end: char, escapes: &str) -> bool {
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.next().is_some_and(|escaped| escapes.contains(escaped)) => return true,
            _ if character == end => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_read_otherwise_is_told() {
        for (assignment, value) in [
            (r"A=pa\\ss", r"pa\ss"),
            (r"A=pa\$s", "pa$s"),
            (r"A=\'a", "'a"),
            (r"A=a\ ", "a "),
            ("A=it's # c", "it's # c"),
            ("A=a'b #c' # d", "a'b #c'"),
            ("A=#a", ""),
            (r#"A="a\$b""#, "a$b"),
            ("A=a\x1c", "a\x1c"),
            (r"A='pa\\ss'", r"pa\ss"),
            (r"A='pa\'ss'", "pa'ss"),
            (r#"A="a\tb""#, "a\tb"),
            (r#"A="a\rb""#, "a\rb"),
            ("A=`x`", "`x`"),
        ] {
            assert!(is_disputed(assignment, value.as_bytes()), "{assignment}");
        }
        for (assignment, value) in [
            ("A=", ""),
            ("export A = a b # c\n", "a b"),
            (r"A=a\b\n", r"a\b\n"),
            ("A=it's", "it's"),
            ("A=a#b", "a#b"),
            ("A= # c", ""),
            (r#"A="a\\$b" # \$"#, r"a\$b"),
            (r"A='a\$b'", r"a\$b"),
            (r#"A="a\nb\"c\\d\e""#, "a\nb\"c\\d\\e"),
            (r"A='a\b' # \'", r"a\b"),
            ("A=p$HOME${X}", "p$HOME${X}"),
        ] {
            assert!(!is_disputed(assignment, value.as_bytes()), "{assignment}");
        }
    }
}
