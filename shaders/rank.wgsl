// The cheapest domains of every query, by (cost, index). It stands behind cost.wgsl.
//
//   scan    a thread a query and a workgroup a slice of the domains: the k cheapest of that slice
//   merge   a thread a query: the cheapest of its slices' lists
//
// A workgroup reads a tile of domains together, then each of its threads meets the whole tile with a query of its own,
// held in registers: no matrix of costs ever exists, and memory is read once for THREADS pairs. Every loop has the
// same bounds in all threads of a workgroup, so that barriers are met by all or none.

// Threads of a workgroup.
const THREADS: u32 = 64u;
// Domains that a workgroup reads at once.
const TILE: u32 = 256u;
// Most tiles of a slice and slices of a dispatch: what some drivers run to the end without a word of warning.
const TILES: u32 = 128u;
const SLICES: u32 = 2048u;
// Most candidates of a list.
const LONGEST: u32 = 8u;

struct Parameters {
    // Queries of this dispatch, and the first of them.
    queries: u32,
    first_query: u32,
    // Domains in the columns, and how many were before them.
    domains: u32,
    first_domain: u32,
    // Domains of a slice, whole tiles, and how many slices there are.
    slice: u32,
    slices: u32,
    // Candidates of a list: 1 to LONGEST.
    k: u32,
    // As Tables has them.
    groups: u32,
    units_counted: u32,
    // 1: only what comes after the query's floor counts.
    resumed: u32,
}

// Ascending by (cost, index), four candidates each.
struct List {
    cost_low: vec4<u32>,
    cost_high: vec4<u32>,
    index_low: vec4<u32>,
    index_high: vec4<u32>,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> queries: array<Query>;
// A column a field of Domain, then the groups.
@group(0) @binding(2) var<storage, read> columns: array<u32>;
@group(0) @binding(3) var<storage, read> stranded: array<u32>;
@group(0) @binding(4) var<storage, read> place: array<u32>;
// The last candidate that is known already, a query.
@group(0) @binding(5) var<storage, read> floors: array<vec2<u32>>;
// By slice, then query: how many domains were met, then k times cost and index.
@group(0) @binding(6) var<storage, read_write> slice_lists: array<u32>;

var<workgroup> tile_fit: array<vec4<u32>, TILE>;
var<workgroup> tile_cost: array<vec4<u32>, TILE>;
var<workgroup> tile_group: array<u32, TILE>;

fn empty_list() -> List {
    let none = vec4<u32>(0xffffffffu);
    return List(none, none, none, none);
}

// The list with a candidate where it belongs: after all that cost as much, which have lower indices.
fn inserted(list: List, cost: u32, index: u32) -> List {
    let after_low = vec4<u32>(cost) < list.cost_low;
    let after_high = vec4<u32>(cost) < list.cost_high;
    // What comes after it moves up by one, and it takes the place of the first of them.
    let moved_low = vec4<bool>(false, after_low.xyz);
    let moved_high = vec4<bool>(after_low.w, after_high.xyz);
    let cost_low = vec4<u32>(0u, list.cost_low.xyz);
    let cost_high = vec4<u32>(list.cost_low.w, list.cost_high.xyz);
    let index_low = vec4<u32>(0u, list.index_low.xyz);
    let index_high = vec4<u32>(list.index_low.w, list.index_high.xyz);
    return List(
        select(list.cost_low, select(vec4<u32>(cost), cost_low, moved_low), after_low),
        select(list.cost_high, select(vec4<u32>(cost), cost_high, moved_high), after_high),
        select(list.index_low, select(vec4<u32>(index), index_low, moved_low), after_low),
        select(list.index_high, select(vec4<u32>(index), index_high, moved_high), after_high),
    );
}

fn at(low: vec4<u32>, high: vec4<u32>, position: u32) -> u32 {
    let half = select(low, high, position > 3u);
    return half[position & 3u];
}

// The cost that a candidate must stay below to enter the list.
fn bar(list: List, k: u32) -> u32 {
    return at(list.cost_low, list.cost_high, k - 1u);
}

// Where a query's list of a slice begins.
fn list_base(slice: u32, query: u32) -> u32 {
    return (slice * parameters.queries + query) * (1u + 2u * parameters.k);
}

fn load_tile(thread: u32, first: u32, end: u32) {
    let stride = parameters.domains;
    for (var step = 0u; step < TILE / THREADS; step += 1u) {
        let slot = step * THREADS + thread;
        let domain = first + slot;
        if (domain < end) {
            tile_fit[slot] = vec4<u32>(
                columns[domain],
                columns[stride + domain],
                columns[2u * stride + domain],
                columns[3u * stride + domain],
            );
            tile_cost[slot] = vec4<u32>(
                columns[4u * stride + domain],
                columns[5u * stride + domain],
                columns[6u * stride + domain],
                columns[7u * stride + domain],
            );
            tile_group[slot] = columns[8u * stride + domain];
        }
    }
}

@compute @workgroup_size(64)
fn scan(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let asked = workgroup.x * THREADS + thread;
    // Threads without a query of their own help to read, and drop what they find.
    let query_index = parameters.first_query + min(asked, parameters.queries - 1u);
    let query = queries[query_index];
    let known = floors[query_index];
    let begin = workgroup.y * parameters.slice;
    let end = min(begin + parameters.slice, parameters.domains);
    var list = empty_list();
    var highest = INFEASIBLE;
    var met = 0u;
    var group = 0xffffffffu;
    var place_there = 0u;
    for (var first = begin; first < end; first += TILE) {
        load_tile(thread, first, end);
        workgroupBarrier();
        let count = min(TILE, end - first);
        var slot = 0u;
        for (; slot < count; slot += 1u) {
            let fit = tile_fit[slot];
            let own = tile_cost[slot];
            if (tile_group[slot] != group) {
                group = tile_group[slot];
                place_there = place[place_index(query.row, parameters.groups, group)];
            }
            let domain = Domain(fit.x, fit.y, fit.z, fit.w, own.x, own.y, own.z, own.w);
            let left = units_left(query.units, domain.units);
            let after = stranded[stranded_index(group, parameters.units_counted, left)];
            let cost = pair_cost(query, domain, after, place_there);
            if (cost < highest) {
                let index = parameters.first_domain + first + slot;
                let beyond = (cost > known.x) | ((cost == known.x) & (index > known.y));
                if (beyond | (parameters.resumed == 0u)) {
                    list = inserted(list, cost, index);
                    highest = bar(list, parameters.k);
                }
            }
        }
        met += slot;
        workgroupBarrier();
    }
    if (asked < parameters.queries) {
        let base = list_base(workgroup.y, asked);
        slice_lists[base] = met;
        for (var position = 0u; position < min(parameters.k, LONGEST); position += 1u) {
            slice_lists[base + 1u + 2u * position] = at(list.cost_low, list.cost_high, position);
            slice_lists[base + 2u + 2u * position] = at(list.index_low, list.index_high, position);
        }
    }
}

// The answer of each query: how many domains were met, then k times cost and index.
@group(0) @binding(1) var<storage, read> found: array<u32>;
@group(0) @binding(2) var<storage, read_write> answers: array<u32>;

@compute @workgroup_size(64)
fn merge(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= parameters.queries) {
        return;
    }
    var list = empty_list();
    var highest = INFEASIBLE;
    var met = 0u;
    for (var slice = 0u; slice < min(parameters.slices, SLICES); slice += 1u) {
        let base = list_base(slice, id.x);
        met += found[base];
        for (var position = 0u; position < min(parameters.k, LONGEST); position += 1u) {
            let cost = found[base + 1u + 2u * position];
            if (cost < highest) {
                list = inserted(list, cost, found[base + 2u + 2u * position]);
                highest = bar(list, parameters.k);
            }
        }
    }
    let base = id.x * (1u + 2u * parameters.k);
    answers[base] = met;
    for (var position = 0u; position < min(parameters.k, LONGEST); position += 1u) {
        answers[base + 1u + 2u * position] = at(list.cost_low, list.cost_high, position);
        answers[base + 2u + 2u * position] = at(list.index_low, list.index_high, position);
    }
}
