use crate::error::{Place, Problem};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::cell::Cell;
use std::fmt;

/// A value in YAML or JSON, where it stands, and whether anything was made of it.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: usize,
    kind: Kind,
    is_read: Cell<bool>,
}

#[derive(Debug, Clone)]
enum Kind {
    Nothing,
    Scalar(serde_json::Value),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl Node {
    /// The documents of a text.
    ///
    /// # Errors
    /// It is no YAML, or what aliases make of it is too much.
    pub(super) fn documents(file: &str, text: &str) -> Result<Vec<Self>, Box<Problem>> {
        // Whatever aliases make of a text is bounded.
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_documents: 100_000, max_events: 20_000_000, max_nodes: 10_000_000 },
            with_snippet: false,
            // A queue may be called `y`.
            strict_booleans: true,
        };
        serde_saphyr::from_multiple_with_options::<Self>(text, options).map_err(|error| {
            let line =
                error.location().and_then(|place| usize::try_from(place.line()).ok()).unwrap_or(1).max(1);
            let shown = text.lines().nth(line - 1).unwrap_or_default();
            Box::new(Problem::new(format!("not YAML: {error}")).at(Place::line(file, line, shown.as_bytes())))
        })
    }

    /// What stands under a key, which is thereby read.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.is_read.set(true);
        let Kind::Table(entries) = &self.kind else { return None };
        let found = entries.iter().find(|(known, _)| known == key).map(|(_, node)| node)?;
        found.is_read.set(true);
        (!matches!(found.kind, Kind::Nothing)).then_some(found)
    }
    /// What stands under keys below one another.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }
    /// The entries of a table, in their order; none of anything else.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.is_read.set(true);
        let entries = if let Kind::Table(entries) = &self.kind { entries.as_slice() } else { &[] };
        entries.iter().map(|(key, node)| (key.as_str(), node))
    }
    /// The values of a list, in their order; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        self.is_read.set(true);
        if let Kind::List(items) = &self.kind { items } else { &[] }
    }
    pub(super) const fn is_list(&self) -> bool {
        matches!(self.kind, Kind::List(_))
    }
    pub(super) const fn is_table(&self) -> bool {
        matches!(self.kind, Kind::Table(_))
    }
    /// A scalar as JSON has it.
    pub(super) fn scalar(&self) -> Option<&serde_json::Value> {
        self.is_read.set(true);
        if let Kind::Scalar(value) = &self.kind { Some(value) } else { None }
    }
    /// A scalar as text.
    pub(super) fn text(&self) -> Option<String> {
        self.scalar().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
    /// Nothing below it is looked at any more.
    pub(super) fn settle(&self) {
        self.is_read.set(true);
        match &self.kind {
            Kind::List(items) => items.iter().for_each(Self::settle),
            Kind::Table(entries) => entries.iter().for_each(|(_, node)| node.settle()),
            Kind::Nothing | Kind::Scalar(_) => {}
        }
    }
    /// What nobody read, from above: the path of each and itself.
    pub(super) fn unread<'n>(&'n self, path: &str, found: &mut Vec<(String, &'n Self)>) {
        if matches!(self.kind, Kind::Nothing) {
            return;
        }
        if !self.is_read.get() {
            found.push((path.to_owned(), self));
            return;
        }
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match &self.kind {
            Kind::List(items) => {
                (0..).zip(items).for_each(|(index, node)| node.unread(&format!("{path}[{index}]"), found));
            }
            Kind::Table(entries) => entries.iter().for_each(|(key, node)| node.unread(&below(key), found)),
            Kind::Nothing | Kind::Scalar(_) => {}
        }
    }
    /// What it is, in a few words.
    pub(super) fn told(&self) -> String {
        match &self.kind {
            Kind::Nothing => "nothing".to_owned(),
            Kind::Scalar(_) => format!("`{}`", self.text().unwrap_or_default()),
            Kind::List(_) => "a list".to_owned(),
            Kind::Table(_) => "a table".to_owned(),
        }
    }
    /// What is under a name, as far as that is said in a word or a few.
    pub(super) fn under(&self, name: &str) -> String {
        let words = |items: &[Self]| {
            items.iter().map(|item| item.scalar().and(item.text())).collect::<Option<Vec<_>>>()
        };
        match &self.kind {
            Kind::Scalar(_) => format!("{name}: {}", self.text().unwrap_or_default()),
            Kind::List(items) => {
                words(items).map_or_else(|| name.to_owned(), |words| format!("{name}: {}", words.join(", ")))
            }
            Kind::Nothing | Kind::Table(_) => name.to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        let line = usize::try_from(spanned.referenced.line()).unwrap_or(1).max(1);
        Ok(Self { line, kind: spanned.value, is_read: Cell::new(false) })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Nothing)
    }
    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Nothing)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = table.next_entry::<Node, Node>()? {
            entries.push((key.text().unwrap_or_default(), node));
        }
        Ok(Kind::Table(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
kind: Queue
spec:
  weight: 2
  parent:
  list: [a, {b: 1k}]
---
{\"kind\": \"Other\"}
";

    #[test]
    fn values_know_their_lines() {
        let documents = Node::documents("a.yaml", TEXT).unwrap();
        assert_eq!(documents.len(), 2, "two documents");
        let weight = documents[0].at(&["spec", "weight"]).unwrap();
        assert_eq!((weight.line, weight.text()), (3, Some("2".to_owned())), "a number");
        assert!(documents[0].at(&["spec", "parent"]).is_none(), "nothing");
        let list = documents[0].at(&["spec", "list"]).unwrap();
        assert_eq!(
            (list.line, list.items().len(), list.items()[1].get("b").unwrap().line),
            (5, 2, 5),
            "inside"
        );
        assert_eq!(documents[1].get("kind").unwrap().line, 7, "JSON is YAML");
    }

    #[test]
    fn what_nobody_read_is_told() {
        let documents = Node::documents("a.yaml", TEXT).unwrap();
        documents[0].at(&["spec", "weight"]);
        let mut found = Vec::new();
        documents[0].unread("", &mut found);
        let told: Vec<(&str, usize)> = found.iter().map(|(path, node)| (path.as_str(), node.line)).collect();
        assert_eq!(told, [("kind", 1), ("spec.list", 5)], "the rest of it");
        documents[0].settle();
        found.clear();
        documents[0].unread("", &mut found);
        assert!(found.is_empty(), "all of it");
    }

    #[test]
    fn what_is_no_yaml_has_its_line() {
        for text in ["a: [1,\nb", "a: 'x", "\t- a: {", "&a [*a, *a]: *b"] {
            let problem = Node::documents("a.yaml", text).unwrap_err();
            assert!(problem.brief().starts_with("a.yaml:"), "{}", problem.brief());
        }
    }
}
