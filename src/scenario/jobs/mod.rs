//! The jobs of a scenario: hand-written graphs, traces and generators, all into one [`Builder`].

mod amount;
mod checkpoints;
mod estimates;
mod generate;
mod graph;
mod layered;
pub(super) mod licences;
mod map;
mod pack;
mod platforms;
mod queues;
mod request;
mod running;
mod submit;
mod tenants;
mod trace;

pub(super) use trace::read as read_trace;

use super::files::Files;
use super::storage::Storage;
use crate::cluster::Cluster;
use crate::document::{Document, Item, Mark, Placed, Table};
use crate::error::{Place, Problem};
use crate::hardware::Catalogue;
use crate::history::Settings;
use crate::policy::part::WeightsRead;
use crate::workload::{Builder, Workload};
use std::collections::{BTreeMap, BTreeSet};

/// The most jobs that a scenario may ask for beside those of a trace.
pub(super) const JOBS_MAX: usize = 5_000_000;
/// The most dependencies of a scenario.
const EDGES_MAX: usize = 5_000_000;

/// What the jobs of a scenario refer to, and the workload they make.
#[derive(Debug)]
pub(super) struct Jobs<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// None if it is wrong: then no partition is unknown.
    pub(super) cluster: Option<&'a Cluster>,
    pub(super) settings: &'a Settings,
    pub(super) files: &'a mut Files,
    /// Whose weights a policy that is chosen reads.
    weights_read: WeightsRead,
    tenants: tenants::Tenants,
    queues: queues::Queues,
    builder: Builder,
    /// Where each request was first written.
    places: BTreeMap<u32, Place>,
    graphs: BTreeSet<String>,
    loose: BTreeSet<String>,
    generators: u32,
    edges: usize,
    full: bool,
    /// What checkpoints are written to.
    pub(super) storage: Option<Storage>,
    /// Whether the scenario says what checkpoints are written to, and what fails; it may be wrong.
    has_storage: bool,
    has_failures: bool,
    /// Whether a job writes to the storage.
    stores: bool,
}

/// The workload of a scenario and where its requests were written.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) workload: Option<Workload>,
    pub(super) places: BTreeMap<u32, Place>,
}

impl<'a> Jobs<'a> {
    pub(super) fn new(
        catalogue: &'a Catalogue,
        cluster: Option<&'a Cluster>,
        (settings, weights_read): (&'a Settings, WeightsRead),
        files: &'a mut Files,
    ) -> Self {
        Self {
            catalogue,
            cluster,
            settings,
            files,
            weights_read,
            tenants: tenants::Tenants::default(),
            queues: queues::Queues::default(),
            builder: Builder::default(),
            places: BTreeMap::new(),
            graphs: BTreeSet::new(),
            loose: BTreeSet::new(),
            generators: 0,
            edges: 0,
            full: false,
            storage: None,
            has_storage: false,
            has_failures: false,
            stores: false,
        }
    }

    /// Reads `[[tenant]]`, `[[queue]]` and `[workload]`.
    pub(super) fn read(mut self, document: &Document, root: &mut Table<'_>) -> Asked {
        let platforms = platforms::Platforms { catalogue: self.catalogue, cluster: self.cluster };
        self.tenants = tenants::read(document, root, platforms);
        self.queues = queues::read(document, root, platforms);
        (self.has_storage, self.has_failures) = (root.has("storage"), root.has("failures"));
        self.check_weights(document);
        let hint =
            "a table with `trace`, `graph`, `job` or `generate`; on the command line `--workload FILE`";
        let Some(mut workload) = root.required_or_hint("workload", hint).and_then(Item::table) else {
            return Asked::default();
        };
        // A trace comes first: what it brings is taken over whole.
        self.trace(document, &mut workload);
        for tenant in &self.tenants.declared {
            self.builder.add_tenant(tenant.tenant.clone());
        }
        self.written(document, &mut workload);
        self.generated(document, &mut workload);
        if !["trace", "graph", "job", "generate"].iter().any(|key| workload.has(key)) {
            let problem = Problem::new("a workload without a job");
            workload.complain(problem.hint("give `trace`, `graph`, `job` or `generate`"));
        } else if self.builder.is_empty() && !document.has_problems() && self.files.problems.is_empty() {
            workload.complain(Problem::new("no job comes of this workload"));
        }
        if let Some(storage) = self.storage.filter(|_| !self.stores && !document.has_problems()) {
            let problem = Problem::new("`[storage]`, and no job tells the size of its checkpoints");
            document.complain(storage.mark, problem.hint("`checkpoint_size = \"5.3TB\"` of a job does"));
        }
        let pack = pack::read(document, &mut workload);
        workload.finish();
        self.add_queues(document);
        let workload = if document.has_problems() || !self.files.problems.is_empty() {
            None
        } else {
            // Rings were looked for graph by graph.
            let finished = self.builder.try_finish().ok();
            let cluster = self.cluster;
            finished.and_then(|workload| match (pack, cluster) {
                (Some(pack), Some(cluster)) => pack.apply(document, workload, cluster, self.settings),
                _ => Some(workload),
            })
        };
        Asked { workload, places: self.places }
    }

    /// Some part has to read what is told of weights.
    fn check_weights(&self, document: &Document) {
        let order = &self.settings.order;
        let complain = |mark: Mark, hint: &str| {
            let problem = Problem::new(format!("`weight`, and order `{order}` reads none"));
            document.complain(mark, problem.hint(hint));
        };
        let of_tenants = self.tenants.declared.iter().filter_map(|declared| declared.weight);
        for mark in of_tenants.filter(|_| !self.weights_read.of_tenants) {
            complain(mark, "order `fair-tree` does, and `multifactor` with `weight_share`");
        }
        for mark in self.queues.weights().filter(|_| !self.weights_read.of_queues) {
            complain(
                mark,
                "order `fair-tree` does, `multifactor` with `weight_share`, those that let queues take turns, such as `drf`, and \
                 preemption `reclaim`",
            );
        }
    }

    /// Adds a place for a request, unless it is known.
    fn note_request(&mut self, request: u32, document: &Document, mark: Mark) {
        self.places.entry(request).or_insert_with(|| document.place(mark));
    }

    /// Whether `more` jobs still fit; if not, that is reported once.
    fn has_room(&mut self, document: &Document, mark: Mark, more: u64) -> bool {
        if self.full {
            return false;
        }
        self.full = self.builder.len() as u64 + more > JOBS_MAX as u64;
        if self.full {
            document.complain(mark, Problem::new(format!("more than {JOBS_MAX} jobs with these")));
        }
        !self.full
    }

    /// The index of the partition that a job names; none if there is no such partition.
    fn partition(&mut self, document: &Document, name: &Placed<String>) -> Option<u32> {
        if let Some(cluster) = self.cluster
            && cluster.partition(name).is_none()
        {
            let problem = Problem::new(format!("unknown partition `{}`", name.value));
            let known = cluster.partitions.iter().map(|partition| partition.name.as_str());
            document.complain(name.mark, problem.hint_nearest(name, known));
            return None;
        }
        Some(self.builder.partition(name))
    }
}
