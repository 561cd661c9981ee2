//! Random things that fail, on any cluster.

use gigawatt::cluster::Cluster;
use gigawatt::failure::{
    Component, Exposure, Failures, Lemons, Life, Per, Repair, Retirement, Span, SparePool,
};
use gigawatt::units::{Seconds, Time};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

/// What fails.
#[derive(Debug, Clone)]
pub(crate) struct FailureSpec {
    components: Vec<ComponentSpec>,
    computing: bool,
    crews: Option<u32>,
    lemons: Option<(u32, u32)>,
    retirement: Option<(u32, u32)>,
    /// How many of each rack, and of how many racks together, are kept in reserve, and how long it takes to use one.
    spares: Option<(u32, bool, u32)>,
}

#[derive(Debug, Clone)]
struct ComponentSpec {
    per: Per,
    kind: Option<u32>,
    mean: f64,
    shape: f64,
    detection: Span,
    /// Share, time, helps, crew.
    repairs: Vec<(u32, Span, u32, bool)>,
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        2 => Just(Span::Fixed(Seconds(0))),
        3 => (1u32..30).prop_map(|length| Span::Fixed(Seconds(length))),
        1 => (1u32..40).prop_map(|mean| Span::Exponential(Seconds(mean))),
        1 => (1u32..20, 1u32..40).prop_map(|(least, more)| Span::Uniform(Seconds(least), Seconds(least + more))),
        1 => (5u32..40, 100u32..1500).prop_map(|(mean, sigma)| Span::Lognormal(Seconds(mean), sigma)),
    ]
}

prop_compose! {
    fn component()(
        per in prop_oneof![
            3 => Just(Per::Node), 2 => Just(Per::Gpu), 1 => Just(Per::Rack), 1 => Just(Per::Feed), 1 => Just(Per::Site),
            2 => Just(Per::JobGpu),
        ],
        kind in weighted(0.2, 0u32..2),
        mean in prop_oneof![50f64..400.0, 400f64..4000.0],
        shape in prop_oneof![2 => Just(1.0), 1 => Just(0.7), 1 => Just(2.0)],
        detection in span(),
        repairs in vec((1u32..5, span(), prop_oneof![Just(1000u32), Just(500), Just(0)], any::<bool>()), 1..4),
    ) -> ComponentSpec {
        ComponentSpec { per, kind, mean, shape, detection, repairs }
    }
}

prop_compose! {
    /// Anything that can fail.
    pub(crate) fn failures()(
        components in vec(component(), 1..4),
        computing in any::<bool>(),
        crews in weighted(0.4, 1u32..3),
        lemons in weighted(0.3, (100u32..900, 1000u32..9000)),
        retirement in weighted(0.2, (1u32..4, 10u32..300)),
        spares in weighted(0.4, (1u32..3, any::<bool>(), prop_oneof![Just(0u32), 1u32..40])),
    ) -> FailureSpec {
        FailureSpec { components, computing, crews, lemons, retirement, spares }
    }
}

impl FailureSpec {
    /// What fails of a cluster, until an instant.
    pub(crate) fn build(&self, cluster: &Cluster, until: u32) -> Failures {
        let kinds = u32::try_from(cluster.kinds.len()).expect("few kinds");
        let component = |(number, own): (usize, &ComponentSpec)| {
            let weights: u32 = own.repairs.iter().map(|(weight, ..)| weight).sum();
            let mut left = 1000;
            let mut repairs: Vec<Repair> = own
                .repairs
                .iter()
                .map(|(weight, time, helps_milli, crew)| {
                    let share_milli = weight * 1000 / weights;
                    left -= share_milli;
                    Repair {
                        share_milli,
                        helps_milli: *helps_milli,
                        crew: *crew,
                        ..Repair::certain("any", *time)
                    }
                })
                .collect();
            repairs[0].share_milli += left;
            let is_of_kind = matches!(own.per, Per::Gpu | Per::Node | Per::Rack);
            Component {
                kinds: own.kind.filter(|_| is_of_kind).map(|kind| kind % kinds).into_iter().collect(),
                life: Life::of_mean(own.mean, own.shape).expect("in range"),
                detection: own.detection,
                repairs,
                ..Component::new(&format!("part {number}"), own.per)
            }
        };
        let rack = |rack: u32| std::iter::once(cluster.nodes_of_rack(rack)).collect::<Vec<_>>();
        let racks = u32::try_from(cluster.racks.len()).expect("few racks");
        let spares = self.spares.map_or_else(Vec::new, |(count, together, activation)| {
            let pool = |nodes| SparePool { nodes, count, activation: Seconds(activation) };
            let all = std::iter::once(0..cluster.nodes()).collect();
            if together { vec![pool(all)] } else { (0..racks).map(|own| pool(rack(own))).collect() }
        });
        Failures {
            components: self.components.iter().enumerate().map(component).collect(),
            exposure: if self.computing { Exposure::Computing } else { Exposure::Always },
            crews: self.crews,
            lemons: self.lemons.map(|(share_milli, factor_milli)| Lemons { share_milli, factor_milli }),
            retirement: self
                .retirement
                .map(|(failures, within)| Retirement { failures, within: Seconds(within) }),
            spares,
            until: Time(until),
        }
    }
}
