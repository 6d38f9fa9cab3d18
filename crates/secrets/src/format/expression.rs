//! Values that are not values: what a shell, a workflow or a program would have to work out first.

/// Why such a value is refused, to follow "the value".
const SHELL: &str =
    "is worked out by a shell: run it there and pipe the result to `doppio secret set NAME --from-stdin`";
const VARIABLE: &str =
    "has a variable in it, which a shell fills in: write the value itself, in single quotes if it has a `$`";
const TEMPLATE: &str = "is a reference that a template or a workflow fills in";
const CODE: &str = "is an expression of a program, which reads the value from elsewhere";
const PREFIXED: &str = "has a prefix of Python before its quotes: name the format with `--format python`";

/// Why an assignment of a dotenv file or a shell script is an expression; none where it is a value.
pub(super) fn of_assignment(assignment: &str) -> Option<&'static str> {
    let written = assignment.split_once('=')?.1.trim_start();
    if written.starts_with('\'') {
        return None;
    }
    let is_quote = |at: usize| written[at..].starts_with(['"', '\'']);
    let prefix = written.bytes().take_while(u8::is_ascii_alphabetic).count();
    if matches!(prefix, 1 | 2)
        && is_quote(prefix)
        && written[..prefix].chars().all(|c| "rRbBuUfFtT".contains(c))
    {
        return Some(PREFIXED);
    }
    let mut rest = without_comment(written);
    while let Some(at) = rest.find(['$', '`', '\\']) {
        let (sign, behind) = rest[at..].split_at(1);
        match sign {
            // What follows is plain.
            "\\" => {
                let mut plain = behind.chars();
                plain.next();
                rest = plain.as_str();
                continue;
            }
            "`" if behind.contains('`') => return Some(SHELL),
            "$" if behind.starts_with('(') => return Some(SHELL),
            "$" if behind.starts_with("{{") => return Some(TEMPLATE),
            "$" if behind.starts_with('{') && is_variable(&behind[1..]) => return Some(VARIABLE),
            _ => {}
        }
        rest = behind;
    }
    None
}

/// What is assigned without the comment behind it.
fn without_comment(written: &str) -> &str {
    let Some(inner) = written.strip_prefix('"') else {
        let comment = written.find(" #").or_else(|| written.find("\t#"));
        return comment.map_or(written, |end| &written[..end]);
    };
    let mut escaped = false;
    let end = inner.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(written, |end| &written[..end + 2])
}

/// `NAME}`, `NAME:-…}` and what else a shell knows.
fn is_variable(text: &str) -> bool {
    let name = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    name > 0 && text[name..].starts_with(['}', ':', '-', '=', '?', '+', '#', '%', '/', '^', ','])
}

/// How programs begin to read a value from elsewhere.
const READS: [&str; 13] = [
    "os.environ",
    "os.getenv(",
    "getenv(",
    "environ[",
    "process.env.",
    "process.env[",
    "System.getenv(",
    "Deno.env.",
    "ENV[",
    "ENV.fetch(",
    "getpass(",
    "getpass.getpass(",
    "env(",
];

/// Why a value of a file of any format is an expression; none where it is a value.
pub(super) fn of_value(value: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let begins = |beginnings: &[&str]| beginnings.iter().any(|begin| text.starts_with(begin));
    let encloses = |begin: &str, end: &str| text.starts_with(begin) && text.ends_with(end);
    let is_formatted = (encloses("f\"", "\"") || encloses("f'", "'")) && text.contains('{');
    if text.contains("${{") && text.contains("}}") || encloses("{{", "}}") || encloses("<%", "%>") {
        Some(TEMPLATE)
    } else if encloses("$(", ")") || text.len() > 1 && encloses("`", "`") {
        Some(SHELL)
    } else if begins(&READS) || is_formatted {
        Some(CODE)
    } else if encloses("${", "}") && is_variable(&text[2..]) {
        Some(VARIABLE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // case J2
    #[test]
    fn expressions_are_told_from_values() {
        for (assignment, why) in [
            ("A=$(cat ~/.token)", SHELL),
            ("A=\"$(pass show x)\"", SHELL),
            ("A=x`pass show x`", SHELL),
            ("A=postgres://u:${PW}@h/d", VARIABLE),
            ("A=${PW:-none}", VARIABLE),
            ("A=${{ secrets.A }}", TEMPLATE),
            ("A=r\"hf_x\"", PREFIXED),
            ("A = f'hf_{x}'", PREFIXED),
        ] {
            assert_eq!(of_assignment(assignment), Some(why), "{assignment}");
        }
        for assignment in ["A='$(x)'", "A=p$ss", "A=\"p\\$(x)\"", "A=a${b", "A=it`s", "A=rb", "A=\"x\"", "A="]
        {
            assert_eq!(of_assignment(assignment), None, "{assignment}");
        }
        for (value, why) in [
            ("${{ secrets.HF_TOKEN }}", TEMPLATE),
            ("$${{secrets.HF_TOKEN}}", TEMPLATE),
            ("Bearer ${{ secrets.HF_TOKEN }}", TEMPLATE),
            ("{{ vault_token }}", TEMPLATE),
            ("$(cat x)", SHELL),
            ("os.environ[\"HF_TOKEN\"]", CODE),
            ("os.getenv('HF_TOKEN')", CODE),
            ("process.env.HF_TOKEN", CODE),
            ("f\"hf_{x}\"", CODE),
            ("${HF_TOKEN}", VARIABLE),
        ] {
            assert_eq!(of_value(value.as_bytes()), Some(why), "{value}");
        }
        for value in ["p$(x", "f\"x\"", "a{{b}}", "environment", "p$$${x", "{\"a\": 1}"] {
            assert_eq!(of_value(value.as_bytes()), None, "{value}");
        }
    }
}
