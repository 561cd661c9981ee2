//! Rows of Kueue's fair preemption, each made a scenario.

use gigawatt::scenario::{Overrides, Scenario};
use gigawatt::simulation::{Control, simulate};
use serde::Deserialize;

/// Jobs that run, and one that comes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FairRow {
    name: String,
    queues: Vec<FairQueue>,
    running: Vec<Running>,
    incoming: Incoming,
    rules: Option<String>,
    /// Expected.
    pub(crate) stops: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FairQueue {
    name: String,
    parent: Option<String>,
    nominal: Option<u32>,
    weight: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Running {
    queue: String,
    gpus: Vec<f64>,
    #[serde(default)]
    priorities: Vec<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Incoming {
    queue: String,
    gpus: f64,
}

/// The scenario of a row: a node that holds all of it, halves of a GPU being whole ones, and a job that comes at 100.
fn scenario(row: &FairRow) -> String {
    let whole = |gpus: f64| format!("{:.0}", gpus * 2.0);
    let mut text = "[cluster]\nrack = [{ name = \"r\", platform = \"generic\", count = 1, nodes = 1, gpus = 64 }]\n\
        [policy]\norder = \"fifo\"\nbackfill = \"skip\"\nplacement = \"first-fit\"\npreemption = \"reclaim\"\n"
        .to_owned();
    if let Some(rules) = &row.rules {
        text += &format!("reclaim_rules = \"{rules}\"\n");
    }
    for FairQueue { name, parent, nominal, weight } in &row.queues {
        text += &format!("[[queue]]\nname = \"{name}\"\n");
        if let Some(parent) = parent {
            text += &format!("parent = \"{parent}\"\n");
        }
        if let Some(nominal) = nominal {
            text += &format!("nominal = {}\n", nominal * 2);
        }
        if let Some(weight) = weight {
            text += &format!("weight = {weight}\n");
        }
        if !row.queues.iter().any(|other| other.parent.as_ref() == Some(name)) {
            text += &format!("tenants = [\"{name}\"]\n[[tenant]]\nname = \"{name}\"\n");
        }
    }
    text += "[workload]\njob = [\n";
    for Running { queue, gpus, priorities } in &row.running {
        for (index, gpus) in gpus.iter().enumerate() {
            let priority = priorities.get(index).unwrap_or(&0);
            let (id, gpus) = (format!("{queue}{}", index + 1), whole(*gpus));
            text += &format!(
                "{{ id = \"{id}\", tenant = \"{queue}\", gpus = {gpus}, work = \"1000s\", priority = {priority} }},\n"
            );
        }
    }
    let Incoming { queue, gpus } = &row.incoming;
    let gpus = whole(*gpus);
    text + &format!(
        "{{ id = \"new\", tenant = \"{queue}\", gpus = {gpus}, work = \"1000s\", submit = \"100s\" }},\n]\n"
    )
}

/// What is other than a row says.
pub(crate) fn wrong_stops(row: &FairRow) -> Vec<String> {
    stops_of(&row.name, &scenario(row), &row.stops)
}

/// What is other than expected of the jobs that stop for the job `new`, which comes at 100.
pub(crate) fn stops_of(name: &str, scenario: &str, expected: &[String]) -> Vec<String> {
    let loaded = Scenario::from_text(name, scenario, &Overrides::default());
    let plan = loaded.unwrap_or_else(|error| panic!("{name}: {error}")).plan;
    let mut lines = Vec::new();
    let mut trace = |line: &str| lines.push(line.to_owned());
    let _ = simulate(plan, &mut Control { trace: Some(&mut trace), ..Control::default() });
    // What follows the start at 100 is another decision.
    let now = lines.iter().filter_map(|line| line.strip_prefix("100 "));
    let found: Vec<&str> = now.take_while(|line| !line.starts_with("start ")).collect();
    let mut found: Vec<&str> = found.iter().filter_map(|line| line.strip_prefix("stop ")).collect();
    found.sort_unstable();
    let started = lines.iter().any(|line| line.starts_with("100 start new ")) != expected.is_empty();
    let all = started && found == expected;
    if all { Vec::new() } else { vec![format!("{name}: found {found:?}, expected {expected:?}")] }
}
