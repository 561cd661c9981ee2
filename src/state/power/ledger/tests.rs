//! Headrooms against what is admitted.

use super::*;
use crate::cluster::{Feed, NodeKind, Pue};
use crate::hardware::{Level, Loss, Stage};
use crate::random::{Purpose, Stream};

/// Numbers below a limit, one after the other.
struct Numbers(Stream, u32);

impl Numbers {
    fn below(&mut self, limit: u32) -> u32 {
        self.1 += 1;
        self.0.below(0, self.1, limit)
    }
    fn perhaps(&mut self, watts: u32) -> Option<Watts> {
        (self.below(3) > 0).then(|| Watts(u64::from(watts / 2 + self.below(watts))))
    }
    fn loss(&mut self) -> Loss {
        let den = 90 + self.below(10);
        Loss { add: Watts(self.below(40).into()), num: den + self.below(9), den }
    }
}

fn ledger(numbers: &mut Numbers) -> Ledger {
    let mut kind = NodeKind { gpus: 4, ..NodeKind::default() };
    (kind.power.idle, kind.power.busy, kind.power.rack_overhead) = (Watts(500), Watts(4500), Watts(300));
    kind.power.cap = numbers.perhaps(2000);
    kind.power.chassis_nodes = numbers.below(3);
    for level in Level::ALL {
        if numbers.below(2) == 0 {
            kind.power.stages.push(Stage { level, loss: numbers.loss() });
        }
    }
    let mut cluster = Cluster::racked(4, 3, kind);
    cluster.feeds = vec![
        Feed {
            cap: numbers.perhaps(16_000),
            losses: vec![numbers.loss(), numbers.loss()],
            ..Feed::default()
        },
        Feed {
            parent: Some(0),
            cap: numbers.perhaps(7_000),
            losses: vec![numbers.loss()],
            ..Feed::default()
        },
        Feed { parent: Some(0), ..Feed::default() },
    ];
    for (rack, feed) in cluster.racks.iter_mut().zip([0, 1, 1, 2]) {
        (rack.feed, rack.cap) = (feed, numbers.perhaps(4_000));
    }
    let site = &mut cluster.sites[0];
    site.cap = numbers.perhaps(18_000);
    site.pue = Some(Pue::constant(1000 + numbers.below(300)));
    let mut ledger = Ledger::new(&cluster);
    let busy = (0..cluster.nodes()).filter(|_| numbers.below(2) == 0);
    let added = busy.map(|node| (node, 1000)).collect();
    ledger.change(added);
    ledger
}

#[test]
fn a_headroom_is_admitted_and_a_watt_more_is_not() {
    let mut numbers = Numbers(Stream::new(4, Purpose::Sampling), 0);
    let (mut some, mut none, mut unlimited) = (0, 0, 0);
    for case in 0..300 {
        let ledger = ledger(&mut numbers);
        for (node, headroom) in (0..).zip(ledger.headrooms()) {
            if headroom == u32::MAX {
                unlimited += 1;
                continue;
            }
            let most = u64::from(headroom);
            assert!(most == 0 || ledger.admits_watts(node, most), "case {case}, node {node}: {most} W");
            assert!(!ledger.admits_watts(node, most + 1), "case {case}, node {node}: more than {most} W");
            (some, none) = (some + u32::from(most > 0), none + u32::from(most == 0));
        }
    }
    assert!(
        some.min(none).min(unlimited) > 20,
        "{some} with headroom, {none} without, {unlimited} unlimited"
    );
}
