use super::layered::{Layered, Templates};
use super::request::job;
use super::running;
use super::submit::{Submits, submits};
use super::{EDGES_MAX, Jobs};
use crate::document::{Document, Item, Mark, Placed, Table};
use crate::error::Problem;
use crate::units::{Seconds, Time};
use crate::workload::generate::Variety;
use crate::workload::{Graph, JobGraph, Running};

/// A job of a graph, or an array of them.
struct Draft {
    id: Placed<String>,
    /// None if something is wrong with it.
    variety: Option<Variety>,
    /// How many it stands for; none: it is no array.
    count: Option<u32>,
    /// Whether each of an array waits for the one before.
    serial: bool,
    after: Vec<After>,
    /// Submitted that long after its graph.
    offset: Seconds,
    /// The nodes it holds at time 0, if it is already running.
    running: Option<Vec<u32>>,
    mark: Mark,
}

/// What a job waits for.
struct After {
    name: Placed<String>,
    /// Only this one of an array.
    element: Option<u32>,
    /// Each of an array waits for the one of the same number.
    each: bool,
    delay: Seconds,
}

/// The number of the graph that stands for no graph at all.
const LOOSE: &str = "";

impl Jobs<'_> {
    /// Reads `template`, `job` and `graph` of `[workload]`.
    pub(super) fn written(&mut self, document: &Document, table: &mut Table<'_>) {
        self.templates_alone(document, table);
        self.loose(document, table);
        let Some(item) = table.item("graph") else { return };
        let templates = table.named_tables("template");
        let items = if item.is_list() { item.items().unwrap_or_default() } else { vec![item] };
        for item in items {
            if item.is_text() {
                if let Some(path) = item.read::<String>() {
                    self.graph_file(document, &path);
                }
            } else if item.is_table() {
                item.table().into_iter().for_each(|graph| self.graph(document, graph, &templates));
            } else {
                item.wrong("a graph, or the path of a file of graphs");
            }
        }
    }

    /// Reads a file of graphs; its problems are kept apart from the scenario's.
    fn graph_file(&mut self, scenario: &Document, path: &Placed<String>) {
        let Some((resolved, bytes)) = self.files.read(scenario, path) else { return };
        let document = Document::from_bytes(resolved.display().to_string(), bytes);
        self.graphs_of(&document);
        self.files.problems.append(document.into_problems());
    }

    /// Reads a file of graphs.
    pub(in crate::scenario) fn graphs_of(&mut self, document: &Document) {
        let mut root = document.root();
        self.templates_alone(document, &mut root);
        self.loose(document, &mut root);
        let templates = root.named_tables("template");
        let graphs = root.tables("graph");
        if graphs.is_empty() && !root.has("job") {
            let problem = Problem::new("a file of graphs without a job");
            root.complain(problem.hint("give `[[graph]]` with `[[graph.job]]`, or `[[job]]`"));
        }
        for graph in graphs {
            self.graph(document, graph, &templates);
        }
        root.optional::<u32>("version");
        root.finish();
    }

    /// Reports what is wrong with templates, used or not.
    fn templates_alone(&mut self, document: &Document, table: &mut Table<'_>) {
        for (_, template) in table.named_tables("template") {
            let mut alone = Layered::template(template);
            job(self, document, &mut alone, None, false);
            alone.finish();
        }
    }

    /// Jobs outside any graph, which may wait for each other all the same.
    fn loose(&mut self, document: &Document, table: &mut Table<'_>) {
        let templates = table.named_tables("template");
        let jobs = table.tables("job");
        let Some(drafts) = self.drafts(document, jobs, &templates, None) else { return };
        for draft in &drafts {
            if !self.loose.insert(draft.id.value.clone()) {
                let problem = Problem::new(format!("job `{}` is described twice", draft.id.value));
                document.complain(draft.id.mark, problem);
                return;
            }
        }
        let once = Submits { times: vec![Time::ZERO], numbered: false, mark: table.mark() };
        self.expand(document, LOOSE, &drafts, &once);
    }

    fn graph(&mut self, document: &Document, mut table: Table<'_>, templates: &Templates<'_>) {
        let name = table.required::<String>("name");
        let tenant = table.optional::<String>("tenant");
        let submits = submits(document, &mut table, self.settings);
        let jobs = table.tables("job");
        if jobs.is_empty() && !table.has("job") {
            table.complain(Problem::new("a graph without a job").hint("give `[[graph.job]]`"));
        }
        let drafts = self.drafts(document, jobs, templates, tenant.as_ref());
        table.finish();
        let Some(name) = name.filter(|name| is_id(document, "graph", name)) else { return };
        if !self.graphs.insert(name.value.clone()) {
            let problem = Problem::new(format!("graph `{}` is described twice", name.value));
            document.complain(name.mark, problem.hint("`submit` may be a list of times"));
            return;
        }
        if let (Some(drafts), Some(submits)) = (drafts, submits) {
            self.expand(document, &name, &drafts, &submits);
        }
    }

    /// The jobs of one graph; none if their ids or what they wait for is wrong.
    fn drafts(
        &mut self,
        document: &Document,
        tables: Vec<Table<'_>>,
        templates: &Templates<'_>,
        tenant: Option<&Placed<String>>,
    ) -> Option<Vec<Draft>> {
        let mut whole = true;
        let mut drafts: Vec<Draft> = Vec::new();
        for table in tables {
            match self.draft(document, table, templates, tenant) {
                Some(draft) if drafts.iter().any(|known| known.id.value == draft.id.value) => {
                    let problem = Problem::new(format!("job `{}` is described twice", draft.id.value));
                    document.complain(draft.id.mark, problem);
                    whole = false;
                }
                Some(draft) => drafts.push(draft),
                None => whole = false,
            }
        }
        // A job whose own description is wrong may be one that others wait for.
        whole &= whole && resolve(document, &drafts);
        whole.then_some(drafts)
    }

    fn draft(
        &mut self,
        document: &Document,
        table: Table<'_>,
        templates: &Templates<'_>,
        tenant: Option<&Placed<String>>,
    ) -> Option<Draft> {
        let mark = table.mark();
        let mut table = Layered::new(table, templates);
        let id = table.own.required::<String>("id");
        let count = table.own.optional::<u32>("count");
        let serial = table.own.value_or("serial", false);
        let offset = table.own.value_or("submit", Seconds::ZERO);
        let after = table.own.item("after").map_or_else(Vec::new, |item| afters(document, item));
        let running = table.own.item("running").and_then(|item| running::nodes(document, item, self.cluster));
        let variety = job(self, document, &mut table, tenant, true);
        let is_array = table.own.has("count");
        table.finish();
        if let Some(zero) = count.as_ref().filter(|count| count.value == 0) {
            document.complain(zero.mark, Problem::new("`count`: expected at least 1, found `0`"));
            return None;
        }
        if is_array && count.is_none() {
            return None;
        }
        if let Some(nodes) = &running {
            let complain = |problem| document.complain(mark, problem);
            if offset > Seconds::ZERO || !after.is_empty() {
                complain(Problem::new("a job already running was submitted before, and waits for nothing"));
            } else if !nodes.is_empty() && count.as_ref().is_some_and(|count| count.value > 1) {
                complain(
                    Problem::new("the jobs of an array cannot all run on the same nodes")
                        .hint("`running = true`"),
                );
            } else if let (Some(cluster), Some(variety)) = (self.cluster, &variety)
                && let Err(problem) =
                    running::check(cluster, self.builder.request_at(variety.job.request), nodes)
            {
                document.complain(nodes.mark, *problem);
            }
        }
        let running = running.map(|nodes| nodes.value);
        let id = id.filter(|id| is_id(document, "job", id))?;
        let count = count.map(|count| count.value);
        Some(Draft { id, variety, count, serial, after, offset, running, mark })
    }

    /// Adds the jobs of a graph for each time it is submitted.
    fn expand(&mut self, document: &Document, name: &str, drafts: &[Draft], submits: &Submits) {
        let jobs: u64 = drafts.iter().map(|draft| u64::from(draft.count.unwrap_or(1))).sum();
        let times = submits.times.len() as u64;
        if !self.has_room(document, submits.mark, jobs.saturating_mul(times)) {
            return;
        }
        let edges = drafts.iter().map(|draft| edges_of(draft, drafts)).sum::<u64>().saturating_mul(times);
        if self.edges as u64 + edges > EDGES_MAX as u64 {
            let problem = Problem::new(format!("more than {EDGES_MAX} dependencies with these"));
            document.complain(
                submits.mark,
                problem.hint("let one job of no GPUs wait for the array, and the others for it"),
            );
            return;
        }
        self.edges += usize::try_from(edges).expect("at most EDGES_MAX");
        let varieties: Option<Vec<&Variety>> = drafts.iter().map(|draft| draft.variety.as_ref()).collect();
        let Some(varieties) = varieties else { return };
        for (draft, variety) in drafts.iter().zip(&varieties) {
            self.note_request(variety.job.request, document, draft.mark);
        }
        for (number, time) in submits.times.iter().enumerate() {
            let name = if submits.numbered { format!("{name}[{number}]") } else { name.to_owned() };
            self.instance(&name, drafts, &varieties, *time);
        }
    }

    fn instance(&mut self, name: &str, drafts: &[Draft], varieties: &[&Variety], time: Time) {
        let prefix = if name == LOOSE { String::new() } else { format!("{name}/") };
        let index = |length: usize| u32::try_from(length).expect("at most JOBS_MAX jobs");
        let first = index(self.builder.len());
        let mut starts = Vec::new();
        for (draft, variety) in drafts.iter().zip(varieties) {
            starts.push(index(self.builder.len()));
            for element in 0..draft.count.unwrap_or(1) {
                // Generators take the entities below.
                let entity = 1 << 63 | self.builder.len() as u64;
                let job = variety.draw(self.settings.seed, entity, time + draft.offset);
                let array = draft.count.map(|_| format!("[{element}]")).unwrap_or_default();
                let job = self.builder.push_named(job, &format!("{prefix}{}{array}", draft.id.value));
                if let Some(nodes) = &draft.running {
                    self.builder.add_running(Running { job, nodes: nodes.clone() });
                }
            }
        }
        for (draft, start) in drafts.iter().zip(&starts) {
            connect(self.builder.graph(), drafts, &starts, draft, *start);
        }
        if name != LOOSE {
            let jobs = (first..index(self.builder.len())).collect();
            self.builder.add_graph(Graph { name: name.to_owned(), jobs });
        }
    }
}

/// Adds what one job or array waits for.
fn connect(graph: &mut JobGraph, drafts: &[Draft], starts: &[u32], draft: &Draft, start: u32) {
    let count = draft.count.unwrap_or(1);
    for after in &draft.after {
        let Some(before) = drafts.iter().position(|other| other.id.value == after.name.value) else {
            continue;
        };
        let (first, befores) = (starts[before], drafts[before].count.unwrap_or(1));
        for element in 0..count {
            if after.each {
                graph.add(first + element, start + element, after.delay);
            } else if let Some(only) = after.element {
                graph.add(first + only, start + element, after.delay);
            } else {
                (0..befores).for_each(|other| graph.add(first + other, start + element, after.delay));
            }
        }
    }
    if draft.serial {
        (1..count).for_each(|element| graph.add(start + element - 1, start + element, Seconds::ZERO));
    }
}

/// How many dependencies the jobs of a draft have.
fn edges_of(draft: &Draft, drafts: &[Draft]) -> u64 {
    let count = u64::from(draft.count.unwrap_or(1));
    let befores = draft.after.iter().map(|after| {
        let before = drafts.iter().find(|other| other.id.value == after.name.value);
        let all = before.map_or(0, |before| u64::from(before.count.unwrap_or(1)));
        if after.each || after.element.is_some() { 1 } else { all }
    });
    count.saturating_mul(befores.sum::<u64>() + u64::from(draft.serial))
}

/// Checks what jobs wait for: known ids, arrays that match, and no ring.
fn resolve(document: &Document, drafts: &[Draft]) -> bool {
    let mut whole = true;
    let mut graph = JobGraph::default();
    for (index, draft) in (0..).zip(drafts) {
        for after in &draft.after {
            let before = (0..).zip(drafts).find(|(_, other)| other.id.value == after.name.value);
            let Some((before_index, before)) = before else {
                let problem = Problem::new(format!("unknown job `{}`", after.name.value));
                let known = drafts.iter().map(|draft| draft.id.value.as_str());
                document.complain(after.name.mark, problem.hint_nearest(&after.name, known));
                whole = false;
                continue;
            };
            graph.add(before_index, index, after.delay);
            let count = before.count.unwrap_or(1);
            let problem = match after.element {
                Some(_) if before.count.is_none() => Some(format!("`{}` is no array", before.id.value)),
                Some(element) if element >= count => {
                    Some(format!("`{}` has no element {element}; the last is {}", before.id.value, count - 1))
                }
                None if after.each && before.count != draft.count => {
                    let counts = (count, draft.count.unwrap_or(1));
                    Some(format!(
                        "`each`: `{}` stands for {} and `{}` for {}",
                        before.id.value, counts.0, draft.id.value, counts.1
                    ))
                }
                _ => None,
            };
            if let Some(message) = problem {
                document.complain(after.name.mark, Problem::new(message));
                whole = false;
            }
        }
    }
    for cycle in graph.cycles() {
        let draft = |job: u32| &drafts[job as usize];
        let first = draft(cycle.jobs[0]);
        let mark = first.after.first().map_or(first.mark, |after| after.name.mark);
        let ring = cycle.named(|job| draft(job).id.value.clone());
        document.complain(mark, Problem::new(format!("jobs wait for each other in a ring: {ring}")));
        whole = false;
    }
    whole
}

/// Reads `after`: an id, `{ job = "a", delay = "10m" }`, or a list of these.
fn afters(document: &Document, item: Item<'_>) -> Vec<After> {
    let items = if item.is_list() { item.items().unwrap_or_default() } else { vec![item] };
    let mut afters = Vec::new();
    for item in items {
        let (name, delay, each) = if item.is_table() {
            let Some(mut table) = item.table() else { continue };
            let name = table.required::<String>("job");
            let delay = table.value_or("delay", Seconds::ZERO);
            let each = table.value_or("each", false);
            table.finish();
            (name, delay, each)
        } else if item.is_text() {
            (item.read::<String>(), Seconds::ZERO, false)
        } else {
            item.wrong("the id of a job, or a table such as `{ job = \"a\", delay = \"10m\" }`");
            (None, Seconds::ZERO, false)
        };
        let Some(name) = name else { continue };
        let (id, element) = match name.value.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((id, number)) => match number.parse::<u32>() {
                Ok(number) => (id.to_owned(), Some(number)),
                Err(_) => {
                    let problem =
                        Problem::new(format!("`{}`: expected the number of an element", name.value));
                    document.complain(name.mark, problem);
                    continue;
                }
            },
            None => (name.value.clone(), None),
        };
        let name = Placed { value: id, mark: name.mark };
        afters.push(After { name, element, each: each && element.is_none(), delay });
    }
    afters
}

/// Whether a text can be an id; what it may not hold is used to write `graph/job[3]`.
pub(super) fn is_id(document: &Document, what: &str, id: &Placed<String>) -> bool {
    let fits = !id.is_empty()
        && id.len() <= 200
        && !id.chars().any(|c| c.is_control() || c.is_whitespace() || "/[],;".contains(c));
    if !fits {
        let problem = Problem::new(format!("`{}` cannot be the name of a {what}", id.escape_debug()));
        document.complain(id.mark, problem.hint("1 to 200 letters, without blanks and `/ [ ] , ;`"));
    }
    fits
}
