//! Gittins index: by how likely a job is to be done soon, as the lengths of all jobs tell of one that has come so far.
//!
//! Of a job that has received service a, where S is the service that a job takes in all:
//!
//! index(a) = max over Δ of P(S ≤ a + Δ | S > a) ÷ E[min(S − a, Δ) | S > a]
//!
//! The highest goes first; what is kept is its inverse, the service spent for each job done, in whole thousandths. It falls
//! from one length to the next, and jumps where a length is passed: only then a running job may have to stop. Jobs that have
//! received more than any length go last.
//!
//! The lengths are stated (`lengths`), each as likely, or those of the jobs of the workload: what jobs take is known, but
//! of no job what it takes. Of more than 32 so many are taken, evenly by rank. Gu et al., Tiresias (2D-Gittins), NSDI 2019.

use super::super::part::{self, PartOption};
use super::las::SERVICE;
use super::{Attained, Course, ListedOrder, OrderKey};
use crate::history::{Plan, Settings};
use crate::state::State;
use crate::units::Time;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "gittins",
    about: "most likely to be done soon first, by how long jobs take and what each has received; implies preemption",
    source: "Gittins, Bandit processes and dynamic allocation indices, 1979; Gu et al., Tiresias, NSDI 2019",
    options: &[LENGTHS, SERVICE],
    rule: OrderKey::Gittins,
};

const LENGTHS: PartOption = PartOption {
    name: "lengths",
    unit: "GPU-seconds",
    default: "workload",
    about: "what jobs take, each as likely; `workload`: what its jobs do; seconds under `service = \"seconds\"`",
    expected: "GPU-seconds of at least 1 in order, such as `[60, 3600, 3600]`, or `workload`",
    read: |settings, text| {
        let lengths = if text == "workload" { Vec::new() } else { part::in_order(text)? };
        settings.lengths = Some(lengths).filter(|lengths| lengths.first() != Some(&0))?;
        Some(())
    },
    show: |settings| match settings.lengths.as_slice() {
        [] => "workload".to_owned(),
        lengths => part::listed(lengths.iter().copied()),
    },
};

/// The most lengths that are told apart: a running job is looked at anew at each.
const MOST: usize = 32;

/// Jobs that are no longer than some length.
#[derive(Debug, Clone, Copy)]
struct Point {
    /// Thousandths of service.
    length: u64,
    /// How many jobs are no longer.
    jobs: u64,
    /// What these take together.
    service: u128,
}

/// How long jobs take, each length as likely: in thousandths of service.
///
/// ```
/// use gigawatt::policy::order::gittins::Lengths;
/// // One or ten seconds.
/// let lengths = Lengths::new(vec![1000, 10_000]);
/// assert_eq!(lengths.cost(0), Some(2000), "one second for every other job: an index of ½");
/// assert_eq!(lengths.cost(500), Some(1000));
/// assert_eq!(lengths.cost(1000), Some(9000), "not the short one: nine more seconds");
/// assert_eq!(lengths.cost(10_000), None, "longer than any");
/// ```
#[derive(Debug)]
pub struct Lengths {
    /// Ascending.
    points: Vec<Point>,
    /// Ascending by `from`, the first from 0; empty if there are no lengths.
    pieces: Vec<Piece>,
}

/// A piece of the cost of a job, as a function of what it has received.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it begins, thousandths of service.
    from: u64,
    /// What is spent on all of `longer` from their beginning until they are done or given up at the best length.
    spent: u128,
    /// How many lengths are longer than what the job has received.
    longer: u64,
    /// How many of these are done by the best length; at least 1.
    likely: u64,
}

impl Piece {
    /// What the job costs that has received so much, which is in this piece.
    fn cost(&self, attained: u64) -> u64 {
        let spent = self.spent - u128::from(self.longer) * u128::from(attained);
        u64::try_from(spent / u128::from(self.likely)).unwrap_or(u64::MAX - 1)
    }
    /// From where on giving up there is no dearer than where another piece gives up, which is later.
    fn cheaper_from(&self, later: &Self) -> u64 {
        // (s − n·a) ÷ l ≤ (s' − n·a) ÷ l' with l < l', solved for a.
        let ahead =
            (self.spent * u128::from(later.likely)).saturating_sub(later.spent * u128::from(self.likely));
        let slope = u128::from(self.longer) * u128::from(later.likely - self.likely);
        u64::try_from(ahead.div_ceil(slope)).unwrap_or(u64::MAX)
    }
}

/// The cost behind each length, piece by piece: every length at which a job may be given up is a line that falls with what the
/// job has received, the shorter the steeper, and the cost is the least of them.
fn pieces(points: &[Point]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let Some(all) = points.last().map(|last| last.jobs) else { return pieces };
    for passed in 0..points.len() {
        let (done, longer) = points.split_at(passed);
        let (from, jobs, service) =
            done.last().map_or((0, 0, 0), |point| (point.length, point.jobs, point.service));
        let lines = longer.iter().map(|point| Piece {
            from,
            spent: point.service - service + u128::from(all - point.jobs) * u128::from(point.length),
            longer: all - jobs,
            likely: point.jobs - jobs,
        });
        let mut lines: Vec<Piece> = lines.collect();
        // Behind the best so far only shorter lengths may be better.
        let mut at = from;
        while at < longer[0].length {
            let dearer = |one: &Piece, other: &Piece| {
                let at = u128::from(at);
                let of = |piece: &Piece| piece.spent - u128::from(piece.longer) * at;
                (of(one) * u128::from(other.likely)).cmp(&(of(other) * u128::from(one.likely)))
            };
            let Some(best) = (0..lines.len()).min_by(|one, other| dearer(&lines[*one], &lines[*other]))
            else {
                break;
            };
            let piece = Piece { from: at, ..lines[best] };
            lines.truncate(best);
            at = lines.iter().map(|line| line.cheaper_from(&piece)).min().unwrap_or(u64::MAX);
            pieces.push(piece);
        }
    }
    pieces
}

impl Lengths {
    /// Of these lengths; those of 0 say nothing.
    #[must_use]
    pub fn new(mut lengths: Vec<u64>) -> Self {
        lengths.retain(|length| *length > 0);
        lengths.sort_unstable();
        let all = lengths.len();
        if all > MOST {
            lengths = (0..MOST).map(|rank| lengths[(2 * rank + 1) * all / (2 * MOST)]).collect();
        }
        let mut points: Vec<Point> = Vec::new();
        let (mut jobs, mut service) = (0, 0);
        for length in lengths {
            jobs += 1;
            service += u128::from(length);
            let point = Point { length, jobs, service };
            match points.last_mut() {
                Some(last) if last.length == length => *last = point,
                _ => points.push(point),
            }
        }
        let pieces = pieces(&points);
        Self { points, pieces }
    }

    /// As a plan states them, or those of its jobs.
    pub(super) fn of(plan: &Plan) -> Self {
        let Settings { lengths, service_in_seconds, .. } = &plan.settings;
        if !lengths.is_empty() {
            return Self::new(lengths.iter().map(|length| length.saturating_mul(1000)).collect());
        }
        let workload = &plan.workload;
        let pace =
            |job: u32| if *service_in_seconds { 1000 } else { workload.request_of(job).gpus().milli() };
        let length = |job: u32| u64::from(workload.jobs[job as usize].work_time.0) * u64::from(pace(job));
        Self::new((0..workload.len()).map(length).collect())
    }

    /// How many of the lengths a job has passed that has received so much.
    fn passed(&self, attained: u64) -> usize {
        self.points.partition_point(|point| point.length <= attained)
    }

    /// Thousandths of service that are spent on jobs that have received so much for each of them that is done, if each is given
    /// up when that is best; less goes first. None: no job is longer.
    ///
    /// # Complexity
    /// O(log lengths).
    #[must_use]
    pub fn cost(&self, attained: u64) -> Option<u64> {
        if self.points.last()?.length <= attained {
            return None;
        }
        let piece = self.pieces.partition_point(|piece| piece.from <= attained).checked_sub(1)?;
        Some(self.pieces[piece].cost(attained))
    }

    /// The key of a job that has received so much.
    pub(super) fn key(&self, attained: u64) -> u64 {
        self.cost(attained).unwrap_or(u64::MAX)
    }

    /// How the key of a job goes on.
    pub(super) fn course(state: &State, attained: &Attained, job: u32) -> Course {
        let pace = state.segment(job).map_or(0, |_| Attained::pace(state, state.held_milli(job)));
        Course::Receives { service: attained.service(state, job), from: state.now(), pace }
    }

    /// When a running job passes the next length.
    pub(super) fn changes(&self, state: &State, attained: &Attained, job: u32) -> Time {
        let next = self.points.get(self.passed(attained.service(state, job)));
        next.map_or(Time::NEVER, |point| attained.reaches(state, job, point.length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn of_many_lengths_some_stand_for_all() {
        let lengths = Lengths::new((1..=10_000).collect());
        assert_eq!(lengths.points.len(), MOST);
        assert_eq!(
            (lengths.points[0].length, lengths.points[MOST - 1].length),
            (157, 9844),
            "evenly by rank"
        );
        assert_eq!(Lengths::new(vec![0, 0]).cost(0), None, "none takes anything");
        assert_eq!(Lengths::new(vec![7, 7, 7]).cost(3), Some(4), "all alike: what is left");
    }

    /// By the definition: the least over all lengths at which it may be given up.
    fn defined(lengths: &[u64], attained: u64) -> Option<u64> {
        let longer: Vec<u64> = lengths.iter().copied().filter(|length| *length > attained).collect();
        let cost = |until: &u64| {
            let spent: u128 = longer.iter().map(|length| u128::from(length.min(until) - attained)).sum();
            spent / longer.iter().filter(|length| *length <= until).count() as u128
        };
        longer.iter().map(cost).min().map(|cost| u64::try_from(cost).unwrap())
    }

    proptest! {
        #[test]
        fn the_cost_is_the_least_over_all_lengths_at_which_a_job_may_be_given_up(
            (seeds, anywhere) in prop::sample::select(vec![3_u64, 20, 1000, 1 << 40]).prop_flat_map(|most| {
                (vec(0..most, 1..=MOST), vec(0..most, 40))
            }),
        ) {
            let lengths: Vec<u64> = seeds.iter().map(|seed| seed + 1).collect();
            let known = Lengths::new(lengths.clone());
            let near = lengths.iter().flat_map(|length| length.saturating_sub(2)..length + 2);
            for attained in near.chain(anywhere) {
                prop_assert_eq!(known.cost(attained), defined(&lengths, attained), "at {}", attained);
            }
        }
    }

    #[test]
    fn what_is_left_of_equal_jobs_is_the_cost() {
        let lengths = Lengths::new(vec![u64::MAX / 2; 3]);
        assert_eq!(lengths.cost(1), Some(u64::MAX / 2 - 1), "without overflow");
    }
}
