// What fits, and what it costs: the one definition, for CPU and GPU alike.
//
// A *domain* is where a request could go: a node for one pod, a rack for a gang. It counts what it has in *units*: the
// wholly free GPUs of a node, the pods that a rack has room for. The cost of a (request, domain) pair is the sum of
// weight x term; the lower the better, and of equal ones the lower index. Each term is 0..=65535 and the weights of a
// placement sum to at most 65535, so that no cost overflows or reaches INFEASIBLE.
//
// The sum is taken apart by what a term reads, so that a pair pays only for what both of its sides decide:
//
//   place_cost   request x group (platform and site)   run time, energy price, carbon
//   own_cost     domain                                 leftover, spread, pressure, the rack's fragmentation
//   pair_cost    request x domain                       does it fit; span, the node's fragmentation; the sum of all
//
// Integers only; no division, no shift; `&` and `select` instead of branches.

// The cost of what does not fit.
const INFEASIBLE: u32 = 0xffffffffu;
// The largest value of a term.
const TERM_MAX: u32 = 65535u;
// The value of a fragmentation term where a start changes nothing: what it strands is above, what it mends below.
const UNCHANGED: u32 = 32768u;

// How much a placement minds each term.
struct Weights {
    // Free capacity of the domain: a full one is cheap (best fit).
    leftover: u32,
    // Its complement: an empty one is cheap (worst fit).
    spread: u32,
    // Free capacity of the rack around the domain: a full rack is cheap.
    rack_leftover: u32,
    // Its complement: an empty rack is cheap.
    rack_spread: u32,
    // Pods of the gang that the domain has no room for.
    span: u32,
    // Run time on the platform.
    run_time: u32,
    // Price of the energy over the expected run.
    energy: u32,
    // Carbon of the energy over the expected run.
    carbon: u32,
    // Use of the tightest feed above the domain.
    pressure: u32,
    // GPUs of the domain that the start strands.
    fragmentation: u32,
    // Nodes of the rack that the start strands.
    rack_fragmentation: u32,
}

// The terms of a domain alone, each 0..=65535.
struct Own {
    leftover: u32,
    rack_leftover: u32,
    pressure: u32,
    rack_fragmentation: u32,
}

// The terms of a request in a group of domains of one platform and site, each 0..=65535.
struct Place {
    run_time: u32,
    energy: u32,
    carbon: u32,
}

// What the function reads of a request class.
struct Query {
    // Scopes it may use, one bit each.
    scopes: u32,
    // Units it takes of one domain: GPUs or pods; 1 for a share that breaks a whole GPU.
    units: u32,
    // Units a domain must have: those it takes; 1 for a gang that may span; 0 where it needs none.
    least: u32,
    // Thousandths of the GPU it shares; INFEASIBLE if it asks for no share.
    share: u32,
    // Thousandths of a core, MiB of memory and watts that a domain must have left.
    cpu: u32,
    memory: u32,
    draw: u32,
    // Weight of span x what one missing pod adds to the term.
    span_step: u32,
    // Weight of fragmentation.
    fragmentation: u32,
    // What a start adds to the term besides whole units, above UNCHANGED: on whole units, and in a GPU shared already.
    on_whole: u32,
    on_shared: u32,
    // Its row of the table of place costs.
    row: u32,
}

// What the function reads of a domain.
struct Domain {
    // Scopes it belongs to, one bit each; none if it takes nothing new.
    scopes: u32,
    // Wholly free GPUs of a node, pods that a rack has room for.
    units: u32,
    // The most thousandths left of a GPU that is shared already: fewer than a thousand.
    partial: u32,
    // Thousandths of a core, MiB of memory and watts left; 0xffffffff where they are not counted.
    cpu: u32,
    memory: u32,
    headroom: u32,
    // own_cost.
    own: u32,
    // What its free units strand, from the table.
    stranded: u32,
}

// The part of the cost that a request has anywhere in a group.
fn place_cost(weights: Weights, place: Place) -> u32 {
    return weights.run_time * place.run_time + weights.energy * place.energy + weights.carbon * place.carbon;
}

// The part of the cost that a domain has for any request.
fn own_cost(weights: Weights, own: Own) -> u32 {
    return weights.leftover * own.leftover
        + weights.spread * (TERM_MAX - own.leftover)
        + weights.rack_leftover * own.rack_leftover
        + weights.rack_spread * (TERM_MAX - own.rack_leftover)
        + weights.pressure * own.pressure
        + weights.rack_fragmentation * own.rack_fragmentation;
}

// The units that a start leaves in a domain.
fn units_left(asked: u32, units: u32) -> u32 {
    return units - min(units, asked);
}

// Where the table of what is stranded tells it for `units` free units in a group; `units_counted` entries a group.
fn stranded_index(group: u32, units_counted: u32, units: u32) -> u32 {
    return group * units_counted + min(units, units_counted - 1u);
}

// Where the table of place costs tells it for a row and a group.
fn place_index(row: u32, groups: u32, group: u32) -> u32 {
    return row * groups + group;
}

// The cost of a request on a domain: `after` is what is stranded once the units it asks for are gone, `place` its
// place cost in the domain's group.
fn pair_cost(query: Query, domain: Domain, after: u32, place: u32) -> u32 {
    // A share goes to a GPU that is shared already where one has room.
    let fits_shared = domain.partial >= query.share;
    let fits = ((domain.scopes & query.scopes) != 0u)
        & ((domain.units >= query.least) | fits_shared)
        & (domain.cpu >= query.cpu)
        & (domain.memory >= query.memory)
        & (domain.headroom >= query.draw);
    let missing = query.units - min(query.units, domain.units);
    let fragmentation = select(after - domain.stranded + query.on_whole, query.on_shared, fits_shared);
    let cost = domain.own + place + query.span_step * missing + query.fragmentation * fragmentation;
    return select(INFEASIBLE, cost, fits);
}
