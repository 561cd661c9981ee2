//! How often something of a cluster fails, on average.

use super::Cluster;
use crate::failure::{Component, Per};

const SECONDS_A_DAY: f64 = 86_400.0;

/// Where a job would run: on so many nodes of a kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Footprint {
    /// Index into [`Cluster::kinds`].
    pub kind: u32,
    /// Nodes of which it holds something.
    pub nodes: u32,
    /// GPUs that it holds.
    pub gpus: f64,
}

impl Cluster {
    /// How many parts of a component there are; of what jobs bring, as many as GPUs, if jobs hold all of them.
    ///
    /// ```
    /// use gigawatt::cluster::{Cluster, NodeKind};
    /// use gigawatt::failure::{Component, Per};
    /// let cluster = Cluster::racked(4, 18, NodeKind { gpus: 4, ..NodeKind::default() });
    /// let parts = [Per::Gpu, Per::Node, Per::Rack].map(|per| cluster.parts_of(&Component::new("part", per)));
    /// assert_eq!(parts, [288, 72, 4]);
    /// ```
    #[must_use]
    pub fn parts_of(&self, component: &Component) -> u64 {
        let racks = self.racks.iter().filter(|rack| component.is_in(rack.kind));
        match component.per {
            Per::Gpu => {
                racks.map(|rack| u64::from(rack.nodes) * u64::from(self.kinds[rack.kind as usize].gpus)).sum()
            }
            Per::Node => racks.map(|rack| u64::from(rack.nodes)).sum(),
            Per::Rack => racks.map(|_| 1).sum(),
            Per::Feed => self.feeds.iter().map(|_| 1).sum(),
            Per::Site => self.sites.iter().map(|_| 1).sum(),
            Per::JobGpu => self.gpus(),
        }
    }
    /// How often a part of a component fails in the whole cluster, times a day, if parts that fail are replaced at once and
    /// all age all the time: parts × 86,400 ÷ mean life, lemons as there are to begin with.
    ///
    /// ```
    /// use gigawatt::cluster::{Cluster, NodeKind};
    /// use gigawatt::failure::{Component, Life, Per};
    /// let life = Life::of_mean(1000.0 * 86_400.0, 1.0).unwrap();
    /// let tray = Component { life, ..Component::new("tray", Per::Node) };
    /// let cluster = Cluster::racked(4, 18, NodeKind { gpus: 4, ..NodeKind::default() });
    /// assert!((cluster.failures_a_day(&tray) - 0.072).abs() < 1e-9);
    /// ```
    #[must_use]
    pub fn failures_a_day(&self, component: &Component) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "parts are fewer than 2^53")]
        let parts = self.parts_of(component) as f64;
        parts * self.of_a_part(component)
    }
    /// How often something fails that stops a job, times a day: any part of its nodes, since they go down as a whole, of
    /// their racks and feeds, of its site, and what it brings itself. It lies in as few racks as hold so many nodes.
    #[must_use]
    pub fn stops_a_day(&self, job: Footprint) -> f64 {
        let Some(failures) = &self.failures else { return 0.0 };
        let own = self.racks.iter().filter(|rack| rack.kind == job.kind);
        let Some(largest) = own.max_by_key(|rack| rack.nodes) else { return 0.0 };
        let above = |feed: &u32| self.feeds[*feed as usize].parent;
        let feeds =
            u32::try_from(std::iter::successors(Some(largest.feed), above).count()).unwrap_or(u32::MAX);
        let gpus = self.kinds[job.kind as usize].gpus;
        let of = |component: &Component| {
            let parts = match component.per {
                Per::JobGpu => job.gpus,
                Per::Feed => f64::from(feeds),
                Per::Site => 1.0,
                _ if !component.is_in(job.kind) => 0.0,
                Per::Gpu => f64::from(job.nodes) * f64::from(gpus),
                Per::Node => f64::from(job.nodes),
                Per::Rack => f64::from(job.nodes.div_ceil(largest.nodes)),
            };
            parts * self.of_a_part(component)
        };
        failures.components.iter().map(of).sum()
    }
    /// How often one part fails, times a day.
    fn of_a_part(&self, component: &Component) -> f64 {
        let lemons = self.failures.as_ref().and_then(|failures| failures.lemons);
        let faster = match (component.per, lemons) {
            (Per::Gpu | Per::Node, Some(lemons)) => {
                let (share, factor) = (f64::from(lemons.share_milli), f64::from(lemons.factor_milli));
                1.0 + share / 1000.0 * (factor / 1000.0 - 1.0)
            }
            _ => 1.0,
        };
        SECONDS_A_DAY * faster / component.life.mean()
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exactly representable results")]
mod tests {
    use super::*;
    use crate::cluster::NodeKind;
    use crate::failure::{Failures, Lemons, Life};

    #[test]
    fn a_job_is_stopped_by_whatever_is_below_it() {
        let lasting = |name: &str, per| Component {
            life: Life::of_mean(86_400.0 * 1000.0, 1.0).unwrap(),
            ..Component::new(name, per)
        };
        let mut cluster = Cluster::racked(4, 18, NodeKind { gpus: 4, ..NodeKind::default() });
        let stops =
            |cluster: &Cluster| cluster.stops_a_day(Footprint { kind: 0, nodes: 20, gpus: 78.5 }) * 1000.0;
        assert_eq!(stops(&cluster), 0.0, "nothing fails");
        for (per, expected) in [
            (Per::Gpu, 80.0),
            (Per::Node, 20.0),
            (Per::Rack, 2.0),
            (Per::Feed, 1.0),
            (Per::Site, 1.0),
            (Per::JobGpu, 78.5),
        ] {
            let components = vec![lasting("part", per)];
            cluster.failures = Some(Box::new(Failures { components, ..Failures::default() }));
            assert!((stops(&cluster) - expected).abs() < 1e-6, "{per:?}: {}", stops(&cluster));
        }
        let lemons = Some(Lemons { share_milli: 100, factor_milli: 6000 });
        let components =
            vec![lasting("node", Per::Node), Component { kinds: vec![1], ..lasting("other", Per::Node) }];
        cluster.failures = Some(Box::new(Failures { components, lemons, ..Failures::default() }));
        assert!(
            (stops(&cluster) - 30.0).abs() < 1e-6,
            "a tenth of the nodes six times as often, and none of another kind"
        );
    }
}
