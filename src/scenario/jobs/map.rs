//! `workload.map`: what a user says about a trace that the trace does not say itself.

use super::trace::SWF_PARTITIONS;
use crate::document::{Document, Item, Placed, Table};
use crate::error::Problem;
use crate::trace::{
    GpusFrom, Key, MapKey, Mapping, Meaning, Options, PlatformMap, SYNONYMS, StateWord, TimeUnit,
};

const GPUS_FROM: [(&str, GpusFrom); 2] =
    [("requested", GpusFrom::Requested), ("allocated", GpusFrom::Allocated)];

/// Reads `map` into options and mapping.
pub(super) fn read(
    document: &Document,
    table: &mut Table<'_>,
    options: &mut Options<'_>,
    mapping: &mut Mapping,
) {
    let Some(mut map) = table.table("map") else { return };
    mapping.given = MapKey::ALL.into_iter().filter(|key| map.has(key.name())).collect();
    if let Some(processors) = at_least_one(document, &mut map, "procs_per_gpu") {
        options.procs_per_gpu = processors;
    }
    options.think_time = map.value_or("think_time", false);
    if let Some(states) = map.table("states") {
        let word = |(word, item): (Placed<String>, Item<'_>)| {
            Some(StateWord { word: word.value, meaning: item.choice(&Meaning::ALL)?.value })
        };
        mapping.states = states.entries().into_iter().filter_map(word).collect();
    }
    if let Some(item) = map.item("platform") {
        mapping.platforms = platforms(document, item);
    }
    if let Some(from) = map.choice("gpus_from", &GPUS_FROM) {
        mapping.gpus_from = from.value;
    }
    mapping.shards_per_gpu = at_least_one(document, &mut map, "shards_per_gpu");
    if let Some(item) = map.item("columns") {
        mapping.columns = columns(item);
    }
    for key in Key::ALL {
        if let Some(column) = column(&mut map, *key) {
            mapping.fields.push((*key, column));
        }
    }
    // Of SWF the user chooses one of two numbers, not a column.
    if let Some(at) = mapping.fields.iter().position(|(key, _)| *key == Key::Partition)
        && let Some((_, field)) = SWF_PARTITIONS.iter().find(|(name, _)| *name == mapping.fields[at].1)
    {
        options.swf_partition = *field;
    }
    mapping.unit = map.choice("unit", &TimeUnit::ALL).map(|unit| unit.value);
    if let Some(units) = map.table("units") {
        let unit = |(key, item): (Placed<String>, Item<'_>)| {
            Some((time_key(document, &key)?, item.choice(&TimeUnit::ALL)?.value))
        };
        mapping.units = units.entries().into_iter().filter_map(unit).collect();
    }
    other_names(document, &mut map);
    map.finish();
}

/// Says which key is meant by what others call it.
fn other_names(document: &Document, map: &mut Table<'_>) {
    for (key, names) in SYNONYMS {
        for name in names.iter().filter(|name| Key::from_name(name).is_none()) {
            if let Some(mark) = map.key_mark(name) {
                map.item(name);
                let problem = Problem::new(format!("unknown key `{name}`"));
                document.complain(
                    mark,
                    problem.hint(format!("`{}` is the key, `{name}` may be a column", key.name())),
                );
            }
        }
    }
}

/// The column that tells a key.
fn column(map: &mut Table<'_>, key: Key) -> Option<String> {
    let item = map.item(key.name())?;
    let name = item.scalar();
    if name.is_none() {
        item.wrong("the name of a column");
    }
    name
}

/// The key of a job that tells a time.
fn time_key(document: &Document, name: &Placed<String>) -> Option<Key> {
    let key = Key::from_name(&name.value).filter(|key| key.is_time());
    if key.is_none() {
        let problem = Problem::new(format!("`{}` is no key that tells a time", name.value));
        let known = Key::ALL.iter().filter(|key| key.is_time()).map(|key| key.name());
        document.complain(name.mark, problem.hint_nearest(&name.value, known));
    }
    key
}

fn at_least_one(document: &Document, map: &mut Table<'_>, key: &'static str) -> Option<u32> {
    let number = map.optional::<u32>(key)?;
    if number.value == 0 {
        document.complain(number.mark, Problem::new(format!("`{key}`: expected at least 1, found `0`")));
    }
    Some(number.value.max(1))
}

/// `platform = "ignore"`, or `platform = { a100 = "h100" }`.
fn platforms(document: &Document, item: Item<'_>) -> PlatformMap {
    if item.is_text() {
        match item.read::<String>() {
            Some(word) if word.value == "ignore" => return PlatformMap::Ignore,
            Some(word) => {
                let problem = Problem::new(format!(
                    "`platform`: expected \"ignore\" or a table, found `{}`",
                    word.value
                ));
                document.complain(
                    word.mark,
                    problem.hint("`{ a100 = \"h100\" }` runs what asks for a100 on h100"),
                );
            }
            None => {}
        }
        return PlatformMap::AsNamed;
    }
    let Some(table) = item.table() else { return PlatformMap::AsNamed };
    let pair = |(from, to): (Placed<String>, Item<'_>)| {
        Some((from.value.to_ascii_lowercase(), to.read::<String>()?.value.to_ascii_lowercase()))
    };
    PlatformMap::Renamed(table.entries().into_iter().filter_map(pair).collect())
}

/// `columns = "JobID,State"`, or a list of names.
fn columns(item: Item<'_>) -> Vec<String> {
    if item.is_list() {
        let items = item.items().unwrap_or_default();
        return items.into_iter().filter_map(|item| Some(item.read::<String>()?.value)).collect();
    }
    let names = item.read::<String>().map(|names| names.value).unwrap_or_default();
    names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}
