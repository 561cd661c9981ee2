//! Which quotas kept a job out, platform by platform where they tell them apart.

use super::{Evidence, Gaze, Refusing, holders};
use crate::history::{History, Segment};
use crate::metrics::Waited;
use crate::state::quota::{Tree, Usage};

/// What quotas make of a job.
struct Books {
    tree: Tree,
    tenant: u32,
    /// The queue that it stands in.
    queue: Option<u32>,
    /// Thousandths of GPUs.
    asked: u64,
}

impl Books {
    fn of(history: &History, job: u32) -> Self {
        let (tree, workload) = (Tree::of(&history.plan), &history.plan.workload);
        let (tenant, request) = (workload.jobs[job as usize].tenant, workload.request_of(job));
        let queue = tree.queue_of(tenant, request.partition);
        Self { tree, tenant, queue, asked: request.gpus().milli().into() }
    }
    /// The row of a queue against which a segment counts.
    fn row_of(&self, history: &History, segment: &Segment) -> Option<u32> {
        let workload = &history.plan.workload;
        let (tenant, request) =
            (workload.jobs[segment.job as usize].tenant, workload.request_of(segment.job));
        let row = self.tree.queue_of(tenant, request.partition)?;
        Some(platform_of(history, segment).map_or(row, |platform| self.tree.on(row, platform)))
    }
}

/// The platform on which a segment runs; none: it holds no node.
fn platform_of(history: &History, segment: &Segment) -> Option<u32> {
    let node = history.pieces_of(segment).iter().flat_map(|piece| piece.nodes()).next()?;
    Some(history.plan.cluster.kind_of(node).platform)
}

impl Gaze<'_> {
    /// Which quota refuses it on each platform that it may run on, as it is tried on them, each said once; one, where none tells
    /// platforms apart.
    pub(super) fn quotas(&mut self, waited: &Waited) -> Vec<Evidence> {
        let books = Books::of(self.history, self.job);
        let platforms = books.tree.in_order(books.queue, self.platforms());
        let tenant = &self.history.plan.workload.tenants[books.tenant as usize];
        let by_queue = books.queue.is_some_and(|queue| books.tree.goes_by_platform(queue));
        let told_apart = by_queue || !tenant.quota_by_platform.is_empty();
        let options: Vec<Option<u32>> =
            if told_apart { platforms.into_iter().map(Some).collect() } else { vec![None] };
        let mut found: Vec<Evidence> = Vec::new();
        for option in options {
            let evidence = self.quota(waited, option, &books);
            if !found.contains(&evidence) {
                found.push(evidence);
            }
        }
        found
    }

    /// The quota of its tenant that refuses it on a platform, of all platforms together or of that one, which is asked before its
    /// queue; else that.
    fn quota(&mut self, waited: &Waited, option: Option<u32>, books: &Books) -> Evidence {
        let workload = &self.history.plan.workload;
        let index = books.tenant;
        let tenant = &workload.tenants[index as usize];
        let mut known = tenant.quota_by_platform.iter();
        let on_it = option.and_then(|platform| known.find(|(own, _)| *own == platform));
        let on_it = on_it.map(|(platform, milli)| (Some(*platform), Some(*milli)));
        let mut first = None;
        for (platform, quota) in std::iter::once((None, tenant.quota_milli)).chain(on_it) {
            let belongs = move |segment: &Segment, history: &History| {
                let is_here = platform.is_none_or(|own| platform_of(history, segment) == Some(own));
                history.plan.workload.jobs[segment.job as usize].tenant == index && is_here
            };
            let of = platform.map(|platform| format!(" on {}", name_of(self.history, platform)));
            let whose = format!("{}{}", tenant.name, of.unwrap_or_default());
            let found = self.ceiling(waited, whose, quota, belongs);
            match found {
                Evidence::Ceiling { ceiling_milli, held_milli, .. }
                    if held_milli + books.asked > ceiling_milli =>
                {
                    return found;
                }
                _ => first = first.or(Some(found)),
            }
        }
        self.queue(waited, option, books).or(first).unwrap_or(Evidence::Plain)
    }

    /// The platforms of the nodes where it may run, ascending.
    fn platforms(&self) -> Vec<u32> {
        let cluster = &self.history.plan.cluster;
        let mut found: Vec<u32> =
            self.scope.nodes.iter().map(|node| cluster.kind_of(*node).platform).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What kept its queue from holding what it asks for on a platform, when least was missing; none where it stands in none.
    fn queue(&mut self, waited: &Waited, option: Option<u32>, books: &Books) -> Option<Evidence> {
        let history = self.history;
        let tree = &books.tree;
        let name = |row: u32| history.plan.workload.queues[row as usize].name.clone();
        let queue = books.queue?;
        let own = option.map_or(queue, |platform| tree.on(queue, platform));
        let on = |segment: &Segment| books.row_of(history, segment);
        let mut most: Option<(i64, Evidence)> = None;
        self.instants(waited, |walk, _, at| {
            let mut usage = Usage::of(tree);
            for segment in walk.running() {
                on(segment).into_iter().for_each(|row| usage.add(tree, row, history.gpus_of(segment)));
            }
            let room = tree.room(&usage, own);
            let is_more = most.as_ref().is_none_or(|(most, _)| room > *most);
            let refusing = tree.refusing(&usage, own, books.asked).filter(|_| is_more);
            let Some((row, bound)) = refusing else { return };
            let Some((used, most_there)) = tree.used(&usage, row, bound) else { return };
            let inside = |segment: &Segment| {
                let rows = on(segment).into_iter().flat_map(|own| [Some(own), tree.whole(own)]).flatten();
                rows.into_iter().any(|own| tree.is_within(own, row)).then(|| history.gpus_of(segment))
            };
            let (of, platform) = tree.owner(row);
            let platform = platform.map(|platform| name_of(history, platform));
            let (queue, name) = (name(queue), name(of));
            let refusing = Refusing { queue, name, platform, bound, used, most: most_there };
            let (room_milli, holders) = (u64::try_from(room).unwrap_or(0), holders(walk, inside));
            most = Some((room, Evidence::Queue { at, room_milli, refusing, holders }));
        });
        most.map(|(_, evidence)| evidence)
    }
}

/// What the cluster calls a platform.
fn name_of(history: &History, platform: u32) -> String {
    let kind = history.plan.cluster.kinds.iter().find(|kind| kind.platform == platform);
    kind.map_or_else(String::new, |kind| kind.platform_name.clone())
}
