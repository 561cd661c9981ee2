//! What a line of a table tells of the times of a job.

use super::{Deadlines, Row, Unsubmitted};
use crate::trace::field;
use crate::trace::formats::ending;
use crate::trace::formats::sacct_fields::clock;
use crate::trace::intake::Intake;
use crate::trace::key::{Key, TimeUnit};
use crate::trace::table::{INSTANT, LENGTH};

/// What a line tells of the times of a job.
pub(super) struct Times {
    pub(super) submit: u32,
    pub(super) start: Option<u32>,
    pub(super) end: Option<u32>,
    work: Option<u32>,
    pub(super) requested: u32,
    /// How long after its submission it has to be done; 0 where that is not told.
    pub(super) deadline: u32,
    /// Whether the time between submit and start is one that it waited.
    pub(super) waits: bool,
}

impl Times {
    /// How long it ran, if that is told at all.
    pub(super) fn length(&self) -> Option<u32> {
        let between = self.start.zip(self.end).and_then(|(start, end)| end.checked_sub(start));
        self.work.or(between)
    }
}

impl Row<'_> {
    fn instant(&self, key: Key, intake: &mut Intake<'_>) -> Option<Option<u32>> {
        let value = self.get(key);
        if value.is_empty() {
            return Some(None);
        }
        let instant = intake.instant_in(value, self.unit(key));
        if instant.is_none() {
            self.wrong_time(key, INSTANT, intake);
        }
        instant.map(Some)
    }
    /// Says that a time is none, or in which unit it may be one.
    fn wrong_time(&self, key: Key, expected: &str, intake: &mut Intake<'_>) {
        let Some(column) = self.place(key) else { return };
        let large = self.unit(key) == TimeUnit::Second && field::unsigned(self.get(key)).is_some();
        if large {
            self.table.wrong_with(column, expected, "`--map unit=ms` if it counts milliseconds", intake);
        } else {
            self.table.wrong(column, expected, intake);
        }
    }
    /// A number of some unit, or a clock.
    fn seconds(&self, key: Key, intake: &mut Intake<'_>) -> Option<u32> {
        let value = self.get(key);
        let clock = || if value.contains(&b':') { clock(value) } else { None };
        intake.length_in(value, self.unit(key)).or_else(clock)
    }
    fn length(&self, key: Key, intake: &mut Intake<'_>) -> Option<Option<u32>> {
        if self.get(key).is_empty() {
            return Some(None);
        }
        let length = self.seconds(key, intake);
        if length.is_none() {
            self.wrong_time(key, LENGTH, intake);
        }
        length.map(Some)
    }
    /// The user's estimate; 0 where there is none, or no limit.
    fn estimate(&self, intake: &mut Intake<'_>) -> Option<u32> {
        const KEY: Key = Key::RequestedTime;
        let value = self.get(KEY);
        if value.is_empty() {
            return Some(0);
        }
        let estimate = self.seconds(KEY, intake);
        let is_endless = || {
            // A number that is no length is beyond all of them.
            field::seconds(value, self.unit(KEY)).is_some()
                || [b"unlimited".as_slice(), b"infinite"].iter().any(|word| value.eq_ignore_ascii_case(word))
        };
        if estimate.is_none() && is_endless() {
            intake.notes.count("job", "without a limit to its time: no estimate", 1);
            return Some(0);
        }
        if estimate.is_none() {
            self.wrong_time(KEY, LENGTH, intake);
        }
        estimate
    }

    /// How long after its submission it has to be done; 0 where there is none.
    fn deadline(&self, intake: &mut Intake<'_>) -> Option<u32> {
        const KEY: Key = Key::Deadline;
        let value = self.get(KEY);
        let Deadlines::Steps(none) = self.reader.schema.deadlines else {
            let deadline = self.length(KEY, intake).map(Option::unwrap_or_default);
            intake.note_deadline(value.is_empty(), deadline);
            return deadline;
        };
        let first = value.split(|byte| *byte == b'-').next().unwrap_or_default();
        if first.is_empty() || self.table.optional(self.table.column(none)) == b"1" {
            return Some(0);
        }
        if first.len() < value.len() {
            intake.notes.count("job", "of several deadlines: the first, until which all is gained", 1);
        }
        let deadline = intake.length_in(first, self.unit(KEY));
        if deadline.is_none() {
            self.wrong_time(KEY, LENGTH, intake);
        }
        deadline
    }

    pub(super) fn times(&self, intake: &mut Intake<'_>) -> Option<Times> {
        let submit = self.instant(Key::SubmitTime, intake);
        let start = self.instant(Key::StartTime, intake);
        let end = self.instant(Key::EndTime, intake);
        let work = self.length(Key::WorkTime, intake);
        let wait = self.length(Key::WaitTime, intake);
        let requested = self.estimate(intake);
        let deadline = self.deadline(intake);
        let (submit, start, end) = (submit?, start?, end?);
        let (work, wait, requested, deadline) = (work?, wait?, requested?, deadline?);
        let existing = submit.is_none() && self.reader.schema.unsubmitted == Unsubmitted::Existing;
        let submit = match (submit, self.reader.schema.unsubmitted) {
            (Some(submit), _) => submit,
            (None, Unsubmitted::Wrong) => {
                self.wrong(Key::SubmitTime, INSTANT, intake);
                return None;
            }
            (None, Unsubmitted::Existing) => {
                intake.notes.count("job", "that existed before the trace began: submitted at its time 0", 1);
                0
            }
            (None, Unsubmitted::Dropped) => {
                intake.notes.count("job", "that never started, and when it came is not told: dropped", 1);
                return None;
            }
        };
        if !existing {
            ending::note_backwards(submit, start, end, intake);
        }
        let start = start.or_else(|| submit.checked_add(wait?)).or_else(|| existing.then_some(0));
        // What is taken for a submit for want of one tells no wait.
        let waits = !existing && self.place(Key::SubmitTime) != self.place(Key::StartTime);
        Some(Times { submit, start, end, work, requested, deadline, waits })
    }
}
