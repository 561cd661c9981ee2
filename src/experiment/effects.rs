//! How much of what differs between points one key explains, and two together.

use std::collections::BTreeMap;

/// For each axis, the share of the variance between points that its values explain on their own, 0 to 1: the variance of the
/// means by value ÷ the variance of all (the correlation ratio η²; of a grid, the first-order index of I. M. Sobol', 1993).
/// What is left is other axes and how they act together. None where its values are nearly as many as the points, and where
/// nothing differs.
///
/// ```
/// use gigawatt::experiment::main_effects;
/// let points: Vec<Vec<String>> =
///     [["1", "x"], ["1", "y"], ["2", "x"], ["2", "y"]].iter().map(|point| point.map(str::to_owned).to_vec()).collect();
/// // 10 for the first axis, 1 for the second.
/// let found = main_effects(&points, &[0.0, 1.0, 10.0, 11.0]);
/// assert_eq!(found, [Some(100.0 / 101.0), Some(1.0 / 101.0)]);
/// ```
///
/// # Complexity
/// O(points · axes · log points).
#[must_use]
pub fn main_effects(points: &[Vec<String>], values: &[f64]) -> Vec<Option<f64>> {
    let spread = Spread::of(points, values);
    (0..spread.axes()).map(|axis| spread.explained(&[axis])).collect()
}

/// For each pair of axes, lower index first, what their values explain together beyond what each explains on its own, 0 to
/// 1: of a grid, the second-order index of I. M. Sobol', 1993. Where points are drawn it is an estimate, and below 0 as
/// likely as above where two do not act together. None where the pairs of values are nearly as many as the points.
///
/// ```
/// use gigawatt::experiment::interactions;
/// let points: Vec<Vec<String>> = (0..8).map(|at| vec![(at % 2).to_string(), (at / 2 % 2).to_string()]).collect();
/// // 1 where both are 1: of the variance 3/16, each explains 1/16 on its own, and together they explain the rest.
/// let values: Vec<f64> = points.iter().map(|point| f64::from(u8::from(*point == ["1", "1"]))).collect();
/// let found = interactions(&points, &values);
/// assert_eq!((found[0].0, found.len()), ((0, 1), 1));
/// assert!((found[0].1.unwrap() - 1.0 / 3.0).abs() < 1e-12);
/// ```
///
/// # Complexity
/// O(points · axes² · log points).
#[must_use]
pub fn interactions(points: &[Vec<String>], values: &[f64]) -> Vec<((usize, usize), Option<f64>)> {
    let spread = Spread::of(points, values);
    let alone: Vec<Option<f64>> = (0..spread.axes()).map(|axis| spread.explained(&[axis])).collect();
    let pairs = (0..spread.axes()).flat_map(|a| (a + 1..spread.axes()).map(move |b| (a, b)));
    let beyond = |(a, b): (usize, usize)| Some(spread.explained(&[a, b])? - alone[a]? - alone[b]?);
    pairs.map(|pair| (pair, beyond(pair))).collect()
}

/// The points of which a value is known, and how much those values differ.
struct Spread<'a> {
    known: Vec<(&'a [String], f64)>,
    mean: f64,
    /// The sum of squared differences from the mean.
    total: f64,
}

impl<'a> Spread<'a> {
    fn of(points: &'a [Vec<String>], values: &[f64]) -> Self {
        let known = points.iter().map(Vec::as_slice).zip(values.iter().copied());
        let known: Vec<(&[String], f64)> = known.filter(|(_, value)| value.is_finite()).collect();
        let mean = mean_of(known.iter().map(|(_, value)| *value));
        let total = known.iter().map(|(_, value)| (value - mean).powi(2)).sum();
        Self { known, mean, total }
    }
    fn axes(&self) -> usize {
        self.known.first().map_or(0, |(point, _)| point.len())
    }
    /// The share of the differences that the values of some axes explain together.
    fn explained(&self, axes: &[usize]) -> Option<f64> {
        let mut groups: BTreeMap<Vec<&str>, Vec<f64>> = BTreeMap::new();
        for (point, value) in &self.known {
            let key = axes.iter().map(|axis| point[*axis].as_str()).collect();
            groups.entry(key).or_default().push(*value);
        }
        let apart = |group: &Vec<f64>| {
            (mean_of(group.iter().copied()) - self.mean).powi(2) * group.iter().map(|_| 1.0).sum::<f64>()
        };
        let between: f64 = groups.values().map(apart).sum();
        (self.total > 0.0 && 2 * groups.len() <= self.known.len()).then(|| between / self.total)
    }
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Vec<Vec<String>> {
        let point = |place: usize| {
            vec![(place / 12).to_string(), (place / 3 % 4).to_string(), (place % 3).to_string()]
        };
        (0..60).map(point).collect()
    }
    fn of(point: &[String], axis: usize) -> f64 {
        point[axis].parse().unwrap()
    }

    #[test]
    fn effects_that_add_up_share_the_variance() {
        let points = grid();
        let values: Vec<f64> = points.iter().map(|point| 3.0 * of(point, 0) - 2.0 * of(point, 1)).collect();
        let found: Vec<f64> = main_effects(&points, &values).into_iter().flatten().collect();
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12, "nothing is left: {found:?}");
        assert!(found[0] > found[1] && found[2].abs() < 1e-12, "the third does nothing: {found:?}");
    }

    #[test]
    fn what_acts_together_belongs_to_no_axis_alone() {
        let points = grid();
        let values: Vec<f64> =
            points.iter().map(|point| (of(point, 0) - 2.0) * (of(point, 1) - 1.5)).collect();
        let found = main_effects(&points, &values);
        assert!(found.iter().flatten().all(|share| share.abs() < 1e-12), "no main effect: {found:?}");
        let pairs = interactions(&points, &values);
        assert_eq!(
            pairs.iter().map(|(pair, _)| *pair).collect::<Vec<_>>(),
            [(0, 1), (0, 2), (1, 2)],
            "each once"
        );
        let shares: Vec<f64> = pairs.iter().filter_map(|(_, share)| *share).collect();
        assert!((shares[0] - 1.0).abs() < 1e-12, "all of it is theirs: {shares:?}");
        assert!(shares[1..].iter().all(|share| share.abs() < 1e-12), "none is the third's: {shares:?}");
        assert_eq!(main_effects(&points, &[1.0; 60]), [None; 3], "where nothing differs");
        let all: Vec<Vec<String>> = (0..9).map(|place| vec![place.to_string()]).collect();
        assert_eq!(
            main_effects(&all, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]),
            [None],
            "a value a point"
        );
        let mut some = values;
        some[7] = f64::NAN;
        assert!(main_effects(&points, &some).iter().all(Option::is_some), "what is not known is left out");
    }
}
