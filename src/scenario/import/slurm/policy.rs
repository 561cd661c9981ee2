use super::super::draft::{Draft, Key};
use super::super::findings::Findings;
use super::conf::{Line, RECORDS};
use super::time::seconds;
use crate::error::Problem;
use crate::policy::part;

/// The settings that are about the whole cluster.
pub(super) struct Global<'l, 's> {
    lines: Vec<&'l Line<'s>>,
}

/// How often passes of backfill come, unless `bf_interval` says it.
const BF_INTERVAL: u32 = 30;
/// How many jobs they look at, unless `bf_max_job_test` says it.
const BF_MAX_JOB_TEST: u32 = 500;
/// How many minutes ahead they plan, unless `bf_window` says it.
const BF_WINDOW: u32 = 1440;
/// How many seconds one slot of that is, unless `bf_resolution` says it.
const BF_RESOLUTION: u32 = 60;

impl<'l, 's> Global<'l, 's> {
    pub(super) fn of(lines: &'l [Line<'s>]) -> Self {
        let is_record = |line: &&Line<'_>| RECORDS.iter().any(|record| line.begins(record));
        Self { lines: lines.iter().filter(|line| !is_record(line)).collect() }
    }
    /// The last line that has a key, and its value.
    pub(super) fn get(&self, key: &str) -> Option<(&'l Line<'s>, &'l str)> {
        let line = *self.lines.iter().rev().find(|line| line.has(key))?;
        Some((line, line.get(key)?))
    }
    fn word(&self, key: &str) -> &'l str {
        self.get(key).map_or("", |(_, value)| value)
    }
    /// Whether a value is a word, whatever the case.
    fn is(&self, key: &str, word: &str) -> bool {
        self.word(key).eq_ignore_ascii_case(word)
    }
    /// A whole number; 0 where nothing is said, or something wrong, which is reported.
    fn weight(&self, key: &str, findings: &mut Findings) -> u32 {
        let Some((line, text)) = self.get(key) else { return 0 };
        text.parse().unwrap_or_else(|_| {
            let problem = Problem::new(format!("`{key}`: expected a whole number, found `{text}`"));
            line.complain(text, problem, findings);
            0
        })
    }
    /// A time; none where nothing is said, or something wrong, which is reported.
    fn time(&self, key: &str, findings: &mut Findings) -> Option<u32> {
        let (line, text) = self.get(key)?;
        let time = seconds(text);
        if time.is_none() {
            let problem =
                Problem::new(format!("`{key}`: expected a time such as `7-0` or `00:05:00`, found `{text}`"));
            line.complain(text, problem, findings);
        }
        time
    }
}

/// Reads who goes next, who passes whom and who yields.
pub(super) fn read(global: &Global<'_, '_>, draft: &mut Draft, findings: &mut Findings) {
    let parameters = Parameters::of(global);
    draft.policy.push(Key::text("preset", "slurm", ""));
    order(global, draft, findings);
    let preempts = preempts(global, draft, findings);
    backfill(global, &parameters, preempts, draft, findings);
    preemption(global, &parameters, preempts, draft, findings);
    selection(global, draft, findings);
    parameters.leave_out_rest(findings);
    for key in ["TopologyPlugin", "GresTypes", "ClusterName"] {
        global.get(key);
    }
}

/// `SchedulerParameters`, item by item.
struct Parameters<'l, 's> {
    line: Option<&'l Line<'s>>,
    items: Vec<(&'l str, &'l str)>,
    read: std::cell::RefCell<Vec<&'static str>>,
}

impl<'l, 's> Parameters<'l, 's> {
    fn of(global: &Global<'l, 's>) -> Self {
        let found = global.get("SchedulerParameters");
        let items =
            found.map_or("", |(_, text)| text).split(',').map(str::trim).filter(|item| !item.is_empty());
        let items = items.map(|item| item.split_once('=').unwrap_or((item, ""))).collect();
        Self { line: found.map(|(line, _)| line), items, read: Vec::new().into() }
    }
    fn has(&self, name: &'static str) -> bool {
        self.read.borrow_mut().push(name);
        self.items.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
    /// A whole number; none where nothing is said, or something wrong, which is reported.
    fn number(&self, name: &'static str, findings: &mut Findings) -> Option<u32> {
        self.read.borrow_mut().push(name);
        let (_, text) = self.items.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let number = text.parse().ok();
        if let (None, Some(line)) = (number, self.line) {
            let problem = Problem::new(format!("`{name}`: expected a whole number, found `{text}`"));
            line.complain(&format!("{name}={text}"), problem, findings);
        }
        number
    }
    fn leave_out(&self, name: &'static str, why: &str, findings: &mut Findings) {
        self.read.borrow_mut().push(name);
        for (_, value) in self.items.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)) {
            self.told(name, value, why, findings);
        }
    }
    fn leave_out_rest(&self, findings: &mut Findings) {
        for (name, value) in &self.items {
            if !self.read.borrow().iter().any(|read| read.eq_ignore_ascii_case(name)) {
                self.told(name, value, "no counterpart", findings);
            }
        }
    }
    fn told(&self, name: &str, value: &str, why: &str, findings: &mut Findings) {
        let value = if value.is_empty() { String::new() } else { format!("={value}") };
        if let Some(line) = self.line {
            findings.leave_out(line.source, line.number, format!("SchedulerParameters {name}{value}"), why);
        }
    }
}

fn order(global: &Global<'_, '_>, draft: &mut Draft, findings: &mut Findings) {
    let mut weight = |key: &str| global.weight(key, findings);
    let [age, size, share] =
        ["PriorityWeightAge", "PriorityWeightJobSize", "PriorityWeightFairshare"].map(&mut weight);
    let gpus = weight_of_gpus(global, size == 0, findings);
    let (size, of_size) =
        gpus.map_or((size, "PriorityWeightJobSize"), |gpus| (gpus, "PriorityWeightTRES GRES/gpu"));
    let is_basic = global.is("PriorityType", "priority/basic");
    if is_basic || [age, size, share] == [0; 3] {
        let from =
            if is_basic { "priority/basic" } else { "no PriorityWeight is above 0 that has a counterpart" };
        draft.policy.push(Key::text("order", "fifo", from));
        return;
    }
    draft.policy.push(Key::new("weight_age", age, "PriorityWeightAge"));
    draft.policy.push(Key::new("weight_size", size, of_size));
    draft.policy.push(Key::new("weight_share", share, "PriorityWeightFairshare"));
    draft.policy.push(Key::new("weight_priority", 0, "a job of Slurm has no priority of its own"));
    if global.is("PriorityFavorSmall", "YES") {
        draft.policy.push(Key::text("favored_size", "small", "PriorityFavorSmall"));
    }
    let times = [
        ("PriorityMaxAge", "max_age"),
        ("PriorityDecayHalfLife", "half_life"),
        ("PriorityCalcPeriod", "rank_period"),
    ];
    for (key, own) in times {
        match (global.time(key, findings), global.get(key)) {
            (Some(0), Some((line, _))) => line.leave_out(key, "it is never 0 here, but as usual", findings),
            (Some(span), _) => draft.policy.push(Key::text(own, &part::span(span), key)),
            (None, _) => {}
        }
    }
}

/// What `PriorityWeightTRES` says of GPUs, where sizes are weighed by it alone; the rest of it is left out.
fn weight_of_gpus(global: &Global<'_, '_>, is_alone: bool, findings: &mut Findings) -> Option<u32> {
    let (line, text) = global.get("PriorityWeightTRES")?;
    let mut found = None;
    for item in text.split(',').filter(|item| !item.is_empty()) {
        let gpus = item.split_once('=').filter(|(name, _)| is_alone && name.eq_ignore_ascii_case("gres/gpu"));
        let Some((_, weight)) = gpus else {
            let what = format!("PriorityWeightTRES {item}");
            findings.leave_out(line.source, line.number, what, "the size of a job is its GPUs, weighed once");
            continue;
        };
        found = weight.parse().ok();
        if found.is_none() {
            let told = format!("`PriorityWeightTRES`: expected a whole number, found `{weight}`");
            line.complain(weight, Problem::new(told), findings);
        }
    }
    found
}

/// Whether jobs stop for those of higher partitions.
fn preempts(global: &Global<'_, '_>, draft: &Draft, findings: &mut Findings) -> bool {
    let modes: Vec<&str> = global.word("PreemptMode").split(',').map(str::trim).collect();
    let is_off = modes.iter().any(|mode| ["OFF", ""].iter().any(|off| mode.eq_ignore_ascii_case(off)));
    if let Some((line, _)) = global.get("PreemptType").filter(|_| global.is("PreemptType", "preempt/qos")) {
        line.leave_out("PreemptType", "there is no quality of service: no job stops for another", findings);
        return false;
    }
    let is_by_partition = global.is("PreemptType", "preempt/partition_prio");
    let has_tiers = draft.partitions.iter().any(|partition| partition.tier > 0);
    if is_by_partition && !is_off && !has_tiers {
        findings.assume("no job stops for another: no partition has a higher PriorityTier");
    }
    is_by_partition && !is_off && has_tiers
}

fn backfill(
    global: &Global<'_, '_>,
    parameters: &Parameters<'_, '_>,
    preempts: bool,
    draft: &mut Draft,
    findings: &mut Findings,
) {
    let interval = parameters.number("bf_interval", findings);
    let tested = parameters.number("bf_max_job_test", findings).filter(|number| *number > 0);
    let window = parameters.number("bf_window", findings).filter(|minutes| *minutes > 0);
    let resolution = parameters.number("bf_resolution", findings).filter(|seconds| *seconds > 0);
    let reserved = parameters.number("bf_job_part_count_reserve", findings).filter(|number| *number > 0);
    if global.is("SchedulerType", "sched/builtin") {
        draft.policy.push(Key::text("backfill", "none", "sched/builtin"));
        return;
    }
    let from = |told: Option<u32>, name: &str| {
        if told.is_some() { name.to_owned() } else { format!("{name}, as usual") }
    };
    if let Some(count) = reserved {
        draft.policy.push(Key::text(
            "backfill",
            "easy",
            "bf_job_part_count_reserve: so many hold a reservation",
        ));
        draft.policy.push(Key::new("reservations", count, "bf_job_part_count_reserve"));
    } else if preempts {
        draft.policy.push(Key::text("backfill", "easy", "`conservative` does not go with preemption"));
        findings.assume(
            "of the blocked jobs of a partition the first holds a reservation, since jobs stop for others",
        );
    } else {
        let most = tested.unwrap_or(BF_MAX_JOB_TEST);
        draft.policy.push(Key::new("max_jobs", most, from(tested, "bf_max_job_test")));
        let seconds = window.unwrap_or(BF_WINDOW).saturating_mul(60);
        draft.policy.push(Key::text("window", &part::span(seconds), from(window, "bf_window")));
        let slot = part::span(resolution.unwrap_or(BF_RESOLUTION));
        draft.policy.push(Key::text("resolution", &slot, from(resolution, "bf_resolution")));
        findings.assume(
            "bf_max_job_test counts the jobs of partitions that share nodes, where that of Slurm counts those of all",
        );
    }
    if reserved.is_some() || preempts {
        let reasons = [
            (tested, "bf_max_job_test", "under `easy` all jobs are tried"),
            (window, "bf_window", "under `easy` a reservation may begin whenever"),
            (resolution, "bf_resolution", "under `easy` jobs are expected to end to the second"),
        ];
        for (_, name, why) in reasons.into_iter().filter(|(told, ..)| told.is_some()) {
            parameters.leave_out(name, why, findings);
        }
    }
    let cycle = interval.filter(|interval| *interval > 0).unwrap_or(BF_INTERVAL);
    draft.run.push(Key::text("cycle", &part::span(cycle), from(interval, "bf_interval")));
    draft.policy.push(Key::text("event_backfill", "none", "at events between no job passes a blocked one"));
}

fn preemption(
    global: &Global<'_, '_>,
    parameters: &Parameters<'_, '_>,
    preempts: bool,
    draft: &mut Draft,
    findings: &mut Findings,
) {
    if !preempts {
        for key in ["PreemptMode", "PreemptExemptTime"] {
            let told = global
                .get(key)
                .filter(|(_, value)| !["OFF", "-1"].contains(&value.to_ascii_uppercase().as_str()));
            if let Some((line, _)) = told {
                line.leave_out(key, "no job stops for another", findings);
            }
        }
        return;
    }
    draft.policy.push(Key::text("preemption", "priority", "preempt/partition_prio"));
    if parameters.has("preempt_youngest_first") {
        draft.policy.push(Key::text("victims", "youngest", "preempt_youngest_first"));
    }
    let is_exempt = global.get("PreemptExemptTime").is_some_and(|(_, text)| text != "-1");
    let span = if is_exempt { global.time("PreemptExemptTime", findings) } else { None };
    if let Some(span) = span.filter(|span| *span > 0) {
        draft.policy.push(Key::text("min_run", &part::span(span), "PreemptExemptTime"));
    }
    let modes: Vec<&str> = global.word("PreemptMode").split(',').collect();
    if let Some((line, _)) =
        global.get("PreemptMode").filter(|_| modes.iter().any(|mode| !mode.eq_ignore_ascii_case("REQUEUE")))
    {
        line.leave_out(
            "PreemptMode",
            "a job that stops waits again, and loses its work since its last checkpoint",
            findings,
        );
    }
}

/// What `SelectTypeParameters` says of where jobs go.
fn selection(global: &Global<'_, '_>, draft: &mut Draft, findings: &mut Findings) {
    if let Some((line, _)) = global.get("SelectType").filter(|_| global.is("SelectType", "select/linear")) {
        line.leave_out("SelectType", "jobs share nodes, as with select/cons_tres", findings);
    }
    let Some((line, text)) = global.get("SelectTypeParameters") else { return };
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if item.eq_ignore_ascii_case("CR_LLN") {
            draft.policy.push(Key::text("placement", "worst-fit", "CR_LLN"));
        } else if !COUNTED.iter().any(|known| known.eq_ignore_ascii_case(item)) {
            let what = format!("SelectTypeParameters {item}");
            findings.leave_out(line.source, line.number, what, "no counterpart");
        }
    }
}

/// Resources that are counted: CPUs, GPUs and memory always are.
const COUNTED: [&str; 6] =
    ["CR_Core", "CR_CPU", "CR_Core_Memory", "CR_CPU_Memory", "CR_Memory", "CR_Socket_Memory"];
