//! What several tests share: the naive reference simulator, recorded schedules, plans by hand.

pub(crate) mod choices;
pub(crate) mod failing;
pub(crate) mod for_all;
pub(crate) mod naive;
pub(crate) mod plans;
pub(crate) mod queues;
pub(crate) mod ranks;
pub(crate) mod recorded;
pub(crate) mod schedule;
