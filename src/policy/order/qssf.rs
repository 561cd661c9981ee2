//! Quasi-shortest service first: by the service that a job will take, as those before it tell.
//!
//! A job is predicted to run as long as the last two of its tenant with as many GPUs did on average; of a tenant of which
//! fewer have ended, as long as the last two of all tenants; before those too have ended, as long as it asks for. That is
//! predicted once, when the job becomes eligible.

use super::{ListedOrder, OrderKey};
use crate::history::SegmentEnd;
use crate::state::{Event, State};
use crate::workload::Overrun;
use std::collections::BTreeMap;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "qssf",
    about: "least GPUs × predicted time first: what the last two of the tenant with as many GPUs took",
    source: "Hu et al., Characterization and prediction of deep learning workloads (Helios), SC 2021; the prediction: Tsafrir, Etsion, Feitelson, TPDS 2007",
    options: &[],
    rule: OrderKey::Learned,
};

/// The seconds that the last two took, the later one last.
type LastTwo = [Option<u32>; 2];

/// How long jobs took that have ended.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// By tenant and thousandths of GPUs.
    of_tenant: BTreeMap<(u32, u32), LastTwo>,
    /// By thousandths of GPUs.
    of_all: BTreeMap<u32, LastTwo>,
}

impl Learned {
    /// Takes note of a job that has ended by itself.
    pub(super) fn observe(&mut self, event: &Event, state: &State) {
        let Event::Ended { job, end, .. } = *event else { return };
        if !matches!(end, SegmentEnd::Completed | SegmentEnd::Failed | SegmentEnd::Timeout) {
            return;
        }
        let (tenant, milli) = (state.job(job).tenant, state.class(job).gpus_milli);
        let took = seconds_of(state, job);
        let note = |last: &mut LastTwo| *last = [last[1], Some(took)];
        note(self.of_tenant.entry((tenant, milli)).or_default());
        note(self.of_all.entry(milli).or_default());
    }

    /// The key of a job: thousandths of GPUs times twice the seconds that it is predicted to take.
    pub(super) fn key(&self, state: &State, job: u32) -> u64 {
        let (tenant, milli) = (state.job(job).tenant, state.class(job).gpus_milli);
        let both = |last: &LastTwo| Some(u64::from(last[0]?) + u64::from(last[1]?));
        let of_tenant = self.of_tenant.get(&(tenant, milli)).and_then(both);
        let predicted = of_tenant.or_else(|| self.of_all.get(&milli).and_then(both));
        let asked = || 2 * u64::from(state.job(job).requested_time.0);
        predicted.unwrap_or_else(asked).saturating_mul(u64::from(milli))
    }
}

/// The reference seconds of work that a job did: all of it, or as much as it asked for where it is killed then.
fn seconds_of(state: &State, job: u32) -> u32 {
    let killed = state.plan().workload.behaviour_of(job).overrun == Overrun::Kill;
    let (work, requested) = (state.job(job).work_time, state.job(job).requested_time);
    if killed { work.min(requested).0 } else { work.0 }
}
