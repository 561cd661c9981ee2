use crate::ensemble::{Better, Measure};

/// The points that no other one beats: of those, one is better in some measure only by being worse in another.
///
/// `values[point]` are in the order of the measures. A point with a NaN is on no front and beats none.
///
/// ```
/// use gigawatt::ensemble::measure;
/// use gigawatt::experiment::pareto;
/// let measures = [measure("cost").unwrap(), measure("utilization").unwrap()];
/// // Less cost is better, and more utilization.
/// let values = [vec![1.0, 0.5], vec![2.0, 0.9], vec![3.0, 0.9], vec![0.5, f64::NAN]];
/// assert_eq!(pareto(&values, &measures), [true, true, false, false]);
/// ```
///
/// # Complexity
/// O(points² · measures).
#[must_use]
pub fn pareto(values: &[Vec<f64>], measures: &[&Measure]) -> Vec<bool> {
    let told = |point: &[f64]| point.iter().all(|value| !value.is_nan());
    let better = |one: f64, other: f64, measure: &Measure| match measure.better {
        Better::Lower => one < other,
        Better::Higher => one > other,
    };
    let beats = |one: &[f64], other: &[f64]| {
        let all = || one.iter().zip(other).zip(measures);
        told(one)
            && all().all(|((one, other), measure)| !better(*other, *one, measure))
            && all().any(|((one, other), measure)| better(*one, *other, measure))
    };
    values.iter().map(|point| told(point) && !values.iter().any(|other| beats(other, point))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::measure;

    #[test]
    fn nobody_on_the_front_is_beaten_and_everybody_else_is() {
        let measures = ["cost", "wait_mean", "utilization"].map(|name| measure(name).unwrap());
        let value = |point: u32, place: u32| f64::from((point * 7919 + place * 104_729 + point * point) % 11);
        let values: Vec<Vec<f64>> =
            (0..200).map(|point| (0..3).map(|place| value(point, place)).collect()).collect();
        let front = pareto(&values, &measures);
        let no_worse = |one: &[f64], other: &[f64]| {
            one[0] <= other[0] && one[1] <= other[1] && one[2] >= other[2] && one != other
        };
        for (point, on_front) in values.iter().zip(&front) {
            let beaten = values.iter().any(|other| no_worse(other, point));
            assert_eq!(*on_front, !beaten, "{point:?}");
        }
        assert!(front.iter().any(|on_front| *on_front) && !front.iter().all(|on_front| *on_front), "some");
    }

    #[test]
    fn equal_points_are_both_on_it() {
        let measures = [measure("cost").unwrap()];
        assert_eq!(pareto(&[vec![1.0], vec![1.0], vec![2.0]], &measures), [true, true, false], "of equals");
        assert!(pareto(&[], &measures).is_empty(), "of nothing");
    }
}
