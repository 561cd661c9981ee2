//! Where Kueue's own tests put the pods of gangs: by the rule alone, and by placement `tas` in a run.

use gigawatt::cluster::{Cluster, Level, NodeKind, Piece};
use gigawatt::history::{Plan, Settings};
use gigawatt::simulation::{Control, simulate};
use gigawatt::state::place::tas::{Domains, Slices, Wish};
use gigawatt::units::{Gpus, Seconds, Time};
use gigawatt::workload::{Builder, Job, Request, Running, Shape, Topology, Workload};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopologyRow {
    name: String,
    /// From above down.
    levels: Vec<String>,
    /// Pods that the lowest domains have room for, by path.
    room: Room,
    pub(crate) asks: Vec<Ask>,
}

/// Pods by path.
type Room = BTreeMap<String, u32>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    pods: u32,
    wish: String,
    level: Option<String>,
    slice: Option<u32>,
    slice_level: Option<String>,
    /// Expected; none: no place.
    pub(crate) pods_at: Option<Room>,
}

fn prefix(path: &str, parts: usize) -> String {
    path.split('/').take(parts).collect::<Vec<_>>().join("/")
}

/// The tree of domains with these paths, which are sorted.
fn domains(levels: usize, room: &Room) -> Domains {
    let at = |level: usize| {
        let mut names: Vec<String> = room.keys().map(|path| prefix(path, level + 1)).collect();
        names.dedup();
        names
    };
    let parents = |level: usize| {
        let above = if level == 0 { vec![String::new()] } else { at(level - 1) };
        let parent = |name: &String| above.iter().position(|other| *other == prefix(name, level));
        at(level).iter().map(|name| parent(name).expect("its parent is there")).collect()
    };
    Domains::new((0..levels).map(parents).collect(), room.values().copied().collect())
}

impl TopologyRow {
    fn level(&self, name: Option<&String>) -> Option<usize> {
        let name = name?;
        Some(self.levels.iter().position(|level| level == name).expect("one of the levels"))
    }
    /// What comes of `told` where it is not what is expected.
    fn wrong(&self, told: impl Fn(&Ask) -> Option<Room>) -> Vec<String> {
        let wrong = |ask: &Ask| {
            let found = told(ask);
            let name = &self.name;
            (found != ask.pods_at).then(|| format!("{name}: {} pods: found {found:?}, {ask:?}", ask.pods))
        };
        self.asks.iter().filter_map(wrong).collect()
    }
}

/// By the rule alone.
pub(crate) fn wrong_topology(row: &TopologyRow) -> Vec<String> {
    let domains = domains(row.levels.len(), &row.room);
    row.wrong(|ask| {
        let level = || row.level(ask.level.as_ref()).expect("a level");
        let wish = match ask.wish.as_str() {
            "required" => Wish::Required(level()),
            "preferred" => Wish::Preferred(level()),
            "anywhere" => Wish::Anywhere,
            other => panic!("no wish is called `{other}`"),
        };
        let slices = Slices {
            pods: ask.slice.unwrap_or(1),
            level: row.level(ask.slice_level.as_ref()).unwrap_or(row.levels.len() - 1),
        };
        let pods = domains.assign(ask.pods, wish, slices)?;
        Some(row.room.keys().cloned().zip(pods).filter(|(_, pods)| *pods > 0).collect())
    })
}

/// By placement `tas`, and how many of its questions a scenario can put: the lowest level is nodes, the one above it racks,
/// and those above levels of the cluster; where there is one level, each node is a rack.
pub(crate) fn wrong_topology_of_runs(row: &TopologyRow) -> (Vec<String>, usize) {
    let asks = row.asks.iter().filter(|ask| asked(row, ask).is_some()).count();
    let wrong = row.wrong(|ask| match asked(row, ask) {
        Some(request) => placed(row, request),
        None => ask.pods_at.clone(),
    });
    (wrong, asks)
}

/// What a job asks for; none where no job can.
fn asked(row: &TopologyRow, ask: &Ask) -> Option<Request> {
    let racks = row.levels.len().saturating_sub(2);
    let is_flat = row.levels.len() == 1;
    let number = |level: usize| u32::try_from(level).expect("few levels");
    let topology = match (ask.wish.as_str(), row.level(ask.level.as_ref())) {
        ("anywhere", _) => Topology::Ignore,
        ("preferred", Some(level)) if level == racks => Topology::PreferRack,
        ("required", Some(level)) if level == racks && !is_flat => Topology::RequireRack,
        ("preferred", Some(level)) if level < racks => Topology::PreferLevel(number(level)),
        ("required", Some(level)) if level < racks => Topology::RequireLevel(number(level)),
        _ => return None,
    };
    if row.level(ask.slice_level.as_ref()).is_some_and(|level| level != racks) {
        return None;
    }
    let shape = Shape::Pods { count: ask.pods, gpus_milli_each: 1000 };
    Some(Request { shape, topology, segment: ask.slice.unwrap_or(0), ..Request::gang(Gpus::ZERO) })
}

/// Where a job goes on nodes that others fill up to the room told.
fn placed(row: &TopologyRow, request: Request) -> Option<Room> {
    let settings = Settings {
        order: "fifo".to_owned(),
        backfill: "skip".to_owned(),
        placement: "tas".to_owned(),
        until: Some(50),
        ..Settings::default()
    };
    let history = simulate(
        Plan { cluster: cluster(row), workload: workload(row, request), settings },
        &mut Control::default(),
    );
    let job = history.plan.workload.len() - 1;
    let segment = history.segments.iter().find(|segment| segment.job == job)?;
    let mut found = Room::new();
    for piece in history.pieces_of(segment) {
        let each = match *piece {
            Piece::Nodes { .. } => most(row),
            Piece::Gpus { mask, .. } => mask.count_ones(),
            Piece::Share { .. } => panic!("pods of whole GPUs"),
        };
        for node in piece.nodes() {
            let path = row.room.keys().nth(node as usize).expect("a node for each path");
            *found.entry(path.clone()).or_default() += each;
        }
    }
    Some(found)
}

/// GPUs of each node.
fn most(row: &TopologyRow) -> u32 {
    row.room.values().copied().max().unwrap_or(1)
}

fn cluster(row: &TopologyRow) -> Cluster {
    let mut cluster = Cluster::single_feed();
    let kind = cluster.add_kind(NodeKind { gpus: most(row), ..NodeKind::default() });
    let depth = row.levels.len();
    let paths: Vec<&String> = row.room.keys().collect();
    let in_rack = |path: &str| prefix(path, (depth - 1).max(1));
    let racks: Vec<&[&String]> = paths.chunk_by(|one, next| in_rack(one) == in_rack(next)).collect();
    for rack in &racks {
        cluster.add_rack(0, kind, u32::try_from(rack.len()).expect("few nodes"));
    }
    for level in 0..depth.saturating_sub(2) {
        let domain = |rack: usize| prefix(racks[rack][0], level + 1);
        let begins = (0..racks.len()).filter(|rack| *rack == 0 || domain(*rack) != domain(rack - 1));
        cluster.levels.push(Level {
            name: row.levels[level].clone(),
            first_racks: begins.map(|rack| u32::try_from(rack).expect("few racks")).collect(),
        });
    }
    cluster
}

fn workload(row: &TopologyRow, request: Request) -> Workload {
    let mut builder = Builder::default();
    row.levels.iter().for_each(|name| {
        builder.level(name);
    });
    let long = Job { work_time: Seconds(100), requested_time: Seconds(100), ..Job::at(Time::ZERO) };
    let tenant = builder.tenant("kueue");
    let behaviour = builder.behaviour(gigawatt::workload::Behaviour::default());
    for (node, room) in (0_u32..).zip(row.room.values()).filter(|(_, room)| **room < most(row)) {
        let shape = Shape::Pods { count: 1, gpus_milli_each: (most(row) - room) * 1000 };
        let request = builder.request(Request { shape, ..Request::gang(Gpus::ZERO) });
        let job = builder.push(Job { request, behaviour, tenant, ..long });
        builder.add_running(Running { job, nodes: vec![node] });
    }
    let request = builder.request(request);
    builder.push(Job { request, behaviour, tenant, ..long });
    builder.finish()
}
