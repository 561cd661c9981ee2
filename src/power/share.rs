//! Exact sums divided once: parts that add up to their total, by largest remainder.

/// The nearest whole number to `numerator ÷ divisor`, halves up; clamped to 64 bits.
///
/// # Panics
/// If the divisor is not above 0.
#[must_use]
pub fn rounded(numerator: i128, divisor: i128) -> i64 {
    assert!(divisor > 0, "nothing is divided by {divisor}");
    let whole = numerator.div_euclid(divisor);
    let up = numerator.rem_euclid(divisor) >= divisor - divisor / 2;
    clamped(whole.saturating_add(i128::from(up)))
}

fn clamped(value: i128) -> i64 {
    let bounded = value.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(bounded).expect("clamped to 64 bits")
}

/// Each part divided and rounded to a whole number so that their sum is that of the parts, [`rounded`]: each is rounded
/// down, and what is missing goes, one each, to those with the largest remainders, of equal ones to the first.
///
/// ```
/// use gigawatt::power::share::parts;
/// assert_eq!(parts(&[10, 10, 10], 4), [3, 3, 2], "7.5 is 8, and 2.5 each");
/// assert_eq!(parts(&[-5, 9], 2), [-2, 4], "-2.5 and 4.5 are 2, and of equal remainders the first gets it");
/// ```
///
/// # Panics
/// If the divisor is not above 0.
#[must_use]
pub fn parts(numerators: &[i128], divisor: i128) -> Vec<i64> {
    let total = numerators.iter().fold(0_i128, |sum, part| sum.saturating_add(*part));
    let floors = numerators.iter().map(|part| part.div_euclid(divisor));
    let mut shares: Vec<i64> = floors.map(clamped).collect();
    let sum: i128 = shares.iter().map(|share| i128::from(*share)).sum();
    let missing = i128::from(rounded(total, divisor)) - sum;
    let mut order: Vec<usize> = (0..numerators.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(numerators[*index].rem_euclid(divisor)));
    for index in order.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        shares[index] = shares[index].saturating_add(1);
    }
    shares
}

/// `total` divided in proportion to `weights`, exactly: see [`parts`]; nothing to anybody if all weigh nothing.
///
/// ```
/// use gigawatt::power::share::by_weight;
/// assert_eq!(by_weight(100, &[1, 1, 1]), [34, 33, 33]);
/// assert_eq!(by_weight(-7, &[0, 2, 1]), [0, -5, -2]);
/// ```
#[must_use]
pub fn by_weight(total: i64, weights: &[u64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let numerators: Vec<i128> =
        weights.iter().map(|weight| i128::from(total) * i128::from(*weight)).collect();
    parts(&numerators, sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn parts_add_up_to_their_total_and_are_no_further_than_one_from_their_own() {
        let stream = Stream::new(7, Purpose::Sampling);
        for case in 0..200 {
            let divisor = i128::from(stream.below(case, 0, 9)) + 1;
            let number = |draw| i128::from(stream.below(case, draw, 41)) - 20;
            let numerators: Vec<i128> = (1..=stream.below(case, 1, 9) + 1).map(|n| number(n + 1)).collect();
            let shares = parts(&numerators, divisor);
            let sum: i64 = shares.iter().sum();
            assert_eq!(
                sum,
                rounded(numerators.iter().sum(), divisor),
                "case {case}: {numerators:?} / {divisor}"
            );
            for (share, part) in shares.iter().zip(&numerators) {
                let off = i128::from(*share) * divisor - part;
                assert!(off.abs() < divisor, "case {case}: {share} for {part} / {divisor}");
            }
        }
        assert!(parts(&[], 3).is_empty(), "nobody");
    }

    #[test]
    fn rounding_is_to_the_nearest_halves_up() {
        for (numerator, divisor, nearest) in [
            (7, 2, 4),
            (-7, 2, -3),
            (5, 3, 2),
            (4, 3, 1),
            (-4, 3, -1),
            (-5, 3, -2),
            (0, 1, 0),
            (i128::MAX, 1, i64::MAX),
        ] {
            assert_eq!(rounded(numerator, divisor), nearest, "{numerator} / {divisor}");
        }
    }

    #[test]
    fn who_weighs_nothing_pays_nothing() {
        assert_eq!(by_weight(5, &[0, 0]), [0, 0], "nobody weighs anything");
        assert_eq!(by_weight(i64::MAX, &[u64::MAX, 1]).iter().sum::<i64>(), i64::MAX, "no overflow");
    }
}
