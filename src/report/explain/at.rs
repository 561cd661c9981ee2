use super::words::{clock, gpus, name};
use crate::history::{History, Segment, WaitReason};
use crate::metrics::{Queued, Walk, queue_at};
use crate::report::answer;
use crate::report::lines::fitted;
use crate::report::number::{counted, grouped};
use crate::report::table;
use crate::units::{Gpus, Time};
use serde_json::{Value, json};

/// Rows of each table; of more, the first.
const ROWS: usize = 12;

/// What one instant looks like.
struct Instant<'a> {
    history: &'a History,
    now: Time,
    running: Vec<&'a Segment>,
    queue: Vec<Queued>,
    racks: Vec<RackRoom>,
    available_milli: u64,
}

/// One rack at an instant.
struct RackRoom {
    rack: usize,
    /// GPUs of its nodes that are up or draining, free ones in thousandths, and whole free nodes.
    gpus: u64,
    free_milli: u64,
    pieces: Vec<u32>,
}

impl<'a> Instant<'a> {
    fn of(history: &'a History, now: Time) -> Self {
        let mut walk = Walk::new(history);
        walk.to(now);
        let cluster = &history.plan.cluster;
        let rack = |(rack, own): (usize, &crate::cluster::Rack)| {
            let nodes: Vec<u32> = (own.first_node..own.first_node + own.nodes).collect();
            let room = walk.room(&nodes);
            RackRoom { rack, gpus: room.gpus, free_milli: room.free_milli, pieces: room.pieces }
        };
        let racks = cluster.racks.iter().enumerate().map(rack).collect();
        let mut running: Vec<&Segment> = walk.running().collect();
        running.sort_by_key(|segment| (std::cmp::Reverse(history.gpus_of(segment)), segment.job));
        Self {
            history,
            now,
            running,
            queue: queue_at(history, now),
            racks,
            available_milli: walk.available_milli(),
        }
    }
    fn held_milli(&self) -> u64 {
        self.running.iter().map(|segment| self.history.gpus_of(segment)).sum()
    }
    fn asked_milli(&self) -> u64 {
        self.queue.iter().map(|queued| self.milli(queued.job)).sum()
    }
    fn milli(&self, job: u32) -> u64 {
        self.history.plan.workload.request_of(job).gpus().milli().into()
    }
    fn tenant(&self, job: u32) -> &str {
        let workload = &self.history.plan.workload;
        &workload.tenants[workload.jobs[job as usize].tenant as usize].name
    }
}

/// The cluster and the queue at an instant.
#[must_use]
pub fn at_text(title: &str, history: &History, now: Time, width: u16) -> String {
    let own = Instant::of(history, now);
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let mut text = format!(
        "{title}\nAt {}: {} of {} held by {}; {} {} for {}.\n",
        clock(history, now),
        number(own.held_milli()),
        gpus(own.available_milli),
        counted(count(own.running.len()), "job"),
        counted(count(own.queue.len()), "job"),
        if own.queue.len() == 1 { "waits" } else { "wait" },
        gpus(own.asked_milli()),
    );
    text.push_str(&format!("\n{}", racks(&own, width)));
    if !own.running.is_empty() {
        text.push_str(&format!("\n{}", running(&own, width)));
    }
    if !own.queue.is_empty() {
        text.push_str(&format!("\n{}\n{}", by_reason(&own), queue(&own, width)));
    }
    fitted(&text, width)
}

fn number(milli: u64) -> String {
    Gpus::from_milli(u32::try_from(milli).unwrap_or(u32::MAX)).to_string()
}

/// How many rows are not shown.
fn more(shown: usize, all: usize) -> String {
    let rest = all.saturating_sub(shown);
    if rest == 0 {
        String::new()
    } else {
        format!("and {} more\n", grouped(u64::try_from(rest).unwrap_or(u64::MAX)))
    }
}

fn racks(own: &Instant<'_>, width: u16) -> String {
    let cluster = &own.history.plan.cluster;
    let mut table = table::new(width, ["rack", "platform", "GPUs", "free", "in pieces of"]);
    let mut shown: Vec<&RackRoom> = own.racks.iter().collect();
    shown.sort_by_key(|rack| (std::cmp::Reverse(rack.free_milli), rack.rack));
    shown.truncate(ROWS);
    shown.sort_by_key(|rack| rack.rack);
    for rack in &shown {
        let kind = &cluster.kinds[cluster.racks[rack.rack].kind as usize];
        // Those alike stand beside each other.
        let pieces = rack.pieces.chunk_by(|one, other| one == other).map(|alike| match alike {
            [only] => only.to_string(),
            alike => format!("{} × {}", alike.len(), alike[0]),
        });
        let pieces: Vec<String> = pieces.collect();
        table.add_row([
            rack.rack.to_string(),
            kind.platform_name.clone(),
            grouped(rack.gpus),
            number(rack.free_milli),
            pieces.join(", "),
        ]);
    }
    table::right(&mut table, [0, 2, 3]);
    table::text(&mut table) + &more(shown.len(), own.racks.len())
}

fn running(own: &Instant<'_>, width: u16) -> String {
    let mut table = table::new(width, ["running", "tenant", "GPUs", "since", "until"]);
    for segment in own.running.iter().take(ROWS) {
        table.add_row([
            name(own.history, segment.job),
            own.tenant(segment.job).to_owned(),
            number(own.history.gpus_of(segment)),
            clock(own.history, segment.from),
            if segment.to == Time::NEVER { "the end".to_owned() } else { clock(own.history, segment.to) },
        ]);
    }
    table::right(&mut table, [2]);
    table::text(&mut table) + &more(ROWS, own.running.len())
}

/// How many wait for what.
fn by_reason(own: &Instant<'_>) -> String {
    let of = |reason: WaitReason| own.queue.iter().filter(move |queued| queued.reason == reason).count();
    let told = |reason: &WaitReason| format!("{} for {}", of(*reason), reason.name());
    let all: Vec<String> = WaitReason::ALL.iter().filter(|reason| of(**reason) > 0).map(told).collect();
    format!("Waiting: {}", all.join(", "))
}

fn queue(own: &Instant<'_>, width: u16) -> String {
    let mut table = table::new(width, ["waiting", "tenant", "GPUs", "since", "for", "reason"]);
    for queued in own.queue.iter().take(ROWS) {
        table.add_row([
            name(own.history, queued.job),
            own.tenant(queued.job).to_owned(),
            number(own.milli(queued.job)),
            clock(own.history, queued.since),
            own.now.since(queued.since).to_string(),
            queued.reason.name().to_owned(),
        ]);
    }
    table::right(&mut table, [2, 4]);
    table::text(&mut table) + &more(ROWS, own.queue.len())
}

/// The same for machines, everything: times in seconds since the start.
#[must_use]
pub fn at_json(title: &str, history: &History, now: Time) -> String {
    let own = Instant::of(history, now);
    let gpus = |milli: u64| Gpus::from_milli(u32::try_from(milli).unwrap_or(u32::MAX)).as_f64();
    let known = |time: Time| Some(time.0).filter(|_| time != Time::NEVER);
    let rack = |rack: &RackRoom| -> Value {
        json!({ "rack": rack.rack, "gpus": rack.gpus, "free": gpus(rack.free_milli), "pieces": rack.pieces })
    };
    let run = |segment: &&Segment| -> Value {
        json!({
            "job": name(history, segment.job),
            "tenant": own.tenant(segment.job),
            "gpus": gpus(history.gpus_of(segment)),
            "from": segment.from.0,
            "to": known(segment.to),
        })
    };
    let wait = |queued: &Queued| -> Value {
        json!({
            "job": name(history, queued.job),
            "tenant": own.tenant(queued.job),
            "gpus": gpus(own.milli(queued.job)),
            "since": queued.since.0,
            "reason": queued.reason.name(),
        })
    };
    let all = json!({
        "run": title,
        "at": now.0,
        "gpus": gpus(own.available_milli),
        "held": gpus(own.held_milli()),
        "racks": own.racks.iter().map(rack).collect::<Vec<_>>(),
        "running": own.running.iter().map(run).collect::<Vec<_>>(),
        "waiting": own.queue.iter().map(wait).collect::<Vec<_>>(),
    });
    answer::text("explain-at", all)
}

/// What an answer about an instant looks like.
pub(in crate::report) fn at_shape() -> Value {
    let job = |more: &[(&str, &str)]| {
        let all = [("job", "string"), ("tenant", "string"), ("gpus", "number")];
        Value::Object(all.iter().chain(more).map(|(key, kind)| ((*key).to_owned(), json!(kind))).collect())
    };
    json!({
        "run": "string",
        "at": "integer",
        "gpus": "number",
        "held": "number",
        "racks": [{ "rack": "integer", "gpus": "integer", "free": "number", "pieces": ["integer"] }],
        "running": [job(&[("from", "integer"), ("to", "integer?")])],
        "waiting": [job(&[("since", "integer"), ("reason", "string")])],
    })
}
