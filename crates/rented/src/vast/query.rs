//! The query language of `vastai search offers`: `num_gpus=4 gpu_name=RTX_4090 dph<2`.
//!
//! ```text
//! query = comparison comparison …      op    = = == != > >= < <= in notin, and eq neq gt gte lt lte nin
//! comparison = field op value          value = word, "text", [value, value …], or any
//! ```
//!
//! `_` in a value stands for a blank; `field=any` drops the usual condition on that field.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use doppio_text::Span;
use doppio_text::closest;

use crate::vast::fields;

/// Conditions on offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    filters: Map<String, Value>,
}

/// A query that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at `{}` (character {})", self.at(), self.character())]
pub struct QueryError {
    /// The query.
    pub text: String,
    /// Where, in bytes.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub hint: String,
}

impl QueryError {
    /// What stands there.
    fn at(&self) -> &str {
        self.text.get(self.span.clone()).unwrap_or_default()
    }

    /// Where it stands, counted from 1.
    fn character(&self) -> usize {
        self.text.get(..self.span.start).map_or(0, |before| before.chars().count()) + 1
    }
}

impl Default for Query {
    /// vast.ai's usual conditions: verified machines that can be hired, and none of other sites.
    fn default() -> Self {
        let mut query = Self { filters: Map::new() };
        query.add("verified", "eq", json!(true));
        query.add("external", "eq", json!(false));
        query.add("rentable", "eq", json!(true));
        query
    }
}

impl Query {
    /// Adds a condition: `op` is one of `eq neq gt gte lt lte in notin`.
    pub fn add(&mut self, field: &str, op: &str, value: Value) {
        let conditions = self.filters.entry(field).or_insert_with(|| json!({}));
        conditions[op] = value;
    }

    /// The conditions, as the API takes them.
    pub fn into_filters(self) -> Map<String, Value> {
        self.filters
    }

    /// No conditions: for vendors that know nothing of those of vast.ai.
    #[must_use]
    pub fn bare() -> Self {
        Self { filters: Map::new() }
    }

    /// Adds the conditions of a query's text.
    ///
    /// # Errors
    ///
    /// When it can't be understood, with the location.
    pub fn parse(&mut self, text: &str) -> Result<(), QueryError> {
        let mut reader = Reader { text, at: 0 };
        while reader.skip_blanks() {
            self.comparison(&mut reader)?;
        }
        Ok(())
    }

    fn comparison(&mut self, reader: &mut Reader<'_>) -> Result<(), QueryError> {
        let (name, span) = reader.name()?;
        let field = fields::field(name).to_owned();
        if !fields::FIELDS.contains(&field.as_str()) {
            let near = closest(name, fields::names());
            let hint = near.map_or_else(
                || "`doppio vast search --help` names the usual fields".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(reader.error(span, "there is no such field", hint));
        }
        let (op, op_span) = reader.operator(&field)?;
        let (value, span) = reader.value(matches!(op, "in" | "notin"))?;
        if let [word] = value.as_slice()
            && matches!(word.as_str(), "any" | "*" | "?")
        {
            if op != "eq" {
                return Err(reader.error(
                    op_span,
                    "only `=` can stand before `any`",
                    format!("write `{field}=any`"),
                ));
            }
            self.filters.remove(&field);
            return Ok(());
        }
        let scalar = |word: &str| {
            typed(&field, word).ok_or_else(|| {
                let what =
                    if field == "driver_version" { "a version such as `535.86.05`" } else { "a number" };
                let message = format!("`{field}` takes {what}");
                reader.error(span.clone(), &message, format!("write it as in `{field}>=…`"))
            })
        };
        let value = match (op, value.as_slice()) {
            ("in" | "notin", words) => {
                Value::Array(words.iter().map(|word| scalar(word)).collect::<Result<_, _>>()?)
            }
            (_, [word]) => scalar(word)?,
            (_, words) => {
                let list = words.join(",");
                let hint = format!("write `{field} in [{list}]`");
                return Err(reader.error(op_span, "only `in` and `notin` take a list", hint));
            }
        };
        self.add(&field, op, value);
        Ok(())
    }
}

/// A word as the API takes it; none if it is not what the field needs.
fn typed(field: &str, word: &str) -> Option<Value> {
    if let Some(factor) = fields::factor(field) {
        return Some(json!(word.parse::<f64>().ok().filter(|number| number.is_finite())? * factor));
    }
    if field == "driver_version" {
        return driver(word).map(Value::from);
    }
    Some(match word {
        "true" | "True" => json!(true),
        "false" | "False" => json!(false),
        "null" | "None" => Value::Null,
        word => match (word.parse::<i64>(), word.parse::<f64>()) {
            // What is written with a zero before it, or as `inf`, is a text.
            (Ok(whole), _) if whole.to_string() == word => json!(whole),
            (_, Ok(number)) if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.') => {
                json!(number)
            }
            _ => json!(word.replace('_', " ")),
        },
    })
}

/// A driver's version as one number: three digits for each part.
fn driver(word: &str) -> Option<u64> {
    if !word.contains('.') {
        return word.parse().ok();
    }
    let parts: Vec<&str> = word.split('.').collect();
    let is_part =
        |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(is_part) {
        return None;
    }
    let part = |at: usize| parts.get(at).and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
    Some((part(0) * 1000 + part(1)) * 1000 + part(2))
}

/// The fields to sort by, as in `num_gpus,total_flops-`, and whether from the largest down.
///
/// # Errors
///
/// When a field does not exist.
pub fn parse_order(text: &str) -> Result<Vec<(String, bool)>, QueryError> {
    let mut order = Vec::new();
    let mut at = 0;
    for part in text.split(',') {
        let name = part.trim().trim_matches(['-', '+']);
        let field = fields::field(name);
        if !name.is_empty() {
            if !fields::FIELDS.contains(&field) {
                let near = closest(name, fields::names());
                return Err(QueryError {
                    text: text.to_owned(),
                    span: at..at + part.len(),
                    message: "there is no such field to sort by".to_owned(),
                    hint: near.map_or_else(
                        || "`price`, `reliability-` and `dlperf_usd-` are usual".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    ),
                });
            }
            order.push((field.to_owned(), part.contains('-')));
        }
        at += part.len() + 1;
    }
    Ok(order)
}

/// The text of a query, from left to right.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Whether something is left.
    fn skip_blanks(&mut self) -> bool {
        self.at = self.text.len() - self.rest().trim_start().len();
        !self.rest().is_empty()
    }

    fn error(&self, span: Span, message: &str, hint: impl Into<String>) -> QueryError {
        QueryError { text: self.text.to_owned(), span, message: message.to_owned(), hint: hint.into() }
    }

    /// The end of what `fits`.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> (&'a str, Span) {
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let span = self.at..self.at + end;
        self.at += end;
        (&rest[..end], span)
    }

    fn name(&mut self) -> Result<(&'a str, Span), QueryError> {
        let (name, span) = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() {
            let (found, span) = self.take(|c| !c.is_whitespace());
            let hint = format!(
                "write comparisons such as `num_gpus=4`; quote the query: {}",
                doppio_text::shell::typed(["doppio", "vast", "search", self.text])
            );
            return Err(self.error(span, &format!("expected a field, found `{found}`"), hint));
        }
        Ok((name, span))
    }

    /// The API's word for an operator, by sign or by word.
    fn operator(&mut self, field: &str) -> Result<(&'static str, Span), QueryError> {
        self.skip_blanks();
        let (sign, mut span) = self.take(|c| "=!<>".contains(c));
        let mut found = sign.to_owned();
        if sign.is_empty() {
            let (word, of_word) = self.take(|c| c.is_ascii_alphabetic());
            (found, span) = (word.to_owned(), of_word);
            if word == "not" {
                self.skip_blanks();
                let (second, end) = self.take(|c| c.is_ascii_alphabetic());
                found += second;
                span.end = end.end;
            }
        }
        let op = match found.as_str() {
            "=" | "==" | "eq" => "eq",
            "!=" | "neq" | "noteq" => "neq",
            ">" | "gt" => "gt",
            ">=" | "gte" => "gte",
            "<" | "lt" => "lt",
            "<=" | "lte" => "lte",
            "in" => "in",
            "notin" | "nin" => "notin",
            _ => {
                let hint = format!(
                    "write one of `= != > >= < <= in notin`, as in `{field}=…`; a shell takes `<` and `>` for itself \
                     where the query is not quoted"
                );
                return Err(self.error(span, &format!("expected an operator after `{field}`"), hint));
            }
        };
        Ok((op, span))
    }

    /// The words of a value, of which there is one but in a list.
    fn value(&mut self, is_list: bool) -> Result<(Vec<String>, Span), QueryError> {
        self.skip_blanks();
        let start = self.at;
        let words = match self.rest().chars().next() {
            Some('[') => {
                let Some(end) = self.rest().find(']') else {
                    return Err(self.error(start..self.text.len(), "the list has no `]`", "close it"));
                };
                let inner = &self.rest()[1..end];
                self.at += end + 1;
                let words =
                    inner.split(',').map(|word| word.trim().trim_matches(['"', '\'']).trim().to_owned());
                words.filter(|word| !word.is_empty()).collect()
            }
            Some(quote @ ('"' | '\'')) => {
                let Some(end) = self.rest()[1..].find(quote) else {
                    return Err(self.error(
                        start..self.text.len(),
                        "the text has no closing quote",
                        "close it",
                    ));
                };
                let inner = self.rest()[1..=end].to_owned();
                self.at += end + 2;
                vec![inner]
            }
            _ => {
                let (word, _) = self.take(|c| !c.is_whitespace());
                let word = word.trim_end_matches(',');
                if is_list {
                    word.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
                } else {
                    Some(word.to_owned()).filter(|word| !word.is_empty()).into_iter().collect::<Vec<_>>()
                }
            }
        };
        let span = start..self.at;
        if words.is_empty() {
            return Err(self.error(span, "a value is missing", "write one behind the operator"));
        }
        Ok((words, span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(text: &str) -> Value {
        let mut query = Query { filters: Map::new() };
        query.parse(text).unwrap();
        query.into_filters().into()
    }

    fn error(text: &str) -> QueryError {
        Query::default().parse(text).unwrap_err()
    }

    // The examples of `vastai search offers --help`, 1.9.1.
    #[test]
    fn the_documented_examples_are_understood() {
        assert_eq!(
            filters("reliability > 0.98 num_gpus=1 gpu_name=RTX_3090"),
            json!({ "reliability": { "gt": 0.98 }, "num_gpus": { "eq": 1 }, "gpu_name": { "eq": "RTX 3090" } })
        );
        assert_eq!(
            filters("compute_cap > 610 total_flops > 5 datacenter=True"),
            json!({ "compute_cap": { "gt": 610 }, "total_flops": { "gt": 5 }, "datacenter": { "eq": true } })
        );
        assert_eq!(
            filters("reliability>0.99 num_gpus=4 geolocation in [TW,SE]"),
            json!({ "reliability": { "gt": 0.99 }, "num_gpus": { "eq": 4 }, "geolocation": { "in": ["TW", "SE"] } })
        );
        assert_eq!(
            filters(r#"gpu_name in ["RTX 4090", "RTX 3090"] geolocation notin [CN,VN]"#),
            json!({ "gpu_name": { "in": ["RTX 4090", "RTX 3090"] }, "geolocation": { "notin": ["CN", "VN"] } })
        );
        assert_eq!(
            filters(
                "disk_space>146 duration>24 gpu_ram>10 cuda_vers>=12.1 direct_port_count>=2 driver_version >= 535.86.05"
            ),
            json!({
                "disk_space": { "gt": 146 }, "duration": { "gt": 2_073_600.0 }, "gpu_ram": { "gt": 10_000.0 },
                "cuda_max_good": { "gte": 12.1 }, "direct_port_count": { "gte": 2 },
                "driver_version": { "gte": 535_086_005 },
            })
        );
        assert_eq!(filters("cpu_arch=arm64"), json!({ "cpu_arch": { "eq": "arm64" } }));
    }

    #[test]
    fn words_lists_and_ranges_are_understood() {
        assert_eq!(filters("num_gpus gte 2 num_gpus lte 4"), json!({ "num_gpus": { "gte": 2, "lte": 4 } }));
        assert_eq!(filters("geolocation not in DE,FR"), json!({ "geolocation": { "notin": ["DE", "FR"] } }));
        assert_eq!(filters("gpu_name != 'H100 SXM'"), json!({ "gpu_name": { "neq": "H100 SXM" } }));
        assert_eq!(filters("dph<2.5"), json!({ "dph_total": { "lt": 2.5 } }));
    }

    #[test]
    fn any_drops_the_usual_condition() {
        let mut query = Query::default();
        query.parse("verified=any rentable==any").unwrap();
        assert_eq!(Value::from(query.into_filters()), json!({ "external": { "eq": false } }));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_location() {
        let field = error("num_gpus=4 gpu_nam=RTX_4090");
        assert_eq!((field.span.clone(), field.hint.as_str()), (11..18, "did you mean `gpu_name`?"));
        assert_eq!(field.to_string(), "there is no such field, at `gpu_nam` (character 12)");
        assert_eq!(error("num_gpus 4").message, "expected an operator after `num_gpus`");
        assert_eq!(error("num_gpus=").message, "a value is missing");
        assert_eq!(error("gpu_ram>much").message, "`gpu_ram` takes a number");
        assert_eq!(
            error("driver_version>=a.b").message,
            "`driver_version` takes a version such as `535.86.05`"
        );
        assert_eq!(error("geolocation in [DE").message, "the list has no `]`");
        assert_eq!(error("geolocation = [DE,FR]").message, "only `in` and `notin` take a list");
        assert_eq!(error("gpu_name=\"RTX").message, "the text has no closing quote");
        assert_eq!(error("verified!=any").message, "only `=` can stand before `any`");
        assert_eq!(error("=4").message, "expected a field, found `=4`");
    }

    #[test]
    fn an_order_names_fields_and_directions() {
        let order = parse_order("num_gpus-, price").unwrap();
        assert_eq!(order, [("num_gpus".to_owned(), true), ("dph_total".to_owned(), false)]);
        assert_eq!(parse_order("price,prize").unwrap_err().span, 6..11);
    }
}
