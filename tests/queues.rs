//! Queues as a user meets them: what is told of a job that one refused, and of what each held.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::Place;

/// Two nodes of 8 GPUs: a lab may borrow 4 of what a product has and lends but 4 of.
const QUEUES: &str = "
cluster = \"2x8\"
policy = { preset = \"greedy\" }
[[queue]]
name = \"cloud\"
limit = 14
[[queue]]
name = \"research\"
parent = \"cloud\"
tenants = [\"lab\"]
nominal = 8
borrow = 4
[[queue]]
name = \"serving\"
parent = \"cloud\"
tenants = [\"product\"]
nominal = 8
guarantee = 4
[workload]
job = [
    { id = \"a\", tenant = \"lab\", gpus = 8, work = \"10m\" },
    { id = \"b\", tenant = \"lab\", gpus = 4, work = \"20m\" },
    { id = \"c\", tenant = \"lab\", gpus = 2, work = \"10m\", submit = \"1m\" },
    { id = \"d\", tenant = \"product\", gpus = 2, work = \"30m\", submit = \"2m\" },
    { id = \"e\", tenant = \"product\", gpus = 2, work = \"10m\", submit = \"3m\" },
]
";

#[test]
fn a_job_that_its_queue_refuses_is_told_which_and_why() {
    let place = Place::of(&[("queues.toml", QUEUES)]);
    place.printed("simulate queues.toml --out run1");
    let whole = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // The lab holds its own 8 and the 4 that it may borrow, until 10:00.
    let text = whole(place.printed("explain run1 c"));
    for said in [
        "started 00:10:00 after waiting 9m00s",
        "queue research had no room left: it had borrowed 4 GPUs of at most 4 GPUs; it asks for 2 GPUs; held by a 8 GPUs until 00:10:00",
        "no quota of lab or queue research 00:01:00 9m00s sooner",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // Both together hold the 14 that they may.
    let text = whole(place.printed("explain run1 e"));
    let said = "queue serving had no room left: cloud held 14 GPUs of at most 14 GPUs; it asks for 2 GPUs";
    assert!(text.contains(said), "{text}");
    let found = place.json("explain run1 e --json");
    let evidence = &found["waited"][0]["evidence"];
    for (key, value) in [("queue", "serving"), ("refusing", "cloud"), ("bound", "limit")] {
        assert_eq!(evidence[key], value, "{found}");
    }
    let found = place.json("explain run1 --queue research --json");
    let (own, names) = (&found["queue"], ["cloud", "research", "serving"]);
    assert_eq!((&own["ceiling"], &own["entitled"], &own["peak"]), (&12.0.into(), &8.0.into(), &12.0.into()));
    // 4 for 10 minutes.
    assert!((own["borrowed_gpu_hours"].as_f64().unwrap() - 4.0 / 6.0).abs() < 1e-9, "{own}");
    let all: Vec<&str> =
        found["all"].as_array().unwrap().iter().map(|own| own["name"].as_str().unwrap()).collect();
    assert_eq!(all, names, "in their order");
    let text = place.printed("explain run1 --queue all");
    assert!(text.contains("partition") && text.contains("all may hold as much as there is"), "{text}");
    let text = place.run("explain run1 --queue reserch");
    assert!(text.starts_with("exit code: 2") && text.contains("did you mean `research`?"), "{text}");
}

#[test]
fn a_job_that_no_queue_could_hold_is_told_so() {
    let place = Place::of(&[("queues.toml", QUEUES)]);
    let whole = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = whole(place.run("fit queues.toml --tenant lab --gpus 13 --work 1h"));
    assert!(text.contains("the most that queue research could hold is 12 GPUs"), "{text}");
    let text = place.run("fit queues.toml --tenant lab --gpus 12 --work 1h");
    assert!(text.contains("it starts at"), "{text}");
    let large =
        QUEUES.replace("id = \"a\", tenant = \"lab\", gpus = 8", "id = \"a\", tenant = \"lab\", gpus = 14");
    let place = Place::of(&[("queues.toml", &large)]);
    let text = whole(place.run("check queues.toml"));
    assert!(text.contains("the most that queue `research` could hold is 12 GPUs"), "{text}");
}

/// A node of each of two platforms, of which a lab has all of one and half of the other.
const PLATFORMS: &str = "
policy = { preset = \"greedy\" }
cluster.rack = [
    { name = \"a\", platform = \"h100\", count = 1, nodes = 1 },
    { name = \"b\", platform = \"h200\", count = 1, nodes = 1 },
]
[[queue]]
name = \"lab\"
tenants = [\"lab\"]
nominal = { h200 = 4, h100 = 8 }
[workload]
job = [
    { id = \"a\", tenant = \"lab\", gpus = 4, work = \"10m\", speed = { h100 = 1, h200 = 1 } },
    { id = \"b\", tenant = \"lab\", gpus = 4, work = \"30m\", speed = { h100 = 1, h200 = 1 } },
    { id = \"c\", tenant = \"lab\", gpus = 4, work = \"10m\", submit = \"1m\", platforms = [\"h200\"], speed = { h100 = 1, h200 = 1 } },
]
";

#[test]
fn a_job_is_told_of_which_platform_it_has_no_quota() {
    let place = Place::of(&[("queues.toml", PLATFORMS)]);
    place.printed("simulate queues.toml --out run1");
    let whole = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = whole(place.printed("explain run1 c"));
    let said = "queue lab had no room left: 4 GPUs of h200 of the 4 GPUs of lab were taken; it asks for 4 GPUs; held by a 4 GPUs";
    assert!(text.contains(said), "{text}");
    let found = place.json("explain run1 c --json");
    assert_eq!(found["waited"][0]["evidence"]["platform"], "h200", "{found}");
    let text = whole(place.run("fit queues.toml --tenant lab --gpus 8 --work 1h"));
    assert!(text.contains("it starts at"), "on the other platform: {text}");
}

#[test]
fn a_job_that_may_run_on_several_platforms_is_told_of_each_why_not() {
    let more = "{ id = \"d\", tenant = \"lab\", gpus = 8, work = \"10m\", submit = \"2m\", speed = { h100 = 1, h200 = 1 } }";
    let text = format!("{}    {more},\n]\n", PLATFORMS.trim_end().trim_end_matches(']'));
    let place = Place::of(&[("queues.toml", &text)]);
    place.printed("simulate queues.toml --out run1");
    let whole = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = place.json("explain run1 d --json");
    let first = &found["waited"][0];
    let [other] = &first["elsewhere"].as_array().unwrap()[..] else { panic!("one more: {found}") };
    assert_eq!(
        (&first["evidence"]["platform"], &other["platform"]),
        (&"h200".into(), &"h100".into()),
        "{found}"
    );
    assert_eq!((&other["used"], &other["most"]), (&4.0.into(), &8.0.into()), "{found}");
    let text = whole(place.printed("explain run1 d"));
    for said in [
        "room for 4 GPUs, at 00:20:00: 0 GPUs of h200 of the 4 GPUs of lab were taken",
        "4 GPUs of h100 of the 8 GPUs of lab were taken",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let text = whole(place.run("fit queues.toml --tenant lab --gpus 8 --work 1h --at 2m"));
    assert!(text.contains("Also queue lab had no room left: 8 GPUs of h100 of the 8 GPUs of lab"), "{text}");
}

#[test]
fn a_queue_is_told_what_it_held_of_each_platform() {
    let place = Place::of(&[("queues.toml", PLATFORMS)]);
    place.printed("simulate queues.toml --out run1");
    let found = place.json("explain run1 --queue lab --json");
    let on = found["queue"]["by_platform"].as_array().unwrap();
    let row = |own: &serde_json::Value| {
        ["ceiling", "entitled", "held", "peak"].map(|key| own[key].as_f64().unwrap())
    };
    // As the queue names them: `a` and then `c` hold four for 20 of 30 minutes, `b` four of the other all the time.
    assert_eq!([&on[0]["name"], &on[1]["name"]], ["h200", "h100"], "{found}");
    assert_eq!((row(&on[0]), row(&on[1])), ([4.0, 4.0, 8.0 / 3.0, 4.0], [8.0, 8.0, 4.0, 4.0]), "{found}");
    let text = place.printed("explain run1 --queue lab");
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    let words: Vec<String> = line("h200").split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["h200", "4.00", "4.00", "2.67", "4.00"], "{text}");
    assert!(line("h100").contains("8.00"), "{text}");
}
