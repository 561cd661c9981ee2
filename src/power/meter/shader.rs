//! `shaders/meter.wgsl` as Rust.

use bytemuck::{Pod, Zeroable};

naga_rust_embed::include_wgsl_mr!(
    public_items = true,
    rule(struct(Wide) => derive(Default)),
    rule(struct(Wide) => derive(Eq)),
    rule(struct(Wide) => derive(Pod)),
    rule(struct(Wide) => derive(Zeroable)),
    rule(struct(Sum) => derive(Default)),
    rule(struct(Sum) => derive(Eq)),
    rule(struct(Sum) => derive(Pod)),
    rule(struct(Sum) => derive(Zeroable)),
    rule(struct(Meter) => derive(Default)),
    rule(struct(Meter) => derive(Eq)),
    rule(struct(Meter) => derive(Pod)),
    rule(struct(Meter) => derive(Zeroable)),
    "shaders/meter.wgsl",
);

impl From<u64> for Wide {
    fn from(value: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        Self { low: u32::from_le_bytes([a, b, c, d]), high: u32::from_le_bytes([e, f, g, h]) }
    }
}

impl From<Wide> for u64 {
    fn from(wide: Wide) -> Self {
        Self::from(wide.high) << 32 | Self::from(wide.low)
    }
}

impl From<Sum> for i128 {
    fn from(sum: Sum) -> Self {
        let words = [sum.a, sum.b, sum.c, sum.d];
        let bits = words.iter().rev().fold(0_u128, |bits, word| bits << 32 | u128::from(*word));
        Self::from_le_bytes(bits.to_le_bytes())
    }
}
