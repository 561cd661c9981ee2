use std::ops::RangeInclusive;

/// One number that a platform can have: its key in files, its unit, what it means and what it may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The key in a catalogue file.
    pub key: &'static str,
    /// The only unit it is written in.
    pub unit: &'static str,
    /// What it is, as a column heading or a line of `gigawatt list platforms`.
    pub about: &'static str,
    pub(super) range: RangeInclusive<f64>,
    pub(super) whole: bool,
}

const fn count(key: &'static str, unit: &'static str, about: &'static str, range: [u32; 2]) -> Field {
    Field { key, unit, about, range: range[0] as f64..=range[1] as f64, whole: true }
}
const fn amount(key: &'static str, unit: &'static str, about: &'static str, most: f64) -> Field {
    Field { key, unit, about, range: 0.0..=most, whole: false }
}
const fn watts(key: &'static str, about: &'static str) -> Field {
    count(key, "W", about, [0, 100_000_000])
}
const fn level(key: &'static str, about: &'static str) -> Field {
    Field { key, unit: "x TGP", about, range: 0.0..=1.0, whole: false }
}
const fn speed(key: &'static str, about: &'static str) -> Field {
    Field { key, unit: "x H100", about, range: 0.001..=1000.0, whole: false }
}

pub(super) const GPUS_PER_NODE: Field = count("gpus_per_node", "GPUs", "GPUs of a node", [0, 64]);
pub(super) const NODES_PER_RACK: Field = count("nodes_per_rack", "nodes", "nodes of a rack", [1, 65_536]);
pub(super) const NVLINK_DOMAIN: Field =
    count("nvlink_domain", "GPUs", "GPUs behind one NVLink switch", [1, 1_000_000]);
pub(super) const GPU_MEMORY: Field = amount("gpu_memory", "GB", "memory of a GPU, usable", 1e6);
pub(super) const GPU_MEMORY_BANDWIDTH: Field =
    amount("gpu_memory_bandwidth", "GB/s", "memory bandwidth of a GPU", 1e7);
pub(super) const DENSE_BF16: Field = amount("dense_bf16", "TFLOPS", "peak of a GPU, BF16, dense", 1e8);
pub(super) const DENSE_FP8: Field = amount("dense_fp8", "TFLOPS", "peak of a GPU, FP8, dense", 1e8);
pub(super) const DENSE_FP4: Field = amount("dense_fp4", "TFLOPS", "peak of a GPU, FP4, dense", 1e8);
pub(super) const NVLINK_BANDWIDTH: Field =
    amount("nvlink_bandwidth", "GB/s", "NVLink of a GPU, each way", 1e6);
pub(super) const NIC_BANDWIDTH: Field =
    amount("nic_bandwidth", "Gb/s", "scale-out network of a GPU, each way", 1e6);
pub(super) const STORAGE_BANDWIDTH: Field =
    amount("storage_bandwidth", "GB/s", "shared storage to a GPU", 1e5);
pub(super) const DPU_BANDWIDTH: Field = amount("dpu_bandwidth", "Gb/s", "BlueField of a node", 1e6);
pub(super) const CPU_CORES: Field = count("cpu_cores", "cores", "CPU cores of a node", [0, 100_000]);
pub(super) const HOST_MEMORY: Field = amount("host_memory", "GB", "host memory of a node", 1e6);
pub(super) const TGP: Field = watts("tgp", "most a GPU draws (TGP)");
pub(super) const GPU_IDLE: Field = watts("gpu_idle", "a GPU without work");
pub(super) const NODE_IDLE: Field = watts("node_idle", "a node without work, its GPUs included");
pub(super) const NODE_BUSY: Field =
    watts("node_busy", "a node with every GPU at TGP, where less than its most");
pub(super) const NODE_MAX: Field = watts("node_max", "most a node draws, its GPUs included");
pub(super) const RACK_OVERHEAD: Field =
    watts("rack_overhead", "a rack beside its nodes: switches, fans, losses");
pub(super) const RACK_TDP: Field = watts("rack_tdp", "power a rack is planned for");
pub(super) const CHASSIS_NODES: Field =
    count("chassis_nodes", "nodes", "nodes that share a chassis", [1, 65_536]);
const DRAW_COMPUTE: Field = level("draw_compute", "a GPU computing a training step");
const DRAW_COMMUNICATION: Field =
    level("draw_communication", "a GPU of a training step that waits for others");
const DRAW_PREFILL: Field = level("draw_prefill", "a GPU reading prompts");
const DRAW_DECODE: Field = level("draw_decode", "a GPU writing answers");
const DRAW_CHECKPOINT: Field = level("draw_checkpoint", "a GPU writing a checkpoint or starting over");
const DRAW_IDLE: Field = level("draw_idle", "a GPU held without work");
/// By phase; a platform that lacks one draws what is usual.
pub(super) const LEVELS: [Field; 6] =
    [DRAW_COMPUTE, DRAW_COMMUNICATION, DRAW_PREFILL, DRAW_DECODE, DRAW_CHECKPOINT, DRAW_IDLE];
pub(super) const ALL_IN: Field = watts("all_in", "utility power a GPU, host, network and cooling included");
pub(super) const SPEED_DENSE_TRAINING: Field = speed("speed_dense_training", "training of dense models");
pub(super) const SPEED_MOE_TRAINING: Field =
    speed("speed_moe_training", "training of mixture-of-experts models");
pub(super) const SPEED_PREFILL: Field = speed("speed_prefill", "inference, reading the prompt");
pub(super) const SPEED_DECODE: Field = speed("speed_decode", "inference, writing the answer");
pub(super) const SPEED_OTHER: Field = speed("speed_other", "anything else");
pub(super) const ACROSS_RACKS: Field = Field {
    key: "across_racks",
    unit: "x",
    about: "speed of a gang over several racks, relative to one rack",
    range: 0.001..=1.0,
    whole: false,
};
pub(super) const RENT: Field = amount("rent", "$/GPU-h", "rent of a GPU hour", 1e6);
pub(super) const RACK_PRICE: Field = amount("rack_price", "$", "price of a rack with its nodes", 1e12);

/// Every field, in the order of a listing.
pub const FIELDS: &[Field] = &[
    GPUS_PER_NODE,
    NODES_PER_RACK,
    NVLINK_DOMAIN,
    GPU_MEMORY,
    GPU_MEMORY_BANDWIDTH,
    DENSE_BF16,
    DENSE_FP8,
    DENSE_FP4,
    NVLINK_BANDWIDTH,
    NIC_BANDWIDTH,
    STORAGE_BANDWIDTH,
    DPU_BANDWIDTH,
    CPU_CORES,
    HOST_MEMORY,
    TGP,
    GPU_IDLE,
    NODE_IDLE,
    NODE_BUSY,
    NODE_MAX,
    RACK_OVERHEAD,
    RACK_TDP,
    CHASSIS_NODES,
    DRAW_COMPUTE,
    DRAW_COMMUNICATION,
    DRAW_PREFILL,
    DRAW_DECODE,
    DRAW_CHECKPOINT,
    DRAW_IDLE,
    ALL_IN,
    SPEED_DENSE_TRAINING,
    SPEED_MOE_TRAINING,
    SPEED_PREFILL,
    SPEED_DECODE,
    SPEED_OTHER,
    ACROSS_RACKS,
    RENT,
    RACK_PRICE,
];
