//! Counter-based random numbers: Philox4x32-10.
//!
//! The key is (seed, purpose), the counter (entity, draw): every number has its address, so that adding a draw in
//! one place moves none elsewhere, and a shader computes the same numbers.
//! J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
//!
//! ```
//! use gigawatt::random::{Purpose, Stream};
//! let stream = Stream::new(7, Purpose::Arrivals);
//! assert_eq!(stream.draw(3, 0), stream.draw(3, 0));
//! assert_ne!(stream.draw(3, 0), stream.draw(3, 1));
//! ```

mod normal;

pub use normal::{normal_cdf, normal_quantile};

/// What a stream of random numbers is for; streams of different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// When jobs are submitted.
    Arrivals = 1,
    /// What jobs ask for.
    Requests = 2,
    /// How long jobs work.
    Durations = 3,
    /// How far users' estimates are off.
    Estimates = 4,
    /// Where the random placement puts a job.
    Placement = 5,
    /// Which jobs of a trace a sample keeps.
    Sampling = 6,
    /// Resampling for confidence intervals.
    Bootstrap = 7,
    /// Making workloads of the shape of another one.
    Resampling = 8,
    /// Which points a sweep has.
    Design = 9,
    /// Which jobs a packing offers, and in which order.
    Packing = 10,
    /// How long jobs may take until they are due.
    Deadlines = 11,
    /// How long parts of a cluster last, and how each is repaired.
    Lifetimes = 12,
    /// How long it takes to see that something failed, and to repair it.
    Repairs = 13,
    /// Which nodes fail more often than others.
    Lemons = 14,
}

/// One stream of random numbers, addressed by (entity, draw).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    purpose: u32,
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

#[expect(clippy::cast_possible_truncation, reason = "the two halves of a 64-bit number")]
const fn halves(wide: u64) -> [u32; 2] {
    [(wide >> 32) as u32, wide as u32]
}

/// One block of Philox4x32-10.
#[must_use]
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let [high_0, low_0] = halves(u64::from(MULTIPLIERS[0]) * u64::from(counter[0]));
        let [high_1, low_1] = halves(u64::from(MULTIPLIERS[1]) * u64::from(counter[2]));
        counter = [high_1 ^ counter[1] ^ key[0], low_1, high_0 ^ counter[3] ^ key[1], low_0];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

impl Stream {
    /// The stream of `seed` for `purpose`.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        let [high, low] = halves(seed);
        Self { key: [low, high], purpose: purpose as u32 }
    }
    /// Four numbers, each uniform in 0..2³².
    #[must_use]
    pub fn block(&self, entity: u64, draw: u32) -> [u32; 4] {
        let [high, low] = halves(entity);
        philox([low, high, draw, self.purpose], self.key)
    }
    /// A number uniform in 0..2³².
    #[must_use]
    pub fn draw(&self, entity: u64, draw: u32) -> u32 {
        self.block(entity, draw)[0]
    }
    /// A number uniform in 0..`bound`, without division and with a bias below `bound` / 2³²; 0 if `bound` is.
    #[must_use]
    pub fn below(&self, entity: u64, draw: u32, bound: u32) -> u32 {
        halves(u64::from(self.draw(entity, draw)) * u64::from(bound))[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_numbers_published_with_it() {
        // Known answers of the reference implementation (Random123, kat_vectors, philox4x32 10).
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8], "all zero");
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            "all ones"
        );
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            "digits of pi"
        );
    }

    #[test]
    fn numbers_below_a_bound_are_even() {
        let stream = Stream::new(1, Purpose::Requests);
        let mut counts = [0_u32; 7];
        for entity in 0..70_000 {
            counts[stream.below(entity, 0, 7) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert_eq!(stream.below(0, 0, 0), 0, "nothing is below zero");
    }
}
