//! Saved runs explained, and jobs that do not exist yet fitted in.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::{Place, run, shown};
use serde_json::Value;

const NIGHT: &str = include_str!("../workloads/night.toml");
const TRACE: &str = "job_id,tenant,gpus,submit_time,work_time,requested_time
a,meta,8,0,600,600
b,meta,8,10,600,600
c,openai,1,20,60,60
";

/// The directory of these tests.
fn place() -> Place {
    Place::of(&[("night.toml", NIGHT), ("small.csv", TRACE)])
}

#[test]
fn a_job_is_told_why_it_waited_with_evidence() {
    let place = place();
    place.printed("simulate --workload small.csv --cluster 1x8 -p fcfs --out run1");
    let text = place.printed("explain run1 c");
    for piece in [
        "c of openai: other, 1 GPU; requests 1m00s for 1m00s of work\n",
        "submitted 00:00:20, started 00:20:00 after waiting 19m40s, completed at 00:21:00\n",
        "none of 8 GPUs was free where it may run; it asks for 1; held by",
        "Meanwhile 1 job started where it may run: 1 had been eligible longer, 0 came later",
    ] {
        assert!(
            text.split_whitespace()
                .collect::<String>()
                .contains(&piece.split_whitespace().collect::<String>()),
            "{piece:?}: {text}"
        );
    }
    let found = place.json("explain run1 c --json");
    let waited: u64 =
        found["waited"].as_array().unwrap().iter().map(|own| own["seconds"].as_u64().unwrap()).sum();
    assert_eq!((waited, &found["wait_time"]), (1180, &Value::from(1180)), "every second has its reason");
    assert!(place.printed("explain run1 a").contains("It waited for nothing."), "the first does not wait");
}

#[test]
fn what_would_have_been_otherwise_is_the_scenario_edited() {
    let quota = "quota = 112\n";
    assert!(NIGHT.contains(quota), "the quota of lab");
    let place = place().with("free.toml", &NIGHT.replace(quota, ""));
    place.printed("simulate night.toml --out bound");
    place.printed("simulate free.toml --out free");
    let jobs = std::fs::read_to_string(place.path().join("free/jobs.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(jobs.as_bytes());
    let mut compared = 0;
    for record in reader.records().map(Result::unwrap).filter(|record| &record[1] == "lab").step_by(17) {
        let found = place.json(&format!("explain bound {} --json", &record[0]));
        let otherwise = found["otherwise"].as_array().unwrap();
        let own = otherwise.iter().find(|own| own["change"] == "no-quota").unwrap();
        assert_eq!(own["start_time"].to_string(), &record[6], "{}: {own}", &record[0]);
        compared += 1;
    }
    assert!(compared >= 4, "{compared} jobs");
}

/// Jobs that are stopped, depend on another, run when the run ends, and never get there.
const FATES: &str = "job_id,tenant,gpus,submit_time,work_time,priority,preemptible,after
low,meta,8,0,6000,0,true,
high,meta,8,600,1200,9,false,
after,meta,1,0,60,0,false,low
late,meta,8,700,9000,0,false,
";

#[test]
fn what_became_of_a_job_is_told_of_each_part_of_its_time() {
    let place = place().with("fates.csv", FATES);
    place.printed("simulate --workload fates.csv --cluster 1x8 -p priority/skip/preemption=ranked --until 7100 --out run1");
    place.printed("simulate --workload fates.csv --cluster 1x8 -p priority/skip/preemption=ranked --until 8000 --out run2");
    for (run, job, said, wait) in [
        (
            "run1",
            "low",
            "started 00:00:00 after waiting 0s, waited 20m00s more after it had been stopped, still running at 01:58:20",
            Value::from(1200),
        ),
        ("run1", "high", "started 00:10:00 after waiting 0s, completed at 00:30:00", Value::from(0)),
        ("run1", "after", "never eligible, never started, not eligible by 01:58:20", Value::Null),
        ("run1", "late", "never started after waiting 1h46m, still waiting at 01:58:20", Value::from(6400)),
        (
            "run2",
            "late",
            "started 02:00:00 after waiting 1h48m, still running at 02:13:20",
            Value::from(6500),
        ),
    ] {
        // Lines end where the terminal does.
        let text = place.printed(&format!("explain {run} {job} --as-it-was"));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(said), "{run}, {job}, {said}: {text}");
        assert_eq!(
            place.json(&format!("explain {run} {job} --as-it-was --json"))["wait_time"],
            wait,
            "{run}, {job}"
        );
    }
}

/// Jobs one after the other: due in time, to the second, too late, and not over when the run is.
const DUE: &str = "job_id,gpus,submit_time,work_time,deadline
early,8,0,100,160
exact,8,0,100,200
late,8,0,100,120
open,8,0,1000,5000
never,8,0,50,100
free,8,0,10,
";

#[test]
fn a_job_is_told_how_it_stood_with_its_deadline() {
    let place = place().with("due.csv", DUE);
    place.printed("simulate --workload due.csv --cluster 1x8 -p fcfs --until 900 --out run1");
    for (job, said, due, late) in [
        ("early", "deadline 00:02:40: met with 1m00s to spare", Value::from(160), Value::from(0)),
        ("exact", "deadline 00:03:20: met to the second", Value::from(200), Value::from(0)),
        ("late", "deadline 00:02:00: missed by 3m00s", Value::from(120), Value::from(180)),
        ("open", "deadline 01:23:20: still open", Value::from(5000), Value::Null),
        ("never", "deadline 00:01:40: missed\n", Value::from(100), Value::Null),
        ("free", "", Value::Null, Value::Null),
    ] {
        let text = place.printed(&format!("explain run1 {job} --as-it-was"));
        assert!(text.contains(said) && text.contains("deadline") != said.is_empty(), "{job}, {said}: {text}");
        let found = place.json(&format!("explain run1 {job} --as-it-was --json"));
        assert_eq!((&found["due_time"], &found["tardiness"]), (&due, &late), "{job}");
    }
}

#[test]
fn a_job_that_was_moved_is_told_that_it_went_on_at_once() {
    let moves = include_str!("policies/consolidate-moves-what-is-in-the-way.toml");
    let place = Place::of(&[("moves.toml", moves)]);
    place.printed("simulate moves.toml --out run1");
    let text = place.printed("explain run1 one --as-it-was");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("moved 00:00:10 for wide of default (4 GPUs), and went on elsewhere at once"),
        "{text}"
    );
    let found = place.json("explain run1 one --as-it-was --json");
    assert_eq!(
        (&found["stopped"][0]["for"], &found["stopped"][0]["went_on"]),
        (&"wide".into(), &true.into())
    );
}

#[test]
fn a_manifest_of_another_run_is_told() {
    let place = place();
    place.printed("simulate night.toml --out one");
    place.printed("simulate night.toml --seed 9 --out other");
    std::fs::copy(place.path().join("one/manifest.json"), place.path().join("other/manifest.json")).unwrap();
    for command in ["explain other --at 3h", "report other", "watch other --at 3h"] {
        let text = place.run(command);
        assert!(
            text.starts_with("exit code: 2\n") && text.contains("the manifest of another run"),
            "{command}: {text}"
        );
    }
    place.printed("explain one --at 3h");
}

/// A trace with dates, which begins at 2024-01-01 00:00:00.
const DATES: &str = "job_id,gpus,submit_time,work_time
a,8,2024-01-01 00:00:00,7200
b,8,2024-01-01 00:10:00,7200
";

#[test]
fn every_instant_that_is_asked_for_may_be_a_date() {
    let place = place().with("dates.csv", DATES);
    place.printed("simulate --workload dates.csv --cluster 1x8 --out run1");
    for asked in
        ["explain run1", "watch run1", "fit --workload dates.csv --cluster 1x8 --gpus 8 --work 1h --as-it-is"]
    {
        let at = |at: &str| {
            let mut command = place.command(asked, "2");
            shown(&command.args(["--at", at]).output().unwrap())
        };
        let date = at("2024-01-01 01:00:00");
        assert!(date.starts_with("exit code: 0\n"), "{asked}: {date}");
        assert_eq!(date, at("1h"), "{asked}: the same instant");
        assert!(at("tomorrow").contains("--> --at tomorrow"), "{asked}");
    }
    let text = place.run("fit night.toml --tenant lab --gpus 8 --work 1h --at 2024-01-01");
    assert!(text.contains("nothing here has a date"), "{text}");
}

#[test]
fn a_job_is_fitted_into_a_run_that_was_kept() {
    let place = place();
    place.printed("simulate night.toml -p greedy --seed 4 --out run1");
    let ask = "--tenant lab --gpus 64 --work 1h --at 3h --as-it-is --json";
    let kept = place.json(&format!("fit run1 {ask}"));
    let alone = place.json(&format!("fit night.toml -p greedy --seed 4 --seeds 1 {ask}"));
    assert_eq!(kept, alone, "the same scenario, policy and seed");
    let placed = kept["first"]["placement"].as_array().unwrap();
    let nodes: usize = placed.iter().map(|own| own["nodes"].as_array().unwrap().len()).sum();
    assert_eq!(nodes, 16, "64 GPUs on nodes of 4: {kept}");
    for (arguments, said) in [
        (format!("fit run1 {ask} -p easy"), "this run is over"),
        (format!("fit run1 {ask} --set tenant.0.quota=3"), "this run is over"),
    ] {
        let text = place.run(&arguments);
        assert!(text.starts_with("exit code: 2\n") && text.contains(said), "{arguments}: {text}");
    }
    let place = place.with("night.toml", &NIGHT.replace("quota = 112\n", "quota = 64\n"));
    let text = place.run(&format!("fit run1 {ask}"));
    assert!(text.starts_with("exit code: 2\n") && text.contains("no longer what was simulated"), "{text}");
}

#[test]
fn a_job_that_no_empty_cluster_takes_is_told_why() {
    let place = place();
    let fit = |rest: &str| place.run(&format!("fit night.toml {rest}"));
    let text = fit("--tenant lab --gpus 113 --work 4h --seeds 2");
    assert!(
        text.starts_with("exit code: 1\n") && text.contains("it never starts: lab may hold 112 GPUs."),
        "{text}"
    );
    assert!(
        text.contains("--gpus 112") && !text.contains("no empty cluster"),
        "what is just allowed: {text}"
    );
    let text = fit("--tenant product --gpus 4000 --work 4h --as-it-is");
    assert!(text.contains("no empty cluster could hold it"), "{text}");
    for (rest, said) in [
        ("--tenant lab --pods 16 --work 4h", "`--pods 16 --pod-gpus 4`"),
        ("--tenant lab --work 4h", "nothing says how many GPUs"),
        ("--tenant lab --gpus 8 --work 0", "--> --work 0\n"),
        ("--tenant lab --gpus 8 --work 1h --platforms foo", "--> --platforms foo\n"),
        ("--tenant lab --gpus 8 --work 1h --at 5h --until 4h", "the job comes after the run ends, at 4h00m"),
    ] {
        let text = fit(rest);
        assert!(text.starts_with("exit code: 2\n") && text.contains(said), "{rest}, {said}: {text}");
    }
    let text = fit("--tenant lab --gpus 64 --work 1h --seeds 2 --as-it-is");
    assert!(!text.contains("median"), "of two seeds there is none in between: {text}");
}

#[test]
fn an_instant_and_a_queue_are_told() {
    let place = place();
    place.printed("simulate night.toml --out run1");
    let text = place.printed("explain run1 --at 3h");
    assert!(text.contains("\nAt 03:00:00: ") && text.contains("GPUs held by "), "{text}");
    let found = place.json("explain run1 --at 3h --json");
    let sum = |key: &str| -> f64 {
        found[key].as_array().unwrap().iter().map(|own| own["gpus"].as_f64().unwrap()).sum()
    };
    let free: f64 = found["racks"].as_array().unwrap().iter().map(|own| own["free"].as_f64().unwrap()).sum();
    assert!((sum("running") + free - sum("racks")).abs() < 1e-9, "held and free are all: {found}");
    let text = place.printed("explain run1 --tenant lab");
    assert!(text.contains("lab may hold 112.00 GPUs, is entitled to") && text.contains("▸ lab"), "{text}");
    let text = place.printed("explain run1 --queue all");
    assert!(text.contains("all may hold as much as there is"), "{text}");
    let found = place.json("explain run1 --tenant product --json");
    assert_eq!(found["tenant"]["name"], "product", "{found}");
    assert_eq!(found["all"].as_array().unwrap().len(), 2, "beside the others");
}

#[test]
fn a_question_that_makes_no_sense_is_told() {
    assert!(run("explain nowhere x", &[]).contains("cannot read `nowhere/history`"), "there is no run");
    let place = place();
    place.printed("simulate night.toml --out run1");
    for (arguments, said) in [
        ("explain run1", "required arguments were not provided"),
        ("explain run1 x --at 3h", "cannot be used with"),
        ("explain run1 assistant/finetun", "did you mean `assistant/finetune`?"),
        ("explain run1 --at tomorrow", "expected seconds"),
        ("explain run1 --at 900d", "is not within the run"),
        ("explain run1 --at 2024-01-01", "nothing here has a date"),
        ("explain run1 --tenant lap", "did you mean `lab`?"),
        ("explain run1 --queue every", "no job of the run has the partition `every`"),
        ("fit night.toml --work 4h", "nothing says how many GPUs"),
        ("fit night.toml --gpus 8", "required arguments were not provided"),
        ("fit night.toml --gpus 8 --work 4x", "--work"),
        ("fit night.toml --gpus 8 --work 4h --tenant lap", "did you mean `lab`?"),
        ("fit night.toml --gpus 8 --work 4h --platforms h1000", "h1000"),
    ] {
        let text = place.run(arguments);
        assert!(
            text.starts_with("exit code: 2\n----- stdout -----\n----- stderr -----\n"),
            "{arguments}: {text}"
        );
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn to_fit_is_to_submit() {
    let place = place();
    for (at, gpus, work) in [("0", 8, "1h"), ("2h", 64, "4h"), ("5h", 96, "30m"), ("7h", 1, "10m")] {
        let own = format!(
            "\n[[workload.job]]\nid = \"mine\"\nsubmit = \"{at}\"\ngpus = {gpus}\nwork = \"{work}\"\ntenant = \"lab\"\n"
        );
        std::fs::write(place.path().join("with.toml"), format!("{NIGHT}{own}")).unwrap();
        let arguments = format!(
            "fit night.toml --at {at} --gpus {gpus} --work {work} --tenant lab --seeds 3 --as-it-is --json"
        );
        let found = place.json(&arguments);
        let starts = found["fit"]["start_times"].as_array().unwrap();
        assert_eq!(starts.len(), 3, "a seed each: {found}");
        for (seed, start) in (1..).zip(starts) {
            place.printed(&format!("simulate with.toml --seed {seed} --out with --force"));
            let jobs = std::fs::read_to_string(place.path().join("with/jobs.csv")).unwrap();
            let line = jobs.lines().find(|line| line.starts_with("mine,")).unwrap();
            assert_eq!(start.to_string(), line.split(',').nth(6).unwrap(), "at {at}, seed {seed}: {line}");
        }
    }
}

#[test]
fn what_never_starts_is_a_no_and_less_may_be_a_yes() {
    let place = place();
    let text = place
        .run("fit night.toml --at 1h --tenant product --gpus 96 --topology require-rack --work 1h --seeds 2");
    assert!(text.starts_with("exit code: 1\n"), "{text}");
    assert!(text.replace('\n', " ").contains("it never starts: no empty cluster could hold it."), "{text}");
    assert!(text.contains("The least to give up for an earlier start: --topology ignore."), "{text}");
    assert!(text.contains("A simulation of what is known is no promise."), "{text}");
    let found = place.json("fit night.toml --at 1h --tenant product --gpus 64 --work 1h --seeds 10 --json");
    let waits = &found["fit"]["wait_s"];
    let of = |key: &str| waits[key].as_u64().unwrap();
    assert!(of("min") <= of("p50") && of("p50") <= of("p95") && of("p95") <= of("max"), "{waits}");
    for other in found["otherwise"].as_array().unwrap() {
        assert!(other["fit"]["start_times"].as_array().is_some_and(|starts| starts.len() == 10), "{other}");
    }
}

/// A job that requests much more than it takes, one behind it, and one that comes later.
const SOONER: &str = "job_id,tenant,gpus,submit_time,work_time,requested_time
a,meta,8,0,600,3600
b,meta,8,10,600,600
c,openai,1,20,60,60
";

#[test]
fn what_moved_a_reservation_is_told() {
    let place = place().with("sooner.csv", SOONER);
    place.printed("simulate --workload sooner.csv --cluster 1x8 -p fifo/conservative --out run1");
    let found = place.json("explain run1 b --json");
    let all = found["outlook"]["all"].as_array().unwrap();
    let starts: Vec<(u64, u64)> =
        all.iter().map(|own| (own["at"].as_u64().unwrap(), own["start_time"].as_u64().unwrap())).collect();
    assert_eq!(starts, [(10, 3600), (600, 600)], "first the request of a, then its end: {found}");
    assert_eq!(all[1]["since"][0]["what"], "ended-sooner", "{found}");
    assert_eq!(all[1]["since"][0]["job"], "a", "{found}");
    let text = place.printed("explain run1 b");
    let joined: String = text.split_whitespace().collect();
    assert!(joined.contains("aended50m00sofworkbeforeitsrequest"), "{text}");
    assert_eq!(
        place.json("explain run1 b --as-it-was --json")["outlook"],
        Value::Null,
        "nothing is simulated"
    );
    assert!(!place.printed("explain run1 a").contains("known at"), "the first does not wait");
}

#[test]
fn a_job_that_is_stopped_as_the_run_ends_did_not_wait_for_nothing() {
    let stopped = "[run]
until = \"1h\"
[cluster]
rack = [{ platform = \"generic\", nodes = 1, gpus = 8 }]
change = [{ time = \"1h\", nodes = \"0\", state = \"down\" }]
[workload]
job = [{ id = \"a\", gpus = 8, work = \"2h\" }]
";
    let place = place().with("stopped.toml", stopped);
    place.run("simulate stopped.toml --out run1");
    let text = place.printed("explain run1 a");
    let said = "It was stopped by nodes that went down at 01:00:00, the last instant of the run, and waits from then on.";
    let joined = |text: &str| text.split_whitespace().collect::<String>();
    assert!(joined(&text).contains(&joined(said)), "{text}");
}

#[test]
fn a_saved_run_is_of_one_seed() {
    let place = place();
    place.printed("simulate night.toml --out night");
    let fit = "fit night --tenant lab --gpus 8 --work 1h --at 3h --as-it-is";
    let text = place.run(&format!("{fit} --seeds 5"));
    assert!(text.starts_with("exit code: 2\n") && text.contains("a saved run is of one seed"), "{text}");
    assert!(place.run(&format!("{fit} --seeds 1")).starts_with("exit code: 0\n"), "which is one");
}
