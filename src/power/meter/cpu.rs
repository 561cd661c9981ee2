use super::shader::{Meter, Wide, add_wide, drawn, emptied, settled};
use super::{Bucket, Feed, Load, Metering, Total, Usage, Window};
use rayon::prelude::*;

/// Meters on every core.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {}

impl Metering for Cpu {
    fn meter(&mut self, load: &Load, window: Window, out: &mut Usage) {
        out.reset(load.feeds.len(), window);
        let count = window.buckets() as usize;
        // A feed's buckets lie apart in the result: each core fills rows of its own, which are then put in place.
        let rows: Vec<(Vec<Bucket>, Total)> =
            load.feeds.par_iter().map(|feed| walk(load, *feed, window, count)).collect();
        let feeds = rows.len();
        for (feed, (row, total)) in rows.into_iter().enumerate() {
            out.totals[feed] = total;
            for (index, bucket) in row.into_iter().enumerate() {
                out.buckets[index * feeds + feed] = bucket;
            }
        }
    }
}

/// One feed, from change to change of draw, price and bucket.
fn walk(load: &Load, feed: Feed, window: Window, count: usize) -> (Vec<Bucket>, Total) {
    let changes = &load.changes[feed.first as usize..feed.last as usize];
    let prices = &load.prices[feed.price_first as usize..feed.price_last as usize];
    let mut row = Vec::with_capacity(count);
    let mut meter = Meter::default();
    let mut time = window.begin;
    let mut bucket_begin = time;
    let mut change = changes.partition_point(|change| change.time <= time).saturating_sub(1);
    let mut price = prices.partition_point(|price| price.time <= time).saturating_sub(1);
    let more = |change: usize| Wide { low: changes[change].low, high: changes[change].high };
    let mut draw = (0..=change).fold(Wide::default(), |sum, change| add_wide(sum, more(change)));
    let mut settled_at = time;
    while time < window.end {
        let change_next = changes.get(change + 1).map_or(window.end, |change| change.time);
        let price_next = prices.get(price + 1).map_or(window.end, |price| price.time);
        let bucket_next = bucket_begin + window.bucket.min(window.end - bucket_begin);
        let until = change_next.min(price_next).min(bucket_next);
        meter = drawn(meter, draw, until - time);
        time = until;
        // Joules at one price are kept in two words: they are priced before those overflow.
        if until == price_next || until == window.end || until - settled_at >= Window::BUCKET_MAX {
            meter = settled(meter, prices[price].price, prices[price].intensity);
            settled_at = until;
        }
        if until == price_next && price + 1 < prices.len() {
            price += 1;
        }
        if until == bucket_next {
            row.push(Bucket { energy: meter.bucket.into(), peak: meter.peak.into() });
            meter = emptied(meter);
            bucket_begin = until;
        }
        if until == change_next && change + 1 < changes.len() {
            change += 1;
            draw = add_wide(draw, more(change));
        }
    }
    let total = Total { energy: meter.energy.into(), cost: meter.cost.into(), carbon: meter.carbon.into() };
    (row, total)
}
