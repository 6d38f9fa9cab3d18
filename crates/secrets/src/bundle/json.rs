//! JSON: one object; its members by their keys, numbers as they are written.

use crate::SecretValue;
use crate::bundle::Entry;
use crate::bundle::LIST;
use crate::bundle::Malformed;
use crate::bundle::NULL;
use crate::bundle::line_at;
use crate::property::json_leaves;

const HALF: &str = "holds half of a surrogate pair, such as `\\ud800`, which is not text";

pub(super) fn read(text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        let why = format!("it is not JSON (column {})", error.column());
        return Err(Malformed { line: error.line().max(1), why });
    }
    let leaves = json_leaves(text).map_err(|()| Malformed {
        line: 1,
        why: "it is not a JSON object: expected `{\"NAME\": \"value\"}`".to_owned(),
    })?;
    Ok(leaves
        .into_iter()
        .map(|leaf| Entry {
            key: leaf.keys.join("/"),
            line: line_at(text, leaf.offset),
            value: match text[leaf.offset] {
                b'[' => Err(LIST),
                b'n' => Err(NULL),
                _ => leaf.value.map(SecretValue::new).ok_or(HALF),
            },
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use crate::bundle::Form;
    use crate::bundle::tests::told;

    #[test]
    fn members_are_read_at_any_depth() {
        let text = "{\"A\": \"p$\\n\\\"q\", \"n\": -1.50,\n \"db\": {\"url\": \"\\u00e9\", \"x\": {}, \"t\": true},\n \"l\": [1, {\"a\": \"]\"}], \"z\": null, \"e\": \"\"}";
        assert_eq!(
            told(Form::Json, text),
            [
                "1: A=\"p$\\n\\\"q\"",
                "1: n=\"-1.50\"",
                "2: db/url=\"é\"",
                "2: db/t=\"true\"",
                "3: l is a list, which has no name for each of its members",
                "3: z is null",
                "3: e=\"\"",
            ]
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert_eq!(told(Form::Json, "{\"a\":\n hunter2}"), ["line 2: it is not JSON (column 2)"]);
        assert_eq!(
            told(Form::Json, "[\"hunter2\"]"),
            ["line 1: it is not a JSON object: expected `{\"NAME\": \"value\"}`"]
        );
        assert_eq!(told(Form::Json, "{}"), [""; 0]);
        assert_eq!(
            told(Form::Json, "{\"a\": \"x\\ud800hunter2\"}"),
            ["1: a holds half of a surrogate pair, such as `\\ud800`, which is not text"]
        );
    }
}
