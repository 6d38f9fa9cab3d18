//! Quoting words, bytes and paths for a POSIX shell.

/// The word in single quotes, fit for any POSIX shell; plain words stay as they are.
pub fn quote(word: &str) -> String {
    let is_plain =
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&b));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// A command to type, in backticks as messages have it: each word quoted where a shell would take it
/// for more than a word.
pub fn typed<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| quote(word.as_ref())).collect();
    format!("`{}`", words.join(" "))
}

/// Writes bytes in single quotes, where a POSIX shell changes none of them.
///
/// They come to at most four times their number and two: with that room in `text`, it does not
/// move, and leaves no copy of a secret behind.
pub fn quote_bytes(text: &mut Vec<u8>, bytes: &[u8]) {
    text.push(b'\'');
    for &byte in bytes {
        if byte == b'\'' {
            text.extend_from_slice(br"'\''");
        } else {
            text.push(byte);
        }
    }
    text.push(b'\'');
}

/// A path as one word: a `~` or `~user` at its beginning stays for the shell, and it is never
/// taken for an option.
pub fn quote_path(path: &str) -> String {
    if let Some(rest) = path.strip_prefix('~') {
        let (user, below) = rest.split_once('/').map_or((rest, None), |(user, below)| (user, Some(below)));
        if user.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
            let home = if user.is_empty() { r#""$HOME""#.to_owned() } else { format!("~{user}") };
            return below.map_or_else(|| home.clone(), |below| format!("{home}/{}", quote(below)));
        }
    }
    if path.starts_with('-') { quote(&format!("./{path}")) } else { quote(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_they_must_be() {
        assert_eq!(quote("/workspace/a-b.txt"), "/workspace/a-b.txt");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("~"), "'~'");
    }

    // case A7
    #[test]
    fn a_command_to_type_has_its_words_quoted() {
        assert_eq!(typed(["ssh", "-G", "gpu"]), "`ssh -G gpu`");
        assert_eq!(typed(["rm", "-rf", "/tmp/a b;$(id)"]), "`rm -rf '/tmp/a b;$(id)'`");
    }

    #[test]
    fn bytes_are_quoted_in_the_room_they_may_need() {
        for bytes in [&b"it's\n\xff"[..], b"", &[b'\''; 100]] {
            let mut text = Vec::with_capacity(4 * bytes.len() + 2);
            let place = text.as_ptr();
            quote_bytes(&mut text, bytes);
            assert_eq!(text.as_ptr(), place);
        }
        let mut text = b"A=".to_vec();
        quote_bytes(&mut text, b"it's\xff");
        assert_eq!(text, b"A='it'\\''s\xff'");
    }

    #[test]
    fn paths_keep_a_leading_tilde_for_the_shell() {
        assert_eq!(quote_path("~"), r#""$HOME""#);
        assert_eq!(quote_path("~/a b"), r#""$HOME"/'a b'"#);
        assert_eq!(quote_path("~bob/x"), "~bob/x");
        assert_eq!(quote_path("~$(id)/x"), "'~$(id)/x'");
        assert_eq!(quote_path("-"), "./-");
        assert_eq!(quote_path("/a"), "/a");
    }
}
