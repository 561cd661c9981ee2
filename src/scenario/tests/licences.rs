use super::*;

/// Forty of one licence, one of another, and one job.
fn text(job: &str) -> String {
    let licences = "[[licence]]\nname = \"solver\"\ncount = 40\n[[licence]]\nname = \"mesher\"\ncount = 1\n";
    format!("{CLUSTER}{licences}[[workload.job]]\nid = \"a\"\ngpus = 1\nwork = 60\n{job}")
}

#[test]
fn a_job_holds_licences_by_their_names() {
    let loaded = load(&text("licences = { mesher = 1, solver = 3 }\n"));
    let plan = &loaded.plan;
    let counts: Vec<(&str, u32)> =
        plan.cluster.licences.iter().map(|own| (own.name.as_str(), own.count)).collect();
    assert_eq!(counts, [("solver", 40), ("mesher", 1)], "as they stand there");
    assert_eq!(plan.workload.request_of(0).licences, [(0, 3), (1, 1)], "in that order");
    assert_eq!(loaded.notes, [""; 0], "both are asked for");
    let told = "no job asks for licence `mesher`: `licences = { mesher = 1 }` of a job does";
    assert_eq!(load(&text("licences = { solver = 1 }\n")).notes, [told], "what nobody asks for is said");
}

#[test]
fn licences_that_cannot_be_meant_are_told() {
    let twice = format!("{CLUSTER}{}", "[[licence]]\nname = \"a\"\ncount = 0\n".repeat(2));
    let wrong = [
        told(&text("licences = { solvr = 1 }\n")),
        told(&text("licences = { solver = 0 }\n")),
        told(&text("licences = 3\n")),
        told(&text("licences = { solver = 41 }\n")),
        told(&format!(
            "{CLUSTER}[[workload.job]]\nid = \"a\"\ngpus = 1\nwork = 60\nlicences = {{ solver = 1 }}\n"
        )),
        told(&format!("{twice}[[workload.job]]\nid = \"a\"\ngpus = 1\nwork = 60\n")),
    ];
    insta::assert_snapshot!(wrong.join("\n"), @r"
    s.toml:12:14: unknown licence `solvr` (did you mean `solver`?)
    s.toml:12:23: `solver`: expected at least 1, found `0`
    s.toml:12:12: `licences`: expected a table, found `3`
    s.toml:8:1: job `a` asks for 41 of licence `solver` and could never start (there are 40; `--set run.oversized=reject` runs the rest)
    s.toml:6:14: unknown licence `solver` (`[[licence]]` says what there is, with `name` and `count`)
    s.toml:4:9: `count`: expected at least 1, found `0`
    s.toml:6:8: licence `a` is described twice
    s.toml:7:9: `count`: expected at least 1, found `0`
    ");
    let rejected =
        load(&format!("run.oversized = \"reject\"\n{}", text("licences = { solver = 41, mesher = 1 }\n")));
    assert_eq!(
        rejected.notes,
        ["1 job could never start, not on the empty cluster either: rejected"],
        "said"
    );
}
