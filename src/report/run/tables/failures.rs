use super::{Run, column, time, utc, write_rows};
use crate::history::{FailureRecord, History};
use crate::metrics::interruptions;
use crate::report::places::{component, component_name, place};
use crate::table::Kind::{Indices, Instant, Integer, Text, Texts};
use crate::table::{Column, Encoding, Writer};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// One failure on its way to the file.
#[derive(Debug)]
pub(super) struct Row<'a> {
    history: &'a History,
    failure: &'a FailureRecord,
    /// Names of the jobs that it stopped.
    stopped: Vec<String>,
}

/// Writes `failures`: a line for each, in the order of time.
pub(super) fn write(run: &Run<'_>, encoding: Encoding, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let mut stopped: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for stop in interruptions(history) {
        if let Some(failure) = stop.failure {
            stopped.entry(failure).or_default().push(history.segments[stop.segment as usize].job);
        }
    }
    let names = &history.plan.workload.names;
    let row = |index: usize| {
        let jobs = u32::try_from(index).ok().and_then(|index| stopped.get(&index));
        Row {
            history,
            failure: &history.failures[index],
            stopped: jobs.into_iter().flatten().map(|job| names.get(*job as usize).into_owned()).collect(),
        }
    };
    write_rows(history.failures.len(), row, Writer::new(encoding, Row::COLUMNS, out)?)
}

impl Row<'_> {
    const fn epoch(&self) -> Option<i64> {
        self.history.plan.workload.epoch
    }
}

impl<'a> Row<'a> {
    /// Every column of `failures`, in its order.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        column("failure_time", "s", Integer, "when a part failed", |row, cells| {
            time(row.failure.time, cells);
        }),
        column("component", "", Text, "what failed, as the scenario calls it", |row, cells| {
            cells.text(component_name(row.history, row.failure));
        }),
        column(
            "per",
            "",
            Text,
            "what there is one part of the component in: gpu, node, rack, feed, site or job-gpu",
            |row, cells| cells.text(component(row.history, row.failure).map_or("", |own| own.per.name())),
        ),
        column("place", "", Text, "which node, rack, feed, site or job it was of", |row, cells| {
            cells.text(&place(row.history, row.failure));
        }),
        column(
            "failed_nodes",
            "",
            Indices,
            "indices of the nodes that went down: in CSV as ranges, n3-5;n9; empty where a job failed alone",
            |row, cells| {
                cells.indices("n", |found| {
                    let nodes = row.failure.nodes(row.history);
                    found.extend(
                        nodes.into_iter().filter(|own| !own.is_empty()).map(|own| own.start..=own.end - 1),
                    );
                });
            },
        ),
        column(
            "detected_time",
            "s",
            Integer,
            "when that is, or would have been, seen; until then what runs there does no work",
            |row, cells| time(row.failure.detected, cells),
        ),
        column(
            "back_time",
            "s",
            Integer,
            "when its nodes were repaired; empty if they were not within the run",
            |row, cells| time(row.failure.back, cells),
        ),
        column("repair", "", Text, "how it is repaired, as the scenario calls it", |row, cells| {
            let repairs = component(row.history, row.failure).map(|own| &own.repairs);
            let repair = repairs.and_then(|own| own.get(row.failure.repair as usize));
            cells.text(repair.map_or("", |own| own.name.as_str()));
        }),
        column("helps", "", Integer, "1 if the repair helps, 0 if a lemon is as it was", |row, cells| {
            cells.integer(row.failure.helps.into());
        }),
        column("stopped_jobs", "", Texts, "the jobs that it stopped", |row, cells| {
            cells.texts(row.stopped.iter().map(String::as_str));
        }),
        column(
            "failure_utc",
            "",
            Instant,
            "failure_time as a date, where run.start or the trace tells one",
            |row, cells| utc(row.epoch(), row.failure.time, cells),
        ),
    ];
}
