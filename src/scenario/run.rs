use crate::cluster::grid::Zone;
use crate::document::{Document, Item, Mark, Table};
use crate::error::Problem;
use crate::gpu::Wish;
use crate::history::Settings;
use crate::trace::Moment;
use crate::units::{Seconds, Time};

/// What becomes of a job that no empty cluster could hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Oversized {
    /// Nothing is run.
    #[default]
    Error,
    /// The job is rejected and the rest runs.
    Reject,
}

/// What `[run]` says that is no part of the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) oversized: Oversized,
    /// The device, if somebody named one: histories do not depend on it.
    pub(super) device: Option<Wish>,
    /// Unix seconds of second 0.
    pub(super) start: Option<i64>,
    /// Where it is said which jobs count.
    pub(super) window: Option<Mark>,
}

/// Reads `version` and `[run]` into `settings`.
pub(super) fn read(document: &Document, root: &mut Table<'_>, settings: &mut Settings) -> Wishes {
    if let Some(version) = root.optional::<u32>("version")
        && version.value != 1
    {
        let problem = Problem::new(format!("version {} of scenarios is not known", version.value));
        document.complain(version.mark, problem.hint("this program reads `version = 1`"));
    }
    let Some(mut run) = root.table("run") else { return Wishes::default() };
    settings.seed = run.value_or("seed", 0);
    let cycle = run.optional::<Seconds>("cycle");
    if let Some(cycle) = cycle.as_ref().filter(|cycle| cycle.value == Seconds::ZERO) {
        let problem = Problem::new("`cycle`: expected at least a second between passes, found `0`");
        document.complain(cycle.mark, problem.hint("without `cycle` there is a pass at every event"));
    }
    settings.cycle = cycle.map(|cycle| cycle.value.0);
    settings.until = run.optional::<Time>("until").map(|until| until.value.0);
    let warm_up = run.optional::<Time>("warm_up");
    settings.warm_up = warm_up.as_ref().map_or(0, |warm_up| warm_up.value.0);
    let drain = run.optional::<Time>("drain");
    if let Some(drain) = drain.as_ref().filter(|drain| drain.value.0 <= settings.warm_up) {
        let problem = Problem::new("no job is left between the end of `warm_up` and the begin of `drain`");
        document.complain(drain.mark, problem.hint("both are instants since the start"));
    }
    settings.drain = drain.as_ref().map(|drain| drain.value.0);
    let window = warm_up.map(|warm_up| warm_up.mark).or_else(|| drain.map(|drain| drain.mark));
    let choices = [("error", Oversized::Error), ("reject", Oversized::Reject)];
    let oversized = run.choice("oversized", &choices).map(|oversized| oversized.value);
    let device = run.optional::<String>("device").map(|name| Wish::from(name.value.as_str()));
    let start = run.item("start").and_then(|item| start(&item));
    run.finish();
    Wishes { oversized: oversized.unwrap_or_default(), device, start, window }
}

/// The date of second 0, in UTC unless it names an offset.
fn start(item: &Item<'_>) -> Option<i64> {
    let date = item.scalar().and_then(|text| match text.parse() {
        Ok(Moment::Unix(unix)) if Zone::EPOCHS.contains(&unix) => Some(unix),
        _ => None,
    });
    if date.is_none() {
        item.wrong("a date such as `2023-01-01` or `2023-01-01 18:00:00+01:00`, from 1900 to 2299");
    }
    date
}
