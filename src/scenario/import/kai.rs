//! Queues of KAI, which are those of Run:ai.
//!
//! | KAI | scenario |
//! |---|---|
//! | Queue, `parentQueue` | `[[queue]]` and its `parent`; one with none below it is a `[[tenant]]` too |
//! | `resources.gpu.quota` | `nominal`; −1: all GPUs there are |
//! | `resources.gpu.limit` | `limit`; −1: none |
//! | `resources.gpu.overQuotaWeight` | `weight`; 0: `borrow = 0` |
//! | `reclaimMinRuntime`, `preemptMinRuntime` | `min_run` of `[policy]`, where all queues say the same |

use super::draft::{Draft, Key, Queue, Tenant};
use super::findings::{Findings, Source};
use super::nodes::{Flavour, levels, read_cluster};
use super::objects::{NO_GPU, Object, objects};
use super::tree::Tree;
use super::{Options, System};
use crate::policy::part;
use crate::trace::quantity;
use crate::units::Gpus;

pub(super) const SYSTEM: System = System {
    name: "kai",
    about: "KAI, Run:ai: Queue, Topology and nodes, as YAML or JSON",
    detect: |source| objects(std::slice::from_ref(source)).iter().any(|object| object.is(GROUP, "Queue")),
    read,
};

const GROUP: &str = "scheduling.run.ai";
/// The queue above those that have none above them.
const TOP: &str = "cluster";

/// Why keys of a queue are left out.
const WHY: &[(&str, &str)] = &[
    ("priority", "queues have no priority, their jobs have"),
    ("displayName", ""),
    ("resources.cpu", NO_GPU),
    ("resources.memory", NO_GPU),
];

fn read(sources: &[Source], options: &Options, draft: &mut Draft, findings: &mut Findings) {
    let all = objects(sources);
    let queues: Vec<&Object<'_>> = all.iter().filter(|object| object.is(GROUP, "Queue")).collect();
    let mut tree = Tree::default();
    let mut unlimited = Vec::new();
    for object in &queues {
        if let Some(queue) = queue(object, &mut unlimited, findings) {
            let weight = object.node.at(&["spec", "resources", "gpu", "overQuotaWeight"]);
            tree.add(object, queue, weight.map_or(0, |weight| weight.line), findings);
        }
    }
    for queue in tree.idle_leaves() {
        tree.give(&queue, &queue);
        draft.tenants.push(Tenant { name: queue, partition: None, weight: None, from: String::new() });
    }
    let tops: Vec<String> = tree.roots().map(|queue| queue.name.clone()).collect();
    let flavours = [Flavour { name: "queues".to_owned(), told: Vec::new(), milli: tree.entitled() }];
    let levels = levels(&all, &[], findings);
    tree.check(findings);
    read_cluster(&all, &flavours, &levels, options, draft, findings);
    let there = u32::try_from(draft.gpus()).unwrap_or(Gpus::MAX_WHOLE).min(Gpus::MAX_WHOLE) * 1000;
    for queue in tree.queues_mut().filter(|queue| unlimited.contains(&queue.name)) {
        findings.assume(format!("queue {} has all GPUs there are: its quota is unlimited", queue.name));
        queue.nominal = Some(there);
    }
    tree.count_own_alone(findings);
    if tops.len() > 1 {
        // What one leaves idle another may use.
        let name = if tree.has(TOP) { format!("{TOP}-above-all") } else { TOP.to_owned() };
        tree.queues_mut()
            .filter(|queue| queue.parent.is_none())
            .for_each(|queue| queue.parent = Some(name.clone()));
        tree.imply(Queue { name, from: "above all others".to_owned(), ..Queue::default() });
    }
    tree.finish(draft, true, findings);
    draft.policy = policy(&queues, findings);
    for object in &all {
        match object.kind.as_str() {
            "Node" => {}
            "Queue" | "Topology" => object.finish(WHY, findings),
            _ => object.leave_out_whole("it is neither a queue nor what queues are made of", findings),
        }
    }
}

fn queue(object: &Object<'_>, unlimited: &mut Vec<String>, findings: &mut Findings) -> Option<Queue> {
    let name = object.named(findings)?.to_owned();
    let mut amount = |key: &str| Amount::of(object, key, findings);
    let (quota, limit, weight) = (amount("quota"), amount("limit"), amount("overQuotaWeight"));
    if quota == Amount::Unlimited {
        unlimited.push(name.clone());
    }
    let parent = object.text(&["spec", "parentQueue"]);
    let weight = weight.milli().filter(|weight| *weight != 1000);
    Some(Queue {
        name,
        parent,
        nominal: Some(quota.milli().unwrap_or(0)),
        limit: limit.milli(),
        borrow: (weight == Some(0)).then_some(0),
        weight: weight.filter(|weight| *weight > 0),
        ..Queue::default()
    })
}

/// An amount of GPUs as KAI writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Amount {
    Unsaid,
    Unlimited,
    Milli(u32),
}

impl Amount {
    fn of(object: &Object<'_>, key: &str, findings: &mut Findings) -> Self {
        let Some(node) = object.node.at(&["spec", "resources", "gpu", key]) else { return Self::Unsaid };
        if node.scalar().is_some_and(|value| {
            quantity(value).is_none() && value.as_f64().is_some_and(|number| number < 0.0)
        }) {
            return Self::Unlimited;
        }
        object.milli(node, 1000, findings).map_or(Self::Unsaid, Self::Milli)
    }
    const fn milli(self) -> Option<u32> {
        if let Self::Milli(milli) = self { Some(milli) } else { None }
    }
}

fn policy(queues: &[&Object<'_>], findings: &mut Findings) -> Vec<Key> {
    let mut keys = vec![
        Key::text("order", "saturation", "queues by what they hold of their fair share"),
        Key::text("backfill", "skip", "what fits passes what does not"),
        Key::text("placement", "best-fit", "binpack"),
        Key::text(
            "preemption",
            "reclaim",
            "queues take back what others borrow; in a queue lower priorities stop",
        ),
    ];
    findings.assume(
        "which jobs yield goes by Kueue's fair sharing, where KAI has its own test; nothing moves running jobs together (consolidation)",
    );
    let mut spans: Vec<(u32, &Object<'_>, &str)> = Vec::new();
    for object in queues {
        for key in ["reclaimMinRuntime", "preemptMinRuntime"] {
            let span = object.span(&["spec", key], findings);
            spans.extend(span.map(|span| (span.0, *object, key)));
        }
    }
    let Some(least) = spans.iter().map(|(span, ..)| *span).max() else { return keys };
    let is_one = spans.len() == 2 * queues.len() && spans.iter().all(|(span, ..)| *span == least);
    if !is_one {
        for (_, object, key) in &spans {
            let why = format!("min_run is one for all queues: {}, the longest", part::span(least));
            object.leave_out(&["spec", key], &why, findings);
        }
    }
    keys.push(Key::text("min_run", &part::span(least), "minRuntime"));
    keys
}
