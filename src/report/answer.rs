//! What commands answer with `--json`: which schema it follows, and the schemas themselves.
//!
//! A room that writes an answer says beside it how the answer looks, as a template: `"integer"`, `"number"`, `"string"`,
//! `"boolean"` stand for a value, with a `?` for one that may be null; `[x]` for a list; an object for one with exactly
//! these keys, those with a `?` at their end only at times; `{ "*": x }` for one with any keys; `{ "?": x }` for what
//! may be null; `{ "|": [a, b] }` for what is one of these.

use super::{compare, explain, fit, inspected, run, size, sweep};
use serde_json::{Map, Value, json};

/// An answer for machines.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// As `gigawatt schema` calls it.
    pub name: &'static str,
    /// Raised when keys of the answer come, go or change their kind.
    pub version: u32,
    /// Which command gives it, and what it is.
    pub about: &'static str,
    /// Its template, but for what all answers have.
    shape: fn() -> Value,
}

/// Every answer.
pub const ANSWERS: &[Answer] = &[
    of(("simulate", 7), "simulate --json, and summary.json: every number of a run", run::shape),
    of(
        ("compare", 5),
        "compare --json, and comparison.json: contenders, measures and intervals",
        compare::shape,
    ),
    of(("sweep", 2), "sweep --json: points, means and effects", sweep::shape),
    of(("size", 2), "size --json: the least of something that meets targets", size::shape),
    of(("fit", 3), "fit --json: when a job would start", fit::shape),
    of(("explain", 6), "explain RUN JOB --json: why a job waited", explain::job_shape),
    of(("explain-at", 1), "explain RUN --at TIME --json: cluster and queue at an instant", explain::at_shape),
    of(
        ("explain-usage", 5),
        "explain RUN --tenant or --queue --json: held, borrowed and lent",
        explain::usage_shape,
    ),
    of(("inspect", 1), "inspect --json: what a workload asks for", inspected::profile_shape),
    of(("inspect-requests", 1), "inspect --json of requests to models", inspected::requests_shape),
    of(("inspect-two", 1), "inspect --json of two workloads: their quantiles", inspected::two_shape),
];

const fn of((name, version): (&'static str, u32), about: &'static str, shape: fn() -> Value) -> Answer {
    Answer { name, version, about, shape }
}

impl Answer {
    /// What the key `schema` of the answer says.
    ///
    /// ```
    /// assert_eq!(gigawatt::report::ANSWERS[1].id(), "urn:gigawatt:compare:5");
    /// ```
    #[must_use]
    pub fn id(&self) -> String {
        format!("urn:gigawatt:{}:{}", self.name, self.version)
    }
    /// The schema (JSON Schema, draft 2020-12): an answer has these keys and no other.
    ///
    /// ```
    /// let schema = gigawatt::report::ANSWERS[1].schema();
    /// assert_eq!(schema["properties"]["seeds"]["items"]["type"], "integer");
    /// ```
    #[must_use]
    pub fn schema(&self) -> Value {
        let mut schema = schema(&(self.shape)());
        schema["properties"]["schema"] = json!({ "const": self.id() });
        schema["properties"]["version"] = json!({ "type": "string", "description": "of gigawatt" });
        for always in ["schema", "version"] {
            if let Some(required) = schema["required"].as_array_mut() {
                required.push(always.into());
            }
        }
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["$id"] = self.id().into();
        schema["title"] = format!("gigawatt {}", self.about).into();
        schema
    }
}

/// An answer as text: what it says, after which schema, by which version of gigawatt.
///
/// # Panics
/// If no schema has that name, or the answer is no object.
pub(super) fn text(name: &str, mut said: Value) -> String {
    let answer = ANSWERS.iter().find(|answer| answer.name == name).expect("an answer of the table");
    said["schema"] = answer.id().into();
    said["version"] = env!("CARGO_PKG_VERSION").into();
    format!("{said:#}\n")
}

/// The template of an object with a key for each of these names.
pub(super) fn each<'a>(names: impl IntoIterator<Item = &'a str>, shape: &Value) -> Value {
    Value::Object(names.into_iter().map(|name| (name.to_owned(), shape.clone())).collect())
}

/// The schema of a template.
fn schema(template: &Value) -> Value {
    match template {
        Value::String(name) => match name.strip_suffix('?') {
            Some(name) => json!({ "type": [name, "null"] }),
            None => json!({ "type": name }),
        },
        Value::Array(items) => json!({ "type": "array", "items": items.first().map_or(json!({}), schema) }),
        Value::Object(fields) => {
            let special = |key: &str| fields.get(key).filter(|_| fields.len() == 1);
            if let Some(any) = special("*") {
                return json!({ "type": "object", "additionalProperties": schema(any) });
            }
            if let Some(known) = special("?") {
                return json!({ "anyOf": [schema(known), { "type": "null" }] });
            }
            if let Some(Value::Array(ways)) = special("|") {
                return json!({ "anyOf": ways.iter().map(schema).collect::<Vec<_>>() });
            }
            let name = |key: &String| key.trim_end_matches('?').to_owned();
            let properties: Map<String, Value> =
                fields.iter().map(|(key, value)| (name(key), schema(value))).collect();
            let required: Vec<&String> = fields.keys().filter(|key| !key.ends_with('?')).collect();
            json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            })
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_become_schemas() {
        let found = schema(&json!({ "at": "integer", "until?": "number?", "jobs": [{ "*": "string" }] }));
        let expected = json!({
            "type": "object",
            "properties": {
                "at": { "type": "integer" },
                "until": { "type": ["number", "null"] },
                "jobs": { "type": "array", "items": { "type": "object", "additionalProperties": { "type": "string" } } },
            },
            "required": ["at", "jobs"],
            "additionalProperties": false,
        });
        assert_eq!(found, expected);
        let either = schema(&json!({ "|": ["integer", { "?": "string" }] }));
        assert_eq!(either["anyOf"][1]["anyOf"][1], json!({ "type": "null" }));
    }

    /// What every schema says, as a digest of it.
    const KNOWN: &[(&str, &str)] = &[
        ("urn:gigawatt:simulate:7", "af56aa8f"),
        ("urn:gigawatt:compare:5", "715a37dd"),
        ("urn:gigawatt:sweep:2", "13bb4b55"),
        ("urn:gigawatt:size:2", "51eed43f"),
        ("urn:gigawatt:fit:3", "7cd6f739"),
        ("urn:gigawatt:explain:6", "c7fe35b6"),
        ("urn:gigawatt:explain-at:1", "c3206c45"),
        ("urn:gigawatt:explain-usage:5", "3addc9ab"),
        ("urn:gigawatt:inspect:1", "a25b1009"),
        ("urn:gigawatt:inspect-requests:1", "4e6af103"),
        ("urn:gigawatt:inspect-two:1", "b8480e78"),
    ];

    #[test]
    fn a_schema_whose_keys_change_is_another_version() {
        let digest =
            |answer: &Answer| blake3::hash(schema(&(answer.shape)()).to_string().as_bytes()).to_hex();
        let found: Vec<(String, String)> =
            ANSWERS.iter().map(|answer| (answer.id(), digest(answer)[..8].to_owned())).collect();
        let known: Vec<(String, String)> =
            KNOWN.iter().map(|(id, digest)| ((*id).to_owned(), (*digest).to_owned())).collect();
        assert_eq!(found, known, "raise the version of an answer that changed, then its digest here");
    }

    #[test]
    fn every_answer_has_a_name_of_its_own_and_closed_keys() {
        let mut names: Vec<&str> = ANSWERS.iter().map(|answer| answer.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ANSWERS.len());
        for answer in ANSWERS {
            let schema = answer.schema();
            assert_eq!(schema["additionalProperties"], false, "{}", answer.name);
            assert!(schema["properties"].as_object().is_some_and(|keys| keys.len() > 3), "{}", answer.name);
        }
    }
}
