//! What a reader asks of a document, noted while it reads, and told as JSON Schema.
//!
//! There is no list of keys beside the reader: what is noted is what was asked, so that neither can know more than the
//! other.
//!
//! ```
//! use gigawatt::document::{Document, Shape};
//! use gigawatt::units::Seconds;
//! let read = |document: &Document| {
//!     let mut root = document.root();
//!     root.optional::<Seconds>("cycle");
//!     root.choice("oversized", &[("error", 0), ("reject", 1)]);
//!     root.finish();
//! };
//! let shape = Shape::of(["cycle = \"30s\""], read);
//! let schema = shape.schema("a scenario");
//! assert_eq!(schema["properties"]["oversized"]["enum"][1], "reject");
//! assert_eq!(schema["additionalProperties"], false);
//! ```

use super::Document;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a table or value stands in a shape: the root is 0.
pub(super) type Place = usize;

/// What was asked of documents.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    places: Vec<Asked>,
    /// Where the first table of a kind stands that is read in several places.
    kinds: BTreeMap<&'static str, Place>,
}

/// What was asked of one place.
#[derive(Debug, Clone, Default)]
struct Asked {
    /// Whether a table was read here.
    is_table: bool,
    /// How many tables were read here.
    tables: usize,
    /// By key: where it leads, and how often it had to be there.
    keys: BTreeMap<String, (Place, usize)>,
    /// Where keys of the user's choice lead.
    others: Option<Place>,
    /// Where the items of a list lead.
    items: Option<Place>,
    /// Kinds of single values, each once.
    values: Vec<Value>,
    /// Names of which it is one.
    names: Vec<String>,
    /// Another place where all that is noted.
    same: Option<Place>,
}

/// A shape that documents note in, if anybody wants to know.
pub(super) type Notes = Option<Arc<Mutex<Shape>>>;

/// Notes something, and gives the place that it is about.
pub(super) fn note(notes: &Notes, note: impl FnOnce(&mut Shape) -> Place) -> Place {
    notes.as_ref().map_or(0, |shape| note(&mut shape.lock().unwrap_or_else(PoisonError::into_inner)))
}

impl Shape {
    /// What `read` asks of documents of these texts.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>, mut read: impl FnMut(&Document)) -> Self {
        Self::noted(|notes| {
            for text in texts {
                read(&notes(Document::parse("", text)));
            }
        })
    }
    /// What is asked of documents that `read` has passed through the function it is given.
    pub fn noted(read: impl FnOnce(&dyn Fn(Document) -> Document)) -> Self {
        let shape = Arc::new(Mutex::new(Self { places: vec![Asked::default()], ..Self::default() }));
        read(&|document: Document| Document { notes: Some(Arc::clone(&shape)), ..document });
        let shape = shape.lock().unwrap_or_else(PoisonError::into_inner);
        shape.clone()
    }
    fn new_place(&mut self) -> Place {
        self.places.push(Asked::default());
        self.places.len() - 1
    }
    pub(super) fn table(&mut self, place: Place) -> Place {
        self.places[place].is_table = true;
        place
    }
    /// The table is one of a kind, whose tables all are read alike.
    pub(super) fn kind(&mut self, place: Place, name: &'static str) -> Place {
        let shared = *self.kinds.entry(name).or_insert(place);
        if shared != place {
            self.places[place].same = Some(shared);
        }
        shared
    }
    /// What was asked of a place, wherever that is noted.
    fn asked(&self, place: Place) -> &Asked {
        let own = &self.places[place];
        own.same.map_or(own, |shared| &self.places[shared])
    }
    /// A key of a table is asked for, the first one.
    pub(super) fn begun(&mut self, place: Place) -> Place {
        self.places[place].tables += 1;
        place
    }
    pub(super) fn key(&mut self, place: Place, key: &str, is_needed: bool) -> Place {
        if !self.places[place].keys.contains_key(key) {
            let to = self.new_place();
            self.places[place].keys.insert(key.to_owned(), (to, 0));
        }
        let (to, needed) = self.places[place].keys.get_mut(key).expect("it is there by now");
        *needed += usize::from(is_needed);
        *to
    }
    pub(super) fn other(&mut self, place: Place) -> Place {
        if self.places[place].others.is_none() {
            self.places[place].others = Some(self.new_place());
        }
        self.places[place].others.unwrap_or_default()
    }
    pub(super) fn item(&mut self, place: Place) -> Place {
        if self.places[place].items.is_none() {
            self.places[place].items = Some(self.new_place());
        }
        self.places[place].items.unwrap_or_default()
    }
    pub(super) fn value(&mut self, place: Place, kind: Value) -> Place {
        let values = &mut self.places[place].values;
        if !values.contains(&kind) {
            values.push(kind);
        }
        place
    }
    pub(super) fn names<'n>(&mut self, place: Place, names: impl Iterator<Item = &'n str>) -> Place {
        let known = &mut self.places[place].names;
        for name in names {
            if !known.iter().any(|other| other == name) {
                known.push(name.to_owned());
            }
        }
        place
    }
    /// The shape as JSON Schema (draft 2020-12); `about` is its title.
    #[must_use]
    pub fn schema(&self, about: &str) -> Value {
        let mut schema = self.at(0);
        if let Some(root) = schema.as_object_mut() {
            root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
            root.insert("title".to_owned(), json!(about));
        }
        schema
    }
    fn at(&self, place: Place) -> Value {
        let asked = self.asked(place);
        let mut ways = asked.values.clone();
        if !asked.names.is_empty() {
            ways.push(json!({ "enum": asked.names }));
        }
        if let Some(items) = asked.items {
            ways.push(json!({ "type": "array", "items": self.at(items) }));
        }
        if asked.is_table {
            ways.push(self.object(asked));
        }
        match ways.len() {
            0 => json!({}),
            1 => ways.swap_remove(0),
            _ => json!({ "anyOf": ways }),
        }
    }
    fn object(&self, asked: &Asked) -> Value {
        let mut object = Map::new();
        object.insert("type".to_owned(), json!("object"));
        let keys = asked.keys.iter().map(|(key, (to, _))| (key.clone(), self.at(*to)));
        object.insert("properties".to_owned(), Value::Object(keys.collect()));
        let others = asked.others.map_or(Value::Bool(false), |others| self.at(others));
        object.insert("additionalProperties".to_owned(), others);
        // What every table of the kind had to have.
        let always = |needed: usize| needed > 0 && needed == asked.tables;
        let needed = asked.keys.iter().filter(|(_, (_, needed))| always(*needed));
        let needed: Vec<&String> = needed.map(|(key, _)| key).collect();
        if !needed.is_empty() {
            object.insert("required".to_owned(), json!(needed));
        }
        Value::Object(object)
    }
    /// Keys of which nobody asked what they are, as dotted paths: their schema takes everything.
    #[must_use]
    pub fn untold(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.untold_at(0, "", &mut found);
        found
    }
    /// What this one has and another has not, as dotted paths: keys, kinds of values, lists or tables.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        self.beyond_at(0, Some((other, 0)), "", &mut found);
        found
    }
    fn beyond_at(&self, place: Place, other: Option<(&Self, Place)>, path: &str, found: &mut Vec<String>) {
        let own = self.asked(place);
        let Some((shape, there)) = other else { return found.push(path.to_owned()) };
        let known = shape.asked(there);
        let is_more = own.values.iter().any(|value| !known.values.contains(value))
            || own.names.iter().any(|name| !known.names.contains(name))
            || own.is_table && !known.is_table;
        if is_more {
            found.push(path.to_owned());
        }
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        for (key, (to, _)) in &own.keys {
            let there = known.keys.get(key).map(|(there, _)| (shape, *there));
            self.beyond_at(*to, there, &below(key), found);
        }
        for (key, own, known) in [("*", own.others, known.others), ("[]", own.items, known.items)] {
            if let Some(own) = own {
                self.beyond_at(own, known.map(|known| (shape, known)), &below(key), found);
            }
        }
    }
    fn untold_at(&self, place: Place, path: &str, found: &mut Vec<String>) {
        let asked = self.asked(place);
        let is_told = asked.is_table || asked.items.is_some() || !asked.values.is_empty();
        if !is_told && asked.names.is_empty() {
            found.push(path.to_owned());
        }
        let keys = asked.keys.iter().map(|(key, (to, _))| (key.as_str(), *to));
        let more = asked.others.map(|to| ("*", to)).into_iter().chain(asked.items.map(|to| ("[]", to)));
        for (key, to) in keys.chain(more) {
            let dot = if path.is_empty() { "" } else { "." };
            self.untold_at(to, &format!("{path}{dot}{key}"), found);
        }
    }
}

/// A number, or a text that begins with one: how quantities are written.
#[must_use]
pub fn quantity(about: &str) -> Value {
    let ways =
        [json!({ "type": "number", "minimum": 0 }), json!({ "type": "string", "pattern": "^\\s*-?[0-9.]" })];
    json!({ "description": about, "anyOf": ways })
}
