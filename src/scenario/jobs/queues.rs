//! `[[queue]]`: what tenants share, and whose jobs stand in which queue.

use super::Jobs;
use crate::cluster::Cluster;
use crate::document::{Document, Mark, Placed, Table};
use crate::error::Problem;
use crate::scenario::quantity::Weight;
use crate::state::quota::{Row, Tree};
use crate::units::{Gpus, Seconds};
use crate::workload::{JobLimits, Queue};
use std::collections::BTreeSet;

/// The most queues that a scenario may describe.
const QUEUES_MAX: usize = 10_000;

/// A queue as it is written.
#[derive(Debug)]
struct Written {
    name: Placed<String>,
    parent: Option<Placed<String>>,
    tenants: Vec<Placed<String>>,
    partitions: Vec<Placed<String>>,
    nominal: Option<Placed<Gpus>>,
    borrow: Option<Placed<Gpus>>,
    lend: Option<Placed<Gpus>>,
    guarantee: Option<Placed<Gpus>>,
    limit: Option<Placed<Gpus>>,
    weight: Option<Placed<Weight>>,
    jobs: Option<Placed<u32>>,
    job_gpus: Option<Placed<Gpus>>,
    job_time: Option<Placed<Seconds>>,
    job_priority: Option<Placed<i32>>,
}

/// The queues that a scenario describes: each after the one above it, whose place is beside it.
#[derive(Debug, Default)]
pub(super) struct Queues {
    written: Vec<(Written, Option<u32>)>,
}

/// Reads `[[queue]]`; none of them where they do not make a tree.
pub(super) fn read(document: &Document, root: &mut Table<'_>, cluster: Option<&Cluster>) -> Queues {
    let mut written: Vec<Written> = Vec::new();
    let tables = root.tables("queue");
    if let Some(table) = tables.get(QUEUES_MAX) {
        table.complain(Problem::new(format!("more than {QUEUES_MAX} queues")));
        return Queues::default();
    }
    let mut names = BTreeSet::new();
    for table in tables {
        let Some(queue) = read_one(table) else { continue };
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
    queues.check_amounts(document);
    queues.check_job_limits(document);
    queues
}

fn read_one(mut table: Table<'_>) -> Option<Written> {
    let name = table.required::<String>("name");
    let parent = table.optional::<String>("parent");
    let (tenants, partitions) = (table.list::<String>("tenants"), table.list::<String>("partitions"));
    let nominal = table.optional::<Gpus>("nominal");
    let borrow = table.optional::<Gpus>("borrow");
    let lend = table.optional::<Gpus>("lend");
    let guarantee = table.optional::<Gpus>("guarantee");
    let limit = table.optional::<Gpus>("limit");
    let weight = table.optional::<Weight>("weight");
    let jobs = table.optional::<u32>("jobs");
    let job_gpus = table.optional::<Gpus>("job_gpus");
    let job_time = table.optional::<Seconds>("job_time");
    let job_priority = table.optional::<i32>("job_priority");
    table.finish();
    Some(Written {
        name: name?,
        parent,
        tenants,
        partitions,
        nominal,
        borrow,
        lend,
        guarantee,
        limit,
        weight,
        jobs,
        job_gpus,
        job_time,
        job_priority,
    })
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

impl Written {
    fn has_jobs(&self) -> bool {
        !self.tenants.is_empty() || !self.partitions.is_empty()
    }
    fn milli(amount: &Option<Placed<Gpus>>) -> Option<u32> {
        amount.as_ref().map(|gpus| gpus.value.milli())
    }
    /// With what is said of amounts, and nobody's jobs.
    fn queue(&self, parent: Option<u32>) -> Queue {
        let nominal_milli = Self::milli(&self.nominal);
        let kept = Self::milli(&self.guarantee).map(|kept| nominal_milli.unwrap_or(0).saturating_sub(kept));
        Queue {
            parent,
            nominal_milli,
            borrow_milli: Self::milli(&self.borrow),
            lend_milli: Self::milli(&self.lend).or(kept),
            limit_milli: Self::milli(&self.limit),
            weight_milli: self.weight.as_ref().map(|weight| weight.value.0),
            job_limits: JobLimits {
                running: self.jobs.as_ref().map(|jobs| jobs.value),
                gpus_milli: Self::milli(&self.job_gpus),
                time: self.job_time.as_ref().map(|time| time.value),
                priority: self.job_priority.as_ref().map(|priority| priority.value),
            },
            ..Queue::named(self.name.value.clone())
        }
    }
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

    fn check_amounts(&self, document: &Document) {
        let row = |(queue, parent): &(Written, Option<u32>)| Row::from(&queue.queue(*parent));
        let tree = Tree::new(self.written.iter().map(row).collect());
        for (own, (queue, parent)) in (0..).zip(&self.written) {
            let name = &queue.name.value;
            let nominal = queue.nominal.as_ref().map_or(Gpus::from_milli(0), |gpus| gpus.value);
            let exchanged =
                [("borrow", &queue.borrow), ("lend", &queue.lend), ("guarantee", &queue.guarantee)];
            let said = exchanged.iter().filter_map(|(key, amount)| Some((*key, amount.as_ref()?.mark)));
            if parent.is_none() {
                for (key, mark) in said {
                    let problem = Problem::new(format!("`{key}` of a queue without a parent"));
                    let hint = format!("`{name}` has nobody to borrow from or to lend to");
                    document.complain(mark, problem.hint(hint));
                }
                self.check_limit(document, queue, nominal);
                continue;
            }
            let has_nominal = tree.own_milli(tree.root(own)).is_some();
            if let Some(borrow) = queue.borrow.as_ref().filter(|_| !has_nominal) {
                let problem = Problem::new("nothing to borrow: no queue of this tree has `nominal`");
                document.complain(borrow.mark, problem);
            }
            if let (Some(_), Some(guarantee)) = (&queue.lend, &queue.guarantee) {
                let problem = Problem::new("`guarantee` beside `lend`");
                document.complain(guarantee.mark, problem.hint("`guarantee` is `nominal` less `lend`"));
            }
            let most = tree.own_milli(own).unwrap_or(0);
            if let Some(lend) = queue.lend.as_ref().filter(|lend| u64::from(lend.value.milli()) > most) {
                let problem = Problem::new(format!("`lend` {} is more than there is to lend", lend.value));
                let hint = format!("`{name}` and the queues below it have {} GPUs to lend", gpus(most));
                document.complain(lend.mark, problem.hint(hint));
            }
            if let Some(guarantee) = queue.guarantee.as_ref().filter(|kept| kept.value > nominal) {
                let told = format!("`guarantee` {} is more than `nominal` {nominal}", guarantee.value);
                document.complain(guarantee.mark, Problem::new(told));
            }
            self.check_limit(document, queue, nominal);
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
            if let (Some(gpus), Some(limit)) = (&queue.job_gpus, &queue.limit)
                && gpus.value >= limit.value
            {
                let told = format!("`job_gpus` {} beside `limit` {}", gpus.value, limit.value);
                let hint = "no job asks for more than `limit` anyway";
                document.complain(gpus.mark, Problem::new(told).hint(hint));
            }
        }
    }

    fn check_limit(&self, document: &Document, queue: &Written, nominal: Gpus) {
        if let Some(limit) = queue.limit.as_ref().filter(|limit| limit.value < nominal) {
            let told = format!("`limit` {} is below `nominal` {nominal}", limit.value);
            document.complain(limit.mark, Problem::new(told));
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

    /// What may surprise of queues that are right.
    fn note_queues(&mut self, queues: &[Queue]) {
        if queues.is_empty() {
            return;
        }
        let own: u64 = queues.iter().filter_map(|queue| queue.nominal_milli).map(u64::from).sum();
        let there = self.cluster.map_or(0, |cluster| cluster.gpus() * 1000);
        if own > 0 && own != there {
            let note = format!("queues have {} GPUs of their own, the cluster {}", gpus(own), gpus(there));
            self.files.notes.push(note);
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

/// Decimal GPUs, however many.
fn gpus(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
