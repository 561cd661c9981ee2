use super::*;

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const TRACE: &str =
    "submit_time,gpus,work_time,tenant,partition,kind\n0,1,60,meta,vc1,finetune\n10,2,60,acorn,,other\n";

fn read(folder: &tempfile::TempDir, text: &str) -> Result<Loaded> {
    let path = folder.path().join("s.toml");
    std::fs::write(&path, text).unwrap();
    Scenario::load(&path, &Overrides::default())
}

#[test]
fn a_trace_may_stand_beside_graphs_and_generators() {
    let folder = folder_with(&[("t.csv", TRACE)]);
    let text = format!(
        "cluster = \"4x4xgb300\"\n[[tenant]]\nname = \"meta\"\nquota = 4\n[workload]\ntrace = \"t.csv\"\n{}",
        JOB.replace("gpus", "tenant = \"meta\"\ngpus")
    );
    let loaded = read(&folder, &text).unwrap();
    let workload = &loaded.plan.workload;
    assert_eq!(workload.jobs.len(), 3, "two and one");
    assert_eq!(workload.names.get(2), "a", "the trace comes first");
    let tenants: Vec<_> =
        workload.tenants.iter().map(|tenant| (tenant.name.as_str(), tenant.quota_milli)).collect();
    assert_eq!(tenants, [("meta", Some(4000)), ("acorn", None)], "quotas reach the trace's tenants");
    assert!(
        workload.behaviour_of(0).speed(loaded.catalogue.index_of("gb300").unwrap()).as_f64() > 2.0,
        "speeds by kind"
    );
    let left_out = "1 partition of the trace left out (`vc1`): the cluster has none; a scenario makes them with \
                    `[[cluster.partition]]`, `name` and `nodes`";
    assert!(loaded.notes.iter().any(|note| note == left_out), "{:?}", loaded.notes);
}

#[test]
fn partitions_of_a_trace_are_those_of_the_cluster() {
    let folder = folder_with(&[("t.csv", TRACE)]);
    let text = |name: &str| {
        format!(
            "[cluster]\nrack = {{ platform = \"h100\" }}\npartition = {{ name = \"{name}\", nodes = 0 }}\n[workload]\ntrace = \"t.csv\"\n"
        )
    };
    assert_eq!(read(&folder, &text("vc1")).unwrap().plan.workload.partitions, ["all", "vc1"], "known");
    let told = compact(&read(&folder, &text("vc")).unwrap_err().to_string());
    let told = told.replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(
        told, "t.csv: partition `vc1` of the trace is not one of the cluster (did you mean `vc`?)",
        "unknown"
    );
}

#[test]
fn every_problem_of_a_trace_is_told() {
    let folder = folder_with(&[("t.csv", TRACE), ("bad.csv", "submit_time,gpus,work_time\n0,x,60\n")]);
    let told = |workload: &str| {
        let read = read(&folder, &format!("{CLUSTER}[workload]\n{workload}\n"));
        let text = read.map_or_else(|error| error.to_string(), |_| "nothing".to_owned());
        compact(&text).replace(&format!("{}/", folder.path().display()), "")
    };
    let wrong = [
        told("trace = \"bad.csv\""),
        told("trace = \"none.csv\""),
        told("trace = 7"),
        told(
            "trace = \"t.csv\"\nformat = \"swff\"\nfrom = \"x\"\nuntil = true\nsample = 0\nscale_load = -1\nmap = { procs_per_gpu = 0, unit = \"q\", think_time = 1, x = 2 }",
        ),
        told("format = \"swf\"\nfrom = 5\nuntil = 6\nsample = 1\nmap = {}"),
        told("trace = \"t.csv\"\nfrom = \"1d\""),
        told(""),
        told("job = []"),
        told("trase = 1"),
    ];
    insta::assert_snapshot!(wrong.join("\n"), @r"
    bad.csv:2:3: gpus `x`
    s.toml:3:9: cannot read `none.csv`: No such file or directory (os error 2)
    s.toml:3:9: `trace`: expected a text, found `7`
    s.toml:4:10: unknown format `swff` (did you mean `swf`?)
    s.toml:5:8: `from`: expected seconds, a time such as `36h`, or a date such as `2017-10-09 07:00:00`, found the text `x`
    s.toml:6:9: `until`: expected seconds, a time such as `36h`, or a date such as `2017-10-09 07:00:00`, found `true`
    s.toml:7:10: `sample`: expected a number above 0 and at most 1, found `0` (the share of jobs to keep)
    s.toml:8:14: `scale_load`: expected a number from 0.000001 to 1000000, found `-1` (2 doubles the rate of arrivals)
    s.toml:9:25: `procs_per_gpu`: expected at least 1, found `0`
    s.toml:9:35: unknown unit `q` (did you mean `d`?)
    s.toml:9:53: `think_time`: expected true or false, found `1`
    s.toml:9:56: unknown key `x` (known: procs_per_gpu, think_time, states, platform, gpus_from, shards_per_gpu, columns, gpus, pods, pod_gpus, submit_time, wait_time, start_time, end_time, work_time, requested_time, deadline, job_id, tenant, partition, state, priority, kind, platforms, cpu, memory_mib, unit, units)
    s.toml:2:1: a workload without a job (give `trace`, `graph`, `job` or `generate`)
    s.toml:3:1: `format` works on a trace, and there is none
    s.toml:4:1: `from` works on a trace, and there is none
    s.toml:5:1: `until` works on a trace, and there is none
    s.toml:6:1: `sample` works on a trace, and there is none
    s.toml:7:1: `map` works on a trace, and there is none
    none of the 2 jobs of `t.csv` is left (widen the window (from, until) or the sample; the last job is submitted at 10s)
    s.toml:2:1: a workload without a job (give `trace`, `graph`, `job` or `generate`)
    s.toml:2:1: no job comes of this workload
    s.toml:2:1: a workload without a job (give `trace`, `graph`, `job` or `generate`)
    s.toml:3:1: unknown key `trase` (did you mean `trace`?)
    ");
}

#[test]
fn every_scenario_that_comes_with_the_program_runs_to_its_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_scenario = path.extension().is_some_and(|extension| extension == "toml")
            && std::fs::read_to_string(&path).unwrap().contains("\n[[cluster");
        if is_scenario {
            let loaded =
                Scenario::load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
            let history = simulate(loaded.plan, &mut Control::default());
            let left = history.jobs.iter().filter(|job| job.outcome == Outcome::Unfinished).count();
            // Of what fails for as long as is looked at there is no end.
            let is_cut = history.plan.cluster.failures.is_some() && !history.exhausted;
            assert!(left == 0 || is_cut, "{left} jobs left of {}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 2, "there are at least two");
}

#[test]
fn the_example_of_every_key_is_a_scenario() {
    let text = include_str!("../../../workloads/README.md");
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    let document = Document::parse("README.md", example);
    let files = Files { folder, ..Files::default() };
    let loaded = super::super::read(document, "README.md".to_owned(), files, &Overrides::default());
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.plan.workload.graphs.len(), 3, "as often as `until` lets it");
}
