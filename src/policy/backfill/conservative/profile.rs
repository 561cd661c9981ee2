//! What will be free when: steps from instant to instant, of which only those that differ are kept.

use super::gpus::{Gpus, each_node};
use super::slots::Slots;
use super::step::{Least, Step};
use crate::cluster::Piece;
use crate::state::class::{Class, Form};
use crate::state::known::Flipped;
use crate::state::{Resources, State};
use crate::units::{Seconds, Time};

/// Where a step begins, and how many windows begin and end there; with none it would not differ from the one before.
#[derive(Debug, Clone, Copy)]
struct Mark {
    from: Time,
    step: u32,
    begins: u32,
    ends: u32,
}

/// A stretch of time and what a job holds in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held<'a> {
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) pieces: &'a [Piece],
}

/// A stretch of time in which a job finds room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: Time,
    pub(super) end: Time,
}

/// What will be free from now on.
#[derive(Debug)]
pub(super) struct Profile {
    gpus: Gpus,
    /// A cluster in which only the least of a window is left, to choose from; none of its power is reserved.
    room: Resources,
    /// What is wholly free in `room`, and which counters are not full.
    shown: (Vec<u64>, Vec<u32>),
    /// The ledger of the empty cluster.
    full: Vec<i64>,
    nothing_held: Step,
    marks: Vec<Mark>,
    steps: Vec<Step>,
    vacant: Vec<u32>,
    least: Least,
    backward: Least,
    touched: Vec<(u32, u64)>,
    /// Whether something was taken twice, so that a bit tells too little.
    overdrawn: bool,
}

impl Profile {
    pub(super) fn new(state: &State) -> Self {
        let room = Resources::new(state.plan(), state.classes(), state.caps());
        let gpus = Gpus::new(&room.occupancy, &state.classes().scopes);
        let shares = state.classes().table.iter().any(|class| match class.form {
            Form::Share { .. } => true,
            Form::Pods { milli, .. } => (1..1000).contains(&milli),
            _ => false,
        });
        let nothing_held = Step {
            free: gpus.every().to_vec(),
            free_gpus: gpus.every().iter().map(|word| word.count_ones()).sum(),
            some: if shares { gpus.every().to_vec() } else { Vec::new() },
            left: Vec::new(),
            quotas: room.clone_quotas(),
        };
        let full = room.occupancy.ledger();
        let least = || Least { left: full.clone(), ..Least::default() };
        Self {
            shown: (gpus.every().to_vec(), Vec::new()),
            gpus,
            room,
            nothing_held,
            marks: Vec::new(),
            steps: Vec::new(),
            vacant: Vec::new(),
            least: least(),
            backward: least(),
            full,
            touched: Vec::new(),
            overdrawn: false,
        }
    }

    /// From `now` on nothing is held, and the nodes that take pods, and caps, are those of now.
    pub(super) fn clear(&mut self, state: &State) {
        self.room.set_caps(state.plan(), state.now(), state.caps().is_some_and(|caps| caps.drains));
        for node in 0..state.plan().cluster.nodes() {
            self.room.occupancy.set_up(node, state.resources().occupancy.is_up(node as usize));
        }
        self.gpus.set_up(&self.room.occupancy, !state.known_changes().is_empty());
        self.marks = vec![Mark { from: state.now(), step: 0, begins: 0, ends: 0 }];
        self.steps.truncate(1);
        match self.steps.first_mut() {
            Some(step) => step.become_like(&self.nothing_held),
            None => self.steps.push(self.nothing_held.clone()),
        }
        self.vacant.clear();
        self.overdrawn = false;
        // What waits for a change that is known to come may begin then.
        for change in state.known_changes() {
            let mark = self.split(change.time);
            self.marks[mark].ends += 1;
        }
    }

    /// Whether a window was taken that was not free, so that giving it back takes a profile from scratch.
    pub(super) const fn is_overdrawn(&self) -> bool {
        self.overdrawn
    }

    /// The past is forgotten.
    pub(super) fn advance(&mut self, now: Time) {
        let past = self.marks.partition_point(|mark| mark.from <= now).saturating_sub(1);
        self.vacant.extend(self.marks.drain(..past).map(|mark| mark.step));
        if let Some(first) = self.marks.first_mut() {
            first.from = first.from.max(now);
        }
    }

    /// The index of the mark at `time`, made if there is none.
    fn split(&mut self, time: Time) -> usize {
        let index = self.marks.partition_point(|mark| mark.from < time);
        if self.marks.get(index).is_some_and(|mark| mark.from == time) {
            return index;
        }
        let before = self.marks[index - 1].step as usize;
        let step = if let Some(step) = self.vacant.pop() {
            let (old, new) = two(&mut self.steps, before, step as usize);
            new.become_like(old);
            step
        } else {
            self.steps.push(self.steps[before].clone());
            u32::try_from(self.steps.len() - 1).expect("steps are no more than twice the jobs")
        };
        self.marks.insert(index, Mark { from: time, step, begins: 0, ends: 0 });
        index
    }

    /// Takes a window from what is left.
    pub(super) fn take(&mut self, class: &Class, held: Held<'_>) {
        let start = held.start.max(self.marks[0].from);
        if held.end <= start {
            return;
        }
        let first = self.split(start);
        let last = self.split(held.end);
        // A window that began before now is not counted: the first mark stays anyway.
        self.marks[first].begins += u32::from(start == held.start);
        self.marks[last].ends += 1;
        self.change(class, held.pieces, first..last, true);
    }

    /// Gives a window back. What then tells nothing any more is kept until [`Profile::forget_marks`].
    pub(super) fn give(&mut self, class: &Class, held: Held<'_>) {
        let start = held.start.max(self.marks[0].from);
        if held.end <= start {
            return;
        }
        let first = self.split(start);
        let last = self.split(held.end);
        self.marks[first].begins -= u32::from(start == held.start);
        self.marks[last].ends -= 1;
        self.change(class, held.pieces, first..last, false);
    }

    /// Joins the steps at the ends of a window with those before them where nothing begins or ends there any more.
    pub(super) fn forget_marks(&mut self, start: Time, end: Time) {
        for time in [start, end] {
            let index = self.marks.partition_point(|mark| mark.from < time);
            let unused = |mark: &&Mark| mark.from == time && mark.begins == 0 && mark.ends == 0;
            if index > 0 && self.marks.get(index).filter(unused).is_some() {
                self.vacant.push(self.marks.remove(index).step);
            }
        }
    }

    fn change(&mut self, class: &Class, pieces: &[Piece], range: std::ops::Range<usize>, take: bool) {
        self.touched.clear();
        for piece in pieces {
            self.gpus.bits_of(*piece, &mut self.touched);
        }
        let (full, gpus) = (&self.full, &self.gpus);
        let ledger = &self.room.occupancy;
        for mark in &self.marks[range] {
            let step = &mut self.steps[mark.step as usize];
            if take {
                step.quotas.hold(class);
            } else {
                step.quotas.unhold(class);
            }
            for &(word, mask) in &self.touched {
                self.overdrawn |= take && step.free[word as usize] & mask != mask;
                let new = if take { 0 } else { mask };
                step.replace(word, mask, new, new);
            }
            for piece in pieces {
                if let Piece::Share { node, gpu, milli } = *piece {
                    let (counter, word, bit) = gpus.share(node as usize, gpu);
                    let milli = if take { -i64::from(milli) } else { i64::from(milli) };
                    // A job that shares a GPU with no other found it wholly free.
                    let was_free = step.free[word as usize] & bit != 0;
                    let left = step.count(counter, full, milli);
                    self.overdrawn |= left < 0 || take && !was_free && left == 1000 + milli;
                    step.replace(
                        word,
                        bit,
                        if left == 1000 { bit } else { 0 },
                        if left > 0 { bit } else { 0 },
                    );
                }
            }
            if !class.host.is_none() {
                ledger.for_each_host_counter(pieces, class.host, |counter, amount| {
                    step.count(counter, full, if take { -amount } else { amount });
                });
            }
        }
    }

    /// The earliest window of `length`, up to the end of a slot, in which `choose` finds room; it starts now or where another
    /// window ends, and not later than slots are looked at.
    pub(super) fn earliest(
        &mut self,
        state: &State,
        (class, length): (&Class, Seconds),
        slots: Slots,
        mut choose: impl FnMut(&Resources) -> bool,
    ) -> Option<Span> {
        let (mut first, last) = (0, slots.last(state.now()));
        let is_looked_at = |mark: &Mark| mark.from != Time::NEVER && mark.from <= last;
        while self.marks.get(first).is_some_and(is_looked_at) {
            if first > 0 && self.marks[first].ends == 0 {
                first += 1;
                continue;
            }
            let start = self.marks[first].from;
            let span = Span { start, end: slots.end(start + length) };
            match self.too_little(class, first, span.end) {
                Some(last) => first = last + 1,
                None => {
                    self.show();
                    if self.over(state, span, &mut choose) {
                        return Some(span);
                    }
                    first += 1;
                }
            }
        }
        None
    }

    /// Chooses from what is left over a window besides what `held` holds in it, which no other job holds; false where
    /// that is more than whole GPUs.
    pub(super) fn choose_again(
        &mut self,
        class: &Class,
        held: Held<'_>,
        choose: impl FnOnce(&Resources) -> bool,
    ) -> bool {
        let shares = held.pieces.iter().any(|piece| matches!(piece, Piece::Share { .. }));
        if shares || !class.host.is_none() {
            return false;
        }
        let mut index = self.marks.partition_point(|mark| mark.from <= held.start) - 1;
        self.least.begin(&self.steps[self.marks[index].step as usize], &self.full);
        while let Some(next) = self.next_lesser(index, held.end) {
            self.least.lessen(&self.steps[self.marks[next].step as usize], &self.full);
            index = next;
        }
        self.touched.clear();
        held.pieces.iter().for_each(|piece| self.gpus.bits_of(*piece, &mut self.touched));
        for (word, mask) in &self.touched {
            self.least.free[*word as usize] |= mask;
            if let Some(some) = self.least.some.get_mut(*word as usize) {
                *some |= mask;
            }
        }
        self.show();
        choose(&self.room)
    }

    /// Chooses from the least of a window, on nodes that are up at its beginning and not known to go within it, within
    /// the caps that are known to hold then and, where starts heed curtailments to come, until its end.
    fn over(&mut self, state: &State, span: Span, choose: &mut impl FnMut(&Resources) -> bool) -> bool {
        if !state.foresees_changes() {
            return choose(&self.room);
        }
        self.room.expect_window(state, span.start, span.end);
        let found = self.on_nodes_of(state, span, choose);
        self.room.expect_none(state);
        found
    }

    fn on_nodes_of(
        &mut self,
        state: &State,
        span: Span,
        choose: &mut impl FnMut(&Resources) -> bool,
    ) -> bool {
        let occupancy = &mut self.room.occupancy;
        let due = state.known_changes().iter().take_while(|change| change.time <= span.start);
        let flipped: Vec<Flipped> = due.map(|change| Flipped::by(change, occupancy)).collect();
        let going = state.going_within(span.start, span.end);
        let withheld = going.map(|nodes| occupancy.withhold(&nodes)).unwrap_or_default();
        let found = choose(&self.room);
        let occupancy = &mut self.room.occupancy;
        occupancy.give_back(&withheld);
        flipped.into_iter().rev().for_each(|flipped| flipped.undo(occupancy));
        found
    }

    /// Finds the least that is left from the step `first` until `end`. If it is certainly too little: the last step
    /// such that every window which contains it, and as much of what follows, has too little.
    fn too_little(&mut self, class: &Class, first: usize, end: Time) -> Option<usize> {
        let mut index = first;
        let mut least = std::mem::take(&mut self.least);
        let full = loop {
            let step = &self.steps[self.marks[index].step as usize];
            if !step.quotas.allows(class) || !self.gpus.enough(class, step.free_gpus) {
                break Some(index);
            }
            let lessens =
                if index == first { least.begin(step, &self.full) } else { least.lessen(step, &self.full) };
            if lessens && !self.gpus.may_fit(class, &least.free, least.partly_left(&self.gpus)) {
                break Some(self.since_when(class, first, index));
            }
            match self.next_lesser(index, end) {
                Some(next) => index = next,
                None => break None,
            }
        };
        self.least = least;
        full
    }

    /// The first step after another, before `end`, in which less may be left than before it: one at which a window begins.
    fn next_lesser(&self, after: usize, end: Time) -> Option<usize> {
        let window = self.marks.iter().enumerate().skip(after + 1).take_while(|(_, mark)| mark.from < end);
        window.filter(|(_, mark)| mark.begins > 0).map(|(index, _)| index).next()
    }

    /// The last step from which on, until `last`, there is too little; from `first` on there is.
    fn since_when(&mut self, class: &Class, first: usize, last: usize) -> usize {
        let mut least = std::mem::take(&mut self.backward);
        let mut index = last;
        least.begin(&self.steps[self.marks[index].step as usize], &self.full);
        while index > first && self.gpus.may_fit(class, &least.free, least.partly_left(&self.gpus)) {
            index -= 1;
            least.lessen(&self.steps[self.marks[index].step as usize], &self.full);
        }
        self.backward = least;
        index
    }

    /// The room becomes the least of the window last looked at.
    fn show(&mut self) {
        let Self { gpus, room, shown: (shown, counted), least, full, .. } = self;
        for counter in counted.drain(..).map(|counter| counter as usize) {
            // A GPU with a share is taken whole, as the bits have it.
            let back = if gpus.place_of(counter).is_some() { 0 } else { full[counter] };
            room.occupancy.limit(counter, back);
        }
        let words = shown.iter_mut().zip(&least.free).enumerate();
        for (word, (shown, free)) in words.filter(|(_, (shown, free))| shown != free) {
            for (node, old, new) in each_node(gpus, word, *shown, *free).filter(|(_, old, new)| old != new) {
                room.occupancy.limit_gpus(node, old & !new, new & !old);
            }
            *shown = *free;
        }
        for (counter, left) in least.partly_left(gpus) {
            room.occupancy.limit(counter, left);
        }
        counted.extend_from_slice(&least.lessened);
    }
}

/// Two different elements.
fn two(steps: &mut [Step], old: usize, new: usize) -> (&Step, &mut Step) {
    let [old, new] = steps.get_disjoint_mut([old, new]).expect("a vacant step is none in use");
    (old, new)
}
