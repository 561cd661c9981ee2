use super::Mark;
use super::shape::quantity;
use crate::units::{Factor, Gpus, Seconds, Time, Watts};
use serde_json::json;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value of a document and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) mark: Mark,
}

/// A TOML value, free of its source text.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    String(String),
    /// Saturated where 128 bits do not hold it.
    Integer(i128),
    /// As written, without underscores.
    Float(String),
    /// A truth value.
    Boolean(bool),
    /// A date, a time of day or both, as written.
    Datetime(String),
    /// A list.
    Array(Array),
    /// Keys and values.
    Table(Map),
}

/// The items of a list.
#[derive(Debug, Clone, Default)]
pub struct Array(pub(super) Vec<Node>);

/// The entries of a table, and where each key stands.
#[derive(Debug, Clone, Default)]
pub struct Map(pub(super) BTreeMap<String, (Mark, Node)>);

impl Value {
    /// What it is, in words, with the value itself where it is short.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::String(text) if text.len() <= 60 => format!("the text `{text}`"),
            Self::String(_) => "a text".to_owned(),
            Self::Integer(number) => format!("`{number}`"),
            Self::Float(text) => format!("`{text}`"),
            Self::Boolean(value) => format!("`{value}`"),
            Self::Datetime(text) => format!("the date `{text}`"),
            Self::Array(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
        }
    }

    pub(super) fn from_toml(value: &DeValue<'_>, origin: u32) -> Self {
        match value {
            DeValue::String(text) => Self::String(text.clone().into_owned()),
            DeValue::Integer(number) => {
                let saturated = if number.as_str().starts_with('-') { i128::MIN } else { i128::MAX };
                Self::Integer(i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(saturated))
            }
            DeValue::Float(number) => Self::Float(number.as_str().replace('_', "")),
            DeValue::Boolean(value) => Self::Boolean(*value),
            DeValue::Datetime(date) => Self::Datetime(date.to_string()),
            DeValue::Array(items) => {
                Self::Array(Array(items.iter().map(|item| Node::from_toml(item, origin)).collect()))
            }
            DeValue::Table(table) => Self::Table(Map::from_toml(table, origin)),
        }
    }
}

impl Map {
    pub(super) fn from_toml(table: &DeTable<'_>, origin: u32) -> Self {
        let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            (name.clone().into_owned(), (Mark::new(origin, key.span()), Node::from_toml(value, origin)))
        };
        Self(table.iter().map(entry).collect())
    }
}

impl Node {
    pub(super) fn from_toml(value: &Spanned<DeValue<'_>>, origin: u32) -> Self {
        Self { value: Value::from_toml(value.get_ref(), origin), mark: Mark::new(origin, value.span()) }
    }
}

/// What can be read from one value of a document.
pub trait Read: Sized {
    /// What a user must write, in words: `a whole number from 0 to 255`.
    fn expected() -> String;
    /// The value, unless it is something else than expected.
    fn read(value: &Value) -> Option<Self>;
    /// The same as JSON Schema, which may take more; by default a text that begins with a digit, or a number.
    #[must_use]
    fn schema() -> serde_json::Value {
        quantity(&Self::expected())
    }
}

impl Read for String {
    fn expected() -> String {
        "a text".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        if let Value::String(text) = value { Some(text.clone()) } else { None }
    }
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }
}

impl Read for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        if let Value::Boolean(value) = value { Some(*value) } else { None }
    }
    fn schema() -> serde_json::Value {
        json!({ "type": "boolean" })
    }
}

macro_rules! read_whole_numbers {
    ($($number:ty),*) => {$(
        impl Read for $number {
            fn expected() -> String {
                format!("a whole number from {} to {}", Self::MIN, Self::MAX)
            }
            fn read(value: &Value) -> Option<Self> {
                if let Value::Integer(number) = value { Self::try_from(*number).ok() } else { None }
            }
            fn schema() -> serde_json::Value {
                json!({ "type": "integer", "minimum": Self::MIN, "maximum": Self::MAX })
            }
        }
    )*};
}
read_whole_numbers!(u8, u16, u32, u64, i32, i64);

impl Read for f64 {
    fn expected() -> String {
        "a number".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let text = match value {
            Value::Integer(number) => number.to_string(),
            Value::Float(text) => text.clone(),
            _ => return None,
        };
        text.parse().ok().filter(|number: &Self| number.is_finite())
    }
    fn schema() -> serde_json::Value {
        json!({ "type": "number" })
    }
}

impl Read for Factor {
    fn expected() -> String {
        "a number above 0 and at most 65535".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        f64::read(value).and_then(Self::from_f64)
    }
    fn schema() -> serde_json::Value {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 65_535, "description": Self::expected() })
    }
}

impl Read for Gpus {
    fn expected() -> String {
        format!("a number of GPUs with at most three decimals, up to {}", Self::MAX_WHOLE)
    }
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => number.to_string().parse().ok(),
            Value::Float(text) | Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl Read for Seconds {
    fn expected() -> String {
        "a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => u32::try_from(*number).ok().map(Self),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl Read for Time {
    fn expected() -> String {
        Seconds::expected()
    }
    fn read(value: &Value) -> Option<Self> {
        Seconds::read(value).map(|since_start| Self::ZERO + since_start)
    }
}

impl Read for Watts {
    fn expected() -> String {
        "a power such as `120 kW` or `1.5 MW`, or a whole number of watts".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => u64::try_from(*number).ok().map(Self),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}
