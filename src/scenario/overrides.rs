use crate::document::{Document, Map, Value};
use crate::error::Problem;

/// What the command line changes of a scenario, each as the user typed it.
///
/// Every field takes the place of a key of the scenario file and is read by the same rules; paths given here count
/// from the current folder. With `workload` and `cluster` no scenario file is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--workload FILE`: a trace, or a TOML file of graphs, in place of the whole `[workload]`.
    pub workload: Option<String>,
    /// `--format NAME`: `workload.format`.
    pub format: Option<String>,
    /// `--cluster NODESxGPUS[xPLATFORM]`: in place of the whole `[cluster]`.
    pub cluster: Option<String>,
    /// `--submitted-from WHEN`: `workload.from`.
    pub from: Option<String>,
    /// `--submitted-before WHEN`: `workload.until`.
    pub until: Option<String>,
    /// `--scale-load X`: `workload.scale_load`.
    pub scale_load: Option<String>,
    /// `--sample X`: `workload.sample`.
    pub sample: Option<String>,
    /// `--estimates WHICH`: `workload.estimates`.
    pub estimates: Option<String>,
    /// `--map KEY=VALUE,...`: keys of `workload.map`.
    pub map: Vec<String>,
    /// `--columns NAME,...`: `workload.map.columns`.
    pub columns: Option<String>,
    /// `--skip-bad-lines`: `workload.skip_bad_lines`.
    pub skip_bad_lines: bool,
    /// `--policy PRESET`, or parts such as `sjf/easy/pack`: see [`apply_policy`](super::apply_policy); what it does
    /// not name stays as the file says.
    pub policy: Option<String>,
    /// `--order NAME`: `policy.order`.
    pub order: Option<String>,
    /// `--backfill NAME`: `policy.backfill`.
    pub backfill: Option<String>,
    /// `--placement NAME`: `policy.placement`.
    pub placement: Option<String>,
    /// `--preemption NAME`: `policy.preemption`.
    pub preemption: Option<String>,
    /// `--until SPAN`: `run.until`.
    pub run_until: Option<String>,
    /// `--cycle SPAN`: `run.cycle`.
    pub cycle: Option<String>,
    /// `--seed N`: `run.seed`, whatever `set` says of it.
    pub seed: Option<u64>,
    /// `--device NAME`: `run.device`.
    pub device: Option<String>,
    /// `--set key=value`, in the order given.
    pub set: Vec<String>,
    /// Keys that an option sets as `set` does, after it.
    pub varied: Vec<TypedKey>,
    /// A job beside those of the scenario: what a `[[workload.job]]` says of it.
    pub job: Vec<TypedKey>,
}

/// A key that an option of its own sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedKey {
    /// The option and what the user typed, such as `--gpus 64`: where problems of it are.
    pub typed: String,
    /// The key, of a job that of `[[workload.job]]`.
    pub key: String,
    /// TOML, or else a text.
    pub value: String,
}

impl Overrides {
    /// Whether a run needs no scenario file with these.
    #[must_use]
    pub const fn stand_alone(&self) -> bool {
        self.workload.is_some() && self.cluster.is_some()
    }

    /// Puts everything into the document of a scenario.
    pub(super) fn apply(&self, document: &mut Document) {
        let empty = || Value::Table(Map::default());
        let text = |text: &str| Value::String(text.to_owned());
        if let Some(path) = &self.workload {
            let typed = format!("--workload {path}");
            document.set_value(&typed, "workload", empty());
            let is_toml = path.ends_with(".toml");
            document.set_value(&typed, if is_toml { "workload.graph" } else { "workload.trace" }, text(path));
        }
        if let Some(cluster) = &self.cluster {
            document.set_value(&format!("--cluster {cluster}"), "cluster", text(cluster));
        }
        let number_or_text = |given: &str| {
            let number = given.parse().map(Value::Integer).ok();
            let float = given.parse::<f64>().map(|_| Value::Float(given.to_owned())).ok();
            number.or(float).unwrap_or_else(|| text(given))
        };
        let plain = [
            ("--format", "workload.format", self.format.as_deref().map(text)),
            ("--submitted-from", "workload.from", self.from.as_deref().map(text)),
            ("--submitted-before", "workload.until", self.until.as_deref().map(text)),
            ("--scale-load", "workload.scale_load", self.scale_load.as_deref().map(number_or_text)),
            ("--sample", "workload.sample", self.sample.as_deref().map(number_or_text)),
            ("--estimates", "workload.estimates", self.estimates.as_deref().map(text)),
            ("--columns", "workload.map.columns", self.columns.as_deref().map(text)),
            (
                "--skip-bad-lines",
                "workload.skip_bad_lines",
                self.skip_bad_lines.then_some(Value::Boolean(true)),
            ),
            ("--order", "policy.order", self.order.as_deref().map(text)),
            ("--backfill", "policy.backfill", self.backfill.as_deref().map(text)),
            ("--placement", "policy.placement", self.placement.as_deref().map(text)),
            ("--preemption", "policy.preemption", self.preemption.as_deref().map(text)),
            ("--until", "run.until", self.run_until.as_deref().map(text)),
            ("--cycle", "run.cycle", self.cycle.as_deref().map(text)),
            ("--device", "run.device", self.device.as_deref().map(text)),
        ];
        for (flag, path, value) in plain {
            let Some(value) = value else { continue };
            let shown = match &value {
                Value::String(text) | Value::Float(text) => text.clone(),
                Value::Integer(number) => number.to_string(),
                _ => String::new(),
            };
            document.set_value(format!("{flag} {shown}").trim_end(), path, value);
        }
        let mut seen: Vec<&str> = Vec::new();
        for pair in self.map.iter().flat_map(|pairs| pairs.split(',')).filter(|pair| !pair.is_empty()) {
            let typed = format!("--map {pair}");
            match pair.split_once('=') {
                Some((key, _)) if seen.contains(&key.trim()) => {
                    let mark = document.typed(&typed);
                    let problem = Problem::new(format!("`{}` is given twice", key.trim()));
                    document.complain(mark, problem.hint("each key of `--map` once"));
                }
                Some((key, value)) => {
                    seen.push(key.trim());
                    let value = match value.trim() {
                        "true" => Value::Boolean(true),
                        "false" => Value::Boolean(false),
                        number if number.parse::<i64>().is_ok() => number_or_text(number),
                        other => text(other),
                    };
                    document.set_value(&typed, &format!("workload.map.{}", key.trim()), value);
                }
                None => {
                    let mark = document.typed(&typed);
                    let problem = Problem::new(format!("expected `key=value`, found `{pair}`"));
                    document.complain(
                        mark,
                        problem.hint("such as `--map gpus=num_gpu,work_time=duration,unit=ms`"),
                    );
                }
            }
        }
        for assignment in &self.set {
            document.set(assignment);
        }
        for TypedKey { typed, key, value } in &self.varied {
            document.set_text(typed, key, value);
        }
        // Last: whoever runs a scenario under several seeds says each in this way.
        if let Some(seed) = self.seed {
            document.set_value(&format!("--seed {seed}"), "run.seed", Value::Integer(seed.into()));
        }
        if !self.job.is_empty() {
            let path = document.push_table("a job of the command line", "workload.job");
            for TypedKey { typed, key, value } in &self.job {
                document.set_text(typed, &format!("{path}.{key}"), value);
            }
        }
    }
}
