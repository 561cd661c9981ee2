use super::*;

fn generator(text: &str) -> String {
    format!("{CLUSTER}[[workload.generate]]\nname = \"g\"\n{text}\n")
}

const GENERATED: &str = "job = { gpus = 1, work = \"10m\" }";

#[test]
fn a_generator_fills_its_time_or_its_number() {
    let count = |text: &str| load(&generator(&format!("{text}\n{GENERATED}"))).plan.workload.jobs.len();
    assert_eq!(count("arrivals = { fixed = 12, per = \"1h\" }\nstop = \"1d\""), 288, "every five minutes");
    assert_eq!(count("arrivals = { poisson = 12, per = \"1h\" }\ncount = 70"), 70, "as many as told");
    assert_eq!(
        count("arrivals = { fixed = 1, per = \"1h\", profile = [0, 1] }\nstop = \"1d\""),
        24,
        "a profile"
    );
    let scaled = "[workload]\nscale_load = 2\n";
    let text = generator(&format!("arrivals = {{ fixed = 12, per = \"1h\" }}\nstop = \"1d\"\n{GENERATED}"));
    let text = text.replace("[[workload.generate]]", &format!("{scaled}[[workload.generate]]"));
    assert_eq!(load(&text).plan.workload.jobs.len(), 576, "twice the load");
}

#[test]
fn the_seed_decides_and_generators_do_not_disturb_each_other() {
    let one = generator(&format!("arrivals = {{ poisson = 12, per = \"1h\" }}\ncount = 50\n{GENERATED}"));
    let jobs = |text: &str| load(text).plan.workload.jobs;
    let seeded = |seed: u32| jobs(&format!("run.seed = {seed}\n{one}"));
    assert_eq!(seeded(3), seeded(3), "the same seed");
    assert_ne!(seeded(3), seeded(4), "another seed");
    let second = one.replace(CLUSTER, "").replace("\"g\"", "\"h\"");
    assert_eq!(
        jobs(&format!("{one}{second}"))[..50],
        jobs(&one)[..],
        "a second one changes nothing of the first"
    );
}

#[test]
fn every_problem_of_a_generator_is_told() {
    let fine = "arrivals = { fixed = 1, per = \"1h\" }";
    let wrong = [
        generator("count = 5"),
        generator(&format!("{fine}\n{GENERATED}")),
        generator(&format!("{fine}\ncount = -5\n{GENERATED}")),
        generator(&format!("{fine}\ncount = 5\njob = [{{ weight = 0, gpus = 1, work = 5 }}]")),
        generator(&format!(
            "{fine}\ncount = 5\njob = [{{ id = \"x\", gpus = 1, work = 5 }}, {{ gpus = 1 }}]"
        )),
        generator(&format!("arrivals = 7\ncount = 5\n{GENERATED}")),
        generator(&format!("arrivals = {{ per = \"1h\" }}\ncount = 5\n{GENERATED}")),
        generator(&format!("arrivals = {{ fixed = 1, poisson = 2 }}\ncount = 5\n{GENERATED}")),
        generator(&format!("arrivals = {{ fixed = 0, per = \"1h\" }}\ncount = 5\n{GENERATED}")),
        generator(&format!("arrivals = {{ poisson = -3, per = \"1h\" }}\ncount = 5\n{GENERATED}")),
        generator(&format!(
            "arrivals = {{ fixed = 1, per = \"1h\", profile = [1, 1, 1, 1, 1, 1, 1] }}\ncount = 5\n{GENERATED}"
        )),
        generator(&format!(
            "arrivals = {{ fixed = 1, per = \"1h\", profile = [1, -1] }}\ncount = 5\n{GENERATED}"
        )),
        generator(&format!("{fine}\ncount = 4000000000\n{GENERATED}")),
        generator(&format!("arrivals = {{ fixed = 4000000000, per = 1 }}\nstop = \"1d\"\n{GENERATED}")),
        format!(
            "{}{}",
            generator(&format!("{fine}\ncount = 1\n{GENERATED}")),
            generator(&format!("{fine}\ncount = 1\n{GENERATED}")).replace(CLUSTER, "")
        ),
        generator(&format!("{fine}\ncount = 1\n{GENERATED}")).replace("\"g\"", "\"g/h\""),
        generator(&format!("{fine}\ncount = 1\n{GENERATED}"))
            .replace("[[workload.generate]]", "[workload]\nscale_load = 0\n[[workload.generate]]"),
    ];
    let told: Vec<String> = wrong.iter().map(|text| told(text)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    s.toml:2:1: missing `arrivals`
    s.toml:2:1: a generator without a job (give `[[workload.generate.job]]`)
    s.toml:2:1: a generator without an end (give `stop` or `count`, or `until` in `[run]`)
    s.toml:5:9: `count`: expected a whole number from 0 to 4294967295, found `-5`
    s.toml:2:1: every job of this generator has weight 0
    s.toml:6:10: unknown key `id` (did you mean `kind`?)
    s.toml:6:42: missing `work`
    s.toml:4:12: `arrivals`: expected a table, found `7`
    s.toml:4:12: expected one of `poisson` and `fixed` (such as `{ poisson = 40, per = "1h" }`: 40 jobs an hour)
    s.toml:4:12: missing `per`
    s.toml:4:12: expected one of `poisson` and `fixed` (such as `{ poisson = 40, per = "1h" }`: 40 jobs an hour)
    s.toml:4:12: expected a rate above 0 and a gap of less than six years (such as `{ poisson = 40, per = "1h" }`: 40 jobs an hour)
    s.toml:4:12: expected a rate above 0 and a gap of less than six years (such as `{ poisson = 40, per = "1h" }`: 40 jobs an hour)
    s.toml:4:12: `profile`: expected a weight for each equal part of a day, not all 0 (24 whole numbers for the hours, each at most a million)
    s.toml:4:51: `profile`: expected a whole number from 0 to 4294967295, found `-1`
    s.toml:2:1: more than 5000000 jobs with these
    s.toml:2:1: more than 5000000 jobs with these
    s.toml:8:8: `g` is described twice
    s.toml:3:8: `g/h` cannot be the name of a generator (1 to 200 letters, without blanks and `/ [ ] , ;`)
    s.toml:3:14: `scale_load`: expected a number from 0.000001 to 1000000, found `0` (2 doubles the rate of arrivals)
    "#);
}

#[test]
fn jobs_are_offered_once_until_they_have_asked_for_so_much_of_the_gpus() {
    let packed = |pack: &str, seed: u32| {
        let text = format!(
            "run.seed = {seed}\n{CLUSTER}[workload]\npack = {pack}\n[[workload.generate]]\n\
             name = \"g\"\narrivals = {{ fixed = 1, per = \"1h\" }}\ncount = 20\n{GENERATED}\n"
        );
        load(&text).plan
    };
    let plan = packed("1.5", 1);
    assert_eq!(plan.workload.jobs.len(), 48, "1.5 of 32 GPUs, a GPU each");
    assert_eq!(measure(&simulate(plan, &mut Control::default())).metrics.packed, Some(1.0), "all are held");
    let half = packed("0.5", 1);
    assert_eq!(half.workload.jobs.len(), 16, "half of the GPUs");
    assert_eq!(
        measure(&simulate(half, &mut Control::default())).metrics.packed,
        Some(0.5),
        "and none leaves"
    );
    let names = |seed: u32| packed("0.5", seed).workload.names;
    assert_ne!(names(1), names(2), "the seed decides which, and in which order");
    let unpacked = load(&format!("{CLUSTER}{JOB}")).plan;
    assert_eq!(
        measure(&simulate(unpacked, &mut Control::default())).metrics.packed,
        None,
        "jobs come and go"
    );
}

#[test]
fn what_cannot_be_offered_once_is_told() {
    let told_of = |workload: &str| told(&format!("{CLUSTER}[workload]\n{workload}"));
    let expected = "s.toml:3:8: `pack`: expected a number above 0 and at most 100, found `0` \
                    (1.3 offers jobs that ask for 1.3 times the GPUs there are)";
    assert_eq!(told_of(&format!("pack = 0\n{JOB}")), expected);
    assert_eq!(
        told_of(&format!("pack = 1.3\n{JOB}after = \"a\"\n").replace("id = \"a\"", "id = \"b\"").replace(
            "[[workload.job]]",
            "[[workload.job]]\nid = \"a\"\ngpus = 1\nwork = 60\n[[workload.job]]"
        )),
        "s.toml:3:8: `pack` offers every job by itself, and there are job graphs (it is for traces)"
    );
    assert_eq!(
        told_of(&format!(
            "pack = 1.3\nscale_load = 2\n[[workload.generate]]\nname = \"g\"\n\
             arrivals = {{ fixed = 1, per = \"1h\" }}\ncount = 20\n{GENERATED}\n"
        )),
        "s.toml:3:8: `pack` offers jobs one after the other, so that `scale_load` changes nothing (one of the two)"
    );
    assert_eq!(
        told_of(&format!("pack = 1.3\n{JOB}running = true\n")),
        "s.toml:3:8: `pack` offers every job, and some are already running (without `running`)"
    );
    assert_eq!(
        told_of(&format!("pack = 1.3\n{JOB}").replace("gpus = 1", "gpus = 0")),
        "s.toml:3:8: `pack` fills the GPUs of a cluster: no job asks for a GPU"
    );
}
