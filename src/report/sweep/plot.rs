//! The points of a sweep as a picture: its first two measures against each other.

use super::Swept;
use crate::report::canvas::Canvas;
use crate::report::compare::amount;
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

/// Most columns of a picture.
const WIDTH_MAX: u16 = 100;
/// Lines of a picture.
const HEIGHT: u16 = 16;

/// The second measure (upwards) against the first, those on the front told from the others; nothing where fewer than two
/// points differ in both.
pub(super) fn plot(swept: &Swept<'_>, means: &[Vec<f64>], front: &[bool], width: u16) -> String {
    let [right, up, ..] = swept.measures[..] else { return String::new() };
    let of = |is_front: bool| -> Vec<(f64, f64)> {
        let wanted = means.iter().zip(front).filter(|(_, front)| **front == is_front);
        let points = wanted.map(|(means, _)| (means[0], means[1]));
        points.filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
    };
    let (best, others) = (of(true), of(false));
    let all = || best.iter().chain(&others);
    let bounds = |along: fn(&(f64, f64)) -> f64| {
        let (least, most) = (all().map(along).reduce(f64::min)?, all().map(along).reduce(f64::max)?);
        (least < most).then(|| {
            let margin = (most - least) / 20.0;
            [least - margin, most + margin]
        })
    };
    let (Some(x), Some(y)) = (bounds(|point| point.0), bounds(|point| point.1)) else { return String::new() };
    let axis = |bounds: [f64; 2], unit| {
        Axis::default().bounds(bounds).labels(bounds.map(|value| amount(value, unit)))
    };
    let dots =
        |marker: Marker, data| Dataset::default().marker(marker).graph_type(GraphType::Scatter).data(data);
    let chart = Chart::new(vec![dots(Marker::Dot, &others), dots(Marker::Block, &best)])
        .x_axis(axis(x, right.unit))
        .y_axis(axis(y, up.unit))
        .style(Style::reset());
    let mut canvas = Canvas::new(width.min(WIDTH_MAX), false);
    canvas.draw(HEIGHT, |area, buffer| chart.render(area, buffer));
    let about = format!("{} upwards against {}: █ on the front, • the others", up.word(), right.word());
    format!("\n{}{about}\n", canvas.finish())
}
