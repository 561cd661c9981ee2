//! A workload as Parquet: the columns of the CSV, each of its type, lists as lists.

use super::{Cell, Line, Told};
use crate::table::parquet::File;
use crate::table::{Cells, Head, Kind};
use crate::trace::formats::native::{COLUMNS, Column};
use rayon::prelude::*;
use std::io::{self, Write};

/// Jobs of a row group.
const GROUP: usize = 1 << 20;

const fn head(column: Column) -> Head<'static> {
    let (kind, unit) = match column {
        Column::Gpus | Column::PodGpus | Column::Cpu => (Kind::Real, ""),
        Column::Platforms | Column::After => (Kind::Texts, ""),
        Column::Nodes => (Kind::Indices, ""),
        Column::JobId => (Kind::Name, ""),
        Column::Tenant
        | Column::Kind
        | Column::Overrun
        | Column::Partition
        | Column::Topology
        | Column::Preemptible
        | Column::Graph
        | Column::Outcome => (Kind::Text, ""),
        Column::MemoryMib => (Kind::Integer, "MiB"),
        Column::Pods | Column::Priority | Column::Segment => (Kind::Integer, ""),
        _ => (Kind::Integer, "s"),
    };
    let column = &COLUMNS[column as usize];
    Head { name: column.name, unit, kind, about: column.about, since: "0.1.0" }
}

/// Writes what `told` says of every line.
pub(super) fn write(told: &[(Column, Told)], lines: &[Line<'_>], out: &mut dyn Write) -> io::Result<()> {
    let heads: Vec<Head<'_>> = told.iter().map(|(column, _)| head(*column)).collect();
    let mut file = File::new(out, &heads)?;
    for lines in lines.chunks(GROUP) {
        let columns = told.par_iter().zip(&heads).map(|((_, cell), head)| {
            let mut cells = Cells::new(head.kind);
            for line in lines {
                add(cell(line), &mut cells);
                cells.end();
            }
            cells
        });
        file.group(columns.collect())?;
    }
    file.finish()
}

fn add(cell: Cell<'_>, cells: &mut Cells) {
    match cell {
        Cell::Nothing => {}
        Cell::Number(number) => cells.whole(number.into()),
        Cell::Milli(milli) => cells.decimal(milli.into(), 3),
        Cell::Text(text) => cells.text(&text),
        Cell::List(items) => cells.texts(items.iter().map(AsRef::as_ref)),
        Cell::Indices(indices) => cells.indices("", |found| found.extend(indices.iter().map(|at| *at..=*at))),
    }
}
