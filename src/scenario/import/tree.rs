use super::draft::{Draft, Queue};
use super::findings::{Findings, Source};
use super::objects::Object;
use crate::error::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// The most queues that a scenario may describe.
const MOST: usize = 10_000;
/// More queues above one another than a scenario has, and the one that stands above all that a file tells.
pub(super) const TOO_DEEP: usize = crate::workload::Queue::DEPTH_MAX + 2;

/// Queues as files describe them, on their way to a tree that a scenario can have.
#[derive(Debug, Default)]
pub(super) struct Tree<'s> {
    entries: Vec<Entry<'s>>,
}

#[derive(Debug)]
struct Entry<'s> {
    queue: Queue,
    /// Where it stands, unless it is only spoken of.
    place: Option<(&'s Source, usize)>,
    /// Where its weight stands.
    weight_line: usize,
}

impl<'s> Tree<'s> {
    /// Adds a queue that stands in a file; one of a name that is known is reported.
    pub(super) fn add(
        &mut self,
        object: &Object<'s>,
        queue: Queue,
        weight_line: usize,
        findings: &mut Findings,
    ) {
        if self.entries.len() >= MOST {
            if self.entries.len() == MOST {
                let problem = Problem::new(format!("more than {MOST} queues"));
                findings.complain(object.source, object.node.line, problem);
            }
            return;
        }
        if self.has(&queue.name) {
            let problem = Problem::new(format!("{} is described twice", object.told()));
            findings.complain(object.source, object.node.line, problem);
            return;
        }
        let queue = Queue { from: object.from(), ..queue };
        self.entries.push(Entry { queue, place: Some((object.source, object.node.line)), weight_line });
    }
    /// Adds a queue that others only speak of.
    pub(super) fn imply(&mut self, queue: Queue) {
        if !self.has(&queue.name) {
            self.entries.push(Entry { queue, place: None, weight_line: 0 });
        }
    }
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.queue.name == name)
    }
    /// Gives jobs of a tenant to a queue.
    pub(super) fn give(&mut self, queue: &str, tenant: &str) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.queue.name == queue) {
            entry.queue.tenants.push(tenant.to_owned());
        }
    }
    /// The queues that have none below them and no jobs yet.
    pub(super) fn idle_leaves(&self) -> Vec<String> {
        let parents = self.parents();
        let idle = |entry: &&Entry<'_>| {
            entry.queue.tenants.is_empty() && !parents.contains(entry.queue.name.as_str())
        };
        self.entries.iter().filter(idle).map(|entry| entry.queue.name.clone()).collect()
    }
    fn parents(&self) -> BTreeSet<&str> {
        self.entries.iter().filter_map(|entry| entry.queue.parent.as_deref()).collect()
    }
    /// The queues right below each.
    pub(super) fn below(&self) -> BTreeMap<String, Vec<usize>> {
        let mut below: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, entry) in self.entries.iter().enumerate() {
            if let Some(parent) = &entry.queue.parent {
                below.entry(parent.clone()).or_default().push(index);
            }
        }
        below
    }
    pub(super) fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.entries.iter().map(|entry| &entry.queue)
    }
    /// The queues that have none below them.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Queue> {
        let parents = self.parents();
        self.queues().filter(move |queue| !parents.contains(queue.name.as_str()))
    }
    /// What a queue has with those below it, thousandths: what it says itself, or what they say if that is more.
    pub(super) fn entitled(&self) -> u64 {
        let below = self.below();
        let roots: Vec<usize> =
            (0..self.entries.len()).filter(|own| self.entries[*own].queue.parent.is_none()).collect();
        let mut sum = 0_u64;
        // Those below come after the one above them; no queue is below two, so that a ring is never entered.
        let mut order: Vec<usize> = roots.clone();
        let mut at = 0;
        while at < order.len() {
            order.extend(below.get(&self.entries[order[at]].queue.name).into_iter().flatten());
            at += 1;
        }
        let mut theirs = vec![0_u64; self.entries.len()];
        for own in order.into_iter().rev() {
            let queue = &self.entries[own].queue;
            let all = theirs[own].max(queue.nominal.unwrap_or(0).into());
            let parent =
                self.entries.iter().position(|entry| Some(&entry.queue.name) == queue.parent.as_ref());
            match parent {
                Some(parent) => theirs[parent] += all,
                None => sum += all,
            }
        }
        sum
    }
    pub(super) fn roots(&self) -> impl Iterator<Item = &Queue> {
        self.queues().filter(|queue| queue.parent.is_none())
    }
    pub(super) fn queues_mut(&mut self) -> impl Iterator<Item = &mut Queue> {
        self.entries.iter_mut().map(|entry| &mut entry.queue)
    }

    /// What is said of a queue together with those below it, where a scenario counts its own beside theirs.
    pub(super) fn count_own_alone(&mut self, findings: &mut Findings) {
        let below = self.below();
        let theirs: BTreeMap<String, u64> = below
            .into_iter()
            .map(|(name, rows)| {
                let nominal = |row: &usize| u64::from(self.entries[*row].queue.nominal.unwrap_or(0));
                (name, rows.iter().map(nominal).sum())
            })
            .collect();
        for entry in &mut self.entries {
            let Some(theirs) = theirs.get(&entry.queue.name) else { continue };
            let Some(nominal) = entry.queue.nominal.filter(|nominal| *nominal > 0) else { continue };
            let own = u32::try_from(u64::from(nominal).saturating_sub(*theirs)).unwrap_or(0);
            entry.queue.nominal = Some(own);
            findings
                .assume("of a queue above others `nominal` is what it has beside what those below it have");
        }
    }

    /// Gives queues that make a tree to the draft; weights only where the policy reads them.
    pub(super) fn finish(mut self, draft: &mut Draft, reads_weights: bool, findings: &mut Findings) {
        self.drop_barren(findings);
        self.fit(findings);
        for entry in &mut self.entries {
            if let (false, Some(weight), Some((source, _))) = (reads_weights, entry.queue.weight, entry.place)
            {
                let what = format!("{}: weight {}", entry.queue.name, milli(weight));
                findings.leave_out(
                    source,
                    entry.weight_line,
                    what,
                    "nothing in this policy shares by weights of queues",
                );
                entry.queue.weight = None;
            }
        }
        draft.queues.extend(self.entries.into_iter().map(|entry| entry.queue));
    }

    /// Reports what makes no tree.
    pub(super) fn check(&self, findings: &mut Findings) {
        let names: Vec<String> = self.queues().map(|queue| queue.name.clone()).collect();
        let parents: BTreeMap<&str, &str> =
            self.queues().filter_map(|queue| Some((queue.name.as_str(), queue.parent.as_deref()?))).collect();
        let mut in_rings: BTreeSet<&str> = BTreeSet::new();
        let most = crate::workload::Queue::DEPTH_MAX;
        for entry in &self.entries {
            let (Some(parent), Some((source, line))) = (&entry.queue.parent, entry.place) else { continue };
            if !names.contains(parent) {
                let problem = Problem::new(format!(
                    "queue `{}` is below `{parent}`, which is not there",
                    entry.queue.name
                ));
                let known = names.iter().map(String::as_str);
                findings.complain(source, line, problem.hint_nearest(parent, known));
            }
            let own = entry.queue.name.as_str();
            let above = std::iter::successors(Some(own), |name| parents.get(name).copied());
            let path: Vec<&str> = above.skip(1).take(names.len()).take_while(|name| *name != own).collect();
            let is_ring =
                path.last().map_or(parent.as_str(), |last| parents.get(last).copied().unwrap_or("")) == own;
            if is_ring && !in_rings.contains(own) {
                let told = [&[own], path.as_slice(), &[own]].concat().join(" → ");
                findings.complain(
                    source,
                    line,
                    Problem::new(format!("queues above one another in a ring: {told}")),
                );
                in_rings.extend(path);
            } else if path.len() >= most && path.last().is_some_and(|last| !parents.contains_key(last)) {
                let problem = Problem::new(format!("more than {most} queues above one another"));
                findings.complain(source, line, problem);
                return;
            }
        }
        for entry in &self.entries {
            let (Some((source, line)), false) = (entry.place, entry.queue.tenants.is_empty()) else {
                continue;
            };
            if let Some(below) =
                self.queues().find(|other| other.parent.as_deref() == Some(&entry.queue.name))
            {
                let told =
                    format!("queue `{}` takes jobs, and `{}` is below it", entry.queue.name, below.name);
                findings.complain(
                    source,
                    line,
                    Problem::new(told).hint("jobs stand in queues with none below them"),
                );
            }
        }
    }

    /// Queues that take no jobs, nor any below them, are left out.
    fn drop_barren(&mut self, findings: &mut Findings) {
        loop {
            let parents: BTreeSet<String> = self.parents().into_iter().map(str::to_owned).collect();
            let barren =
                |entry: &Entry<'_>| entry.queue.tenants.is_empty() && !parents.contains(&entry.queue.name);
            let Some(place) = self.entries.iter().position(barren) else { return };
            let entry = self.entries.remove(place);
            if let Some((source, line)) = entry.place {
                let what = format!("queue {}", entry.queue.name);
                findings.leave_out(source, line, what, "it takes no jobs, nor does any below it");
            }
        }
    }

    /// Takes back what a scenario refuses since it says nothing.
    fn fit(&mut self, findings: &mut Findings) {
        let parents: BTreeMap<String, Option<String>> =
            self.queues().map(|queue| (queue.name.clone(), queue.parent.clone())).collect();
        let root = |name: &str| {
            let above =
                std::iter::successors(Some(name.to_owned()), |name| parents.get(name).cloned().flatten());
            above.take(parents.len() + 1).last().unwrap_or_default()
        };
        let stated: BTreeSet<String> =
            self.queues().filter(|queue| queue.nominal.is_some()).map(|queue| root(&queue.name)).collect();
        for queue in self.queues_mut() {
            if queue.parent.is_none() {
                // Who stands alone has nobody to borrow from or lend to.
                (queue.borrow, queue.lend, queue.guarantee) = (None, None, None);
            }
            if queue.borrow.is_some() && !stated.contains(&root(&queue.name)) {
                queue.borrow = None;
                findings.assume(format!(
                    "queue {} has nobody to borrow from: no queue of its tree has GPUs of its own",
                    queue.name
                ));
            }
            if let (Some(limit), Some(nominal)) = (queue.limit, queue.nominal)
                && limit < nominal
            {
                queue.nominal = Some(limit);
                findings.assume(format!(
                    "queue {} has {} GPUs of its own, and not {}: it may hold no more",
                    queue.name,
                    milli(limit),
                    milli(nominal)
                ));
            }
            let kept = queue.guarantee.filter(|kept| *kept > queue.nominal.unwrap_or(0));
            if let Some(kept) = kept {
                queue.nominal = Some(kept);
                findings.assume(format!(
                    "queue {} has of its own what it is guaranteed, {} GPUs",
                    queue.name,
                    milli(kept)
                ));
            }
        }
        self.lend_what_there_is();
    }

    /// A queue that lends as much as there is, or more, lends all.
    fn lend_what_there_is(&mut self) {
        let below = self.below();
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        let depth = |own: &usize| {
            let parent = |own: usize| {
                let name = self.entries[own].queue.parent.as_deref()?;
                self.entries.iter().position(|entry| entry.queue.name == name)
            };
            std::iter::successors(parent(*own), |own| parent(*own)).take(TOO_DEEP).count()
        };
        order.sort_by_cached_key(|own| std::cmp::Reverse(depth(own)));
        let mut lent = vec![0_u64; self.entries.len()];
        for own in order {
            let rows = below.get(&self.entries[own].queue.name).map_or(&[][..], Vec::as_slice);
            let theirs: u64 = rows.iter().map(|row| lent[*row]).sum();
            let queue = &mut self.entries[own].queue;
            let there = theirs + u64::from(queue.nominal.unwrap_or(0));
            if queue.lend.is_some_and(|lend| u64::from(lend) >= there) {
                queue.lend = None;
            }
            let kept = queue.guarantee.map(|kept| queue.nominal.unwrap_or(0).saturating_sub(kept));
            lent[own] = queue.lend.or(kept).map_or(there, u64::from);
        }
    }
}

/// Thousandths of GPUs, or of what something weighs, as they are written.
pub(super) fn milli(milli: u32) -> String {
    crate::units::Gpus::from_milli(milli).to_string()
}
