//! The tables of a run: what each is about, its columns, and how it is written, as CSV and as Parquet.

mod attempts;
mod failures;
mod feeds;
mod jobs;
mod metered;
mod power;
mod ranges;
mod series;
#[cfg(test)]
mod tests;
mod waiting;

use super::Run;
use crate::table::{Cells, Column, Encoding, Head, Kind, Writer};
use crate::units::Time;
use std::io::{self, Write};

/// A table of a run.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// What its files are called, but for the ending.
    pub name: &'static str,
    /// What a line of it is.
    pub about: &'static str,
    /// Its columns.
    pub heads: fn() -> Vec<Head<'static>>,
    /// Whether the run has anything to say in it.
    pub applies: fn(&Run<'_>) -> bool,
    /// Writes it.
    pub write: fn(&Run<'_>, Encoding, &mut dyn Write) -> io::Result<()>,
}

/// Every table, those first that are looked at most.
pub const TABLES: &[Table] = &[JOBS, ATTEMPTS, SERIES, WAITING, POWER, FEEDS, FAILURES];

pub(super) const JOBS: Table = Table {
    name: "jobs",
    about: "a line a job: times, domains, outcome and why it waited",
    heads: || heads(jobs::Row::COLUMNS),
    applies: |_| true,
    write: jobs::write,
};

pub(super) const ATTEMPTS: Table = Table {
    name: "attempts",
    about: "a line for each stretch in which a job held the same nodes at the same rate, and why it ended",
    heads: || heads(attempts::Row::COLUMNS),
    applies: |_| true,
    write: attempts::write,
};

pub(super) const SERIES: Table = Table {
    name: "series",
    about: "over time: utilization, fragmentation, jobs and GPUs that wait, GPUs that are there",
    heads: || heads(series::Row::COLUMNS),
    applies: |_| true,
    write: series::write,
};

pub(super) const WAITING: Table = Table {
    name: "waiting",
    about: "over time: how many jobs and GPUs waited for which reason",
    heads: || heads(waiting::Row::COLUMNS),
    applies: |_| true,
    write: waiting::write,
};

pub(super) const POWER: Table = Table {
    name: "power",
    about: "what sites and feeds draw over time: mean and peak watts, joules, cap, $/MWh, kg CO2/MWh",
    heads: || heads(power::Row::COLUMNS),
    applies: |run| run.measured.energy.is_some(),
    write: power::write,
};

pub(super) const FEEDS: Table = Table {
    name: "feeds",
    about: "what sites and feeds drew in all, and what that energy costs and emits",
    heads: || heads(feeds::Row::COLUMNS),
    applies: |run| run.measured.energy.is_some(),
    write: feeds::write,
};

pub(super) const FAILURES: Table = Table {
    name: "failures",
    about: "a line a failure: what failed where, when that was seen and repaired, and the jobs that it stopped",
    heads: || heads(failures::Row::COLUMNS),
    applies: |run| run.history.plan.cluster.failures.is_some(),
    write: failures::write,
};

fn heads<R>(columns: &[Column<R>]) -> Vec<Head<'static>> {
    columns.iter().map(|column| column.head).collect()
}

/// A column that was there from the beginning.
const fn column<R>(
    name: &'static str,
    unit: &'static str,
    kind: Kind,
    about: &'static str,
    write: fn(&R, &mut Cells),
) -> Column<R> {
    Column { head: Head { name, unit, kind, about, since: "0.1.0" }, write }
}

/// Writes rows that are made of an index, so many.
fn write_rows<R: Send + Sync>(
    count: usize,
    row: impl Fn(usize) -> R + Sync,
    mut writer: Writer<'_, R>,
) -> io::Result<()> {
    use rayon::prelude::*;
    let mut first = 0;
    while first < count {
        let last = count.min(first + Writer::<R>::BATCH);
        let rows: Vec<R> = (first..last).into_par_iter().map(&row).collect();
        writer.rows(&rows)?;
        first = last;
    }
    writer.finish()
}

/// An instant of the run; nothing if it never comes.
fn time(time: Time, cells: &mut Cells) {
    if time != Time::NEVER {
        cells.integer(time.0.into());
    }
}

/// The same in UTC; nothing where no date of the run is known.
fn utc(epoch: Option<i64>, time: Time, cells: &mut Cells) {
    if let Some(epoch) = epoch.filter(|_| time != Time::NEVER) {
        cells.instant(epoch.saturating_add(time.0.into()));
    }
}
