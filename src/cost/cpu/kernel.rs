//! The inner loop: the costs of one query on a chunk of domains, compiled once an instruction set.

use crate::cost::INFEASIBLE;
use crate::cost::domains::COLUMNS;
use crate::cost::shader::{Domain, Query, pair_cost, units_left};
use multiversion::multiversion;

/// Domains a chunk: its columns and buffers stay in the first-level cache while every query reads them.
pub(super) const CHUNK: usize = 512;

/// Domains of which only the least cost is looked at, as long as that is too much.
pub(super) const BLOCK: usize = 32;

/// A chunk of each column, all of one length.
pub(super) type Chunk<'a> = [&'a [u32]; COLUMNS];

/// What a query and a chunk have looked up in the tables, and their costs.
#[derive(Debug)]
pub(super) struct Buffers {
    pub(super) after: [u32; CHUNK],
    pub(super) place: [u32; CHUNK],
    pub(super) cost: [u32; CHUNK],
    /// The least cost of each block.
    pub(super) least: [u32; CHUNK / BLOCK],
}

impl Buffers {
    pub(super) const fn new() -> Self {
        Self { after: [0; CHUNK], place: [0; CHUNK], cost: [0; CHUNK], least: [0; CHUNK / BLOCK] }
    }
}

/// The loops over a chunk, compiled for some set of instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    /// Fills in the costs of a query, whose place cost is the same all over the chunk or in its buffer, and the least
    /// of each block.
    pub(super) costs: fn(&Query, &Chunk<'_>, Option<u32>, &mut Buffers),
    /// Fills in what is stranded once so many units are gone, given the free units of domains and their group's row of
    /// the table.
    pub(super) look_up: fn(u32, &[u32], &[u32], &mut [u32]),
}

/// Counts of units in a table that is looked up many domains at once.
const SHORT: usize = 32;

#[expect(clippy::inline_always, reason = "it must be compiled with the instructions of its caller")]
#[inline(always)]
fn look_up(asked: u32, units: &[u32], row: &[u32], after: &mut [u32]) {
    let (Some(last), true) = (row.last(), row.len() <= SHORT) else {
        for (after, units) in after.iter_mut().zip(units) {
            *after = row[(units_left(asked, *units) as usize).min(row.len() - 1)];
        }
        return;
    };
    // One length for all tables, so that no index has to be checked.
    let mut short = [*last; SHORT];
    short[..row.len()].copy_from_slice(row);
    for (after, units) in after.iter_mut().zip(units) {
        *after = short[(units_left(asked, *units) as usize).min(SHORT - 1)];
    }
}

#[expect(clippy::inline_always, reason = "it must be compiled with the instructions of its caller")]
#[inline(always)]
fn costs(query: &Query, chunk: &Chunk<'_>, place: Option<u32>, buffers: &mut Buffers) {
    let (query, same) = (*query, place);
    let blocks = chunk.map(|column| column.as_chunks::<BLOCK>());
    let after = buffers.after.as_chunks::<BLOCK>().0;
    let place = buffers.place.as_chunks::<BLOCK>().0;
    let out = buffers.cost.as_chunks_mut::<BLOCK>().0;
    let full = blocks[0].0.len().min(CHUNK / BLOCK);
    for index in 0..full {
        let block = blocks.map(|(whole, _)| &whole[index]);
        let (after, out) = (&after[index], &mut out[index]);
        buffers.least[index] = match same {
            Some(same) => cost_block(query, block, after, |_| same, out),
            None => cost_block(query, block, after, |i| place[index][i], out),
        };
    }
    if full < CHUNK / BLOCK && !blocks[0].1.is_empty() {
        // What fills the last block up belongs to no scope.
        let mut last = [[0; BLOCK]; COLUMNS];
        for (block, (_, rest)) in last.iter_mut().zip(&blocks) {
            block[..rest.len()].copy_from_slice(rest);
        }
        let block = last.each_ref();
        let place = |i: usize| same.unwrap_or(place[full][i]);
        buffers.least[full] = cost_block(query, block, &after[full], place, &mut out[full]);
    }
}

#[expect(clippy::inline_always, reason = "it must be compiled with the instructions of its caller")]
#[inline(always)]
fn cost_block(
    query: Query,
    columns: [&[u32; BLOCK]; COLUMNS],
    after: &[u32; BLOCK],
    place: impl Fn(usize) -> u32,
    out: &mut [u32; BLOCK],
) -> u32 {
    let [scopes, units, partial, cpu, memory, headroom, own, stranded, _] = columns;
    let mut least = INFEASIBLE;
    for i in 0..BLOCK {
        let domain = Domain {
            scopes: scopes[i],
            units: units[i],
            partial: partial[i],
            cpu: cpu[i],
            memory: memory[i],
            headroom: headroom[i],
            own: own[i],
            stranded: stranded[i],
        };
        out[i] = pair_cost(query, domain, after[i], place(i));
        least = least.min(out[i]);
    }
    least
}

/// What every processor of the architecture has.
pub(super) const PORTABLE: Kernel = Kernel { costs, look_up };

/// Eight domains at once.
pub(super) const AVX2: Kernel = Kernel { costs: costs_avx2, look_up: look_up_avx2 };

/// Sixteen domains at once.
pub(super) const AVX512: Kernel = Kernel { costs: costs_avx512, look_up: look_up_avx512 };

#[multiversion(targets("x86_64+avx2+bmi1+bmi2+fma"))]
fn costs_avx2(query: &Query, chunk: &Chunk<'_>, place: Option<u32>, buffers: &mut Buffers) {
    costs(query, chunk, place, buffers);
}

#[multiversion(targets("x86_64+avx2+bmi1+bmi2+fma"))]
fn look_up_avx2(asked: u32, units: &[u32], row: &[u32], after: &mut [u32]) {
    look_up(asked, units, row, after);
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+bmi1+bmi2"))]
fn costs_avx512(query: &Query, chunk: &Chunk<'_>, place: Option<u32>, buffers: &mut Buffers) {
    costs(query, chunk, place, buffers);
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+bmi1+bmi2"))]
fn look_up_avx512(asked: u32, units: &[u32], row: &[u32], after: &mut [u32]) {
    look_up(asked, units, row, after);
}
