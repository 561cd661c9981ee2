use super::Quantiles;
use crate::units::{Seconds, Time};

/// When jobs come: how far apart, and how that varies over the day.
///
/// ```
/// use gigawatt::workload::generate::Arrivals;
/// use gigawatt::units::Seconds;
/// let hourly = Arrivals::fixed(40, Seconds(3600)).unwrap();
/// let mut clock = hourly.clock();
/// let times: Vec<u32> = (0..4).filter_map(|_| clock.next(0)).map(|time| time.0).collect();
/// assert_eq!(times, [0, 90, 180, 270], "the first at once");
///
/// // All jobs in the second half of every day.
/// let afternoons = hourly.with_profile(vec![0, 1]).unwrap();
/// assert_eq!(afternoons.clock().next(0).map(|time| time.0), Some(43_200));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    gaps: Gaps,
    /// How likely an arrival is in each equal part of the day, relative to the other parts.
    profile: Vec<u32>,
}

/// What lies between one job and the next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gaps {
    /// Drawn; the first job too comes after a gap.
    Random(Quantiles),
    /// Always the same, the first job comes at once; kept as a ratio, so that nothing drifts.
    Even { jobs: u32, per: Seconds },
}

const DAY: u64 = 86_400;
/// Binary places of a second.
const PLACES: u32 = 16;

impl Arrivals {
    /// The most parts a day can have: minutes.
    pub const PROFILE_MAX: usize = 1440;

    /// A Poisson process with that mean number of seconds between jobs; `None` if it is out of range.
    #[must_use]
    pub fn poisson(mean_gap: f64) -> Option<Self> {
        Some(Self { gaps: Gaps::Random(Quantiles::exponential(mean_gap)?), profile: vec![1] })
    }
    /// `jobs` jobs every `per`, evenly, the first at once; `None` if either is 0.
    #[must_use]
    pub fn fixed(jobs: u32, per: Seconds) -> Option<Self> {
        let fits = jobs > 0 && per > Seconds::ZERO;
        fits.then(|| Self { gaps: Gaps::Even { jobs, per }, profile: vec![1] })
    }
    /// The same on average over a day, distributed over its equal parts in proportion to `profile`.
    ///
    /// `None` unless there are 1 to [`Arrivals::PROFILE_MAX`] parts that divide a day, not all of weight 0, none
    /// above a million.
    #[must_use]
    pub fn with_profile(self, profile: Vec<u32>) -> Option<Self> {
        let parts = profile.len();
        let fits = (1..=Self::PROFILE_MAX).contains(&parts)
            && DAY.is_multiple_of(parts as u64)
            && profile.iter().any(|weight| *weight > 0)
            && profile.iter().all(|weight| *weight <= 1_000_000);
        fits.then_some(Self { profile, ..self })
    }
    /// The instants of arrival, one after the other.
    #[must_use]
    pub const fn clock(&self) -> Clock<'_> {
        Clock { arrivals: self, operational: 0, count: 0 }
    }

    /// The instant at which `operational` has passed: time that runs as fast as arrivals come, in 2⁻¹⁶ s.
    fn instant(&self, operational: u64) -> Option<Time> {
        let day = DAY << PLACES;
        let (days, rest) = (operational / day, operational % day);
        let part = DAY / self.profile.len() as u64;
        let total: u64 = self.profile.iter().map(|weight| u64::from(*weight)).sum();
        // Weight times 2⁻¹⁶ s, of which a day has `total · part`.
        let mut left = u128::from(rest) * u128::from(total * part) / u128::from(DAY);
        let mut seconds = 0;
        for weight in &self.profile {
            let passes = u128::from(*weight) * u128::from(part << PLACES);
            if left < passes {
                let into = (left / u128::from(*weight)) >> PLACES;
                let into = u64::try_from(into).expect("it is less than a part of a day");
                let time = days.checked_mul(DAY)?.checked_add(seconds + into)?;
                return u32::try_from(time).ok().map(Time).filter(|time| *time < Time::NEVER);
            }
            left -= passes;
            seconds += part;
        }
        unreachable!("the rest of a day is less than a day")
    }
}

/// Instants of arrival, one after the other.
#[derive(Debug, Clone)]
pub struct Clock<'a> {
    arrivals: &'a Arrivals,
    operational: u64,
    count: u32,
}

impl Clock<'_> {
    /// The next instant, from 32 random bits; `None` once time has run out.
    pub fn next(&mut self, random: u32) -> Option<Time> {
        self.operational = match &self.arrivals.gaps {
            Gaps::Random(gaps) => self.operational.checked_add(gaps.at_fixed_point(random))?,
            Gaps::Even { jobs, per } => {
                let since_start = (u128::from(self.count) * u128::from(per.0)) << PLACES;
                u64::try_from(since_start.div_ceil(u128::from(*jobs))).ok()?
            }
        };
        self.count = self.count.checked_add(1)?;
        self.arrivals.instant(self.operational)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    fn times(arrivals: &Arrivals, count: usize) -> Vec<u32> {
        let stream = Stream::new(11, Purpose::Arrivals);
        let mut clock = arrivals.clock();
        (0..count as u64).filter_map(|i| clock.next(stream.draw(i, 0))).map(|time| time.0).collect()
    }

    #[test]
    fn fixed_arrivals_keep_fractions_of_a_second() {
        let arrivals = Arrivals::fixed(5, Seconds(2)).unwrap();
        assert_eq!(times(&arrivals, 6), [0, 0, 0, 1, 1, 2], "0, 0.4, 0.8, 1.2, 1.6, 2.0");
        let third = times(&Arrivals::fixed(3, Seconds(100)).unwrap(), 3001);
        assert_eq!(third[3000], 100_000, "no drift");
    }

    #[test]
    fn a_poisson_process_has_its_rate_and_its_spread() {
        let times = times(&Arrivals::poisson(30.0).unwrap(), 100_000);
        let mean = f64::from(times[99_999]) / 100_000.0;
        assert!((mean / 30.0 - 1.0).abs() < 0.01, "mean gap {mean}");
        // Counts in windows of ten minutes: mean and variance both 20.
        let mut counts = vec![0_f64; times[99_999] as usize / 600];
        for time in &times {
            if let Some(count) = counts.get_mut(*time as usize / 600) {
                *count += 1.0;
            }
        }
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / n;
        assert!((variance / mean - 1.0).abs() < 0.05, "variance {variance}, mean {mean}");
    }

    #[test]
    fn a_profile_moves_arrivals_within_the_day_and_not_their_number() {
        let arrivals = Arrivals::poisson(60.0).unwrap().with_profile(vec![1, 3, 0, 4]).unwrap();
        let times = times(&arrivals, 14_400);
        let mut quarters = [0_u32; 4];
        for time in &times {
            quarters[*time as usize % 86_400 / 21_600] += 1;
        }
        assert_eq!(quarters[2], 0, "nobody comes in a part of weight 0");
        for (quarter, share) in [(0, 1800.0), (1, 5400.0), (3, 7200.0)] {
            let found = f64::from(quarters[quarter]);
            assert!((found / share - 1.0).abs() < 0.06, "quarter {quarter}: {quarters:?}");
        }
        let days = f64::from(times[14_399]) / 86_400.0;
        assert!((days - 10.0).abs() < 0.3, "14,400 jobs a minute apart take ten days: {days}");
    }

    #[test]
    fn what_does_not_fit_is_refused_and_time_runs_out() {
        for gap in [0.0, -1.0, f64::NAN, 1e12] {
            assert_eq!(Arrivals::poisson(gap), None, "gap {gap}");
        }
        assert_eq!((Arrivals::fixed(0, Seconds(1)), Arrivals::fixed(1, Seconds(0))), (None, None), "nothing");
        let hourly = || Arrivals::fixed(1, Seconds(3600)).unwrap();
        for profile in [vec![], vec![0, 0], vec![1; 7], vec![1; 1441], vec![1_000_001]] {
            assert_eq!(hourly().with_profile(profile.clone()), None, "{profile:?}");
        }
        let far = Arrivals::fixed(1, Seconds(1_000_000_000)).unwrap();
        assert_eq!(times(&far, 10).len(), 5, "136 years are over");
    }
}
