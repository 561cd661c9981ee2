//! Any table of jobs under a header, whatever its columns are called.
//!
//! The user's map says which column is what; columns that it does not name are known by names that are in the wild
//! (`num_gpu`, `arrival_time`, `duration` ...). What is taken for what is said. Where several columns may tell the same,
//! nothing is read, and the message has a command to copy. Needed are GPUs (`gpus`, or `pods` and `pod_gpus`), `submit_time`,
//! and `work_time`, or `start_time` and `end_time`. Commas, tabs, `;`, `|` or widths divide columns; times are dates or numbers
//! of any unit.
//!
//! ```
//! use gigawatt::trace::{Key, Mapping, Options, TimeUnit, read_bytes};
//! let text = b"name;cards;arrival;took\na;8;1000;60000\nb;1;61000;500\n";
//! let map = Mapping {
//!     fields: vec![(Key::Gpus, "cards".to_owned()), (Key::WorkTime, "took".to_owned())],
//!     unit: Some(TimeUnit::Millisecond),
//!     ..Mapping::default()
//! };
//! let options = Options { map: &map, ..Options::default() };
//! let workload = read_bytes("own.csv", text, None, &options)?.workload;
//! assert_eq!((workload.jobs[1].submit_time.0, workload.jobs[0].work_time.0), (61, 60));
//! # Ok::<(), gigawatt::error::Error>(())
//! ```

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::key::{Key, TimeUnit};
use crate::trace::synonyms::Header;
use crate::trace::table::Table;
use crate::trace::{Format, Head, MapKey};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "table",
    about: "any table with a header: columns as `--map gpus=num_gpu,work_time=duration` says, or known by their names",
    keys: Key::ALL,
    map_keys: &[MapKey::Columns, MapKey::States, MapKey::Platform],
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    let header = Header::of(head.bytes, head.map);
    header.is_some_and(|(_, header)| !head.map.fields.is_empty() || header.is_enough())
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let options = intake.options;
    let head = Head { map: options.map, by_row: intake.by_row, ..Head::new(text) };
    let Some((layout, header)) = Header::of(head.bytes, options.map) else {
        let (number, line) = head.first_line();
        intake.wrong(
            number,
            line,
            line,
            "header of a table",
            "names of columns, divided by `,`, tab, `;` or `|`",
        );
        return;
    };
    if !header.is_whole() {
        intake.problem(|file| header.problem(file, &head));
        return;
    }
    say(&header, intake);
    let columns: Vec<(Key, &str)> = header.told.iter().map(|told| (told.key, told.column.as_str())).collect();
    let unit = |told: &crate::trace::synonyms::Told| options.map.unit_of(told.key).or(told.unit);
    let units: Vec<(Key, TimeUnit)> =
        header.told.iter().filter_map(|told| Some((told.key, unit(told)?))).collect();
    let Some(mut table) = Table::open(text, layout, intake) else { return };
    schema::read_table(&mut table, &Schema { columns: &columns, units: &units, ..Schema::PLAIN }, intake);
}

/// Says what was taken for what.
fn say(header: &Header, intake: &mut Intake<'_>) {
    let known: Vec<_> = header.told.iter().filter(|told| !told.mapped).collect();
    if !known.is_empty() {
        let pairs: Vec<_> = known.iter().map(|told| format!("{}={}", told.key.name(), told.column)).collect();
        intake
            .notes
            .say(format!("columns known by their names (`--map` says otherwise): {}", pairs.join(", ")));
    }
    for (key, column) in &header.passed {
        intake.notes.say(format!("`{column}` may tell {} too: `--map {}={column}`", key.name(), key.name()));
    }
    let map = intake.options.map;
    let told = || header.told.iter().filter(|told| told.key.is_time());
    for told in told() {
        if let (Some(unit), None) = (told.unit, map.unit_of(told.key)) {
            intake.notes.say(format!("`{}` is in {}, as its name says", told.column, unit.plural()));
        }
    }
    if told().any(|told| told.unit.is_none() && map.unit_of(told.key).is_none()) {
        intake
            .notes
            .say("numbers of time are read as seconds, unless `--map unit=ms` (us, m, h ...) is given");
    }
    let is_read = |column: &&String| header.told.iter().any(|told| told.column == **column);
    let others: Vec<_> = header
        .columns
        .iter()
        .filter(|column| !is_read(column) && !matches!(column.as_str(), "" | "-"))
        .collect();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|name| format!("`{name}`")).collect();
        intake.notes.say(format!("columns not read: {}", names.join(", ")));
    }
}
