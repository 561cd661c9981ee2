//! What tenants are entitled to.

use super::Workload;

impl Workload {
    /// By tenant: what is its own, thousandths of a GPU, where `counts` says which jobs count; 0 for a tenant without one.
    ///
    /// That is an equal part of what is nominal of each queue in which its jobs stand, for as many tenants as have jobs there,
    /// and at most its quota; its quota where they stand in none. None if a tenant with a job has neither, or nobody has
    /// anything.
    ///
    /// ```
    /// use gigawatt::workload::{Behaviour, Builder, Job, Queue, Request, Tenant};
    /// use gigawatt::units::{Gpus, Time};
    /// let mut builder = Builder::default();
    /// let request = builder.request(Request::gang(Gpus::whole(1)));
    /// let behaviour = builder.behaviour(Behaviour::default());
    /// for name in ["lab", "shop", "web"] {
    ///     let tenant = builder.tenant(name);
    ///     builder.push(Job { request, behaviour, tenant, ..Job::at(Time(0)) });
    /// }
    /// let mut workload = builder.finish();
    /// let nominal = |gpus: u32| Some(gpus * 1000);
    /// let own = |name, tenants, gpus| Queue { tenants, nominal_milli: nominal(gpus), ..Queue::named(name) };
    /// workload.queues = vec![own("labs", vec![0], 8), own("shops", vec![1, 2], 4)];
    /// assert_eq!(workload.claims(|_| true), Some(vec![8000, 2000, 2000]));
    /// assert_eq!(workload.claims(|job| job < 2), Some(vec![8000, 4000, 0]), "nobody shares it then");
    /// workload.queues.clear();
    /// assert_eq!(workload.claims(|_| true), None, "nobody has anything of its own");
    /// ```
    #[must_use]
    pub fn claims(&self, counts: impl Fn(u32) -> bool) -> Option<Vec<u64>> {
        // By tenant, then queue, none first: whether a job of it stands there.
        let places = self.queues.len() + 1;
        let mut stands = vec![false; self.tenants.len() * places];
        for job in (0..self.len()).filter(|job| counts(*job)) {
            let place = self.queue_of(job).map_or(0, |queue| queue as usize + 1);
            stands[self.jobs[job as usize].tenant as usize * places + place] = true;
        }
        let part = |place: usize| {
            let tenants = stands.iter().skip(place).step_by(places).filter(|stands| **stands).count();
            self.queues[place - 1].own_milli().unwrap_or(0) / tenants as u64
        };
        let mut claims = Vec::new();
        for (tenant, stands) in self.tenants.iter().zip(stands.chunks(places)) {
            let of_queues = (1..places).filter(|place| stands[*place]).map(part);
            let own = of_queues.reduce(|sum, more| sum + more);
            let quota = tenant.own_milli();
            claims.push(match own {
                _ if !stands.contains(&true) => 0,
                Some(own) => quota.map_or(own, |most| own.min(most)),
                None => quota?,
            });
        }
        claims.iter().any(|claim| *claim > 0).then_some(claims)
    }
}
