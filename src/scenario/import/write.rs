//! A draft as a scenario with its comments.

use super::Options;
use super::draft::{Draft, Key, OnPlatform, Queue, Racks};
use super::findings::{Findings, LeftOut};
use super::tree::{TOO_DEEP, milli};
use crate::hardware::{Catalogue, Family};
use crate::scenario::text::{HEAD, RUN, Stream, commented, quoted, traced};
use crate::state::quota::{Row, Tree};
use crate::workload::Workload;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

/// How many jobs are generated in all.
const JOBS: usize = 1000;

pub(super) fn scenario(
    draft: &mut Draft,
    findings: &mut Findings,
    files: &[&str],
    system: &str,
    options: &Options,
) -> String {
    name_apart(draft, findings);
    add_tenants(draft, findings, options);
    let jobs = match &options.trace {
        Some(path) => traced(path),
        None => streams(draft, findings),
    };
    let mut text =
        format!("# Imported by `gigawatt import` from {} ({system}).\n# {HEAD}", one_line(&files.join(", ")));
    let head = text.split_off(text.find("version = 1").unwrap_or(text.len()));
    text.push_str(&told(findings));
    text.push_str(&head);
    if let Some(cluster) = &draft.cluster {
        text.push_str(&commented(&format!("cluster = {}", quoted(cluster)), "--cluster"));
    }
    section(&mut text, "[run]", "", &(keys(&draft.run) + RUN));
    section(
        &mut text,
        "[policy]",
        "`gigawatt list policies` names them, and their options",
        &keys(&draft.policy),
    );
    if draft.cluster.is_none() {
        text.push_str(&cluster(draft));
    }
    for licence in &draft.licences {
        let lines = format!("name = {}\ncount = {}\n", quoted(&licence.name), licence.count);
        section(&mut text, "[[licence]]", &licence.from, &lines);
    }
    for tenant in &draft.tenants {
        let mut lines = format!("name = {}\n", quoted(&tenant.name));
        tenant.partition.iter().for_each(|name| lines += &format!("partition = {}\n", quoted(name)));
        tenant.weight.iter().for_each(|weight| lines += &format!("weight = {}\n", milli(*weight)));
        section(&mut text, "[[tenant]]", &tenant.from, &lines);
    }
    for queue in &draft.queues {
        section(&mut text, "[[queue]]", &queue.from, &queue_lines(queue));
    }
    text.push('\n');
    text.push_str(&jobs);
    text
}

/// What was assumed and left out, as comments.
fn told(findings: &Findings) -> String {
    let mut text = String::new();
    if !findings.assumed.is_empty() {
        let _ = writeln!(text, "#\n# Assumed:");
        findings.assumed.iter().for_each(|assumed| {
            let _ = writeln!(text, "# - {}", one_line(assumed));
        });
    }
    let (aside, missed): (Vec<&LeftOut>, Vec<&LeftOut>) =
        findings.left_out.iter().partition(|left| left.why.is_empty());
    if !missed.is_empty() {
        let _ = writeln!(text, "#\n# Left out, for want of a counterpart ({}):", missed.len());
        missed.iter().for_each(|left| {
            let _ = writeln!(text, "# - {}", one_line(&left.to_string()));
        });
    }
    if !aside.is_empty() {
        let _ = writeln!(
            text,
            "#\n# Left out, since it does not bear on when and where jobs run ({}):",
            aside.len()
        );
        aside.iter().for_each(|left| {
            let _ = writeln!(text, "# - {}", one_line(&left.to_string()));
        });
    }
    text
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A table and its keys.
fn section(text: &mut String, header: &str, from: &str, lines: &str) {
    text.push('\n');
    text.push_str(&commented(header, &one_line(from)));
    text.push_str(lines);
}

/// Keys with where they come from; of two of a name the later one counts.
fn keys(keys: &[Key]) -> String {
    let is_last = |(place, key): &(usize, &Key)| !keys[place + 1..].iter().any(|later| later.key == key.key);
    let last = keys.iter().enumerate().filter(is_last);
    last.map(|(_, key)| commented(&format!("{} = {}", key.key, key.value), &one_line(&key.from))).collect()
}

fn cluster(draft: &Draft) -> String {
    let mut text = String::from("\n");
    text.push_str(&commented("[cluster]", "must; `gigawatt list platforms` tells what a rack is"));
    for racks in &draft.racks {
        section(&mut text, "[[cluster.rack]]", &racks.from, &rack_lines(racks));
    }
    for partition in &draft.partitions {
        let mut lines =
            format!("name = {}\nnodes = {}\n", quoted(&partition.name), quoted(&ranges(&partition.nodes)));
        if partition.tier > 0 {
            lines += &commented(
                &format!("tier = {}", partition.tier),
                "its jobs come before those of lower tiers",
            );
        }
        section(&mut text, "[[cluster.partition]]", &partition.from, &lines);
    }
    for change in &draft.changes {
        let lines = format!(
            "time = \"0s\"\nstate = {}\nnodes = {}\n",
            quoted(change.state),
            quoted(&ranges(&change.nodes))
        );
        section(&mut text, "[[cluster.change]]", &change.from, &lines);
    }
    text
}

fn rack_lines(racks: &Racks) -> String {
    let Racks { name, kind, count, nodes, .. } = racks;
    let mut lines =
        format!("name = {}\nplatform = {}\ncount = {count}\n", quoted(name), quoted(&kind.platform));
    lines += &format!("nodes = {nodes}\ngpus = {}\n", kind.gpus);
    kind.cpu.iter().for_each(|cpu| lines += &format!("cpu = {cpu}\n"));
    kind.memory_mib.iter().for_each(|mib| lines += &format!("memory = \"{mib} MiB\"\n"));
    lines
}

fn ranges(ranges: &[Range<u32>]) -> String {
    let told = ranges.iter().map(|range| match range.end - range.start {
        1 => range.start.to_string(),
        _ => format!("{}-{}", range.start, range.end - 1),
    });
    told.collect::<Vec<_>>().join(";")
}

fn queue_lines(queue: &Queue) -> String {
    let mut lines = format!("name = {}\n", quoted(&queue.name));
    queue.parent.iter().for_each(|parent| lines += &format!("parent = {}\n", quoted(parent)));
    if !queue.tenants.is_empty() {
        let tenants: Vec<String> = queue.tenants.iter().map(|name| quoted(name)).collect();
        lines += &format!("tenants = [{}]\n", tenants.join(", "));
    }
    let amounts = [
        ("nominal", queue.nominal),
        ("borrow", queue.borrow),
        ("lend", queue.lend),
        ("guarantee", queue.guarantee),
        ("limit", queue.limit),
        ("weight", queue.weight),
    ];
    if !queue.by_platform.is_empty() {
        lines += &platform_lines(queue);
    }
    let told_apart = |key: &str| !queue.by_platform.is_empty() && key != "weight";
    for (key, amount) in amounts.into_iter().filter(|(key, _)| !told_apart(key)) {
        amount.iter().for_each(|amount| lines += &format!("{key} = {}\n", milli(*amount)));
    }
    lines
}

/// What a queue has platform by platform.
fn platform_lines(queue: &Queue) -> String {
    type Amount = fn(&OnPlatform) -> Option<u32>;
    let keys: [(&str, Amount); 4] = [
        ("nominal", |on| on.nominal),
        ("borrow", |on| on.borrow),
        ("lend", |on| on.lend),
        ("limit", |on| on.limit),
    ];
    let mut lines = String::new();
    for (key, amount) in keys {
        let one = |on: &OnPlatform| Some(format!("{} = {}", on.platform, milli(amount(on)?)));
        let told: Vec<String> = queue.by_platform.iter().filter_map(one).collect();
        if !told.is_empty() {
            lines += &format!("{key} = {{ {} }}\n", told.join(", "));
        }
    }
    lines
}

/// Gives names to racks and queues that nothing else has.
fn name_apart(draft: &mut Draft, findings: &mut Findings) {
    let partitions: BTreeSet<String> = draft
        .partitions
        .iter()
        .map(|own| own.name.clone())
        .chain([Workload::DEFAULT_PARTITION.to_owned()])
        .collect();
    let mut queues: BTreeSet<String> = draft.queues.iter().map(|own| own.name.clone()).collect();
    let clashing: Vec<String> = queues.intersection(&partitions).cloned().collect();
    for name in clashing {
        let free = |own: &String| !queues.contains(own) && !partitions.contains(own);
        let mut others = (1..).map(|number| match number {
            1 => format!("queue-{name}"),
            _ => format!("queue-{name}-{number}"),
        });
        let Some(other) = others.find(free) else { continue };
        findings.assume(format!("queue {name} is called {other} here: there is a partition {name}"));
        for queue in &mut draft.queues {
            if queue.name == name {
                queue.name.clone_from(&other);
            }
            if queue.parent.as_ref() == Some(&name) {
                queue.parent = Some(other.clone());
            }
        }
        queues.insert(other);
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for racks in &mut draft.racks {
        let mut number = 1;
        let base = racks.name.clone();
        while !taken.insert(racks.name.clone()) {
            number += 1;
            racks.name = format!("{base}-{number}");
        }
    }
}

/// Tenants of a trace that stand in no queue are there all the same.
fn add_tenants(draft: &mut Draft, findings: &mut Findings, options: &Options) {
    if draft.tenants.is_empty() {
        return;
    }
    let known: BTreeSet<String> = draft.tenants.iter().map(|tenant| tenant.name.clone()).collect();
    for name in options.tenants.iter().filter(|name| !known.contains(*name)) {
        findings.assume(format!("tenant {name} of the trace stands in no queue: none limits it"));
        let from = "of the trace, in no queue".to_owned();
        draft.tenants.push(super::draft::Tenant { name: name.clone(), partition: None, weight: None, from });
    }
}

/// Who submits generated jobs where, and how many GPUs each may hold.
struct Source {
    tenant: String,
    partition: Option<String>,
    /// What it is to have of all GPUs, beside others.
    part: u64,
    most: u64,
}

fn streams(draft: &Draft, findings: &mut Findings) -> String {
    let gpus = draft.gpus();
    let sources = if draft.queues.is_empty() { by_partition(draft) } else { by_queue(draft) };
    findings.assume("the jobs are made up: `trace = \"FILE\"` in [workload] runs those of a trace, or `import --workload FILE`");
    let speed = speed(draft);
    let (count, all) =
        (JOBS.div_ceil(sources.len().max(1)), sources.iter().map(|source| source.part).sum::<u64>());
    let mut texts: Vec<String> = Vec::new();
    for source in &sources {
        if source.most == 0 {
            findings.assume(format!("tenant {} submits nothing: it may hold no GPU", source.tenant));
            continue;
        }
        let own = (gpus * source.part / all.max(1)).clamp(1, gpus.max(1)).min(source.most);
        // A generator's name is the first part of those of its jobs.
        let name = &source.partition.as_deref().unwrap_or(&source.tenant).replace('/', "-");
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let stream = Stream {
            name,
            tenant: &source.tenant,
            partition: source.partition.as_deref(),
            count: small(count as u64),
            gpus: small(own),
            gang: small((own / 4).clamp(1, 1024)),
            speed,
            is_told: texts.is_empty(),
        };
        texts.push(stream.text());
    }
    texts.join("\n")
}

/// How fast the GPUs are that most nodes have.
fn speed(draft: &Draft) -> f64 {
    let catalogue = Catalogue::embedded();
    let most = draft.racks.iter().max_by_key(|racks| u64::from(racks.count) * u64::from(racks.nodes));
    let name = most.map(|racks| racks.kind.platform.as_str());
    let platform = name.and_then(|name| catalogue.get(name));
    platform.map_or(1.0, |platform| platform.speed(Family::DenseTraining).as_f64())
}

fn by_partition(draft: &Draft) -> Vec<Source> {
    let tenant = draft.tenants.first().map_or("users", |tenant| tenant.name.as_str()).to_owned();
    let with =
        |partition: Option<String>, most: u64| Source { tenant: tenant.clone(), partition, part: most, most };
    let all = draft
        .partitions
        .iter()
        .map(|partition| with(Some(partition.name.clone()), draft.gpus_in(&partition.nodes).0));
    let found: Vec<Source> = all.filter(|source| source.most > 0).collect();
    if found.is_empty() { vec![with(None, draft.gpus())] } else { found }
}

fn by_queue(draft: &Draft) -> Vec<Source> {
    let gpus = draft.gpus();
    let mut order: Vec<&Queue> = draft.queues.iter().collect();
    let above = |queue: &Queue| {
        let parent =
            |queue: &&Queue| draft.queues.iter().find(|other| Some(&other.name) == queue.parent.as_ref());
        std::iter::successors(draft.queues.iter().find(|own| own.name == queue.name), parent)
            .take(TOO_DEEP)
            .collect::<Vec<_>>()
    };
    order.sort_by_cached_key(|queue| above(queue).len());
    let place =
        |name: &str| order.iter().position(|queue| queue.name == name).and_then(|at| u32::try_from(at).ok());
    // Of platforms that are told apart the one of which it may have most.
    let platforms: BTreeSet<&str> =
        order.iter().flat_map(|queue| &queue.by_platform).map(|on| on.platform.as_str()).collect();
    let row_on = |queue: &&Queue, platform: &str| {
        let on = queue.by_platform.iter().find(|on| on.platform == platform);
        let on = on.cloned().unwrap_or_default();
        Row {
            parent: queue.parent.as_deref().and_then(place),
            nominal_milli: on.nominal,
            borrow_milli: on.borrow,
            lend_milli: on.lend,
            limit_milli: on.limit,
            ..Row::default()
        }
    };
    let on = |platform: &&str| Tree::new(order.iter().map(|queue| row_on(queue, platform)).collect());
    let trees: Vec<Tree> = platforms.iter().map(on).collect();
    let row = |queue: &&Queue| {
        let kept = queue.guarantee.map(|kept| queue.nominal.unwrap_or(0).saturating_sub(kept));
        Row {
            parent: queue.parent.as_deref().and_then(place),
            nominal_milli: queue.nominal,
            borrow_milli: queue.borrow,
            lend_milli: queue.lend.or(kept),
            limit_milli: queue.limit,
            ..Row::default()
        }
    };
    let tree = Tree::new(order.iter().map(row).collect());
    let mut found = Vec::new();
    for (own, queue) in (0_u32..).zip(&order) {
        let limits = above(queue).into_iter().filter_map(|queue| queue.limit).map(u64::from);
        let most = limits.chain(tree.most(own)).min().map_or(gpus, |milli| (milli / 1000).min(gpus));
        let most_on = trees.iter().map(|tree| tree.most(own).map_or(gpus, |milli| milli / 1000)).max();
        let most = most_on.filter(|_| !queue.by_platform.is_empty()).map_or(most, |own| own.min(most));
        let tenants = u64::try_from(queue.tenants.len()).unwrap_or(1).max(1);
        let nominal = u64::from(queue.nominal.unwrap_or(0)).max(1000) / tenants;
        found.extend(queue.tenants.iter().map(|tenant| Source {
            tenant: tenant.clone(),
            partition: None,
            part: nominal,
            most,
        }));
    }
    found
}
