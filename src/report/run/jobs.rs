use super::Run;
use super::columns::{COLUMNS, Row};
use super::ranges::Ranges;
use std::io::{self, Write};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 16;

/// Writes `jobs.csv`: one line a job, in input order.
pub(super) fn write(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let mut last = vec![u32::MAX; history.jobs.len()];
    for (index, segment) in (0u32..).zip(&history.segments) {
        last[segment.job as usize] = index;
    }
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    let mut buffer = format!("{}\n", names.join(",")).into_bytes();
    let mut ranges = Ranges::default();
    let jobs = history.plan.workload.jobs.iter().zip(&history.jobs).zip(&run.measured.jobs);
    for (index, ((job, record), times)) in jobs.enumerate() {
        let segment = history.segments.get(last[index] as usize);
        let mut row =
            Row { history, index, job, record, times, segment, ranges: &mut ranges, out: &mut buffer };
        for column in COLUMNS {
            (column.write)(&mut row);
            row.out.push(b',');
        }
        if let Some(comma) = buffer.last_mut() {
            *comma = b'\n';
        }
        if buffer.len() > BUFFER {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)
}
