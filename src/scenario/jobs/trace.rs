use super::request::family_of;
use super::{Jobs, estimates};
use crate::cluster::Cluster;
use crate::document::{Document, Placed, Table};
use crate::error::{Error, Place, Problem};
use crate::report::number::counted;
use crate::scenario::files::Files;
use crate::scenario::traces::{self, Kept};
use crate::trace::{FORMATS, Mapping, Moment, Options, PlatformIndex, SwfPartition, Trace, read_bytes};
use crate::workload::{Builder, Request, Topology, Workload};

pub(super) const SWF_PARTITIONS: [(&str, SwfPartition); 3] = [
    ("ignore", SwfPartition::Ignore),
    ("queue", SwfPartition::Queue),
    ("partition", SwfPartition::Partition),
];

/// Keys of `[workload]` that work on a trace alone.
const TRACE_KEYS: [&str; 7] = ["format", "from", "until", "sample", "map", "skip_bad_lines", "estimates"];

/// What `[workload]` says of a trace and how to read it.
struct Asked {
    path: Option<Placed<String>>,
    format: Option<String>,
    options: Options<'static>,
    mapping: Mapping,
    estimates: Option<estimates::Wish>,
    /// Whether all of it is right.
    whole: bool,
}

impl Asked {
    fn of(document: &Document, table: &mut Table<'_>, seed: u64) -> Self {
        let path = table.optional::<String>("trace");
        let format = format(document, table);
        let mut whole = !table.has("format") || format.is_some();
        let mut options = Options {
            from: moment(table, "from", &mut whole),
            until: moment(table, "until", &mut whole),
            scale_load: scale_load(document, table),
            sample: 1.0,
            seed,
            skip_bad_lines: table.value_or("skip_bad_lines", false),
            ..Options::default()
        };
        if let Some(sample) = table.optional::<f64>("sample") {
            if sample.value > 0.0 && sample.value <= 1.0 {
                options.sample = sample.value;
            } else {
                let problem = Problem::new(format!(
                    "`sample`: expected a number above 0 and at most 1, found `{}`",
                    sample.value
                ));
                document.complain(sample.mark, problem.hint("the share of jobs to keep"));
                whole = false;
            }
        }
        let mut mapping = Mapping::default();
        super::map::read(document, table, &mut options, &mut mapping);
        let (estimates, right) = estimates::read(document, table);
        whole &= right;
        Self { path, format, options, mapping, estimates, whole }
    }
}

/// The trace that a document's `[workload]` names, on no cluster; wishes for platforms are left out where nothing gives
/// them an index.
pub(in crate::scenario) fn read(
    document: &Document,
    root: &mut Table<'_>,
    platform: Option<&PlatformIndex<'_>>,
) -> Option<Result<Trace, Error>> {
    let seed = root.table("run").map_or(0, |mut run| run.value_or("seed", 0));
    let mut table = root.table("workload")?;
    let Asked { path, format, options, mapping, estimates, .. } = Asked::of(document, &mut table, seed);
    table.finish();
    if document.has_problems() {
        return None;
    }
    let path = std::path::PathBuf::from(path?.value);
    let options = Options { platform, map: &mapping, ..options };
    let mut trace = match crate::trace::read(&path, format.as_deref(), &options) {
        Ok(trace) => trace,
        Err(error) => return Some(Err(error)),
    };
    let mut files = Files::default();
    if let Some(wish) = &estimates {
        estimates::give(wish, document, &mut files, seed, &mut trace);
    }
    Some(files.problems.into_result(trace))
}

impl Jobs<'_> {
    /// Reads `trace`, if there is one, and what belongs to it into the still empty builder.
    pub(super) fn trace(&mut self, document: &Document, table: &mut Table<'_>) {
        let seed = self.settings.seed;
        let Asked { path, format, options, mapping, estimates, whole } = Asked::of(document, table, seed);
        let Some(path) = path else {
            for key in TRACE_KEYS {
                if let Some(mark) = table.key_mark(key).filter(|_| !table.has("trace")) {
                    document
                        .complain(mark, Problem::new(format!("`{key}` works on a trace, and there is none")));
                }
            }
            return;
        };
        if !whole {
            // It is told whether there is such a file.
            let _ = self.files.read(document, &path);
            return;
        }
        let catalogue = self.catalogue;
        let known = |name: &str| catalogue.index_of(name);
        let options = Options { platform: Some(&known), map: &mapping, ..options };
        let Some((resolved, mut trace)) = self.read_once(document, &path, format.as_deref(), &options) else {
            return;
        };
        if let Some(wish) = &estimates {
            estimates::give(wish, document, self.files, seed, &mut trace);
        }
        self.files.notes.extend(trace.notes.lines());
        let place = Place::file(resolved);
        let workload = self.at_home(trace.workload, &place);
        self.places = (0..).zip(&workload.requests).map(|(request, _)| (request, place.clone())).collect();
        self.builder = Builder::from(workload);
    }

    /// A trace and where it is, read unless another scenario has read it; none, which is then reported, if it is wrong.
    fn read_once(
        &mut self,
        document: &Document,
        path: &Placed<String>,
        format: Option<&str>,
        options: &Options<'_>,
    ) -> Option<(String, Trace)> {
        let resolved = self.files.resolve(path);
        let shown = resolved.display().to_string();
        let key = traces::key(&resolved, format, options, self.catalogue.names());
        if let Some(kept) = key.as_ref().and_then(|key| self.files.traces.get(key)) {
            self.files.inputs.push(kept.input.clone());
            return Some((shown, kept.trace.clone()));
        }
        let (_, bytes) = self.files.read(document, path)?;
        match read_bytes(&shown, &bytes, format, options) {
            Ok(trace) => {
                if let (Some(key), Some(input)) = (key, self.files.inputs.last().cloned()) {
                    self.files.traces.keep(key, || Kept { input, trace: trace.clone() });
                }
                Some((shown, trace))
            }
            Err(Error::Input(problems)) => {
                self.files.problems.append(problems);
                None
            }
            Err(other) => {
                document.complain(path.mark, Problem::new(other.to_string()));
                None
            }
        }
    }

    /// A trace's jobs on this cluster: with the speeds of its platforms, in its partitions.
    fn at_home(&mut self, mut workload: Workload, place: &Place) -> Workload {
        for behaviour in &mut workload.behaviours {
            if let (true, Some(family)) = (behaviour.speeds.is_empty(), family_of(behaviour.kind)) {
                behaviour.speeds = self.catalogue.speeds(family);
            }
            behaviour.profile = behaviour.profile();
        }
        let Some(cluster) = self.cluster else { return workload };
        if cluster.partitions.len() == 1 && workload.partitions.len() > 1 {
            let count = workload.partitions.len() - 1;
            let noun = if count == 1 { "partition" } else { "partitions" };
            let note = format!(
                "{count} {noun} of the trace left out (`{}`{}): the cluster has none; a scenario makes them with \
                 `[[cluster.partition]]`, `name` and `nodes`",
                workload.partitions[1],
                if count == 1 { "" } else { ", ..." }
            );
            self.files.notes.push(note);
            workload.partitions.truncate(1);
            with_requests(&mut workload, |request| Request { partition: 0, ..request });
        }
        for name in &workload.partitions {
            if cluster.partition(name).is_none() {
                let problem =
                    Problem::new(format!("partition `{name}` of the trace is not one of the cluster"));
                let known = cluster.partitions.iter().map(|partition| partition.name.as_str());
                self.files.problems.push(problem.hint_nearest(name, known).at(place.clone()));
            }
        }
        self.at_levels(&mut workload, cluster, place);
        workload
    }

    /// The levels that a trace names are those of the cluster; where that has none, racks alone count.
    fn at_levels(&mut self, workload: &mut Workload, cluster: &Cluster, place: &Place) {
        let Some(first) = workload.levels.first() else { return };
        if cluster.levels.is_empty() {
            self.files.notes.push(format!(
                "wishes for {} of the trace left out (`{first}`{}): the cluster has none, and one rack is preferred; a \
                 scenario makes them with `[[cluster.level]]`, `name` and `racks`",
                counted(workload.levels.len() as u64, "level"),
                if workload.levels.len() == 1 { "" } else { ", ..." }
            ));
            workload.levels.clear();
            with_requests(workload, |request| match request.topology.level() {
                Some(_) => Request { topology: Topology::PreferRack, ..request },
                None => request,
            });
        }
        for name in workload.levels.iter().filter(|name| cluster.level(name).is_none()) {
            let problem = Problem::new(format!("level `{name}` of the trace is not one of the cluster"));
            let known = cluster.levels.iter().map(|level| level.name.as_str());
            self.files.problems.push(problem.hint_nearest(name, known).at(place.clone()));
        }
    }
}

/// The factor on the rate of arrivals.
pub(super) fn scale_load(document: &Document, table: &mut Table<'_>) -> f64 {
    let Some(scale) = table.optional::<f64>("scale_load") else { return 1.0 };
    if (1e-6..=1e6).contains(&scale.value) {
        return scale.value;
    }
    let message =
        format!("`scale_load`: expected a number from 0.000001 to 1000000, found `{}`", scale.value);
    document.complain(scale.mark, Problem::new(message).hint("2 doubles the rate of arrivals"));
    1.0
}

/// Changes every request; those that differed in nothing else become one.
fn with_requests(workload: &mut Workload, change: impl Fn(Request) -> Request) {
    let mut merged = Builder::default();
    let request = |request: Request| merged.request(change(request));
    let new: Vec<u32> = std::mem::take(&mut workload.requests).into_iter().map(request).collect();
    workload.requests = merged.finish().requests;
    workload.jobs.iter_mut().for_each(|job| job.request = new[job.request as usize]);
}

fn format(document: &Document, table: &mut Table<'_>) -> Option<String> {
    let format = table.optional::<String>("format")?;
    let names = || std::iter::once("auto").chain(FORMATS.iter().map(|format| format.name));
    if !names().any(|name| name == format.value) {
        let problem = Problem::new(format!("unknown format `{}`", format.value));
        document.complain(format.mark, problem.hint_nearest(&format, names()));
        return None;
    }
    Some(format.value)
}

/// A point of a trace's time: seconds, a span since its start, or a date.
fn moment(table: &mut Table<'_>, key: &'static str, whole: &mut bool) -> Option<Moment> {
    let item = table.item(key)?;
    let moment = item.scalar().and_then(|text| text.parse().ok());
    if moment.is_none() {
        item.wrong("seconds, a time such as `36h`, or a date such as `2017-10-09 07:00:00`");
        *whole = false;
    }
    moment
}
