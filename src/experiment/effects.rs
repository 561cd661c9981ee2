//! How much of what differs between points one key explains.

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
    let known: Vec<(&Vec<String>, f64)> =
        points.iter().zip(values.iter().copied()).filter(|(_, value)| value.is_finite()).collect();
    let mean = mean_of(known.iter().map(|(_, value)| *value));
    let total: f64 = known.iter().map(|(_, value)| (value - mean).powi(2)).sum();
    let axes = points.first().map_or(0, Vec::len);
    let of_axis = |axis: usize| {
        let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (point, value) in &known {
            groups.entry(point[axis].as_str()).or_default().push(*value);
        }
        let between: f64 = groups
            .values()
            .map(|group| {
                (mean_of(group.iter().copied()) - mean).powi(2) * group.iter().map(|_| 1.0).sum::<f64>()
            })
            .sum();
        (total > 0.0 && 2 * groups.len() <= known.len()).then(|| between / total)
    };
    (0..axes).map(of_axis).collect()
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
