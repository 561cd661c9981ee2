//! Kueue's ClusterQueues, Cohorts, LocalQueues, flavours, Topology and Configuration.
//!
//! | Kueue | scenario |
//! |---|---|
//! | Cohort, and one that a ClusterQueue only names | `[[queue]]` |
//! | ClusterQueue | `[[queue]]` below its cohort |
//! | `nominalQuota`, `borrowingLimit`, `lendingLimit` of GPUs | `nominal`, `borrow`, `lend`: by platform, where each flavour is one of its own, else all flavours together |
//! | `fairSharing.weight` | `weight`, where queues take back what others borrow |
//! | LocalQueue | `[[tenant]]` of its ClusterQueue |
//! | `queueingStrategy`, `preemption`, `fairSharing`, `admissionFairSharing` | `[policy]` |
//! | nodes, or else what flavours have quotas of | racks of `[cluster]` |

mod policy;

use super::draft::{Draft, OnPlatform, Queue, Tenant, platform_in};
use super::findings::{Findings, Source};
use super::nodes::{Flavour, levels, read_cluster};
use super::objects::{NO_GPU, Object, objects};
use super::tree::{Tree, milli};
use super::yaml::Node;
use super::{Options, System};
use crate::error::Problem;
use crate::trace::gpu_milli;
pub(super) use policy::PRIORITY_STEP;
use policy::{Member, Policy};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const SYSTEM: System = System {
    name: "kueue",
    about: "Kueue: ClusterQueue, Cohort, LocalQueue, ResourceFlavor, Topology, Configuration and nodes, as YAML or JSON",
    detect: |source| {
        objects(std::slice::from_ref(source))
            .iter()
            .any(|object| [GROUP, CONFIG].contains(&object.group.as_str()))
    },
    read,
};

const GROUP: &str = "kueue.x-k8s.io";
const CONFIG: &str = "config.kueue.x-k8s.io";

/// Why keys are left out.
const WHY: &[(&str, &str)] = &[
    ("namespaceSelector", "who stands in a queue is told by LocalQueues alone"),
    (
        "flavorFungibility",
        "a job is tried on one platform after another, and starts on the first whose quota and nodes let it",
    ),
    ("admissionChecks", "nothing but the queue admits a job"),
    ("nodeTaints", "what a node keeps away is not told apart"),
    ("tolerations", "what a node keeps away is not told apart"),
];

fn read(sources: &[Source], options: &Options, draft: &mut Draft, findings: &mut Findings) {
    let all = objects(sources);
    let of = |kind: &'static str| all.iter().filter(move |object| object.is(GROUP, kind));
    let mut reader = Reader {
        tree: Tree::default(),
        flavours: Vec::new(),
        parts: BTreeMap::new(),
        members: Vec::new(),
        findings,
    };
    // A queue and a cohort may have the same name.
    let taken: Vec<&str> = of("ClusterQueue").map(|queue| queue.name.as_str()).collect();
    let cohort_name =
        |name: &str| if taken.contains(&name) { format!("cohort-{name}") } else { name.to_owned() };
    of("Cohort").for_each(|cohort| reader.cohort(cohort, &cohort_name));
    of("ClusterQueue").for_each(|queue| reader.queue(queue, &cohort_name));
    reader.imply_cohorts();
    let local: Vec<&Object<'_>> = of("LocalQueue").collect();
    let config = all.iter().find(|object| object.group == CONFIG);
    let policy = Policy::of(&reader.members, config, reader.findings);
    reader.tenants(&local, policy.is_by_use, draft);
    let Reader { mut tree, mut flavours, parts, findings, .. } = reader;
    let mut topologies = Vec::new();
    for object in of("ResourceFlavor") {
        topologies.extend(object.text(&["spec", "topologyName"]));
        let labels = object.node.at(&["spec", "nodeLabels"]).into_iter().flat_map(Node::entries);
        let told: Vec<String> = labels.filter_map(|(_, value)| value.text()).collect();
        if let Some(flavour) = flavours.iter_mut().find(|flavour| flavour.name == object.name) {
            flavour.told.extend(told);
        }
    }
    let levels = levels(&all, &topologies, findings);
    tree.check(findings);
    read_cluster(&all, &flavours, &levels, options, draft, findings);
    settle_flavours(&mut tree, parts, &flavours, draft, findings);
    tree.finish(draft, policy.reads_weights(), findings);
    draft.policy = policy.keys;
    for object in &all {
        match object.kind.as_str() {
            "Node" => {}
            "ClusterQueue" | "Cohort" | "LocalQueue" | "ResourceFlavor" | "Topology" => {
                object.finish(WHY, findings);
            }
            _ if object.group == CONFIG => object.finish(WHY, findings),
            _ => object.leave_out_whole("it is neither a queue nor what queues are made of", findings),
        }
    }
}

/// Reads objects into what follows from all of them.
struct Reader<'s, 'f> {
    tree: Tree<'s>,
    /// GPUs that queues have of each, in the order met.
    flavours: Vec<Flavour>,
    /// By queue: what it has of each flavour, in its order.
    parts: BTreeMap<String, Parts>,
    members: Vec<Member<'s>>,
    findings: &'f mut Findings,
}

/// What an object has of each flavour.
#[derive(Default)]
struct Parts {
    /// As messages call it.
    told: String,
    /// Flavours by name, what it has of them beside that.
    of: Vec<(String, OnPlatform)>,
}

impl Parts {
    fn sum(&self, amount: impl Fn(&OnPlatform) -> Option<u32>) -> Option<u32> {
        self.of.iter().filter_map(|(_, on)| amount(on)).reduce(u32::saturating_add)
    }
}

impl<'s> Reader<'s, '_> {
    fn cohort(&mut self, object: &Object<'s>, cohort_name: &impl Fn(&str) -> String) {
        let Some(name) = object.named(self.findings).map(cohort_name) else { return };
        let parent = object.text(&["spec", "parentName"]).or_else(|| object.text(&["spec", "parent"]));
        let parent = parent.as_deref().map(cohort_name);
        let quota = self.quota(object, parent.is_some());
        self.add(object, name, parent, quota);
    }

    fn queue(&mut self, object: &Object<'s>, cohort_name: &impl Fn(&str) -> String) {
        let Some(name) = object.named(self.findings).map(str::to_owned) else { return };
        let cohort = object.text(&["spec", "cohortName"]).or_else(|| object.text(&["spec", "cohort"]));
        let parent = cohort.as_deref().map(cohort_name);
        let quota = self.quota(object, parent.is_some());
        if quota.of.is_empty() {
            object.leave_out_whole("it covers no GPUs: no job that asks for any stands in it", self.findings);
            return;
        }
        self.members.push(Member::of(object, parent.is_some()));
        let stop = object.text(&["spec", "stopPolicy"]).unwrap_or_default();
        if !["", "None"].contains(&stop.as_str()) {
            object.leave_out(&["spec", "stopPolicy"], "here queues admit for ever", self.findings);
        }
        self.add(object, name, parent, quota);
    }

    fn add(&mut self, object: &Object<'s>, name: String, parent: Option<String>, parts: Parts) {
        let weight = object.node.at(&["spec", "fairSharing", "weight"]);
        let weight_milli = weight.and_then(|weight| object.milli(weight, 1000, self.findings));
        let queue = Queue {
            name: name.clone(),
            parent,
            nominal: parts.sum(|on| on.nominal),
            // A weight of one is what nothing says.
            weight: weight_milli.filter(|weight| *weight != 1000),
            ..Queue::default()
        };
        self.tree.add(object, queue, weight.map_or(0, |weight| weight.line), self.findings);
        self.parts.entry(name).or_insert(parts);
    }

    /// Cohorts that are only named are there all the same.
    fn imply_cohorts(&mut self) {
        let named: Vec<String> = self.tree.queues().filter_map(|queue| queue.parent.clone()).collect();
        for name in named {
            self.tree.imply(Queue { name, from: "only named".to_owned(), ..Queue::default() });
        }
    }

    /// The quotas of GPUs of an object.
    fn quota(&mut self, object: &Object<'s>, has_parent: bool) -> Parts {
        let mut parts = Parts { told: object.told(), of: Vec::new() };
        for (flavour, resource) in resources(object) {
            let name = resource.get("name").and_then(Node::text).unwrap_or_default();
            let Some((each, _)) = gpu_milli(&name) else {
                object.leave_out_at(resource, &format!("quota of {name}"), NO_GPU, self.findings);
                continue;
            };
            let mut amount = |key: &str| object.milli(resource.get(key)?, each, self.findings);
            let nominal = amount("nominalQuota").unwrap_or(0);
            let (borrow, lend) = (amount("borrowingLimit"), amount("lendingLimit"));
            if each == 1000 && nominal % 1000 != 0 {
                let told = resource.get("nominalQuota").map_or_else(String::new, Node::told);
                self.findings.assume(format!(
                    "{}: {told} of {name} are {} GPUs, though Kubernetes hands out whole ones",
                    parts.told,
                    milli(nominal)
                ));
            }
            self.count(&flavour, nominal);
            for key in ["borrowingLimit", "lendingLimit"] {
                if let Some(node) = resource.get(key).filter(|_| !has_parent) {
                    object.leave_out_at(
                        node,
                        key,
                        "in no cohort there is nobody to share with",
                        self.findings,
                    );
                }
            }
            let (borrow, lend) = if has_parent { (borrow, lend) } else { (None, None) };
            let on = OnPlatform { nominal: Some(nominal), borrow, lend, ..OnPlatform::default() };
            match parts.of.iter_mut().find(|(name, _)| *name == flavour) {
                // GPUs of two vendors in one flavour.
                Some((_, other)) => add_to(other, &on),
                None => parts.of.push((flavour, on)),
            }
        }
        parts
    }

    fn count(&mut self, flavour: &str, nominal: u32) {
        let place = self.flavours.iter().position(|known| known.name == flavour);
        let place = place.unwrap_or_else(|| {
            self.flavours.push(Flavour {
                name: flavour.to_owned(),
                told: vec![flavour.to_owned()],
                milli: 0,
            });
            self.flavours.len() - 1
        });
        self.flavours[place].milli += u64::from(nominal);
    }

    /// LocalQueues as tenants; a ClusterQueue without any is its own.
    fn tenants(&mut self, local: &[&Object<'s>], is_by_use: bool, draft: &mut Draft) {
        for object in local {
            let Some(name) = object.named(self.findings).map(str::to_owned) else { continue };
            let Some(queue) = object.text(&["spec", "clusterQueue"]) else {
                let problem = Problem::new(format!("{} of no ClusterQueue", object.told()));
                self.findings.complain(
                    object.source,
                    object.node.line,
                    problem.hint("`spec.clusterQueue` tells it"),
                );
                continue;
            };
            if !self.tree.has(&queue) {
                object.leave_out_whole(
                    &format!("ClusterQueue {queue} is not there, or counts no GPUs"),
                    self.findings,
                );
                continue;
            }
            let is_alone = local.iter().filter(|other| other.name == name).count() == 1;
            let tenant = if is_alone { name } else { format!("{}/{name}", object.namespace) };
            if !is_alone {
                self.findings.assume(
                    "LocalQueues of one name are told apart by their namespaces; a trace of Kubernetes names them without",
                );
            }
            let weight = object.node.at(&["spec", "fairSharing", "weight"]).filter(|_| is_by_use);
            let weight = weight.and_then(|weight| object.milli(weight, 1000, self.findings));
            let weight = weight.filter(|weight| *weight != 1000);
            self.tree.give(&queue, &tenant);
            draft.tenants.push(Tenant { name: tenant, weight, partition: None, from: object.from() });
        }
        for queue in self.tree.idle_leaves() {
            if self.members.iter().any(|member| member.object.name == queue) {
                self.findings
                    .assume(format!("ClusterQueue {queue} has no LocalQueue here: its tenant has its name"));
                self.tree.give(&queue, &queue);
                draft.tenants.push(Tenant {
                    name: queue,
                    weight: None,
                    partition: None,
                    from: String::new(),
                });
            }
        }
    }
}

/// Adds one quota to another.
fn add_to(own: &mut OnPlatform, other: &OnPlatform) {
    let both = |own: Option<u32>, other: Option<u32>| Some(own?.saturating_add(other?));
    let lent = |on: &OnPlatform| on.lend.or(on.nominal);
    if own.lend.is_some() || other.lend.is_some() {
        own.lend = both(lent(own), lent(other));
    }
    (own.nominal, own.borrow) = (both(own.nominal, other.nominal), both(own.borrow, other.borrow));
}

/// The platform of each flavour, where every one is of another and there are several, and all are there.
fn platforms(flavours: &[Flavour], draft: &Draft) -> Option<BTreeMap<String, String>> {
    let platform = |flavour: &Flavour| flavour.told.iter().find_map(|text| platform_in(text));
    let known: BTreeMap<String, String> =
        flavours.iter().filter_map(|flavour| Some((flavour.name.clone(), platform(flavour)?))).collect();
    let apart: BTreeSet<&String> = known.values().collect();
    let is_there = |platform: &&String| draft.racks.iter().any(|racks| racks.kind.platform == **platform);
    let all = known.len() == flavours.len() && apart.len() == known.len() && apart.iter().all(is_there);
    (all && known.len() > 1).then_some(known)
}

/// What queues have of flavours is what they have of platforms, or else one quota.
fn settle_flavours(
    tree: &mut Tree<'_>,
    mut parts: BTreeMap<String, Parts>,
    flavours: &[Flavour],
    draft: &Draft,
    findings: &mut Findings,
) {
    let platforms = platforms(flavours, draft);
    let takes_jobs: BTreeSet<String> = tree.leaves().map(|queue| queue.name.clone()).collect();
    for queue in tree.queues_mut() {
        let Some(parts) = parts.remove(&queue.name) else { continue };
        if let Some(platforms) = &platforms {
            let on = |(flavour, on): &(String, OnPlatform)| {
                let platform = platforms.get(flavour).cloned().unwrap_or_default();
                OnPlatform { platform, ..on.clone() }
            };
            queue.by_platform = parts.of.iter().map(on).collect();
            // What a ClusterQueue does not cover, none of its jobs runs on.
            let is_missing =
                |platform: &&String| queue.by_platform.iter().all(|on| on.platform != **platform);
            let others: Vec<&String> = platforms.values().filter(is_missing).collect();
            let none = |platform: &String| OnPlatform {
                platform: platform.clone(),
                limit: Some(0),
                ..OnPlatform::default()
            };
            if takes_jobs.contains(&queue.name) {
                queue.by_platform.extend(others.into_iter().map(none));
            }
        }
        add_up(queue, &parts, platforms.is_some(), findings);
    }
}

/// What a queue borrows and lends of all flavours together.
fn add_up(queue: &mut Queue, parts: &Parts, are_told_apart: bool, findings: &mut Findings) {
    let is_unlimited = parts.of.iter().any(|(_, on)| on.borrow.is_none());
    let any_limit = parts.of.iter().any(|(_, on)| on.borrow.is_some());
    queue.borrow = parts.sum(|on| on.borrow).filter(|_| !is_unlimited);
    if parts.of.iter().any(|(_, on)| on.lend.is_some()) {
        queue.lend = parts.sum(|on| on.lend.or(on.nominal));
    }
    if are_told_apart {
        return;
    }
    if is_unlimited && any_limit {
        findings.assume(format!("{} may borrow without limit: so it may of one flavour", parts.told));
    }
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &parts.of {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.len() > 1 {
        let flavours = names.join(", ");
        findings.assume(format!(
            "{} may use its GPUs of any flavour, all quotas added up, since they are not of a platform each: {flavours}",
            parts.told
        ));
    }
}

/// The resources of every flavour of an object, with its name.
fn resources<'s>(object: &Object<'s>) -> Vec<(String, &'s Node)> {
    let mut found = Vec::new();
    for group in object.node.at(&["spec", "resourceGroups"]).map_or(&[][..], Node::items) {
        if let Some(covered) = group.get("coveredResources") {
            covered.settle();
        }
        for flavour in group.get("flavors").map_or(&[][..], Node::items) {
            let name = flavour.get("name").and_then(Node::text).unwrap_or_default();
            let resources = flavour.get("resources").map_or(&[][..], Node::items);
            found.extend(resources.iter().map(|resource| (name.clone(), resource)));
        }
    }
    found
}
