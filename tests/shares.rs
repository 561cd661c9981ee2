//! Shares of GPUs placed pod by pod: node and GPU of every pod as the simulator of FGD recorded them.
//!
//! One pod comes after the other; one that does not fit is refused, and none leaves. The recordings lie outside the
//! repository, where the variable `GIGAWATT_SHARED` points; without it those tests say that they are skipped.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::cluster::Cluster;
use gigawatt::history::{Plan, Settings};
use gigawatt::metrics::measure;
use gigawatt::random::{Purpose, Stream};
use gigawatt::simulation::{Control, simulate};
use gigawatt::trace::{Options, read_bytes, read_cluster_bytes};
use gigawatt::units::Time;
use gigawatt::workload::{Builder, Workload};
use std::cell::RefCell;
use support::naive;
use support::recorded::{self, columns};
use support::schedule::{self, Line};

/// What became of a pod: its node and GPUs, such as `3:0-1`; `-` if it was refused.
type Fate = String;

fn fates(lines: &[Line]) -> Vec<Fate> {
    let fate = |line: &Line| {
        let held = line.attempts.first().map(|attempt| &attempt.held[..]).unwrap_or_default();
        let Some((node, ..)) = held.first() else { return "-".to_owned() };
        let gpus = held.iter().filter(|(_, _, milli)| *milli > 0).map(|(_, gpu, _)| gpu.to_string());
        format!("{node}:{}", gpus.collect::<Vec<_>>().join("-"))
    };
    lines.iter().map(fate).collect()
}

/// The pods of a list in the form of openb, offered one by one: each is withdrawn if it does not start at once.
fn offered(pods: &str, platform: &dyn Fn(&str) -> Option<usize>) -> Workload {
    let options = Options { platform: Some(platform), ..Options::default() };
    let mut workload =
        read_bytes("pods.csv", pods.as_bytes(), Some("openb"), &options).expect("a list").workload;
    for (second, job) in (0..).zip(&mut workload.jobs) {
        (job.submit_time, job.cancel_time) = (Time(second), Time(second + 1));
    }
    workload
}

fn cluster(nodes: &str, platform: &dyn Fn(&str) -> Option<usize>) -> Cluster {
    let options = Options { platform: Some(platform), ..Options::default() };
    read_cluster_bytes("nodes.csv", nodes.as_bytes(), Some("openb"), &options).expect("a list").cluster
}

/// Names of platforms in the order in which they are met.
fn platforms() -> impl Fn(&str) -> Option<usize> {
    let known = RefCell::new(Vec::<String>::new());
    move |name: &str| {
        let mut known = known.borrow_mut();
        let place = known.iter().position(|other| other == name);
        place.or_else(|| {
            known.push(name.to_owned());
            Some(known.len() - 1)
        })
    }
}

fn plan(cluster: Cluster, workload: Workload, placement: &str) -> Plan {
    Plan { cluster, workload, settings: Settings::named("fifo", "skip", placement) }
}

fn by_engine(plan: &Plan) -> Vec<Fate> {
    fates(&schedule::of_history(&simulate(plan.clone(), &mut Control::default())))
}

/// Where both simulators put every pod, which is the same.
fn placed(plan: &Plan) -> Vec<Fate> {
    let (engine, naive) = (by_engine(plan), fates(&schedule::of_run(&naive::simulate(plan))));
    assert_eq!(engine, naive, "{}: the engine and the naive reference", plan.settings.placement);
    engine
}

/// A recording with another header: the columns in the order of [`columns`].
fn list(name: &str, header: &str, wanted: &[&str; 6]) -> String {
    let rows = columns(name, *wanted).into_iter().map(|row| row.join(","));
    std::iter::once(header.to_owned()).chain(rows).collect::<Vec<_>>().join("\n") + "\n"
}

const POD: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec";

/// What the simulator of FGD calls each placement.
const RECORDED: [(&str, &str); 5] = [
    ("fgd", "FGD"),
    ("best-fit-pods", "BestFit"),
    ("gpu-packing", "GpuPacking"),
    ("gpu-clustering", "GpuClustering"),
    ("dot-product", "DotProd"),
];

#[test]
fn node_and_gpu_of_every_pod_are_those_of_the_simulator_of_fgd() {
    if recorded::folder().is_none() {
        return;
    }
    let platform = platforms();
    let nodes = columns("fgd/small-nodes.csv", ["node", "cpu_milli", "memory_mib", "gpu", "model"]);
    let names: Vec<&str> = nodes.iter().map(|row| row[0].as_str()).collect();
    let rows: Vec<String> = nodes.iter().map(|row| row.join(",")).collect();
    let cluster = cluster(&format!("sn,cpu_milli,memory_mib,gpu,model\n{}\n", rows.join("\n")), &platform);
    let columns_of =
        |name: &'static str| [name, "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec"];
    let original = offered(&list("fgd/small-original-pods.csv.zst", POD, &columns_of("name")), &platform);
    for (placement, called) in RECORDED {
        let name = format!("fgd/small-{called}.csv.zst");
        let mut workload = offered(&list(&name, POD, &columns_of("pod")), &platform);
        expect_of(&mut workload, &original);
        let recorded: Vec<Fate> = columns(&name, ["node", "gpu_index"])
            .into_iter()
            .map(|[node, gpus]| match names.iter().position(|name| *name == node) {
                Some(index) => format!("{index}:{gpus}"),
                None => "-".to_owned(),
            })
            .collect();
        let got = by_engine(&plan(cluster.clone(), workload.clone(), placement));
        let differ =
            |recorded: &[Fate]| recorded.iter().zip(&got).filter(|(one, other)| one != other).count();
        assert_eq!((recorded.len(), differ(&recorded)), (got.len(), 0), "{placement}");
        assert!(recorded.iter().any(|fate| fate == "-"), "{placement}: some are refused");
        let mut planted = recorded;
        planted[700] = "0:9".to_owned();
        assert_eq!(differ(&planted), 1, "{placement}: a planted GPU is noticed");
        let others = by_engine(&plan(cluster.clone(), workload, "best-fit"));
        assert!(others.iter().zip(&got).any(|(one, other)| one != other), "{placement} is no `best-fit`");
    }
}

/// Lets a workload expect what another one asks for.
fn expect_of(workload: &mut Workload, other: &Workload) {
    let mut builder = Builder::from(std::mem::take(workload));
    let mix = other.asked().into_iter().map(|(request, jobs)| {
        let request = builder.request(other.requests[request as usize].clone());
        (request, u32::try_from(jobs).expect("few pods"))
    });
    let mix = mix.collect();
    *workload = builder.finish();
    workload.mix = mix;
}

/// Two nodes of a platform with two GPUs, one of another with four, one without.
const NODES: &str = "sn,cpu_milli,memory_mib,gpu,model\n\
    a,64000,65536,4,V100M16\nb,16000,65536,2,T4\nc,32000,65536,2,T4\nd,64000,65536,0,\n";

/// One after the other, all that ask for a GPU for a part of one but the first.
const PODS: &str = "\
    whole,2000,1024,1,1000,\nhalf,2000,1024,1,500,\nbig,12000,1024,1,700,T4\nmedium,16000,1024,1,600,T4\n\
    cpu,4000,1024,0,0,\nsmall,12000,1024,1,400,\nagain,4000,1024,0,0,\nlast,4000,1024,1,300,\n";

#[test]
fn a_few_pods_by_hand() {
    for (placement, expected) in [
        ("fgd", ["0:0", "0:1", "2:0", "2:1", "0:", "0:1", "0:", "2:0"]),
        ("best-fit-pods", ["1:0", "1:1", "2:0", "2:1", "2:", "1:1", "3:", "0:0"]),
        ("dot-product", ["1:0", "1:1", "2:0", "2:1", "1:", "0:0", "1:", "1:1"]),
        ("gpu-packing", ["1:0", "1:1", "2:0", "2:1", "0:", "1:1", "0:", "2:0"]),
        // The half opens the other small node, since a pod of another size is on the first; `medium` finds no CPU then.
        ("gpu-clustering", ["1:0", "2:0", "2:1", "-", "0:", "2:0", "0:", "2:1"]),
    ] {
        let platform = platforms();
        let plan = plan(cluster(NODES, &platform), offered(&format!("{POD}\n{PODS}"), &platform), placement);
        assert_eq!(placed(&plan), expected, "{placement}");
    }
}

/// Placement, and the least and greatest percentage of GPUs allocated that was published over ten seeds.
const PUBLISHED: [(&str, f64, f64); 5] = [
    ("fgd", 95.27, 95.49),
    ("best-fit-pods", 92.87, 93.25),
    ("gpu-packing", 91.29, 92.79),
    ("gpu-clustering", 90.81, 92.96),
    ("dot-product", 90.54, 91.28),
];

/// The seed of the order of nodes, which decides ties: as in the recordings it is not that of their names.
const NODE_ORDER: u64 = 1;
const SHUFFLES: u64 = 10;

/// The nodes of openb that have a GPU, in an order that names do not tell.
fn shuffled_nodes(text: &str) -> String {
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    let mut nodes: Vec<&str> = lines.filter(|line| line.split(',').nth(3) != Some("0")).collect();
    let stream = Stream::new(NODE_ORDER, Purpose::Sampling);
    nodes.sort_by_cached_key(|node| {
        let bytes = node.bytes().take_while(|byte| *byte != b',');
        let name = bytes.fold(0_u64, |name, byte| name.wrapping_mul(257).wrapping_add(byte.into()));
        stream.draw(name, 0)
    });
    format!("{header}\n{}\n", nodes.join("\n"))
}

#[test]
fn openb_at_130_percent_is_packed_as_published() {
    let Some(folder) = recorded::folder() else { return };
    let trace = |name: &str| {
        let path = folder.with_file_name("traces").join("alibaba_openb2023").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let nodes = String::from_utf8(trace("openb_node_list_all_node.csv")).expect("text");
    let platform = platforms();
    let cluster = cluster(&shuffled_nodes(&nodes), &platform);
    assert_eq!((cluster.nodes(), cluster.gpus()), (1213, 6212), "those with a GPU");
    let options = Options { platform: Some(&platform), ..Options::default() };
    let pods = read_bytes("pods.csv.zst", &trace("openb_pod_list_default.csv.zst"), None, &options);
    let pods = pods.expect("a list").workload;
    let packed = |placement: &str, seed: u64| {
        let most = u32::MAX;
        let workload =
            pods.clone().packed(cluster.gpus() * 1300, seed, most).expect("pods that ask for GPUs");
        let history = simulate(plan(cluster.clone(), workload, placement), &mut Control::default());
        100.0 * measure(&history).metrics.packed.expect("jobs are offered once")
    };
    let means = std::thread::scope(|scope| {
        let one = |placement: &'static str| {
            let packed = &packed;
            scope.spawn(move || (0..SHUFFLES).map(|seed| packed(placement, seed)).sum::<f64>() / 10.0)
        };
        let all: Vec<_> = PUBLISHED.iter().map(|(placement, ..)| one(placement)).collect();
        all.into_iter().map(|mean| mean.join().expect("it runs")).collect::<Vec<f64>>()
    });
    let told: Vec<String> =
        PUBLISHED.iter().zip(&means).map(|((name, ..), mean)| format!("{name} {mean:.2} %")).collect();
    println!("{}", told.join(", "));
    for ((placement, least, most), mean) in PUBLISHED.iter().zip(&means) {
        assert!((*least..=*most).contains(mean), "{placement}: {mean:.2} is not within {least}..{most}");
    }
    assert!(means.is_sorted_by(|one, next| one > next), "in the order published: {told:?}");
}
