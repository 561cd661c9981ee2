//! Gavel's `.trace`: one line a job, columns divided by tabs, no header.
//!
//! Seven columns: job type, command, argument, needs data, total steps, submit time, scale factor (GPUs). Ten: job type, command,
//! folder, argument, needs data, total steps, scale factor, weight, SLO, arrival time; eleven have a mode after the scale factor.
//! Times are seconds. Work is told in **training steps**; how many a second a job makes is in a file of throughputs of its own, by
//! type of job and GPU. A step is read as a second, or with `--map units.work_time=ms` as a millisecond. The model is the tenant.
//! (D. Narayanan et al., "Heterogeneity-aware cluster scheduling policies for deep learning workloads", OSDI 2020)

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::layout::{Layout, first_line};
use crate::trace::table::Table;
use crate::trace::{Format, Head, Key, field};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "gavel",
    about: "Gavel .trace: job type, command, steps, submit time and GPUs between tabs; a step is read as a second",
    keys: &[],
    map_keys: &[],
    detect,
    read,
};

/// The names of the columns, by how many there are.
const LAYOUTS: [&[&str]; 3] = [
    &[
        "job_type",
        "command",
        "num_steps_arg",
        "needs_data_dir",
        "total_steps",
        "arrival_time",
        "scale_factor",
    ],
    &[
        "job_type",
        "command",
        "working_directory",
        "num_steps_arg",
        "needs_data_dir",
        "total_steps",
        "scale_factor",
        "priority_weight",
        "SLO",
        "arrival_time",
    ],
    &[
        "job_type",
        "command",
        "working_directory",
        "num_steps_arg",
        "needs_data_dir",
        "total_steps",
        "scale_factor",
        "mode",
        "priority_weight",
        "SLO",
        "arrival_time",
    ],
];

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::Tenant, "job_type"),
        (Key::Gpus, "scale_factor"),
        (Key::SubmitTime, "arrival_time"),
        (Key::WorkTime, "total_steps"),
    ],
    says: &[
        "work is told in training steps, not in time: a step is read as a second (`--map units.work_time=ms`: a \
             millisecond)",
    ],
    ..Schema::PLAIN
};

/// The columns of a line, if it is one of a job.
fn layout(line: &[u8]) -> Option<&'static [&'static str]> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b'\t').map(<[u8]>::trim_ascii).collect();
    let names = LAYOUTS.into_iter().find(|names| names.len() == fields.len())?;
    let number = |name: &str| {
        let at = names.iter().position(|known| *known == name);
        at.is_some_and(|at| field::decimal(fields[at]).is_some())
    };
    ["total_steps", "scale_factor", "arrival_time"].into_iter().all(number).then_some(names)
}

fn detect(head: &Head<'_>) -> bool {
    head.lines().next().is_some_and(|line| layout(line).is_some())
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let line = first_line(text);
    let Some(names) = layout(line) else {
        let (number, line) = Head::new(text).first_line();
        intake.wrong(
            number,
            line,
            line,
            "line of a job",
            "7, 10 or 11 columns between tabs, with steps, scale and submit time",
        );
        return;
    };
    let columns = names.iter().map(|name| name.as_bytes().to_vec()).collect();
    schema::read_table(&mut Table::with_columns(text, Layout::Delimited(b'\t'), columns), &SCHEMA, intake);
}
