//! gigawatt's own list of nodes, as CSV.
//!
//! | column | says |
//! |---|---|
//! | `gpus` | GPUs a node, 0 to 64; must be there |
//! | `node` | its name |
//! | `count` | how many such nodes the line stands for, 1 unless told |
//! | `rack` | the rack they are in, all of one kind, in lines next to each other; none: a rack each |
//! | `platform` | name of the platform; none: `generic` |
//! | `cpu` | cores a node; none: not counted |
//! | `memory_mib` | memory a node, MiB; none: not counted |
//! | `partition` | partitions they belong to, names with `;` |

use super::{ClusterFormat, Columns, NODES_MAX, Site, detect, kind};
use crate::trace::formats::native::thousandths;
use crate::trace::intake::Intake;
use crate::trace::table::Table;

pub(super) const FORMAT: ClusterFormat = ClusterFormat {
    name: "csv",
    about: "gigawatt's own node list: gpus and node,count,rack,platform,cpu,memory_mib,partition",
    detect: |head| detect(head, &["gpus"]) && !detect(head, &["submit_time"]),
    read,
};

fn read(text: &[u8], site: &mut Site, intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &[], intake) else { return };
    let Some([gpus]) = table.require(["gpus"], intake) else { return };
    let columns = Columns {
        platform: table.column("platform"),
        gpus,
        cpu: table.column("cpu"),
        memory: table.column("memory_mib"),
        cpu_milli: thousandths,
    };
    let [node, count, rack, partition] =
        ["node", "count", "rack", "partition"].map(|name| table.column(name));
    while table.next(intake) {
        let many = match count.filter(|_| !table.optional(count).is_empty()) {
            Some(column) => table.whole(column, NODES_MAX, intake),
            None => Some(1),
        };
        let mut text =
            |column: Option<usize>| column.map_or(Some(""), |column| table.text(column, "", intake));
        let (name, rack_name, partitions) = (text(node), text(rack), text(partition));
        let kind = kind(&table, &columns, site, intake);
        let (Some(many), Some(name), Some(rack_name), Some(partitions), Some(kind)) =
            (many, name, rack_name, partitions, kind)
        else {
            continue;
        };
        if many == 0 {
            intake.notes.count("line", "of 0 nodes: nothing added", 1);
            continue;
        }
        if !site.add(kind, many, Some(rack_name).filter(|name| !name.is_empty())) {
            let at = rack.or(count).unwrap_or(gpus);
            table.wrong(at, &format!("nodes of one kind in a rack, and at most {NODES_MAX} in all"), intake);
            continue;
        }
        if !name.is_empty() && many == 1 {
            site.name(name);
        }
        for partition in partitions.split(';').map(str::trim).filter(|name| !name.is_empty()) {
            site.own(partition, many);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_cluster_bytes};

    #[test]
    fn racks_counts_and_partitions_are_read() {
        let text = include_bytes!("../../../workloads/nodes.csv");
        let list = read_cluster_bytes("n.csv", text, None, &Options::default()).unwrap();
        let cluster = list.cluster;
        assert_eq!(list.format, "csv", "recognised");
        assert_eq!(
            (cluster.nodes(), cluster.gpus(), cluster.racks.len()),
            (41, 160, 7),
            "racks of NVL72, five nodes alone"
        );
        assert_eq!(cluster.rack_of(17), 0, "a rack has 18 trays");
        assert_eq!(
            cluster.partition("train").unwrap().nodes,
            std::slice::from_ref(&(0..36)),
            "touching ranges are one"
        );
        assert_eq!(cluster.partition("shared").unwrap().nodes, Vec::from([18..36, 37..38]), "others are not");
        assert_eq!(
            (cluster.node_name(0), cluster.node_name(36)),
            ("0".to_owned(), "login".to_owned()),
            "names"
        );
        assert_eq!(cluster.kind_of(37).cpu_milli, 96_500, "cores with decimals");
    }

    #[test]
    fn a_rack_of_two_kinds_is_told() {
        let told = |text: &str| {
            read_cluster_bytes("n.csv", text.as_bytes(), None, &Options::default()).unwrap_err().to_string()
        };
        assert!(told("rack,gpus\na,4\na,8\n").contains("n.csv:3"), "two kinds in a rack");
        assert!(told("gpus,count\n4,4294967295\n").contains("count `4294967295`"), "too many");
        assert!(told("gpus,count\n4,0\n").contains("no node in `n.csv`"), "none at all");
    }
}
