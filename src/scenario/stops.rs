//! How often jobs are stopped by failures, on average.

use crate::cluster::{Cluster, Footprint};
use crate::workload::{Request, Shape};

/// How often something fails that stops a job of that request, times a day, on those nodes that it may use where that is
/// most often: their kind and the rate. None where no node is for it.
///
/// ```
/// use gigawatt::scenario::{Overrides, Scenario, stops_a_day};
/// let text = "cluster = \"4x8xh100\"\n[[workload.job]]\nid = \"a\"\ngpus = 9\nwork = \"1h\"\n\
///             [[failures.component]]\nname = \"node\"\nper = \"node\"\nrate = 0.01\nrepair = { time = \"1h\" }\n";
/// let plan = Scenario::from_text("night.toml", text, &Overrides::default()).unwrap().plan;
/// let (_, stops) = stops_a_day(&plan.cluster, plan.workload.request_of(0)).unwrap();
/// assert!((stops - 0.02).abs() < 1e-6, "nine GPUs are on two nodes");
/// ```
#[must_use]
pub fn stops_a_day(cluster: &Cluster, request: &Request) -> Option<(u32, f64)> {
    let allowed = (0..).zip(&cluster.kinds).filter(|(_, kind)| {
        usize::try_from(kind.platform).is_ok_and(|platform| request.platforms.contains(platform))
    });
    let rates = allowed.filter_map(|(index, kind)| {
        let nodes = nodes(request.shape, kind.gpus)?;
        let gpus = f64::from(request.gpus().milli()) / 1000.0;
        Some((index, cluster.stops_a_day(Footprint { kind: index, nodes, gpus })))
    });
    rates.max_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// How few nodes of so many GPUs hold a job; none if none can.
fn nodes(shape: Shape, gpus: u32) -> Option<u32> {
    let milli = gpus * 1000;
    match shape {
        Shape::Any { gpus_milli: 0 } | Shape::Pods { gpus_milli_each: 0, .. } => Some(1),
        Shape::Any { gpus_milli } => (milli > 0).then(|| gpus_milli.div_ceil(milli)),
        Shape::Pods { count, gpus_milli_each } => match milli / gpus_milli_each {
            0 => None,
            pods => Some(count.div_ceil(pods)),
        },
    }
}
