use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A distribution of whole numbers as a table of its quantiles, read with integer interpolation.
///
/// The same 32 random bits give the same number on every machine. Table cells are 2⁻¹⁰ wide, the last one is divided
/// into cells of 2⁻²⁰ and the last of these into cells of 2⁻³⁰, so that a long tail keeps its mean: the mean of what
/// is drawn is the distribution's to 0.1 %.
///
/// ```
/// use gigawatt::workload::generate::Quantiles;
/// let service = Quantiles::exponential(3600.0).unwrap();
/// assert_eq!(service.at(u32::MAX / 2), 2495, "the median is ln 2 of the mean");
/// assert_eq!(Quantiles::uniform(10, 20).unwrap().at(0), 10);
/// assert_eq!(Quantiles::fixed(7).at(12345), 7);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantiles {
    /// Two numbers for a uniform distribution, one for a fixed one, else three levels of cells.
    points: Arc<[u32]>,
    /// Points are in units of 2^-shift.
    shift: u32,
}

/// Bits that address a cell of one level.
const CELL_BITS: u32 = 10;
/// Cells of one level.
const CELLS: u32 = 1 << CELL_BITS;
/// Levels: the last cell of one is refined by the next.
const LEVELS: u32 = 3;
/// Most binary places of a point.
const SHIFT_MAX: u32 = 16;
/// Rounds in which the scale of a table is adjusted to its mean.
const ROUNDS: u32 = 8;
/// Most tables that are kept.
const TABLES_MAX: usize = 256;
/// Probability of the last point: half of the last 2⁻³² is left to what is larger.
const LAST: f64 = 1.0 - 1.0 / 8_589_934_592.0;

impl Quantiles {
    /// The widest spread of a lognormal distribution: beyond, 32 bits do not reach far enough into the tail.
    pub const SIGMA_MAX: f64 = 3.0;

    /// Always `value`.
    #[must_use]
    pub fn fixed(value: u32) -> Self {
        Self { points: Arc::new([value]), shift: 0 }
    }
    /// Every number from `least` to `most` alike; `None` if they are the wrong way round.
    #[must_use]
    pub fn uniform(least: u32, most: u32) -> Option<Self> {
        (least <= most).then(|| Self { points: Arc::new([least, most]), shift: 0 })
    }
    /// The exponential distribution of that mean; `None` if its tail exceeds 32 bits.
    #[must_use]
    pub fn exponential(mean: f64) -> Option<Self> {
        Self::known((mean, None), || Self::tabulate(mean, |p| -mean * libm::log1p(-p)))
    }
    /// The lognormal distribution of that mean whose logarithm has the standard deviation `sigma`.
    ///
    /// `None` if its tail exceeds 32 bits or `sigma` [`Quantiles::SIGMA_MAX`].
    #[must_use]
    pub fn lognormal(mean: f64, sigma: f64) -> Option<Self> {
        if !(0.0..=Self::SIGMA_MAX).contains(&sigma) {
            return None;
        }
        let mu = libm::log(mean) - sigma * sigma / 2.0;
        let tabulate = || Self::tabulate(mean, |p| libm::exp(mu + sigma * normal_quantile(p)));
        Self::known((mean, Some(sigma)), tabulate)
    }

    /// The table of a mean and, where it is lognormal, a spread: made at most once while it is in use, since the runs of a
    /// sweep mostly share theirs and a table takes longer to make than a small run.
    fn known((mean, sigma): (f64, Option<f64>), tabulate: impl FnOnce() -> Option<Self>) -> Option<Self> {
        /// By the bits of mean and spread.
        type Tables = BTreeMap<(u64, Option<u64>), Option<Quantiles>>;
        static TABLES: Mutex<Tables> = Mutex::new(BTreeMap::new());
        let key = (mean.to_bits(), sigma.map(f64::to_bits));
        let tables = || TABLES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables().get(&key) {
            return table.clone();
        }
        let table = tabulate();
        let mut tables = tables();
        if tables.len() == TABLES_MAX {
            tables.clear();
        }
        tables.insert(key, table.clone());
        table
    }

    /// The table of a quantile function, scaled so that its mean is exactly `mean`.
    fn tabulate(mean: f64, quantile: impl Fn(f64) -> f64) -> Option<Self> {
        if !(mean.is_finite() && mean > 0.0) {
            return None;
        }
        let smallest = 1.0 / 8_589_934_592.0;
        let values: Vec<f64> = points().map(|p| quantile(p.clamp(smallest, LAST))).collect();
        // What exceeds 32 bits is cut off; the rest makes up for it as long as that is little.
        let cut = |scale: f64| {
            values.iter().map(|value| (value * scale).min(f64::from(u32::MAX))).collect::<Vec<_>>()
        };
        let mut scale = 1.0;
        for _ in 0..ROUNDS {
            scale *= mean / mean_of(&cut(scale));
        }
        let values = cut(scale);
        if !(0.99..=1.01).contains(&scale) || (mean_of(&values) / mean - 1.0).abs() > 1e-6 {
            return None;
        }
        let largest = values.last().copied().unwrap_or_default();
        let shift =
            (0..=SHIFT_MAX).rev().find(|shift| largest * f64::from(1_u32 << shift) <= f64::from(u32::MAX))?;
        let unit = f64::from(1_u32 << shift);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the largest was checked"
        )]
        let points = values.iter().map(|value| (value * unit).round() as u32).collect();
        Some(Self { points, shift })
    }

    /// The number that belongs to 32 random bits: ascending with them.
    #[must_use]
    pub fn at(&self, random: u32) -> u32 {
        let fine = self.fine(random);
        let half = if self.shift == 0 { 0 } else { 1 << (self.shift - 1) };
        u32::try_from((fine + half) >> self.shift).unwrap_or(u32::MAX)
    }

    /// As [`Quantiles::at`], in units of 2⁻¹⁶.
    #[must_use]
    pub fn at_fixed_point(&self, random: u32) -> u64 {
        self.fine(random) << (SHIFT_MAX - self.shift)
    }

    /// In the table's own unit.
    fn fine(&self, random: u32) -> u64 {
        let [least, rest @ ..] = &self.points[..] else { return 0 };
        if let [most] = rest {
            // Both ends as likely as what lies between.
            return u64::from(*least) + (((u64::from(*most - *least) + 1) * u64::from(random)) >> 32);
        }
        if rest.is_empty() {
            return u64::from(*least);
        }
        let (mut bits, mut random, mut level) = (32, random, 0);
        loop {
            bits -= CELL_BITS;
            let (cell, within) = (random >> bits, random & ((1 << bits) - 1));
            if cell == CELLS - 1 && level + 1 < LEVELS {
                (random, level) = (within, level + 1);
                continue;
            }
            let index = (level * (CELLS - 1) + cell) as usize;
            let (from, to) = (u64::from(self.points[index]), u64::from(self.points[index + 1]));
            return from + (((to - from) * u64::from(within)) >> bits);
        }
    }

    /// The mean of what is drawn, before rounding to whole numbers.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let points: Vec<f64> = self.points.iter().map(|point| f64::from(*point)).collect();
        match points[..] {
            [value] => value,
            [least, most] => f64::midpoint(least, most),
            _ => mean_of(&points) / f64::from(1_u32 << self.shift),
        }
    }
}

/// The probabilities of the points of a table.
fn points() -> impl Iterator<Item = f64> {
    let cells = f64::from(CELLS);
    let level = move |level: u32| {
        let width = libm::pow(cells, -f64::from(level));
        let last = if level + 1 == LEVELS { CELLS + 1 } else { CELLS - 1 };
        (0..last).map(move |cell| 1.0 - width + width * f64::from(cell) / cells)
    };
    (0..LEVELS).flat_map(level)
}

/// The mean of the piecewise linear quantile function through `values`.
fn mean_of(values: &[f64]) -> f64 {
    let probabilities: Vec<f64> = points().collect();
    let cells = values.windows(2).zip(probabilities.windows(2));
    cells.map(|(value, p)| f64::midpoint(value[0], value[1]) * (p[1] - p[0])).sum()
}

/// The quantile of the standard normal distribution: Acklam's approximation and one step of Halley's method.
///
/// P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function", 2003.
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = libm::sqrt(-2.0 * libm::log(p));
        horner(&C, q) / horner(&D, q)
    };
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let x = if p < 0.02425 {
        tail(p)
    } else {
        let (q, r) = (p - 0.5, (p - 0.5) * (p - 0.5));
        horner(&A, r) * q / horner(&B, r)
    };
    let error = 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2) - p;
    let step = error * libm::sqrt(2.0 * std::f64::consts::PI) * libm::exp(x * x / 2.0);
    x - step / (1.0 + x * step / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    /// Mean of what 4 · 2¹⁸ evenly spread random numbers give.
    fn drawn_mean(quantiles: &Quantiles) -> f64 {
        let count = 1_u32 << 20;
        let sum: u64 = (0..count).map(|i| u64::from(quantiles.at((i << 12) + 2048))).sum();
        sum as f64 / f64::from(count)
    }

    #[test]
    fn the_mean_is_right_to_a_thousandth() {
        for mean in [60.0, 3600.0, 86_400.0] {
            let cases = [
                ("exponential", Quantiles::exponential(mean)),
                ("narrow lognormal", Quantiles::lognormal(mean, 0.5)),
                ("wide lognormal", Quantiles::lognormal(mean, 2.0)),
                ("widest lognormal", Quantiles::lognormal(mean, 2.5)),
            ];
            for (name, quantiles) in cases {
                let quantiles = quantiles.unwrap();
                let exact = quantiles.mean() / mean;
                assert!((exact - 1.0).abs() < 1e-4, "{name} of mean {mean}: table {exact}");
                // A wide tail has much of its mean in the last of the drawn points.
                let drawn = drawn_mean(&quantiles) / mean;
                assert!((drawn - 1.0).abs() < 5e-3, "{name} of mean {mean}: drawn {drawn}");
            }
        }
    }

    #[test]
    fn quantiles_are_those_of_the_distribution() {
        let hour = Quantiles::exponential(3600.0).unwrap();
        // Numbers of 32 bits that lie at p = 0.5, 0.9, 0.999 and 0.999999 of their range.
        for (bits, expected) in
            [(1 << 31, 2495.3), (3_865_470_566, 8289.3), (4_290_672_328, 24_868.0), (4_294_963_001, 49_736.0)]
        {
            let found = f64::from(hour.at(bits));
            assert!((found / expected - 1.0).abs() < 1e-3, "at {bits}: {found}, expected {expected}");
        }
        // exp(mu + sigma z) with mu = ln 1000 - 1/2.
        let lognormal = Quantiles::lognormal(1000.0, 1.0).unwrap();
        // p = 0.5, 0.8413447 and 0.99.
        for (bits, expected) in [(1 << 31, 606.5), (3_613_547_966, 1648.7), (4_252_017_623, 6211.0)] {
            let found = f64::from(lognormal.at(bits));
            assert!((found / expected - 1.0).abs() < 2e-3, "at {bits}: {found}, expected {expected}");
        }
    }

    #[test]
    fn numbers_ascend_with_the_random_bits() {
        let table = Quantiles::lognormal(5000.0, 2.0).unwrap();
        let stream = Stream::new(3, Purpose::Durations);
        for entity in 0..20_000 {
            let random = stream.draw(entity, 0) | if entity % 3 == 0 { 0xffc0_0000 } else { 0 };
            assert!(table.at(random) <= table.at(random.saturating_add(1)), "at {random}");
        }
        for edge in [0x003f_ffff, 0xffbf_ffff, 0xffff_efff, 0xffff_fffe] {
            assert!(table.at(edge) <= table.at(edge + 1), "across the edge of a cell at {edge:x}");
        }
    }

    #[test]
    fn uniform_numbers_reach_both_ends_and_fixed_ones_do_not_move() {
        let dice = Quantiles::uniform(1, 6).unwrap();
        let mut counts = [0_u32; 7];
        for i in 0..6000_u32 {
            counts[dice.at(i * 715_827) as usize] += 1;
        }
        assert!(counts[1..].iter().all(|count| (990..=1010).contains(count)), "{counts:?}");
        assert_eq!(Quantiles::uniform(0, u32::MAX).unwrap().at(u32::MAX), u32::MAX, "the widest");
        assert_eq!(Quantiles::fixed(u32::MAX).at(5), u32::MAX, "fixed");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(Quantiles::uniform(6, 1), None, "the wrong way round");
        for mean in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(Quantiles::exponential(mean), None, "mean {mean}");
        }
        assert_eq!(Quantiles::lognormal(3600.0, 3.5), None, "too wide");
        assert_eq!(Quantiles::lognormal(3600.0, f64::NAN), None, "not a number");
    }
}
