//! HOW GOOD a placement is: batches of (request, domain) pairs in, the cheapest domains of each request out.
//!
//! What fits and what it costs is told once, in [`SOURCE`] (`shaders/cost.wgsl`): a GPU runs that text, and the CPU
//! runs the same text translated when this crate is compiled. [`Query`] is what it reads of a request class,
//! [`Domains`] what it reads of nodes or racks, [`Tables`] what would need a division; an [`Evaluator`] ranks.
//! Everything is a plain array of integers: nothing here knows what a cluster is.
//!
//! ```
//! use gigawatt::cost::{Batch, Candidate, Cpu, Domain, Domains, Evaluator, Query, Ranking, Tables};
//! // Three nodes with 2, 8 and 4 free GPUs, each as costly as it is free; a job wants two units.
//! let mut domains = Domains::default();
//! for free in [2, 8, 4] {
//!     let domain = Domain { scopes: 1, units: free, own: free, ..Domain::default() };
//!     domains.push(domain, 0);
//! }
//! let tables = Tables::flat(1, 1);
//! let query = Query { scopes: 1, units: 2, least: 2, share: u32::MAX, ..Query::default() };
//! let batch = Batch { queries: &[query], domains: &domains, tables: &tables };
//! let mut ranking = Ranking::default();
//! Cpu::default().rank(&batch, 2, &mut ranking);
//! assert_eq!(ranking.of(0), [Candidate { cost: 2, index: 0 }, Candidate { cost: 4, index: 2 }]);
//! ```

#[cfg(feature = "gpu")]
mod auto;
mod board;
mod cpu;
mod domains;
mod evaluator;
#[cfg(feature = "gpu")]
mod gpu;
mod shader;
mod weights;

#[cfg(feature = "gpu")]
pub use auto::Auto;
pub use board::{Answer, Board};
pub use cpu::{Alike, Cpu, Instructions};
pub use domains::{COLUMNS, Domains, Tables};
pub use evaluator::{Batch, Candidate, Evaluator, Ranking};
#[cfg(feature = "gpu")]
pub use gpu::{Chunks, OnGpu, RANK_SOURCE, Ranker};
pub use shader::{Domain, Own, Place, Query, Weights, own_cost, pair_cost, place_cost};
pub use weights::{ParseWeightsError, TERMS, Term};

/// The definition of the cost model, as a shader text to put in front of an entry point.
pub const SOURCE: &str = include_str!("../../shaders/cost.wgsl");

/// The cost of what does not fit.
pub const INFEASIBLE: u32 = shader::INFEASIBLE.0;
/// The largest value of a term.
pub const TERM_MAX: u32 = shader::TERM_MAX.0;
/// The value of a fragmentation term where a start changes nothing: what it strands is above, what it mends below.
pub const UNCHANGED: u32 = shader::UNCHANGED.0;
