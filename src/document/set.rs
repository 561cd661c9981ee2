use super::value::{Array, Map, Node, Value};
use super::{Document, Mark};
use crate::error::Problem;
use toml::de::DeValue;

impl Document {
    /// Sets a value from the command line, `assignment` being `key=value`, before anything is read.
    ///
    /// The key is a dotted path (`run.seed`; `tenant.0.quota` for the first of a list); the value is TOML, or else
    /// taken as text, so that `policy.order=sjf` needs no quotes. Tables on the way are made if they are missing.
    pub fn set(&mut self, assignment: &str) {
        let typed = format!("--set {assignment}");
        let Some((path, text)) = assignment.split_once('=') else {
            let mark = self.typed(&typed);
            let problem = Problem::new(format!("expected `key=value`, found `{assignment}`"));
            return self.complain(mark, problem);
        };
        self.set_text(&typed, path, text);
    }
    /// Sets the value under a dotted path to what a text means: TOML, or else the text itself.
    pub fn set_text(&mut self, typed: &str, path: &str, text: &str) {
        let text = text.trim();
        let (parsed, errors) = DeValue::parse_recoverable(text);
        let value = match errors.is_empty() && !text.is_empty() {
            true => Value::from_toml(parsed.get_ref(), self.next_origin()),
            false => Value::String(text.to_owned()),
        };
        self.set_value(typed, path, value);
    }
    /// Sets the value under a dotted path; problems of it are placed at `typed`, what the user wrote.
    ///
    /// ```
    /// use gigawatt::document::{Document, Value};
    /// let mut document = Document::parse("night.toml", "");
    /// document.set_value("--seed 7", "run.seed", Value::Integer(7));
    /// assert_eq!(document.root().table("run").unwrap().value_or::<u64>("seed", 1), 7);
    /// ```
    pub fn set_value(&mut self, typed: &str, path: &str, value: Value) {
        let mark = self.typed(typed);
        let segments: Vec<&str> = path.split('.').map(str::trim).collect();
        if let Err(problem) = insert(&mut self.root, &segments, Node { value, mark }) {
            self.complain(mark, *problem);
        }
    }
    /// Adds an empty table at the end of the list under a dotted path, which is made if it is missing, and gives its path;
    /// problems of it are placed at `typed`, what the user wrote.
    ///
    /// ```
    /// use gigawatt::document::{Document, Value};
    /// let mut document = Document::parse("night.toml", "[[job]]\nid = \"a\"\n");
    /// let path = document.push_table("--gpus 8", "job");
    /// assert_eq!(path, "job.1");
    /// document.set_value("--gpus 8", &format!("{path}.gpus"), Value::Integer(8));
    /// assert_eq!(document.root().tables("job").len(), 2);
    /// ```
    pub fn push_table(&mut self, typed: &str, path: &str) -> String {
        let mark = self.typed(typed);
        let table = Node { value: Value::Table(Map::default()), mark };
        let segments: Vec<&str> = path.split('.').collect();
        match find(&mut self.root, &segments).map(|node| &mut node.value) {
            None => self.set_value(typed, path, Value::Array(Array(vec![table]))),
            Some(Value::Array(items)) => {
                items.0.push(table);
                return format!("{path}.{}", items.0.len() - 1);
            }
            // What is no list is told by whoever reads it, or by what is set in it.
            Some(_) => {}
        }
        format!("{path}.0")
    }
    /// Takes away what stands under a dotted path, if anything does.
    pub fn remove(&mut self, path: &str) {
        let mut map = &mut self.root;
        let mut segments = path.split('.').peekable();
        while let Some(segment) = segments.next() {
            if segments.peek().is_none() {
                map.0.remove(segment);
                return;
            }
            match map.0.get_mut(segment).map(|(_, node)| &mut node.value) {
                Some(Value::Table(table)) => map = table,
                _ => return,
            }
        }
    }
    fn next_origin(&self) -> u32 {
        u32::try_from(self.settings.len() + 1).expect("a command line has few settings")
    }
    /// A place for problems of something that the command line says beside the keys of the document.
    pub fn typed(&mut self, typed: &str) -> Mark {
        let mark = Mark::new(self.next_origin(), 0..typed.len());
        self.settings.push(typed.to_owned());
        mark
    }
}

/// What stands at the end of the path `segments` below `map`.
fn find<'m>(map: &'m mut Map, segments: &[&str]) -> Option<&'m mut Node> {
    let (first, rest) = segments.split_first()?;
    let (_, node) = map.0.get_mut(*first)?;
    if rest.is_empty() {
        return Some(node);
    }
    match &mut node.value {
        Value::Table(inner) => find(inner, rest),
        _ => None,
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
