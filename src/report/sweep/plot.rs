//! The front of a sweep as a plot for a terminal.

use super::Swept;
use super::amount;
use crate::report::canvas::Canvas;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

/// Columns that a plot takes at most, and rows.
const SIZE: (u16, u16) = (72, 14);

/// The points by their first two measures, those of the front as `•`, the others as dots; nothing where there are not two
/// points of which both are known.
pub(super) fn plot(swept: &Swept<'_>, means: &[Vec<f64>], front: &[bool], width: u16) -> String {
    let [across, up, ..] = swept.measures[..] else { return String::new() };
    let known =
        || means.iter().zip(front).filter(|(means, _)| means[..2].iter().all(|value| value.is_finite()));
    let points = |on_front: bool| -> Vec<(f64, f64)> {
        known().filter(|(_, own)| **own == on_front).map(|(means, _)| (means[0], means[1])).collect()
    };
    let (best, others) = (points(true), points(false));
    if best.len() + others.len() < 2 {
        return String::new();
    }
    let bounds = |place: usize| {
        let values = || known().map(|(means, _)| means[place]);
        let (least, most) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        (least < most).then_some([least, most])
    };
    // What is the same everywhere is no axis.
    let (Some(x), Some(y)) = (bounds(0), bounds(1)) else { return String::new() };
    let dots = |points, marker| Dataset::default().data(points).marker(marker).graph_type(GraphType::Scatter);
    let datasets = vec![dots(&others, Marker::Braille), dots(&best, Marker::Dot)];
    let mut canvas = Canvas::new(width.min(SIZE.0), false);
    canvas.draw(SIZE.1, |area, buffer| {
        Chart::new(datasets)
            .x_axis(Axis::default().bounds(x).labels(x.map(|value| amount(value, across.unit))))
            .y_axis(Axis::default().bounds(y).labels(y.map(|value| amount(value, up.unit))))
            .render(area, buffer);
    });
    format!("{}Across: {}; up: {}; • is on the front.\n\n", canvas.finish(), across.word(), up.word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::measure;

    fn swept(points: &[Vec<String>]) -> Swept<'_> {
        Swept {
            title: "a sweep".to_owned(),
            keys: vec!["key"],
            points,
            measures: ["cost", "wait_mean"].map(|name| measure(name).unwrap()).to_vec(),
            runs: Vec::new(),
            problems: Vec::new(),
            stuck_runs: Vec::new(),
            is_front: true,
        }
    }

    #[test]
    fn every_point_of_the_front_has_its_mark_where_it_belongs() {
        let means =
            vec![vec![1.0, 900.0], vec![5.0, 300.0], vec![9.0, 0.0], vec![9.0, 900.0], vec![f64::NAN, 1.0]];
        let text = plot(&swept(&[]), &means, &[true, true, true, false, false], 100);
        assert_eq!(text.matches('•').count(), 3 + 1, "three points, and one that says what they are: {text}");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= usize::from(SIZE.0)), "{text}");
        let at = |line: &str| line.chars().position(|c| c == '•');
        let marks: Vec<(usize, usize)> = lines[..usize::from(SIZE.1)]
            .iter()
            .enumerate()
            .filter_map(|(row, line)| Some((row, at(line)?)))
            .collect();
        assert!(
            marks.is_sorted_by(|one, other| one.0 < other.0 && one.1 < other.1),
            "down and right: {marks:?}"
        );
        assert!(lines[0].contains("15m00s") && text.contains("$9.00"), "both ends are told: {text}");
    }

    #[test]
    fn without_two_points_that_differ_there_is_nothing_to_plot() {
        let nan = vec![f64::NAN, 1.0];
        assert_eq!(plot(&swept(&[]), &[nan.clone(), vec![1.0, 2.0]], &[false, true], 80), "", "one");
        assert_eq!(plot(&swept(&[]), &[nan], &[false], 80), "", "none");
        let same = vec![vec![1.0, 2.0], vec![1.0, 2.0]];
        assert_eq!(plot(&swept(&[]), &same, &[true, true], 80), "", "what is the same is no axis");
    }
}
