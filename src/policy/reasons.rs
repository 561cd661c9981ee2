//! Why jobs wait: what the state answers once a pass is over, recorded when it changes.
//!
//! A job that could start and did not waits for `order`: others come first, or it would delay a reservation; and so
//! does every job behind the one that its partition's passes stop at. All others wait for the reason of the first
//! [constraint](crate::state::constraint) that says no. Where nodes or watts are known to go, how long a job is expected
//! to run decides too, and jobs have reasons of their own.
//!
//! # Complexity
//! A pass costs O(1) for each class that waits and whose answer can have changed, and the search for a place where
//! counts do not tell; while nodes or watts are known to go, as much for each job that waits.

use super::placement::Placement;
use crate::history::{Plan, WaitReason, Why};
use crate::state::class::{Class, Classes};
use crate::state::constraint::{Places, Question, may_refuse_behind, why, why_behind};
use crate::state::place::Choice;
use crate::state::power::ledger::Ledger;
use crate::state::{Resources, State, Supposed, Trial};
use crate::units::Time;

/// How places are looked for, whichever of them is taken in the end.
#[derive(Debug)]
struct Finders {
    placement: Placement,
    /// Where anything that holds one pod will do.
    anywhere: Placement,
}

impl Finders {
    const fn of(&self, class: &Class) -> &Placement {
        // Whether a gang over several racks fits may depend on which are taken.
        if class.is_gang() { &self.placement } else { &self.anywhere }
    }
}

impl Places for Finders {
    fn has_room(&self, class: &Class, job: u32, resources: &Resources) -> bool {
        match resources.has_room(class) {
            Some(has_room) => has_room,
            None => self.of(class).choose(class, job, &resources.occupancy, &mut Choice::default()),
        }
    }
    fn has_power(&self, class: &Class, job: u32, resources: &Resources) -> bool {
        self.of(class).choose_in(class, job, resources, &mut Choice::default())
    }
}

/// Places where it is known that there is no room.
#[derive(Debug)]
struct NoRoom;

impl Places for NoRoom {
    fn has_room(&self, _: &Class, _: u32, _: &Resources) -> bool {
        false
    }
    fn has_power(&self, _: &Class, _: u32, _: &Resources) -> bool {
        false
    }
}

/// What kept the jobs of a class from starting when that was last asked.
#[derive(Debug, Clone, Copy)]
struct Answer {
    /// How often something had been freed, and taken.
    freed: u64,
    taken: u64,
    now: Time,
    why: Option<WaitReason>,
}

/// Records why jobs wait.
#[derive(Debug)]
pub struct Reasons {
    finders: Finders,
    /// By class: its first job, which stands for the others.
    first: Vec<u32>,
    /// By class: whether it may wait for something even behind the job that its partition's passes stop at.
    asks_behind: Vec<bool>,
    /// By class: the last answer.
    answers: Vec<Option<Answer>>,
    /// By class: the reason recorded last.
    told: Vec<Option<WaitReason>>,
    /// How many classes may be found to wait for anything but what is recorded while all partitions stop at a job: those of
    /// which that is not the order, and those that may wait for something else even then.
    unsettled: usize,
    /// The reasons of their own that are recorded of jobs, by job.
    own: Vec<(u32, WaitReason)>,
    /// Those of the pass before, for reuse.
    before: Vec<(u32, WaitReason)>,
    /// Whether power may become free by itself, as time goes on.
    rises: bool,
    /// Whether the placement has read what holds for this pass.
    is_frozen: bool,
    /// What decides reasons as it stood when they were last recorded; none: time decides too.
    settled: Option<[u64; 4]>,
}

impl Reasons {
    /// Nothing is recorded yet. Under a placement of the caller's own, gangs are taken to fit as under first fit.
    #[must_use]
    pub fn new(plan: &Plan, classes: &Classes) -> Self {
        let mut first = vec![u32::MAX; classes.table.len()];
        for (job, class) in (0u32..).zip(&classes.of_job) {
            let first = &mut first[*class as usize];
            *first = job.min(*first);
        }
        let anywhere = || Placement::first_fit(plan, classes);
        let placement = Placement::of(plan, classes).unwrap_or_else(anywhere);
        Self {
            finders: Finders { placement, anywhere: anywhere() },
            asks_behind: classes.table.iter().map(may_refuse_behind).collect(),
            answers: vec![None; first.len()],
            told: vec![None; first.len()],
            unsettled: first.len(),
            first,
            own: Vec::new(),
            before: Vec::new(),
            rises: !plan.cluster.ramps.is_empty(),
            is_frozen: false,
            settled: None,
        }
    }

    /// A pass is over: records the reasons that have changed.
    pub fn settle(&mut self, state: &mut Trial<'_>) {
        if state.waiting().is_empty() && self.own.is_empty() {
            return;
        }
        let stamp = (!self.rises && !state.lengths_decide()).then(|| state.waiting_stamp());
        if stamp.is_some() && stamp == self.settled {
            return;
        }
        self.settled = stamp;
        self.is_frozen = false;
        if self.unsettled > 0 || !state.stops_everywhere() {
            self.settle_classes(state);
        }
        self.settle_own(state);
    }

    /// Records the reasons of classes that have changed.
    fn settle_classes(&mut self, state: &mut Trial<'_>) {
        let mut changed = Vec::new();
        for class in state.waiting_classes() {
            let partition = state.classes().table[*class as usize].partition;
            let reason = match state.head(partition) {
                Some(_) if !self.asks_behind[*class as usize] => WaitReason::Order,
                Some(_) => self.reason_behind(state, *class),
                None => self.reason(state, *class),
            };
            if self.told[*class as usize] != Some(reason) {
                self.unsettled -= usize::from(!self.is_settled(*class));
                self.told[*class as usize] = Some(reason);
                self.unsettled += usize::from(!self.is_settled(*class));
                changed.push((*class, reason));
            }
        }
        changed.sort_unstable();
        changed.into_iter().for_each(|(class, reason)| state.set_reason(Why::Class { class, reason }));
    }

    /// True if what is recorded of a class holds while its partition stops at a job.
    fn is_settled(&self, class: u32) -> bool {
        self.told[class as usize] == Some(WaitReason::Order) && !self.asks_behind[class as usize]
    }

    /// Records the reasons of jobs that wait for another than their class.
    fn settle_own(&mut self, state: &mut Trial<'_>) {
        let mut own = std::mem::take(&mut self.before);
        own.clear();
        if state.lengths_decide() {
            self.own_by_length(state, &mut own);
        } else {
            self.own_of_heads(state, &mut own);
        }
        own.retain(|(job, reason)| self.told[state.class(*job).index as usize] != Some(*reason));
        own.sort_unstable();
        if own != self.own {
            let has_own = |job: u32| own.binary_search_by_key(&job, |(job, _)| *job).is_ok();
            for (job, _) in self.own.iter().filter(|(job, _)| !has_own(*job)) {
                state.set_reason(Why::AsClass { job: *job });
            }
            for &(job, reason) in own.iter().filter(|of| self.own.binary_search(of).is_err()) {
                state.set_reason(Why::Job { job, reason });
            }
        }
        self.before = std::mem::replace(&mut self.own, own);
    }

    /// The reasons of jobs at which passes stop, and of those before them.
    fn own_of_heads(&mut self, state: &State, own: &mut Vec<(u32, WaitReason)>) {
        for partition in 0..state.plan().workload.partitions.len() {
            let partition = u32::try_from(partition).expect("partitions are few");
            let blocked =
                state.head(partition).into_iter().chain(state.passed_over(partition).iter().copied());
            for job in blocked.filter(|job| state.waits(*job)) {
                own.push((job, self.reason(state, state.class(job).index)));
            }
        }
    }

    /// The reasons of all jobs that passes try, where how long each is expected to run decides too.
    fn own_by_length(&mut self, state: &mut Trial<'_>, own: &mut Vec<(u32, WaitReason)>) {
        let begins = state.drained_for().into_iter();
        let watts: Vec<(Time, Ledger)> =
            begins.filter_map(|begin| Some((begin, state.watts_at(begin)?))).collect();
        for job in state.waiting().to_vec() {
            let class = state.class(job);
            let (index, stops) = (class.index, state.head(class.partition));
            let is_tried = |head| head == job || state.passed_over(class.partition).contains(&job);
            if stops.is_none_or(is_tried) {
                let reason = self.reason_of_length(state, job, &watts);
                own.push((job, reason.unwrap_or_else(|| self.reason(state, index))));
            }
        }
    }

    /// What the jobs of a class wait for, whatever their lengths.
    fn reason(&mut self, state: &State, class: u32) -> WaitReason {
        let (resources, now) = (state.resources(), state.now());
        let (freed, taken) = (resources.freed(), resources.taken());
        let before = self.answers[class as usize];
        let same = |before: &Answer| before.freed == freed && (before.now == now || !self.rises);
        let why = match before.filter(same) {
            Some(before) if before.taken == taken => before.why,
            before => {
                self.freeze_for(state, class);
                let (own, job) = (&state.classes().table[class as usize], self.first[class as usize]);
                let had_no_room =
                    before.is_some_and(|b| matches!(b.why, Some(WaitReason::Capacity | WaitReason::Shape)));
                let places: &dyn Places = if had_no_room && own.monotone { &NoRoom } else { &self.finders };
                why(&Question { resources, class: own, job, places })
            }
        };
        self.answers[class as usize] = Some(Answer { freed, taken, now, why });
        why.unwrap_or(WaitReason::Order)
    }

    /// Reads what holds for the whole of a pass, once, where it may decide which racks a gang tries.
    fn freeze_for(&mut self, state: &State, class: u32) {
        if !self.is_frozen && state.classes().table[class as usize].is_gang() {
            self.finders.placement.freeze(state);
            self.is_frozen = true;
        }
    }

    /// What the jobs of a class wait for behind the one that their partition's passes stop at.
    fn reason_behind(&self, state: &State, class: u32) -> WaitReason {
        let (resources, job) = (state.resources(), self.first[class as usize]);
        let class = &state.classes().table[class as usize];
        why_behind(&Question { resources, class, job, places: &NoRoom }).unwrap_or(WaitReason::Order)
    }

    /// What a job waits for where how long it is expected to run makes a difference; else `None`. `watts` says how they
    /// are expected to stand when each of the curtailments to come begins.
    fn reason_of_length(
        &mut self,
        state: &mut Trial<'_>,
        job: u32,
        watts: &[(Time, Ledger)],
    ) -> Option<WaitReason> {
        let nodes = state.going(job);
        let end = state.expected_end(job, state.slowest_rate(job));
        let during = watts.iter().filter(|(begin, _)| *begin < end).map(|(_, ledger)| ledger.clone());
        let watts = (!watts.is_empty() && state.class(job).draws.is_some()).then(|| during.collect());
        let supposed = Supposed { nodes, watts, ..Supposed::default() };
        if supposed.is_nothing() {
            return None;
        }
        self.freeze_for(state, state.class(job).index);
        let why = state.supposing(supposed, |state| {
            let (resources, class) = (state.resources(), state.class(job));
            why(&Question { resources, class, job, places: &self.finders })
        });
        Some(why.unwrap_or(WaitReason::Order))
    }
}
