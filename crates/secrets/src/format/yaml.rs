//! YAML: one tree of what is written; what is not quoted is taken as it is written, `1.50` as
//! `1.50`. All of it is wiped.

use std::borrow::Cow;
use std::fmt;

use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_saphyr::DuplicateKeyPolicy;
use serde_saphyr::Spanned;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::format::entry::Entry;
use crate::format::entry::LIST;
use crate::format::entry::Malformed;
use crate::format::entry::NULL;
use crate::format::entry::text_value;
use crate::format::entry::utf8;
use crate::format::pointer::NoMember;
use crate::format::pointer::index;
use crate::format::scalar::Scalar;
use crate::format::scalar::telling_key;

/// No document of secrets is deeper, and each level takes stack, much of it in a build for tests.
const DEEPEST: usize = 32;

/// A value with its location.
enum Node {
    Mapping(Vec<(String, Spanned<Node>)>),
    List(Vec<Spanned<Node>>),
    Text(SecretValue),
    /// A number or truth value, which counts as it is written; of a whole number its digits, too.
    Plain(Option<Zeroizing<String>>),
    Null,
}

/// All values of a mapping.
pub(super) fn entries(text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let text = utf8(text)?;
    let root = read(text, DuplicateKeyPolicy::Error).map_err(|error| {
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

fn read(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Spanned<Node>, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        duplicate_keys: duplicate_keys,
        budget: serde_saphyr::budget! { max_depth: DEEPEST },
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| Spanned::deserialize(yaml))
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
        let written = written(text, &node);
        let value = match node.value {
            Node::Mapping(inner) => {
                collect(text, &format!("{key}/"), inner, entries)?;
                continue;
            }
            Node::List(_) => Err(LIST),
            Node::Null => Err(NULL),
            Node::Text(value) => Ok(value),
            Node::Plain(_) => {
                let Some(written) = written else {
                    let why = format!("`{key}` is a number whose digits are not preserved: put it in quotes");
                    return Err(Malformed { line, why });
                };
                Ok(text_value(written))
            }
        };
        entries.push(Entry { key, line, value });
    }
    Ok(())
}

/// What is written where a node is defined.
fn written<'a>(text: &'a str, node: &Spanned<Node>) -> Option<&'a str> {
    let span = node.defined.span();
    let (start, length) = span.byte_offset().zip(span.byte_len())?;
    let start = usize::try_from(start).ok()?;
    let written = text.get(start..start + usize::try_from(length).ok()?)?.trim();
    Some(written).filter(|written| !written.is_empty())
}

/// The member's bytes, if it is there and not null.
pub(super) fn select(text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, NoMember> {
    // A key that occurs twice is told apart from what is not YAML. The parser's words may hold the
    // text, so they are dropped.
    let root = read(text, DuplicateKeyPolicy::PassThrough).map_err(|_| NoMember::Format)?;
    if !matches!(root.value, Node::Mapping(_) | Node::List(_)) {
        return Err(NoMember::Format);
    }
    let mut at = &root;
    for key in path {
        let next = match &at.value {
            Node::Mapping(members) => {
                let mut found = members.iter().filter(|(known, _)| known == key);
                let first = found.next();
                if found.next().is_some() {
                    return Err(NoMember::twice());
                }
                first.map(|(_, node)| node)
            }
            Node::List(items) => index(key).and_then(|at| items.get(at)),
            Node::Text(_) | Node::Plain(_) | Node::Null => None,
        };
        let Some(next) = next else { return Ok(None) };
        at = next;
    }
    match &at.value {
        Node::Mapping(_) | Node::List(_) => Err(NoMember::no_text()),
        Node::Text(value) => Ok(Some(value.clone())),
        Node::Plain(_) => match written(text, at) {
            Some(written) => Ok(Some(text_value(written))),
            None => Err(NoMember::Member(
                "this property is a number whose digits are not preserved: put it in quotes".to_owned(),
            )),
        },
        Node::Null => Ok(None),
    }
}

/// All texts and whole numbers, at any depth; none where the text is not YAML, or one scalar.
pub(super) fn scalars(text: &str) -> Vec<Scalar> {
    let mut found = Vec::new();
    match read(text, DuplicateKeyPolicy::PassThrough) {
        Ok(root) if matches!(root.value, Node::Mapping(_) | Node::List(_)) => {
            scalars_of("", &root.value, false, &mut found);
        }
        _ => {}
    }
    found
}

fn scalars_of(key: &str, node: &Node, is_item: bool, found: &mut Vec<Scalar>) {
    match node {
        Node::Mapping(members) => {
            for (own, node) in members {
                scalars_of(telling_key(key, own), &node.value, false, found);
            }
        }
        Node::List(items) => {
            for node in items {
                scalars_of(key, &node.value, true, found);
            }
        }
        Node::Text(value) => found.push(Scalar::new(key, value.plain(), is_item)),
        Node::Plain(Some(digits)) => found.extend(Scalar::of_number(key, digits, is_item)),
        Node::Plain(None) | Node::Null => {}
    }
}

/// A whole number.
#[expect(clippy::unnecessary_wraps, reason = "what the visitor gives back")]
fn whole<E>(number: &impl ToString) -> Result<Node, E> {
    Ok(Node::Plain(Some(Zeroizing::new(number.to_string()))))
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
        Ok(Node::Plain(None))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        whole(&number)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        whole(&number)
    }

    fn visit_i128<E>(self, number: i128) -> Result<Node, E> {
        whole(&number)
    }

    fn visit_u128<E>(self, number: u128) -> Result<Node, E> {
        whole(&number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Plain(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text_value(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(SecretValue::new(text.into_bytes())))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Node, E> {
        Ok(Node::Text(SecretValue::new(bytes.to_vec())))
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
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
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
    use crate::format::Format;
    use crate::format::whole::tests::told;

    #[test]
    fn members_are_read_at_any_depth() {
        let text = "# c\nA: 'p$\\n'\nhex: 0x1F\nlong: 007\nn: 1.50\nyes: true\ndb:\n  url: \"a\\nb\"\n  key: |\n    one\n    two\nl:\n  - a\nz: null\ne:\ns: a b # c\n";
        assert_eq!(
            told(Format::Yaml, text),
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
        assert_eq!(told(Format::Yaml, "a: 1\na: 2\n"), ["line 2: it is not YAML, or a key occurs twice"]);
        assert_eq!(
            told(Format::Yaml, "hunter2"),
            ["line 1: it is not a YAML mapping: expected `NAME: value`"]
        );
    }
}
