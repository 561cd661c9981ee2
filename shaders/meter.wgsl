// What a meter adds up: exact integers of two and four words, the one definition for CPU and GPU alike.
//
// A draw in watts and joules are 64 bits without a sign, a price is 64 bits with one, sums are 128 bits with one: all
// in words of 32 bits, the lowest first, negative numbers as the two's complement. Whoever calls keeps a draw below
// 2^40 W and a stretch below 2^22 s, so that its joules stay below 2^62; no sum then overflows.

struct Wide {
    low: u32,
    high: u32,
}

struct Sum {
    a: u32,
    b: u32,
    c: u32,
    d: u32,
}

// What a domain drew and what that stands for, up to some instant.
struct Meter {
    // Joules of the bucket that is not over, and its highest draw.
    bucket: Wide,
    peak: Wide,
    // Joules at the present price and intensity.
    priced: Wide,
    // Joules; joules times price; joules times intensity.
    energy: Sum,
    cost: Sum,
    carbon: Sum,
}

fn add_wide(x: Wide, y: Wide) -> Wide {
    let low = x.low + y.low;
    return Wide(low, x.high + y.high + select(0u, 1u, low < x.low));
}

fn is_below(x: Wide, y: Wide) -> bool {
    return (x.high < y.high) | ((x.high == y.high) & (x.low < y.low));
}

fn highest(x: Wide, y: Wide) -> Wide {
    let below = is_below(x, y);
    return Wide(select(x.low, y.low, below), select(x.high, y.high, below));
}

// x times y, whole.
fn product(x: u32, y: u32) -> Wide {
    let x_low = x & 0xffffu;
    let x_high = x >> 16u;
    let y_low = y & 0xffffu;
    let y_high = y >> 16u;
    let lowest = x_low * y_low;
    // At most 0xffff * 0xffff + 0xffff: no carry.
    let middle = x_high * y_low + (lowest >> 16u);
    let other = x_low * y_high + (middle & 0xffffu);
    return Wide((other << 16u) | (lowest & 0xffffu), x_high * y_high + (middle >> 16u) + (other >> 16u));
}

// What `watts` are in `seconds`: joules.
fn joules(watts: Wide, seconds: u32) -> Wide {
    let low = product(watts.low, seconds);
    return Wide(low.low, low.high + watts.high * seconds);
}

fn add_sum(x: Sum, y: Sum) -> Sum {
    let low = add_wide(Wide(x.a, x.b), Wide(y.a, y.b));
    let carry = select(0u, 1u, is_below(low, Wide(x.a, x.b)));
    let high = add_wide(add_wide(Wide(x.c, x.d), Wide(y.c, y.d)), Wide(carry, 0u));
    return Sum(low.low, low.high, high.low, high.high);
}

fn sum_of(x: Wide) -> Sum {
    return Sum(x.low, x.high, 0u, 0u);
}

// Joules times a price, which may be negative.
fn value(amount: Wide, price: Wide) -> Sum {
    let lowest = product(amount.low, price.low);
    let one = product(amount.low, price.high);
    let other = product(amount.high, price.low);
    let highest_part = product(amount.high, price.high);
    var sum = Sum(lowest.low, lowest.high, highest_part.low, highest_part.high);
    sum = add_sum(sum, Sum(0u, one.low, one.high, 0u));
    sum = add_sum(sum, Sum(0u, other.low, other.high, 0u));
    // Read without a sign, a negative price is 2^64 too high: take the amount away above it, x - y = x + !y + 1.
    let away = select(0u, 0xffffffffu, price.high > 0x7fffffffu);
    let taken = add_wide(Wide(~amount.low & away, ~amount.high & away), Wide(away & 1u, 0u));
    return add_sum(sum, Sum(0u, 0u, taken.low, taken.high));
}

// The meter after `seconds` more at a draw.
fn drawn(meter: Meter, watts: Wide, seconds: u32) -> Meter {
    let amount = joules(watts, seconds);
    // A draw that lasted no time was none.
    let lasted = select(0u, 0xffffffffu, seconds > 0u);
    let peak = highest(meter.peak, Wide(watts.low & lasted, watts.high & lasted));
    return Meter(
        add_wide(meter.bucket, amount),
        peak,
        add_wide(meter.priced, amount),
        meter.energy,
        meter.cost,
        meter.carbon,
    );
}

// The meter with all it counted priced.
fn settled(meter: Meter, price: Wide, intensity: Wide) -> Meter {
    return Meter(
        meter.bucket,
        meter.peak,
        Wide(0u, 0u),
        add_sum(meter.energy, sum_of(meter.priced)),
        add_sum(meter.cost, value(meter.priced, price)),
        add_sum(meter.carbon, value(meter.priced, intensity)),
    );
}

// The meter at the begin of a bucket.
fn emptied(meter: Meter) -> Meter {
    return Meter(Wide(0u, 0u), Wide(0u, 0u), meter.priced, meter.energy, meter.cost, meter.carbon);
}
