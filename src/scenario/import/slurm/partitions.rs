use super::super::draft::{Draft, Partition};
use super::super::findings::Findings;
use super::conf::Line;
use super::hostlist::names;
use super::nodes::{Placed, indices};
use crate::error::Problem;
use crate::workload::Workload;
use std::collections::BTreeMap;

/// Reads `PartitionName` and `NodeSet`; tells the partition of jobs that name none.
pub(super) fn read(
    lines: &[Line<'_>],
    placed: &Placed,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Option<String> {
    let sets = sets(lines, placed, findings);
    let mut defaults: Vec<&Line<'_>> = Vec::new();
    let mut default = None;
    for line in lines.iter().filter(|line| line.begins("PartitionName")) {
        let Some(name) = line.get("PartitionName") else { continue };
        let get = |key: &str| line.get(key).or_else(|| defaults.iter().rev().find_map(|line| line.get(key)));
        if name.eq_ignore_ascii_case("DEFAULT") {
            defaults.push(line);
            continue;
        }
        let state = get("State").unwrap_or("UP");
        if !state.eq_ignore_ascii_case("UP") {
            line.leave_out("State", "partitions take jobs from the start", findings);
        }
        leave_out_limits(line, &defaults, findings);
        // Slurm's own tier is 1 where nothing is said.
        let tier = get("PriorityTier").map_or(1, |text| tier(line, text, findings));
        let Some(expression) = get("Nodes") else {
            findings.leave_out(line.source, line.number, format!("PartitionName={name}"), "it has no nodes");
            continue;
        };
        let Some(nodes) = chosen(line, expression, &sets, placed, findings) else { continue };
        let mut own = name.to_owned();
        let is_every = nodes.len() == placed.nodes.len();
        if name == Workload::DEFAULT_PARTITION && !is_every {
            own = format!("{name}-partition");
            findings.assume(format!(
                "partition {name}, which is not every node, is called {own}: `{name}` is every node"
            ));
        }
        if get("Default").is_some_and(|told| told.eq_ignore_ascii_case("YES")) {
            default = Some(own.clone());
        }
        if own != Workload::DEFAULT_PARTITION {
            if draft.partitions.iter().any(|partition| partition.name == own) {
                line.complain(name, Problem::new(format!("partition `{name}` is described twice")), findings);
                continue;
            }
            draft.partitions.push(Partition { name: own, nodes: indices(nodes), tier, from: line.from() });
        }
    }
    // Where all are equal, tiers say nothing.
    if draft.partitions.windows(2).all(|two| two[0].tier == two[1].tier) {
        draft.partitions.iter_mut().for_each(|partition| partition.tier = 0);
    }
    default.filter(|name| name != Workload::DEFAULT_PARTITION)
}

fn tier(line: &Line<'_>, text: &str, findings: &mut Findings) -> u32 {
    text.parse().unwrap_or_else(|_| {
        let problem = Problem::new(format!("`PriorityTier`: expected a whole number, found `{text}`"));
        line.complain(text, problem, findings);
        1
    })
}

/// Limits of a partition, or of all, which are told once; without a limit nothing is lost.
fn leave_out_limits(line: &Line<'_>, defaults: &[&Line<'_>], findings: &mut Findings) {
    for key in ["MaxTime", "MaxNodes", "DefaultTime"] {
        let told = std::iter::once(line).chain(defaults.iter().rev().copied()).find(|line| line.has(key));
        let Some((line, limit)) = told.and_then(|line| Some((line, line.get(key)?))) else { continue };
        let what = format!("PartitionName={} {key}={limit}", line.settings[0].value);
        let is_told = findings.left_out.iter().any(|left| left.line == line.number && left.what == what);
        if !is_told && !is_unlimited(limit) {
            findings.leave_out(line.source, line.number, what, why(key));
        }
    }
}

fn is_unlimited(text: &str) -> bool {
    ["UNLIMITED", "INFINITE", "-1"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn why(key: &str) -> &'static str {
    super::WHY.iter().find(|(known, _)| *known == key).map_or("no counterpart", |(_, why)| why)
}

/// Nodes by the name of a set of them.
fn sets<'l>(
    lines: &'l [Line<'_>],
    placed: &Placed,
    findings: &mut Findings,
) -> BTreeMap<&'l str, Vec<String>> {
    let mut sets = BTreeMap::new();
    for line in lines.iter().filter(|line| line.begins("NodeSet")) {
        let Some(name) = line.get("NodeSet") else { continue };
        let mut nodes = Vec::new();
        if let Some(expression) = line.get("Nodes") {
            match names(expression) {
                Some(names) => nodes.extend(names),
                None => {
                    let problem =
                        Problem::new(format!("expected nodes such as `node[01-18]`, found `{expression}`"));
                    line.complain(expression, problem, findings);
                }
            }
        }
        let featured = line.get("Feature").and_then(|feature| placed.features.get(feature));
        nodes.extend(featured.into_iter().flatten().cloned());
        sets.insert(name, nodes);
    }
    sets
}

/// The indices of nodes that an expression, names of sets in it, stands for.
fn chosen(
    line: &Line<'_>,
    expression: &str,
    sets: &BTreeMap<&str, Vec<String>>,
    placed: &Placed,
    findings: &mut Findings,
) -> Option<Vec<u32>> {
    if expression.eq_ignore_ascii_case("ALL") {
        return Some(placed.nodes.values().copied().collect());
    }
    let Some(listed) = names(expression) else {
        let problem = Problem::new(format!("expected nodes such as `node[01-18]`, found `{expression}`"));
        line.complain(expression, problem, findings);
        return None;
    };
    let mut found = Vec::new();
    for name in listed {
        let inside = sets.get(name.as_str()).cloned().unwrap_or_else(|| vec![name]);
        for name in inside.iter().filter(|name| !placed.absent.contains(*name)) {
            match placed.nodes.get(name) {
                Some(index) => found.push(*index),
                // Without any node that is what is wrong.
                None if placed.nodes.is_empty() => {}
                None => {
                    line.complain(expression, placed.unknown(name), findings);
                    return None;
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    if found.is_empty() && !placed.nodes.is_empty() {
        let what =
            line.settings.first().map(|first| format!("{}={}", first.key, first.value)).unwrap_or_default();
        findings.leave_out(line.source, line.number, what, "none of its nodes is there");
    }
    (!found.is_empty()).then_some(found)
}
