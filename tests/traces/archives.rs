//! Real traces, where there are any: `GIGAWATT_SHARED` names the folder that holds `traces/` and `oracles/`.

use gigawatt::trace::{GpusFrom, Mapping, NodeList, Options, Trace, read, read_cluster};
use gigawatt::units::Gpus;
use gigawatt::workload::{Job, Shape, Workload};
use std::path::PathBuf;

/// The path of a file of the archive; says aloud where there is none.
pub(crate) fn archive(path: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("GIGAWATT_SHARED") else {
        println!("skipped: GIGAWATT_SHARED is not set, so {path} is not read");
        return None;
    };
    let path = PathBuf::from(folder).join(path);
    assert!(path.exists(), "{} is missing", path.display());
    Some(path)
}

pub(crate) fn trace(path: &str) -> Option<Trace> {
    let path = archive(path)?;
    Some(read(&path, None, &Options::default()).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn archives_are_read_to_the_last_job() {
    for (path, format, jobs, notes) in [
        (
            "traces/swf/RICC-2010-2.swf.gz",
            "swf",
            447_794,
            [
                "2 jobs without an estimate: requested_time = work_time",
                "7,092 jobs with more work than requested",
                "10 jobs of zero length: work_time = 1 s",
                "16,245 jobs cancelled while running (status 5): they run the time recorded",
            ]
            .as_slice(),
        ),
        (
            "traces/swf/NASA-iPSC-1993-3.1-cln.swf.gz",
            "swf",
            18_239,
            &[
                "18,239 jobs without an estimate: requested_time = work_time",
                "173 jobs of zero length: work_time = 1 s",
            ],
        ),
        (
            "traces/swf/wagap-2013.swf.zst",
            "swf",
            17_900,
            &[
                "702 jobs with more work than requested",
                "2 jobs of unknown run time: work_time = 1 s",
                "submits are Unix seconds: the first one becomes time 0",
            ],
        ),
        ("traces/swf/lublin_256.swf.zst", "swf", 10_000, &[]),
        (
            "traces/philly/philly_jobs.csv.zst",
            "philly",
            71_872,
            &[
                "52 jobs with the submit, work, GPUs and tenant of an earlier one: kept",
                "naive timestamps read as UTC",
            ],
        ),
        ("oracles/lucid/phillysynth-jobs.csv", "helios", 2000, &[]),
        (
            "traces/alibaba_openb2023/openb_pod_list_default.csv.zst",
            "openb",
            8152,
            &[
                "897 pods never scheduled: withdrawn at the deletion_time",
                "1,870 pods whose work ends in failure",
            ],
        ),
        ("traces/alibaba_openb2023/openb_pod_list_gpushare100.csv.zst", "openb", 8152, &[]),
        ("traces/alibaba_openb2023/openb_pod_list_gpuspec33.csv.zst", "openb", 8152, &[]),
        (
            "traces/alibaba_openb2023/openb_pod_list_multigpu50.csv.zst",
            "openb",
            9061,
            &["no times in this file: a pod comes each second and works a day"],
        ),
        ("traces/muri/trace1.csv", "muri", 1494, &[]),
        ("traces/muri/trace2.csv.zst", "muri", 5755, &[]),
        ("traces/muri/trace4.csv", "muri", 2638, &[]),
        ("traces/chronus/trace_job_Philly_MIX2.csv.zst", "chronus", 30_940, &["194 jobs without GPUs"]),
        ("traces/alibaba_pai2020/gaia_pai-100k.csv.zst", "gaia", 99_998, &[]),
        (
            "traces/alibaba_dlrm2025/disaggregated_DLRM_trace.csv.zst",
            "dlrm",
            23_871,
            &[
                "7,280 jobs that existed before the trace began: submitted at its time 0",
                "8,878 jobs still alive when the trace was taken: run until its last instant",
                "16,485 jobs without GPUs",
            ],
        ),
        (
            "traces/alibaba_genai2026/lora_request_trace.csv.zst",
            "genai",
            26_793,
            &["30 jobs still pending when the trace was taken: dropped"],
        ),
        (
            "traces/mit_supercloud/slurm-log-queueing-clean.csv.zst",
            "supercloud",
            9628,
            &["46 jobs whose id came before: `#2`, `#3` ... added to it"],
        ),
        ("traces/gavel/msr_seed0_ee9e8c.trace.zst", "gavel", 2000, &[]),
    ] {
        let Some(trace) = trace(path) else { return };
        assert_eq!((trace.format, trace.workload.len()), (format, jobs), "{path}");
        super::check_workload(&trace.workload).unwrap_or_else(|wrong| panic!("{path}: {wrong}"));
        for note in notes {
            assert!(
                trace.notes.lines().iter().any(|line| line == note),
                "{path}: {note} is missing in\n{}",
                trace.notes
            );
        }
    }
}

/// GPU-hours of a workload, and the mean of its GPUs at work between first and last submit.
fn demand(workload: &Workload) -> (f64, f64) {
    let gpus = |job: &Job| f64::from(workload.requests[job.request as usize].gpus().milli()) / 1000.0;
    let seconds: f64 = workload.jobs.iter().map(|job| gpus(job) * f64::from(job.work_time.0)).sum();
    let submits = || workload.jobs.iter().map(|job| job.submit_time.0);
    let span = submits().max().unwrap_or(0) - submits().min().unwrap_or(0);
    (seconds / 3600.0, seconds / f64::from(span.max(1)))
}

#[test]
fn archives_ask_for_what_their_authors_say() {
    for (path, gpus) in [
        ("traces/muri/trace1.csv", 1.99 * 64.0),
        ("traces/muri/trace2.csv.zst", 5.41 * 64.0),
        ("traces/muri/trace4.csv", 1.57 * 64.0),
        ("traces/chronus/trace_job_Philly_MIX2.csv.zst", 1130.0),
    ] {
        let Some(trace) = trace(path) else { return };
        let (_, mean) = demand(&trace.workload);
        assert!((mean / gpus - 1.0).abs() < 0.005, "{path}: {mean} GPUs at work instead of {gpus}");
    }
    let Some(path) = archive("traces/mit_supercloud/slurm-log-queueing-clean.csv.zst") else { return };
    let map = Mapping { gpus_from: GpusFrom::Allocated, ..Mapping::default() };
    let trace = read(&path, None, &Options { map: &map, ..Options::default() }).unwrap();
    let jobs = &trace.workload.jobs;
    let with_gpus =
        jobs.iter().filter(|job| trace.workload.requests[job.request as usize].gpus() > Gpus::ZERO);
    assert_eq!(with_gpus.count(), 2401, "jobs that were given GPUs:\n{}", trace.notes);
    let (hours, _) = demand(&trace.workload);
    assert!((hours / 43_847.0 - 1.0).abs() < 0.001, "{hours} GPU-hours");
}

#[test]
fn inputs_of_the_oracles_keep_their_submit_times() {
    for (name, jobs, first) in [
        ("synth1k", 1000, 295),
        ("synth10k", 10_000, 625),
        ("synth10k-l35", 10_000, 894),
        ("nasa-ipsc", 18_066, 0),
        ("jann-ctc", 10_000, 0),
    ] {
        let Some(trace) = trace(&format!("oracles/batch/{name}.swf.zst")) else { return };
        assert_eq!((trace.workload.len(), trace.workload.jobs[0].submit_time.0), (jobs, first), "{name}");
        assert!(trace.workload.names.are_numbers(), "{name}: ids are row numbers");
    }
}

#[test]
fn philly_has_its_virtual_clusters_and_dates() {
    let Some(Trace { workload, .. }) = trace("traces/philly/philly_jobs.csv.zst") else { return };
    assert_eq!(
        (workload.tenants.len(), workload.partitions.len()),
        (13, 14),
        "a tenant and a partition each"
    );
    let first = workload.jobs.iter().map(|job| job.submit_time.0).min();
    assert_eq!(first, Some(0), "the earliest job is at time 0");
    assert!(!workload.jobs.is_sorted_by_key(|job| job.submit_time), "in the order of the file");
}

#[test]
fn openb_nodes_and_pods_fit_together() {
    let Some(path) = archive("traces/alibaba_openb2023/openb_node_list_all_node.csv") else { return };
    let names = std::cell::RefCell::new(Vec::<String>::new());
    let platform = |name: &str| {
        let mut names = names.borrow_mut();
        let known = names.iter().position(|known| known == name);
        known.or_else(|| {
            names.push(name.to_owned());
            Some(names.len() - 1)
        })
    };
    let options = Options { platform: Some(&platform), ..Options::default() };
    let NodeList { cluster, .. } =
        read_cluster(&path, None, &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((cluster.nodes(), cluster.gpus()), (1523, 6212), "nodes and GPUs");
    let with_gpus = (0..cluster.nodes()).filter(|node| cluster.kind_of(*node).gpus > 0).count();
    assert_eq!((with_gpus, cluster.kinds.len()), (1213, 27), "with GPUs, and distinct kinds");
    let Some(path) = archive("traces/alibaba_openb2023/openb_pod_list_gpuspec33.csv.zst") else { return };
    let Trace { workload, notes, .. } = read(&path, None, &options).unwrap_or_else(|error| panic!("{error}"));
    assert!(!notes.to_string().contains("platform"), "every platform of the pods has nodes:\n{notes}");
    let shares = workload.jobs.iter().filter(|job| {
        let shape = workload.requests[job.request as usize].shape;
        matches!(shape, Shape::Pods { gpus_milli_each: 1..1000, .. })
    });
    assert_eq!(shares.count(), 3078, "pods with a share of a GPU");
}
