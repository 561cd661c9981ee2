use super::shape::{self, Place};
use super::value::{Map, Node, Read, Value};
use super::{Document, Mark, Placed};
use crate::error::Problem;

/// A table of a document, read key by key; [`Table::finish`] then reports the keys that nobody asked for.
#[derive(Debug, Clone)]
pub struct Table<'d> {
    document: &'d Document,
    map: &'d Map,
    mark: Mark,
    asked: Vec<&'static str>,
    /// Where what is asked of it is noted.
    place: Place,
}

impl<'d> Table<'d> {
    pub(super) fn new(document: &'d Document, map: &'d Map, mark: Mark, place: Place) -> Self {
        let place = shape::note(&document.notes, |shape| shape.table(place));
        Self { document, map, mark, asked: Vec::new(), place }
    }
    /// Says that the table is one of a kind that is read in several places, and is read alike there.
    pub fn as_kind(&mut self, name: &'static str) {
        self.place = shape::note(&self.document.notes, |shape| shape.kind(self.place, name));
    }
    /// Notes that a key is asked for.
    fn note(&self, key: &str, is_needed: bool) -> Place {
        shape::note(&self.document.notes, |shape| shape.key(self.place, key, is_needed))
    }
    /// Notes what the value of a key is asked to be, whether it is there or not.
    fn note_value<T: Read>(&self, key: &str) {
        let place = self.note(key, false);
        shape::note(&self.document.notes, |shape| shape.value(place, T::schema()));
    }
    /// The document it stands in.
    #[must_use]
    pub const fn document(&self) -> &'d Document {
        self.document
    }
    /// Where it stands: its header, or itself if written inline.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        self.mark
    }
    /// Whether the key is there; this does not count as reading it.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.map.0.contains_key(key)
    }
    /// Where the key itself stands.
    #[must_use]
    pub fn key_mark(&self, key: &str) -> Option<Mark> {
        self.map.0.get(key).map(|(mark, _)| *mark)
    }
    /// The value of a key, whatever it is; none if it is not there.
    pub fn item(&mut self, key: &'static str) -> Option<Item<'d>> {
        if self.asked.is_empty() {
            shape::note(&self.document.notes, |shape| shape.begun(self.place));
        }
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let place = self.note(key, false);
        let (_, node) = self.map.0.get(key)?;
        Some(Item { document: self.document, node, name: key.to_owned(), place })
    }
    /// As [`Table::item`], but its absence is a problem.
    pub fn required_item(&mut self, key: &'static str) -> Option<Item<'d>> {
        self.note(key, true);
        let item = self.item(key);
        if item.is_none() {
            self.document.missing(self.mark, key, None);
        }
        item
    }
    /// As [`Table::required_item`], with a hint how to make good its absence.
    pub fn required_or_hint(&mut self, key: &'static str, hint: &str) -> Option<Item<'d>> {
        self.note(key, true);
        let item = self.item(key);
        if item.is_none() {
            self.document.missing(self.mark, key, Some(hint));
        }
        item
    }
    /// The value of a key; none if it is not there or, which is then reported, not what was expected.
    pub fn optional<T: Read>(&mut self, key: &'static str) -> Option<Placed<T>> {
        self.note_value::<T>(key);
        self.item(key)?.read()
    }
    /// As [`Table::optional`], but its absence is a problem.
    pub fn required<T: Read>(&mut self, key: &'static str) -> Option<Placed<T>> {
        self.note_value::<T>(key);
        self.required_item(key)?.read()
    }
    /// The value of a key, or `default`.
    pub fn value_or<T: Read>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).map_or(default, |placed| placed.value)
    }
    /// The name under a key, which must be one of `known`; what belongs to it.
    pub fn choice<T: Copy>(&mut self, key: &'static str, known: &[(&str, T)]) -> Option<Placed<T>> {
        let place = self.note(key, false);
        shape::note(&self.document.notes, |shape| shape.names(place, known.iter().map(|(name, _)| *name)));
        self.item(key)?.choice(known)
    }
    /// The text under a key: one of `known`, or something else that the caller understands.
    pub fn name<'n>(
        &mut self,
        key: &'static str,
        known: impl Iterator<Item = &'n str>,
    ) -> Option<Placed<String>> {
        let place = self.note(key, false);
        shape::note(&self.document.notes, |shape| shape.names(place, known));
        self.optional(key)
    }
    /// The items of a list; empty if it is not there.
    pub fn list<T: Read>(&mut self, key: &'static str) -> Vec<Placed<T>> {
        let place = self.note(key, false);
        let item = shape::note(&self.document.notes, |shape| shape.item(place));
        shape::note(&self.document.notes, |shape| shape.value(item, T::schema()));
        let items = self.item(key).and_then(Item::items).unwrap_or_default();
        items.into_iter().filter_map(|item| item.read()).collect()
    }
    /// The table under a key.
    pub fn table(&mut self, key: &'static str) -> Option<Self> {
        self.item(key)?.table()
    }
    /// The tables under a key: `[[key]]` of a TOML file; a single table counts as one.
    pub fn tables(&mut self, key: &'static str) -> Vec<Self> {
        let Some(item) = self.item(key) else { return Vec::new() };
        match &item.node.value {
            Value::Table(_) => item.table().into_iter().collect(),
            Value::Array(_) => item.items().unwrap_or_default().into_iter().filter_map(Item::table).collect(),
            _ => {
                item.wrong("a table");
                Vec::new()
            }
        }
    }
    /// The tables of a table whose keys the user chose, in file order: `[key.one]`, `[key.two]`.
    pub fn named_tables(&mut self, key: &'static str) -> Vec<(Placed<String>, Self)> {
        let Some(table) = self.table(key) else { return Vec::new() };
        let entries = table.entries();
        entries.into_iter().filter_map(|(name, item)| Some((name, item.table()?))).collect()
    }
    /// Every key and its value, in file order; all of them count as read.
    #[must_use]
    pub fn entries(self) -> Vec<(Placed<String>, Item<'d>)> {
        let mut entries: Vec<_> = (self.map.0.iter())
            .map(|(key, (mark, node))| {
                let place = shape::note(&self.document.notes, |shape| shape.other(self.place));
                let item = Item { document: self.document, node, name: key.clone(), place };
                (Placed { value: key.clone(), mark: *mark }, item)
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.mark);
        entries
    }
    /// Reports a problem of the table as a whole.
    pub fn complain(&self, problem: Problem) {
        self.document.complain(self.mark, problem);
    }
    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        for (key, (mark, _)) in &self.map.0 {
            if !self.asked.contains(&key.as_str()) {
                let problem = Problem::new(format!("unknown key `{key}`"));
                self.document.complain(*mark, problem.hint_nearest(key, self.asked.iter().copied()));
            }
        }
    }
}

/// A value of a document that may be of several types.
#[derive(Debug, Clone)]
pub struct Item<'d> {
    document: &'d Document,
    node: &'d Node,
    /// The key under which it, or the list that holds it, stands.
    name: String,
    /// Where what is asked of it is noted.
    place: Place,
}

impl<'d> Item<'d> {
    /// The document it stands in.
    #[must_use]
    pub const fn document(&self) -> &'d Document {
        self.document
    }
    /// Where it stands.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        self.node.mark
    }
    /// Whether it is a text.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self.node.value, Value::String(_))
    }
    /// Whether it is a table.
    #[must_use]
    pub const fn is_table(&self) -> bool {
        matches!(self.node.value, Value::Table(_))
    }
    /// Whether it is a list.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        matches!(self.node.value, Value::Array(_))
    }
    /// Its value; none, which is then reported, if it is not what was expected.
    #[must_use]
    pub fn read<T: Read>(&self) -> Option<Placed<T>> {
        shape::note(&self.document.notes, |shape| shape.value(self.place, T::schema()));
        let value = T::read(&self.node.value);
        if value.is_none() {
            self.wrong(&T::expected());
        }
        Some(Placed { value: value?, mark: self.mark() })
    }
    /// A text, number or date as it is written; none if it is something else.
    #[must_use]
    pub fn scalar(&self) -> Option<String> {
        let kind = || serde_json::json!({ "type": ["string", "number"] });
        shape::note(&self.document.notes, |shape| shape.value(self.place, kind()));
        match &self.node.value {
            Value::String(text) | Value::Float(text) | Value::Datetime(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Boolean(_) | Value::Array(_) | Value::Table(_) => None,
        }
    }
    /// What belongs to the name it is.
    #[must_use]
    pub fn choice<T: Copy>(&self, known: &[(&str, T)]) -> Option<Placed<T>> {
        let names = known.iter().map(|(name, _)| *name);
        shape::note(&self.document.notes, |shape| shape.names(self.place, names.clone()));
        let name = String::read(&self.node.value).or_else(|| {
            self.wrong(&String::expected());
            None
        })?;
        let found = known.iter().find(|(known, _)| *known == name);
        if found.is_none() {
            let problem = Problem::new(format!("unknown {} `{name}`", self.name.replace('_', " ")));
            self.document.complain(self.mark(), problem.hint_nearest(&name, names));
        }
        Some(Placed { value: found?.1, mark: self.mark() })
    }
    /// The text it is: one of `known`, or something else that the caller understands.
    pub fn name<'n>(&self, known: impl Iterator<Item = &'n str>) -> Option<Placed<String>> {
        shape::note(&self.document.notes, |shape| shape.names(self.place, known));
        self.read()
    }
    /// The table it is.
    #[must_use]
    pub fn table(self) -> Option<Table<'d>> {
        if let Value::Table(map) = &self.node.value {
            return Some(Table::new(self.document, map, self.node.mark, self.place));
        }
        self.wrong("a table");
        None
    }
    /// The items of the list it is.
    #[must_use]
    pub fn items(self) -> Option<Vec<Self>> {
        let place = shape::note(&self.document.notes, |shape| shape.item(self.place));
        if let Value::Array(items) = &self.node.value {
            let item = |node| Self { document: self.document, node, name: self.name.clone(), place };
            return Some(items.0.iter().map(item).collect());
        }
        self.wrong("a list");
        None
    }
    /// Reports that something else was expected.
    pub fn wrong(&self, expected: &str) {
        let found = self.node.value.describe();
        let problem = Problem::new(format!("`{}`: expected {expected}, found {found}", self.name));
        self.document.complain(self.mark(), problem);
    }
}
