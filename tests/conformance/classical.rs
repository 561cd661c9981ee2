//! Rows of Kueue's classical preemption, each made a scenario.

use super::fair::stops_of;
use serde::Deserialize;

/// Jobs that run, and one that comes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassicalRow {
    name: String,
    queues: Vec<Queue>,
    within_queue: String,
    reclaim_from: String,
    borrow_from: String,
    running: Vec<Running>,
    incoming: Incoming,
    /// Expected.
    pub(crate) stops: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Queue {
    name: String,
    parent: Option<String>,
    nominal: Option<u32>,
    borrow: Option<u32>,
    lend: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Running {
    name: String,
    queue: String,
    gpus: u32,
    priority: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Incoming {
    queue: String,
    gpus: u32,
    priority: i32,
}

/// The scenario of a row: a node that holds all of it, and a job that comes at 100.
fn scenario(row: &ClassicalRow) -> String {
    let ClassicalRow { within_queue, reclaim_from, borrow_from, .. } = row;
    let mut text = format!(
        "[cluster]\nrack = [{{ name = \"r\", platform = \"generic\", count = 1, nodes = 1, gpus = 64 }}]\n\
        [policy]\norder = \"fifo\"\nbackfill = \"skip\"\nplacement = \"first-fit\"\npreemption = \"classical\"\n\
        within_queue = \"{within_queue}\"\nreclaim_from = \"{reclaim_from}\"\nborrow_from = \"{borrow_from}\"\n"
    );
    for Queue { name, parent, nominal, borrow, lend } in &row.queues {
        text += &format!("[[queue]]\nname = \"{name}\"\n");
        if let Some(parent) = parent {
            text += &format!("parent = \"{parent}\"\n");
        }
        for (key, gpus) in [("nominal", nominal), ("borrow", borrow), ("lend", lend)] {
            text += &gpus.map(|gpus| format!("{key} = {gpus}\n")).unwrap_or_default();
        }
        if !row.queues.iter().any(|other| other.parent.as_ref() == Some(name)) {
            text += &format!("tenants = [\"{name}\"]\n[[tenant]]\nname = \"{name}\"\n");
        }
    }
    text += "[workload]\njob = [\n";
    for Running { name, queue, gpus, priority } in &row.running {
        text += &format!(
            "{{ id = \"{name}\", tenant = \"{queue}\", gpus = {gpus}, work = \"1000s\", priority = {priority} }},\n"
        );
    }
    let Incoming { queue, gpus, priority } = &row.incoming;
    text + &format!(
        "{{ id = \"new\", tenant = \"{queue}\", gpus = {gpus}, work = \"1000s\", priority = {priority}, submit = \"100s\" }},\n]\n"
    )
}

/// What is other than a row says.
pub(crate) fn wrong_classical(row: &ClassicalRow) -> Vec<String> {
    stops_of(&row.name, &scenario(row), &row.stops)
}
