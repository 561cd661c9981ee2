//! gigawatt's own CSV: one job a line under a header with the words of [`NATIVE_COLUMNS`], in any order.
//!
//! `submit_time`, `gpus` and `work_time` must be there; what others say is optional, in the header and in each
//! line. Quotes are those of RFC 4180; tabs, `;`, `|` or blanks may stand for commas; between blanks `-` stands for
//! nothing. `jobs.csv` of a run is read back too: its `run_time` then stands for `work_time`, and jobs that never ran
//! are dropped.
//!
//! ```
//! use gigawatt::trace::{Options, read_bytes};
//! let text = b"job_id,tenant,gpus,submit_time,work_time,after\n\
//!     train,meta,64,0,7200,\n\
//!     eval,meta,0.5,0,300,train\n";
//! let workload = read_bytes("jobs.csv", text, None, &Options::default())?.workload;
//! assert_eq!(workload.dependencies.successors(0)[0].job, 1);
//! # Ok::<(), gigawatt::error::Error>(())
//! ```
//!
//! [`NATIVE_COLUMNS`]: crate::trace::NATIVE_COLUMNS

use super::cells::Cells;
use super::native::{COLUMNS, COUNT, Reader, column};
use crate::error::Problem;
use crate::trace::intake::Intake;
use crate::trace::layout::has_words;
use crate::trace::table::Table;
use crate::trace::{Format, Head, MapKey};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "csv",
    about: "gigawatt's own CSV: submit_time,gpus,work_time and what else a job has; `jobs.csv` of a run",
    keys: &[],
    map_keys: &[MapKey::Columns, MapKey::Platform],
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    ["work_time", "run_time"].iter().any(|work| {
        let columns = ["submit_time", "gpus", work];
        head.is_table(&columns) || head.map.columns.is_empty() && has_words(head.first_line().1, &columns)
    })
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &["submit_time", "gpus"], intake) else { return };
    let work = if table.column("run_time").is_some() { "run_time" } else { "work_time" };
    if table.require(["submit_time", "gpus", work], intake).is_none() {
        return;
    }
    if table.column("work_time").is_none() {
        intake.notes.say("no column `work_time`: `run_time` stands for it");
    }
    // The table of a run says where jobs ran, not where they are.
    let running = table.column("elapsed_time").is_some();
    if let Some(twice) = COLUMNS.iter().map(|column| column.name).find(|name| table.count(name) > 1) {
        intake.problem(|file| {
            let message = format!("column `{twice}` stands twice in the header");
            Problem::new(message).at(table.place_in(file))
        });
        return;
    }
    let is_read = |name: &[u8]| column(name).is_some() && (running || name != b"nodes");
    let place =
        |index: usize| table.column(COLUMNS[index].name).filter(|_| is_read(COLUMNS[index].name.as_bytes()));
    let places: Vec<(usize, usize)> = (0..COUNT).filter_map(|index| Some((index, place(index)?))).collect();
    let others: Vec<_> = table.columns().filter(|name| !is_read(name) && !name.is_empty()).collect();
    if !others.is_empty() {
        let names: Vec<_> =
            others.iter().map(|name| format!("`{}`", String::from_utf8_lossy(name))).collect();
        intake.notes.say(format!("columns not read: {}", names.join(", ")));
    }
    let mut reader = Reader::new(intake);
    while table.next(intake) {
        let mut cells = Cells::new(table.checked, table.place());
        let mut blank = true;
        for (index, place) in &places {
            let value = table.get(*place);
            blank &= value.is_empty();
            cells.set(*index, value);
        }
        // Empty lines of a spreadsheet end in commas.
        if blank {
            continue;
        }
        reader.row(&cells, intake);
    }
    reader.finish(intake);
}
