use super::Run;
use super::columns::{COLUMNS, Row};
use super::ranges::Ranges;
use rayon::prelude::*;
use std::io::{self, Write};

/// Jobs that one thread turns into text at a time.
const CHUNK: usize = 4096;
/// Chunks that are turned into text before they are written: they bound the memory.
const BATCH: usize = 64;

/// Writes `jobs.csv`: one line a job, in input order.
pub(super) fn write(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let mut last = vec![u32::MAX; history.jobs.len()];
    for (index, segment) in (0u32..).zip(&history.segments) {
        last[segment.job as usize] = index;
    }
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    writeln!(out, "{}", names.join(","))?;
    let (workload, times) = (&history.plan.workload, &run.measured.jobs);
    let lines = |first: usize| {
        let mut text = Vec::new();
        let mut ranges = Ranges::default();
        for index in first..last.len().min(first + CHUNK) {
            let segment = history.segments.get(last[index] as usize);
            let (job, record, times) = (&workload.jobs[index], &history.jobs[index], &times[index]);
            let energy = run.measured.energy.as_ref().map(|joules| joules[index]);
            let (ranges, out) = (&mut ranges, &mut text);
            let costs = run.measured.costs.as_ref();
            let mut row = Row { history, index, job, record, times, energy, costs, segment, ranges, out };
            for column in COLUMNS {
                (column.write)(&mut row);
                row.out.push(b',');
            }
            if let Some(comma) = text.last_mut() {
                *comma = b'\n';
            }
        }
        text
    };
    let chunks: Vec<usize> = (0..last.len()).step_by(CHUNK).collect();
    for batch in chunks.chunks(BATCH) {
        let texts: Vec<Vec<u8>> = batch.par_iter().map(|first| lines(*first)).collect();
        for text in texts {
            out.write_all(&text)?;
        }
    }
    Ok(())
}
