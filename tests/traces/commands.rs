//! Commands that turn traces into others: `import`, `generate`, `inspect` of two, and `--estimates`.

use std::path::Path;
use std::process::Command;

/// A month of two tenants: bursts in the morning, a gang each hour, estimates of four times the work.
fn month() -> String {
    let mut text = "job_id,tenant,gpus,submit_time,work_time,requested_time\n".to_owned();
    for hour in 0..24 * 30_u32 {
        let submit = 1_767_225_600 + hour * 3600;
        let work = 600 + hour * 37 % 5000;
        text.push_str(&format!("n{hour},night,16,{submit},{work},{}\n", 4 * work));
        for k in 0..if hour % 24 == 9 { 6 } else { 0 } {
            let (submit, work) = (submit + 10 * k, 60 + hour % 7 * 90 + k);
            text.push_str(&format!("d{hour}-{k},day,1,{submit},{work},{work}\n"));
        }
    }
    text
}

/// Exit code, stdout and stderr of the command with these arguments (split at blanks).
pub(crate) fn run(folder: &Path, arguments: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gigawatt"));
    let output = command.current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("month.csv"), month()).unwrap();
    std::fs::write(
        folder.path().join("log.swf"),
        "; UnixStartTime: 1272639895\n\
         1 50 5 3600 4 -1 -1 4 7200 -1 1 1 1 -1 1 -1 -1 -1\n\
         2 600 40 1800 8 -1 -1 8 1800 -1 0 2 1 -1 1 -1 1 60\n\
         3 700 9 -1 -1 -1 -1 8 1800 -1 5 2 1 -1 1 -1 -1 -1\n",
    )
    .unwrap();
    folder
}

#[test]
fn an_imported_trace_is_simulated_to_the_same_digest() {
    let folder = folder();
    let folder = folder.path();
    let digest = |arguments: &str| {
        let (code, _, told) = run(folder, &format!("simulate --cluster 4x8 {arguments} --out run --force"));
        assert_eq!(code, Some(0), "{arguments}: {told}");
        let manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join("run/manifest.json")).unwrap()).unwrap();
        manifest["history"].as_str().unwrap().to_owned()
    };
    for out in ["a.csv", "deep/er/a.jsonl", "a.parquet"] {
        let (code, said, told) = run(folder, &format!("import log.swf -o {out} --map think_time=true"));
        assert_eq!((code, said.as_str()), (Some(0), &*format!("{out}: 3 jobs of log.swf (swf)\n")), "{told}");
        assert!(!told.contains("not kept"), "{told}");
        let own = digest("--workload log.swf --map think_time=true");
        assert_eq!(digest(&format!("--workload {out}")), own, "{out}");
        assert_ne!(digest("--workload log.swf"), own, "what is compared can differ");
    }
    let text = std::fs::read_to_string(folder.join("a.csv")).unwrap();
    assert_eq!(
        text,
        "job_id,tenant,gpus,submit_time,work_time,requested_time,after,after_delay,outcome,cancel_time,\
         recorded_start_time,epoch\n\
         1,user1,4,50,3600,7200,,,,,55,1272639895\n\
         2,user2,8,600,1800,1800,1,60,failed,,640,\n\
         3,user2,8,700,1800,1800,,,,709,,\n",
        "every word of it"
    );
}

#[test]
fn what_cannot_be_written_is_told() {
    let folder = folder();
    for (out, told) in [
        ("a.txt", "no format that can be written ends in `.txt`"),
        ("a", "`.csv`, `.jsonl` and `.parquet` can"),
    ] {
        for command in ["import log.swf", "generate --like log.swf"] {
            let (code, said, text) = run(folder.path(), &format!("{command} -o {out}"));
            assert_eq!((code, said.as_str()), (Some(2), ""), "{out}");
            assert!(text.contains(told), "{told} is missing in:\n{text}");
            assert!(!folder.path().join(out).exists(), "{out}: nothing was written");
        }
    }
    for command in ["import night.toml", "generate --like night.toml"] {
        let (code, _, told) = run(folder.path(), &format!("{command} -o a.csv"));
        assert!(code == Some(2) && told.contains("is a scenario or a file of job graphs"), "{told}");
    }
}

#[test]
fn a_key_of_the_map_that_does_nothing_is_told() {
    let folder = folder();
    std::fs::write(
        folder.path().join("dump.txt"),
        "JobID|Submit|Start|End|State|ReqTRES\n1|2026-01-01T00:00:00|2026-01-01T00:00:00|2026-01-01T01:00:00|COMPLETED|gres/gpu=4\n",
    )
    .unwrap();
    for (file, map, code, wrong) in [
        ("month.csv", "think_time=true", 2, "`think_time` does nothing: format csv tells no job"),
        ("month.csv", "procs_per_gpu=4", 2, "it works on swf, gaia, gwf, batsim"),
        ("month.csv", "gpus_from=allocated,shards_per_gpu=4", 2, "2 problems"),
        ("month.csv", "procs_per_gpu=1", 2, "`procs_per_gpu` does nothing: format csv counts no processors"),
        ("month.csv", "think_time=false,gpus_from=requested", 2, "2 problems"),
        ("month.csv", "partition=ignore", 2, "format csv has columns of its own"),
        ("log.swf", "procs_per_gpu=1,think_time=false,partition=ignore", 0, "one each"),
        ("log.swf", "states.DONE=completed", 2, "format swf has no words for how jobs ended"),
        ("log.swf", "procs_per_gpu=4,procs_per_gpu=2", 2, "`procs_per_gpu` is given twice"),
        ("log.swf", "procs_per_gpu=4 --map procs_per_gpu=2", 2, "`procs_per_gpu` is given twice"),
        ("log.swf", "gpus_from=allocated", 0, "`map.gpus_from` changes nothing"),
        ("log.swf", "procs_per_gpu=4", 0, "4 to each"),
        ("dump.txt", "procs_per_gpu=4", 2, "format sacct counts no processors"),
        ("dump.txt", "states.DONE=completed", 0, "`map.states.DONE` changes nothing: no `DONE` is told"),
        ("dump.txt", "platform.a100=h100", 0, "`map.platform.a100` changes nothing"),
        ("dump.txt", "platform=ignore", 0, "`map.platform` changes nothing"),
        ("dump.txt", "shards_per_gpu=4", 0, "`map.shards_per_gpu` changes nothing"),
    ] {
        let (found, said, told) = run(folder.path(), &format!("import {file} -o x.csv --map {map}"));
        assert!(
            found == Some(code) && told.contains(wrong),
            "{file} --map {map}: {wrong} is missing in\n{said}{told}"
        );
    }
}

#[test]
fn tables_as_people_write_them_are_read() {
    let folder = folder();
    for (what, text, note) in [
        ("blanks", "id gpus submit_time duration\na 8 0 61\nb 1 5 30\n", "columns known by their names"),
        ("blanks between our own columns", "job_id gpus submit_time work_time\na 8 0 61\nb 1 5 30\n", ""),
        ("a mark before the header", "# id gpus submit_time duration\na 8 0 61\nb 1 5 30\n", ""),
        ("a comment above it", "# by hand\nid,gpus,submit_time,duration\na,8,0,61\nb,1,5,30\n", ""),
        ("old line ends", "id,gpus,submit_time,duration\ra,8,0,61\rb,1,5,30\r", ""),
        (
            "decimal commas",
            "id;gpus;submit_time;duration\na;8,0;0;60,5\nb;1;5;30\n",
            "2 numbers with a decimal comma",
        ),
        ("workers", "id,worker_num,gpus_per_pod,submit_time,duration\na,2,4,0,61\nb,1,1,5,30\n", ""),
    ] {
        std::fs::write(folder.path().join("t.txt"), text).unwrap();
        let (code, said, told) = run(folder.path(), "import t.txt -o t.csv");
        assert_eq!(said.contains("(csv)"), what.contains("our own"), "{what}: {said}");
        assert!(code == Some(0) && told.contains(note), "{what}: {told}");
        let written = std::fs::read_to_string(folder.path().join("t.csv")).unwrap();
        let first = written.lines().nth(1).unwrap();
        assert!(first.starts_with("a,default,8,") && first.ends_with(",0,61,61"), "{what}: {written}");
        assert_eq!(written.lines().count(), 3, "{what}: {written}");
    }
}

#[test]
fn a_trace_is_made_like_another_one() {
    let folder = folder();
    let folder = folder.path();
    let (code, said, told) = run(folder, "generate --like month.csv --seed 3 -o made.csv");
    assert_eq!(code, Some(0), "{told}");
    assert!(said.starts_with("made.csv: 900 jobs like those of month.csv, submitted within 29d2"), "{said}");
    let (_, table, _) = run(folder, "inspect month.csv made.csv");
    let ratio = |row: &str| {
        let line =
            table.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("{row}:\n{table}"));
        line.split_whitespace().last().unwrap().parse::<f64>().unwrap()
    };
    for row in ["jobs ", "GPU-hours", "work time, p50", "work time, p90", "GPUs of a gang, p90"] {
        assert!((0.99..1.01).contains(&ratio(row)), "{row}:\n{table}");
    }
    assert!((0.99..1.01).contains(&ratio("requested / work, p90")), "estimates go with the jobs:\n{table}");
    assert!((0.8..1.25).contains(&ratio("time between submits, p50")), "{table}");
    let (_, said, told) =
        run(folder, "generate --like month.csv --load 0.9 --cluster 8x8 -o busy.jsonl --jobs 5000");
    let said = said.replace('\n', " ");
    assert!(
        said.contains("5,000 jobs like those") && said.contains("offered load 0.90 on 8x8"),
        "{said}{told}"
    );
    let (_, shown, _) = run(folder, "inspect busy.jsonl --cluster 8x8");
    assert!(shown.contains("offered load 0.90 on 8x8 (64 GPUs)"), "{shown}");
    let (code, _, told) = run(folder, "generate --like month.csv --load 0.9 -o x.csv");
    assert!(code == Some(2) && told.contains("--cluster"), "{told}");
}

#[test]
fn estimates_are_given_to_a_trace() {
    let folder = folder();
    let folder = folder.path();
    for (which, requested, notes) in [
        ("exact", [60, 60], ["727 jobs", "given an estimate, exact"].as_slice()),
        ("factor=2.5", [150, 150], &["given an estimate, 2.5 times the work"]),
        ("like=month.csv", [60, 240], &["like those of `month.csv`"]),
    ] {
        std::fs::write(folder.join("one.csv"), "gpus,submit_time,work_time\n1,0,60\n").unwrap();
        let (code, _, told) = run(folder, &format!("import one.csv --estimates {which} -o given.csv"));
        assert_eq!(code, Some(0), "{told}");
        assert!(notes[notes.len() - 1..].iter().all(|note| told.contains(note)), "{which}: {told}");
        let text = std::fs::read_to_string(folder.join("given.csv")).unwrap();
        let found: u32 = text.lines().nth(1).unwrap().rsplit(',').next().unwrap().parse().unwrap();
        assert!(requested.contains(&found), "{which}: {text}");
    }
    let (_, _, told) = run(folder, "inspect month.csv --estimates exact");
    let (_, shown, _) = run(folder, "inspect month.csv --estimates exact --cluster 8x8");
    assert!(shown.contains("every job requests exactly its work time"), "{shown}{told}");
    assert!(shown.contains("720 jobs whose own estimate that replaces"), "{shown}");
    for (which, wrong) in [
        ("factor=0", "a factor is from 0.001 to 1000"),
        ("perfect", "expected `exact`, `factor=2`, or `like=FILE`"),
        ("like=one.csv", "no job of `one.csv` tells an estimate"),
        ("like=nowhere.csv", "cannot read `nowhere.csv`"),
    ] {
        for command in ["inspect month.csv", "check --workload month.csv --cluster 8x8"] {
            let (code, _, told) = run(folder, &format!("{command} --estimates {which}"));
            assert!(code == Some(2) && told.contains(wrong), "{command} --estimates {which}: {told}");
        }
    }
}
