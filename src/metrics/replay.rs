//! Replays a history once, instant by instant: what was free and who waited for what.

use super::contention::{Contended, Contention};
use super::occupancy::Occupancy;
use super::series::{Rates, Recorder};
use super::times::{JobTimes, Wait};
use super::waiting::{Held, Waiting};
use crate::history::{History, Plan, Segment};
use crate::policy::power::{cap_times, rise_times};
use crate::units::Time;
use std::ops::Range;

/// What a replay tells beyond the times of each job.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) recorder: Recorder,
    /// GPU-seconds that each tenant held in the window, in thousandths.
    pub(super) held: Vec<u128>,
    /// What each tenant held in the window while there was contention.
    pub(super) contended: Vec<Contended>,
}

/// Indices by time, taken in order.
#[derive(Debug)]
struct Queue {
    /// Time in the high half, index in the low one.
    items: Vec<u64>,
    next: usize,
}

impl Queue {
    fn new(items: impl Iterator<Item = (Time, usize)>) -> Self {
        let pack = |(time, index): (Time, usize)| {
            u64::from(time.0) << 32 | u64::from(u32::try_from(index).expect("indices have 32 bits"))
        };
        let mut items: Vec<u64> = items.map(pack).collect();
        items.sort_unstable();
        Self { items, next: 0 }
    }
    fn time(&self) -> Time {
        let time = self.items.get(self.next).map_or(u64::from(Time::NEVER.0), |item| item >> 32);
        Time(u32::try_from(time).expect("a time has 32 bits"))
    }
    /// The next index if its time has come.
    fn pop(&mut self, now: Time) -> Option<usize> {
        let item = *self.items.get(self.next).filter(|item| **item >> 32 <= u64::from(now.0))?;
        self.next += 1;
        usize::try_from(item & u64::from(u32::MAX)).ok()
    }
}

struct Sweep<'a> {
    history: &'a History,
    waits: &'a [Wait],
    occupancy: Occupancy<'a>,
    waiting: Waiting<'a>,
    recorder: Recorder,
    rates: Rates,
    held: Vec<Held>,
    held_since: Vec<Time>,
    held_seconds: Vec<u128>,
    contention: Contention,
    segments: Queue,
    segment_ends: Queue,
    wait_starts: Queue,
    wait_ends: Queue,
    changes: Queue,
    caps: Queue,
    heads: Queue,
}

/// Replays the history; adds the reasons of waiting to `times`.
///
/// # Complexity
/// O(n log n) in segments, pieces and waits, plus, an instant, the request classes in use that no ladder holds.
pub(super) fn replay(
    history: &History,
    waits: &[Wait],
    times: &mut [JobTimes],
    window: Range<Time>,
) -> Replay {
    let Plan { cluster, workload, .. } = &history.plan;
    let occupancy = Occupancy::new(cluster, workload);
    // What is let go at the instant it is taken was never held.
    let lasts = |(_, segment): &(usize, &Segment)| segment.from < segment.to;
    let segments = || history.segments.iter().enumerate().filter(lasts);
    let tenants = workload.tenants.len();
    let mut sweep = Sweep {
        history,
        waits,
        waiting: Waiting::new(history, &occupancy),
        contention: Contention::new(window.clone(), tenants),
        recorder: Recorder::new(window, history.end),
        rates: Rates { levels: occupancy.levels, ..Rates::default() },
        occupancy,
        held: vec![Held::default(); tenants],
        held_since: vec![Time::ZERO; tenants],
        held_seconds: vec![0; tenants],
        segments: Queue::new(segments().map(|(index, segment)| (segment.from, index))),
        segment_ends: Queue::new(segments().map(|(index, segment)| (segment.to, index))),
        wait_starts: Queue::new(waits.iter().enumerate().map(|(index, wait)| (wait.from, index))),
        wait_ends: Queue::new(waits.iter().enumerate().map(|(index, wait)| (wait.to, index))),
        changes: Queue::new(cluster.changes.iter().enumerate().map(|(index, change)| (change.time, index))),
        caps: Queue::new(
            cap_times(&history.plan).into_iter().chain(rise_times(history)).map(|time| (time, 0)),
        ),
        heads: Queue::new(history.heads.iter().enumerate().map(|(index, head)| (head.time, index))),
    };
    sweep.run(times);
    for tenant in 0..tenants {
        sweep.count_held(tenant, history.end);
    }
    let contended = sweep.contention.finish(history.end);
    Replay { recorder: sweep.recorder, held: sweep.held_seconds, contended }
}

impl Sweep<'_> {
    fn run(&mut self, times: &mut [JobTimes]) {
        let cycle = self.history.plan.settings.cycle.filter(|cycle| *cycle > 0);
        let mut now = self.next();
        while now <= self.history.end {
            let passes = cycle.is_none_or(|cycle| now.0.is_multiple_of(cycle));
            self.instant(now, passes, times);
            let next = self.next();
            now = match cycle {
                Some(cycle) if self.waiting.needs_pass() => {
                    next.min(Time((now.0 / cycle).saturating_add(1).saturating_mul(cycle)))
                }
                _ => next,
            };
            if now == Time::NEVER {
                break;
            }
        }
        self.recorder.run_to(self.history.end, &self.rates);
    }

    /// When something happens next.
    fn next(&self) -> Time {
        let queues = [
            &self.segments,
            &self.segment_ends,
            &self.wait_starts,
            &self.wait_ends,
            &self.changes,
            &self.caps,
            &self.heads,
        ];
        queues.into_iter().map(Queue::time).min().unwrap_or(Time::NEVER)
    }

    fn instant(&mut self, now: Time, passes: bool, times: &mut [JobTimes]) {
        self.recorder.run_to(now, &self.rates);
        self.waiting.set_now(now);
        self.occupancy.freed.clear();
        let stamp = now.0.saturating_add(1);
        if passes {
            self.waiting.pass(now, times, &self.occupancy);
        }
        while let Some(wait) = self.wait_ends.pop(now) {
            let job = self.waits[wait].job;
            self.waiting.end(job, now, times, &self.occupancy);
            self.contention.wait(self.history.plan.workload.jobs[job as usize].tenant, false, now);
            self.rates.waiting -= 1;
            self.rates.wanted -= u64::from(self.history.plan.workload.request_of(job).gpus().milli());
        }
        while let Some(change) = self.changes.pop(now) {
            let change = &self.history.plan.cluster.changes[change];
            self.occupancy.set_state(change.nodes.clone(), change.state, stamp);
            self.waiting.set_state(change, stamp);
        }
        while self.caps.pop(now).is_some() {
            self.waiting.set_caps(now, stamp);
        }
        while let Some(segment) = self.segment_ends.pop(now) {
            let history = self.history;
            self.hold(&history.segments[segment], false, now, stamp);
        }
        while let Some(segment) = self.segments.pop(now) {
            let history = self.history;
            self.hold(&history.segments[segment], true, now, stamp);
        }
        while let Some(wait) = self.wait_starts.pop(now) {
            let job = self.waits[wait].job;
            self.waiting.begin(job, now, passes, times, &self.occupancy);
            self.contention.wait(self.history.plan.workload.jobs[job as usize].tenant, true, now);
            self.rates.waiting += 1;
            self.rates.wanted += u64::from(self.history.plan.workload.request_of(job).gpus().milli());
        }
        while let Some(head) = self.heads.pop(now) {
            self.waiting.set_head(self.history.heads[head], times, &self.occupancy);
        }
        self.waiting.settle(now, passes, &self.held, times, &self.occupancy);
        self.rates.levels = self.occupancy.levels;
    }

    /// A job begins to hold its domains, or lets go.
    fn hold(&mut self, segment: &Segment, take: bool, now: Time, stamp: u32) {
        let workload = &self.history.plan.workload;
        let request = workload.request_of(segment.job);
        self.waiting.hold(segment, take, stamp);
        for piece in self.history.pieces_of(segment) {
            self.occupancy.apply(*piece, request, take, stamp);
        }
        let milli = self.history.gpus_of(segment);
        self.contention.hold(workload.jobs[segment.job as usize].tenant, take, milli, now);
        let tenant = workload.jobs[segment.job as usize].tenant as usize;
        self.count_held(tenant, now);
        let held = &mut self.held[tenant];
        held.stamp = stamp;
        for level in [&mut held.milli, &mut self.rates.allocated] {
            *level = if take { *level + milli } else { *level - milli };
        }
    }

    fn count_held(&mut self, tenant: usize, now: Time) {
        let since = std::mem::replace(&mut self.held_since[tenant], now);
        let seconds = self.recorder.in_window(since, now);
        self.held_seconds[tenant] += u128::from(self.held[tenant].milli) * u128::from(seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::NodeState;
    use crate::history::sample::{self, Machine};
    use crate::history::{HeadRecord, Settings, WaitReason};
    use crate::metrics::series::Integrals;
    use crate::metrics::times::{SecondsByReason, times};
    use crate::simulation::{Control, simulate};

    /// The same by definition: every second of every waiting job is looked at on its own.
    struct Definition {
        reasons: Vec<SecondsByReason>,
        held: Vec<u128>,
        allocated: u128,
        available: u128,
        free: u128,
        whole_nodes: u128,
        whole_racks: u128,
    }

    fn state(history: &History, now: Time) -> (Machine<'_>, Vec<u64>, u128) {
        let Plan { cluster, workload, .. } = &history.plan;
        let mut machine = Machine::new(cluster);
        let mut available = u128::from(cluster.gpus());
        let mut states = vec![NodeState::Up; cluster.nodes() as usize];
        for change in cluster.changes.iter().filter(|change| change.time <= now) {
            for node in change.nodes.clone() {
                states[node as usize] = change.state;
            }
        }
        for (node, state) in (0u32..).zip(&states) {
            machine.nodes[node as usize].up = *state == NodeState::Up;
            if matches!(state, NodeState::Absent | NodeState::Down) {
                available -= u128::from(cluster.kind_of(node).gpus);
            }
        }
        let mut held = vec![0; workload.tenants.len()];
        for segment in history.segments.iter().filter(|s| s.from <= now && now < s.to) {
            machine.apply(history.pieces_of(segment), workload.request_of(segment.job), true);
            held[workload.jobs[segment.job as usize].tenant as usize] += history.gpus_of(segment);
        }
        (machine, held, available * 1000)
    }

    fn fits_or_why(history: &History, job: u32, machine: &Machine<'_>, held: &[u64]) -> Option<WaitReason> {
        let workload = &history.plan.workload;
        let request = workload.request_of(job);
        let tenant = workload.jobs[job as usize].tenant as usize;
        let wanted = u64::from(request.gpus().milli());
        let scope = machine.scope(workload, request);
        let up = scope.iter().map(|node| &machine.nodes[*node as usize]).filter(|node| node.up);
        let free: u64 = up.flat_map(|node| &node.free_milli).map(|milli| u64::from(*milli)).sum();
        if workload.tenants[tenant].quota_milli.is_some_and(|quota| held[tenant] + wanted > u64::from(quota))
        {
            Some(WaitReason::Quota)
        } else if free < wanted {
            Some(WaitReason::Capacity)
        } else if machine.place(&scope, request).is_none() {
            Some(WaitReason::Shape)
        } else {
            None
        }
    }

    fn define(history: &History, waits: &[Wait]) -> Definition {
        let jobs = history.jobs.len();
        let mut found = Definition {
            reasons: vec![SecondsByReason::default(); jobs],
            held: vec![0; history.plan.workload.tenants.len()],
            allocated: 0,
            available: 0,
            free: 0,
            whole_nodes: 0,
            whole_racks: 0,
        };
        let mut passed_over = vec![false; jobs];
        for now in (0..history.end.0).map(Time) {
            let (machine, held, available) = state(history, now);
            let passes = history.plan.settings.cycle.is_none_or(|cycle| now.0.is_multiple_of(cycle));
            for wait in waits.iter().filter(|wait| wait.from <= now && now < wait.to) {
                let job = wait.job as usize;
                let queue = history.plan.workload.request_of(wait.job).partition;
                let mut heads = history.heads.iter().filter(|head| head.queue == queue && head.time <= now);
                let head = heads.next_back().map_or(HeadRecord::NONE, |head| head.head);
                let why = fits_or_why(history, wait.job, &machine, &held);
                passed_over[job] = why.is_none() && (passes || passed_over[job] && wait.from < now);
                let reason = match why {
                    _ if head != HeadRecord::NONE && head != wait.job => WaitReason::Order,
                    Some(reason) => reason,
                    None if passed_over[job] => WaitReason::Order,
                    None => WaitReason::Held,
                };
                found.reasons[job][reason as usize] += 1;
            }
            for (sum, milli) in found.held.iter_mut().zip(&held) {
                *sum += u128::from(*milli);
            }
            found.allocated += u128::from(held.iter().sum::<u64>());
            found.available += available;
            add_free(&mut found, &machine);
        }
        found
    }

    fn add_free(found: &mut Definition, machine: &Machine<'_>) {
        let free = |node: &sample::Node| node.free_milli.iter().map(|milli| u128::from(*milli)).sum::<u128>();
        let whole = |node: &sample::Node| node.whole() as usize == node.free_milli.len();
        for rack in &machine.cluster.racks {
            let first = rack.first_node as usize;
            let nodes = machine.nodes[first..first + rack.nodes as usize].iter().filter(|node| node.up);
            found.free += nodes.clone().map(free).sum::<u128>();
            found.whole_nodes += nodes.clone().filter(|node| whole(node)).map(free).sum::<u128>();
            if nodes.clone().all(whole) {
                found.whole_racks += nodes.map(free).sum::<u128>();
            }
        }
    }

    /// The plans of the sample under the policies of this program.
    fn simulated(seed: u64) -> History {
        let mut plan = sample::random(seed).plan;
        let parts = [
            ("fifo", "easy", "best-fit"),
            ("sjf", "none", "pack"),
            ("srtf", "skip", "spread"),
            ("fifo", "conservative", "first-fit"),
        ];
        let (order, backfill, placement) = parts[usize::try_from(seed % 4).unwrap()];
        let named = Settings::named(order, backfill, placement);
        plan.settings = Settings { cycle: plan.settings.cycle, until: plan.settings.until, ..named };
        simulate(plan, &mut Control::default())
    }

    #[test]
    fn the_replay_equals_the_definition_second_by_second() {
        let mut seen = SecondsByReason::default();
        for seed in 0..300 {
            let history = if seed < 200 { sample::random(seed) } else { simulated(seed) };
            assert_eq!(history.check(), Ok(()), "seed {seed}");
            let (mut times, waits) = times(&history);
            let replay = replay(&history, &waits, &mut times, Time::ZERO..history.end);
            let expected = define(&history, &waits);
            for (job, (own, expected)) in times.iter().zip(&expected.reasons).enumerate() {
                let mut reasons = own.reasons;
                reasons[0] = 0;
                assert_eq!(reasons, *expected, "seed {seed}, job {job}, {:?}", history.plan.settings);
                assert_eq!(reasons.iter().sum::<u32>(), own.wait_time.0, "seed {seed}, job {job}: the sum");
                for (sum, seconds) in seen.iter_mut().zip(own.reasons) {
                    *sum += seconds;
                }
            }
            assert_eq!(replay.held, expected.held, "seed {seed}: what tenants held");
            let Integrals { allocated, available, .. } = replay.recorder.total;
            assert_eq!((allocated, available), (expected.allocated, expected.available), "seed {seed}");
            let part_used = |whole: u128| (expected.free - whole, expected.free);
            assert_eq!(
                replay.recorder.total.nodes_part_used(),
                part_used(expected.whole_nodes),
                "seed {seed}"
            );
            assert_eq!(
                replay.recorder.total.racks_part_used(),
                part_used(expected.whole_racks),
                "seed {seed}"
            );
        }
        // No plan here has a cap or a partition with a limit.
        let absent = [WaitReason::Power, WaitReason::Limit];
        for (reason, seconds) in WaitReason::ALL.iter().zip(seen) {
            assert!(seconds > 500 || absent.contains(reason), "too little waiting for {}", reason.name());
        }
    }

    #[test]
    fn a_planted_second_is_noticed() {
        let history = (0..).map(sample::random).find(|history| history.segments.len() > 20).unwrap();
        let (mut times, waits) = times(&history);
        let found = replay(&history, &waits, &mut times, Time::ZERO..history.end);
        let mut other = history.clone();
        other.segments[3].to = Time(other.segments[3].to.0 - 1);
        assert_ne!(define(&other, &waits).held, found.held, "one second less of one segment");
    }
}
