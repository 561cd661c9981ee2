//! `shaders/cost.wgsl` as Rust.

#![expect(missing_docs, clippy::too_many_arguments, reason = "generated from the shader, which documents it")]

use bytemuck::{Pod, Zeroable};

naga_rust_embed::include_wgsl_mr!(
    public_items = true,
    rule(struct(Weights) => derive(Default)),
    rule(struct(Weights) => derive(Eq)),
    rule(struct(Weights) => derive(Pod)),
    rule(struct(Weights) => derive(Zeroable)),
    rule(struct(Own) => derive(Default)),
    rule(struct(Place) => derive(Default)),
    rule(struct(Query) => derive(Default)),
    rule(struct(Query) => derive(Eq)),
    rule(struct(Query) => derive(Pod)),
    rule(struct(Query) => derive(Zeroable)),
    rule(struct(Domain) => derive(Default)),
    rule(struct(Domain) => derive(Eq)),
    rule(function(place_cost) => inline(always)),
    rule(function(own_cost) => inline(always)),
    rule(function(units_left) => inline(always)),
    rule(function(stranded_index) => inline(always)),
    rule(function(place_index) => inline(always)),
    rule(function(pair_cost) => inline(always)),
    "shaders/cost.wgsl",
);
