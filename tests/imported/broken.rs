//! Configurations that are wrong, cut off or nothing at all.

use super::{SAMPLES, files, sample};
use gigawatt::scenario::import::{Options, read, recognised};
use gigawatt::scenario::{Overrides, Scenario};

/// What is read is a scenario that can be run; what is not is an error that says where.
fn survives(files: &[(String, Vec<u8>)], what: &str) -> bool {
    for format in [None, Some("slurm"), Some("kueue"), Some("kai"), Some("volcano")] {
        let options = Options { system: format.map(str::to_owned), ..Options::default() };
        match read(files, &options) {
            Ok(imported) => {
                let loaded = Scenario::from_text("imported.toml", &imported.text, &Overrides::default());
                loaded.unwrap_or_else(|error| panic!("{what}: {error}\nin\n{}", imported.text));
            }
            Err(error) => assert!(!error.to_string().is_empty(), "{what}"),
        }
        if format.is_none() && read(files, &options).is_ok() {
            return true;
        }
    }
    false
}

#[test]
fn what_is_cut_off_is_an_error_or_a_scenario() {
    for (system, names) in SAMPLES {
        let files = files(names);
        let (mut whole, mut broken) = (0, 0);
        for file in 0..files.len() {
            for end in (0..files[file].1.len()).step_by(23) {
                let mut files = files.clone();
                files[file].1.truncate(end);
                if survives(&files, &format!("{system} up to {end}")) { whole += 1 } else { broken += 1 }
            }
        }
        assert!(whole > 5 && broken > 5, "{system}: {whole} and {broken}");
    }
}

/// Numbers that look random, always the same.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 11).unwrap() % below.max(1)
    }
}

#[test]
fn what_is_changed_at_random_is_an_error_or_a_scenario() {
    const WORDS: [&str; 16] = [
        "-1",
        "0",
        "1e9",
        "99999999999",
        "[",
        "]",
        "{",
        "}",
        ":",
        "=",
        "\"",
        "DEFAULT",
        "n[1-9]",
        "\n",
        "*a",
        "\u{e9}\u{0}",
    ];
    for (system, names) in SAMPLES {
        for seed in 0..60 {
            let mut next = numbers(seed + 1);
            let mut files = files(names);
            let file = next(files.len());
            let bytes = &mut files[file].1;
            for _ in 0..=next(4) {
                let (at, word) = (next(bytes.len()), WORDS[next(WORDS.len())].as_bytes());
                let end = (at + next(12)).min(bytes.len());
                bytes.splice(at..end, word.iter().copied());
            }
            survives(&files, &format!("{system}, seed {seed}"));
        }
    }
}

#[test]
fn random_bytes_are_no_configuration() {
    for seed in 0..200 {
        let mut next = numbers(seed + 1);
        let bytes: Vec<u8> = (0..next(400)).map(|_| u8::try_from(next(256)).unwrap()).collect();
        assert_eq!(recognised(&bytes), None, "seed {seed}");
        assert!(read(&[("x".to_owned(), bytes)], &Options::default()).is_err(), "seed {seed}");
    }
    assert_eq!(recognised(&sample("slurm.conf")), Some("slurm"), "and a configuration is one");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    // A chain of queues that no scenario has; so long that to go through it again for each would not end.
    let queue = |own: usize| {
        format!(
            "---\napiVersion: scheduling.run.ai/v2\nkind: Queue\nmetadata: {{name: q{own}}}\nspec: {{parentQueue: q{}}}\n",
            own - 1
        )
    };
    let first = "apiVersion: scheduling.run.ai/v2\nkind: Queue\nmetadata: {name: q0}\nspec: {resources: {gpu: {quota: 8}}}\n";
    let chain = first.to_owned() + &(1..3000).map(queue).collect::<String>();
    let cases: [(&str, &[&str]); 11] = [
        (&chain, &["more than 16 queues above one another", "x:", "1 problem"]),
        (
            "NodeName=a Gres=gpu:-8\nNodeName=b Gres=gpu:999999999999\nNodeName=c Gres=gpu:1g.5gb:7",
            &["found `gpu:-8`", "x:1:17", "found `gpu:999999999999`", "x:2:17", "2 problems"],
        ),
        (
            "NodeName=a[1- Gres=gpu:8\nNodeName=b Gres=gpu:h100:many\nNodeName=c CPUs=x Gres=gpu:1\nPartitionName=p Nodes=d\n\nPriorityWeightAge=much",
            &[
                "x:1:10",
                "expected nodes such as `node[01-18]`, found `a[1-`",
                "x:2:17",
                "expected GPUs such as `gpu:h100:8`, found `gpu:h100:many`",
                "x:3:17",
                "`CPUs`: expected a whole number, found `x`",
                "x:4:23",
                "no `NodeName` describes node `d`",
                "x:6:19",
                "`PriorityWeightAge`: expected a whole number, found `much`",
                "5 problems",
            ],
        ),
        (
            "NodeName=a CPUs=4\nPartitionName=p Nodes=ALL\n",
            &["no node has GPUs", "x:1:1", "`Gres=gpu:8` of a node tells them"],
        ),
        ("NodeName=a Gres=gpu:8\nnonsense\n", &["expected `KEY=VALUE`, found `nonsense`", "x:2:1"]),
        (
            "apiVersion: kueue.x-k8s.io/v1beta1\nkind: ClusterQueue\nmetadata: {name: a}\nspec:\n  resourceGroups:\n  - flavors:\n    - name: f\n      resources:\n      - name: nvidia.com/gpu\n        nominalQuota: many\n",
            &["expected a quantity like `8` or `500m`, found `many`", "x:10:9"],
        ),
        (
            "apiVersion: scheduling.run.ai/v2\nkind: Queue\nmetadata: {name: a}\nspec: {parentQueue: b, resources: {gpu: {quota: 8}}}\n---\napiVersion: scheduling.run.ai/v2\nkind: Queue\nmetadata: {name: c}\nspec: {parentQueue: c, resources: {gpu: {quota: 8}}}\n",
            &["queue `a` is below `b`, which is not there", "in a ring: c → c", "2 problems"],
        ),
        ("kind: Queue\napiVersion: scheduling.run.ai/v2\n  metadata: {", &["not YAML", "x:3"]),
        ("NodeName=n[1- Gres=gpu:8\n", &["expected nodes such as `node[01-18]`, found `n[1-`", "1 problem;"]),
        (
            "NodeName=n[1-4] Gres=gpu:8\nSwitchName=s1 Nodes=n[1-4]\nSwitchName=t1 Switches=s1,t2\nSwitchName=t2 Switches=t1\nSwitchName=s1 Nodes=n4",
            &[
                "below one another in a ring: t1 → t2 → t1",
                "x:3:1",
                "`s1` is described twice",
                "x:5:1",
                "x:2 describes it",
                "2 problems",
            ],
        ),
        (
            "- topology: a\n  tree:\n    switches:\n    - switch: s\n      children: s\n",
            &["below one another in a ring: s → s", "x:4"],
        ),
    ];
    for (text, expected) in cases {
        let error = read(&[("x".to_owned(), text.into())], &Options::default()).unwrap_err().to_string();
        for said in expected {
            assert!(error.contains(said), "{said} in\n{error}");
        }
    }
}
