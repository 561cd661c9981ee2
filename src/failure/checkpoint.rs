//! How often to write checkpoints, and what failures leave of the time: closed forms, in seconds, with failures that are
//! exponential of mean `mtbf`, each followed by a restart that takes `restart`, and checkpoints that stall for `stall`
//! after every `interval` of work.
//!
//! ```
//! use gigawatt::failure::checkpoint::{Checkpoints, daly, optimal, young};
//! let (mtbf, stall) = (3.0 * 3600.0, 30.0);
//! assert!((young(stall, mtbf) - 804.98).abs() < 5e-3);
//! assert!((daly(stall, mtbf) - 785.1087).abs() < 5e-5);
//! assert!((optimal(stall, mtbf) - 785.1099).abs() < 5e-5);
//! let best = Checkpoints { interval: optimal(stall, mtbf), stall, restart: 600.0, mtbf };
//! assert!((best.effective() - 0.87719).abs() < 5e-6);
//! assert!((1.0 - best.first_order_waste() - 0.8699).abs() < 5e-5);
//! ```

use lambert_w::lambert_w0;

/// The time between checkpoints that is best to first order, √(2 · stall · mtbf) (Young, Communications of the ACM
/// 17(9), 1974).
#[must_use]
pub fn young(stall: f64, mtbf: f64) -> f64 {
    libm::sqrt(2.0 * stall * mtbf)
}

/// The same to higher order (Daly, Future Generation Computer Systems 22, 2006): √(2δM) · (1 + ⅓√(δ/2M) + δ/18M) − δ;
/// M where the stall is no less than twice as long.
#[must_use]
pub fn daly(stall: f64, mtbf: f64) -> f64 {
    if stall >= 2.0 * mtbf {
        return mtbf;
    }
    let ratio = stall / (2.0 * mtbf);
    young(stall, mtbf) * (1.0 + libm::sqrt(ratio) / 3.0 + ratio / 9.0) - stall
}

/// The best time between checkpoints: where [`Checkpoints::wall`] is least, M · (1 + W₀(−e^(−1 − δ/M))), W₀ being the
/// upper branch of Lambert's W.
///
/// ```
/// use gigawatt::failure::checkpoint::{Checkpoints, optimal};
/// let of = |interval| Checkpoints { interval, stall: 300.0, restart: 60.0, mtbf: 1000.0 }.wall(1e6);
/// let best = optimal(300.0, 1000.0);
/// assert!(of(best) < of(best - 1.0) && of(best) < of(best + 1.0));
/// ```
#[must_use]
pub fn optimal(stall: f64, mtbf: f64) -> f64 {
    mtbf * (1.0 + lambert_w0(-libm::exp(-1.0 - stall / mtbf)))
}

/// A job that writes checkpoints, all in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checkpoints {
    /// Work from the end of one checkpoint to the begin of the next.
    pub interval: f64,
    /// How long the work stands still for each.
    pub stall: f64,
    /// From a failure until work goes on.
    pub restart: f64,
    /// Mean time from one failure to the next.
    pub mtbf: f64,
}

impl Checkpoints {
    /// The expected time that so much work takes, where failures come at any time, during checkpoints and restarts too:
    /// M · e^(R/M) · (e^((τ+δ)/M) − 1) · work ÷ τ (Daly, equation 20).
    #[must_use]
    pub fn wall(&self, work: f64) -> f64 {
        let segment = libm::expm1((self.interval + self.stall) / self.mtbf);
        self.mtbf * libm::exp(self.restart / self.mtbf) * segment * work / self.interval
    }
    /// The effective training time ratio: work ÷ [`Checkpoints::wall`].
    #[must_use]
    pub fn effective(&self) -> f64 {
        1.0 / self.wall(1.0)
    }
    /// What is lost of the time to first order, δ/τ + (τ/2 + R)/M: checkpoints, and for each failure half an interval and
    /// the restart.
    #[must_use]
    pub fn first_order_waste(&self) -> f64 {
        self.stall / self.interval + (self.interval / 2.0 + self.restart) / self.mtbf
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exactly representable results")]
mod tests {
    use super::*;

    #[test]
    fn the_optimum_is_where_no_other_interval_is_better() {
        for (stall, mtbf) in [(1.0, 1e6), (30.0, 10_800.0), (300.0, 1800.0), (1e4, 3600.0)] {
            let of = |interval| Checkpoints { interval, stall, restart: 600.0, mtbf }.wall(1e6);
            let best = optimal(stall, mtbf);
            for other in (1..400).map(|step| best * f64::from(step) / 100.0) {
                assert!(of(best) <= of(other) * (1.0 + 1e-12), "{stall} and {mtbf}: {other} beats {best}");
            }
            assert!((libm::exp(-(best + stall) / mtbf) - (1.0 - best / mtbf)).abs() < 1e-9, "its equation");
        }
    }

    #[test]
    fn approximations_approach_the_optimum() {
        let error = |of: fn(f64, f64) -> f64, stall: f64| (of(stall, 1e5) / optimal(stall, 1e5) - 1.0).abs();
        for stall in [10.0, 1000.0] {
            assert!(error(daly, stall) < error(young, stall) / 10.0, "{stall}");
        }
        assert!(error(young, 0.1) < 1e-3 && error(young, 1000.0) > 0.04, "for short stalls alone");
        assert_eq!(daly(2000.0, 1000.0), 1000.0, "where a checkpoint takes longer than a life");
        let hours = Checkpoints { interval: 100.0, stall: 0.1, restart: 1.0, mtbf: 1e6 };
        assert!(
            (1.0 - hours.first_order_waste() - hours.effective()).abs() < 1e-5,
            "where failures are rare"
        );
    }
}
