//! Draw, caps and energy: what nodes, racks, feeds and sites draw, second by second, and what of it is whose.
//!
//! [`draw`] is the one definition of what a job draws on a node, [`tree`] of what domains draw for their nodes, and
//! [`energy`] follows both through a run; [`bill`] says what a site pays for it, and [`battery`] what stands between;
//! [`meter`] puts many feeds over months into buckets, on a GPU where there is one.
//! Everything is whole watts and joules: nothing is lost between the parts and the whole.
//!
//! | what | formula | source |
//! |---|---|---|
//! | a GPU in a phase | max(idle, min(level of the phase, cap) × TGP) | levels: `gigawatt list platforms NAME`; arXiv 2508.14318, POLCA arXiv 2308.12908 |
//! | a node of a job | idle + (busy − idle) × (GPU − GPU idle) ÷ (TGP − GPU idle), by thousandths held | linear in its GPUs: inferred |
//! | a phase under a cap | time × speed at its level ÷ speed at the cap, along the platform's curve | arXiv 2604.11391; inferred numbers marked so |
//! | a conversion | ⌈(in + a) × n ÷ d⌉, stage by stage, node to site | the digital twin RAPS of Frontier, reproduced to 10 kW |
//! | a site | draw × PUE(load, outdoor temperature), linear between loads, by steps of temperature | ISO/IEC 30134-2 |
//! | energy | Σ draw × seconds, between changes | Batsim's joules reproduced exactly |
//! | cost of energy | Σ draw × price × seconds ÷ 3.6·10⁹, divided once | prices in $/MWh |
//! | demand charge | Σ over months of the highest mean draw of an interval × price | tariffs of utilities: 15 min, $/kW |
//! | carbon | Σ draw × intensity × seconds | average intensity, as Electricity Maps records it |
//! | load factor, ramp | mean ÷ peak; largest change between mean draws of two minutes | usual among utilities |
//! | a window to wait for | start of least ∫ price, or carbon, over the expected run within the delay | Wiesner et al., Let's wait awhile, Middleware 2021 |

pub mod battery;
pub mod bill;
pub(crate) mod domains;
pub mod draw;
pub mod energy;
mod limit;
pub mod meter;
pub mod share;
pub mod tree;
pub mod window;

pub use limit::{limits, own_cap};
pub use tree::{Domain, Parts};
