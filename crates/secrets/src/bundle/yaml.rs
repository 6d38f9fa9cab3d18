//! YAML: one mapping; its members by their keys, what is not quoted as it is written.

use std::fmt;

use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_saphyr::Spanned;

use crate::bundle::Entry;
use crate::bundle::LIST;
use crate::bundle::Malformed;
use crate::bundle::NULL;
use crate::bundle::text_value;
use crate::bundle::utf8;

/// A value with its place.
enum Node {
    Mapping(Vec<(String, Spanned<Node>)>),
    List,
    Text(String),
    /// A number or truth value, which counts as it is written.
    Plain,
    Null,
}

pub(super) fn read(text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let text = utf8(text)?;
    let root: Spanned<Node> = serde_saphyr::from_str(text).map_err(|error| {
        // Its own words have the text in them.
        let line = error.location().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1)).max(1);
        Malformed { line, why: "it is not YAML, or a key occurs twice".to_owned() }
    })?;
    let Node::Mapping(members) = root.value else {
        return Err(Malformed {
            line: 1,
            why: "it is not a YAML mapping: expected `NAME: value`".to_owned(),
        });
    };
    let mut entries = Vec::new();
    collect(text, "", members, &mut entries)?;
    Ok(entries)
}

fn collect(
    text: &str,
    above: &str,
    members: Vec<(String, Spanned<Node>)>,
    entries: &mut Vec<Entry>,
) -> Result<(), Malformed> {
    for (key, node) in members {
        let key = format!("{above}{key}");
        let line = usize::try_from(node.referenced.line()).unwrap_or(1);
        let value = match node.value {
            Node::Mapping(inner) => {
                collect(text, &format!("{key}/"), inner, entries)?;
                continue;
            }
            Node::List => Err(LIST),
            Node::Null => Err(NULL),
            Node::Text(value) => Ok(text_value(&value)),
            Node::Plain => {
                let span = node.defined.span();
                let written = span.byte_offset().zip(span.byte_len()).and_then(|(start, length)| {
                    let start = usize::try_from(start).ok()?;
                    text.get(start..start + usize::try_from(length).ok()?)
                });
                let Some(written) = written.filter(|written| !written.is_empty()) else {
                    let why = format!("`{key}` is a number whose digits are not preserved: put it in quotes");
                    return Err(Malformed { line, why });
                };
                Ok(text_value(written.trim()))
            }
        };
        entries.push(Entry { key, line, value });
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of names to values")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        while items.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Node::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<String, Spanned<Node>>()? {
            members.push(member);
        }
        Ok(Node::Mapping(members))
    }
}

#[cfg(test)]
mod tests {
    use crate::bundle::Form;
    use crate::bundle::tests::told;

    #[test]
    fn members_are_read_at_any_depth() {
        let text = "# c\nA: 'p$\\n'\nhex: 0x1F\nlong: 007\nn: 1.50\nyes: true\ndb:\n  url: \"a\\nb\"\n  key: |\n    one\n    two\nl:\n  - a\nz: null\ne:\ns: a b # c\n";
        assert_eq!(
            told(Form::Yaml, text),
            [
                "2: A=\"p$\\\\n\"",
                "3: hex=\"0x1F\"",
                "4: long=\"007\"",
                "5: n=\"1.50\"",
                "6: yes=\"true\"",
                "8: db/url=\"a\\nb\"",
                "10: db/key=\"one\\ntwo\\n\"",
                "13: l is a list, which has no name for each of its members",
                "14: z is null",
                "15: e is null",
                "16: s=\"a b\"",
            ]
        );
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        assert_eq!(told(Form::Yaml, "a: 1\na: 2\n"), ["line 2: it is not YAML, or a key occurs twice"]);
        assert_eq!(told(Form::Yaml, "hunter2"), ["line 1: it is not a YAML mapping: expected `NAME: value`"]);
    }
}
