//! Sweeps whose points are drawn, and sweeps of runs that end badly.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::{Place, STUCK, shown};

/// A directory with scenarios, and a way to run the command in it.
/// The directory of these tests.
fn place() -> Place {
    Place::of(&[("night.toml", include_str!("../workloads/night.toml")), ("stuck.toml", STUCK)])
}

#[test]
fn points_that_are_drawn_are_the_same_whatever_shards_and_restarts_made_them() {
    let place = place();
    let command = |design: &str, more: &str, threads: &str| {
        let mut command = place.command(&format!("sweep night.toml --design {design} {more}"), threads);
        for vary in [
            "workload.scale_load=lognormal(1.0, 0.3)",
            "tenant.0.quota=uniform(64, 112)",
            "policy=fcfs,greedy",
        ] {
            command.args(["--vary", vary]);
        }
        shown(&command.output().unwrap())
    };
    for design in ["random", "lhs", "sobol"] {
        let text = command(design, &format!("--points 8 --out {design}"), "1");
        assert!(text.starts_with("exit code: 0\n"), "{text}");
        let expected = place.text(&format!("{design}/runs.csv"));
        let part = |number: u32, threads| {
            command(design, &format!("--points 8 --out {design}-parts --shard {number}/2"), threads)
        };
        part(2, "2");
        assert!(part(1, "4").starts_with("exit code: 0\n"), "{design}");
        command(design, &format!("--points 8 --out {design}-parts --resume"), "2");
        assert_eq!(place.text(&format!("{design}-parts/runs.csv")), expected, "{design}: two parts");
        command(design, &format!("--points 8 --out {design}-late --budget 0s"), "2");
        command(design, &format!("--points 8 --out {design}-late --resume"), "2");
        assert_eq!(place.text(&format!("{design}-late/runs.csv")), expected, "{design}: after a budget");
        let other = command(design, &format!("--points 8 --out {design} --resume --seed 1"), "2");
        assert!(other.contains("another sweep is in this directory"), "{design}: {other}");
    }
    let uneven = command("sobol", "--points 5 --out uneven", "2");
    assert!(uneven.contains("even at powers of two: 8 points rather than 5"), "{uneven}");
}

#[test]
fn jobs_that_wait_for_ever_are_told_of_a_sweep() {
    let place = place();
    let text = place.run("sweep stuck.toml --vary policy=fcfs,easy --seeds 2 --out stuck");
    assert!(text.starts_with("exit code: 1\n"), "{text}");
    assert!(text.contains("In 4 of 4 runs jobs are left that nothing left to happen could start."), "{text}");
    let rows = place.text("stuck/runs.csv");
    assert_eq!(rows.lines().filter(|row| row.contains(",1,1,")).count(), 4, "each row says so: {rows}");
    let part = place.run("sweep stuck.toml --vary policy=fcfs,easy --seeds 2 --out parts --shard 1/2");
    assert!(part.starts_with("exit code: 0\n") && part.contains("in 2 runs jobs are left"), "{part}");
}
