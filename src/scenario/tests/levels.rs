use super::*;
use crate::workload::Topology;

/// Two halls of two rows at one site, three racks at another.
const FEEDS: &str = "
    [[cluster.site]]
    name = \"north\"
    [[cluster.site]]
    name = \"south\"
    [[cluster.feed]]
    name = \"hall-a\"
    site = \"north\"
    [[cluster.feed]]
    name = \"row-a\"
    parent = \"hall-a\"
    [[cluster.feed]]
    name = \"hall-b\"
    site = \"south\"
    [[cluster.rack]]
    platform = \"h100\"
    feed = \"hall-a\"
    count = 2
    [[cluster.rack]]
    name = \"more\"
    platform = \"h100\"
    feed = \"row-a\"
    count = 3
    [[cluster.rack]]
    name = \"far\"
    platform = \"h100\"
    feed = \"hall-b\"
    count = 3
";

fn with_levels(levels: &str, jobs: &str) -> String {
    format!("{FEEDS}{levels}{jobs}")
}

#[test]
fn a_level_is_racks_in_a_row_or_those_below_feeds() {
    let levels = "
        [[cluster.level]]
        name = \"hall\"
        feeds = [\"hall-a\", \"hall-b\"]
        [[cluster.level]]
        name = \"block\"
        racks = 2
    ";
    let cluster = load(&with_levels(levels, JOB)).plan.cluster;
    let found: Vec<_> =
        cluster.levels.iter().map(|level| (level.name.as_str(), &level.first_racks[..])).collect();
    assert_eq!(found, [("hall", &[0, 5][..]), ("block", &[0, 2, 4, 5, 7])], "no block leaves its hall");
    let blocks = "
        [[cluster.level]]
        name = \"block\"
        racks = 4
    ";
    let cluster = load(&with_levels(blocks, JOB)).plan.cluster;
    assert_eq!(cluster.levels[0].first_racks, [0, 4, 5], "nor does one leave its site");
}

#[test]
fn a_job_names_a_level_in_its_wish() {
    let levels = "[[cluster.level]]\nname = \"block\"\nracks = 2\n";
    let jobs = "
        [workload]
        job = [
            { id = \"a\", gpus = 16, work = 60, topology = \"require-block\" },
            { id = \"b\", gpus = 16, work = 60, topology = \"prefer-block\" },
            { id = \"c\", gpus = 16, work = 60, topology = \"prefer-rack\" },
        ]
    ";
    let workload = load(&with_levels(levels, jobs)).plan.workload;
    assert_eq!(workload.levels, ["block"], "the level they name");
    let wishes = [0, 1, 2].map(|job| workload.request_of(job).topology);
    assert_eq!(wishes, [Topology::RequireLevel(0), Topology::PreferLevel(0), Topology::PreferRack], "wishes");
    let wrong = jobs.replace("require-block", "require-blok");
    insta::assert_snapshot!(told(&with_levels(levels, &wrong)), @"s.toml:35:58: unknown topology `require-blok` (did you mean `require-block`?)");
    // A block has 64 GPUs.
    let large = told(&with_levels(levels, &jobs.replacen("gpus = 16", "gpus = 160", 1)));
    assert!(large.contains("`a` asks for 160 GPUs in one block and could never start"), "{large}");
}

#[test]
fn segments_that_do_not_divide_the_pods_are_told_under_a_placement_that_needs_it() {
    let jobs = "
        [policy]
        placement = \"tas\"
        [[workload.job]]
        id = \"a\"
        pods = 6
        pod_gpus = 1
        segment = 4
        work = 60
    ";
    let told = told(&with_levels("", jobs));
    assert!(told.contains("segments of 4 do not divide its pods, as `tas` needs it"), "{told}");
    assert_eq!(
        load(&with_levels("", &jobs.replace("tas", "pack"))).plan.workload.len(),
        1,
        "others place it"
    );
}

#[test]
fn every_problem_of_levels_is_told() {
    let level = |text: &str| with_levels(&format!("[[cluster.level]]\n{text}\n"), JOB);
    let all = [
        "name = \"block\"",
        "racks = 2",
        "name = \"rack\"\nracks = 2",
        "name = \"block\"\nracks = 0",
        "name = \"block\"\nracks = 2\nfeeds = [\"hall-a\"]",
        "name = \"hall\"\nfeeds = [\"hall-a\", \"hall-c\"]",
        "name = \"hall\"\nfeeds = [\"hall-b\"]",
        "name = \"hall\"\nfeeds = [\"hall-a\", \"row-a\", \"hall-b\"]",
        "name = \"a\"\nracks = 2\n[[cluster.level]]\nname = \"a\"\nracks = 1",
        "name = \"block\"\nracks = 4\n[[cluster.level]]\nname = \"hall\"\nfeeds = [\"hall-a\", \"hall-b\"]",
    ];
    let told: Vec<String> = all.iter().map(|text| told(&level(text))).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    s.toml:29:1: nothing says what a domain of the level is (`racks`, how many each has, or `feeds`, below which they hang)
    s.toml:29:1: missing `name`
    s.toml:30:8: level `rack` is there from the start
    s.toml:31:9: `racks`: expected a whole number from 1 to 4194304, found `0`
    s.toml:29:1: `racks` beside `feeds` (either says what a domain is)
    s.toml:31:20: unknown feed `hall-c` (did you mean `hall-a`?)
    s.toml:29:1: rack 0 of feed `hall-a` lies in no domain of the level (every rack hangs below one of `feeds`)
    s.toml:31:20: feeds `hall-a` and `row-a` have racks in common (a rack lies in one domain of a level)
    s.toml:33:8: level `a` is described twice
    s.toml:32:1: a block begins at rack 4, in the middle of a hall (levels stand from the highest down, each inside the one before it)
    ");
}
