//! What is asked of models: requests over time, in tokens.

/// Requests to models, one entry a request in each column, in the order of their arrival.
///
/// ```
/// use gigawatt::workload::{Demand, Tokens};
/// let mut demand = Demand::default();
/// demand.push(40, Tokens { input: 900, cached: 512, output: 30 });
/// demand.push(10, Tokens { input: 100, cached: 0, output: 7 });
/// let demand = demand.finish();
/// assert_eq!(demand.times_ms, [0, 30], "from the first on");
/// assert_eq!(demand.tokens[0].input, 100);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Milliseconds from the first request.
    pub times_ms: Vec<u64>,
    /// What each asks for.
    pub tokens: Vec<Tokens>,
    /// Unix milliseconds of the first request, where dates tell.
    pub epoch_ms: Option<u64>,
}

/// What a request asks for, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of its prompt.
    pub input: u32,
    /// Of those: how many may be cached from requests before, as far as is told; at most `input`.
    pub cached: u32,
    /// Of its answer; 0 where it got none.
    pub output: u32,
}

impl Demand {
    /// Adds a request at so many milliseconds, since 1970 or any other instant.
    pub fn push(&mut self, time_ms: u64, tokens: Tokens) {
        self.times_ms.push(time_ms);
        self.tokens.push(tokens);
    }
    /// The requests in the order of their arrival, those of one instant in the order given; the first one comes at 0.
    #[must_use]
    pub fn finish(self) -> Self {
        let mut order: Vec<usize> = (0..self.times_ms.len()).collect();
        order.sort_by_key(|index| self.times_ms[*index]);
        let first = order.first().map_or(0, |index| self.times_ms[*index]);
        Self {
            times_ms: order.iter().map(|index| self.times_ms[*index] - first).collect(),
            tokens: order.iter().map(|index| self.tokens[*index]).collect(),
            epoch_ms: self.epoch_ms.map(|_| first),
        }
    }
}
