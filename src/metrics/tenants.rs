use super::contention::Contended;
use super::distribution::{Distribution, ratio, real};
use super::times::{JobTimes, wait_time, was_eligible};
use crate::history::{History, Outcome};
use crate::units::{Money, Time};
use serde::Serialize;
use std::ops::Range;

/// What one tenant got.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantMetrics {
    /// As the user calls it.
    pub name: String,
    /// Jobs it submitted within the window.
    pub jobs: u32,
    /// Those of them that ran to an end: completed, failed or timed out.
    pub finished: u32,
    /// GPU-hours its jobs held within the window.
    pub gpu_hours: f64,
    /// The part of all held GPU-hours that was its own.
    pub share: f64,
    /// The part it is entitled to: its claim ÷ Σ claims where every tenant with a job has one, else equal parts; see
    /// [`Workload::claims`](crate::workload::Workload::claims).
    pub entitlement: f64,
    /// GPUs that its jobs held in the mean while it contended with others, see [`jain_index`]; none if it never did.
    pub contended_gpus: Option<f64>,
    /// Joules that its jobs drew within the window; none where no power is counted.
    pub energy_j: Option<u128>,
    /// What its jobs cost in the window, none where nothing is known of the grid.
    #[serde(rename = "cost_usd")]
    pub cost: Option<Money>,
    /// Grams of CO₂ equivalent that they stand for in the window.
    pub carbon_g: Option<i64>,
    /// Wait of its jobs, seconds; see [`Metrics::wait_time`](super::Metrics::wait_time).
    pub wait_time: Distribution<u32>,
}

/// Jain's index of the service of n tenants: (Σx)² ÷ (n · Σx²), 1/n to 1.
///
/// [`Metrics::jain_index`](super::Metrics::jain_index) takes it over the tenants with an entitlement that contended for
/// GPUs in the window, x being `contended_gpus` ÷ `entitlement`: the GPUs that a tenant's jobs held in the mean while it
/// contended, by what it is entitled to. There is contention while a job waits and at least two tenants have jobs that
/// wait or run; a tenant contends while there is contention and it has such a job. GPUs that nobody else asked for, and
/// time in which a tenant wanted nothing, say nothing about fairness and do not count. A tenant that asks for less than
/// it is entitled to is not told from one that gets less.
///
/// R. Jain, D. Chiu, W. Hawe, "A quantitative measure of fairness and discrimination for resource allocation in
/// shared computer systems", DEC TR-301, 1984.
///
/// ```
/// use gigawatt::metrics::jain_index;
/// assert_eq!(jain_index(&[3.0, 3.0, 3.0]), 1.0);
/// assert_eq!(jain_index(&[1.0, 0.0, 0.0, 0.0]), 0.25);
/// ```
#[must_use]
pub fn jain_index(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    let count = real(u128::try_from(shares.len()).expect("what is in memory is counted in 128 bits"));
    if squares > 0.0 { sum * sum / (count * squares) } else { 1.0 }
}

/// Whether a job ran to an end by itself.
pub(super) const fn is_finished(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Completed | Outcome::Failed | Outcome::Timeout)
}

/// The tenants that submitted a job within the window, in their order, and the fairness among them.
pub(super) fn tenants(
    history: &History,
    times: &[JobTimes],
    (held, contended): (&[u128], &[Contended]),
    joules: Option<&[u128]>,
    window: &Range<Time>,
) -> (Vec<TenantMetrics>, Option<f64>) {
    let workload = &history.plan.workload;
    let mut jobs = vec![0_u32; workload.tenants.len()];
    let mut finished = jobs.clone();
    let mut eligible: Vec<Vec<u32>> = vec![Vec::new(); workload.tenants.len()];
    for (index, (job, record)) in (0..).zip(workload.jobs.iter().zip(&history.jobs)) {
        let tenant = job.tenant as usize;
        if window.contains(&job.submit_time) {
            jobs[tenant] += 1;
            finished[tenant] += u32::from(is_finished(record.outcome));
            if was_eligible(history, index) {
                eligible[tenant].push(index);
            }
        }
    }
    let total: u128 = held.iter().sum();
    let present = || workload.tenants.iter().zip(&jobs).filter(|(_, jobs)| **jobs > 0);
    let claims = workload.claims(|job| window.contains(&workload.jobs[job as usize].submit_time));
    let count = real(u128::try_from(present().count()).expect("tenants are few"));
    let mut found = Vec::new();
    for (index, tenant) in workload.tenants.iter().enumerate().filter(|(index, _)| jobs[*index] > 0) {
        let entitlement = match &claims {
            Some(claims) => ratio(claims[index].into(), claims.iter().copied().map(u128::from).sum()),
            None => 1.0 / count,
        };
        found.push(TenantMetrics {
            name: tenant.name.clone(),
            jobs: jobs[index],
            finished: finished[index],
            gpu_hours: real(held[index]) / super::MILLI_SECONDS_AN_HOUR,
            share: ratio(held[index], total),
            entitlement,
            contended_gpus: mean_gpus(contended[index]),
            energy_j: joules.map(|joules| joules[index]),
            cost: None,
            carbon_g: None,
            wait_time: wait_time(history, times, &eligible[index]),
        });
    }
    let entitled = found.iter().filter(|tenant| tenant.entitlement > 0.0);
    let service: Vec<f64> =
        entitled.filter_map(|tenant| Some(tenant.contended_gpus? / tenant.entitlement)).collect();
    let fairness = (!service.is_empty()).then(|| jain_index(&service));
    (found, fairness)
}

fn mean_gpus(contended: Contended) -> Option<f64> {
    let seconds = u128::from(contended.seconds);
    (seconds > 0).then(|| ratio(contended.held, seconds * 1000))
}
