use super::*;

fn edges(loaded: &Loaded) -> Vec<(String, String, u32)> {
    let name = |job: u32| loaded.plan.workload.names.get(job as usize).into_owned();
    let dependencies = &loaded.plan.workload.dependencies;
    dependencies.edges().map(|(before, after, delay)| (name(before), name(after), delay.0)).collect()
}

fn names(loaded: &Loaded) -> Vec<String> {
    (0..loaded.plan.workload.jobs.len()).map(|job| loaded.plan.workload.names.get(job).into_owned()).collect()
}

#[test]
fn two_hundred_evaluations_after_a_finetune_are_one_entry() {
    let text = "
        [[workload.graph]]
        name = \"nightly\"
        submit = [\"6h\", \"30h\"]
        [[workload.graph.job]]
        id = \"finetune\"
        gpus = 8
        work = \"1h\"
        submit = \"5m\"
        [[workload.graph.job]]
        id = \"eval\"
        count = 200
        gpus = 1
        work = \"10m\"
        after = [{ job = \"finetune\", delay = \"10m\" }]
    ";
    let loaded = load(&format!("{CLUSTER}{text}"));
    let workload = &loaded.plan.workload;
    assert_eq!(workload.jobs.len(), 402, "twice");
    assert_eq!(workload.names.get(201), "nightly[1]/finetune", "numbered, as the graph is submitted twice");
    assert_eq!(workload.names.get(401), "nightly[1]/eval[199]", "and as the job is an array");
    assert_eq!(workload.jobs[201].submit_time.0, 30 * 3600 + 300, "its own submit counts from the graph's");
    assert_eq!(workload.graphs.len(), 2, "two graphs");
    assert_eq!(workload.graphs[1].jobs.len(), 201, "of 201 jobs");
    let edges = edges(&loaded);
    assert_eq!(edges.len(), 400, "each waits for its own finetune");
    assert_eq!(
        edges[0],
        ("nightly[0]/finetune".to_owned(), "nightly[0]/eval[0]".to_owned(), 600),
        "with delay"
    );
}

#[test]
fn arrays_wait_whole_one_by_one_or_in_a_row() {
    let text = "
        [workload]
        job = [
            { id = \"a\", count = 2, gpus = 1, work = 60 },
            { id = \"each\", count = 2, gpus = 1, work = 60, after = { job = \"a\", each = true } },
            { id = \"all\", gpus = 1, work = 60, after = \"a\" },
            { id = \"last\", gpus = 1, work = 60, after = [\"a[1]\"] },
            { id = \"row\", count = 3, serial = true, gpus = 1, work = 60 },
        ]
    ";
    let loaded = load(&format!("{CLUSTER}{text}"));
    let edges: Vec<String> =
        edges(&loaded).into_iter().map(|(before, after, _)| format!("{before}>{after}")).collect();
    let expected = [
        "a[0]>each[0]",
        "a[0]>all",
        "a[1]>each[1]",
        "a[1]>all",
        "a[1]>last",
        "row[0]>row[1]",
        "row[1]>row[2]",
    ];
    assert_eq!(edges, expected, "edges");
    assert!(loaded.plan.workload.graphs.is_empty(), "jobs outside a graph make none");
}

#[test]
fn a_graph_is_repeated_until_it_has_come_often_enough_or_the_run_ends() {
    let graph = |submit: &str, until: &str| {
        format!(
            "{CLUSTER}{until}[[workload.graph]]\nname = \"g\"\nsubmit = {submit}\njob = {{ id = \"a\", gpus = 1, work = 60 }}\n"
        )
    };
    let three = load(&graph("{ first = \"8h\", every = \"1d\", count = 3 }", ""));
    assert_eq!(names(&three), ["g[0]/a", "g[1]/a", "g[2]/a"], "numbered");
    assert_eq!(three.plan.workload.jobs[2].submit_time.0, 8 * 3600 + 2 * 86_400, "a day apart");
    assert_eq!(names(&load(&graph("{ every = \"6h\" }", "run.until = \"1d\"\n"))).len(), 4, "until the end");
    assert_eq!(names(&load(&graph("\"8h\"", ""))), ["g/a"], "once: no number");
    let wrong = [
        told(&graph("{ every = \"1d\" }", "")),
        told(&graph("{ every = 0, count = 1 }", "")),
        told(&graph("{ every = \"1s\", count = 4000000000 }", "")),
        told(&graph("{ first = \"1d\" }", "")),
        told(&graph("[\"1h\", \"x\"]", "")),
        told(&graph("true", "")),
    ];
    insta::assert_snapshot!(wrong.join("\n"), @r"
    s.toml:4:10: missing `count` (how often; or `until` in `[run]`, which ends it as well)
    s.toml:4:20: `every`: expected at least a second, found `0`
    s.toml:4:10: more than 1000000 submissions
    s.toml:4:10: missing `every`
    s.toml:4:17: `submit`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found the text `x`
    s.toml:4:10: `submit`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found `true`
    ");
}

#[test]
fn every_problem_of_a_graph_is_told() {
    let text = "
[[workload.graph]]
name = \"g\"
owner = 7
[[workload.graph.job]]
id = \"train\"
gpus = 1
work = 60
after = [\"eval\"]
[[workload.graph.job]]
id = \"eval\"
count = 3
gpus = 1
work = 60
after = [\"trian\", \"train[0]\", { job = \"train\", each = true }, { job = \"prep[3]\" }, \"prep[x]\", { delay = 5 }, 7]
[[workload.graph.job]]
id = \"prep\"
count = 3
gpus = 1
work = 60
after = \"train\"
[[workload.graph]]
name = \"g\"
job = { id = \"a\", gpus = 1, work = 60 }
[[workload.graph]]
name = \"a/b\"
[[workload.graph]]
name = \"h\"
job = [{ id = \"a b\", gpus = 1, work = 60 }, { id = \"c\", gpus = 1, work = 60 }, { id = \"c\", gpus = 1, work = 60 }, { count = 0 }]
";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{text}")), @r#"
    s.toml:5:1: unknown key `owner` (known: name, tenant, submit, job)
    s.toml:10:10: jobs wait for each other in a ring: `train` -> `eval` -> `train`
    s.toml:16:10: unknown job `trian` (did you mean `train`?)
    s.toml:16:19: `train` is no array
    s.toml:16:39: `each`: `train` stands for 1 and `eval` for 3
    s.toml:16:71: `prep` has no element 3; the last is 2
    s.toml:16:84: `prep[x]`: expected the number of an element
    s.toml:16:95: missing `job`
    s.toml:16:110: `after`: expected the id of a job, or a table such as `{ job = "a", delay = "10m" }`, found `7`
    s.toml:24:8: graph `g` is described twice (`submit` may be a list of times)
    s.toml:26:1: a graph without a job (give `[[graph.job]]`)
    s.toml:27:8: `a/b` cannot be the name of a graph (1 to 200 letters, without blanks and `/ [ ] , ;`)
    s.toml:30:15: `a b` cannot be the name of a job (1 to 200 letters, without blanks and `/ [ ] , ;`)
    s.toml:30:87: job `c` is described twice
    s.toml:30:115: missing `id`
    s.toml:30:115: missing `gpus` (0 for a job that needs none)
    s.toml:30:115: missing `work`
    s.toml:30:125: `count`: expected at least 1, found `0`
    "#);
    insta::assert_snapshot!(told(&format!("{CLUSTER}workload.graph = [7, \"none.toml\"]\n")), @r"
    s.toml:2:19: `graph`: expected a graph, or the path of a file of graphs, found `7`
    s.toml:2:22: cannot read `none.toml`: No such file or directory (os error 2)
    ");
    let ring = "workload.job = [{ id = \"a\", gpus = 1, work = 1, after = \"c\" }, { id = \"b\", gpus = 1, work = 1, after = \"a\" }, { id = \"c\", gpus = 1, work = 1, after = \"b\" }, { id = \"d\", gpus = 1, work = 1, after = \"d\" }]\n";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{ring}")), @r"
    s.toml:2:57: jobs wait for each other in a ring: `a` -> `b` -> `c` -> `a`
    s.toml:2:198: jobs wait for each other in a ring: `d` -> `d`
    ");
}

#[test]
fn a_scenario_cannot_ask_for_more_than_fits_into_memory() {
    let jobs = |jobs: &str| told(&format!("{CLUSTER}workload.job = [{jobs}]\n"));
    let many = jobs("{ id = \"a\", count = 4000000000, gpus = 1, work = 60 }");
    let dense = jobs(
        "{ id = \"a\", count = 10000, gpus = 1, work = 60 }, { id = \"b\", count = 10000, gpus = 1, work = 60, after = \"a\" }",
    );
    insta::assert_snapshot!(format!("{many}\n{dense}"), @r"
    s.toml:2:1: more than 5000000 jobs with these
    s.toml:2:1: more than 5000000 dependencies with these (let one job of no GPUs wait for the array, and the others for it)
    ");
}

#[test]
fn a_file_of_graphs_has_its_own_places() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "good.toml",
        "[template.t]\ngpus = 1\nwork = 60\n[[graph]]\nname = \"f\"\njob = { id = \"a\", template = \"t\" }\n[[job]]\nid = \"x\"\ntemplate = \"t\"\n",
    );
    write("bad.toml", "[[graph]]\nname = \"f\"\n[[graph.job]]\nid = \"a\"\ngpus = \"x\"\n[graphs]\n");
    write("empty.toml", "version = 1\n");
    write("s.toml", "cluster = \"1x1\"\nworkload.graph = \"good.toml\"\n");
    let read = |name: &str| Scenario::load(&folder.path().join(name), &Overrides::default());
    assert_eq!(names(&read("s.toml").unwrap()), ["x", "f/a"], "jobs outside of graphs first");
    write("s.toml", "cluster = \"1x1\"\nseed = 1\nworkload.graph = [\"bad.toml\", \"empty.toml\"]\n");
    let text = compact(&read("s.toml").unwrap_err().to_string());
    insta::assert_snapshot!(text.replace(&format!("{}/", folder.path().display()), ""), @r"
    s.toml:2:1: unknown key `seed` (known: version, run, policy, platforms, platform, cluster, licence, failures, storage, tenant, queue, workload, power)
    bad.toml:3:1: missing `work`
    bad.toml:5:8: `gpus`: expected a number of GPUs with at most three decimals, up to 4294967, found the text `x`
    bad.toml:6:2: unknown key `graphs` (did you mean `graph`?)
    empty.toml: a file of graphs without a job (give `[[graph]]` with `[[graph.job]]`, or `[[job]]`)
    ");
}
