//! What objects of Kubernetes ask for: templates of pods, how many of each, and what their containers want.

use crate::workload::JobKind;
use serde_json::Value;
use std::collections::BTreeSet;

/// Pods of one template.
#[derive(Debug)]
pub(super) struct PodSet<'v> {
    pub count: u64,
    /// `metadata` and `spec` of each pod.
    pub template: &'v Value,
}

/// The pods of an object, in gangs that are scheduled on their own.
#[derive(Debug)]
pub(super) struct Gangs<'v> {
    pub sets: Vec<PodSet<'v>>,
    /// How many such gangs there are.
    pub copies: u64,
    pub kind: JobKind,
}

/// A count that an object tells, `otherwise` where it does not.
pub(super) fn count(value: &Value, path: &str, otherwise: u64) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or(otherwise)
}

/// Sets of pods in a list of parts, each with a count and a template at these paths.
fn listed<'v>(parts: Option<&'v Value>, counts: &[&str], template: &str) -> Vec<PodSet<'v>> {
    let parts: Vec<&Value> = match parts {
        Some(Value::Array(parts)) => parts.iter().collect(),
        Some(Value::Object(parts)) => parts.values().collect(),
        _ => Vec::new(),
    };
    let set = |part: &'v Value| {
        let count = counts.iter().map(|path| count(part, path, 1)).fold(1, u64::saturating_mul);
        Some(PodSet { count, template: part.pointer(template)? })
    };
    parts.into_iter().filter_map(set).collect()
}

/// The pods that an object of this kind starts; none if it starts none that are a job.
pub(super) fn gangs<'v>(kind: &str, object: &'v Value) -> Option<Gangs<'v>> {
    let at = |path: &str| object.pointer(path);
    let mut copies = 1;
    let mut what = JobKind::Other;
    let sets = match kind {
        "Pod" => vec![PodSet { count: 1, template: object }],
        // Volcano's, beside that of Kubernetes.
        "Job" if at("/spec/tasks").is_some() => listed(at("/spec/tasks"), &["/replicas"], "/template"),
        "Job" => {
            let most = count(object, "/spec/completions", u64::MAX);
            let pods = count(object, "/spec/parallelism", 1).min(most.max(1));
            vec![PodSet { count: pods, template: at("/spec/template")? }]
        }
        "JobSet" => listed(
            at("/spec/replicatedJobs"),
            &["/replicas", "/template/spec/parallelism"],
            "/template/spec/template",
        ),
        "Workload" => listed(at("/spec/podSets"), &["/count"], "/template"),
        "RayJob" | "RayCluster" => {
            let cluster = if kind == "RayJob" { "/spec/rayClusterSpec" } else { "/spec" };
            let head = at(&format!("{cluster}/headGroupSpec/template"));
            let mut sets: Vec<_> = head.map(|template| PodSet { count: 1, template }).into_iter().collect();
            let workers = at(&format!("{cluster}/workerGroupSpecs"));
            sets.extend(listed(workers, &["/replicas", "/numOfHosts"], "/template"));
            sets
        }
        "LeaderWorkerSet" => {
            copies = count(object, "/spec/replicas", 1);
            what = JobKind::InferenceService;
            let size = count(object, "/spec/leaderWorkerTemplate/size", 1);
            let workers = at("/spec/leaderWorkerTemplate/workerTemplate")?;
            let leader = at("/spec/leaderWorkerTemplate/leaderTemplate").unwrap_or(workers);
            let workers = PodSet { count: size.saturating_sub(1), template: workers };
            vec![PodSet { count: 1, template: leader }, workers]
        }
        _ => {
            // Kubeflow: `pytorchReplicaSpecs`, `tfReplicaSpecs`, `mpiReplicaSpecs` ...
            let spec = at("/spec")?.as_object()?;
            let (_, roles) = spec.iter().find(|(key, _)| key.ends_with("ReplicaSpecs"))?;
            listed(Some(roles), &["/replicas"], "/template")
        }
    };
    let sets: Vec<_> = sets.into_iter().filter(|set| set.count > 0).collect();
    (!sets.is_empty() && copies > 0).then_some(Gangs { sets, copies, kind: what })
}

/// What a pod asks for.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Wants {
    /// Thousandths of a GPU.
    pub gpu_milli: u64,
    /// Thousandths of a core.
    pub cpu_milli: u64,
    pub memory_mib: u64,
    /// Resources that are not read.
    pub others: BTreeSet<String>,
    /// Whether slices or shares of GPUs are among it.
    pub shares: bool,
}

/// What the containers of a pod ask for together; an error names what cannot be read.
pub(super) fn wants(template: &Value) -> Result<Wants, String> {
    let mut wants = Wants::default();
    let containers = template.pointer("/spec/containers").and_then(Value::as_array);
    for container in containers.into_iter().flatten() {
        let list = |path: &str| container.pointer(path).and_then(Value::as_object);
        let (requests, limits) = (list("/resources/requests"), list("/resources/limits"));
        let names: BTreeSet<&String> =
            [requests, limits].into_iter().flatten().flat_map(|list| list.keys()).collect();
        for name in names {
            let told = [requests, limits].into_iter().flatten().find_map(|list| list.get(name));
            let Some(value) = told else { continue };
            let number = quantity(value)
                .ok_or_else(|| format!("`{value}` of {name}: expected a quantity like `8` or `64Gi`"))?;
            wants.add(name, number);
        }
    }
    Ok(wants)
}

impl Wants {
    fn add(&mut self, name: &str, number: f64) {
        match name {
            "cpu" => self.cpu_milli += rounded(number * 1000.0),
            "memory" => self.memory_mib += rounded((number / f64::from(1 << 20)).ceil()),
            _ => match gpu_milli(name) {
                Some((milli, shares)) => {
                    self.shares |= shares;
                    self.gpu_milli += rounded(number * f64::from(milli));
                }
                None if name.contains('/') => drop(self.others.insert(name.to_owned())),
                None => {}
            },
        }
    }
}

/// Thousandths of a GPU that one of a resource is, and whether it shares one; none: it is no GPU.
pub(crate) fn gpu_milli(name: &str) -> Option<(u32, bool)> {
    if name.ends_with("/gpu") || name == "habana.ai/gaudi" {
        return Some((1000, false));
    }
    if name.ends_with("/gpu.shared") {
        return Some((1000, true));
    }
    slice(name).map(|sevenths| (sevenths * 1000 / 7, true))
}

/// The sevenths of a GPU that a MIG slice has: `nvidia.com/mig-3g.20gb`.
fn slice(name: &str) -> Option<u32> {
    let size = name.strip_prefix("nvidia.com/mig-")?.split_once("g.")?.0;
    size.parse().ok().filter(|sevenths| (1..=7).contains(sevenths))
}

/// A number at least 0 as a whole one; what no cluster has is the most there is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates, and is not negative"
)]
fn rounded(number: f64) -> u64 {
    number.round().min(1e15) as u64
}

/// `8`, `500m`, `64Gi`, `1e3`: a number at least 0.
pub(crate) fn quantity(value: &Value) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("u", 1e-6),
        ("n", 1e-9),
    ];
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => {
            let text = text.trim();
            let scaled =
                SUFFIXES.iter().find_map(|(suffix, scale)| Some((text.strip_suffix(suffix)?, *scale)));
            let (digits, scale) = scaled.unwrap_or((text, 1.0));
            digits.parse::<f64>().ok()? * scale
        }
        _ => return None,
    };
    (0.0..1e18).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_have_suffixes() {
        for (value, number) in [
            (json!("500m"), Some(0.5)),
            (json!("64Gi"), Some(68_719_476_736.0)),
            (json!(8), Some(8.0)),
            (json!("1e3"), Some(1000.0)),
            (json!("-1"), None),
            (json!("x"), None),
            (json!([1]), None),
        ] {
            let found = quantity(&value);
            assert!(
                found.map_or(number.is_none(), |found| number
                    .is_some_and(|number| (found - number).abs() < 1e-9)),
                "{value}: {found:?}"
            );
        }
    }

    #[test]
    fn containers_add_up() {
        let pod = json!({"spec": {"containers": [
            {"resources": {"limits": {"nvidia.com/gpu": 4, "cpu": "8", "memory": "32Gi", "rdma/hca": 1}}},
            {"resources": {"requests": {"nvidia.com/mig-3g.20gb": "1", "cpu": "500m"}, "limits": {"cpu": "2"}}}]}});
        let wants = wants(&pod).unwrap();
        assert_eq!((wants.gpu_milli, wants.cpu_milli, wants.memory_mib), (4428, 8500, 32_768), "{wants:?}");
        assert!(wants.shares && wants.others.contains("rdma/hca"), "{wants:?}");
    }

    #[test]
    fn every_kind_tells_its_pods() {
        let template = json!({"spec": {"containers": []}});
        let total = |kind: &str, object: Value| {
            gangs(kind, &object)
                .map(|gangs| (gangs.sets.iter().map(|set| set.count).sum::<u64>(), gangs.copies))
        };
        let job = json!({"spec": {"parallelism": 8, "completions": 4, "template": template}});
        assert_eq!(total("Job", job), Some((4, 1)), "no more than complete");
        let volcano = json!({"spec": {"tasks": [{"replicas": 1, "template": template}, {"replicas": 7, "template": template}]}});
        assert_eq!(total("Job", volcano), Some((8, 1)), "tasks");
        let set = json!({"spec": {"replicatedJobs": [{"replicas": 2, "template": {"spec": {"parallelism": 4, "template": template}}}]}});
        assert_eq!(total("JobSet", set), Some((8, 1)), "jobs of pods");
        let torch = json!({"spec": {"pytorchReplicaSpecs": {"Master": {"template": template}, "Worker": {"replicas": 3, "template": template}}}});
        assert_eq!(total("PyTorchJob", torch), Some((4, 1)), "roles");
        let ray = json!({"spec": {"rayClusterSpec": {"headGroupSpec": {"template": template}, "workerGroupSpecs": [{"replicas": 2, "numOfHosts": 4, "template": template}]}}});
        assert_eq!(total("RayJob", ray), Some((9, 1)), "a head and hosts");
        let lws =
            json!({"spec": {"replicas": 3, "leaderWorkerTemplate": {"size": 4, "workerTemplate": template}}});
        assert_eq!(total("LeaderWorkerSet", lws), Some((4, 3)), "three gangs of four");
        assert_eq!(total("Service", json!({"spec": {}})), None, "no pods");
    }
}
