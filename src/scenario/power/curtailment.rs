use super::super::cluster::unknown;
use super::super::files::Files;
use super::grid::Span;
use crate::cluster::{Cluster, Curtailment};
use crate::document::{Document, Placed, Read, Table, Value};
use crate::error::Problem;
use crate::units::{Seconds, Time, Watts};

/// What is left of a feed's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Watts(Watts),
    /// Of the feed's own cap.
    Percent(u32),
}

impl Read for Left {
    fn expected() -> String {
        "a power such as `600 kW`, or a part of the feed's cap such as `80 %`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        if let Value::String(text) = value
            && let Some(number) = text.strip_suffix('%')
        {
            return number.trim().parse().ok().filter(|percent| *percent <= 100).map(Self::Percent);
        }
        Watts::read(value).map(Self::Watts)
    }
}

/// Reads `[[power.curtailment]]`: when the grid takes power away from a feed.
pub(super) fn read(
    document: &Document,
    power: &mut Table<'_>,
    mut cluster: Option<&mut Cluster>,
    span: Span,
    files: &mut Files,
) {
    for mut table in power.tables("curtailment") {
        let feed = table.required::<String>("feed");
        let left = table.required::<Left>("to");
        let from = table.required::<Time>("from");
        let until = table.optional::<Time>("until");
        let notice = table.value_or("notice", Seconds::ZERO);
        let every = table.optional::<Seconds>("every");
        let right = every.is_some() || !table.has("every");
        table.finish();
        let from_time = from.as_ref().map(|from| from.value);
        if let Some(until) = &until
            && from_time.is_some_and(|from| until.value <= from)
        {
            let problem = Problem::new("a curtailment ends before it begins");
            document.complain(until.mark, problem.hint("`from` and `until` are instants since the start"));
            continue;
        }
        let (Some(feed), Some(left), Some(from), true) = (feed, left, from_time, right) else { continue };
        let Some(cluster) = cluster.as_deref_mut() else { continue };
        let Some((feed, cap)) = limit(document, cluster, &feed, &left) else { continue };
        let until = until.map_or(Time::NEVER, |until| until.value);
        let first = Curtailment { feed, cap, from, until, notice };
        let Some(every) = every else {
            cluster.curtailments.push(first);
            continue;
        };
        let Some(again) = again(document, first, &every, span) else { continue };
        if span.until.is_none() {
            let name = &cluster.feeds[feed as usize].name;
            files.notes.push(format!(
                "the curtailment of `{name}` comes {} times, the last within a year after the last job comes: nothing \
                 says when the run ends (`run.until`)",
                again.len()
            ));
        }
        cluster.curtailments.extend(again);
    }
}

/// The most times that one curtailment comes.
const TIMES_MAX: usize = 10_000;

/// A curtailment that comes again and again, as long as the run may last.
fn again(
    document: &Document,
    first: Curtailment,
    every: &Placed<Seconds>,
    span: Span,
) -> Option<Vec<Curtailment>> {
    let complain = |message: &str, hint: &str| {
        document.complain(every.mark, Problem::new(message).hint(hint));
        None
    };
    if first.until == Time::NEVER {
        return complain(
            "a curtailment that comes again and never ends",
            "give `until`, when the first one ends",
        );
    }
    let length = first.until.since(first.from);
    if every.value < length {
        return complain("a curtailment comes again before it ends", "`every` is from one begin to the next");
    }
    let (begin, end, every) =
        (u64::from(first.from.0), u64::from(span.horizon().0), u64::from(every.value.0));
    let times = (begin..=end.max(begin)).step_by(usize::try_from(every).unwrap_or(usize::MAX));
    let from: Vec<u32> = times.take(TIMES_MAX + 1).filter_map(|from| u32::try_from(from).ok()).collect();
    if from.len() > TIMES_MAX {
        let message = format!("a curtailment that comes more than {TIMES_MAX} times");
        return complain(&message, "`run.until` says when the run ends");
    }
    Some(
        from.into_iter()
            .map(|from| Curtailment { from: Time(from), until: Time(from) + length, ..first })
            .collect(),
    )
}

/// The feed and what it may deliver.
fn limit(
    document: &Document,
    cluster: &Cluster,
    feed: &Placed<String>,
    left: &Placed<Left>,
) -> Option<(u32, Watts)> {
    let Some((index, known)) = (0u32..).zip(&cluster.feeds).find(|(_, known)| known.name == feed.value)
    else {
        unknown(document, "feed", feed, cluster.feeds.iter().map(|feed| feed.name.as_str()));
        return None;
    };
    let cap = match (left.value, known.cap) {
        (Left::Watts(watts), _) => watts,
        // The product of a cap and 100 may not fit into 64 bits.
        (Left::Percent(percent), Some(cap)) => {
            Watts(cap.0 / 100 * u64::from(percent) + cap.0 % 100 * u64::from(percent) / 100)
        }
        (Left::Percent(_), None) => {
            let problem = Problem::new(format!("feed `{}` has no cap to take a part of", known.name));
            document.complain(left.mark, problem.hint("give the feed a `cap`, or say `to` in watts"));
            return None;
        }
    };
    Some((index, cap))
}
