//! What requests to models look like: how many when, and how long.

use super::distribution::{Distribution, ratio};
use crate::workload::{Demand, Tokens};

/// Tokens of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TokenCounts {
    /// By request.
    pub each: Distribution<u32>,
    /// Of all requests.
    pub sum: u64,
}

/// Requests as numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct DemandProfile {
    /// How many there are.
    pub requests: u64,
    /// Milliseconds from the first to the last.
    pub span_ms: u64,
    /// Unix milliseconds of the first one, where dates tell.
    pub epoch_ms: Option<u64>,
    /// Requests in each of equally long parts of the span.
    pub arrivals: Vec<u64>,
    /// Coefficient of variation of the times from one request to the next, √variance / mean: 1 where they come at random
    /// (Poisson), more where they come in bursts; 0 where all come at once.
    pub gap_variation: f64,
    /// Tokens of prompts.
    pub input: TokenCounts,
    /// Of those, what may be cached.
    pub cached: TokenCounts,
    /// Tokens of answers.
    pub output: TokenCounts,
}

impl DemandProfile {
    /// Of `demand`, in as many parts of its span as `buckets` (at least 1) says.
    ///
    /// ```
    /// use gigawatt::metrics::DemandProfile;
    /// use gigawatt::workload::{Demand, Tokens};
    /// let mut demand = Demand::default();
    /// [0, 1000, 2000, 5000].map(|time| demand.push(time, Tokens { input: 10, cached: 0, output: 1 }));
    /// let profile = DemandProfile::of(&demand.finish(), 5);
    /// assert_eq!(profile.arrivals, [1, 1, 1, 0, 1]);
    /// assert_eq!((profile.input.sum, profile.output.each.p50), (40, 1));
    /// ```
    #[must_use]
    pub fn of(demand: &Demand, buckets: usize) -> Self {
        let span_ms = demand.times_ms.last().copied().unwrap_or_default();
        let mut arrivals = vec![0; buckets.max(1)];
        let last = arrivals.len() - 1;
        for time in &demand.times_ms {
            let part = u128::from(*time) * arrivals.len() as u128 / u128::from(span_ms.max(1));
            arrivals[usize::try_from(part).map_or(last, |part| part.min(last))] += 1;
        }
        let counts = |of: fn(&Tokens) -> u32| TokenCounts {
            each: Distribution::of_seconds(demand.tokens.iter().map(of).collect()),
            sum: demand.tokens.iter().map(|tokens| u64::from(of(tokens))).sum(),
        };
        Self {
            requests: demand.times_ms.len() as u64,
            span_ms,
            epoch_ms: demand.epoch_ms,
            arrivals,
            gap_variation: variation(&demand.times_ms),
            input: counts(|tokens| tokens.input),
            cached: counts(|tokens| tokens.cached),
            output: counts(|tokens| tokens.output),
        }
    }
    /// Requests a second from the first to the last; 0 where all come at once.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if self.span_ms == 0 {
            0.0
        } else {
            ratio(u128::from(self.requests) * 1000, u128::from(self.span_ms))
        }
    }
}

/// The coefficient of variation of the times from each instant to the next.
fn variation(times: &[u64]) -> f64 {
    let gaps = || times.windows(2).map(|pair| u128::from(pair[1] - pair[0]));
    let count = gaps().count() as u128;
    let (sum, squares) = gaps().fold((0, 0), |(sum, squares), gap| (sum + gap, squares + gap * gap));
    if sum == 0 {
        return 0.0;
    }
    // n² · variance, exactly.
    let variance = count * squares - sum * sum;
    ratio(variance, 1).sqrt() / ratio(sum, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_vary_by_their_standard_deviation_over_their_mean() {
        assert!(variation(&[0, 10, 20, 30]) < 1e-12, "a clock");
        // Gaps 0 and 2: mean 1, standard deviation 1.
        assert!((variation(&[5, 5, 7]) - 1.0).abs() < 1e-12, "one late");
        assert!(variation(&[5, 5]) < 1e-12 && variation(&[]) < 1e-12, "all at once, or none");
    }
}
