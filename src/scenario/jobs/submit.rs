use crate::document::{Document, Item, Mark, Placed, Table};
use crate::error::Problem;
use crate::history::Settings;
use crate::units::{Seconds, Time};

/// When a graph is submitted.
#[derive(Debug)]
pub(super) struct Submits {
    pub(super) times: Vec<Time>,
    /// Whether the times are a list, so that each graph gets a number.
    pub(super) numbered: bool,
    pub(super) mark: Mark,
}

/// The most times a graph can be submitted.
const TIMES_MAX: u32 = 1_000_000;

/// Reads `submit`: a time, a list of times, or `{ first = "8h", every = "1d", count = 5 }`.
pub(super) fn submits(document: &Document, table: &mut Table<'_>, settings: &Settings) -> Option<Submits> {
    let Some(item) = table.item("submit") else {
        return Some(Submits { times: Vec::from([Time::ZERO]), numbered: false, mark: table.mark() });
    };
    let mark = item.mark();
    if item.is_list() {
        let items = item.items()?;
        let count = items.len();
        let times: Vec<Time> = items.iter().filter_map(Item::read::<Time>).map(|time| time.value).collect();
        return (times.len() == count).then_some(Submits { times, numbered: true, mark });
    }
    if item.is_table() {
        return every(document, item.table()?, settings, mark);
    }
    Some(Submits { times: Vec::from([item.read::<Time>()?.value]), numbered: false, mark })
}

fn every(document: &Document, mut table: Table<'_>, settings: &Settings, mark: Mark) -> Option<Submits> {
    let first = table.value_or("first", Time::ZERO);
    let gap: Option<Placed<Seconds>> = table.required("every");
    let count = table.optional::<u32>("count");
    let is_wrong = table.has("count") && count.is_none();
    table.finish();
    let gap = gap?;
    if gap.value == Seconds::ZERO {
        document.complain(gap.mark, Problem::new("`every`: expected at least a second, found `0`"));
        return None;
    }
    if is_wrong {
        return None;
    }
    let Some(until) = settings.until.map(Time).or_else(|| count.as_ref().map(|_| Time::NEVER)) else {
        let problem = Problem::new("missing `count`");
        document.complain(mark, problem.hint("how often; or `until` in `[run]`, which ends it as well"));
        return None;
    };
    let count = count.map_or(u32::MAX, |count| count.value);
    let times: Vec<Time> = std::iter::successors(Some(first), |time| Some(*time + gap.value))
        .take_while(|time| *time < until)
        .take(count.min(TIMES_MAX + 1) as usize)
        .collect();
    if times.len() > TIMES_MAX as usize {
        document.complain(mark, Problem::new(format!("more than {TIMES_MAX} submissions")));
        return None;
    }
    Some(Submits { times, numbered: true, mark })
}
