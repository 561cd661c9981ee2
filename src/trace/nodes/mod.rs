//! Lists of nodes as clusters: one format, one file, and a table of formats.

mod native;
mod openb;

use super::Key;
use super::intake::Intake;
use super::table::{Table, whole};
use super::{Head, Notes, Options, choose, input};
use crate::cluster::{Cluster, NodeKind, Partition};
use crate::error::{Error, Place, Problem};
use std::collections::BTreeMap;
use std::path::Path;

/// A format of node lists.
pub struct ClusterFormat {
    /// As it is called where a format can be named.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    detect: fn(&Head<'_>) -> bool,
    read: fn(&[u8], &mut Site, &mut Intake<'_>),
}

impl std::fmt::Debug for ClusterFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterFormat").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every format of node lists that can be read.
pub const CLUSTER_FORMATS: &[ClusterFormat] = &[openb::FORMAT, native::FORMAT];

/// A cluster as read, and what was done to it.
#[derive(Debug, Clone)]
pub struct NodeList {
    /// One site with one feed; nodes in the order of the file.
    pub cluster: Cluster,
    /// What was dropped, changed or assumed.
    pub notes: Notes,
    /// Name of the format it was read as.
    pub format: &'static str,
}

/// Reads a list of nodes from a file; without a `format`, its content tells.
///
/// Platforms are looked up in [`Options::platform`]; without it they are numbered in the order of their appearance.
///
/// # Errors
/// The file cannot be read, or everything that is wrong with it.
pub fn read_cluster(path: &Path, format: Option<&str>, options: &Options<'_>) -> Result<NodeList, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
    read_cluster_bytes(&path.display().to_string(), &bytes, format, options)
}

/// Reads a list of nodes from memory; `name` is what messages call it. See [`read_cluster`].
///
/// ```
/// use gigawatt::trace::{Options, read_cluster_bytes};
/// let text = b"rack,platform,gpus,count\nr0,gb300,4,18\nr1,gb300,4,18\n";
/// let cluster = read_cluster_bytes("nodes.csv", text, None, &Options::default())?.cluster;
/// assert_eq!((cluster.racks.len(), cluster.gpus()), (2, 144));
/// # Ok::<(), gigawatt::error::Error>(())
/// ```
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_cluster_bytes(
    name: &str,
    bytes: &[u8],
    format: Option<&str>,
    options: &Options<'_>,
) -> Result<NodeList, Error> {
    let text = input::unpack(name, bytes, options)?;
    const NO_KEYS: &[Key] = &[];
    let known: Vec<_> = CLUSTER_FORMATS.iter().map(|format| (format.name, format.detect, NO_KEYS)).collect();
    let format = &CLUSTER_FORMATS[choose(name, &text, (format, options.map), &known)?];
    let mut intake = Intake::new(name, options);
    intake.by_row = text.by_row;
    let mut site = Site::new();
    (format.read)(&text, &mut site, &mut intake);
    let cluster = site.finish();
    let notes = intake.into_notes()?;
    if cluster.nodes() == 0 {
        return Err(Problem::new(format!("no node in `{name}`")).at(Place::file(name)).into());
    }
    Ok(NodeList { cluster, notes, format: format.name })
}

/// A cluster as its nodes come in.
#[derive(Debug)]
struct Site {
    cluster: Cluster,
    racks: Vec<Row>,
    names: Vec<String>,
    platforms: Vec<String>,
    partitions: BTreeMap<String, Vec<std::ops::Range<u32>>>,
    nodes: u32,
    /// The name of the rack that the last row was in.
    rack: Option<String>,
}

/// Nodes of a rack: their kind and how many they are.
#[derive(Debug, Clone, Copy)]
struct Row {
    kind: u32,
    nodes: u32,
}

/// More nodes than anybody will list.
const NODES_MAX: u32 = 1 << 20;

impl Site {
    fn new() -> Self {
        Self {
            cluster: Cluster::single_feed(),
            racks: Vec::new(),
            names: Vec::new(),
            platforms: Vec::new(),
            partitions: BTreeMap::new(),
            nodes: 0,
            rack: None,
        }
    }
    /// Adds `count` nodes, each in a rack of its own unless `rack` names one; false if they are not of the kind of
    /// the rest of that rack, or too many.
    fn add(&mut self, kind: NodeKind, count: u32, rack: Option<&str>) -> bool {
        if count > NODES_MAX - self.nodes {
            return false;
        }
        self.nodes += count;
        let kind = self.cluster.add_kind(kind);
        match (rack, self.racks.last_mut()) {
            (Some(name), Some(row)) if self.rack.as_deref() == Some(name) => {
                row.nodes += count;
                return row.kind == kind;
            }
            (Some(name), _) => {
                self.rack = Some(name.to_owned());
                self.racks.push(Row { kind, nodes: count });
            }
            (None, _) => {
                self.rack = None;
                self.racks.extend((0..count).map(|_| Row { kind, nodes: 1 }));
            }
        }
        true
    }
    /// Names the node that was added last.
    fn name(&mut self, name: &str) {
        while self.names.len() + 1 < self.nodes as usize {
            self.names.push(self.names.len().to_string());
        }
        self.names.push(name.to_owned());
    }
    /// Puts the last `count` nodes into a partition.
    fn own(&mut self, partition: &str, count: u32) {
        let nodes = self.nodes - count..self.nodes;
        let ranges = self.partitions.entry(partition.to_owned()).or_default();
        match ranges.last_mut() {
            Some(last) if last.end >= nodes.start => last.end = nodes.end,
            _ => ranges.push(nodes),
        }
    }
    /// The index of a platform.
    fn platform(&mut self, name: &str, options: &Options<'_>) -> Option<u32> {
        let index = match options.platform {
            Some(known) => known(name)?,
            None => self.platforms.iter().position(|known| known == name).unwrap_or_else(|| {
                self.platforms.push(name.to_owned());
                self.platforms.len() - 1
            }),
        };
        u32::try_from(index).ok()
    }

    fn finish(mut self) -> Cluster {
        let mut cluster = self.cluster;
        for row in self.racks {
            cluster.add_rack(0, row.kind, row.nodes);
        }
        if !self.names.is_empty() {
            while self.names.len() < self.nodes as usize {
                self.names.push(self.names.len().to_string());
            }
            cluster.node_names = self.names;
        }
        self.partitions.remove(crate::workload::Workload::DEFAULT_PARTITION);
        cluster
            .partitions
            .extend(self.partitions.into_iter().map(|(name, nodes)| Partition::new(name, nodes)));
        cluster
    }
}

/// The fields of a row that say what its nodes are like.
struct Columns {
    platform: Option<usize>,
    gpus: usize,
    cpu: Option<usize>,
    memory: Option<usize>,
    /// Turns the text of a CPU field into thousandths of a core.
    cpu_milli: fn(&[u8]) -> Option<u32>,
}

/// What the nodes of a row are like; CPU and memory that are not told are not counted.
fn kind(table: &Table<'_>, columns: &Columns, site: &mut Site, intake: &mut Intake<'_>) -> Option<NodeKind> {
    let gpus = table.whole(columns.gpus, NodeKind::MAX_GPUS, intake);
    let mut host = |column: Option<usize>, parse: fn(&[u8]) -> Option<u32>, expected: &str| {
        let Some(column) = column.filter(|_| !table.optional(column).is_empty()) else {
            return Some(u32::MAX);
        };
        let value = parse(table.get(column)).filter(|value| *value < u32::MAX);
        if value.is_none() {
            table.wrong(column, expected, intake);
        }
        value
    };
    let cpu_milli = host(columns.cpu, columns.cpu_milli, "CPU");
    let memory_mib = host(columns.memory, whole, "a whole number of MiB");
    let name = match columns.platform {
        Some(column) => {
            table.text(column, NodeKind::default().platform_name.as_str(), intake)?.to_ascii_lowercase()
        }
        None => NodeKind::default().platform_name,
    };
    let platform = site.platform(&name, intake.options);
    if platform.is_none() {
        let (number, line) = table.place();
        let part = columns.platform.map_or(line, |column| table.get(column));
        intake.bad_line(number, |file| {
            Problem::new(format!("unknown platform `{name}`")).at(Place::part(file, number, line, part))
        });
    }
    Some(NodeKind {
        platform_name: name.clone(),
        platform: platform?,
        gpus: gpus?,
        cpu_milli: cpu_milli?,
        memory_mib: memory_mib?,
        ..NodeKind::default()
    })
}

/// Whether the first line names these columns.
fn detect(head: &Head<'_>, names: &[&str]) -> bool {
    head.is_table(names)
}
