use super::super::power::SeriesFile;
use crate::cluster::{Pue, Site};
use crate::document::{Item, Table};
use crate::hardware::{Loss, loss};
use crate::units::{Time, Watts};

/// Reads what a site says of its power: `cap`, `loss`, `pue` and `outdoor`, which may be in a file.
pub(super) fn read(table: &mut Table<'_>) -> (Site, Option<SeriesFile>) {
    let cap = table.optional::<Watts>("cap").map(|cap| cap.value);
    let losses = losses(table);
    let pue = table.item("pue").and_then(pue);
    let (outdoor, file) = table.item("outdoor").map_or((None, None), outdoor);
    (Site { cap, losses, pue, outdoor: outdoor.unwrap_or_default(), ..Site::default() }, file)
}

/// Reads `loss`: conversions in the order the current meets them on its way up.
pub(super) fn losses(table: &mut Table<'_>) -> Vec<Loss> {
    let mut losses = Vec::new();
    for mut table in table.tables("loss") {
        losses.extend(loss(&mut table));
        table.finish();
    }
    losses
}

/// A number such as 1.15, or a table of loads, temperatures and a row of numbers for each temperature.
fn pue(item: Item<'_>) -> Option<Pue> {
    if !item.is_table() {
        return milli(&item).map(Pue::constant);
    }
    let marked = item.clone();
    let mut table = item.table()?;
    let loads: Vec<Watts> = table.list("loads").into_iter().map(|load| load.value).collect();
    let loads = if table.has("loads") { loads } else { vec![Watts(0)] };
    let temperatures: Vec<i32> = table
        .item("temperatures")
        .map_or_else(|| Some(vec![0]), |item| item.items()?.iter().map(tenths).collect())?;
    let rows = table.required_item("rows")?.items()?;
    let row = |row: Item<'_>| row.items()?.iter().map(milli).collect::<Option<Vec<u32>>>();
    let rows: Vec<Vec<u32>> = rows.into_iter().map(row).collect::<Option<_>>()?;
    table.finish();
    let even = rows.len() == temperatures.len() && rows.iter().all(|row| row.len() == loads.len());
    let pue = Pue { loads, temperatures, milli: rows.concat() };
    if !even || !pue.is_sound() {
        marked.wrong(
            "rising `loads`, rising `temperatures`, and in `rows` one number a load for each temperature, load \
             times number never falling",
        );
        return None;
    }
    Some(pue)
}

/// A PUE in thousandths.
fn milli(item: &Item<'_>) -> Option<u32> {
    let given = item.read::<f64>()?.value;
    if !(1.0..=f64::from(Pue::MILLI_MAX) / 1000.0).contains(&given) {
        item.wrong("a number from 1 to 10");
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    Some((given * 1000.0).round() as u32)
}

/// Degrees Celsius in tenths.
fn tenths(item: &Item<'_>) -> Option<i32> {
    let given = item.read::<f64>()?.value;
    if !(-100.0..=100.0).contains(&given) {
        item.wrong("a temperature from -100 to 100 degrees Celsius");
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
    Some((given * 10.0).round() as i32)
}

/// One outdoor temperature, several by their times, or the file they are in.
fn outdoor(item: Item<'_>) -> (Option<Vec<(Time, i32)>>, Option<SeriesFile>) {
    if item.is_list() {
        return (temperatures(item), None);
    }
    if !item.is_table() {
        return (tenths(&item).map(|always| vec![(Time(0), always)]), None);
    }
    let file = item.table().and_then(|mut table| {
        let file = SeriesFile::of(&mut table);
        table.finish();
        file
    });
    (None, file)
}

/// Pairs of an instant and degrees Celsius from then on.
fn temperatures(item: Item<'_>) -> Option<Vec<(Time, i32)>> {
    let marked = item.clone();
    let pair = |item: Item<'_>| {
        let wrong = item.clone();
        let items = item.items()?;
        let [time, temperature] = &items[..] else {
            wrong.wrong("a time and degrees Celsius, such as `[\"6h\", 18.5]`");
            return None;
        };
        Some((time.read::<Time>()?.value, tenths(temperature)?))
    };
    let pairs: Vec<(Time, i32)> = item.items()?.into_iter().map(pair).collect::<Option<_>>()?;
    if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        marked.wrong("times that rise");
        return None;
    }
    Some(pairs)
}
