//! What a policy decides, as data, and why it is refused.

use crate::cluster::Piece;
use crate::units::{Factor, Time};

/// Something that a policy decides. What follows from the domains (kind of nodes, racks spanned, rate) is derived when
/// it is applied, so that a decision cannot be wrong about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// A pending job takes these domains.
    Start {
        /// Its index.
        job: u32,
        /// What it is to hold.
        domains: &'a [Piece],
        /// The most its GPUs draw, as a fraction of their TGP.
        cap: Factor,
    },
    /// A running job lets go of everything and waits again; work since its last checkpoint is lost, and nothing where
    /// none is stated.
    Stop {
        /// Its index.
        job: u32,
    },
    /// A running job goes on with other domains, as many GPUs; it first holds them for its restart time, and nothing is
    /// lost.
    Move {
        /// Its index.
        job: u32,
        /// What it is to hold.
        domains: &'a [Piece],
    },
    /// As a move, with more or fewer GPUs, its rate in proportion.
    Resize {
        /// Its index.
        job: u32,
        /// What it is to hold.
        domains: &'a [Piece],
    },
    /// A running job goes on with its GPUs capped: nothing is lost, its rate follows.
    Cap {
        /// Its index.
        job: u32,
        /// The most its GPUs draw, as a fraction of their TGP.
        cap: Factor,
    },
    /// A pending job is refused for good.
    Reject {
        /// Its index.
        job: u32,
    },
    /// A pending job is held back on purpose until an instant, at which there is a pass.
    Hold {
        /// Its index.
        job: u32,
        /// Until when.
        until: Time,
    },
    /// A pass is wanted at an instant in which nothing else may happen.
    WakeAt {
        /// When.
        time: Time,
    },
}

/// What a decision would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Law {
    /// There is no such job.
    #[error("there is no such job")]
    Unknown,
    /// The job is not pending.
    #[error("it is not pending")]
    NotPending,
    /// The job is not running, or only since this instant.
    #[error("it does not run yet")]
    NotRunning,
    /// A domain is held by another job, or twice in the decision, or does not exist.
    #[error("node {0} is not free for it")]
    NotFree(u32),
    /// A node takes no new pods.
    #[error("node {0} takes no new pods")]
    NotUp(u32),
    /// A node lies outside of the job's partition and platforms.
    #[error("node {0} is outside of its partition or platforms")]
    OutOfScope(u32),
    /// The domains are not the pods that the job asks for.
    #[error("these are not the pods it asks for")]
    Shape,
    /// The tenant, or the queue that the job stands in, would hold more than it may.
    #[error("its tenant or its queue would hold more than it may")]
    Quota,
    /// The jobs of its partition would hold more than its limit.
    #[error("the jobs of its partition would hold more than its limit")]
    Limit,
    /// More of a licence would be held than there is.
    #[error("more of a licence would be held than there is")]
    Licence,
    /// A cap on power would be exceeded.
    #[error("a cap on power would be exceeded")]
    Power,
    /// The instant is past.
    #[error("the instant is past")]
    Past,
}

/// A decision that was not carried out; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{decision}: {law}")]
pub struct Refusal {
    /// The decision, for people: `start 7 on [...]`.
    pub decision: String,
    /// What it would have broken.
    pub law: Law,
}

impl Decision<'_> {
    pub(crate) fn refused(&self, law: Law) -> Refusal {
        Refusal { decision: format!("{self:?}"), law }
    }
}
