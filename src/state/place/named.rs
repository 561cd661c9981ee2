//! The nodes that a file names: what a job holds on them.

use super::{Choice, narrow, pod};
use crate::cluster::{Occupancy, Piece};
use crate::state::class::Class;
use crate::workload::{Request, Shape};
use std::collections::BTreeSet;

/// The choice that puts a class on the nodes named: equal pods in rounds, one on each in their order that still has room,
/// of any gang one pod a node, of all that is wholly free there. `None` if they have too little room.
pub(crate) fn on_nodes(
    class: &Class,
    request: &Request,
    nodes: &[u32],
    occupancy: &Occupancy,
) -> Option<Choice> {
    let known = |node: &usize| *node < occupancy.nodes() && occupancy.in_scope(class.scope as usize, *node);
    let nodes: Vec<usize> = nodes.iter().map(|node| *node as usize).filter(known).collect();
    let mut left = occupancy.clone();
    let held = match request.shape {
        Shape::Any { gpus_milli } => gang_on(class, gpus_milli, &nodes, &mut left)?,
        Shape::Pods { count, gpus_milli_each } => pods_on(class, count, gpus_milli_each, &nodes, &mut left)?,
    };
    let racks: BTreeSet<_> = held.iter().map(|(node, _)| occupancy.rack(*node)).collect();
    let mut choice = Choice { kind: occupancy.kind(held.first()?.0), ..Choice::default() };
    choice.racks = if occupancy.is_flat() { 1 } else { narrow(racks.len()) };
    choice.pieces.extend(held.into_iter().map(|(_, piece)| piece));
    Some(choice)
}

/// What is held on which nodes.
type Held = Vec<(usize, Piece)>;

/// What equal pods of so many thousandths hold on the nodes named, node by node.
fn pods_on(class: &Class, count: u32, milli: u32, nodes: &[usize], left: &mut Occupancy) -> Option<Held> {
    let (mut held, mut open): (Held, Vec<usize>) = (Vec::new(), (0..nodes.len()).collect());
    while held.len() < count as usize && !open.is_empty() {
        open.retain(|index| {
            let wanted = held.len() < count as usize;
            let piece = wanted.then(|| pod::piece_of(left, class.host, nodes[*index], milli)).flatten();
            held.extend(piece.map(|piece| (*index, piece)));
            left.claim(piece.as_slice(), class.host);
            piece.is_some()
        });
    }
    held.sort_by_key(|(index, _)| *index);
    let by_node = held.into_iter().map(|(index, piece)| (nodes[index], piece)).collect::<Held>();
    (by_node.len() == count as usize).then_some(by_node)
}

/// What a gang of so many thousandths holds on the nodes named: on each all that is wholly free there, until it has
/// enough.
fn gang_on(class: &Class, mut wanted: u32, nodes: &[usize], left: &mut Occupancy) -> Option<Held> {
    let mut held = Vec::new();
    for node in nodes {
        let whole = left.free_mask(*node).count_ones() * 1000;
        let milli = if wanted < 1000 { wanted } else { wanted.min(whole) };
        if milli > 0 || wanted == 0 {
            let piece = pod::piece_of(left, class.host, *node, milli)?;
            left.claim(&[piece], class.host);
            held.push((*node, piece));
            wanted -= milli;
        }
        if wanted == 0 {
            return Some(held);
        }
    }
    None
}
