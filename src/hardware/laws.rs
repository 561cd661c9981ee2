use super::field::{
    DENSE_BF16, DENSE_FP4, DENSE_FP8, Field, GPU_IDLE, GPUS_PER_NODE, NODE_BUSY, NODE_IDLE, NODE_MAX,
    NODES_PER_RACK, NVLINK_DOMAIN, RACK_OVERHEAD, RACK_TDP, TGP,
};
use super::{Level, Platform};

/// What physics forbids among the numbers of one platform; each names the keys that contradict each other.
///
/// A number that is not known contradicts nothing.
pub(super) fn broken(platform: &Platform) -> Vec<String> {
    let known = |field: &Field| platform.fact(field.key).map(|fact| fact.value);
    let times = |count: &Field, field: &Field| Some(known(count)? * known(field)?);
    let rack_idle = || Some(times(&NODES_PER_RACK, &NODE_IDLE)? + known(&RACK_OVERHEAD).unwrap_or(0.0));
    let at_most = [
        ("`gpu_idle`", known(&GPU_IDLE), "`tgp`", known(&TGP)),
        ("`gpus_per_node` x `gpu_idle`", times(&GPUS_PER_NODE, &GPU_IDLE), "`node_idle`", known(&NODE_IDLE)),
        ("`gpus_per_node` x `tgp`", times(&GPUS_PER_NODE, &TGP), "`node_max`", known(&NODE_MAX)),
        ("`node_idle`", known(&NODE_IDLE), "`node_max`", known(&NODE_MAX)),
        ("`node_idle`", known(&NODE_IDLE), "`node_busy`", known(&NODE_BUSY)),
        ("`node_busy`", known(&NODE_BUSY), "`node_max`", known(&NODE_MAX)),
        ("`nodes_per_rack` x `node_idle` + `rack_overhead`", rack_idle(), "`rack_tdp`", known(&RACK_TDP)),
        ("`dense_bf16`", known(&DENSE_BF16), "`dense_fp8`", known(&DENSE_FP8)),
        ("`dense_fp8`", known(&DENSE_FP8), "`dense_fp4`", known(&DENSE_FP4)),
        ("`gpus_per_node`", known(&GPUS_PER_NODE), "`nvlink_domain`", known(&NVLINK_DOMAIN)),
    ];
    let broken = at_most.into_iter().filter_map(|(small, less, large, more)| {
        let (less, more) = (less?, more?);
        (less > more).then(|| format!("{small} ({less}) is more than {large} ({more})"))
    });
    let chassis = platform.stages.iter().any(|stage| stage.level == Level::Chassis);
    let lost = (chassis && platform.chassis_nodes() == 0)
        .then(|| "a stage in the `chassis`, and no `chassis_nodes`".to_owned());
    broken.chain(lost).collect()
}
