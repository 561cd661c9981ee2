//! Carries decisions out: the only way that anything changes but by time.

use super::class::{Class, Form};
use super::trial::Undo;
use super::work::{Progress, work};
use super::{Decision, Event, Law, Refusal, State, Status, scaled};
use crate::cluster::{Occupancy, Piece};
use crate::history::{HoldRecord, Segment, SegmentEnd};
use crate::units::{Factor, Seconds, Time};

impl State {
    /// Carries a decision out, and tells what happened.
    ///
    /// # Errors
    /// The law that it would break; nothing has changed then.
    pub fn apply(&mut self, decision: Decision<'_>) -> Result<Event, Refusal> {
        let applied = match decision {
            Decision::Start { job, domains, cap } => self.start(job, domains, cap),
            Decision::Stop { job } => self.stop(job),
            Decision::Move { job, domains } => self.change(job, domains, false),
            Decision::Resize { job, domains } => self.change(job, domains, true),
            Decision::Cap { job, cap } => self.cap(job, cap),
            Decision::Reject { job } => self.must_be(job, Status::Pending).map(|()| Event::Rejected { job }),
            Decision::Hold { job, until } => self.hold(job, until),
            Decision::WakeAt { time } if time <= self.now => Err(Law::Past),
            Decision::WakeAt { time } => Ok(Event::WakeAt { time }),
        };
        match applied {
            Ok(event) => {
                self.log.push(event);
                Ok(event)
            }
            Err(law) => Err(decision.refused(law)),
        }
    }

    /// A job that has been running since before time 0 takes its domains, whatever its tenant's quota and the caps.
    pub(crate) fn begin_running(&mut self, job: u32, domains: &[Piece]) -> Event {
        let rate = self.rate_on(job, domains, Factor::ONE);
        self.resources.claim(self.classes.of_job(job), domains, Factor::ONE);
        let segment = self.begin(job, domains, Factor::ONE, (rate, 0));
        self.set_status(job, Status::Running);
        let event = Event::Started { job, segment };
        self.log.push(event);
        event
    }

    /// From now on the passes over a partition stop at this job: what stands behind it waits for order.
    pub(crate) fn close_partition(&mut self, partition: u32, head: Option<u32>) -> Event {
        self.heads[partition as usize] = head;
        self.stops += 1;
        let event = Event::Closed { partition, head };
        self.log.push(event);
        event
    }

    fn must_be(&self, job: u32, status: Status) -> Result<(), Law> {
        if !self.book.contains(job) {
            return Err(Law::Unknown);
        }
        match status {
            _ if self.status(job) == status => Ok(()),
            Status::Pending => Err(Law::NotPending),
            _ => Err(Law::NotRunning),
        }
    }

    #[inline]
    fn start(&mut self, job: u32, domains: &[Piece], cap: Factor) -> Result<Event, Law> {
        self.must_be(job, Status::Pending)?;
        let class = self.classes.of_job(job);
        is_what_it_asks_for(class, domains, &self.resources.occupancy)?;
        self.resources.must_be_below_ceilings_on(class, domains, u64::from(class.gpus_milli))?;
        // Which watts to come are refused is for the policy to say, as it is for nodes.
        self.resources.ease(true);
        let claimed = self.resources.try_claim(self.classes.of_job(job), domains, cap);
        self.resources.ease(false);
        claimed?;
        let (rate, restart) = (self.rate_on(job, domains, cap), self.restart(job));
        let segment = self.begin(job, domains, cap, (rate, restart));
        self.set_status(job, Status::Running);
        Ok(Event::Started { job, segment })
    }

    fn stop(&mut self, job: u32) -> Result<Event, Law> {
        self.must_be(job, Status::Running)?;
        let segment = self.book.open(job);
        self.interrupt(job, SegmentEnd::Preempted);
        Ok(Event::Ended { job, segment, end: SegmentEnd::Preempted })
    }

    fn change(&mut self, job: u32, domains: &[Piece], resize: bool) -> Result<Event, Law> {
        self.must_be(job, Status::Running)?;
        let before = self.book.open(job);
        let old = self.history.segments[before as usize];
        if old.from >= self.now {
            return Err(Law::NotRunning);
        }
        let class = self.classes.of_job(job);
        let held = self.resources.occupancy.milli_of(domains);
        if resize {
            is_of_its_kind(class, domains, &self.resources.occupancy)?;
        } else {
            is_what_it_asks_for(class, domains, &self.resources.occupancy)?;
        }
        let (left, status) = (self.work_left(job), self.status(job));
        // Its own domains are free for it once it has let go of them.
        self.close(job, SegmentEnd::Changed);
        let class = self.classes.of_job(job);
        let below = self.resources.must_be_below_ceilings_on(class, domains, held);
        let fits = below.and_then(|()| self.resources.try_claim(class, domains, old.cap));
        if let Err(law) = fits {
            if self.trials > 0 {
                self.undo.pop();
            }
            self.take_back(Undo::Closed { job, status, segment: before, to: old.to });
            return Err(law);
        }
        self.set_progress(job, Progress::kept(left));
        self.set_resized(job, held != u64::from(self.class(job).gpus_milli));
        let rate = scaled(self.rate_on(job, domains, old.cap), held, self.class(job).gpus_milli);
        let restart = self.restart(job);
        let segment = self.begin(job, domains, old.cap, (rate, restart));
        Ok(Event::Changed { job, before, segment })
    }

    fn cap(&mut self, job: u32, cap: Factor) -> Result<Event, Law> {
        self.must_be(job, Status::Running)?;
        let before = self.book.open(job);
        let old = self.history.segments[before as usize];
        let pieces = self.history.pieces_of(&old).to_vec();
        let class = self.classes.of_job(job);
        if !self.resources.may_recap(class, &pieces, old.cap, cap) {
            return Err(Law::Power);
        }
        let rate = scaled(self.rate_on(job, &pieces, cap), self.held_milli(job), self.class(job).gpus_milli);
        let restart = self.restart_left(&old);
        if old.from == self.now {
            // Nothing has happened at the old cap.
            let class = self.classes.of_job(job);
            self.resources.hold_power(class, &pieces, old.cap, false);
            self.resources.hold_power(class, &pieces, cap, true);
            let to = self.planned_end(job, rate, restart);
            self.undo(|| Undo::Recapped { segment: before, old });
            self.history.segments[before as usize] = Segment { to, rate, cap, ..old };
            return Ok(Event::Changed { job, before, segment: before });
        }
        let left = self.work_left(job);
        let all = work(self.job(job).work_time);
        let kept = self.book.progress(job).map_or(all, |progress| progress.kept);
        let stalled = self.book.progress(job).and_then(|progress| progress.stalled);
        self.close(job, SegmentEnd::Changed);
        self.set_progress(job, Progress { left, kept, owed: 0, stalled });
        self.resources.claim(self.classes.of_job(job), &pieces, cap);
        let segment = self.begin(job, &pieces, cap, (rate, restart));
        Ok(Event::Changed { job, before, segment })
    }

    fn hold(&mut self, job: u32, until: Time) -> Result<Event, Law> {
        self.must_be(job, Status::Pending)?;
        if until <= self.now {
            return Err(Law::Past);
        }
        self.undo(|| Undo::Held { job });
        self.history.holds.push(HoldRecord { job, until });
        self.book.set_held(job, self.classes.of_job[job as usize], true);
        Ok(Event::Held { job, until })
    }

    /// A job is in a new segment; what it holds there has been claimed.
    #[inline]
    fn begin(&mut self, job: u32, domains: &[Piece], cap: Factor, (rate, restart): (Factor, u32)) -> u32 {
        let segment = u32::try_from(self.history.segments.len()).expect("segments are counted in 32 bits");
        let first_piece = u32::try_from(self.history.pieces.len()).expect("pieces are counted in 32 bits");
        self.history.pieces.extend_from_slice(domains);
        self.history.segments.push(Segment {
            job,
            from: self.now,
            to: self.planned_end(job, rate, restart),
            first_piece,
            pieces: u32::try_from(domains.len()).expect("pieces are counted in 32 bits"),
            rate,
            cap,
            restart,
            end: SegmentEnd::Open,
        });
        let status = self.book.status(job);
        self.undo(|| Undo::Began { job, status });
        self.book.begin(job, segment);
        segment
    }

    /// A running job lets go of what it holds.
    pub(super) fn close(&mut self, job: u32, end: SegmentEnd) {
        let index = self.book.end(job) as usize;
        let old = self.history.segments[index];
        let status = self.book.status(job);
        self.undo(|| Undo::Closed { job, status, segment: narrow(index), to: old.to });
        let segment = &mut self.history.segments[index];
        (segment.to, segment.end) = (self.now, end);
        let range = old.first_piece as usize..(old.first_piece + old.pieces) as usize;
        self.resources.release(self.classes.of_job(job), &self.history.pieces[range], old.cap);
    }

    /// A running job does no work for so long, and nobody knows; its segments before and from now on. None where that
    /// changes nothing, as it does no work so long anyway.
    pub(crate) fn stall(&mut self, job: u32, time: Seconds) -> Option<(u32, u32)> {
        let before = self.book.open(job);
        let old = *self.history.segments.get(before as usize)?;
        if self.restart_left(&old) >= time.0 {
            return None;
        }
        let pieces = self.history.pieces_of(&old).to_vec();
        let (left, all) = (self.work_left(job), work(self.job(job).work_time));
        let kept = self.book.progress(job).map_or(all, |progress| progress.kept);
        let known = self.book.progress(job).and_then(|progress| progress.stalled);
        let stalled = Some(known.unwrap_or_else(|| self.restart_left(&old)));
        self.close(job, SegmentEnd::Stalled);
        self.set_progress(job, Progress { left, kept, owed: 0, stalled });
        self.resources.claim(self.classes.of_job(job), &pieces, old.cap);
        let segment = self.begin(job, &pieces, old.cap, (old.rate, time.0));
        Some((before, segment))
    }

    /// A running job is pending again; work since its last checkpoint is lost, and where it writes none, all of the
    /// attempt's by a failure, nothing by a policy.
    pub(super) fn interrupt(&mut self, job: u32, end: SegmentEnd) {
        let left = self.left_once_stopped(job, end == SegmentEnd::NodeDown);
        let adds_up = self.history.plan.settings.restarts_add_up();
        let stalls = self.book.progress(job).is_some_and(|progress| progress.stalled.is_some());
        let segment = self.segment(job).filter(|_| adds_up && !stalls);
        let owed = segment.map_or(0, |segment| self.restart_left(segment));
        self.close(job, end);
        self.set_progress(job, Progress { owed, ..Progress::kept(left) });
        self.set_resized(job, false);
        self.set_status(job, Status::Pending);
    }

    fn set_progress(&mut self, job: u32, progress: Progress) {
        let before = self.book.set_progress(job, Some(progress));
        self.undo(|| Undo::Progress { job, before });
    }

    fn set_resized(&mut self, job: u32, resized: bool) {
        let before = self.book.set_resized(job, resized);
        self.undo(|| Undo::Resized { job, before });
    }
}

pub(super) fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("segments are counted in 32 bits")
}

/// Whether domains are the pods that a class asks for, on nodes that it may use.
#[inline]
fn is_what_it_asks_for(class: &Class, domains: &[Piece], occupancy: &Occupancy) -> Result<(), Law> {
    let right = match (class.form, domains) {
        (Form::Nothing, domains) => domains.is_empty(),
        (Form::Impossible, _) => false,
        (Form::Pod { gpus }, [piece]) => {
            pods_of(*piece) == 1 && occupancy.milli_of(&[*piece]) == u64::from(gpus) * 1000
        }
        (Form::Share { milli }, [Piece::Share { milli: held, .. }]) => u32::from(*held) == milli,
        (Form::Pod { .. } | Form::Share { .. }, _) => false,
        (Form::Gang { gpus }, domains) => {
            let whole = |piece: &&Piece| !matches!(piece, Piece::Nodes { .. });
            let parts = domains.iter().filter(whole).filter(|piece| !occupancy.is_whole_node(**piece));
            parts.count() <= 1 && occupancy.milli_of(domains) == u64::from(gpus) * 1000
        }
        (Form::Pods { count, milli }, domains) => {
            let pods: u32 = domains.iter().map(|piece| pods_of(*piece)).sum();
            let each = |piece: &Piece| {
                let pods = u64::from(pods_of(*piece));
                occupancy.milli_of(&[*piece]) == pods * u64::from(milli)
            };
            pods == count && domains.iter().all(each)
        }
    };
    if right { is_of_its_kind(class, domains, occupancy) } else { Err(Law::Shape) }
}

/// How many pods a piece is, one a node.
const fn pods_of(piece: Piece) -> u32 {
    match piece {
        Piece::Nodes { mask, .. } => mask.count_ones(),
        Piece::Gpus { .. } | Piece::Share { .. } => 1,
    }
}

/// Whether domains lie where a class may run: nodes that exist and take new pods, in its scope, of one kind.
#[inline]
fn is_of_its_kind(class: &Class, domains: &[Piece], occupancy: &Occupancy) -> Result<(), Law> {
    for piece in domains {
        occupancy
            .must_be_usable(class.scope as usize, *piece)
            .map_err(|(node, outside)| if outside { Law::OutOfScope(node) } else { Law::NotUp(node) })?;
    }
    if domains.is_empty() != (class.form == Form::Nothing) {
        return Err(Law::Shape);
    }
    let mut nodes = domains.iter().flat_map(|piece| piece.nodes()).map(|node| node as usize);
    if domains.len() > 1
        && occupancy.kinds() > 1
        && let Some(first) = nodes.next()
        && !nodes.all(|node| occupancy.kind(node) == occupancy.kind(first))
    {
        return Err(Law::Shape);
    }
    Ok(())
}
