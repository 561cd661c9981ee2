//! The nodes of Alibaba's openb trace: `sn,cpu_milli,memory_mib,gpu,model`.
//!
//! The model in lower case is the platform, `generic` where there is none. Every node is a rack of its own.

use super::{ClusterFormat, Columns, Site, detect, kind};
use crate::trace::intake::Intake;
use crate::trace::table::{Table, whole};

pub(super) const FORMAT: ClusterFormat = ClusterFormat {
    name: "openb",
    about: "Alibaba openb nodes as CSV: sn,cpu_milli,memory_mib,gpu,model",
    detect: |head| detect(head, &["sn", "cpu_milli", "memory_mib", "gpu", "model"]),
    read,
};

fn read(text: &[u8], site: &mut Site, intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &[], intake) else { return };
    let names = ["sn", "cpu_milli", "memory_mib", "gpu", "model"];
    let Some([sn, cpu, memory, gpus, model]) = table.require(names, intake) else { return };
    let columns =
        Columns { platform: Some(model), gpus, cpu: Some(cpu), memory: Some(memory), cpu_milli: whole };
    while table.next(intake) {
        let name = table.text(sn, "", intake);
        if let (Some(kind), Some(name)) = (kind(&table, &columns, site, intake), name) {
            if site.add(kind, 1, None) {
                site.name(name);
            } else {
                table.wrong(sn, "fewer nodes", intake);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_cluster_bytes};

    #[test]
    fn nodes_alike_share_a_kind() {
        let text = include_bytes!("../../../workloads/nodes-openb.csv");
        let list = read_cluster_bytes("o.csv", text, None, &Options::default()).unwrap();
        let cluster = list.cluster;
        assert_eq!(list.format, "openb", "recognised");
        assert_eq!(
            (cluster.nodes(), cluster.gpus(), cluster.kinds.len()),
            (5, 14, 4),
            "five nodes of four kinds"
        );
        assert_eq!(cluster.node_name(2), "node-2", "names");
        let kind = cluster.kind_of(1);
        assert_eq!((kind.platform_name.as_str(), kind.platform), ("t4", 1), "the model in lower case");
        assert_eq!((kind.cpu_milli, kind.memory_mib), (104_000, 524_288), "host resources");
        assert_eq!(cluster.kind_of(0).platform_name, "generic", "no model");
    }

    #[test]
    fn unknown_platforms_are_told() {
        let platform = |name: &str| (name == "t4").then_some(7);
        let options = Options { platform: Some(&platform), ..Options::default() };
        let text = b"sn,cpu_milli,memory_mib,gpu,model\na,1,1,2,T4\nb,1,1,65,P100\n";
        let told = read_cluster_bytes("o.csv", text, None, &options).unwrap_err().to_string();
        assert!(told.contains("unknown platform `p100`") && told.contains("gpu `65`"), "{told}");
        assert!(!told.contains("o.csv:2"), "the first is right:\n{told}");
    }
}
