// What feeds draw in every bucket of time, and what that costs and emits. It stands behind meter.wgsl.
//
//   draw    a thread a feed: changes of draw, those of a feed in the order of time, become the draw from each on
//   meter   a thread a feed and span of buckets: walks from change to change of draw, price and bucket
//
// A thread does at most STEPS steps a dispatch, since some drivers leave longer loops early without a word: `draw`
// goes on where the dispatch before ended, `meter` keeps its state in memory. How far each came is told, so that a
// thread that did less is noticed.

// Threads of a workgroup.
const THREADS: u32 = 64u;
// Most steps of a thread in a dispatch.
const STEPS: u32 = 4096u;
// Most halvings of a search: lists are shorter than 2^32.
const HALVINGS: u32 = 32u;

struct Parameters {
    feeds: u32,
    // Changes of a feed that earlier dispatches summed.
    done: u32,
    // Seconds: the first of the first bucket, the first after the last, those of a bucket.
    begin: u32,
    end: u32,
    bucket: u32,
    // Buckets of a span, and how many spans there are.
    span: u32,
    spans: u32,
    // 1: go on with the states in memory.
    resumed: u32,
}

// From `time` on, a feed draws more, or less, by this much.
struct Change {
    time: u32,
    low: u32,
    high: u32,
}

// From `time` on, energy has this price and intensity.
struct Price {
    time: u32,
    price: Wide,
    intensity: Wide,
}

// A feed: its changes are first..last, the prices it pays are price_first..price_last; both begin at time 0.
struct Feed {
    first: u32,
    last: u32,
    price_first: u32,
    price_last: u32,
}

// A thread of `meter`.
struct State {
    meter: Meter,
    // How far it came.
    time: u32,
    // The begin of its bucket, and the number of that in this chunk of time.
    bucket_begin: u32,
    bucket: u32,
    change: u32,
    price: u32,
}

struct Bucket {
    energy: Wide,
    peak: Wide,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> feeds: array<Feed>;
@group(0) @binding(2) var<storage, read> changes: array<Change>;
@group(0) @binding(3) var<storage, read_write> summed: array<Wide>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= parameters.feeds) {
        return;
    }
    let feed = feeds[id.x];
    let begin = feed.first + min(parameters.done, feed.last - feed.first);
    let count = min(STEPS, feed.last - begin);
    var sum = Wide(0u, 0u);
    if (begin > feed.first) {
        sum = summed[begin - 1u];
    }
    for (var step = 0u; step < count; step += 1u) {
        let change = changes[begin + step];
        sum = add_wide(sum, Wide(change.low, change.high));
        summed[begin + step] = sum;
    }
}

@group(0) @binding(3) var<storage, read> draws: array<Wide>;
@group(0) @binding(4) var<storage, read> prices: array<Price>;
@group(0) @binding(5) var<storage, read_write> states: array<State>;
// By bucket, then feed.
@group(0) @binding(6) var<storage, read_write> buckets: array<Bucket>;

// The last change of first..last at or before a time; the first if all are after it.
fn change_at(first: u32, last: u32, time: u32) -> u32 {
    var low = first;
    var high = last;
    for (var step = 0u; (step < HALVINGS) & (high - low > 1u); step += 1u) {
        let middle = low + ((high - low) >> 1u);
        let before = changes[middle].time <= time;
        low = select(low, middle, before);
        high = select(middle, high, before);
    }
    return low;
}

fn price_at(first: u32, last: u32, time: u32) -> u32 {
    var low = first;
    var high = last;
    for (var step = 0u; (step < HALVINGS) & (high - low > 1u); step += 1u) {
        let middle = low + ((high - low) >> 1u);
        let before = prices[middle].time <= time;
        low = select(low, middle, before);
        high = select(middle, high, before);
    }
    return low;
}

fn fresh(feed: Feed, span: u32) -> State {
    let none = Wide(0u, 0u);
    let nothing = Sum(0u, 0u, 0u, 0u);
    let first_bucket = span * parameters.span;
    let time = parameters.begin + first_bucket * parameters.bucket;
    return State(
        Meter(none, none, none, nothing, nothing, nothing),
        time,
        time,
        first_bucket,
        change_at(feed.first, feed.last, time),
        price_at(feed.price_first, feed.price_last, time),
    );
}

@compute @workgroup_size(64)
fn meter(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= parameters.feeds) {
        return;
    }
    let feed = feeds[id.x];
    let slot = id.y * parameters.feeds + id.x;
    var state = fresh(feed, id.y);
    if (parameters.resumed == 1u) {
        state = states[slot];
    }
    let span_begin = parameters.begin + id.y * parameters.span * parameters.bucket;
    let span_seconds = parameters.span * parameters.bucket;
    let end = span_begin + min(parameters.end - span_begin, span_seconds);
    for (var step = 0u; (step < STEPS) & (state.time < end); step += 1u) {
        let change_next = select(end, changes[state.change + 1u].time, state.change + 1u < feed.last);
        let price_next = select(end, prices[state.price + 1u].time, state.price + 1u < feed.price_last);
        let bucket_next = state.bucket_begin + min(parameters.bucket, end - state.bucket_begin);
        let until = min(min(change_next, price_next), bucket_next);
        state.meter = drawn(state.meter, draws[state.change], until - state.time);
        state.time = until;
        if ((until == price_next) | (until == end)) {
            let price = prices[state.price];
            state.meter = settled(state.meter, price.price, price.intensity);
            state.price += select(0u, 1u, state.price + 1u < feed.price_last);
        }
        if (until == bucket_next) {
            buckets[state.bucket * parameters.feeds + id.x] = Bucket(state.meter.bucket, state.meter.peak);
            state.meter = emptied(state.meter);
            state.bucket += 1u;
            state.bucket_begin = until;
        }
        state.change += select(0u, 1u, (until == change_next) & (state.change + 1u < feed.last));
    }
    states[slot] = state;
}
