//! What is written in gigawatt's own formats says all that was read.

use super::archives::archive;
use super::{NAME, Sample};
use gigawatt::cluster::{Cluster, NodeKind};
use gigawatt::history::{Plan, Settings};
use gigawatt::simulation::{Control, simulate};
use gigawatt::trace::{
    Mapping, Moment, NativeForm, Options, PlatformNames, lost_in_native, read, read_bytes, write_native,
};
use gigawatt::workload::Workload;

const FORMS: [NativeForm; 3] = [NativeForm::Csv, NativeForm::JsonLines, NativeForm::Parquet];

/// The workload as written in a format and read again.
fn there_and_back(workload: &Workload, form: NativeForm, platforms: &PlatformNames) -> Workload {
    let mut written = Vec::new();
    write_native(workload, &platforms.names(), form, &mut written).unwrap();
    let known = |name: &str| platforms.index_of(name);
    let options = Options { platform: Some(&known), ..Options::default() };
    let lost = lost_in_native(workload, &written, &options).unwrap();
    assert!(lost.is_empty(), "{} loses {}", form.name(), lost.join(", "));
    read_bytes("written", &written, Some(form.name()), &options).unwrap().workload
}

/// A run on a cluster that has every partition and platform.
fn digest(workload: Workload) -> String {
    let mut cluster = Cluster::uniform(16, NodeKind { gpus: 64, ..NodeKind::default() });
    let all = cluster.partitions[0].clone();
    for name in &workload.partitions[1..] {
        let partition = gigawatt::cluster::Partition { name: name.clone(), ..all.clone() };
        cluster.partitions.push(partition);
    }
    let plan = Plan { cluster, workload, settings: Settings::named("fifo", "easy", "first-fit") };
    simulate(plan, &mut Control::default()).digest().to_string()
}

#[test]
fn a_run_on_what_was_imported_is_the_run_on_the_trace() {
    let mapping = Mapping::default();
    let plain = Options { map: &mapping, ..Options::default() };
    let cases = [
        ("as it is", plain),
        ("a window", Options { from: Some(Moment::Seconds(30)), ..plain }),
        ("a sample", Options { sample: 0.6, seed: 3, ..plain }),
        ("a load", Options { scale_load: 1.7, ..plain }),
        ("think times", Options { think_time: true, ..plain }),
    ];
    for sample in Sample::all().iter().filter(|sample| !sample.nodes) {
        for (what, options) in cases {
            let platforms = PlatformNames::default();
            let known = |name: &str| platforms.index_of(name);
            let options = Options { platform: Some(&known), ..options };
            let Ok(trace) = read_bytes(NAME, &sample.bytes, None, &options) else { continue };
            for form in FORMS {
                let back = there_and_back(&trace.workload, form, &platforms);
                assert_eq!(back, trace.workload, "{} as {}: {what}", sample.format, form.name());
                assert_eq!(digest(back), digest(trace.workload.clone()), "{}: {what}", sample.format);
            }
        }
    }
}

#[test]
fn archives_come_back_as_they_were() {
    for path in [
        "traces/swf/RICC-2010-2.swf.gz",
        "traces/swf/wagap-2013.swf.zst",
        "traces/philly/philly_jobs.csv.zst",
        "traces/alibaba_openb2023/openb_pod_list_gpuspec33.csv.zst",
        "traces/alibaba_openb2023/openb_pod_list_multigpu50.csv.zst",
        "oracles/lucid/phillysynth-jobs.csv",
        "oracles/batch/synth1k.swf.zst",
    ] {
        let Some(file) = archive(path) else { return };
        let platforms = PlatformNames::default();
        let known = |name: &str| platforms.index_of(name);
        let options = Options { platform: Some(&known), ..Options::default() };
        let trace = read(&file, None, &options).unwrap_or_else(|error| panic!("{error}"));
        for form in FORMS {
            assert!(there_and_back(&trace.workload, form, &platforms) == trace.workload, "{path}");
        }
    }
}
