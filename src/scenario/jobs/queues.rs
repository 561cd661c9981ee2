//! `[[queue]]`: what tenants share, and whose jobs stand in which queue.

mod written;

use super::Jobs;
use super::platforms::Platforms;
use crate::cluster::Cluster;
use crate::document::{Document, Mark, Placed, Table};
use crate::error::Problem;
use crate::state::quota::Tree;
use crate::units::Gpus;
use crate::workload::Queue;
use std::collections::BTreeSet;
use written::{Written, read_one};

/// The most queues that a scenario may describe.
const QUEUES_MAX: usize = 10_000;

/// The queues that a scenario describes: each after the one above it, whose place is beside it.
#[derive(Debug, Default)]
pub(super) struct Queues {
    written: Vec<(Written, Option<u32>)>,
}

/// Reads `[[queue]]`; none of them where they do not make a tree.
pub(super) fn read(document: &Document, root: &mut Table<'_>, platforms: Platforms<'_>) -> Queues {
    let cluster = platforms.cluster;
    let mut written: Vec<Written> = Vec::new();
    let tables = root.tables("queue");
    if let Some(table) = tables.get(QUEUES_MAX) {
        table.complain(Problem::new(format!("more than {QUEUES_MAX} queues")));
        return Queues::default();
    }
    let mut names = BTreeSet::new();
    for table in tables {
        let Some(queue) = read_one(document, table, platforms) else { continue };
        if !names.insert(queue.name.value.clone()) {
            let problem = Problem::new(format!("queue `{}` is described twice", queue.name.value));
            document.complain(queue.name.mark, problem);
            continue;
        }
        let is_partition = cluster.is_some_and(|cluster| cluster.partition(&queue.name).is_some());
        if is_partition {
            let problem = Problem::new(format!("`{}` is a partition", queue.name.value));
            document.complain(queue.name.mark, problem.hint("a queue needs a name of its own"));
        }
        for name in queue.partitions.iter() {
            if let Some(cluster) = cluster.filter(|cluster| cluster.partition(name).is_none()) {
                let problem = Problem::new(format!("unknown partition `{}`", name.value));
                let known = cluster.partitions.iter().map(|partition| partition.name.as_str());
                document.complain(name.mark, problem.hint_nearest(name, known));
            }
        }
        written.push(queue);
    }
    let queues = in_order(document, written).unwrap_or_default();
    queues.check_places(document);
    queues.check_amounts(document, platforms);
    queues.check_job_limits(document);
    queues
}

/// The queues, each after the one above it and else as in the file; none where they are no tree.
fn in_order(document: &Document, written: Vec<Written>) -> Option<Queues> {
    let place = |name: &str| written.iter().position(|queue| queue.name.value == name);
    let mut is_tree = true;
    let mut parents: Vec<Option<usize>> = Vec::with_capacity(written.len());
    for queue in &written {
        let parent = queue.parent.as_ref().map(|parent| (parent, place(parent)));
        if let Some((name, None)) = parent {
            let problem = Problem::new(format!("unknown queue `{}`", name.value));
            let known = written.iter().map(|queue| queue.name.value.as_str());
            document.complain(name.mark, problem.hint_nearest(name, known));
            is_tree = false;
        }
        parents.push(parent.and_then(|(_, place)| place));
    }
    is_tree
        .then(|| depths(document, &written, &parents))
        .flatten()
        .map(|depths| ordered(written, &parents, &depths))
}

/// How many queues stand above each; none where some stand in a ring, or too many above one another.
fn depths(document: &Document, written: &[Written], parents: &[Option<usize>]) -> Option<Vec<usize>> {
    let mark = |own: usize| {
        let queue = &written[own];
        queue.parent.as_ref().map_or(queue.name.mark, |parent| parent.mark)
    };
    let (mut depths, mut in_rings) = (Vec::with_capacity(written.len()), BTreeSet::new());
    let mut is_tree = true;
    for own in 0..written.len() {
        let above = std::iter::successors(parents[own], |queue| parents[*queue]);
        // No tree is as deep as it has queues.
        let path: Vec<usize> = above.take(written.len()).collect();
        if let Some(end) = path.iter().position(|queue| *queue == own) {
            let ring = &path[..=end];
            if in_rings.insert(own) {
                let names =
                    std::iter::once(&own).chain(ring).map(|queue| written[*queue].name.value.as_str());
                let names: Vec<&str> = names.collect();
                let told = format!("queues above one another in a ring: {}", names.join(" → "));
                document.complain(mark(own), Problem::new(told));
            }
            in_rings.extend(ring);
        } else if path.len() == Queue::DEPTH_MAX && path.len() < written.len() {
            let most = Queue::DEPTH_MAX;
            document.complain(mark(own), Problem::new(format!("more than {most} queues above one another")));
        }
        is_tree &= path.len() < Queue::DEPTH_MAX;
        depths.push(path.len());
    }
    (is_tree && in_rings.is_empty()).then_some(depths)
}

fn ordered(written: Vec<Written>, parents: &[Option<usize>], depths: &[usize]) -> Queues {
    let mut order: Vec<usize> = (0..written.len()).collect();
    order.sort_by_key(|own| depths[*own]);
    let mut new = vec![0_u32; order.len()];
    (0..).zip(&order).for_each(|(place, own)| new[*own] = place);
    let mut written: Vec<Option<Written>> = written.into_iter().map(Some).collect();
    let moved = order.into_iter().map(|own| {
        let queue = written[own].take().expect("each stands once in the order");
        (queue, parents[own].map(|parent| new[parent]))
    });
    Queues { written: moved.collect() }
}

impl Queues {
    /// Where weights stand.
    pub(super) fn weights(&self) -> impl Iterator<Item = Mark> {
        self.written.iter().filter_map(|(queue, _)| Some(queue.weight.as_ref()?.mark))
    }
    /// Jobs stand in queues that have none below them.
    fn check_places(&self, document: &Document) {
        let has_below: BTreeSet<u32> = self.written.iter().filter_map(|(_, parent)| *parent).collect();
        for (own, (queue, _)) in (0..).zip(&self.written) {
            let (name, mark) = (&queue.name.value, queue.name.mark);
            let problem = match (queue.has_jobs(), has_below.contains(&own)) {
                (true, true) => {
                    let what = if queue.tenants.is_empty() { "partitions" } else { "tenants" };
                    Problem::new(format!("queue `{name}` has {what}, and queues below it"))
                        .hint("give those to a queue below it")
                }
                (false, false) => {
                    Problem::new(format!("queue `{name}` takes no jobs, and has no queue below it"))
                        .hint("`tenants` or `partitions` say whose jobs it takes")
                }
                _ => continue,
            };
            document.complain(mark, problem);
        }
    }

    /// The amounts of all platforms together, and those of each that is told apart.
    fn check_amounts(&self, document: &Document, platforms: Platforms<'_>) {
        let told: BTreeSet<u32> = self.written.iter().flat_map(|(queue, _)| queue.platforms()).collect();
        for platform in std::iter::once(None).chain(told.into_iter().map(Some)) {
            let of = platform.map(|platform| format!(" of {}", platforms.name(platform))).unwrap_or_default();
            self.check_amounts_of(document, platform, &of);
        }
        self.check_one_way(document);
    }

    fn root(&self, own: usize) -> usize {
        let parent = |own: &usize| self.written[*own].1.map(|parent| parent as usize);
        std::iter::successors(Some(own), parent).last().unwrap_or(own)
    }
    /// The roots of trees in which a queue says by platform what it has.
    fn divided(&self) -> BTreeSet<usize> {
        let by_platform = |own: &usize| !self.written[*own].0.nominal.by_platform.is_empty();
        (0..self.written.len()).filter(by_platform).map(|own| self.root(own)).collect()
    }

    /// A tree says what its queues have in one way.
    fn check_one_way(&self, document: &Document) {
        let divided = self.divided();
        let queues = self.written.iter().enumerate();
        for (own, (queue, _)) in queues.filter(|(own, _)| divided.contains(&self.root(*own))) {
            let keys = ["nominal", "borrow", "lend", "guarantee"];
            for (key, mark) in
                keys.iter().zip(queue.amounts()).filter_map(|(key, own)| Some((key, own.all.as_ref()?.mark)))
            {
                let told = format!("`{key}` of all platforms together beside `nominal` by platform");
                let top = &self.written[self.root(own)].0.name.value;
                document
                    .complain(mark, Problem::new(told).hint(format!("the tree of `{top}` says it one way")));
            }
        }
    }

    fn check_amounts_of(&self, document: &Document, platform: Option<u32>, of: &str) {
        let row = |(queue, parent): &(Written, Option<u32>)| queue.row(*parent, platform);
        let tree = Tree::new(self.written.iter().map(row).collect());
        let divided = self.divided();
        for (own, (queue, parent)) in (0..).zip(&self.written) {
            let name = &queue.name.value;
            let [nominal, borrow, lend, guarantee, limit] =
                queue.amounts().map(|amounts| amounts.of(platform));
            let by_platform = &queue.nominal.by_platform;
            let together =
                by_platform.iter().map(|(_, gpus)| gpus.value.milli()).fold(0, u32::saturating_add);
            let nominal = match platform {
                None if nominal.is_none() => Gpus::from_milli(together),
                _ => nominal.map_or(Gpus::from_milli(0), |gpus| gpus.value),
            };
            if let Some(limit) = limit.filter(|limit| limit.value < nominal) {
                let told = format!("`limit` {}{of} is below `nominal` {nominal}", limit.value);
                document.complain(limit.mark, Problem::new(told));
            }
            if parent.is_none() {
                let exchanged = [("borrow", borrow), ("lend", lend), ("guarantee", guarantee)];
                for (key, amount) in exchanged.into_iter().filter_map(|(key, amount)| Some((key, amount?))) {
                    let problem = Problem::new(format!("`{key}` of a queue without a parent"));
                    let hint = format!("`{name}` has nobody to borrow from or to lend to");
                    document.complain(amount.mark, problem.hint(hint));
                }
                continue;
            }
            // Where it is said in two ways, that is the problem.
            let has_nominal = tree.own_milli(tree.root(own)).is_some()
                || platform.is_none() && divided.contains(&self.root(own as usize));
            if let Some(borrow) = borrow.filter(|_| !has_nominal) {
                let problem =
                    Problem::new(format!("nothing{of} to borrow: no queue of this tree has `nominal`{of}"));
                document.complain(borrow.mark, problem);
            }
            if let (Some(_), Some(guarantee)) = (lend, guarantee) {
                let problem = Problem::new("`guarantee` beside `lend`");
                document.complain(guarantee.mark, problem.hint("`guarantee` is `nominal` less `lend`"));
            }
            let most = tree.own_milli(own).unwrap_or(0);
            if let Some(lend) = lend.filter(|lend| u64::from(lend.value.milli()) > most) {
                let problem =
                    Problem::new(format!("`lend` {}{of} is more than there is to lend", lend.value));
                let hint = format!("`{name}` and the queues below it have {} GPUs{of} to lend", gpus(most));
                document.complain(lend.mark, problem.hint(hint));
            }
            if let Some(guarantee) = guarantee.filter(|kept| kept.value > nominal) {
                let told = format!("`guarantee` {}{of} is more than `nominal` {nominal}", guarantee.value);
                document.complain(guarantee.mark, Problem::new(told));
            }
        }
    }

    /// Limits that would let in no job, or that another says already.
    fn check_job_limits(&self, document: &Document) {
        for (queue, _) in &self.written {
            let nothing = [
                ("jobs", queue.jobs.as_ref().filter(|jobs| jobs.value == 0).map(|jobs| jobs.mark)),
                ("job_gpus", queue.job_gpus.as_ref().filter(|gpus| gpus.value.milli() == 0).map(|g| g.mark)),
                ("job_time", queue.job_time.as_ref().filter(|time| time.value.0 == 0).map(|time| time.mark)),
            ];
            for (key, mark) in nothing.into_iter().filter_map(|(key, mark)| Some((key, mark?))) {
                let problem = Problem::new(format!("`{key}` 0 lets in no job"));
                document.complain(mark, problem.hint("without it there is no such limit"));
            }
            if let (Some(gpus), Some(limit)) = (&queue.job_gpus, &queue.limit.all)
                && gpus.value >= limit.value
            {
                let told = format!("`job_gpus` {} beside `limit` {}", gpus.value, limit.value);
                let hint = "no job asks for more than `limit` anyway";
                document.complain(gpus.mark, Problem::new(told).hint(hint));
            }
        }
    }
}

impl Jobs<'_> {
    /// The queues join the workload, now that all tenants that may have jobs are known.
    pub(super) fn add_queues(&mut self, document: &Document) {
        let queues = std::mem::take(&mut self.queues);
        // Where jobs are wrong it is not known whose they are, unless tenants are declared.
        let is_whole = !document.has_problems() && self.files.problems.is_empty();
        if !is_whole && !self.tenants.are_declared() {
            return;
        }
        let mut made: Vec<Queue> = Vec::new();
        for (written, parent) in &queues.written {
            let tenants = written.tenants.iter().filter_map(|name| self.tenant_of_queue(document, name));
            let tenants = ascending(document, tenants.collect());
            let mut partitions = Vec::new();
            for name in &written.partitions {
                if self.cluster.is_none_or(|cluster| cluster.partition(name).is_some()) {
                    partitions.push((self.builder.partition(name), name));
                }
            }
            let partitions = ascending(document, partitions);
            let queue = Queue { tenants, partitions, ..written.queue(*parent) };
            for other in &made {
                let Some(jobs) = queue.meets(other) else { continue };
                let jobs = self.told(jobs);
                let (name, other) = (&queue.name, &other.name);
                let problem = Problem::new(format!("{jobs} stand in two queues: `{other}` and `{name}`"));
                document.complain(written.name.mark, problem.hint("a job stands in one queue or none"));
            }
            made.push(queue);
        }
        if document.has_problems() {
            return;
        }
        self.note_queues(&made);
        for queue in made {
            self.builder.add_queue(queue);
        }
    }

    fn tenant_of_queue<'n>(
        &self,
        document: &Document,
        name: &'n Placed<String>,
    ) -> Option<(u32, &'n Placed<String>)> {
        let tenants = self.builder.tenants();
        let known = (0..).zip(tenants).find(|(_, tenant)| tenant.name == name.value);
        if known.is_none() {
            let problem = Problem::new(format!("unknown tenant `{}`", name.value));
            let known = tenants.iter().map(|tenant| tenant.name.as_str());
            document.complain(name.mark, problem.hint_nearest(name, known));
        }
        known.map(|(index, _)| (index, name))
    }

    /// Jobs of a tenant in a partition, in words.
    fn told(&self, (tenant, partition): (Option<u32>, Option<u32>)) -> String {
        let mut told = "jobs".to_owned();
        if let Some(tenant) = tenant {
            told.push_str(&format!(" of `{}`", self.builder.tenants()[tenant as usize].name));
        }
        if let Some(partition) = partition {
            told.push_str(&format!(" in `{}`", self.builder.partitions()[partition as usize]));
        }
        told
    }

    /// What queues have of their own is not what there is.
    fn note_own(&mut self, own: impl Iterator<Item = u32>, there: u64, what: &str) {
        let own: u64 = own.map(u64::from).sum();
        if own > 0 && own != there {
            let note = format!("queues have {} {what} of their own, the cluster {}", gpus(own), gpus(there));
            self.files.notes.push(note);
        }
    }

    /// What may surprise of queues that are right.
    fn note_queues(&mut self, queues: &[Queue]) {
        if queues.is_empty() {
            return;
        }
        let there = self.cluster.map_or(0, |cluster| cluster.gpus() * 1000);
        self.note_own(queues.iter().filter_map(|queue| queue.nominal_milli), there, "GPUs");
        for platform in 0..u32::try_from(self.catalogue.names().count()).expect("platforms are few") {
            let own = queues.iter().filter_map(|queue| queue.on(platform)?.nominal_milli);
            let there = self.cluster.map_or(0, |cluster| gpus_of(cluster, platform));
            let name = self.catalogue.names().nth(platform as usize).unwrap_or_default();
            self.note_own(own, there, &format!("GPUs of {name}"));
        }
        let of = |job: &crate::workload::Job| (job.tenant, self.builder.request_at(job.request).partition);
        let asking: BTreeSet<(u32, u32)> = self.builder.jobs().iter().map(of).collect();
        let is_free =
            |(tenant, partition): &&(u32, u32)| !queues.iter().any(|queue| queue.takes(*tenant, *partition));
        let free: BTreeSet<u32> = asking.iter().filter(is_free).map(|(tenant, _)| *tenant).collect();
        if let Some(first) = free.first() {
            let others = match free.len() - 1 {
                0 => String::new(),
                1 => " and of another tenant".to_owned(),
                more => format!(" and of {more} other tenants"),
            };
            let name = &self.builder.tenants()[*first as usize].name;
            self.files.notes.push(format!("jobs of `{name}`{others} stand in no queue: none limits them"));
        }
    }
}

/// Indices in order, each of which may be named once.
fn ascending(document: &Document, mut named: Vec<(u32, &Placed<String>)>) -> Vec<u32> {
    named.sort_by_key(|(index, name)| (*index, name.mark));
    for pair in named.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let problem = Problem::new(format!("`{}` is named twice", pair[1].1.value));
        document.complain(pair[1].1.mark, problem);
    }
    named.into_iter().map(|(index, _)| index).collect()
}

/// The GPUs of a platform, thousandths.
fn gpus_of(cluster: &Cluster, platform: u32) -> u64 {
    let racks = cluster.racks.iter().filter(|rack| cluster.kinds[rack.kind as usize].platform == platform);
    racks.map(|rack| u64::from(rack.nodes) * u64::from(cluster.kinds[rack.kind as usize].gpus) * 1000).sum()
}

/// Decimal GPUs, however many.
fn gpus(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
