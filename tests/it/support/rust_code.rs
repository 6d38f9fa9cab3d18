//! Rust source without what is not code: comments, literals and test modules become blanks, so that
//! places stay where they are.

/// `text` with comments, strings and characters blanked.
pub(crate) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let literal = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => Some(line_end(bytes, at)),
            b'/' if bytes[at..].starts_with(b"/*") => Some(block_comment_end(bytes, at)),
            b'"' => Some(string_end(bytes, at)),
            b'r' | b'b' | b'c' if !is_name(bytes, at.wrapping_sub(1)) => raw_string_end(bytes, at),
            b'\'' => character_end(bytes, at),
            _ => None,
        };
        let Some(end) = literal else {
            at += 1;
            continue;
        };
        blank(&mut code[at..end]);
        at = end;
    }
    String::from_utf8(code).expect("whole literals are blanked, never part of a character")
}

/// `code` (see [`code_only`]) with everything under `#[cfg(test)]` blanked.
pub(crate) fn without_tests(code: &str) -> String {
    let mut rest = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let end = item_end(code.as_bytes(), start + "#[cfg(test)]".len());
        blank(&mut rest[start..end]);
        from = end;
    }
    String::from_utf8(rest).expect("items begin and end at ASCII characters")
}

/// Blanks all but the newlines.
fn blank(bytes: &mut [u8]) {
    for byte in bytes {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

fn is_name(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length)
}

/// Block comments nest.
fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `r"…"`, `br#"…"#` and the like; `None` where none begins.
fn raw_string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let r = start + usize::from(bytes[start] != b'r');
    if bytes.get(r) != Some(&b'r') {
        return None;
    }
    let hashes = bytes[r + 1..].iter().take_while(|&&byte| byte == b'#').count();
    if bytes.get(r + 1 + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = r + 2 + hashes;
    let length = bytes[body..].windows(close.len()).position(|window| window == close);
    Some(length.map_or(bytes.len(), |length| body + length + close.len()))
}

/// The end of a character literal; `None` for a lifetime.
fn character_end(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes.get(start + 1) == Some(&b'\\') {
        let length = bytes[start + 3..].iter().position(|&byte| byte == b'\'')?;
        return Some(start + 3 + length + 1);
    }
    let width = match *bytes.get(start + 1)? {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (bytes.get(start + 1 + width) == Some(&b'\'')).then_some(start + 2 + width)
}

/// The end of the item that begins at `at`: its closing brace or its semicolon.
fn item_end(code: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in code.iter().enumerate().skip(at) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            b';' if depth == 0 => return index + 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn literals_and_comments_are_no_code() {
    let code = code_only(
        "a(\"crate::x \\\" y\"); // crate::y\nb('\"', '\\'', r#\"crate::\"z\"#); /* crate::/* */ w */ c::<'a>()",
    );
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a(", ");", "b(", ",", ",", ");", "c::<'a>()"]);
}

#[test]
fn test_items_are_left_out() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { } }\n#[cfg(test)]\nuse x;\nfn c() {}";
    let left = without_tests(code);
    assert_eq!(left.split_whitespace().collect::<Vec<_>>(), ["fn", "a()", "{}", "fn", "c()", "{}"]);
}
