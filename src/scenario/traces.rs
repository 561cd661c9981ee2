//! Traces that were read already: scenarios that differ in other things share them.

use super::files::Input;
use crate::trace::{Options, Trace};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The traces that some scenarios read, each once, however often they are loaded: under other seeds, at other points of
/// a sweep, under other names. The default keeps none.
///
/// A trace is kept as it was when it was first read, whatever becomes of its file. Samples, which differ by seed, are not
/// kept.
///
/// ```
/// use gigawatt::scenario::{Overrides, Scenario, Traces};
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("jobs.csv");
/// std::fs::write(&path, "job_id,gpus,submit_time,work_time\na,8,0,60\n").unwrap();
/// let trace = Some(path.display().to_string());
/// let on = |cluster: &str| Overrides { workload: trace.clone(), cluster: Some(cluster.to_owned()), ..Overrides::default() };
/// let traces = Traces::shared();
/// assert_eq!(Scenario::meant(None, &on("1x8"), &traces).unwrap().plan.workload.jobs.len(), 1);
/// std::fs::remove_file(&path).unwrap();
/// assert_eq!(Scenario::meant(None, &on("2x8"), &traces).unwrap().plan.workload.jobs.len(), 1, "not read again");
/// assert!(Scenario::meant(None, &on("2x8"), &Traces::default()).is_err(), "by anybody else it is");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Traces {
    kept: Option<Arc<Shelf>>,
}

/// What is kept, by [`key`].
type Shelf = Mutex<BTreeMap<String, Arc<Kept>>>;

/// A trace and the file that it is.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) input: Input,
    pub(super) trace: Trace,
}

/// Traces that are kept at once: more are read anew each time.
const MOST: usize = 32;

impl Traces {
    /// Keeps what is read for all clones of it.
    #[must_use]
    pub fn shared() -> Self {
        Self { kept: Some(Arc::default()) }
    }
    /// The trace of that key.
    pub(super) fn get(&self, key: &str) -> Option<Arc<Kept>> {
        self.kept.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
    /// Keeps a trace, if any are kept.
    pub(super) fn keep(&self, key: String, kept: impl FnOnce() -> Kept) {
        let Some(all) = &self.kept else { return };
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST {
            all.insert(key, Arc::new(kept()));
        }
    }
}

/// All that decides what a trace is read as, beside the bytes of its file; none of a sample, which depends on the seed.
pub(super) fn key<'a>(
    path: &Path,
    format: Option<&str>,
    options: &Options<'_>,
    platforms: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let Options {
        from,
        until,
        scale_load,
        sample,
        seed: _,
        procs_per_gpu,
        think_time,
        swf_partition,
        platform,
        map,
        skip_bad_lines,
        max_unpacked,
        max_ratio,
    } = options;
    let platforms: Vec<&str> = platforms.filter(|_| platform.is_some()).collect();
    let key = format!(
        "{path:?} {format:?} {from:?} {until:?} {scale_load:?} {procs_per_gpu} {think_time} {swf_partition:?} {map:?} \
         {skip_bad_lines} {max_unpacked} {max_ratio} {platforms:?}"
    );
    (*sample >= 1.0).then_some(key)
}
