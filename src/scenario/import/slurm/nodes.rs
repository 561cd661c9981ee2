use super::super::draft::{Change, Draft, NodeKind, Racks, platform_in};
use super::super::findings::Findings;
use super::conf::Line;
use super::hostlist::names;
use super::topology::Rack;
use crate::error::Problem;
use crate::trace::node_gpus;
use std::collections::{BTreeMap, BTreeSet};

/// Where nodes are in the cluster.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// By name: the index.
    pub(super) nodes: BTreeMap<String, u32>,
    /// Nodes that are described, and not there.
    pub(super) absent: BTreeSet<String>,
    /// By feature: the names of the nodes that have it.
    pub(super) features: BTreeMap<String, Vec<String>>,
}

/// A node as its line describes it.
struct Described {
    name: String,
    kind: NodeKind,
    state: Option<&'static str>,
    from: String,
}

/// The most nodes that there may be.
const MOST: usize = 1 << 20;

/// Reads `NodeName` and `DownNodes` into racks and changes.
pub(super) fn read(
    lines: &[Line<'_>],
    racks: &[Rack<'_>],
    draft: &mut Draft,
    findings: &mut Findings,
) -> Placed {
    let mut placed = Placed::default();
    let wrong = findings.problems.total();
    let described = described(lines, &mut placed, findings);
    if described.is_empty() {
        // What is wrong with those that there are is told.
        if findings.problems.total() == wrong {
            let problem = Problem::new("no `NodeName` tells the nodes of the cluster");
            findings.problems.push(problem.hint("give slurm.conf, and the files that it includes, together"));
        }
        return placed;
    }
    let (mut order, rest) = in_racks(&described, racks, &placed, draft, findings);
    if !rest.is_empty() {
        let is_flat = racks.is_empty();
        let what = if is_flat {
            "no topology is among the files"
        } else {
            "some nodes are in no block and at no switch"
        };
        findings.assume(format!("{what}: racks as their platform has them"));
    }
    for chunk in rest.chunk_by(|a, b| described[*a].kind == described[*b].kind) {
        let Described { kind, from, .. } = &described[chunk[0]];
        let nodes = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        draft.add_nodes(&kind.platform, kind, nodes, from);
        order.extend(chunk);
    }
    for (at, node) in (0_u32..).zip(&order) {
        placed.nodes.insert(described[*node].name.clone(), at);
    }
    changes(&described, lines, &placed, draft, findings);
    if draft.gpus() == 0 {
        let line = lines.iter().find(|line| line.begins("NodeName"));
        let problem = Problem::new("no node has GPUs").hint("`Gres=gpu:8` of a node tells them");
        if let Some(line) = line {
            findings.complain(line.source, line.number, problem);
        }
    }
    placed
}

/// Racks of the nodes that are told to share one: their order, and the nodes that are in none.
fn in_racks(
    described: &[Described],
    racks: &[Rack<'_>],
    placed: &Placed,
    draft: &mut Draft,
    findings: &mut Findings,
) -> (Vec<usize>, Vec<usize>) {
    let names = described.iter().enumerate().map(|(index, node)| (node.name.as_str(), index));
    let index: BTreeMap<&str, usize> = names.collect();
    let mut is_placed = vec![false; described.len()];
    let mut order = Vec::new();
    for rack in racks {
        let mut inside: Vec<usize> = Vec::new();
        let (mut again, mut unknown) = (Vec::new(), Vec::new());
        for name in rack.nodes.iter().filter(|name| !placed.absent.contains(*name)) {
            match index.get(name.as_str()) {
                Some(node) if !is_placed[*node] => {
                    is_placed[*node] = true;
                    inside.push(*node);
                }
                Some(_) => again.push(name),
                None => unknown.push(name),
            }
        }
        for (names, why) in
            [(again, "another before it has it: it is in that rack"), (unknown, "no `NodeName` describes it")]
        {
            let Some(first) = names.first() else { continue };
            let more = match names.len() {
                1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            findings.leave_out(rack.source, rack.line, format!("{}: node {first}{more}", rack.told), why);
        }
        // Nodes of a rack are equal: others stand in a rack beside it.
        while let Some(first) = inside.first().copied() {
            let kind = &described[first].kind;
            let (same, others): (Vec<usize>, Vec<usize>) =
                inside.iter().partition(|node| described[**node].kind == *kind);
            if !others.is_empty() {
                findings.assume("racks whose nodes differ are a rack for each kind of node");
            }
            let (name, from) = (kind.platform.clone(), rack.source.name.clone());
            let nodes = u32::try_from(same.len()).unwrap_or(u32::MAX);
            draft.add_racks(Racks { name, kind: kind.clone(), count: 1, nodes, from });
            order.extend(same);
            inside = others;
        }
    }
    (order, (0..described.len()).filter(|node| !is_placed[*node]).collect())
}

fn described(lines: &[Line<'_>], placed: &mut Placed, findings: &mut Findings) -> Vec<Described> {
    let gres = types(lines, findings);
    let mut defaults: Vec<&Line<'_>> = Vec::new();
    let mut found: Vec<Described> = Vec::new();
    let mut seen = BTreeSet::new();
    for line in lines.iter().filter(|line| line.begins("NodeName") && !line.has("Name")) {
        let Some(expression) = line.get("NodeName") else { continue };
        if expression.eq_ignore_ascii_case("DEFAULT") {
            defaults.push(line);
            continue;
        }
        let Some(nodes) = names(expression).filter(|nodes| nodes.len() + found.len() <= MOST) else {
            let problem = Problem::new(format!("expected nodes such as `node[01-18]`, found `{expression}`"));
            line.complain(expression, problem.hint(format!("at most {MOST} of them")), findings);
            continue;
        };
        let told = Told { line, defaults: &defaults };
        let features = ["Feature", "Features"].iter().find_map(|key| told.get(key)).unwrap_or_default();
        for feature in features.split(',').filter(|feature| !feature.is_empty()) {
            placed.features.entry(feature.to_owned()).or_default().extend(nodes.iter().cloned());
        }
        let state = told.get("State").unwrap_or_default().to_ascii_uppercase();
        if state.starts_with("FUTURE") {
            line.leave_out("State", "nodes to come are not there", findings);
            placed.absent.extend(nodes);
            continue;
        }
        if state.starts_with("CLOUD") {
            line.leave_out("State", "nodes of a cloud are there from the start", findings);
        }
        let by_name = |name: &String| {
            gres.iter().find(|(known, _)| known.contains(name)).map(|(_, kind)| kind.as_str())
        };
        let typed = nodes.first().and_then(by_name);
        let kind = told.kind(typed, features, findings);
        for name in nodes {
            if !seen.insert(name.clone()) {
                line.complain(
                    expression,
                    Problem::new(format!("node `{name}` is described twice")),
                    findings,
                );
                break;
            }
            found.push(Described { name, kind: kind.clone(), state: state_of(&state), from: line.from() });
        }
    }
    found
}

/// What a state is from the start on, if not up.
fn state_of(state: &str) -> Option<&'static str> {
    match state.split('+').next().unwrap_or_default() {
        "DOWN" | "FAIL" | "FAILING" | "POWER_DOWN" => Some("down"),
        "DRAIN" | "DRAINED" | "DRAINING" => Some("draining"),
        _ => None,
    }
}

/// The types of GPUs that `gres.conf` tells of nodes.
fn types(lines: &[Line<'_>], findings: &mut Findings) -> Vec<(BTreeSet<String>, String)> {
    let mut found = Vec::new();
    for line in
        lines.iter().filter(|line| line.has("Name") && (line.begins("NodeName") || line.begins("Name")))
    {
        if !line.get("Name").is_some_and(|name| name.eq_ignore_ascii_case("gpu")) {
            continue;
        }
        let (Some(expression), Some(kind)) = (line.get("NodeName"), line.get("Type")) else { continue };
        match names(expression) {
            Some(nodes) => found.push((nodes.into_iter().collect(), kind.to_owned())),
            None => {
                let problem =
                    Problem::new(format!("expected nodes such as `node[01-18]`, found `{expression}`"));
                line.complain(expression, problem, findings);
            }
        }
    }
    found
}

/// A line and those that say what it does not.
struct Told<'l, 's> {
    line: &'l Line<'s>,
    defaults: &'l [&'l Line<'s>],
}

impl Told<'_, '_> {
    fn get(&self, key: &str) -> Option<&str> {
        // Later defaults beat earlier ones.
        let by_default = self.defaults.iter().rev().find_map(|line| line.get(key));
        self.line.get(key).or(by_default)
    }
    /// A whole number; what is none is reported.
    fn number(&self, key: &str, findings: &mut Findings) -> Option<u32> {
        let text = self.get(key)?;
        let number = text.parse().ok();
        if number.is_none() {
            let problem = Problem::new(format!("`{key}`: expected a whole number, found `{text}`"));
            self.line.complain(text, problem, findings);
        }
        number
    }
    fn kind(&self, typed: Option<&str>, features: &str, findings: &mut Findings) -> NodeKind {
        let (gpus, mut kinds) = self.gpus(findings);
        kinds.extend(typed.map(str::to_owned));
        let told = kinds.iter().map(String::as_str).chain(features.split(','));
        let platform = told.into_iter().find_map(platform_in).unwrap_or_else(|| {
            if gpus > 0 {
                let of = kinds.first().map_or(String::new(), |kind| format!(" ({kind})"));
                findings.assume(format!(
                    "GPUs of no known platform{of} are `generic`: speed 1, and they draw nothing"
                ));
            }
            "generic".to_owned()
        });
        let mut number = |key: &str| self.number(key, findings);
        let (cpus, procs) = (number("CPUs"), number("Procs"));
        let (sockets, boards) = (number("Sockets"), number("Boards"));
        let (per_board, cores, threads) =
            (number("SocketsPerBoard"), number("CoresPerSocket"), number("ThreadsPerCore"));
        let sockets = sockets.or(per_board.map(|sockets| sockets.saturating_mul(boards.unwrap_or(1))));
        let counted = sockets.or(cores).or(threads).map(|_| {
            [sockets, cores, threads].iter().fold(1_u32, |all, part| all.saturating_mul(part.unwrap_or(1)))
        });
        NodeKind { platform, gpus, cpu: cpus.or(procs).or(counted), memory_mib: number("RealMemory") }
    }
    /// The GPUs of a node and their types; what else `Gres` lists is left out.
    fn gpus(&self, findings: &mut Findings) -> (u32, Vec<String>) {
        let Some(gres) = self.get("Gres") else { return (0, Vec::new()) };
        let (gpus, others): (Vec<&str>, Vec<&str>) = gres
            .split(',')
            .filter(|item| !item.is_empty() && !item.eq_ignore_ascii_case("(null)"))
            .partition(|item| item.split(':').next().is_some_and(|name| name.eq_ignore_ascii_case("gpu")));
        for other in others {
            let what = format!("NodeName={} Gres={other}", self.line.settings[0].value);
            findings.leave_out(
                self.line.source,
                self.line.number,
                what,
                "nothing but GPUs, CPUs and memory is counted",
            );
        }
        if gpus.is_empty() {
            return (0, Vec::new());
        }
        // A second part is a number or a type, which has a letter; a third one is a number, whatever it is of.
        let is_counted = |item: &&str| {
            let bare = item.split('(').next().unwrap_or_default();
            let mut parts = bare.split(':').skip(1);
            let is_type = |part: &str| part.bytes().any(|byte| byte.is_ascii_alphabetic());
            parts.next().is_none_or(|part| part.parse::<u32>().is_ok() || is_type(part))
                && parts.next().is_none_or(|count| count.parse::<u32>().is_ok())
        };
        let found = gpus.iter().all(is_counted).then(|| node_gpus(&gpus.join(","))).flatten();
        if found.is_none() {
            let problem = Problem::new(format!("expected GPUs such as `gpu:h100:8`, found `{gres}`"));
            self.line.complain(gres, problem, findings);
        }
        found.unwrap_or_default()
    }
}

fn changes(
    described: &[Described],
    lines: &[Line<'_>],
    placed: &Placed,
    draft: &mut Draft,
    findings: &mut Findings,
) {
    let mut add = |state: &'static str, names: &[&str], from: String| {
        let nodes = indices(names.iter().filter_map(|name| placed.nodes.get(*name).copied()).collect());
        if !nodes.is_empty() {
            draft.changes.push(Change { state, nodes, from });
        }
    };
    for chunk in described.chunk_by(|a, b| a.from == b.from) {
        if let Some(state) = chunk[0].state {
            let names: Vec<&str> = chunk.iter().map(|node| node.name.as_str()).collect();
            add(state, &names, chunk[0].from.clone());
        }
    }
    for line in lines.iter().filter(|line| line.begins("DownNodes")) {
        let (Some(expression), state) = (line.get("DownNodes"), line.get("State").unwrap_or("DOWN")) else {
            continue;
        };
        let Some(names) = names(expression) else {
            let problem = Problem::new(format!("expected nodes such as `node[01-18]`, found `{expression}`"));
            line.complain(expression, problem, findings);
            continue;
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        add(state_of(&state.to_ascii_uppercase()).unwrap_or("down"), &names, line.from());
    }
}

/// The ranges of some indices.
pub(super) fn indices(mut indices: Vec<u32>) -> Vec<std::ops::Range<u32>> {
    indices.sort_unstable();
    indices.dedup();
    indices.chunk_by(|a, b| a + 1 == *b).map(|run| run[0]..run[run.len() - 1] + 1).collect()
}

impl Placed {
    /// Says that a node is not known.
    pub(super) fn unknown(&self, name: &str) -> Problem {
        let problem = Problem::new(format!("no `NodeName` describes node `{name}`"));
        // Of very many names the nearest is far to seek.
        if self.nodes.len() > 1000 {
            return problem;
        }
        problem.hint_nearest(name, self.nodes.keys().map(String::as_str))
    }
}
