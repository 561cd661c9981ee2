use crate::metrics::distribution::{ratio, real};
use crate::metrics::series::width;
use crate::units::Time;

/// Equal stretches of time from the start of a run to its end, the last one cut off there; in each of them amounts that
/// held for a while are added up, exactly.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    width: u32,
    end: Time,
    /// Amount × seconds where a bucket is covered in part.
    parts: Vec<u128>,
    /// How much more is held from the beginning of each bucket to its end than of the one before.
    steps: Vec<i128>,
}

impl Buckets {
    /// Empty ones, as wide as those of [`Series`](crate::metrics::Series).
    pub(super) fn new(end: Time) -> Self {
        let width = width(end);
        let count = end.0.div_ceil(width) as usize;
        Self { width, end, parts: vec![0; count], steps: vec![0; count + 1] }
    }
    /// So much was held from `from` until `to`, which is not after the end of the run.
    pub(super) fn add(&mut self, from: Time, to: Time, amount: u64) {
        if to <= from || amount == 0 {
            return;
        }
        let (first, last) = (from.0 / self.width, to.0 / self.width);
        let times = |seconds: u32| u128::from(amount) * u128::from(seconds);
        if first == last {
            self.parts[first as usize] += times(to.0 - from.0);
            return;
        }
        self.parts[first as usize] += times((first + 1) * self.width - from.0);
        self.steps[first as usize + 1] += i128::from(amount);
        self.steps[last as usize] -= i128::from(amount);
        if let Some(part) = self.parts.get_mut(last as usize) {
            *part += times(to.0 - last * self.width);
        }
    }
    /// Amount × seconds of each.
    pub(super) fn sums(&self) -> Vec<u128> {
        let mut level = 0_i128;
        let sum = |(part, step): (&u128, &i128)| {
            level += step;
            part + u128::try_from(level).unwrap_or(0) * u128::from(self.width)
        };
        self.parts.iter().zip(&self.steps).map(sum).collect()
    }
    /// Seconds of each.
    pub(super) fn seconds(&self) -> impl Iterator<Item = u32> + use<'_> {
        let starts = (0_u32..).zip(&self.parts).map(|(index, _)| index * self.width);
        starts.map(|start| self.width.min(self.end.0 - start))
    }
    /// The mean amount of each, in units of so much.
    pub(super) fn means(&self, unit: f64) -> Vec<f64> {
        let sums = self.sums();
        sums.into_iter().zip(self.seconds()).map(|(sum, seconds)| ratio(sum, seconds.into()) / unit).collect()
    }
    /// What each is of a whole: both in amount × seconds.
    pub(super) fn shares(&self, whole: u64) -> Vec<f64> {
        let sums = self.sums();
        let share =
            |(sum, seconds): (u128, u32)| real(sum) / real(u128::from(whole.max(1)) * u128::from(seconds));
        sums.into_iter().zip(self.seconds()).map(share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_what_a_second_by_second_count_finds() {
        let end = Time(1234);
        let (mut buckets, mut seconds) = (Buckets::new(end), vec![0_u128; end.0 as usize]);
        assert_eq!(buckets.width, 30, "a readable width");
        let mut state = 7_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for _ in 0..300 {
            let (a, b, amount) = (next(end.0 + 1), next(end.0 + 1), u64::from(next(9)));
            let (from, to) = (a.min(b), a.max(b));
            buckets.add(Time(from), Time(to), amount);
            (from..to).for_each(|second| seconds[second as usize] += u128::from(amount));
        }
        let expected: Vec<u128> = seconds.chunks(30).map(|chunk| chunk.iter().sum()).collect();
        assert_eq!(buckets.sums(), expected, "the same, exactly");
        let last = *expected.last().unwrap();
        assert!((buckets.means(1.0)[41] - real(last) / 4.0).abs() < 1e-9, "the last is cut off after 4 s");
    }
}
