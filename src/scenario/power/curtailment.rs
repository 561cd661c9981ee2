use super::super::cluster::unknown;
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
pub(super) fn read(document: &Document, power: &mut Table<'_>, mut cluster: Option<&mut Cluster>) {
    for mut table in power.tables("curtailment") {
        let feed = table.required::<String>("feed");
        let left = table.required::<Left>("to");
        let from = table.required::<Time>("from");
        let until = table.optional::<Time>("until");
        let notice = table.value_or("notice", Seconds::ZERO);
        table.finish();
        let from_time = from.as_ref().map(|from| from.value);
        if let Some(until) = &until
            && from_time.is_some_and(|from| until.value <= from)
        {
            let problem = Problem::new("a curtailment ends before it begins");
            document.complain(until.mark, problem.hint("`from` and `until` are instants since the start"));
            continue;
        }
        let (Some(feed), Some(left), Some(from)) = (feed, left, from_time) else { continue };
        let Some(cluster) = cluster.as_deref_mut() else { continue };
        let Some((feed, cap)) = limit(document, cluster, &feed, &left) else { continue };
        let until = until.map_or(Time::NEVER, |until| until.value);
        cluster.curtailments.push(Curtailment { feed, cap, from, until, notice });
    }
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
