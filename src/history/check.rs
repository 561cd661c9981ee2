//! What every history satisfies: whoever reads one may rely on it and indexes without fear.

use super::columns::Fault;
use super::{History, Piece, SegmentEnd, Why};
use crate::cluster::{Cluster, NodeKind, Pue};
use crate::failure::Per;
use crate::hardware::Loss;
use crate::units::{Factor, Time};
use crate::workload::{MAX_JOBS, PlatformSet, Queue, Shape, Workload};
use std::collections::BTreeSet;
use std::ops::Range;

/// The first contradiction, if there is one.
pub(super) fn check(history: &History) -> Result<(), Fault> {
    check_cluster(&history.plan.cluster)?;
    check_workload(&history.plan.workload, &history.plan.cluster)?;
    check_segments(history)?;
    check_pieces(history)?;
    check_records(history)?;
    check_failures(history)?;
    check_waits(history)
}

fn ensure(holds: bool, fault: &str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault.to_owned()) }
}

/// Whether `index` is an index of something that has `length` elements.
fn within(index: u32, length: usize) -> bool {
    usize::try_from(index).is_ok_and(|index| index < length)
}

fn within_nodes(nodes: &Range<u32>, cluster: &Cluster) -> bool {
    nodes.start <= nodes.end && nodes.end <= cluster.nodes()
}

fn check_cluster(cluster: &Cluster) -> Result<(), Fault> {
    for (index, feed) in (0u32..).zip(&cluster.feeds) {
        ensure(within(feed.site, cluster.sites.len()), "a feed stands on no site")?;
        ensure(feed.parent.is_none_or(|parent| parent < index), "a feed comes before the one that feeds it")?;
    }
    let losses = cluster.feeds.iter().flat_map(|feed| &feed.losses);
    let mut losses = losses.chain(cluster.sites.iter().flat_map(|site| &site.losses));
    ensure(losses.all(Loss::is_sound), "a loss of power is out of range")?;
    for site in &cluster.sites {
        ensure(site.pue.as_ref().is_none_or(Pue::is_sound), "a PUE is out of range")?;
        ensure(site.outdoor.is_sorted_by_key(|(time, _)| *time), "the weather is out of order")?;
    }
    for kind in &cluster.kinds {
        ensure(kind.gpus <= NodeKind::MAX_GPUS, "a node has too many GPUs")?;
        ensure(within(kind.platform, PlatformSet::MAX), "a platform is out of range")?;
        ensure(kind.power.is_sound(), "the power of a node is out of range")?;
    }
    ensure(cluster.is_sound(), "the nodes or levels of a cluster are not those of its racks")?;
    for partition in &cluster.partitions {
        ensure(
            partition.nodes.iter().all(|nodes| within_nodes(nodes, cluster)),
            "a partition leaves the cluster",
        )?;
        let ascending = partition.nodes.windows(2).all(|pair| pair[0].end <= pair[1].start);
        ensure(ascending, "the nodes of a partition are out of order")?;
    }
    let everything =
        cluster.partitions.first().map_or(0, |all| all.nodes.iter().map(|r| r.end - r.start).sum());
    ensure(everything == cluster.nodes(), "the first partition does not hold every node")?;
    ensure(cluster.changes.is_sorted_by_key(|change| change.time), "capacity changes are out of order")?;
    let changes = cluster.changes.iter().all(|change| within_nodes(&change.nodes, cluster));
    ensure(changes, "a capacity change leaves the cluster")?;
    let curtailed = |c: &crate::cluster::Curtailment| within(c.feed, cluster.feeds.len()) && c.from < c.until;
    ensure(
        cluster.curtailments.iter().all(curtailed),
        "a curtailment concerns no feed or ends before it begins",
    )?;
    let ramped = |(index, ramp): (usize, &crate::cluster::Ramp)| {
        let again = cluster.ramps[..index].iter().any(|other| other.feed == ramp.feed);
        within(ramp.feed, cluster.feeds.len()) && !again
    };
    ensure(cluster.ramps.iter().enumerate().all(ramped), "a ramp concerns no feed, or one that has another")?;
    let names = cluster.node_names.len();
    ensure(names == 0 || u32::try_from(names) == Ok(cluster.nodes()), "nodes and their names disagree")
}

fn check_workload(workload: &Workload, cluster: &Cluster) -> Result<(), Fault> {
    let jobs = workload.jobs.len();
    ensure(u32::try_from(jobs).is_ok_and(|jobs| jobs <= MAX_JOBS), "there are too many jobs")?;
    ensure(workload.names.len() == jobs, "jobs and their names disagree")?;
    ensure(workload.dependencies.fits(jobs), "jobs and their dependencies disagree")?;
    for job in &workload.jobs {
        ensure(within(job.request, workload.requests.len()), "a job makes an unknown request")?;
        ensure(within(job.behaviour, workload.behaviours.len()), "a job has an unknown behaviour")?;
        ensure(within(job.tenant, workload.tenants.len()), "a job belongs to an unknown tenant")?;
        ensure(job.work_time.0 > 0 && job.requested_time.0 > 0, "a job has no work")?;
        ensure(job.deadline.0 > 0, "a job is due before it is submitted")?;
    }
    let starts = &workload.recorded_starts;
    ensure(starts.is_empty() || starts.len() == jobs, "jobs and their recorded starts disagree")?;
    let told = starts.is_empty() || starts.iter().any(|start| *start != Time::NEVER);
    let after = starts.iter().zip(&workload.jobs).all(|(start, job)| *start >= job.submit_time);
    ensure(told && after, "a job was recorded to start before its submission, or none to start")?;
    let profiles = workload.behaviours.iter().all(|behaviour| behaviour.profile.is_sound());
    ensure(profiles, "what a job draws is out of range")?;
    for request in &workload.requests {
        ensure(within(request.partition, workload.partitions.len()), "a request names an unknown partition")?;
        let level = request.topology.level();
        ensure(
            level.is_none_or(|level| within(level, workload.levels.len())),
            "a request names an unknown level",
        )?;
        let counted = match request.shape {
            Shape::Any { .. } => true,
            Shape::Pods { count, gpus_milli_each } => {
                count > 0 && count.checked_mul(gpus_milli_each).is_some()
            }
        };
        ensure(counted, "a request asks for more GPUs than can be counted")?;
        let licences = &request.licences;
        let known = licences.iter().all(|(own, count)| within(*own, cluster.licences.len()) && *count > 0);
        let ascending = licences.is_sorted_by(|(own, _), (next, _)| own < next);
        ensure(
            known && ascending,
            "a request asks for an unknown licence, for none of one, or out of order",
        )?;
    }
    let expected = workload.mix.iter().all(|(request, _)| within(*request, workload.requests.len()));
    ensure(expected, "an unknown request is expected")?;
    check_queues(workload)?;
    let mut members = workload.graphs.iter().flat_map(|graph| &graph.jobs);
    ensure(members.all(|job| within(*job, jobs)), "a job graph has an unknown job")?;
    let ascending = workload.graphs.iter().all(|graph| graph.jobs.is_sorted_by(|a, b| a < b));
    ensure(ascending, "the jobs of a job graph are out of order")?;
    let running = workload
        .running
        .iter()
        .all(|running| within(running.job, jobs) && running.nodes.iter().all(|node| *node < cluster.nodes()));
    ensure(running, "a job already running is unknown or outside the cluster")
}

fn check_queues(workload: &Workload) -> Result<(), Fault> {
    let mut depths: Vec<usize> = Vec::with_capacity(workload.queues.len());
    for (own, queue) in workload.queues.iter().enumerate() {
        let above = queue.parent.map(|parent| depths.get(parent as usize).copied());
        let depth = match above {
            None => 1,
            Some(above) => 1 + above.ok_or("a queue comes before the one above it")?,
        };
        ensure(depth <= Queue::DEPTH_MAX, "too many queues stand above one another")?;
        depths.push(depth);
        let known = |all: &[u32], length: usize| {
            all.is_sorted_by(|a, b| a < b) && all.last().is_none_or(|last| within(*last, length))
        };
        ensure(
            known(&queue.tenants, workload.tenants.len())
                && known(&queue.partitions, workload.partitions.len()),
            "a queue takes jobs of unknown tenants or partitions, or they are out of order",
        )?;
        let others = &workload.queues[..own];
        ensure(others.iter().all(|other| other.meets(queue).is_none()), "two queues take the same jobs")?;
        let parent = queue.parent.map(|parent| &workload.queues[parent as usize]);
        ensure(!parent.is_some_and(Queue::has_jobs), "a queue that takes jobs stands above another")?;
    }
    Ok(())
}

fn check_segments(history: &History) -> Result<(), Fault> {
    let mut last_to = vec![Time::ZERO; history.plan.workload.jobs.len()];
    let mut next_piece = 0_u32;
    ensure(history.segments.is_sorted_by_key(|segment| segment.from), "segments are out of order")?;
    for segment in &history.segments {
        ensure(within(segment.job, last_to.len()), "a segment belongs to no job")?;
        ensure(segment.first_piece == next_piece, "pieces are out of order")?;
        ensure(segment.cap.0 > 0 && segment.cap <= Factor::ONE, "a segment's cap is out of range")?;
        let next = next_piece.checked_add(segment.pieces);
        next_piece = next.ok_or("segments have too many pieces")?;
        ensure(segment.rate.0 > 0, "a job runs without making progress")?;
        let open = segment.end == SegmentEnd::Open;
        ensure(open == (segment.to == Time::NEVER), "a segment is both open and ended")?;
        ensure(segment.from <= segment.to, "a segment ends before it begins")?;
        let seen = segment.from <= history.end && (open || segment.to <= history.end);
        ensure(seen, "a segment lies after the end of the run")?;
        let last = &mut last_to[segment.job as usize];
        ensure(*last <= segment.from, "a job runs twice at once")?;
        *last = segment.to;
    }
    ensure(next_piece as usize == history.pieces.len(), "segments and pieces disagree")
}

fn check_pieces(history: &History) -> Result<(), Fault> {
    let cluster = &history.plan.cluster;
    for piece in &history.pieces {
        match *piece {
            Piece::Nodes { word, mask } => {
                let last = u64::from(word) * 64 + u64::from(63 - mask.leading_zeros().min(63));
                ensure(mask != 0 && last < u64::from(cluster.nodes()), "a piece leaves the cluster")?;
            }
            Piece::Gpus { node, mask } => {
                ensure(node < cluster.nodes(), "a piece leaves the cluster")?;
                let used = 64 - mask.leading_zeros();
                ensure(used <= cluster.kind_of(node).gpus, "a piece leaves its node")?;
            }
            Piece::Share { node, gpu, milli } => {
                ensure(node < cluster.nodes(), "a piece leaves the cluster")?;
                ensure(u32::from(gpu) < cluster.kind_of(node).gpus, "a piece leaves its node")?;
                ensure((1..1000).contains(&milli), "a share of a GPU is out of range")?;
            }
        }
    }
    Ok(())
}

fn check_records(history: &History) -> Result<(), Fault> {
    let workload = &history.plan.workload;
    ensure(history.jobs.len() == workload.jobs.len(), "jobs and their outcomes disagree")?;
    for (job, record) in workload.jobs.iter().zip(&history.jobs) {
        let settled = record.finish_time != Time::NEVER;
        let unfinished = record.outcome == super::Outcome::Unfinished;
        ensure(settled != unfinished, "a job has both an outcome and none")?;
        ensure(record.eligible_time >= job.submit_time, "a job is eligible before its submission")?;
    }
    for segment in &history.segments {
        let record = &history.jobs[segment.job as usize];
        ensure(record.eligible_time <= segment.from, "a job starts before it is eligible")?;
        let until = if segment.to == Time::NEVER { segment.from } else { segment.to };
        ensure(until <= record.finish_time, "a job runs on after its end")?;
    }
    let mut held = vec![false; workload.jobs.len()];
    for hold in &history.holds {
        ensure(within(hold.job, held.len()), "a job held back is unknown")?;
        let twice = std::mem::replace(&mut held[hold.job as usize], true);
        let eligible = history.jobs[hold.job as usize].eligible_time;
        ensure(!twice && eligible <= hold.until, "a job is held back twice, or before it is eligible")?;
    }
    check_yields(history)
}

fn check_failures(history: &History) -> Result<(), Fault> {
    let (cluster, failures) = (&history.plan.cluster, &history.failures);
    let components = cluster.failures.as_ref().map_or(&[][..], |own| &own.components);
    ensure(failures.is_sorted_by_key(|failure| failure.time), "failures are out of order")?;
    for failure in failures {
        let component = usize::try_from(failure.component).ok().and_then(|index| components.get(index));
        let component = component.ok_or("an unknown component failed")?;
        let units = match component.per {
            Per::Gpu | Per::Node => cluster.nodes() as usize,
            Per::Rack => cluster.racks.len(),
            Per::Feed => cluster.feeds.len(),
            Per::Site => cluster.sites.len(),
            Per::JobGpu => history.jobs.len(),
        };
        ensure(within(failure.unit, units), "a part failed that is nowhere")?;
        ensure(within(failure.repair, component.repairs.len()), "a failure is repaired in an unknown way")?;
        let ordered = failure.time <= failure.detected && failure.detected <= failure.back;
        ensure(ordered && failure.time <= history.end, "a failure is detected or repaired too early")?;
    }
    ensure(history.capacity.is_sorted_by_key(|change| change.time), "what became of nodes is out of order")?;
    let inside = history.capacity.iter().all(|change| within_nodes(&change.nodes, cluster));
    ensure(inside, "what became of nodes leaves the cluster")?;
    ensure(history.capacity.is_empty() || cluster.failures.is_some(), "nodes failed where nothing can")
}

fn check_yields(history: &History) -> Result<(), Fault> {
    let ascending = history.yields.windows(2).all(|two| two[0].segment < two[1].segment);
    ensure(ascending, "for which jobs others stopped is out of order")?;
    let starts: BTreeSet<(u32, Time)> = match history.yields.is_empty() {
        true => BTreeSet::new(),
        false => history.segments.iter().map(|segment| (segment.job, segment.from)).collect(),
    };
    for own in &history.yields {
        let segment = history.segments.get(own.segment as usize);
        let fits = segment.is_some_and(|segment| {
            segment.end == SegmentEnd::Preempted && starts.contains(&(own.to, segment.to))
        });
        ensure(fits, "a job stopped for another that did not start then")?;
    }
    Ok(())
}

fn check_waits(history: &History) -> Result<(), Fault> {
    let jobs = history.jobs.len();
    let classes = &history.wait_classes;
    ensure(history.waits.is_sorted_by_key(|wait| wait.time), "reasons of waiting are out of order")?;
    let known = if history.waits.is_empty() { 0 } else { jobs };
    ensure(classes.len() == known, "jobs and their request classes disagree")?;
    ensure(classes.iter().all(|class| within(*class, jobs)), "a request class is out of range")?;
    let within = |wait: &super::WaitRecord| match wait.why {
        Why::Class { class, .. } => within(class, jobs),
        Why::Job { job, .. } | Why::AsClass { job } => within(job, jobs),
    };
    ensure(history.waits.iter().all(within), "a job that waits is unknown")
}
