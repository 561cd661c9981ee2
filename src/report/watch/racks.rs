use super::panels::frame;
use super::scene::{Film, Node, Scene};
use crate::cluster::{Cluster, NodeState};
use crate::report::number::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::Widget;
use std::ops::Range;

/// Colours that tell tenants apart, over and over.
const COLOURS: [Color; 6] =
    [Color::Cyan, Color::Green, Color::Yellow, Color::Magenta, Color::Blue, Color::Red];

/// The colour of a tenant.
pub(super) fn colour(tenant: u32) -> Color {
    COLOURS[tenant as usize % COLOURS.len()]
}

/// Columns that the name of a rack takes, with the gap behind it.
const NAME: u16 = 14;

/// Lines that the racks take, with their title, where there are so many columns.
pub(super) fn height(film: &Film<'_>, width: u16) -> u16 {
    let cluster = &film.history.plan.cluster;
    let lines = if longest(cluster) <= u32::from(width.saturating_sub(NAME)) {
        cluster.racks.len()
    } else {
        cluster.nodes().div_ceil(width.max(1).into()) as usize
    };
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(1)
}

/// Nodes of the largest rack.
fn longest(cluster: &Cluster) -> u32 {
    cluster.racks.iter().map(|rack| rack.nodes).max().unwrap_or_default()
}

/// Every rack a line and every node a mark, where there is room for that; else so many nodes a mark.
pub(super) fn draw(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let cluster = &film.history.plan.cluster;
    let inner = frame("").inner(area);
    let has_room = cluster.racks.len() <= usize::from(inner.height)
        && longest(cluster) <= u32::from(inner.width.saturating_sub(NAME));
    if has_room {
        frame(" Racks: a mark a node ").render(area, buffer);
        by_rack(cluster, scene, inner, buffer);
    } else {
        let marks = u32::from(inner.width) * u32::from(inner.height);
        let each = cluster.nodes().div_ceil(marks.max(1)).max(1);
        let title = format!(" Nodes: a mark for {} ", counted(each.into(), "node"));
        frame(&title).render(area, buffer);
        in_order(cluster, scene, each, inner, buffer);
    }
}

fn by_rack(cluster: &Cluster, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    for (y, (index, rack)) in (area.top()..).zip((0..).zip(&cluster.racks)) {
        let index: u32 = index;
        let platform = &cluster.kinds[rack.kind as usize].platform_name;
        let name = format!("{platform} {index}");
        buffer.set_stringn(area.left(), y, &name, usize::from(NAME - 1), Style::new());
        for (x, node) in (area.left() + NAME..).zip(rack.first_node..rack.first_node + rack.nodes) {
            mark(cluster, scene, node..node + 1, (x, y), buffer);
        }
    }
}

fn in_order(cluster: &Cluster, scene: &Scene, each: u32, area: Rect, buffer: &mut Buffer) {
    let positions = area.positions();
    let firsts = (0..cluster.nodes()).step_by(each as usize);
    for (position, first) in positions.zip(firsts) {
        let nodes = first..(first + each).min(cluster.nodes());
        mark(cluster, scene, nodes, (position.x, position.y), buffer);
    }
}

/// From empty to full.
const LEVELS: [&str; 9] = ["·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// How much of some nodes is held, in the colour of the tenant that holds most of them.
fn mark(cluster: &Cluster, scene: &Scene, nodes: Range<u32>, at: (u16, u16), buffer: &mut Buffer) {
    let of = |node: u32| &scene.nodes[node as usize];
    let there = |node: &u32| of(*node).state.is_there();
    let gpus: u64 = nodes.clone().filter(there).map(|node| u64::from(cluster.kind_of(node).gpus)).sum();
    let held: u64 = nodes.clone().map(|node| of(node).held_milli).sum();
    let most = nodes.clone().map(of).max_by_key(|node: &&Node| node.held_milli);
    let Some(cell) = buffer.cell_mut(at) else { return };
    if !nodes.clone().any(|node| there(&node)) {
        let absent = nodes.into_iter().all(|node| of(node).state == NodeState::Absent);
        cell.set_symbol(if absent { " " } else { "×" }).set_fg(Color::Red);
        return;
    }
    // A node without GPUs is in use or is not.
    let level = match gpus {
        0 => u64::from(held > 0) * 8,
        gpus => (held * 8).div_ceil(gpus * 1000).min(8),
    };
    let tenant = most.and_then(|node| node.tenant).filter(|_| held > 0);
    let mut style = tenant.map_or_else(Style::new, |tenant| Style::new().fg(colour(tenant)));
    if nodes.into_iter().any(|node| matches!(of(node).state, NodeState::Draining | NodeState::Spare))
        || held == 0
    {
        style = style.add_modifier(Modifier::DIM);
    }
    cell.set_symbol(LEVELS[usize::try_from(level).unwrap_or(8)]).set_style(style);
}
