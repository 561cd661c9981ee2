use crate::history::{History, Piece, Segment};
use std::ops::RangeInclusive;

/// Nodes and racks of a segment as ascending ranges; keeps its memory from job to job.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    found: Vec<RangeInclusive<u32>>,
}

impl Ranges {
    /// Indices of the nodes.
    pub(super) fn nodes(&mut self, history: &History, segment: &Segment) -> &[RangeInclusive<u32>] {
        self.found.clear();
        for piece in history.pieces_of(segment) {
            match *piece {
                Piece::Nodes { word, mut mask } => {
                    while mask != 0 {
                        let first = mask.trailing_zeros();
                        let length = (mask >> first).trailing_ones();
                        self.found.push(word * 64 + first..=word * 64 + first + length - 1);
                        mask &= u64::MAX.checked_shl(first + length).unwrap_or(0);
                    }
                }
                Piece::Gpus { node, .. } | Piece::Share { node, .. } => self.found.push(node..=node),
            }
        }
        self.merge()
    }
    /// Indices of their racks.
    pub(super) fn racks(&mut self, history: &History, segment: &Segment) -> &[RangeInclusive<u32>] {
        self.nodes(history, segment);
        let rack = |node: &u32| history.plan.cluster.rack_of(*node);
        for range in &mut self.found {
            *range = rack(range.start())..=rack(range.end());
        }
        self.merge()
    }
    /// Puts them in order and joins those that touch.
    fn merge(&mut self) -> &[RangeInclusive<u32>] {
        if !self.found.is_sorted_by_key(|range| *range.start()) {
            self.found.sort_unstable_by_key(|range| *range.start());
        }
        self.found.dedup_by(|next, last| {
            let touch = *next.start() <= last.end().saturating_add(1);
            if touch {
                *last = *last.start()..=*last.end().max(next.end());
            }
            touch
        });
        &self.found
    }
}

/// As `3-5;9`.
pub(super) fn write_ranges(ranges: &[RangeInclusive<u32>], out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    for (index, range) in ranges.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend_from_slice(digits.format(*range.start()).as_bytes());
        if range.start() != range.end() {
            out.push(b'-');
            out.extend_from_slice(digits.format(*range.end()).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{Plan, SegmentEnd};
    use crate::units::{Factor, Time};

    #[test]
    fn nodes_and_racks_are_written_as_ranges() {
        let node = |node| Piece::Gpus { node, mask: 1 };
        let cases: [(&[Piece], &str, &str); 6] = [
            (&[], "", ""),
            (&[node(9)], "9", "2"),
            (&[node(9), Piece::Nodes { word: 0, mask: 0b11_1000 }], "3-5;9", "0-2"),
            (&[Piece::Nodes { word: 0, mask: 1 << 63 }, Piece::Nodes { word: 1, mask: 1 }], "63-64", "15-16"),
            (&[Piece::Nodes { word: 1, mask: u64::MAX }], "64-127", "16-31"),
            (&[node(4), node(4), Piece::Share { node: 5, gpu: 0, milli: 9 }], "4-5", "1"),
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
            let mut text = Vec::new();
            write_ranges(Ranges::default().nodes(&history, &segment), &mut text);
            text.push(b' ');
            write_ranges(Ranges::default().racks(&history, &segment), &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), format!("{nodes} {racks}"), "{pieces:?}");
        }
    }
}
