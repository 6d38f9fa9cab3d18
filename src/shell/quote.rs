//! Quoting a word for a POSIX shell.

/// The word in single quotes, fit for any POSIX shell; plain words stay as they are.
pub fn quote(word: &str) -> String {
    let is_plain =
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&b));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_are_quoted_only_where_they_must_be() {
        assert_eq!(quote("/workspace/a-b.txt"), "/workspace/a-b.txt");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("~"), "'~'");
    }
}
