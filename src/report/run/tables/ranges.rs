use crate::history::{History, Piece, Segment};
use std::ops::RangeInclusive;

/// Adds the indices of the nodes of a segment, ascending.
pub(super) fn nodes(history: &History, segment: &Segment, found: &mut Vec<RangeInclusive<u32>>) {
    for piece in history.pieces_of(segment) {
        match *piece {
            Piece::Nodes { word, mut mask } => {
                while mask != 0 {
                    let first = mask.trailing_zeros();
                    let length = (mask >> first).trailing_ones();
                    found.push(word * 64 + first..=word * 64 + first + length - 1);
                    mask &= u64::MAX.checked_shl(first + length).unwrap_or(0);
                }
            }
            Piece::Gpus { node, .. } | Piece::Share { node, .. } => found.push(node..=node),
        }
    }
    merge(found);
}

/// Adds the indices of their racks.
pub(super) fn racks(history: &History, segment: &Segment, found: &mut Vec<RangeInclusive<u32>>) {
    nodes(history, segment, found);
    let rack = |node: &u32| history.plan.cluster.rack_of(*node);
    for range in found.iter_mut() {
        *range = rack(range.start())..=rack(range.end());
    }
    merge(found);
}

/// Puts ranges in order and joins those that touch.
fn merge(found: &mut Vec<RangeInclusive<u32>>) {
    if !found.is_sorted_by_key(|range| *range.start()) {
        found.sort_unstable_by_key(|range| *range.start());
    }
    found.dedup_by(|next, last| {
        let touch = *next.start() <= last.end().saturating_add(1);
        if touch {
            *last = *last.start()..=*last.end().max(next.end());
        }
        touch
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{Plan, SegmentEnd};
    use crate::units::{Factor, Time};

    #[test]
    fn nodes_and_racks_are_found_as_ranges() {
        let node = |node| Piece::Gpus { node, mask: 1 };
        type Found = &'static [RangeInclusive<u32>];
        let cases: [(&[Piece], Found, Found); 6] = [
            (&[], &[], &[]),
            (&[node(9)], &[9..=9], &[2..=2]),
            (&[node(9), Piece::Nodes { word: 0, mask: 0b11_1000 }], &[3..=5, 9..=9], &[0..=2]),
            (
                &[Piece::Nodes { word: 0, mask: 1 << 63 }, Piece::Nodes { word: 1, mask: 1 }],
                &[63..=64],
                &[15..=16],
            ),
            (&[Piece::Nodes { word: 1, mask: u64::MAX }], &[64..=127], &[16..=31]),
            (&[node(4), node(4), Piece::Share { node: 5, gpu: 0, milli: 9 }], &[4..=5], &[1..=1]),
        ];
        for (pieces, nodes, racks) in cases {
            let cluster = Cluster::racked(32, 4, NodeKind { gpus: 2, ..NodeKind::default() });
            let segment = Segment {
                job: 0,
                from: Time(0),
                to: Time(1),
                first_piece: 0,
                pieces: u32::try_from(pieces.len()).unwrap(),
                rate: Factor::ONE,
                cap: Factor::ONE,
                restart: 0,
                end: SegmentEnd::Completed,
            };
            let plan = Plan { cluster, ..Plan::default() };
            let history = History { plan, pieces: pieces.to_vec(), ..History::default() };
            let (mut of_nodes, mut of_racks) = (Vec::new(), Vec::new());
            super::nodes(&history, &segment, &mut of_nodes);
            super::racks(&history, &segment, &mut of_racks);
            assert_eq!((of_nodes, of_racks), (nodes.to_vec(), racks.to_vec()), "{pieces:?}");
        }
    }
}
