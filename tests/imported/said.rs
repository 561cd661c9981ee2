//! What of a configuration a scenario cannot have as it stands, and where that is said.

use super::command::Place;
use super::{imported, plan};
use gigawatt::scenario::import::Options;

#[test]
fn nodes_of_several_racks_are_in_the_first_and_that_is_said_where_the_others_are() {
    let conf = "NodeName=n[1-8] Gres=gpu:h100:8\nPartitionName=p Nodes=ALL\nSwitchName=s1 Nodes=n[1-4]\nSwitchName=s2 Nodes=n[4-9]\n";
    let imported = imported("x", conf, &Options::default());
    let told: Vec<String> = imported.missed().map(ToString::to_string).collect();
    for said in [
        "x:4 SwitchName=s2: node n4: another before it has it: it is in that rack",
        "x:4 SwitchName=s2: node n9: no `NodeName` describes it",
    ] {
        assert!(told.iter().any(|told| told == said), "{said}: {told:?}");
    }
    let racks: Vec<u32> = plan(&imported).cluster.racks.iter().map(|rack| rack.nodes).collect();
    assert_eq!(racks, [4, 4]);
}

/// A ClusterQueue of a cohort, and what it has.
fn cluster_queue(name: &str, cohort: &str, nominal: &str) -> String {
    format!(
        "---\napiVersion: kueue.x-k8s.io/v1beta1\nkind: ClusterQueue\nmetadata: {{name: {name}}}\nspec:\n  cohort: {cohort}\n  \
         resourceGroups:\n  - flavors:\n    - name: f\n      resources:\n      - name: nvidia.com/gpu\n        nominalQuota: {nominal}\n"
    )
}

#[test]
fn a_cohort_that_has_the_name_of_a_partition_is_called_otherwise() {
    let text = cluster_queue("a", "all", "8") + &cluster_queue("b", "all", "8");
    let imported = imported("x", &text, &Options::default());
    let said = "queue all is called queue-all here: there is a partition all";
    assert!(imported.assumed.iter().any(|assumed| assumed == said), "{:?}", imported.assumed);
    let plan = plan(&imported);
    let queues: Vec<(&str, Option<u32>)> =
        plan.workload.queues.iter().map(|queue| (queue.name.as_str(), queue.parent)).collect();
    assert_eq!(queues, [("queue-all", None), ("a", Some(0)), ("b", Some(0))]);
}

#[test]
fn half_a_gpu_of_kueue_is_half_a_gpu_and_that_is_said() {
    let text = cluster_queue("a", "both", "500m") + &cluster_queue("b", "both", "8");
    let imported = imported("x", &text, &Options::default());
    let said =
        "ClusterQueue a: `500m` of nvidia.com/gpu are 0.5 GPUs, though Kubernetes hands out whole ones";
    assert!(imported.assumed.iter().any(|assumed| assumed == said), "{:?}", imported.assumed);
    assert!(plan(&imported).workload.queues.iter().any(|queue| queue.nominal_milli == Some(500)), "half");
}

#[test]
fn what_is_wrong_with_what_comes_of_it_is_told_of_what_was_given() {
    let (queue, trace) =
        (cluster_queue("a", "both", "8"), "gpus,submit_time,work_time,tenant\n1000,0,10,a\n");
    let place = Place::of(&[("x.yaml", queue.as_str()), ("t.csv", trace)]);
    let text = place.run("import x.yaml --cluster 4xx -o s.toml");
    assert!(text.contains("`4xx` is not nodes x GPUs a node\n--> --cluster 4xx"), "{text}");
    assert!(text.contains("1 problem;") && !text.contains("s.toml"), "{text}");
    let text = place.run("import x.yaml --workload t.csv -o s.toml");
    assert!(text.contains("asks for 1000 GPUs and could never start") && !text.contains("s.toml"), "{text}");
    assert!(!place.path().join("s.toml").exists(), "nothing is written");
}
