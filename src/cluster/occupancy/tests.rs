use super::*;
use crate::cluster::NodeKind;
use crate::random::{Purpose, Stream};

/// Racks of one to `most` nodes of two kinds, and three scopes: all nodes, the even ones, one kind.
fn occupancy(most: usize) -> Occupancy {
    let mut cluster = Cluster::single_feed();
    for rack in 0..40 {
        let gpus = [4, 8][rack % 2];
        let kind = cluster.add_kind(NodeKind { gpus, ..NodeKind::default() });
        cluster.add_rack(0, kind, u32::try_from(rack % most + 1).expect("few"));
    }
    let words = (cluster.nodes() as usize).div_ceil(64);
    let scope = |holds: &dyn Fn(u32) -> bool| {
        let mut scope = vec![0_u64; words];
        (0..cluster.nodes())
            .filter(|node| holds(*node))
            .for_each(|node| scope[node as usize >> 6] |= 1 << (node & 63));
        scope
    };
    let scopes =
        [scope(&|_| true), scope(&|node| node % 2 == 0), scope(&|node| cluster.kind_of(node).gpus == 8)];
    Occupancy::new(&cluster, &scopes)
}

/// What the indexes say must be what the masks of the nodes say.
fn check(occupancy: &Occupancy) {
    for scope in 0..occupancy.scopes() {
        let nodes: Vec<usize> = occupancy.nodes_of(scope).collect();
        let free = |node: &usize| occupancy.free_mask(*node).count_ones();
        assert_eq!(occupancy.free_gpus(scope), nodes.iter().map(free).sum::<u32>(), "free GPUs");
        let milli = |node: &usize| u64::from(occupancy.free_milli(*node));
        assert_eq!(occupancy.free_milli_in(scope), nodes.iter().map(milli).sum::<u64>(), "thousandths");
        let split = |node: usize| occupancy.gpu_left(node).filter(|left| *left == 1000).count();
        assert!(nodes.iter().all(|node| split(*node) == free(node) as usize), "each GPU for itself");
        for count in 1..=8 {
            let first = nodes.iter().copied().find(|node| free(node) == count);
            assert_eq!(occupancy.first_with_free(scope, count), first, "the lowest node with {count} free");
            assert_eq!(
                occupancy.free_counts(scope, 1) >> count & 1 == 1,
                first.is_some(),
                "whether one has {count}"
            );
        }
        let idle = |node: &usize| occupancy.free_mask(*node) == occupancy.full_mask(*node);
        for kind in 0..occupancy.kinds() {
            let of_kind = nodes.iter().copied().filter(|node| occupancy.kind(*node) == kind);
            let idle: Vec<usize> = of_kind.filter(idle).collect();
            assert_eq!(occupancy.idle(scope, kind as usize) as usize, idle.len(), "idle nodes of a kind");
            for rack in (0..occupancy.racks()).filter(|_| !occupancy.is_flat()) {
                let here = idle.iter().filter(|node| occupancy.rack(**node) as usize == rack).count();
                if here > 0 {
                    let mut racks = occupancy.racks_with_idle(scope, kind as usize, here);
                    assert!(racks.any(|other| other == rack), "rack {rack} has {here} idle nodes");
                }
            }
        }
    }
    for rack in (0..occupancy.racks()).filter(|_| !occupancy.is_flat()) {
        let up = occupancy.rack_nodes(rack).filter(|node| occupancy.counts(*node as usize));
        let free: u32 = up.map(|node| occupancy.free_milli(node as usize)).sum();
        assert_eq!(occupancy.rack_free_milli(rack), free, "free thousandths of rack {rack}");
    }
}

#[test]
fn indexes_tell_what_the_nodes_tell_whatever_comes_and_goes() {
    [1, 4].into_iter().for_each(|most| come_and_go(occupancy(most)));
}

fn come_and_go(mut occupancy: Occupancy) {
    let (empty, stream) = (occupancy.ledger(), Stream::new(3, Purpose::Requests));
    let mut held: Vec<Piece> = Vec::new();
    for step in 0..4_000 {
        let [choice, place, size, _] = stream.block(step, 0);
        let node = place as usize % occupancy.nodes();
        let free = occupancy.free_mask(node);
        let piece = match choice % 8 {
            0..3 if free == occupancy.full_mask(node) => {
                Some(Piece::Nodes { word: u32::try_from(node >> 6).expect("few"), mask: 1 << (node & 63) })
            }
            3 | 4 if free != 0 => {
                Some(Piece::Gpus { node: u32::try_from(node).expect("few"), mask: free & u64::from(size) })
            }
            5 => {
                let milli = u16::try_from(size % 999 + 1).expect("below 1000");
                let gpu =
                    occupancy.share_gpu(node, u32::from(milli)).map(|gpu| u16::try_from(gpu).expect("few"));
                gpu.map(|gpu| Piece::Share { node: u32::try_from(node).expect("few"), gpu, milli })
            }
            6 => {
                occupancy.set_up(u32::try_from(node).expect("few"), size % 4 != 0);
                None
            }
            _ => None,
        };
        if let Some(piece) = piece {
            occupancy.claim(&[piece], Host::default());
            held.push(piece);
        } else if !held.is_empty() {
            let piece = held.swap_remove(size as usize % held.len());
            occupancy.release(&[piece], Host::default());
        }
        if step % 50 == 0 {
            check(&occupancy);
            let some: Vec<u64> = (0..occupancy.nodes().div_ceil(64)).map(|_| u64::from(size) << 16).collect();
            let withheld = occupancy.withhold(&some);
            check(&occupancy);
            occupancy.give_back(&withheld);
            check(&occupancy);
        }
    }
    held.iter().for_each(|piece| occupancy.release(&[*piece], Host::default()));
    (0..occupancy.nodes()).for_each(|node| occupancy.set_up(u32::try_from(node).expect("few"), true));
    check(&occupancy);
    assert_eq!(occupancy.ledger(), empty, "everything is free again");
}

#[test]
#[should_panic(expected = "is not free")]
fn what_is_held_cannot_be_claimed() {
    let mut occupancy = occupancy(4);
    let piece = [Piece::Gpus { node: 1, mask: 1 }];
    occupancy.claim(&piece, Host::default());
    occupancy.claim(&piece, Host::default());
}

#[test]
#[should_panic(expected = "is not held")]
fn what_is_free_cannot_be_released() {
    occupancy(4).release(&[Piece::Gpus { node: 1, mask: 1 }], Host::default());
}
