//! Questions that take many runs: how much is enough, what is best, and how sure that is.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::{Place, run, shown};
use serde_json::Value;

/// Jobs of a node or two, one every five minutes, for a day.
const TRACE: &str = "workload.csv";

fn trace() -> String {
    let mut text = "job_id,gpus,submit_time,work_time,requested_time\n".to_owned();
    for job in 0..288 {
        let gpus = [8, 1, 16, 4, 8, 24][job % 6];
        let work = 300 + job * 7919 % 5400;
        text.push_str(&format!("{job},{gpus},{},{work},{}\n", job * 300, work * (1 + job % 3)));
    }
    text
}

fn asked(arguments: &str) -> String {
    run(arguments, &[(TRACE, trace().as_str()), ("night.toml", include_str!("../workloads/night.toml"))])
}

/// What it printed, as JSON, and how it ended.
fn json(arguments: &str) -> (Value, String) {
    let text = asked(arguments);
    let (_, rest) = text.split_once("----- stdout -----\n").unwrap();
    let (stdout, _) = rest.split_once("----- stderr -----\n").unwrap();
    let value = serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    (value, text.lines().next().unwrap_or_default().to_owned())
}

const SIZE: &str =
    "size --workload workload.csv --cluster NODESx8 -p fifo/easy/best-fit --least cluster.nodes";

#[test]
fn the_least_cluster_is_that_of_every_size_on_its_own() {
    for bound in ["1s", "1m", "20m", "2h"] {
        let (found, exit) =
            json(&format!("{SIZE} --where wait_p95<{bound} --between 1..40 --check all --json"));
        let answer = found["answer"].as_u64().unwrap();
        assert_eq!(exit, "exit code: 0", "{found}");
        // Every size on its own, by the command that runs one scenario.
        let limit =
            Value::from(gigawatt::experiment::Target::parse(&format!("wait_p95 < {bound}")).unwrap().bound);
        for nodes in 3..=answer {
            let one =
                format!("simulate --workload workload.csv --cluster {nodes}x8 -p fifo/easy/best-fit --json");
            let wait = json(&one).0["wait_time"]["p95"].as_f64().unwrap();
            assert_eq!(wait < limit.as_f64().unwrap(), nodes == answer, "{nodes} nodes: {wait}, {bound}");
        }
    }
}

#[test]
fn a_size_says_what_binds_and_what_one_less_gives() {
    let text = asked(&format!("{SIZE} --where wait_p95<20m --where unfinished=0"));
    assert!(text.starts_with("exit code: 0\n"), "{text}");
    for piece in [
        "cluster.nodes = ",
        " is the least with wait_p95<20m and unfinished=0",
        "What binds: wait_p95<20m. With ",
    ] {
        assert!(text.contains(piece), "{piece:?} is missing: {text}");
    }
    assert!(text.contains("no: job") || text.contains("One run each."), "{text}");
    let text = asked(&format!("{SIZE} --where makespan<1h --between 1..1000"));
    assert!(text.starts_with("exit code: 1\n"), "jobs come for a day: {text}");
    assert!(text.contains("values of cluster.nodes that were tried gives makespan<1h"), "{text}");
    assert!(text.contains("values tried: 1–"), "which those are: {text}");
    let text = asked(&format!("{SIZE} --where makespan<1h --between 3..12"));
    assert!(text.contains("no cluster.nodes from 3 to 12 gives makespan<1h"), "all were tried: {text}");
}

/// Four hundred jobs of 32 GPUs and nine hours: with few nodes the run ends before most have begun, whatever their number.
fn long_jobs() -> String {
    let mut text = "job_id,gpus,submit_time,work_time,requested_time\n".to_owned();
    (0..400).for_each(|job| text.push_str(&format!("{job},32,{},32400,32400\n", job * 10)));
    text
}

#[test]
fn a_measure_that_stays_the_same_over_many_doublings_hides_no_answer() {
    let size = "size --workload long.csv --cluster NODESx32 -p fcfs --until 10h --least cluster.nodes --json";
    let text = run(&format!("{size} --where wait_p50<1h"), &[("long.csv", &long_jobs())]);
    assert!(text.starts_with("exit code: 0\n") && text.contains("\"answer\": 200,"), "{text}");
    let night: &[(&str, &str)] = &[("night.toml", include_str!("../workloads/night.toml"))];
    let size = "size night.toml --seeds 1 --least cluster.rack.0.count --between 1..64 --json";
    let text = run(&format!("{size} --where wait_p95<10h30m --where utilization>35%"), night);
    let all = run(&format!("{size} --check all --where wait_p95<10h30m --where utilization>35%"), night);
    let answer = |text: &str| text.lines().find(|line| line.contains("\"answer\"")).unwrap().to_owned();
    assert_eq!(answer(&text), answer(&all), "a window of few values");
    assert!(text.starts_with("exit code: 0\n"), "{text}");
}

#[test]
fn an_answer_is_told_as_it_would_be_set() {
    let question = ["size", "dps.toml", "--seeds", "1", "--least", "cluster.feed.0.cap={}0 kW", "--between"];
    let rest = ["50..100", "--set", "run.oversized=reject", "--where", "utilization>40%"];
    let place = place().with("dps.toml", include_str!("../workloads/dps.toml"));
    let asked = |more: &[&str]| {
        let mut command = place.command("", "2");
        shown(&command.args(question).args(rest).args(more).output().unwrap())
    };
    let text = asked(&[]);
    assert!(text.contains("\ncluster.feed.0.cap = 600 kW is the least with utilization>40%"), "{text}");
    assert!(text.contains(" 590 kW "), "values are told as they are set: {text}");
    let text = asked(&["--json"]);
    assert!(
        text.contains("\"answer\": 60,") && text.contains("\"setting\": \"cluster.feed.0.cap=600 kW\""),
        "{text}"
    );
}

#[test]
fn any_key_of_a_scenario_has_a_least_value() {
    let (found, exit) = json(
        "size night.toml --least tenant.0.quota --between 64..200 --seeds 3 --check 2 --where wait_mean<3h --json",
    );
    assert_eq!(exit, "exit code: 0", "{found}");
    let answer = found["answer"].as_u64().unwrap();
    let probes = found["probes"].as_array().unwrap();
    let probe = |value: u64| probes.iter().find(|probe| probe["value"] == value).unwrap();
    assert_eq!(probe(answer)["meets"], true, "{found}");
    assert_eq!(probe(answer)["targets"][0]["runs"].as_array().unwrap().len(), 3, "a run a seed");
    if answer > 64 {
        assert_eq!(probe(answer - 1)["meets"], false, "{found}");
        let value = |value: u64| probe(value)["targets"][0]["value"].as_f64().unwrap();
        let less = found["margins"][0]["one_less"].as_f64().unwrap();
        assert!((less - (value(answer - 1) - value(answer))).abs() < 1e-9, "what one less costs: {found}");
        assert_eq!(found["binding"][0], "wait_mean<3h", "{found}");
    }
}

#[test]
fn a_question_that_makes_no_sense_is_told() {
    for (arguments, said) in [
        ("size night.toml --least tenant.0.quota", "required arguments were not provided"),
        ("size night.toml --least tenant.0.quota --where wait_p59<3h", "did you mean `wait_p50`"),
        ("size night.toml --least tenant.0.quota --where wait_p95", "expected a measure, a sign and a value"),
        ("size night.toml --least tenant.0.quota --where wait_p95<3x", "expected a time such as `90s`"),
        ("size night.toml --least tenant.0.qouta --where wait_p95<3h", "did you mean `quota`?"),
        ("size night.toml --least tenant.0.quota=7 --where wait_p95<3h", "has no `{}` for the number"),
        ("size night.toml --least cluster.nodes --where wait_p95<3h", "such as `--cluster NODESx8"),
        (
            "size --workload workload.csv --cluster NODESx8 --least run.warm_up --where wait_p95<3h",
            "is left open",
        ),
        ("size night.toml --least tenant.0.quota --between 9..3 --where wait_p95<3h", "the lower one first"),
        (
            "size night.toml --least tenant.0.quota --check some --where wait_p95<3h",
            "a number of values, or `all`",
        ),
        ("size night.toml --least tenant.0.quota --where cost<3", "nothing is known of `cost`"),
        ("size night.toml --least tenant.0.quota --where utilization>30", "did you mean `utilization>30%`?"),
        ("size night.toml --least tenant.0.quota --where wait_p95<0s", "wait_p95 is at least 0"),
    ] {
        let text = asked(arguments);
        assert!(
            text.starts_with("exit code: 2\n----- stdout -----\n----- stderr -----\n"),
            "{arguments}: {text}"
        );
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// A directory with the scenarios, and a way to run the command in it.
/// The directory of these tests.
fn place() -> Place {
    Place::of(&[(TRACE, trace().as_str()), ("night.toml", include_str!("../workloads/night.toml"))])
}

const SWEEP: &str = "sweep night.toml --vary tenant.0.quota=64..112:3 --vary policy=fcfs,greedy --seeds 3";

#[test]
fn a_sweep_gives_the_same_bytes_whatever_threads_shards_and_restarts_made_it() {
    let place = place();
    let text = place.run_on(&format!("{SWEEP} --out one"), "1");
    assert!(text.starts_with("exit code: 0\n") && text.contains("18 runs in one/runs.csv"), "{text}");
    let expected = place.text("one/runs.csv");
    assert_eq!(expected.lines().count(), 1 + 18, "a row a run: {expected}");
    place.run_on(&format!("{SWEEP} --out four"), "4");
    assert_eq!(place.text("four/runs.csv"), expected, "four threads");
    for number in 1..=3 {
        let text = place.run_on(&format!("{SWEEP} --out parts --shard {number}/3"), "2");
        assert!(text.contains(&format!("6 runs in parts/runs-{number}-of-3.csv")), "{text}");
    }
    let merged = place.run_on(&format!("{SWEEP} --out parts --resume"), "2");
    assert!(merged.contains("18 of 18 runs are done already"), "{merged}");
    assert_eq!(place.text("parts/runs.csv"), expected, "three shards");
    let parquet = |name: &str| std::fs::read(place.path().join(name).join("runs.parquet")).unwrap();
    assert_eq!(parquet("parts"), parquet("one"), "the same table, typed");
    let stopped = place.run_on(&format!("{SWEEP} --out late --budget 0s"), "2");
    assert!(stopped.starts_with("exit code: 1\n") && stopped.contains("0 of 18 runs are done"), "{stopped}");
    let table = |text: &str| text.split("----- stderr -----").next().unwrap().to_owned();
    let resumed = place.run_on(&format!("{SWEEP} --out late --resume"), "2");
    assert_eq!(place.text("late/runs.csv"), expected, "after a budget");
    assert_eq!(table(&resumed), table(&text), "and the same table");
}

#[test]
fn a_sweep_that_is_killed_loses_no_run_that_was_done() {
    let place = place();
    let sweep = "sweep night.toml --vary tenant.0.quota=64..112:4 --seeds 40";
    place.run_on(&format!("{sweep} --out whole"), "2");
    let mut child = place
        .command(&format!("{sweep} --out killed"), "2")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let partial = place.path().join("killed/runs.csv.partial");
    let rows = || std::fs::read_to_string(&partial).unwrap_or_default().lines().count();
    while rows() < 10 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = rows();
    let resumed = place.run_on(&format!("{sweep} --out killed --resume"), "2");
    assert!(kept <= 1 || resumed.contains("runs are done already"), "{kept} rows: {resumed}");
    assert_eq!(place.text("killed/runs.csv"), place.text("whole/runs.csv"), "after {kept} rows");
    assert!(!partial.exists(), "nothing is left of the way there");
}

#[test]
fn a_row_of_a_sweep_is_that_run_on_its_own() {
    let place = place();
    place.run_on(&format!("{SWEEP} --out rows"), "2");
    let text = place.text("rows/runs.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let column = |name: &str| columns.iter().position(|column| column == name).unwrap();
    for record in reader.records().map(|record| record.unwrap()).step_by(4) {
        let (seed, quota, policy) = (&record[1], &record[2], &record[3]);
        let one = format!(
            "simulate night.toml --seed {seed} --set tenant.0.quota={quota} -p {policy} --json --out one --force"
        );
        let text = place.run_on(&one, "1");
        let stdout =
            text.split("----- stdout -----\n").nth(1).unwrap().split("----- stderr -----").next().unwrap();
        let summary: Value = serde_json::from_str(stdout).unwrap();
        let wait = summary["wait_time"]["mean"].as_f64().unwrap();
        let told: f64 = record[column("wait_mean_s")].parse().unwrap();
        assert!((wait - told).abs() <= 1e-12 * wait, "{one}: {wait}, {told}");
        assert!(
            place.text("one/manifest.json").contains(&record[column("digest")]),
            "{one}: the same history"
        );
    }
}

#[test]
fn a_seed_that_a_scenario_sets_is_the_first_of_several() {
    let place = place();
    let column = |file: &str| -> Vec<String> {
        let text = place.text(file);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let wait = reader.headers().unwrap().iter().position(|name| name == "wait_mean_s").unwrap();
        reader.records().map(Result::unwrap).map(|row| format!("{} {}", &row[1], &row[wait])).collect()
    };
    let sweep = "sweep night.toml --vary tenant.0.quota=96 --seeds 3";
    place.run_on(&format!("{sweep} --seed 5 --out option"), "2");
    place.run_on(&format!("{sweep} --set run.seed=5 --out key"), "2");
    assert_eq!(column("key/runs.csv"), column("option/runs.csv"), "the same runs");
    let waits: std::collections::BTreeSet<String> = column("key/runs.csv").into_iter().collect();
    assert_eq!(waits.len(), 3, "of three seeds: {waits:?}");
    for question in [
        "size night.toml --least tenant.0.quota --between 96..97 --where wait_p95<99h --json",
        "fit night.toml --tenant lab --gpus 8 --work 1h --as-it-is --json",
        "compare night.toml -p easy -p fcfs --json",
    ] {
        let text = place.run_on(&format!("{question} --set run.seed=5 --seeds 3"), "2");
        assert!(!text.contains("nothing is random"), "{question}: {text}");
        let seeds: String = text
            .split("\"seeds\": [")
            .nth(1)
            .unwrap()
            .split(']')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        assert_eq!(seeds, "5,6,7", "{question}");
    }
}

#[test]
fn points_that_cannot_be_run_say_so_and_the_front_leaves_them_out() {
    let place = place();
    let sweep = "sweep --workload workload.csv --cluster NODESx8 --vary cluster.nodes=1,4,8,12,16,20 --vary policy=easy,fcfs";
    let text = place.run_on(&format!("{sweep} --front utilization,wait_p95 --out front"), "2");
    assert!(text.starts_with("exit code: 0\n") && text.contains("2 points could not be run: job"), "{text}");
    let plain = place.run_on(&format!("{sweep} --out plain --json"), "2");
    assert!(
        !plain.contains("on_front") && plain.contains("could never start"),
        "nobody asked for a front: {plain}"
    );
    let title = plain.lines().find(|line| line.contains("\"scenario\"")).unwrap();
    assert!(!title.contains("fifo"), "no policy is that of all points: {title}");
    assert!(text.contains("No other point is better in one of utilization, wait_p95"), "{text}");
    let rows = place.text("front/runs.csv");
    assert!(rows.lines().nth(1).unwrap().contains("could never start"), "the first says why: {rows}");
    let (found, _) = {
        let text = place.run_on(&format!("{sweep} --front utilization,wait_p95 --out again --json"), "2");
        let stdout =
            text.split("----- stdout -----\n").nth(1).unwrap().split("----- stderr -----").next().unwrap();
        (serde_json::from_str::<Value>(stdout).unwrap(), text.clone())
    };
    let points = found["points"].as_array().unwrap();
    let mean = |point: &Value, key: &str| point["means"][key].as_f64();
    for point in points {
        let (Some(used), Some(wait)) = (mean(point, "utilization"), mean(point, "wait_p95_s")) else {
            assert_eq!(point["on_front"], false, "{point}");
            continue;
        };
        let beaten = points.iter().any(|other| {
            mean(other, "utilization")
                .zip(mean(other, "wait_p95_s"))
                .is_some_and(|(more, less)| more >= used && less <= wait && (more > used || less < wait))
        });
        assert_eq!(point["on_front"], !beaten, "{point}");
    }
}

#[test]
fn a_sweep_that_makes_no_sense_is_told() {
    let place = place();
    for (arguments, said) in [
        ("sweep night.toml --out s", "required arguments were not provided"),
        ("sweep night.toml --vary tenant.0.quota=64", "required arguments were not provided"),
        ("sweep night.toml --vary tenant.0.quota --out s", "expected a key and its values"),
        ("sweep night.toml --vary tenant.0.quota=1..9 --out s", "a range of a grid needs a number of steps"),
        (
            "sweep night.toml --vary tenant.0.quota=uniform(1,9) --out s",
            "--design sobol --points 128` draws them",
        ),
        ("compare night.toml --vary tenant.0.quota=uniform(64,96)", "values of a distribution are drawn"),
        (
            "sweep night.toml --vary tenant.0.quota=logmornal(9,1) --design lhs --out s",
            "did you mean `lognormal`?",
        ),
        (
            "sweep night.toml --vary tenant.0.quota=lognormal(9) --design lhs --out s",
            "such as `lognormal(100 kW, 0.3)`",
        ),
        (
            "sweep night.toml --vary tenant.0.quota=1..9 --design sobol --points 65537 --out s",
            "at most 65536 points",
        ),
        (
            "sweep night.toml --vary tenant.0.quota=64 --front wait_mean,utilization,wait_mean_s --out s",
            "`wait_mean` is named twice",
        ),
        ("sweep night.toml --vary tenant.0.qouta=64 --out s", "did you mean `quota`?"),
        ("sweep night.toml --vary policy=strf --out s", "unknown policy `strf`"),
        ("sweep night.toml --vary run.until=1h --vary run.until=2h --out s", "`run.until` is varied twice"),
        ("sweep night.toml --vary run.seed=1,2 --out s", "`run.seed` cannot vary"),
        (
            "sweep night.toml --vary tenant.0.quota=64 --points 5 --out s",
            "`--design random --points 5` draws so many",
        ),
        ("sweep night.toml --vary policy=fcfs,easy -p las --out s", "`policy` is set and varies too"),
        ("sweep night.toml --vary run.until=1h,2h --set run.until=3h --out s", "--set run.until=3h"),
        ("compare night.toml --vary policy=fcfs,easy -p las", "and vary too"),
        ("compare night.toml --vary tenant.0.quota=100..112", "`gigawatt sweep --design random"),
        ("sweep night.toml --vary policy=fcfs,foo --out s", "unknown policy `foo`"),
        ("sweep night.toml --vary policy.order=fifo,foo --out s", "unknown order `foo`"),
        ("sweep night.toml --vary tenant.0.quota=many --out s", "--> --vary tenant.0.quota=many"),
        ("size night.toml --least workload.0.x --where wait_p95<3h", "--> --least workload.0.x=1"),
        (
            "sweep night.toml --vary tenant.0.quota=64 --front cost,wait_mean --out s",
            "nothing is known of `cost`",
        ),
        (
            "sweep night.toml --vary tenant.0.quota=64 --measure carbon --out s",
            "nothing is known of `carbon`",
        ),
        ("simulate night.toml --set policy.preset=las", "`las` is an order, and no preset"),
        ("simulate night.toml -p easy/pack", "`easy/placement=pack`"),
        ("init --platform H100 x.toml", "did you mean `h100`?"),
        ("compare night.toml --vary run.seed=1,2", "`--seed 1 --seeds 3` are the seeds 1 to 3"),
        ("size night.toml --least run.seed --where wait_p95<3h", "`run.seed` cannot vary"),
        ("sweep night.toml --vary tenant.0.quota=64 --front wiat_mean --out s", "did you mean `wait_mean`"),
        ("sweep night.toml --vary tenant.0.quota=64 --shard 3/2 --out s", "expected `i/n`"),
        ("sweep night.toml --vary tenant.0.quota=64 --seeds 0 --out s", "0 is not in 1..=1000000"),
        ("sweep night.toml --vary tenant.0.quota=64 --budget x --out s", "expected a time"),
        ("sweep night.toml --vary tenant.0.quota=64 --out night.toml", "cannot create `night.toml`"),
    ] {
        let text = place.run_on(arguments, "2");
        assert!(
            text.starts_with("exit code: 2\n----- stdout -----\n----- stderr -----\n"),
            "{arguments}: {text}"
        );
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!place.path().join("s").join("runs.csv").exists(), "nothing was run");
    let small = "sweep night.toml --vary tenant.0.quota=64 --out once";
    assert!(place.run_on(small, "2").starts_with("exit code: 0\n"), "once");
    assert!(place.run_on(small, "2").contains("this sweep was begun before"), "twice");
    let other = place.run_on("sweep night.toml --vary tenant.0.quota=65 --out once --resume", "2");
    assert!(
        other.starts_with("exit code: 2\n") && other.contains("another sweep is in this directory"),
        "{other}"
    );
}
