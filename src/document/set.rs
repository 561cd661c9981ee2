use super::value::{Map, Node, Value};
use super::{Document, Mark};
use crate::error::Problem;
use toml::de::DeValue;

impl Document {
    /// Sets a value from the command line, `assignment` being `key=value`, before anything is read.
    ///
    /// The key is a dotted path (`run.seed`; `tenant.0.quota` for the first of a list); the value is TOML, or else
    /// taken as text, so that `policy.order=sjf` needs no quotes. Tables on the way are made if they are missing.
    pub fn set(&mut self, assignment: &str) {
        self.settings.push(assignment.to_owned());
        let origin = u32::try_from(self.settings.len()).expect("a command line has few settings");
        let mark = Mark::new(origin, 0..assignment.len());
        let Some((path, text)) = assignment.split_once('=') else {
            let problem = Problem::new(format!("expected `key=value`, found `{assignment}`"));
            return self.complain(mark, problem);
        };
        let text = text.trim();
        let (parsed, errors) = DeValue::parse_recoverable(text);
        let value = match errors.is_empty() && !text.is_empty() {
            true => Value::from_toml(parsed.get_ref(), origin),
            false => Value::String(text.to_owned()),
        };
        let segments: Vec<&str> = path.split('.').map(str::trim).collect();
        if let Err(problem) = insert(&mut self.root, &segments, Node { value, mark }) {
            self.complain(mark, *problem);
        }
    }
}

fn wrong(message: String) -> Result<(), Box<Problem>> {
    Err(Box::new(Problem::new(message)))
}

/// Puts `node` at the end of the path `segments` below `map`.
fn insert(map: &mut Map, segments: &[&str], node: Node) -> Result<(), Box<Problem>> {
    let [first, rest @ ..] = segments else { return wrong("expected a key before `=`".to_owned()) };
    if first.is_empty() {
        return wrong("expected a key before `=`, found an empty one".to_owned());
    }
    let mark = node.mark;
    if rest.is_empty() {
        map.0.insert((*first).to_owned(), (mark, node));
        return Ok(());
    }
    let empty = || Node { value: Value::Table(Map::default()), mark };
    let (_, next) = map.0.entry((*first).to_owned()).or_insert_with(|| (mark, empty()));
    match &mut next.value {
        Value::Table(table) => insert(table, rest, node),
        Value::Array(items) => insert_in_list(&mut items.0, first, rest, node),
        other => wrong(format!("`{first}` is {}, not a table", other.describe())),
    }
}

fn insert_in_list(items: &mut [Node], name: &str, segments: &[&str], node: Node) -> Result<(), Box<Problem>> {
    let count = items.len();
    let index = segments[0];
    let item = index.parse::<usize>().ok().and_then(|index| items.get_mut(index)).ok_or_else(|| {
        let problem = Problem::new(format!("`{name}` has no entry `{index}`"));
        Box::new(problem.hint(format!("`{name}` is a list of {count}; its first entry is `{name}.0`")))
    })?;
    if segments.len() == 1 {
        *item = node;
        return Ok(());
    }
    match &mut item.value {
        Value::Table(table) => insert(table, &segments[1..], node),
        other => wrong(format!("`{name}.{index}` is {}, not a table", other.describe())),
    }
}
