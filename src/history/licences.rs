use super::Plan;

impl Plan {
    /// The first licence of which a job holds more than there are, so that it could never start.
    ///
    /// ```
    /// use gigawatt::cluster::{Cluster, Licence};
    /// use gigawatt::history::Plan;
    /// use gigawatt::units::{Gpus, Time};
    /// use gigawatt::workload::{Builder, Job, Request};
    /// let mut builder = Builder::default();
    /// builder.request(Request { licences: vec![(0, 3)], ..Request::gang(Gpus::ONE) });
    /// builder.push(Job::at(Time(0)));
    /// let mut cluster = Cluster::default();
    /// cluster.licences = vec![Licence { name: "solver".to_owned(), count: 2 }];
    /// let plan = Plan { cluster, workload: builder.finish(), ..Plan::default() };
    /// assert_eq!(plan.beyond_licence(0), Some(0));
    /// ```
    #[must_use]
    pub fn beyond_licence(&self, job: u32) -> Option<u32> {
        let lacks = |(own, count): &&(u32, u32)| self.cluster.licences[*own as usize].count < *count;
        self.workload.request_of(job).licences.iter().find(lacks).map(|(own, _)| *own)
    }
}
