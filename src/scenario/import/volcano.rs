//! Queues of Volcano, and the configuration of its scheduler.
//!
//! | Volcano | scenario |
//! |---|---|
//! | Queue, `parent` | `[[queue]]` and its `parent`, else `root`; one with none below it is a `[[tenant]]` too |
//! | `deserved` | `nominal`; without any, what `weight` makes of all GPUs |
//! | `guarantee.resource` | `guarantee` |
//! | `capability` | `limit` |
//! | `weight` | `weight`, where queues take back what others borrow |
//! | `actions` and `plugins` of the scheduler | `order`, `preemption`, `placement` |

use super::draft::{Draft, Key, Queue, Tenant};
use super::findings::{Findings, Source};
use super::kueue::PRIORITY_STEP;
use super::nodes::{Flavour, levels, read_cluster};
use super::objects::{Object, objects};
use super::tree::Tree;
use super::yaml::Node;
use super::{Options, System};

pub(super) const SYSTEM: System = System {
    name: "volcano",
    about: "Volcano: Queue, volcano-scheduler.conf and nodes, as YAML or JSON",
    detect: |source| {
        let all = objects(std::slice::from_ref(source));
        all.iter().any(|object| object.is(GROUP, "Queue") || is_scheduler(object))
    },
    read,
};

const GROUP: &str = "scheduling.volcano.sh";
/// The queue above all others.
const ROOT: &str = "root";

/// Why keys are left out.
const WHY: &[(&str, &str)] = &[
    ("reclaimable", "a queue lends what it does not keep by `guarantee`, to be taken back"),
    ("priority", "queues have no priority, their jobs have"),
    ("affinity", "queues take nodes of any group"),
    ("dequeueStrategy", "here jobs that fit pass those that do not, in every queue alike"),
    ("dra", "queues count GPUs alone"),
];

/// Whether it is `volcano-scheduler.conf`.
fn is_scheduler(object: &Object<'_>) -> bool {
    object.kind.is_empty() && object.text(&["actions"]).is_some()
}

fn read(sources: &[Source], options: &Options, draft: &mut Draft, findings: &mut Findings) {
    let all = objects(sources);
    let queues: Vec<&Object<'_>> = all.iter().filter(|object| object.is(GROUP, "Queue")).collect();
    let mut tree = Tree::default();
    for object in &queues {
        if let Some(queue) = queue(object, findings) {
            let weight = object.node.at(&["spec", "weight"]);
            tree.add(object, queue, weight.map_or(0, |weight| weight.line), findings);
        }
    }
    if !tree.has(ROOT) {
        tree.imply(Queue { name: ROOT.to_owned(), from: "above all others".to_owned(), ..Queue::default() });
    }
    for queue in tree.idle_leaves() {
        if queue != ROOT {
            tree.give(&queue, &queue);
            draft.tenants.push(Tenant { name: queue, partition: None, weight: None, from: String::new() });
        }
    }
    let deserved: u64 = tree.queues().filter_map(|queue| queue.nominal).map(u64::from).sum();
    let limited: u64 = tree.leaves().filter_map(|queue| queue.limit).map(u64::from).sum();
    let milli = if deserved > 0 { tree.entitled() } else { limited };
    let flavours = [Flavour { name: "queues".to_owned(), told: Vec::new(), milli }];
    let levels = levels(&all, &[], findings);
    tree.check(findings);
    read_cluster(&all, &flavours, &levels, options, draft, findings);
    if deserved == 0 {
        share_by_weight(&mut tree, draft.gpus(), findings);
    }
    tree.count_own_alone(findings);
    let scheduler = all.iter().find(|object| is_scheduler(object));
    draft.policy = policy(scheduler, findings);
    let reads_weights = draft.policy.iter().any(|key| {
        key.key == "preemption" && key.value.contains("reclaim")
            || key.key == "order" && key.value.contains("proportion")
    });
    tree.finish(draft, reads_weights, findings);
    for object in &all {
        match object.kind.as_str() {
            "Node" => {}
            "Queue" => object.finish(WHY, findings),
            "" if is_scheduler(object) => object.finish(WHY, findings),
            _ => object.leave_out_whole("it is neither a queue nor what queues are made of", findings),
        }
    }
}

fn queue(object: &Object<'_>, findings: &mut Findings) -> Option<Queue> {
    let name = object.named(findings)?.to_owned();
    let gpus = |path: &[&str], findings: &mut Findings| object.gpus(path, findings);
    let (nominal, limit) = (gpus(&["spec", "deserved"], findings), gpus(&["spec", "capability"], findings));
    let guarantee = gpus(&["spec", "guarantee", "resource"], findings);
    let weight = object.node.at(&["spec", "weight"]).and_then(|weight| object.milli(weight, 1000, findings));
    let is_root = name == ROOT;
    let parent = object.text(&["spec", "parent"]).unwrap_or_else(|| ROOT.to_owned());
    Some(Queue {
        name,
        parent: (!is_root).then_some(parent),
        nominal,
        limit,
        guarantee: guarantee.filter(|_| !is_root),
        weight: weight.filter(|weight| *weight != 1000),
        ..Queue::default()
    })
}

/// What queues that say nothing deserve: their parts by weight of what those above them have.
fn share_by_weight(tree: &mut Tree<'_>, gpus: u64, findings: &mut Findings) {
    findings.assume("no queue says what it deserves: GPUs are theirs by weight, as if all asked for more");
    let below = tree.below();
    let mut waiting = vec![(ROOT.to_owned(), gpus.saturating_mul(1000))];
    // A ring ends, since no queue is below two.
    while let Some((name, milli)) = waiting.pop() {
        let Some(rows) = below.get(&name) else { continue };
        let weight = |queue: &Queue| u64::from(queue.weight.unwrap_or(1000));
        let all: u64 = rows.iter().filter_map(|row| tree.queues().nth(*row)).map(weight).sum();
        for row in rows {
            let Some(queue) = tree.queues_mut().nth(*row).filter(|queue| queue.nominal.is_none()) else {
                continue;
            };
            let part = milli.saturating_mul(weight(queue)) / all.max(1);
            let part =
                part.min(queue.limit.map_or(u64::MAX, u64::from)).max(queue.guarantee.unwrap_or(0).into());
            queue.nominal = u32::try_from(part).ok();
            waiting.push((queue.name.clone(), part));
        }
    }
}

fn policy(scheduler: Option<&Object<'_>>, findings: &mut Findings) -> Vec<Key> {
    let actions = scheduler.and_then(|object| object.text(&["actions"]));
    let acts =
        |name: &str| actions.as_ref().is_some_and(|all| all.split(',').any(|action| action.trim() == name));
    let mut plugins: Vec<(String, usize)> = Vec::new();
    if let Some(object) = scheduler {
        for tier in object.node.get("tiers").map_or(&[][..], Node::items) {
            for plugin in tier.get("plugins").map_or(&[][..], Node::items) {
                plugins.extend(plugin.get("name").and_then(Node::text).map(|name| (name, plugin.line)));
            }
        }
        for (plugin, line) in plugins.iter().filter(|(plugin, _)| !PLUGINS.contains(&plugin.as_str())) {
            findings.leave_out(object.source, *line, format!("plugin {plugin}"), "no counterpart");
        }
    } else {
        findings.assume("volcano-scheduler.conf is not among the files: no action stops jobs for others");
    }
    let has = |names: &[&str]| plugins.iter().any(|(plugin, _)| names.contains(&plugin.as_str()));
    // Its own usual configuration has proportion.
    let takes_turns = scheduler.is_none() || has(&["proportion", "capacity"]);
    let mut keys = if takes_turns {
        vec![Key::text("order", "proportion", "queues by what they hold of what they deserve")]
    } else {
        let why = "no waiting makes up for a lower priority";
        vec![Key::text("order", "priority", ""), Key::text("priority_step", PRIORITY_STEP, why)]
    };
    keys.push(Key::text("backfill", "skip", "what fits passes what does not"));
    let packs = has(&["binpack"]);
    let placement = if packs { ("pack", "binpack") } else { ("best-fit", "") };
    keys.push(Key::text("placement", placement.0, placement.1));
    let preemption = match (acts("reclaim"), acts("preempt")) {
        (true, _) => ("reclaim", "action reclaim"),
        (false, true) => ("priority", "action preempt"),
        (false, false) => ("none", "no action stops jobs for others"),
    };
    if preemption.0 == "priority" {
        findings.assume("a job stops lower ones of any queue, where those of Volcano stop within theirs");
    }
    keys.push(Key::text("preemption", preemption.0, preemption.1));
    if preemption.0 == "reclaim" {
        findings.assume("which jobs yield goes by Kueue's fair sharing, where Volcano has its own test");
    }
    if !takes_turns {
        findings.assume("jobs of all queues go by priority, then by when they came");
    }
    keys
}

/// Plugins whose work is part of every simulation, or is told by the policy.
const PLUGINS: [&str; 8] =
    ["gang", "priority", "predicates", "proportion", "capacity", "nodeorder", "binpack", "conformance"];
