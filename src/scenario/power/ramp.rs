use super::super::cluster::unknown;
use crate::cluster::{Cluster, Ramp};
use crate::document::{Document, Read, Table, Value};
use crate::error::Problem;
use crate::units::Watts;

/// Watts a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rise(Watts);

impl Read for Rise {
    fn expected() -> String {
        "a power a minute such as `100 kW/min`".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        let power = text.strip_suffix("/min")?.trim_end().to_owned();
        Watts::read(&Value::String(power)).map(Self)
    }
}

/// Reads `[[power.ramp]]`: how fast the draw of a feed may rise.
pub(super) fn read(document: &Document, power: &mut Table<'_>, mut cluster: Option<&mut Cluster>) {
    for mut table in power.tables("ramp") {
        let feed = table.required::<String>("feed");
        let limit = table.required::<Rise>("limit");
        table.finish();
        let Some(feed) = feed else { continue };
        let Some(cluster) = cluster.as_deref_mut() else { continue };
        let Some(index) = (0u32..).zip(&cluster.feeds).find(|(_, known)| known.name == feed.value) else {
            unknown(document, "feed", &feed, cluster.feeds.iter().map(|feed| feed.name.as_str()));
            continue;
        };
        if cluster.ramps.iter().any(|ramp| ramp.feed == index.0) {
            document.complain(feed.mark, Problem::new(format!("feed `{}` has a ramp already", feed.value)));
            continue;
        }
        cluster.ramps.extend(limit.map(|limit| Ramp { feed: index.0, rise: limit.value.0 }));
    }
}
