//! Kueue's ClusterQueues, Cohorts, LocalQueues, flavours, Topology and Configuration.
//!
//! | Kueue | scenario |
//! |---|---|
//! | Cohort, and one that a ClusterQueue only names | `[[queue]]` |
//! | ClusterQueue | `[[queue]]` below its cohort |
//! | `nominalQuota`, `borrowingLimit`, `lendingLimit` of GPUs, all flavours together | `nominal`, `borrow`, `lend` |
//! | `fairSharing.weight` | `weight`, where queues take back what others borrow |
//! | LocalQueue | `[[tenant]]` of its ClusterQueue |
//! | `queueingStrategy`, `preemption`, `fairSharing`, `admissionFairSharing` | `[policy]` |
//! | nodes, or else what flavours have quotas of | racks of `[cluster]` |

mod policy;

use super::draft::{Draft, Queue, Tenant};
use super::findings::{Findings, Source};
use super::nodes::{Flavour, levels, read_cluster};
use super::objects::{NO_GPU, Object, objects};
use super::tree::Tree;
use super::yaml::Node;
use super::{Options, System};
use crate::error::Problem;
use crate::trace::gpu_milli;
pub(super) use policy::PRIORITY_STEP;
use policy::{Member, Policy};

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
    ("flavorFungibility", "GPUs of all flavours are one quota"),
    ("admissionChecks", "nothing but the queue admits a job"),
    ("nodeTaints", "what a node keeps away is not told apart"),
    ("tolerations", "what a node keeps away is not told apart"),
];

fn read(sources: &[Source], options: &Options, draft: &mut Draft, findings: &mut Findings) {
    let all = objects(sources);
    let of = |kind: &'static str| all.iter().filter(move |object| object.is(GROUP, kind));
    let mut reader = Reader { tree: Tree::default(), flavours: Vec::new(), members: Vec::new(), findings };
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
    let Reader { tree, mut flavours, findings, .. } = reader;
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
    members: Vec<Member<'s>>,
    findings: &'f mut Findings,
}

/// Quotas of GPUs, thousandths.
#[derive(Default)]
struct Quota {
    nominal: Option<u32>,
    borrow: Option<u32>,
    lend: Option<u32>,
    flavours: Vec<String>,
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
        if quota.nominal.is_none() {
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

    fn add(&mut self, object: &Object<'s>, name: String, parent: Option<String>, quota: Quota) {
        let weight = object.node.at(&["spec", "fairSharing", "weight"]);
        let weight_milli = weight.and_then(|weight| object.milli(weight, 1000, self.findings));
        let queue = Queue {
            name,
            parent,
            nominal: quota.nominal,
            borrow: quota.borrow,
            lend: quota.lend,
            // A weight of one is what nothing says.
            weight: weight_milli.filter(|weight| *weight != 1000),
            ..Queue::default()
        };
        self.tree.add(object, queue, weight.map_or(0, |weight| weight.line), self.findings);
    }

    /// Cohorts that are only named are there all the same.
    fn imply_cohorts(&mut self) {
        let named: Vec<String> = self.tree.queues().filter_map(|queue| queue.parent.clone()).collect();
        for name in named {
            self.tree.imply(Queue { name, from: "only named".to_owned(), ..Queue::default() });
        }
    }

    /// The quotas of GPUs of an object, those of all flavours together.
    fn quota(&mut self, object: &Object<'s>, has_parent: bool) -> Quota {
        let mut quota = Quota::default();
        let (mut unlimited, mut lends) = (false, Vec::new());
        for (flavour, resource) in resources(object) {
            let name = resource.get("name").and_then(Node::text).unwrap_or_default();
            let Some((each, _)) = gpu_milli(&name) else {
                object.leave_out_at(resource, &format!("quota of {name}"), NO_GPU, self.findings);
                continue;
            };
            let mut amount = |key: &str| object.milli(resource.get(key)?, each, self.findings);
            let nominal = amount("nominalQuota").unwrap_or(0);
            let (borrow, lend) = (amount("borrowingLimit"), amount("lendingLimit"));
            self.count(&flavour, nominal);
            quota.nominal = sum(quota.nominal, nominal);
            unlimited |= borrow.is_none();
            quota.borrow = borrow.map_or(quota.borrow, |borrow| sum(quota.borrow, borrow));
            lends.push((lend, nominal));
            if !quota.flavours.contains(&flavour) {
                quota.flavours.push(flavour);
            }
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
        }
        if unlimited && quota.borrow.take().is_some() {
            self.findings
                .assume(format!("{} may borrow without limit: so it may of one flavour", object.told()));
        }
        if lends.iter().any(|(lend, _)| lend.is_some()) {
            quota.lend = lends.iter().fold(None, |all, (lend, nominal)| sum(all, lend.unwrap_or(*nominal)));
        }
        if !has_parent {
            (quota.borrow, quota.lend) = (None, None);
        }
        if quota.flavours.len() > 1 {
            let (told, flavours) = (object.told(), quota.flavours.join(", "));
            self.findings
                .assume(format!("{told} may use its GPUs of any flavour, all quotas added up: {flavours}"));
        }
        quota
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

fn sum(all: Option<u32>, more: u32) -> Option<u32> {
    Some(all.unwrap_or(0).saturating_add(more))
}
